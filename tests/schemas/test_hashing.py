from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.hashing import digest, number

parts = st.lists(st.text(st.characters(codec="utf-8"), max_size=5), max_size=4)


@settings(max_examples=100, deadline=None)
@given(parts, parts)
def test_digests_are_equal_exactly_for_equal_parts(a: list[str], b: list[str]) -> None:
    assert (digest(*a) == digest(*b)) == (a == b)
    assert (number(*a) == number(*b)) == (a == b)


def test_digests_never_change_between_runs_and_machines() -> None:
    assert digest("ab", "c") == "601d5476e2ccfe2c87a2bba7a3226597"
    assert number("x") == 184381458756497340
