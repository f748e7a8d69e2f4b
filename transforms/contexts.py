"""The contexts that ambiguous cues need: whether what stands around a place can be around a person, a place, a shop, money."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from transforms.english import words


@dataclass(frozen=True)
class Names:
    """Given names and surnames that are known, in small letters: a name stands beside a name."""

    given: frozenset[str] = frozenset()
    surnames: frozenset[str] = frozenset()


_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)*|'[^\W_]+|[^\w\s]")
# No context reaches farther: what is decided is decided in constant time.
_REACH = 60


def _before(text: str, start: int) -> list[str]:
    """The last words and marks before a place in its line, nearest first; padded."""
    window = text[max(0, start - _REACH) : start]
    return [*_TOKEN.findall(window[window.rfind("\n") + 1 :])[:-5:-1], "", "", "", ""]


def _after(text: str, end: int) -> list[str]:
    window = text[end : end + _REACH]
    cut = window.find("\n")
    return [*_TOKEN.findall(window if cut < 0 else window[:cut])[:4], "", "", "", ""]


_TITLES = words(
    "mr mrs ms miss mister dr doctor prof professor sir madam uncle aunt auntie grandma grandpa granny officer captain "
    "detective sergeant sgt lt lieutenant coach judge senator sen congressman congresswoman governor gov mayor president "
    "agent deputy sheriff nurse pastor father rabbi imam sister brother cousin king queen prince princess saint"
)
_RELATIONS = words(
    "friend friends buddy pal boyfriend girlfriend bf gf ex husband wife fiance fiancee spouse partner mom mother dad "
    "father son daughter brother sister cousin nephew niece uncle aunt grandson granddaughter twin stepson stepdaughter "
    "stepdad stepmom neighbor neighbour roommate classmate coworker colleague boss manager supervisor assistant teacher "
    "student intern babysitter roomie bestie crush patient client"
)
_NAMING = words("named called nicknamed name's i'm")
_GREETINGS = words("hi hey hello dear yo thanks bye goodbye howdy sup")
_SPEAKING = words(
    "said says told tells asked asks replied replies answered answers whispered shouted yelled screamed cried laughed "
    "smiled grinned nodded sighed shrugged frowned muttered explained exclaimed continued added went goes came walked "
    "walks ran runs sat sits stood stands looked looks stared glanced felt feels thought thinks knew knows wanted wants "
    "loved loves liked likes hated hates lived lives worked works married died dies got gets gave gives took takes bought "
    "buys sold sells met meets decided decides realized realizes started starts began begins grabbed grabs texted called "
    "calls tried tries wrote writes turned turns opened opens entered enters arrived arrives left leaves woke wakes "
    "believes believed hopes hoped needs needed just never always quickly slowly suddenly who whose whom isn't wasn't "
    "doesn't didn't hasn't hadn't"
)
_WITH_PEOPLE = words(
    "tell told tells telling ask asked asks asking met meeting marry married marrying dating dated kissed kissing hugged "
    "texted texting invited helped thanked thank phoned emailed interviewed introduced punched slapped hit"
)
_BELONGINGS = words(
    "mom mother dad father wife husband son daughter sister brother friend friends boyfriend girlfriend family parents "
    "house room car phone face eyes hair hand hands voice heart head body name birthday boss job life account password "
    "email diary dog cat apartment desk office"
)
_ADDRESSING = words(
    "you your can could would will please i we what how why when where are do did don't come stop this that it's i'm let's"
)
_DETERMINERS = words("the a an this that these those my your his her its our their no any every each some another")
_MONTHS = words("april may june august")
_DIRECTIONS = words(
    "downtown uptown midtown suburban rural urban north south east west northern southern eastern western northeast "
    "northwest southeast southwest central upstate greater inner"
)
_PLACE_BEFORE = words(
    "in at to from near of around outside through toward towards via across within throughout inside into visit visits "
    "visited visiting leaving reach reached reaching between beyond"
)
_STATES = words(
    "alabama alaska arizona arkansas california colorado connecticut delaware florida georgia hawaii idaho illinois indiana "
    "iowa kansas kentucky louisiana maine maryland massachusetts michigan minnesota mississippi missouri montana nebraska "
    "nevada ohio oklahoma oregon pennsylvania tennessee texas utah vermont virginia washington wisconsin wyoming new north "
    "south west rhode usa us america england scotland wales ireland canada australia france germany italy spain india"
)
STATE_CODES = words(
    "AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA RI "
    "SC SD TN TX UT VT VA WA WV WI WY DC PR"
)
_SHOP_BEFORE = words("at from to near into inside outside")
_SHOP_WORK = words(
    "work works worked working shop shops shopped shopping job hired fired buy buys buying bought order ordered return "
    "returned store stores go goes going went gone run drive drove stop stopped steal stole stealing shoplift shoplifting "
    "shoplifted employee employees cashier manager ceo bank banks banking customer customers"
)
_SHOP_AFTER = words(
    "store stores employee employees cashier cashiers gift card cards account accounts customer customers parking lot "
    "manager managers shopper shoppers worker workers supermarket superstore location locations branch checking savings "
    "credit debit app receipt coupon coupons website security pharmacy stock ceo outlet outlets bank teller loan mortgage"
)
_SMALL_WORDS = words("a an the of in on at to for by with and or from as is")
_SHOP_DOES = words(
    "have sell sells usually carry take accept open close price hire hiring pay offer restock still deliver charge match mark "
    "ever"
)
_CAPITAL = re.compile(r"[A-HJ-Z]")  # but "I"
_NUMBER_WORDS = words(
    "one two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty sixty seventy eighty "
    "ninety hundred hundreds thousand thousands million millions billion billions trillion few several couple many some "
    "more extra dozen half zero worth mere lousy cool whole"
)


def begins_sentence(text: str, start: int) -> bool:
    """Whether a capital letter at this place may be there for the sentence's sake: its start, a quotation's, a heading's."""
    before = text[max(0, start - 24) : start]
    if before[-1:] in tuple("\"'“‘*_#>["):
        return True
    stripped = before.rstrip(" \t(-–—•*#>")
    if not stripped or stripped[-1] in "\n\r\u2028\u2029":
        return True
    if re.search(r"(?:^|[\n\r])\s*(?:\d{1,3}[.)]|[A-Za-z]\))$", stripped):
        return True  # the number of a list
    if stripped[-1] in '.!?:;…"”':
        return not re.search(r"\b(?:mrs?|ms|dr|prof|st|sgt|lt|capt|gen|sen|rep|gov|jr|sr|vs|\w)\.$", stripped.lower())
    return False


