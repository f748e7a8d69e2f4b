"""Documents for judging the gate: human translations composed to the lengths of prompts, and defects made from them.

`python -m bench.gate_items DIR` prints how many documents and defects of every kind each language has, and an example of each.
DIR holds parallel/eng-<FLORES>.tsv (set, document, English, target) and tatoeba/eng-xxx.tsv (English, target).
"""

from __future__ import annotations

import argparse
import math
import random
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from schemas.hashing import number
from schemas.locales import LANGUAGES
from transforms.form import variant_of

TATOEBA = {"arb_Arab": "ara", "deu_Latn": "deu", "spa_Latn": "spa", "fra_Latn": "fra", "hin_Deva": "hin",
           "jpn_Jpan": "jpn", "tha_Thai": "tha", "zho_Hans": "cmn", "zho_Hant": "cmn"}  # fmt: skip
# Prompts of safety datasets: median 111 characters, 95th percentile 1,072 (log-normal).
MEDIAN, SPREAD = 111, math.log(1072 / 111) / 1.645
MOST_SENTENCES = 8
# Every English line of this document stands beside the translation of another.
_MISALIGNED = {("fra_Latn", "tico/Wikinews_3")}


@dataclass(frozen=True)
class Pair:
    """A sentence (or paragraph) and its human translation. `neighbours` share `document`, in order."""

    document: str
    source: str
    target: str


@dataclass(frozen=True)
class Item:
    """One document to judge.

    Attributes:
        kind: "good", or the defect that was made.
        sources, targets: sentences; those of a good document are aligned one to one.
        joint: what stands between sentences of the (source, target).
    """

    id: str
    language: str
    kind: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    joint: tuple[str, str] = (" ", " ")

    @property
    def source(self) -> str:
        return self.joint[0].join(self.sources)

    @property
    def target(self) -> str:
        return self.joint[1].join(self.targets)


def is_traditional(text: str) -> bool:
    """Whether a Chinese text has more characters that only Traditional writing has than such that only Simplified has."""
    return sum(map(variant_of, text)) > 0


def read_pairs(folder: Path, language: str, held_out: bool) -> list[Pair]:
    """The pairs of one half of the documents: the held-out half is for the tables, the other for calibration."""
    found: list[Pair] = []
    path = folder / "parallel" / f"eng-{language}.tsv"
    if path.is_file():
        for line in path.read_text("utf-8").split("\n"):
            fields = line.split("\t")
            if len(fields) == 4:
                found.append(Pair(f"{fields[0]}/{fields[1]}", fields[2].strip(), fields[3].strip()))
    for i, line in enumerate((folder / "tatoeba" / f"eng-{TATOEBA[language]}.tsv").read_text("utf-8").split("\n")):
        fields = line.split("\t")
        if len(fields) >= 2:
            found.append(Pair(f"tatoeba/{i}", fields[0].strip(), fields[1].strip()))
    if language.startswith("zho"):
        found = [p for p in found if is_traditional(p.target) == (language == "zho_Hant")]
    found = [p for p in found if (language, p.document) not in _MISALIGNED]
    # By the English text where every pair is a document of its own, so that no sentence is on both sides of any language.
    key = {p.document: p.source if p.document.startswith("tatoeba/") else p.document for p in found}
    return [p for p in found if p.source and p.target and (number("gate", key[p.document]) % 2 == 1) is held_out]


# --- documents ---

_SITES = ("https://example.org/help/{n}", "https://www.example.com/item?id={n}", "http://docs.example.net/v{n}/start")
_CODE = ("`print({n})`", "`SELECT * FROM t WHERE id = {n};`", "`x = [i for i in range({n})]`", "`git checkout v{n}`")


