"""What a model's licence is, as its card states it, and whether it forbids commercial use."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

UNKNOWN = "unknown"
# What hub names say of themselves when no card is at hand.
_BY_NAME = {"nllb-200": "CC-BY-NC-4.0"}
_NON_COMMERCIAL = re.compile(r"(?i)(?<![a-z])nc(?![a-z])|non[- ]?commercial|(?<![a-z])(research|academic)(?![a-z])")


def forbids_commerce(licence: str) -> bool:
    """Whether a licence's name says that what is made with it may not be used commercially."""
    return bool(_NON_COMMERCIAL.search(licence))


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


def known_licence(name: str) -> str:
    """The licence that a model's name gives away; "" for most."""
    return next((licence for part, licence in _BY_NAME.items() if part in name), "")
