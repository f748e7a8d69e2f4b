"""What a model's licence is, as its name or its card says, and what it says of commercial use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

UNKNOWN = "unknown"
# The hub's identifiers: https://huggingface.co/docs/hub/repositories-licenses (most are SPDX's, in small letters).
PERMITTING = frozenset({
    "afl-3.0", "agpl-3.0", "apache-2.0", "artistic-2.0", "bigscience-bloom-rail-1.0", "bigscience-openrail-m", "bsd",
    "bsd-2-clause", "bsd-3-clause", "bsl-1.0", "cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0",
    "cc-by-sa-4.0", "cc0-1.0", "cdla-permissive-1.0", "cdla-permissive-2.0", "cdla-sharing-1.0",
    "creativeml-openrail-m", "ecl-2.0", "epl-1.0", "epl-2.0", "gfdl", "gpl-2.0", "gpl-3.0", "isc", "lgpl-2.1",
    "lgpl-3.0", "mit", "mpl-2.0", "ms-pl", "ncsa", "odbl", "odc-by", "ofl-1.1", "openrail", "openrail++", "osl-3.0",
    "pddl", "postgresql", "unlicense", "wtfpl", "zlib",
})  # fmt: skip
# Also identifiers of the hub's, for the card of a dataset.
_OTHERS = frozenset({"cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0",
                     "cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0", "cc-by-nd-4.0", UNKNOWN})  # fmt: skip
# Checkpoints whose licence is known better than by whoever put a converted copy on the hub.
_BY_NAME = {r"nllb[-_ ]?(200|moe)": "CC-BY-NC-4.0"}
_NON_COMMERCIAL = re.compile(
    r"(?<![a-z])(by)?nc(?![a-z])|non[-_ ]?commercial|(?<![a-z])(research|academic)(?![a-z])", re.IGNORECASE
)


def forbids_commerce(licence: str) -> bool:
    """Whether a licence's name says that what is made with it may not be used commercially: for notes to people."""
    return bool(_NON_COMMERCIAL.search(licence))


def permits_commerce(licence: str) -> bool:
    """Whether every licence of a list (A, B; A and B) is known to permit commercial use."""
    return all(identifier(part) in PERMITTING for part in re.split(r",| and | or ", licence.lower()))


def identifier(licence: str) -> str:
    """A licence's name as the hub writes it: Apache 2.0, MIT License, GPL-3.0-or-later -> apache-2.0, mit, gpl-3.0."""
    words = re.sub(r"[\s_-]+", "-", licence.strip().lower())
    return re.sub(r"^the-|-licen[cs]e(?=-|$)|-(only|or-later)$", "", words)


def hub_identifier(licence: str) -> str:
    """The hub's identifier of a licence; "" if it has none."""
    found = identifier(licence)
    return found if found in PERMITTING | _OTHERS else ""


def stated_licence(facts: Mapping[str, Any]) -> str:
    """The licence that a card's front matter states: `license`, or `license_name` where that is `other`; else ""."""
    given = facts.get("license")
    if given == "other":
        given = facts.get("license_name")
    names = given if isinstance(given, list) else [given] if given else []
    return " ".join(", ".join(map(str, names)).split())


def card_licence(folder: Path) -> str:
    """The licence that the README.md of a model's folder states; "" if there is none."""
    card = folder / "README.md"
    text = card.read_text("utf-8-sig", "replace") if card.is_file() else ""
    head = re.match(r"---\s*\n(.*?)^---\s*$", text, re.DOTALL | re.MULTILINE)
    try:
        facts = yaml.safe_load(head[1]) if head else None
    except yaml.YAMLError:
        facts = None
    return stated_licence(facts) if isinstance(facts, dict) else ""


def licence_of(names: Iterable[str], cards: Iterable[Path], recorded: str = "") -> tuple[str, str]:
    """A model's licence and who says so: name | card | hub | "" (nobody).

    Args:
        names: whatever it is called. One that gives a licence away has the first word.
        cards: folders with a README.md.
        recorded: what the hub says.
    """
    by_name = (licence for name in names for part, licence in _BY_NAME.items() if re.search(part, name, re.IGNORECASE))
    said = [(by_name, "name"), (map(card_licence, cards), "card"), ([recorded], "hub")]
    found = ((licence, origin) for licences, origin in said for licence in licences if licence)
    return next(found, (UNKNOWN, ""))
