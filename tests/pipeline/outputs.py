"""Makes small output folders, hostile texts included, for the tests of report and card."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.hashing import digest
from schemas.locales import LOCALES
from schemas.parquet import SCHEMA
from schemas.scores import SCORES

HOSTILE = (
    "</div><script>alert('1')</script><img src=x onerror=alert(1)> \"quoted\" | a **b** [c](javascript:d) `e` "
    "{{ 7*7 }} "
    "\u202eright to left\u202c zero\u200bwidth \U000e0041\U000e0042\U000e0043\U000e0044\U000e0045 bell\x07 nul\x00"
)
TEXTS = {
    "hi-IN": "राहुल पुणे में रहता है। क्\u200dया आप मदद करेंगे?",
    "ar-EG": "يعيش محمد في القاهرة. هل يمكنك المساعدة؟",
    "th-TH": "สมชายอาศัยอยู่ในเชียงใหม่",
}
CITIES = {"hi-IN": ("Pune", "पुणे"), "ar-EG": ("Cairo", "القاهرة"), "th-TH": ("Chiang Mai", "เชียงใหม่")}


def make_row(number: int, locale: str, reasons: tuple[str, ...] = (), **given: Any) -> dict[str, Any]:
    """A row of all columns: every second one is adapted, every third unsafe, every fifth hostile."""
    home = locale == "en-US"
    hostile = number % 5 == 0
    adapted = number % 2 == 0 and not home
    source = f"{HOSTILE} {number}" if hostile else f"How do I move to Boston? Number {number}."
    city, native = CITIES.get(locale, ("Boston", "Boston"))
    edits = []
    changed = None
    if adapted:
        changed = source.replace("Boston", city) if not hostile else f"{city}: {source}"
        start = changed.index(city)
        edits = [{"text": "prompt", "start": start, "end": start + len(city), "kind": "city", "action": "swap",
                  "before": "Boston", "after": city, "native": native, "source": "authored"}]  # fmt: skip
    target = source if home else f"{TEXTS[locale]} {HOSTILE if hostile else number}"
    bad = bool(reasons)
    scores: dict[str, float | None] = {score.name: 0.0 for score in SCORES}
    scores |= {"similarity": 0.3 + number % 7 / 100 if bad else 0.85 + number % 10 / 100, "lid_fasttext": 0.99,
               "length_ratio": 9.0 if bad else 0.9 + number % 5 / 10, "decoder": -0.3, "edits_kept": None}  # fmt: skip
    row = dict.fromkeys(SCHEMA.names) | {
        "id": digest("row", str(number), locale), "source_id": str(number), "group_id": digest("group", str(number)),
        "n_locales": 3, "dataset": "tiny", "split": "train" if number % 4 else "test", "usage": "train",
        "source_language": "eng_Latn", "language": LOCALES[locale], "locale": locale, "prompt": target,
        "messages": [{"role": "user", "content": target}], "prompt_label": "safe" if number % 3 else "unsafe",
        "response_label": None, "label_status": "given" if home else "inherited",
        "categories": [] if number % 3 else ["aegis2:violence"], "methods": [],
        "tag": "adapted" if adapted else "generic",
        "origin": "native" if home else "machine_translated", "source_prompt": source, "adapted_prompt": changed,
        "culture_score": 0.5, "edits": edits, "evidence": [], "scores_prompt": None if home else scores,
        "flags": ["kept_source_culture"] if number % 6 == 0 else [], "not_judged": [], "reasons": list(reasons),
        "text_fingerprint": digest(target), "licence": "CC-BY-4.0", "metadata": "{}",
    }  # fmt: skip
    return row | given


def write_rows(out: Path, folder: str, rows: list[dict[str, Any]]) -> None:
    """Writes rows to one file a locale and split, as the pipeline does."""
    shards: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        shards.setdefault((row["locale"], row["split"]), []).append(row)
    for (locale, split), members in shards.items():
        path = out / folder / locale / f"{split}-00000-of-00001.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        ordered = sorted(members, key=lambda row: str(row["id"]))
        pq.write_table(pa.Table.from_pylist(ordered, schema=SCHEMA), path, row_group_size=16)


def make_output(out: Path, many: int = 40, locales: tuple[str, ...] = ("ar-EG", "hi-IN")) -> dict[str, Any]:
    """Writes a whole output folder; returns the facts of its run.

    Of `many` rows that pass the gate every eighth is rejected in every locale, and the last is dead in the first
    locale. Two more are rejected by the gate, one is dead there.
    """
    accepted: list[dict[str, Any]] = []
    rejected: list[dict[str, Any]] = []
    for locale in locales:
        for number in range(many):
            if locale == locales[0] and number == many - 1:
                continue
            bad = number % 8 == 3
            reasons = ("meaning_differs", "too_long") if bad else ()
            (rejected if bad else accepted).append(make_row(number, locale, reasons))
    accepted += [make_row(number, "en-US") for number in range(many)]
    first = digest("row", "0", "en-US")
    refused = [make_row(many, "en-US", ("redacted",)), make_row(many + 1, "en-US", (f"duplicate_of:{first}",))]
    write_rows(out, "data", accepted)
    write_rows(out, "rejected", rejected + refused)
    letters = [
        {"stage": "gate", "location": "in.jsonl:7", "error": "MissingField", "message": "no field <b>", "units": 1},
        {"stage": "score", "location": f"row {digest('x')} {locales[0]}", "error": "ValueError",
         "message": "line\u2028separator", "units": 1},
    ]  # fmt: skip
    (out / "dead_letters").mkdir(parents=True)
    (out / "dead_letters" / "all.jsonl").write_text(
        "".join(json.dumps(letter, ensure_ascii=False) + "\n" for letter in letters), "utf-8"
    )
    expected = many * len(locales)
    return {
        "ledger": {
            "gate": {"read": many + 3, "passed": many, "rejected": 2, "dead": 1, "left_out": 0, "balanced": True},
            "locales": {"expected": expected, "accepted": expected - len(rejected) - 1, "rejected": len(rejected),
                        "dead": 1, "native": many, "balanced": True},
        },
        "config": {"dataset": "tiny <b>", "source_locale": "en-US", "locales": list(locales), "limit": None,
                   "translate": {"model": "demo", "beam_size": 4}, "filter": {"test": "drop"}},
        "models": [
            {"role": "translate", "name": "demo", "licence": "Apache-2.0", "fingerprint": digest("translate")},
            {"role": "similarity", "name": "nano | e5", "licence": "MIT", "fingerprint": digest("similarity")},
        ],
        "fingerprints": {"config": digest("config")}, "versions": {"pyarrow": "25.0.1"}, "licence": "CC-BY-4.0",
        "thresholds": {
            locale: {"similarity": {"short": 0.7, "long": 0.8, "origin": "general"},
                     "length_excess": {"short": 2.0, "long": 2.0, "origin": "config"}}
            for locale in locales
        },
        "timings": {"gate_s": 1.5, "slices": 1, "peak_memory_mb": 512},
    }  # fmt: skip
