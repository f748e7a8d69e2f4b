from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.taxonomy import load_taxonomy

AEGIS = load_taxonomy("aegis2")


def test_aegis_has_its_21_categories_under_namespaced_slugs() -> None:
    slugs = set(AEGIS.categories.values())
    assert len(slugs) == 21
    assert all(re.fullmatch(r"[a-z_]+", slug) for slug in slugs)
    assert not set(AEGIS.categories) & (AEGIS.neutral | AEGIS.controversial)


@pytest.mark.parametrize(("labels", "raw", "expected"), [
    (("safe", None), None, ("safe", None, (), [])),
    (("safe", "safe"), "", ("safe", "safe", (), [])),
    (("safe", ""), " ", ("safe", None, (), [])),
    (("safe", "safe"), "Safe", ("safe", "safe", (), [])),
    ((None, None), None, (None, None, (), [])),
    (("unsafe", "safe"), "Violence", ("unsafe", "safe", ("aegis2:violence",), [])),
    (("safe", "unsafe"), "Threat, Violence", ("safe", "unsafe", ("aegis2:threat", "aegis2:violence"), [])),
    (("unsafe", None), "Violence,Violence , ", ("unsafe", None, ("aegis2:violence",), [])),
    (("unsafe", None), "Needs Caution", ("unsafe", None, (), [])),
    (("unsafe", None), "Needs Caution, Threat", ("unsafe", None, ("aegis2:threat",), [])),
    (("safe", None), "Needs Caution", ("controversial", None, (), [])),
    (("safe", "safe"), "Needs Caution", ("controversial", "controversial", (), [])),
    ((" Unsafe ", "SAFE"), "Threat", ("unsafe", "safe", ("aegis2:threat",), [])),
    (("unsafe", None), "Controlled/Regulated Substances", ("unsafe", None, ("aegis2:controlled_substances",), [])),
    (("unsafe", None), "Controlled/Regulated substances", ("unsafe", None, ("aegis2:controlled_substances",), [])),
])  # fmt: skip
def test_sound_labels_and_categories_are_mapped(
    labels: tuple[str | None, str | None], raw: str | None, expected: tuple[object, ...]
) -> None:
    assert AEGIS.read(*labels, raw) == expected


@pytest.mark.parametrize(("labels", "raw", "reasons"), [
    (("bad", None), None, ["unknown_label"]),
    (("bad", "worse"), None, ["unknown_label"]),
    (("unsafe", None), "Arson", ["unknown_category"]),
    (("unsafe", None), "Violence, Arson", ["unknown_category"]),
    (("unsafe", None), None, ["label_without_category"]),
    (("unsafe", None), "Safe", ["label_without_category"]),
    (("safe", "safe"), "Violence", ["category_without_label"]),
    (("safe", None), "Violence, Needs Caution", ["category_without_label"]),
    (("bad", None), "Arson", ["unknown_label", "unknown_category"]),
])  # fmt: skip
def test_inconsistent_labels_and_categories_are_told(
    labels: tuple[str | None, str | None], raw: str | None, reasons: list[str]
) -> None:
    assert AEGIS.read(*labels, raw)[3] == reasons


@settings(max_examples=100, deadline=None)
@given(st.none() | st.text(max_size=8), st.none() | st.text(max_size=8), st.none() | st.lists(
    st.sampled_from([*AEGIS.categories, "Safe", "Needs Caution", "x", ""]), max_size=4
).map(",".join))  # fmt: skip
def test_any_labels_and_categories_are_read_and_the_order_of_categories_does_not_matter(
    prompt: str | None, response: str | None, raw: str | None
) -> None:
    found = AEGIS.read(prompt, response, raw)
    assert found[2] == tuple(sorted(set(found[2])))
    assert len(set(found[3])) == len(found[3])
    backwards = None if raw is None else ",".join(reversed(raw.split(",")))
    assert AEGIS.read(prompt, response, backwards) == found


def test_an_unknown_taxonomy_is_an_error_that_says_which_file_is_missing() -> None:
    with pytest.raises(ValueError, match=r"data/taxonomies/mine\.yaml"):
        load_taxonomy("mine")