def is_capitalised(text: str, start: int, end: int) -> bool:
    """Whether the words around a place are written with capitals throughout, so that one capital says nothing."""
    before, after = text[max(0, start - 100) : start], text[end : end + 100]
    before = re.split(r"[.!?\n]", before)[-1]
    after = re.split(r"[.!?\n]", after, maxsplit=1)[0]
    around = [w for w in re.findall(r"[^\W\d_]{2,}", before + " " + after) if w not in _SMALL_WORDS]
    small = sum(word[0].islower() for word in around)
    return len(around) >= 2 and 4 * small <= len(around)


def capital(text: str, start: int, end: int, names: Names = Names()) -> bool:
    """Capitalised for its own sake: not at a sentence's start, not in a text of capitals."""
    return text[start].isupper() and not begins_sentence(text, start) and not is_capitalised(text, start, end)


def introduced(text: str, start: int, end: int, names: Names = Names()) -> bool:
    """Whether the words just before say that a person's name follows: a title, a relation, "named"."""
    one, two, three = (t.lower() for t in _before(text, start)[:3])
    if one == "." and two in _TITLES | {"sgt", "capt"}:
        return True
    if one in _NAMING or (one in _TITLES and text[start].isupper()):
        return one != "i'm" or text[start].isupper() or _after(text, end)[0] in ("", ".", ",", "!", "and")
    if one in ("is", "was", "s") and two in ("name", "nickname"):
        return True
    if one == "am" and two == "i" and text[start].isupper():
        return True
    if one in _RELATIONS and (two in _DETERMINERS or three in _DETERMINERS):
        return True
    return one == "," and two in _RELATIONS and three in _DETERMINERS and text[start].isupper()


