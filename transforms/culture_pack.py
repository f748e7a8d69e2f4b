"""Culture packs: what a locale calls its people, places, food, offices and measures, loaded from data/culture/."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from data import resource
from schemas.kinds import KIND_OF
from transforms.english import words

# A value of these kinds names a real company, club, newsroom or university: in safe rows only.
REAL_ORGANISATIONS = frozenset({"club", "retailer", "bank", "news"})
SAFE_ROWS_ONLY = REAL_ORGANISATIONS | {"restaurant", "brand", "university"}
TYPES = frozenset(KIND_OF) | {"title", "religion"}
# The roles that an entry of these types must have one of; in other types roles are free, or there are none.
ROLES = {
    "institution": words(
        """
        tax_agency federal_police intelligence secret_service drug_police border_police immigration_office
        vehicle_office pension_office labor_office health_public_old health_public_poor health_insurance_public
        child_protection consumer_protection drug_regulator disease_agency environment_agency space_agency
        central_bank stock_regulator telecom_regulator aviation_authority election_office parliament upper_house
        lower_house head_of_state head_of_government defense_ministry justice_ministry state_department
        education_ministry labor_safety housing_office local_police rural_police riot_police prosecutor
        public_defender highest_court state_court city_hall postal_service army coast_guard national_guard
        veterans_office food_aid unemployment_office statistics_office patent_office poison_control suicide_line
        neighborhood_watch homeowners_association parent_teacher_association consumer_rating credit_bureau
        """
    ),
    "law": words(
        """
        health_privacy data_privacy constitution free_speech gun_rights self_incrimination rights_on_arrest
        search_seizure due_process equal_protection labor_standards disability_rights civil_rights
        freedom_of_information copyright computer_crime anti_terror environment education_privacy medical_leave
        minimum_wage tenant consumer immigration drug traffic tax criminal_code civil_code antitrust
        """
    ),
    "document": words(
        """
        national_id_number id_card driver_license tax_form tax_return health_card residence_permit
        birth_certificate work_permit school_report high_school_diploma university_degree zip_code license_plate
        retirement_account credit_score food_stamps welfare student_loan criminal_record
        """
    ),
    "school": words(
        """
        elementary middle high community_college boarding private public kindergarten homeroom_grade
        """
    ),
    "generic": words("retailer bank club news restaurant university brand broadcaster app"),
    # Of exams and customs many have a role that nothing of the source asks for, or none.
    "exam": words(
        """
        university_entrance school_leaving graduate_entrance business_entrance medical_entrance law_entrance
        bar medical nursing school job language driving
        """
    )
    | {""},
    "custom": words(
        """
        school_dance school_fair baby_shower birth coming_of_age graduation engagement wedding bridal_shower
        bachelor_party bachelorette_party housewarming retirement sports_party tailgate neighborhood charity dance costume
        prank
        """
    )
    | {""},
}
# What companies of one type may be, as cue lists (`role`) and packs (`tags`) say it: a pharmacy is no clothing shop.
SORTS = {
    "retailer": words(
        "grocery convenience department pharmacy electronics hardware clothing shoes books furniture sports pets online"
    ),
    "restaurant": words("fastfood coffee dining"),
    "news": words("paper tv online"),
}
_LEGAL = ("legal", "illegal")
# What a country's law may say of a topic: packs are compared word for word.
LEGAL_STATUS = {
    "alcohol": ("legal from 16", "legal from 18", "legal from 19", "legal from 20", "legal from 21", "illegal"),
    "tobacco": ("legal from 16", "legal from 18", "legal from 19", "legal from 20", "legal from 21", "illegal"),
    "cannabis": ("legal", "medical only", "tolerated", "illegal"),
    "guns": ("permit", "right", "banned"),
    "knives_carry": ("free", "restricted"),
    "abortion": ("legal", "restricted", "illegal"),
    "sex_work": ("legal", "buying illegal", "illegal"),
    "gambling": ("legal", "restricted", "illegal"),
    "assisted_dying": ("legal", "restricted", "illegal"),
    "hate_speech": ("protected", "crime"),
    "insult_of_rulers": ("protected", "crime"),
    "blasphemy": ("protected", "crime"),
    "same_sex_relations": _LEGAL,
    "recording_calls": ("one party", "all parties"),
    "pepper_spray": ("legal", "restricted", "illegal"),
    "homeschooling": ("legal", "restricted", "illegal"),
    "fireworks": ("legal", "restricted", "illegal"),
    "driving_age": ("15", "16", "17", "18", "19", "20", "21"),
    "military_service": ("voluntary", "compulsory", "selective"),
    "death_penalty": ("yes", "no"),
}


@dataclass(frozen=True)
class Entry:
    """One value of a pack: how English text names it, how the locale names it, and where that is from.

    Attributes:
        role: what it is for within its type (an exam that ends school, a feast of the family); an entry that has one is
            exchanged for entries of the same role only.
        tags: what it is like ("sweet", "coast"); among entries those that share most tags are preferred.
        plural: whether `en` is a plural ("corn dogs are"); never exchanged for one that is not.
        within: English name of the entry that it lies in or belongs to (a city's region, a club's sport).
        note: on register or region; for people.
    """

    type: str
    en: str
    native: str
    source: str
    role: str = ""
    forms: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    plural: bool = False
    within: str = ""
    note: str = ""

    def natives(self) -> tuple[str, ...]:
        """Every native spelling that counts as this entry in a translation."""
        return (self.native, *self.forms.values())


@dataclass(frozen=True)
class Measure:
    """How a locale writes one kind of quantity.

    Attributes:
        en, native: hold `{n}`.
        group: what separates native thousands.
        joined: `en` as it stands before a noun ("{n}-real"), where it is not `en` without the plural's s.
    """

    type: str
    en: str
    native: str
    source: str
    per_usd: float = 0.0
    group: str = ","
    joined: str = ""

    def digits(self, number: int) -> str:
        """The number as English text set there writes it: Indian English groups by lakhs, whatever the language beside it."""
        return _by_lakhs(number) if self.group == "indian" else f"{number:,}"

    def in_english(self, *numbers: int, to: str = " to ") -> str:
        """One amount, or the two ends of a range."""
        return self.en.replace("{n}", to.join(map(self.digits, numbers)))

    def in_native(self, *numbers: int, to: str = " to ") -> str:
        written = (self.digits(n) if self.group == "indian" else f"{n:,}".replace(",", self.group) for n in numbers)
        return self.native.replace("{n}", to.join(written))


def _by_lakhs(number: int) -> str:
    """1,23,45,678: Indian English and Hindi group by two above the thousand."""
    head, tail = divmod(number, 1000)
    return f"{re.sub(r'(?<=[0-9])(?=(?:[0-9]{2})+$)', ',', str(head))},{tail:03d}" if head else str(number)


@dataclass(frozen=True)
class DateOrder:
    """How a locale writes a date in numbers: D, M and Y in its order, and what parts them."""

    order: str
    sep: str


@dataclass(frozen=True)
class CulturePack:
    """Everything one locale file says.

    Attributes:
        local_measures: those it writes as American English does.
        phone: the shape of numbers that are reserved for fiction.
        address: forms of address.
        generic: role -> what a shop, bank, club ... is called without a name: "a supermarket".
        real_people: "Given Surname" of well-known people: never made of a given name and a surname of the pack.
        date: how dates are written in numbers.
        legal_status: topic -> what the law says, as in LEGAL_STATUS.
        notes: on register and region; for people and for a language model.
    """

    locale: str
    language: str
    types: Mapping[str, tuple[Entry, ...]]
    measures: Mapping[str, Measure]
    local_measures: frozenset[str]
    phone: str | None
    address: tuple[str, ...]
    generic: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)
    real_people: frozenset[str] = frozenset()
    date: DateOrder | None = None
    legal_status: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def role_of(self, kind: str, en: str) -> str:
        """The role of an entry by its English form, "" if it has none."""
        return next((e.role for e in self.types.get(kind, ()) if e.en.casefold() == en.casefold()), "")

    def entries(self) -> list[Entry]:
        return [entry for entries in self.types.values() for entry in entries]


def round_amount(value: float) -> int:
    """Rounds to a whole number below 20, to fives below 100, else to two significant digits: amounts as people say them."""
    if value < 20:
        return max(1, round(value))
    step: int = 10 ** (int(math.log10(value)) - 1)
    if step == 1:
        step = 5
    return round(value / step) * step


def _check_keys(where: str, raw: Any, known: str) -> None:
    """Raises ValueError if `raw` is no mapping, or has keys that nobody reads."""
    if not isinstance(raw, dict):
        raise ValueError(f"{where}: {raw!r} must be a mapping with {known}")
    unknown = sorted(map(str, set(raw) - set(known.split())))
    if unknown:
        raise ValueError(f"{where}: unknown {', '.join(unknown)}; known are {known}")


def _check_text(where: str, value: Any, ends: bool = False) -> str:
    if not isinstance(value, str) or not value.strip() or (value != value.strip() and not ends):
        raise ValueError(
            f"{where}: {value!r} must be text without white space around it; quote a number or a yes and no"
        )
    return value


def _check_texts(where: str, values: Any) -> tuple[str, ...]:
    if not isinstance(values, (list, tuple)):
        raise ValueError(f"{where}: {values!r} must be a list")
    return tuple(_check_text(where, value) for value in values)


_ENTRY_KEYS = "en native forms source role tags plural within note"


def _entry(kind: str, raw: Any, source: str) -> Entry:
    if isinstance(raw, str):
        raw = {"en": raw}
    _check_keys(f"{kind}: entry {raw!r}", raw, _ENTRY_KEYS)
    if "en" not in raw:
        raise ValueError(f"{kind}: entry {raw!r} needs `en`, and may have {_ENTRY_KEYS}")
    where = f"{kind}: {raw['en']!r}"
    en = _check_text(f"{where}: en", raw["en"])
    forms = raw.get("forms", {})
    if not isinstance(forms, dict):
        raise ValueError(f"{where}: forms {forms!r} must be a mapping from the form's name to the form")
    plural = raw.get("plural", False)
    if not isinstance(plural, bool):
        raise ValueError(f"{where}: plural {plural!r} must be true or false")
    role = raw.get("role", "")
    if kind in ROLES and role not in ROLES[kind]:
        raise ValueError(
            f"{where}: role {role!r} is none of {kind}; it must be one of {', '.join(sorted(ROLES[kind]))}"
        )
    return Entry(
        kind,
        en,
        _check_text(f"{where}: native", raw.get("native", en)),
        _check_text(f"{where}: source", raw.get("source", source)),
        _check_text(f"{where}: role", role) if role else "",
        # A form may end in a space: where words are not spaced, a name in another script is.
        {name: _check_text(f"{where}: forms.{name}", form, ends=True) for name, form in forms.items()},
        _check_texts(f"{where}: tags", raw.get("tags", ())),
        plural,
        raw.get("within", ""),
        raw.get("note", ""),
    )


# What an entry of a type lies in or belongs to, as `within` names it.
WITHIN = {"city": "region", "club": "sport", "university": "city", "landmark": "city", "street": "city"}


def _types(raw: Any) -> dict[str, tuple[Entry, ...]]:
    types: dict[str, tuple[Entry, ...]] = {}
    for kind, group in raw.items():
        if kind not in TYPES and kind != "generic":
            raise ValueError(f"types: {kind!r} is no type; known are generic, {', '.join(sorted(TYPES))}")
        _check_keys(f"types.{kind}", group, "source note entries")
        types[kind] = tuple(_entry(kind, item, group["source"]) for item in group["entries"])
    for kind, whole in WITHIN.items():
        known = {e.en.casefold(): e.en for e in types.get(whole, ())}
        for entry in types.get(kind, ()):
            spelt = known.get(entry.within.casefold(), entry.within)
            if spelt != entry.within:
                raise ValueError(f"{kind}: {entry.en!r} is within {entry.within!r}, which {whole} spells {spelt!r}")
    return types


def _measures(raw: Any) -> dict[str, Measure]:
    found: dict[str, Measure] = {}
    for kind, m in raw.items():
        if kind not in _MEASURES:
            raise ValueError(f"measures: {kind!r} is no measure; known are {', '.join(sorted(_MEASURES))}")
        if m == "local":
            continue
        _check_keys(f"measures.{kind}", m, "currency unit source per_usd en native group joined")
        for side in ("en", "native"):
            if _check_text(f"measures.{kind}.{side}", m[side]).count("{n}") != 1:
                raise ValueError(f"measures.{kind}.{side}: {m[side]!r} must hold {{n}} once, where the number stands")
        per_usd = float(m.get("per_usd", 0))
        found[kind] = Measure(
            kind, m["en"], m["native"], m["source"], per_usd, m.get("group", ","), m.get("joined", "")
        )
    return found


_MEASURES = words("money distance weight temperature length small_length volume small_weight area speed")  # fmt: skip


def _date(raw: Any) -> DateOrder | None:
    if raw is None:
        return None
    _check_keys("date", raw, "order sep")
    if sorted(raw["order"]) != ["D", "M", "Y"] or raw["sep"] not in ("/", ".", "-"):
        raise ValueError(f"date: {raw!r} needs order (DMY, MDY or YMD) and sep (/, . or -)")
    return DateOrder(raw["order"], raw["sep"])


def _legal_status(raw: Any) -> dict[str, str]:
    for topic, status in raw.items():
        if topic not in LEGAL_STATUS:
            raise ValueError(f"legal_status: {topic!r} is no topic; known are {', '.join(LEGAL_STATUS)}")
        if status not in LEGAL_STATUS[topic]:
            allowed = ", ".join(f'"{s}"' for s in LEGAL_STATUS[topic])
            raise ValueError(
                f"legal_status.{topic}: {status!r} must be one of {allowed}; leave the topic out when unsure"
            )
    return dict(raw)


_PACK_KEYS = "locale language types measures phone address real_people date legal_status notes"


@functools.cache
def load_pack(locale: str) -> CulturePack:
    """Loads the pack of a BCP-47 locale.

    Raises:
        ValueError: there is no such pack, or something in it is malformed; says which file, what and what to do.
    """
    path = f"culture/{locale}.yaml"
    try:
        raw = yaml.load(resource(path).read_text("utf-8"), Loader=yaml.CSafeLoader)
    except FileNotFoundError:
        raise ValueError(f"no culture pack for {locale!r}: add data/{path} (docs/culture.md shows how)") from None
    try:
        return pack_of(raw)
    except KeyError as error:
        raise ValueError(f"data/{path}: {error} is missing") from error
    except (AttributeError, TypeError, ValueError) as error:
        raise ValueError(f"data/{path}: {error}") from error


def pack_of(raw: Any) -> CulturePack:
    """The pack of a file's content; `load_pack` says which file is wrong."""
    _check_keys("the pack", raw, _PACK_KEYS)
    types = _types(raw["types"])
    measures = _measures(raw["measures"])
    generic: dict[str, tuple[Entry, ...]] = {}
    # No type of their own: "a supermarket" is in nobody's lexicon.
    for entry in types.pop("generic", ()):
        generic[entry.role] = (*generic.get(entry.role, ()), entry)
    phone, address = raw.get("phone") or {}, raw.get("address") or {}
    _check_keys("phone", phone, "source example note")
    _check_keys("address", address, "source forms note")
    return CulturePack(
        raw["locale"],
        raw["language"],
        types,
        measures,
        frozenset(raw["measures"]) - frozenset(measures),
        phone.get("example"),
        _check_texts("address.forms", address.get("forms", ())),
        generic,
        frozenset(_check_texts("real_people", raw.get("real_people") or ())),
        _date(raw.get("date")),
        _legal_status(raw.get("legal_status") or {}),
        _check_texts("notes", raw.get("notes") or ()),
    )


def load_known(values: Mapping[str, Mapping[str, Sequence[str]]], locale: str) -> CulturePack:
    """The pack of a locale with only those values that a translator is known to say.

    Args:
        values: locale -> type -> English names; of a locale that is not there, all are.
    """
    pack = load_pack(locale)
    if locale not in values:
        return pack
    known = {kind: frozenset(names) for kind, names in values[locale].items()}
    return replace(
        pack,
        types={kind: tuple(e for e in listed if e.en in known.get(kind, ())) for kind, listed in pack.types.items()},
        generic={},
    )
