"""Label taxonomies: raw category names to namespaced slugs, and the rules that labels and categories must keep."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from data import resource


@dataclass(frozen=True)
class Taxonomy:
    """One taxonomy, loaded from data/taxonomies/<name>.yaml."""

    name: str
    labels: Mapping[str, str]
    neutral: frozenset[str]
    controversial: frozenset[str]
    categories: Mapping[str, str]

    def read(
        self, prompt_label: str | None, response_label: str | None, raw: str | None
    ) -> tuple[str | None, str | None, tuple[str, ...], list[str]]:
        """Maps labels and a comma-separated category list.

        Returns:
            prompt label, response label, sorted slugs, and reject reasons (empty when all is consistent): a label or
            category that the taxonomy does not have, an unsafe label without a category, categories on a safe row.
        """
        reasons = []
        labels: list[str | None] = []
        for label in (prompt_label, response_label):
            given = (label or "").strip().casefold()  # CSV writes null as an empty cell
            known = self.labels.get(given)
            if given and known is None:
                reasons.append("unknown_label")
            labels.append(known)
        names = [n.strip() for n in (raw or "").split(",") if n.strip()]
        slugs = {f"{self.name}:{self.categories[n]}" for n in names if n in self.categories}
        if any(n not in self.categories and n not in self.neutral | self.controversial for n in names):
            reasons.append("unknown_category")
        elif "unsafe" in labels:
            if not slugs and not self.controversial.intersection(names):
                reasons.append("label_without_category")
        elif slugs:
            reasons.append("category_without_label")
        elif self.controversial.intersection(names):
            labels = [label and "controversial" for label in labels]
        return labels[0], labels[1], tuple(sorted(slugs)), list(dict.fromkeys(reasons))


@functools.cache
def load_taxonomy(name: str) -> Taxonomy:
    """Loads a taxonomy by name.

    Raises:
        ValueError: no such taxonomy ships with the project.
    """
    try:
        raw = yaml.safe_load(resource(f"taxonomies/{name}.yaml").read_text("utf-8"))
    except FileNotFoundError:
        raise ValueError(f"unknown taxonomy {name!r}: there is no data/taxonomies/{name}.yaml") from None
    categories = dict(raw["categories"])
    categories.update({alias: categories[full] for alias, full in raw.get("aliases", {}).items()})
    return Taxonomy(raw["name"], raw["labels"], frozenset(raw["neutral"]), frozenset(raw["controversial"]), categories)