def is_named(text: str, start: int, end: int, names: Names = Names()) -> bool:
    """Whether what stands around can only be around a person's name."""
    if introduced(text, start, end, names):
        return True
    one, two = (t.lower() for t in _before(text, start)[:2])
    after = _after(text, end)
    first, second = after[0].lower(), after[1].lower()
    upper = text[start].isupper()
    if one in _GREETINGS and first in ("", ",", "!", ".", "-", "and", "how", "what", "can", "i", "it's"):
        return True
    if after[0][:1].isupper() and first in names.surnames and text[end : end + 1] == " " and upper:
        return True
    if not upper:
        return False
    if first in _SPEAKING or (first == "'s" and second in _BELONGINGS):
        return True
    if first in ("is", "was") and second in ("my", "his", "her", "our", "their"):
        return True
    if one in _WITH_PEOPLE:
        return True
    if first == "," and (
        (second.isdigit() and len(second) < 3) or (begins_sentence(text, start) and second in _ADDRESSING)
    ):
        return True
    if one in ("and", "or", "&", ",") and two in names.given and _before(text, start)[1][0].isupper():
        return True
    return first in ("and", "or", "&") and second in names.given and after[1][0].isupper()


def person(text: str, start: int, end: int, names: Names = Names()) -> bool:
    """A person's name is meant: said to be one, or capitalised for its own sake and nobody's thing or title."""
    if is_named(text, start, end, names):
        return True
    if text[start:end].lower() in _MONTHS or not capital(text, start, end):
        return False
    one = _before(text, start)[0]
    if one.lower() in _DETERMINERS or (one[:1].isupper() and one != "I" and one.lower() not in names.given):
        return False
    # A hyphen makes it part of a compound; a capital after it, of a longer name that is not known.
    return text[start - 1 : start] != "-" and text[end : end + 1] not in ("-", "&")


def surname(text: str, start: int, end: int, names: Names = Names()) -> bool:
    """After a title, a given name or an initial, or before "family"."""
    before = _before(text, start)
    one, two = before[0], before[1]
    if one == "." and (two.lower() in _TITLES or (len(two) == 1 and two.isupper())):
        return text[start].isupper()
    if one.lower() in names.given and text[start - 1 : start] == " ":
        return text[start].isupper() == one[0].isupper()
    if not text[start].isupper():
        return False
    return one.lower() in _TITLES or (one.lower() == "the" and _after(text, end)[0].lower() in ("family", "household"))


def place(text: str, start: int, end: int, names: Names = Names()) -> bool:
    """After in, at, from, north ...; or before a state or country. In small letters only where all around it are."""
    if not text[start].isupper() and _CAPITAL.search(text, max(0, start - _REACH), min(len(text), end + _REACH)):
        return False
    before, after = _before(text, start), _after(text, end)
    one = before[0].lower()
    if one in _PLACE_BEFORE or one in _DIRECTIONS:
        return True
    return after[0] == "," and (after[1] in STATE_CODES or after[1].lower() in _STATES)


def shop(text: str, start: int, end: int, names: Names = Names()) -> bool:
    """Where one shops, works or has an account. In small letters the words around must say so twice."""
    before, after = [t.lower() for t in _before(text, start)], [t.lower() for t in _after(text, end)]
    if after[0] in _SHOP_AFTER or (after[0] == "'s" and after[1] in _SHOP_AFTER):
        return True
    # "at the Target on Main Street"
    if before[0] in ("does", "do", "did", "is", "has", "can") and after[0] in _SHOP_DOES:
        return True
    one, two, three = before[1:4] if before[0] in _DETERMINERS | {"local", "nearest"} else before[:3]
    busy = bool({two, three} & _SHOP_WORK)
    if one in _SHOP_BEFORE or (one in ("for", "of", "with") and busy):
        return text[start].isupper() or busy
    return one in ("robbed", "rob", "sue", "sued", "suing") and text[start].isupper()


def money(text: str, start: int, end: int, names: Names = Names()) -> bool:
    """Beside a number or an amount word."""
    before, after = [t.lower() for t in _before(text, start)], [t.lower() for t in _after(text, end)]
    one = before[1] if before[0] in ("of", "-") else before[0]
    return one[-1:].isdigit() or one in _NUMBER_WORDS or one == "$" or after[0][:1].isdigit()


CONTEXTS: dict[str, Callable[[str, int, int, Names], bool]] = {
    "person": person,
    "place": place,
    "shop": shop,
    "capital": capital,
    "money": money,
}