def compose(pairs: Sequence[Pair], language: str, count: int, rng: random.Random, extras: float = 0.25) -> list[Item]:
    """Documents of one to eight neighbours each, with the lengths of prompts; each stretch of neighbours once.

    Args:
        count: documents wanted; fewer come where the pairs do not yield so many.
        extras: share of documents that get a URL, code or number at the same place on both sides.
    """
    groups: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        # Short single sentences have no neighbours: any others serve.
        groups["tatoeba" if pair.document.startswith("tatoeba/") else pair.document].append(pair)
    rng.shuffle(groups["tatoeba"])
    places = [(name, i) for name, group in groups.items() for i in range(len(group))]
    long = [place for place in places if place[0] != "tatoeba"]
    short = [place for place in places if place[0] == "tatoeba"]
    target_space = " " if LANGUAGES[language].sentence_space else ""
    items: list[Item] = []
    seen: set[tuple[str, ...]] = set()
    for _ in range(count * 20):
        if len(items) >= count:
            break
        wanted = MEDIAN * math.exp(rng.gauss(0, SPREAD))
        name, start = rng.choice(short if short and (wanted < 70 or not long) else long or short)
        taken: list[Pair] = []
        for pair in groups[name][start : start + MOST_SENTENCES]:
            if taken and sum(len(p.source) for p in taken) + len(pair.source) / 2 > wanted:
                break
            taken.append(pair)
        sources = tuple(p.source for p in taken)
        if sources in seen or sum(map(len, sources)) > 4000:
            continue
        seen.add(sources)
        joint = ("\n", "\n") if len(taken) > 1 and rng.random() < 0.2 else (" ", target_space)
        item = Item(f"{language}-{len(items):04d}", language, "good", sources, tuple(p.target for p in taken), joint)
        items.append(with_extra(item, rng) if rng.random() < extras else item)
    return items


def with_extra(item: Item, rng: random.Random, kinds: Sequence[str] = ("url", "code", "number")) -> Item:
    """The document with a URL, a piece of code or a number at the end of a sentence, on both sides alike."""
    kind, n = rng.choice(kinds), rng.randrange(2, 9999)
    piece = {"url": rng.choice(_SITES), "code": rng.choice(_CODE), "number": "({n})"}[kind].format(n=n)
    at = rng.randrange(len(item.sources))

    def put(sentences: tuple[str, ...]) -> tuple[str, ...]:
        return (*sentences[:at], f"{sentences[at]} {piece}", *sentences[at + 1 :])

    return replace(item, sources=put(item.sources), targets=put(item.targets))


# --- defects ---


@dataclass(frozen=True)
class Pool:
    """What defects are made from besides the document itself.

    Attributes:
        others: good documents of the language.
        foreign: sentences of other languages, English left out.
    """

    others: Sequence[Item]
    foreign: Sequence[str]


Make = Callable[[Item, Pool, random.Random], Item | None]


def _of(item: Item, *targets: str) -> Item:
    return replace(item, targets=targets)


def _words(text: str, language: str) -> list[str]:
    return re.findall(r"\S+\s*", text) if LANGUAGES[language].spaced else list(text)


def _similar(item: Item, pool: Sequence[Item], rng: random.Random) -> Item | None:
    """Another document of the same length, give or take a fifth, that shares no sentence."""
    size = len(item.target)
    mine = set(item.sources)
    fits = [o for o in pool if 0.8 * size <= len(o.target) <= 1.25 * size and mine.isdisjoint(o.sources)]
    return rng.choice(fits) if fits else None


def wrong_language(item: Item, pool: Pool, rng: random.Random) -> Item:
    """Sentences of one other language in place of the translation, as many characters or more."""
    taken, size = "", len(item.target)
    start = rng.randrange(len(pool.foreign))
    while len(taken) < size:
        taken = f"{taken} {pool.foreign[start % len(pool.foreign)]}".strip()
        start += 1
    return _of(item, taken)


def untranslated(item: Item, pool: Pool, rng: random.Random) -> Item:
    """The source in place of the translation."""
    return replace(item, targets=item.sources)


