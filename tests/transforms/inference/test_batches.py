from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.inference.batches import Request, cut_batches, request, rough_tokens

quick = settings(max_examples=100, deadline=None)
requests = st.lists(st.builds(
    lambda size, content: request("translate", "hin_Deva", size, content), st.integers(1, 300), st.text(max_size=4)
), max_size=40, unique_by=lambda r: r.key)  # fmt: skip


@quick
@given(items=requests, most=st.integers(1, 1000), seed=st.integers(0, 2**32))
def test_batches_do_not_depend_on_the_order_of_requests(items: list[Request], most: int, seed: int) -> None:
    shuffled = items + items[::2]
    random.Random(seed).shuffle(shuffled)
    assert list(cut_batches("b", shuffled, most)) == list(cut_batches("b", items, most))


@quick
@given(items=requests, most=st.integers(1, 1000))
def test_every_request_is_in_exactly_one_batch(items: list[Request], most: int) -> None:
    batches = list(cut_batches("b", items, most))
    found = [r for batch in batches for r in batch.requests]
    assert len(found) == len(items)
    assert set(found) == set(items)
    assert all(batch.requests and batch.bucket == "b" for batch in batches)


@quick
@given(items=requests, most=st.integers(1, 1000))
def test_a_batch_stays_within_its_padded_size_unless_one_request_is_larger(items: list[Request], most: int) -> None:
    batches = list(cut_batches("b", items, most))
    for batch in batches:
        longest = max(r.size for r in batch.requests)
        assert longest * len(batch.requests) <= most or len(batch.requests) == 1
    for left, right in itertools.pairwise(batches):
        assert right.requests[0].size * (len(left.requests) + 1) > most


def test_nothing_makes_no_batch() -> None:
    assert list(cut_batches("b", [], 10)) == []


def test_a_request_is_what_it_asks() -> None:
    one = request("translate", "hin_Deva", 5, "a", "bc")
    assert one == request("translate", "hin_Deva", 5, "a", "bc")
    others = [request("translate", "hin_Deva", 5, "ab", "c"), request("translate", "deu_Latn", 5, "a", "bc"),
              request("similarity", "hin_Deva", 5, "a", "bc"), request("translate", "hin_Deva", 5, "a", "bc",
              "")]  # fmt: skip
    assert len({one.key, *(r.key for r in others)}) == 5


@pytest.mark.parametrize(("size", "band"), [(1, 0), (12, 0), (13, 1), (24, 1), (49, 3), (192, 4), (193, 5), (10**6, 5)])
def test_a_bucket_is_language_length_band_and_part(size: int, band: int) -> None:
    language, found, part = request("translate", "hin_Deva", size, "x").bucket.split("-")
    assert (language, int(found)) == ("hin_Deva", band)
    assert 0 <= int(part) < 4


def test_a_bucket_is_a_plain_folder_name() -> None:
    assert set(request("translate", "hin_Deva", 5, "../x").bucket) <= set("hin_Deva-0123456789")


@quick
@given(text=st.text(max_size=100), more=st.text(max_size=20))
def test_more_text_is_never_fewer_tokens(text: str, more: str) -> None:
    assert 2 <= rough_tokens(text) <= rough_tokens(text + more)


def test_unspaced_scripts_count_by_character() -> None:
    assert rough_tokens("今日は良い天気") == 9
    assert rough_tokens("It is fine today") == 6
