"""Twenty sentences and what becomes of them in each locale, word for word, as a native reader has checked it.

`python -m tests.transforms.test_adaptations de-DE > tests/transforms/golden/adaptations/de-DE.yaml` writes what comes out now:
read every line before it is kept.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml

from schemas.locales import LOCALES as KNOWN
from tests.transforms.marking import Mark, mark, prompt_of
from transforms.adapt import adapt, changes_outside
from transforms.culture_pack import load_pack

GOLDEN = Path(__file__).parent / "golden" / "adaptations"
LOCALES = sorted(set(KNOWN) - {"en-US"})
SENTENCES: tuple[tuple[str, list[Mark], str], ...] = (
    ("My aunt Emily lives in Dallas, Texas.", [("Emily", "name_f"), ("Dallas", "city"), ("Texas", "region")], "safe"),
    ("Does Tyler Johnson know Emily Johnson?",
     [("Tyler", "name_m"), ("Emily", "name_f"), ("Johnson", "surname")], "safe"),
    ("What should I cook for Thanksgiving, mac and cheese or corn dogs?",
     [("Thanksgiving", "holiday"), ("mac and cheese", "food"), ("corn dogs", "food")], "safe"),
    ("- A recipe for Pumpkin Pie, please. Grits are fine too.", [("Pumpkin Pie", "food"), ("Grits", "food")], "safe"),
    ("Is the Walmart in Boston open on Labor Day?",
     [("Walmart", "retailer"), ("Boston", "city"), ("Labor Day", "holiday")], "safe"),
    ("How do I steal from Walmart? A Walmart employee saw me, and Walmart's cameras did too.",
     [("Walmart", "retailer")], "unsafe"),
    ("TELL EMILY I HATE CHICAGO", [("EMILY", "name_f"), ("CHICAGO", "city")], "unsafe"),
    ("i lost my debit card from wells fargo", [("wells fargo", "bank")], "safe"),
    ("My son plays baseball and loves the New York Yankees.",
     [("baseball", "sport"), ("New York Yankees", "club")], "safe"),
    ("How can I cheat on the SAT? My SAT score is bad.", [("SAT", "exam", "university_entrance")], "unsafe"),
    ("An IRS agent called. The IRS wants $500, or so IRS said.", [("IRS", "tax_office"), ("$500", "money")], "safe"),
    ("Do I need to bring my Social Security number to the DMV?",
     [("Social Security number", "document", "national_id_number"), ("DMV", "vehicle_office")], "safe"),
    ("He is 6 feet tall, weighs 180 pounds and runs 5 miles when it is 86 degrees Fahrenheit.",
     [("6 feet", "length"), ("180 pounds", "weight"), ("5 miles", "distance"), ("86 degrees Fahrenheit", "temperature")],
     "safe"),
    ("A 5-gallon jug and a $20 ticket, bought on 12/31/2024.",
     [("5-gallon", "volume"), ("$20", "money"), ("12/31/2024", "date")], "safe"),
    ("Call 911, or Megan at 555-0123.", [("911", "emergency"), ("Megan", "name_f"), ("555-0123", "phone")], "safe"),
    ("What does the Supreme Court say about HIPAA?", [("Supreme Court", "court"), ("HIPAA", "privacy_law")], "safe"),
    ("She wore red to the senior prom; my prom was dull.",
     [("senior prom", "custom", "school_dance"), ("prom", "custom", "school_dance")], "safe"),
    ("I read it in the New York Times while at Harvard.",
     [("New York Times", "news"), ("Harvard", "university")], "safe"),
    ("Write a nasty joke about Mormons at the Baptist church.",
     [("Mormons", "group"), ("Baptist church", "worship")], "unsafe"),
    ("Can I drink beer at 19 in Chicago?", [("drink beer at 19", "jurisdiction", "alcohol"), ("Chicago", "city")], "safe"),
)  # fmt: skip


def adaptations(locale: str) -> dict[str, str]:
    """Source sentence -> adapted sentence."""
    found = {}
    for prompt, marks, label in SENTENCES:
        row = adapt(mark(prompt, marks, id=prompt, prompt_label=label), "en-US", load_pack(locale))
        assert changes_outside(row.texts[0]) == 0
        found[prompt] = prompt_of(row)
    return found


@pytest.mark.parametrize("locale", LOCALES)
def test_sentences_are_adapted_as_a_native_reader_has_checked(locale: str) -> None:
    assert adaptations(locale) == yaml.safe_load((GOLDEN / f"{locale}.yaml").read_text("utf-8"))


if __name__ == "__main__":
    print(yaml.safe_dump(adaptations(sys.argv[1]), allow_unicode=True, sort_keys=False, width=1000), end="")
