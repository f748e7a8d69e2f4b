"""English as far as exchanging one name for another needs it: articles, plurals, capital letters, starts of sentences."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

import regex


def words(text: str) -> frozenset[str]:
    """A set of words, written as text."""
    return frozenset(text.split())


# Enough of the text before a name to tell its article, its determiner and whether it begins a sentence.
_LOOK_BACK = 120

_ARTICLE = re.compile(r"(?<![\w-])(the|an?) \Z", re.IGNORECASE)
_OWN_ARTICLE = re.compile(r"(the|an?) (?=\S)", re.IGNORECASE)

_DETERMINERS = words("""my your his her its our their whose this that these those no any some every each either neither which what another
    one two three four five six seven eight nine ten many several few more most all both such""")
# What looks like a possessive and is a verb.
_IS = words("he's she's it's that's this's who's what's where's there's here's how's when's let's")
# Between a determiner and its noun stand adjectives; none of these.
_NO_ADJECTIVES = words("""a an the and or but nor if as than that which who whom whose when where while because since until though at in on
    to from of for with by about near into onto over under after before against between through via per like without
    within during towards off up out down around across i you he she it we they me him them us is are was were be been
    being am do does did has have had will would can could should may might must shall not n't say says said tell tells
    told ask asks asked call calls called contact join joined love like likes hate visit visited leave left""")
_ADJECTIVES = words("""local federal national new old former current nearest next last first second own real fake other same whole entire
    big small great good bad best worst upcoming annual typical traditional american u.s. us local-area downtown""")
# A lower-case word after a name that is no noun which the name stands before ("FBI agent", but "FBI is").
_NO_HEADS = words("""is are was were be been being am has have had do does did will would can could should may might must shall not
    and or but nor so yet if as than that which who whom whose when where while why how because since until though unless
    at in on to from of for with by about near into onto over under after before against between through via per like
    without within during towards off up out down around across along past behind beside besides except inside outside
    i you he she it we they me him them us my your his her its our their this these those there here a an the
    now then today tonight tomorrow yesterday again also too only just still even ever never always often already soon
    please back away together instead once twice later ago maybe probably really very not
    came went got took made gave found knew told sent wrote said says saw kept let lost won beat left put ran
    wants needs asks uses knows sells keeps gets goes comes takes makes gives finds tells sends writes plays wins loses
    works lets says thinks believes seems looks means helps pays opens closes decides protects allows requires sucks rocks
    want need ask use know sell keep get go come take make give find tell send write play win lose let say think pay
    open closed more less all any both each everyone anyone someone people""")
# Initials that are spoken as one word.
_SPOKEN = words("NASA NATO NAFTA FEMA HIPAA FERPA FIFA FISA LASIK MENSA NIMBY RADAR SWAT SIM RAM ROM LAN UNAM")
_INITIALS = re.compile(r"[A-Z][A-Z&]{1,4}(?![A-Za-z])")
# Sounds like a vowel: an 8, an 11, an 18,000, an hour; but a uniform, a European.
_VOWEL = re.compile(
    r"[£€₹$¥]?(?:8|1[18](?!\d))|(?!eu|uni(?!n|m)|us[aeu]|ut[ei]|ufo|ubi|one\b|once\b)[aeiou]|hour|hono|honest|heir",
    re.IGNORECASE,
)


def split_article(name: str) -> tuple[str, str]:
    """("the", "Federal Police") of "the Federal Police"; the article is lower-case, "" if there is none."""
    found = _OWN_ARTICLE.match(name)
    return (found[1].lower(), name[found.end() :]) if found else ("", name)


def indefinite(name: str) -> str:
    """The indefinite article that a name takes: by its sound, as far as letters tell."""
    bare = unicodedata.normalize("NFD", name.lstrip("\"'“‘([*_"))
    initials = _INITIALS.match(bare)
    if initials and initials.group() not in _SPOKEN:
        return "an" if bare[0] in "AEFHILMNORSX" else "a"
    return "an" if _VOWEL.match(bare) else "a"


@dataclass(frozen=True)
class Slot:
    """The place of a name in a sentence.

    Attributes:
        article: "the", "a", "an" or "" as it stands before the name, as written.
        determined: whether a determiner, possessive or adjective stands before the name: no article may come.
        attributive: whether a noun follows that the name stands before ("FBI agent"): an article is that noun's.
        possessive: whether "'s" follows.
        starts: whether the name, with its article, begins a sentence.
    """

    article: str
    determined: bool
    attributive: bool
    possessive: bool
    starts: bool


_WORD_AFTER = re.compile(r"[ ](?:\w+-)?([^\W\d_]+)")


def slot_of(text: str, start: int, end: int) -> Slot:
    """The slot of text[start:end], a name that may begin with its article."""
    before = text[max(0, start - _LOOK_BACK) : start]
    article, _ = split_article(text[start:end])
    if article:
        article = text[start : start + len(article)]
    elif found := _ARTICLE.search(before):
        article, before = found[1], before[: found.start()]
    follows = text[end : end + 40]
    word = _WORD_AFTER.match(follows)
    attributive = bool(re.match(r"-[a-z]", follows)) or bool(
        word
        and word[1].islower()
        and word[1] not in _NO_HEADS
        and not (len(word[1]) > 4 and word[1].endswith(("ed", "ly")))
    )
    possessive = bool(re.match(r"['’]s?(?!\w)", follows))
    return Slot(article, _is_determined(before), attributive, possessive, begins_sentence(before))


def _is_determined(before: str) -> bool:
    words = re.split(r"[.,;:!?()\"“”\n\r]", before)[-1].casefold().replace("’", "'").split(" ")
    if words[-1].endswith("-"):
        return True  # joined to the word before, as in "ex-FBI"
    for distance, word in enumerate(reversed(words[-4:-1])):
        if word in _DETERMINERS or (word.endswith(("'s", "s'")) and word not in _IS):
            return True
        if distance == 0 and word in _ADJECTIVES:
            return True
        if word in ("the", "a", "an"):
            return distance > 0
        if word in _NO_ADJECTIVES or not word:
            return False
    return False


def article_for(own: str, slot: Slot, of_context: bool, mentioned: bool) -> str:
    """The article that a new name takes in a slot, "" for none.

    Args:
        own: the article that the new name comes with.
        of_context: whether an article in the text was not part of the name before ("the Walmart on 5th", but "the IRS").
        mentioned: whether the text has spoken of it before: what was "a" is now "the".
    """
    written = slot.article.casefold()
    if slot.attributive or written in ("a", "an") or (written == "the" and of_context):
        return written
    if slot.determined and not written:
        return ""
    return "the" if own == "a" and (slot.possessive or mentioned) else own


def plural(name: str) -> str:
    """The regular plural of a noun or name."""
    last = name.rsplit(" ", 1)[-1]
    if re.search(r"(?:s|x|z|ch|sh)\Z", last, re.IGNORECASE):
        return name + "es"
    if re.search(r"[^aeiou]y\Z", last) and last.islower():
        return name[:-1] + "ies"
    return name + "s"


def singulars(name: str) -> tuple[str, ...]:
    """What a name may be the plural of, likeliest first; nothing if it does not end in s."""
    found = [name[:-1]] if name.endswith("s") and not name.endswith(("ss", "'s")) else []
    found += [name[:-2]] if name.endswith("es") else []
    found += [name[:-3] + "y"] if name.endswith("ies") else []
    return tuple(found)


def is_plural_noun(name: str) -> bool:
    """Whether a common noun looks like a plural: its last word is lower-case and ends in s ("food stamps")."""
    last = name.rsplit(" ", 1)[-1]
    return last.islower() and len(last) > 3 and last.endswith("s") and not last.endswith(("ss", "us", "is"))


# What may stand between the start of a sentence and its first word: white space, quotes, brackets, marks of emphasis,
# emoji; and what begins a line: bullets, numbers, headings, quote marks, boxes.
_EDGE = r"(?:[\s\"'“‘«(\[*_~\u061c\u200d-\u200f\ufe0f\ufeff\U0001f3fb-\U0001f3ff]|(?![\d#*])\p{Emoji})"
_LEAD = r"(?:[ \t]*(?:[-*+•‣▪>#–]+|\(?\d{1,3}[.)]|[A-Za-z][.)]|\[[ xX]\])[ \t]+)"
_BEGINS = regex.compile(
    rf"(?:\A|[\n\r\u2028\u2029]{_LEAD}*|^{_LEAD}+|[.!?:…。！？][\"'”’)\]*_~]*\s|\|[ \t]"
    rf"|</?(?:article|blockquote|br|div|dd|dt|h[1-6]|li|ol|p|section|td|th|tr|ul)\b[^<>\n]*>){_EDGE}*\Z",
    regex.IGNORECASE,
)
_ABBREVIATION = re.compile(r"(?:^|\W)(?:Mr|Mrs|Ms|Mx|Dr|Prof|St|Rev|Sen|Gov|Gen|Lt|Sgt|Jr|vs|e\.g|i\.e|[A-Z])\.\s+\Z")


def begins_sentence(before: str) -> bool:
    """Whether a word after this stretch of text begins a sentence, a line, an item of a list or a cell."""
    tail = before[-_LOOK_BACK:]
    return _BEGINS.search(tail) is not None and _ABBREVIATION.search(tail) is None


def capitalise(text: str) -> str:
    """The text with its first letter in upper case."""
    return text[:1].upper() + text[1:]


_SMALL_WORDS = words("a an and at by de del for in la of on or the to with y")


def follow_case(value: str, surface: str, known: str | None, around: str, starts: bool) -> str:
    """The value in the case that the surface was written in.

    Args:
        value: what takes its place, without article.
        surface: as the text has it, without article.
        known: as it is properly written, if anybody knows.
        around: the text around it, the surface left out.
        starts: whether it begins a sentence.
    """
    letters = [c for c in surface if c.isalpha()]
    if not letters or value.isupper() or not any(map(str.isalpha, value)):
        return value
    if len(letters) > 1 and surface.isupper():
        others = [c for c in around if c.isalpha()]
        shouted = len(others) > 3 and not any(map(str.islower, others))
        initials = known.isupper() if known else len(letters) <= 5
        return value.upper() if shouted or not initials else value
    if surface.islower():
        small = not known.islower() if known else not any(map(str.isupper, around))
        return value.lower() if small else value
    words = [w for w in re.split(r"[\s-]+", surface) if w.casefold() not in _SMALL_WORDS]
    titled = len(words) > (1 if starts or known is None else 0) and not any(w[0].islower() for w in words if w)
    if titled and value[0].islower() and (known is None or known.islower()):
        return " ".join(w if w in _SMALL_WORDS and i else capitalise(w) for i, w in enumerate(value.split(" ")))
    return value
