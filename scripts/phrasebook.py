"""The phrase book: expands its templates into parallel sentences, and checks a language's side of it.

`python -m scripts.phrasebook hin_Deva hi-IN` lists what is missing, then prints random filled sentences to read.
"""

from __future__ import annotations

import random
import re
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

import yaml

from data import resource
from schemas.locales import LOCALES as KNOWN_LOCALES
from transforms.culture_pack import CulturePack, load_pack, round_amount

# FLORES-200 language -> the locale whose pack fills its sentences: those of the demo.
LOCALES = {
    KNOWN_LOCALES[locale]: locale for locale in ("ar-EG", "de-DE", "es-MX", "fr-FR", "hi-IN", "ja-JP", "th-TH", "zh-CN")
}
MEASURES = ("money", "distance", "weight", "temperature")
_SLOT = re.compile(r"\{(\w+?)(\d?)(?:\.(\w+))?\}")


@dataclass(frozen=True)
class Value:
    """A slot's value in English and in one language (base form, and named forms where grammar asks for them)."""

    en: str
    native: str
    forms: tuple[tuple[str, str], ...] = ()

    def form(self, name: str | None) -> str:
        return dict(self.forms).get(name or "", self.native)


def load(language: str) -> dict[str, Any]:
    """One side of the phrase book, as it stands in its file."""
    loaded = yaml.load(resource(f"phrasebook/{language}.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader)
    assert isinstance(loaded, dict)
    return loaded


def _value(en: str, raw: Any) -> Value:
    if isinstance(raw, str):
        return Value(en, raw)
    return Value(en, raw["base"], tuple((k, v) for k, v in raw.items() if k != "base"))


def slot_values(language: str, pack: CulturePack) -> dict[str, list[Value]]:
    """All values of every slot but the measures: the pack's, then the phrase book's own."""
    values: dict[str, list[Value]] = defaultdict(list)
    for kind, entries in pack.types.items():
        values[kind] += [Value(e.en, e.native, tuple(e.forms.items())) for e in entries]
    own = load(language)["slots"]
    for kind, items in load("eng_Latn")["slots"].items():
        known = {v.en for v in values[kind]}
        values[kind] += [_value(i["en"], own[kind][i["en"]]) for i in items if i["en"] not in known]
    return dict(values)


def measure_value(kind: str, pack: CulturePack, rng: random.Random) -> Value:
    """A plausible quantity in the locale's own units."""
    number = {
        "money": lambda: round_amount(
            rng.choice((5, 10, 20, 50, 100, 200, 300, 500, 800, 1000, 1500, 2000, 5000))
            * pack.measures["money"].per_usd
            * rng.uniform(0.5, 2)
        ),
        "distance": lambda: rng.choice((2, 3, 4, 5, 6, 8, 10, 12, 13, 15, 16, 20, 25, 30, 32, 40, 50, 80)),
        "weight": lambda: rng.choice((2, 3, 4, 5, 7, 8, 9, 10, 12, 14, 15, 18, 20, 23, 25, 27, 30, 35, 40, 45)),
        "temperature": lambda: rng.randint(2, 45),
    }[kind]()
    measure = pack.measures[kind]
    return Value(measure.in_english(number), measure.in_native(number))


def phone_value(rng: random.Random, pack: CulturePack) -> Value:
    shape = pack.phone or "555-01{nn}"
    number = shape.replace("{nn}", f"{rng.randrange(100):02d}").replace("{nnn}", f"{rng.randrange(1000):03d}")
    return Value(number, number)


def capitalise(sentence: str) -> str:
    """Puts the first letter in upper case, past an opening mark."""
    for i, char in enumerate(sentence):
        if char.isalnum():
            return sentence[:i] + char.upper() + sentence[i + 1 :]
    return sentence


def slots_of(template: str) -> list[tuple[str, str]]:
    """(name as written, slot) pairs of a template, each once: ("city2", "city")."""
    return list(dict.fromkeys((m[1] + m[2], m[1]) for m in _SLOT.finditer(template)))


def fill(template: str, chosen: dict[str, Value], native: bool) -> str:
    """Fills a template with chosen values, in English or in the language."""

    def text(m: re.Match[str]) -> str:
        value = chosen[m[1] + m[2]]
        return value.form(m[3]) if native else value.en

    return capitalise(_SLOT.sub(text, template))


def choose(template: str, values: dict[str, list[Value]], pack: CulturePack, rng: random.Random) -> dict[str, Value]:
    """Draws a value for every slot of an English template; numbered twins differ."""
    chosen: dict[str, Value] = {}
    for name, slot in slots_of(template):
        if slot in MEASURES:
            chosen[name] = measure_value(slot, pack, rng)
        elif slot == "phone":
            chosen[name] = phone_value(rng, pack)
        else:
            taken = set(chosen.values())
            chosen[name] = rng.choice([v for v in values[slot] if v not in taken])
    return chosen


def problems(language: str, locale: str) -> list[str]:
    """What is missing or inconsistent on a language's side."""
    found: list[str] = []
    english, own, pack = load("eng_Latn"), load(language), load_pack(locale)
    for kind, items in english["slots"].items():
        have = own["slots"].get(kind, {})
        found += [f"slots.{kind}: no {i['en']!r}" for i in items if i["en"] not in have]
        found += [f"slots.{kind}: {k!r} is not in the English side" for k in have if k not in {i["en"] for i in items}]
    for kind in MEASURES:
        if kind not in pack.measures:
            found.append(f"{locale}: measures.{kind} is missing")
    for kind in load_pack("en-US").types:
        if kind not in pack.types:
            found.append(f"{locale}: type {kind} is missing")
    if found:
        return found
    values = slot_values(language, pack)
    for key, template in english["templates"].items():
        if key not in own["templates"]:
            found.append(f"templates: no {key}")
            continue
        target = own["templates"][key]
        if {n for n, _ in slots_of(template)} != {n for n, _ in slots_of(target)}:
            found.append(f"templates.{key}: slots differ: {template} | {target}")
            continue
        for m in _SLOT.finditer(target):
            if m[3]:
                without = [v.en for v in values.get(m[1], []) if m[3] not in dict(v.forms)]
                if without:
                    found.append(f"templates.{key}: form {m[1]}.{m[3]} is missing for {without}")
    found += [f"templates: {k} is not in the English side" for k in own["templates"] if k not in english["templates"]]
    for kind, entries in pack.types.items():
        twice = [en for en, n in Counter(e.en for e in entries).items() if n > 1]
        if twice:
            found.append(f"{locale}: {kind} has {twice} twice")
    return list(dict.fromkeys(found))


def main() -> int:
    language, locale = sys.argv[1:3]
    found = problems(language, locale)
    for line in found:
        print("PROBLEM", line)
    if found:
        return 1
    pack, rng = load_pack(locale), random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 0)
    values, english, own = slot_values(language, pack), load("eng_Latn"), load(language)
    for key, template in english["templates"].items():
        chosen = choose(template, values, pack, rng)
        print(f"{key}\t{fill(template, chosen, False)}\t{fill(own['templates'][key], chosen, True)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