def half_untranslated(item: Item, pool: Pool, rng: random.Random) -> Item | None:
    """The second half in English: whole sentences, or of one sentence the words."""
    if len(item.sources) > 1:
        half = len(item.sources) // 2
        return _of(item, *item.targets[:half], *item.sources[half:])
    words, own = item.source.split(" "), _words(item.target, item.language)
    if len(words) < 6:
        return None
    return _of(item, "".join(own[: len(own) // 2]).rstrip() + " " + " ".join(words[len(words) // 2 :]))


def foreign_sentence(item: Item, pool: Pool, rng: random.Random) -> Item | None:
    """One sentence of at least two is in English or in a third language."""
    if len(item.targets) < 2:
        return None
    at = rng.randrange(len(item.targets))
    other = item.sources[at] if rng.random() < 0.5 else rng.choice(pool.foreign)
    return _of(item, *item.targets[:at], other, *item.targets[at + 1 :])


def last_dropped(item: Item, pool: Pool, rng: random.Random) -> Item | None:
    """The last sentence of at least two is gone."""
    return _of(item, *item.targets[:-1]) if len(item.targets) > 1 else None


def middle_dropped(item: Item, pool: Pool, rng: random.Random) -> Item | None:
    """A sentence in the middle is gone."""
    if len(item.targets) < 3:
        return None
    at = rng.randrange(1, len(item.targets) - 1)
    return _of(item, *item.targets[:at], *item.targets[at + 1 :])


_CLAUSE = re.compile(r"(?<=[,;:，；、،؛])\s*|(?<=[,;:，；、،؛])")


def clause_dropped(item: Item, pool: Pool, rng: random.Random) -> Item | None:
    """A clause between two marks is gone from one sentence: at least 15 % and at most 60 % of it."""
    order = rng.sample(range(len(item.targets)), len(item.targets))
    for at in order:
        parts = [p for p in re.split(r"(?<=[,;:，；、،؛])", item.targets[at]) if p.strip()]
        size = len(item.targets[at])
        fits = [i for i, p in enumerate(parts[:-1]) if 0.15 * size <= len(p) <= 0.6 * size and len(p) >= 6]
        if fits:
            gone = rng.choice(fits)
            left = "".join(p for i, p in enumerate(parts) if i != gone).strip()
            return _of(item, *item.targets[:at], left, *item.targets[at + 1 :])
    return None


def _truncated(share: float) -> Make:
    def make(item: Item, pool: Pool, rng: random.Random) -> Item | None:
        words = _words(item.target, item.language)
        kept = "".join(words[: max(1, round(len(words) * share))]).rstrip()
        return _of(item, kept) if len(words) >= 4 else None

    return make


def loop(item: Item, pool: Pool, rng: random.Random) -> Item | None:
    """The last words come again and again, as decoders do it."""
    words = _words(item.target.rstrip(".!?。！？।"), item.language)
    if len(words) < 4:
        return None
    n = rng.randint(2, 6) if LANGUAGES[item.language].spaced else rng.randint(3, 9)
    last = "".join(words[-n:]).rstrip()
    space = " " if LANGUAGES[item.language].spaced else ""
    return _of(item, "".join(words).rstrip() + (space + last) * rng.randint(5, 20))


def repeated_whole(item: Item, pool: Pool, rng: random.Random) -> Item:
    """The whole translation stands there twice."""
    return _of(item, *item.targets, *item.targets)


_NUMBER = re.compile(r"\d+")


def number_changed(item: Item, pool: Pool, rng: random.Random) -> Item | None:
    """One digit of one number is another."""
    places = [(i, m) for i, t in enumerate(item.targets) for m in _NUMBER.finditer(t)]
    if not places:
        return None
    at, match = rng.choice(places)
    digits = list(match.group())
    where = rng.randrange(len(digits))
    zero = ord(digits[where]) - int(digits[where])
    other = rng.choice([d for d in range(0 if where else 1, 10) if d != int(digits[where])])
    digits[where] = chr(zero + other)
    text = item.targets[at][: match.start()] + "".join(digits) + item.targets[at][match.end() :]
    return _of(item, *item.targets[:at], text, *item.targets[at + 1 :])


# English negation, and what to take out of each language so that the sentence says the opposite. Not the gate's own lists.
_ENGLISH_NOT = re.compile(r"\b(?:not|never|cannot|nobody|nothing|no|neither|nor)\b|n['’]t\b", re.I)
_NEGATIONS: dict[str, tuple[tuple[str, str], ...]] = {
    "arb_Arab": ((r"\b(?:لا|لم|لن|ليس|ليست|لست) ", ""),),
    "deu_Latn": ((r" nicht\b", ""), (r"\bkein(?=e|\b)", "ein"), (r" (?:nie|niemals)\b", "")),
    "spa_Latn": ((r"\bno (?=\w)", ""), (r"\bnunca\b", "siempre"), (r"\bNo (?=\w)", "")),
    "fra_Latn": ((r"\b(?:ne |n['’])((?:\w+['’]?\s?){1,3}?) ?(?:pas|jamais|plus)\b", r"\1"),),
    "hin_Deva": ((r" नहीं", ""), (r" न(?= )", ""), (r" मत(?= )", "")),
    "jpn_Jpan": ((r"ません", "ます"), (r"くない", "い"), (r"わない", "う"), (r"らない", "る"),
                 (r"しない", "する"), (r"ではない", "である")),
    "tha_Thai": ((r"ไม่(?:ได้)?", ""),),
    "zho_Hans": ((r"(?:没有|没|不会|不能|不是|不)(?!同|断|仅|管|久|过|但|得不|少|如)", ""),),
    "zho_Hant": ((r"(?:沒有|沒|不)(?!同|斷|僅|管|久|過|但|得不|少|如)", ""),),
}  # fmt: skip


def negation_lost(item: Item, pool: Pool, rng: random.Random) -> Item | None:
    """A sentence with one negation in English loses it in the translation."""
    for at in rng.sample(range(len(item.targets)), len(item.targets)):
        if len(_ENGLISH_NOT.findall(item.sources[at])) != 1:
            continue
        for pattern, after in _NEGATIONS[item.language]:
            changed, n = re.subn(pattern, after, item.targets[at])
            if n == 1:
                return _of(item, *item.targets[:at], " ".join(changed.split(" ")).strip(), *item.targets[at + 1 :])
    return None


def name_lost(item: Item, pool: Pool, rng: random.Random) -> Item | None:
    """A name that both sides write alike is another name in the translation."""
    others = ("Weber", "Moreau", "Castillo", "Novak", "Lindqvist", "Okafor")
    for at in rng.sample(range(len(item.targets)), len(item.targets)):
        names = [
            n for n in re.findall(r"(?<!^)(?<![.!?] )\b[A-Z][a-z]{3,}\b", item.sources[at]) if n in item.targets[at]
        ]
        if names:
            name = rng.choice(names)
            other = rng.choice([o for o in others if o not in item.source])
            return _of(item, *item.targets[:at], item.targets[at].replace(name, other, 1), *item.targets[at + 1 :])
    return None


def piece_altered(item: Item, pool: Pool, rng: random.Random) -> Item:
    """A URL or code that both sides had is changed in one character of the translation."""
    had = with_extra(item, rng, ("url", "code"))
    at = next(i for i, (a, b) in enumerate(zip(had.sources, item.sources, strict=True)) if a != b)
    start = len(item.targets[at]) + 1
    piece = had.targets[at][start:]
    where = rng.choice([i for i, c in enumerate(piece) if c.isalnum()])
    other = rng.choice([c for c in "abcdefgh2345" if c != piece[where].lower()])
    changed = had.targets[at][:start] + piece[:where] + other + piece[where + 1 :]
    return replace(had, targets=(*had.targets[:at], changed, *had.targets[at + 1 :]))


def other_document(item: Item, pool: Pool, rng: random.Random) -> Item | None:
    """The translation of another document of the same length."""
    other = _similar(item, pool.others, rng)
    return _of(item, *other.targets) if other else None


def added_sentence(item: Item, pool: Pool, rng: random.Random) -> Item:
    """A sentence of another document stands in the translation."""
    added = rng.choice(rng.choice([o for o in pool.others if set(o.sources).isdisjoint(item.sources)]).targets)
    at = rng.randint(0, len(item.targets))
    return _of(item, *item.targets[:at], added, *item.targets[at:])


def mojibake(item: Item, pool: Pool, rng: random.Random) -> Item | None:
    """UTF-8 read as Windows-1252 or Latin-1: all of it, or one sentence."""
    at = range(len(item.targets)) if rng.random() < 0.5 else [rng.randrange(len(item.targets))]
    encoding = rng.choice(("cp1252", "latin-1"))
    made = [t.encode().decode(encoding, "replace") if i in at else t for i, t in enumerate(item.targets)]
    return _of(item, *made) if made != list(item.targets) else None


def invisible_payload(item: Item, pool: Pool, rng: random.Random) -> Item:
    """Characters that nobody sees: tags, zero-width runs, or an override of direction."""
    payload = rng.choice(("".join(chr(0xE0000 + ord(c)) for c in "note"), "\u200b" * rng.randint(3, 9), "\u202e\u2066",
                          "\u2060\u2063\u2064" * 2, "\ufeff\u200b\u00ad"))  # fmt: skip
    at, text = rng.randrange(len(item.targets)), ""
    text = item.targets[at]
    where = rng.randrange(len(text) + 1)
    return _of(item, *item.targets[:at], text[:where] + payload + text[where:], *item.targets[at + 1 :])


_CYRILLIC = str.maketrans("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
                          "абцдефгхийклмнопярстуввхызАБЦДЕФГХИЙКЛМНОПЯРСТУВВХЫЗ")  # fmt: skip


def wrong_script(item: Item, pool: Pool, rng: random.Random) -> Item:
    """The translation in letters of another script: Latin ones, or Cyrillic where it was in Latin ones."""
    from anyascii import anyascii

    latin = "Latin" in LANGUAGES[item.language].scripts
    return _of(item, *(t.translate(_CYRILLIC) if latin else anyascii(t) for t in item.targets))


def wrong_variant(item: Item, pool: Pool, rng: random.Random) -> Item | None:
    """Traditional for Simplified Chinese or the other way round."""
    if not item.language.startswith("zho"):
        return None
    from opencc import OpenCC

    convert = OpenCC("s2t" if item.language == "zho_Hans" else "t2s").convert
    changed = tuple(map(convert, item.targets))
    return _of(item, *changed) if changed != item.targets else None


DEFECTS: dict[str, Make] = {
    make.__name__: make
    for make in (
        wrong_language, untranslated, half_untranslated, foreign_sentence, last_dropped, middle_dropped, clause_dropped, loop,
        repeated_whole, number_changed, negation_lost, name_lost, piece_altered, other_document, added_sentence, mojibake,
        invisible_payload, wrong_script, wrong_variant,
    )
} | {"truncated_50": _truncated(0.5), "truncated_75": _truncated(0.75)}  # fmt: skip


def make_defects(items: Sequence[Item], pool: Pool, most: int, seed: str) -> Iterator[Item]:
    """Defects of every kind, at most so many of each, each from another document."""
    for kind, make in DEFECTS.items():
        rng, made = random.Random(f"{seed} {kind}"), 0
        for item in rng.sample(list(items), len(items)):
            bad = make(item, pool, rng) if made < most else None
            if bad is not None and bad.target != item.target and bad.target.strip():
                made += 1
                yield replace(bad, id=f"{item.id}-{kind}", kind=kind)


def items_of(folder: Path, language: str, held_out: bool, count: int, most: int) -> tuple[list[Item], list[Item]]:
    """(good documents, defects) of a language and a half, the same whenever asked.

    Args:
        count: good documents.
        most: defects of a kind; they are made from more documents than the good ones, as some kinds need long ones.
    """
    seed = f"{language} {'held out' if held_out else 'calibration'}"
    pairs = read_pairs(folder, language, held_out)
    good = compose(pairs, language, count, random.Random(seed))
    more = compose(pairs, language, 10 * most, random.Random(f"{seed} defects"))
    foreign = [
        p.target
        for other in ("deu_Latn", "spa_Latn", "fra_Latn", "arb_Arab", "hin_Deva", "jpn_Jpan", "zho_Hans")
        if other[:3] != language[:3]
        for p in read_pairs(folder, other, held_out)[:400]
    ]
    return good, list(make_defects(more, Pool(more, foreign), most, seed))


def main() -> int:
    """Prints the counts of every language."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=400, help="good documents, and defects of a kind")
    parser.add_argument("--examples", action="store_true")
    args = parser.parse_args()
    for language in TATOEBA:
        good, bad = items_of(args.folder, language, False, args.count, args.count)
        sizes = sorted(len(i.source) for i in good)
        print(language, "good", len(good), "median", sizes[len(sizes) // 2], "95 %", sizes[int(len(sizes) * 0.95)],
              dict(Counter(i.kind for i in bad)))  # fmt: skip
        for kind in DEFECTS if args.examples else ():
            example = next((i for i in bad if i.kind == kind and len(i.source) < 200), None)
            if example:
                print("  ", kind, repr(example.source), repr(example.target), sep="\n      ")
    return 0


if __name__ == "__main__":
    sys.exit(main())
