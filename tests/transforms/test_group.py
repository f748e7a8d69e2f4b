from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.rows import Row, Text
from tests.builders import make_row
from transforms.group import (
    bands,
    components,
    edges,
    name_rows,
    settle_duplicates,
    settle_splits,
    shingles,
    signature,
    source_key,
    text_key,
    user_side,
)

quick = settings(max_examples=60, deadline=None)
LONG = "Please explain to me in simple words how a heat pump warms a house in winter when it is cold outside"


def group(rows: Iterable[Row]) -> dict[str, Row]:
    """The whole stage without Beam: rows by origin line are named, settled, linked and kept within a split."""
    by_source: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_source[source_key(row)].append(row)
    by_text: dict[str, list[Row]] = defaultdict(list)
    for same in by_source.values():
        for row in name_rows(same):
            by_text[text_key(row)].append(row)
    settled = [row for same in by_text.values() for row in settle_duplicates(same)]
    by_band: dict[str, list[tuple[str, tuple[int, ...]]]] = defaultdict(list)
    for row in settled:
        if row.verdict is None:
            signed = signature(user_side(row))
            for band in bands(signed):
                by_band[band].append((row.id, signed))
    roots = components(edge for members in by_band.values() for edge in edges(members))
    by_group: dict[str, list[Row]] = defaultdict(list)
    done = [row for row in settled if row.verdict is not None]
    for row in settled:
        if row.verdict is None:
            root = roots.get(row.id, row.id)
            by_group[root].append(replace(row, group_id=root))
    done += [row for same in by_group.values() for row in settle_splits(same)]
    return {row.id: row for row in done}


def reasons(row: Row) -> tuple[str, ...]:
    return row.verdict.reasons if row.verdict else ()


def mixed() -> list[Row]:
    return [
        make_row("How can I bake bread?", source_id="a", line=1),
        make_row("How can I bake bread?", source_id="b", line=2),
        make_row("How can I bake bread?", source_id="b", line=3),
        make_row("Who are you?", source_id="c", line=4),
        make_row("Who are you?", source_id="d", line=5, prompt_label="unsafe", categories=("aegis2:threat",)),
        make_row(LONG + ".", source_id="e", line=6),
        make_row(LONG + ", please.", source_id="f", line=7, split="test"),
        make_row(LONG + "!", source_id="g", line=8, split="validation"),
        make_row("Tell me a joke.", "No.", source_id="h", line=9),
        make_row("Tell me a joke.", source_id="i", line=10),
        *(make_row(f"Without an id {i % 2}", line=20 + i) for i in range(4)),
    ]


# --- names ---


@quick
@given(seed=st.integers(0, 2**32))
def test_nothing_depends_on_the_order_of_the_input(seed: int) -> None:
    rows = mixed()
    random.Random(seed).shuffle(rows)
    assert group(rows) == group(mixed())


def test_every_row_comes_out_once() -> None:
    found = group(mixed())
    assert sorted(r.sample.origin.line for r in found.values()) == sorted(r.sample.origin.line for r in mixed())


def test_rows_with_one_source_id_get_different_ids() -> None:
    rows = [make_row(f"text {i}", source_id="same", line=i) for i in range(5)]
    assert len({r.id for r in name_rows(rows)}) == 5


def test_the_same_source_id_in_another_dataset_is_another_row() -> None:
    assert source_key(make_row(source_id="x")) != source_key(make_row(source_id="x", dataset="other"))


def test_no_id_depends_on_other_rows() -> None:
    alone = next(iter(name_rows([make_row("Who are you?", source_id="c")]))).id
    assert alone in group(mixed())


# --- duplicates ---


def test_of_equal_texts_the_smallest_id_stays_and_the_others_name_it() -> None:
    rows = [make_row(id=i) for i in ("c", "a", "b")]
    found = {r.id: reasons(r) for r in settle_duplicates(rows)}
    assert found == {"a": (), "b": ("duplicate_of:a",), "c": ("duplicate_of:a",)}


@pytest.mark.parametrize(("splits", "stays"), [
    (("train", "test"), 1), (("test", "train"), 0), (("train", "validation"), 1), (("validation", "test"), 1),
])  # fmt: skip
def test_of_equal_texts_the_one_that_is_held_out_stays(splits: tuple[str, str], stays: int) -> None:
    rows = [make_row(id=str(i), split=split) for i, split in enumerate(splits)]
    assert [r.id for r in settle_duplicates(rows) if not r.verdict] == [str(stays)]


def test_equal_texts_with_other_labels_are_all_rejected() -> None:
    rows = [make_row(id="a"), make_row(id="b"), make_row(id="c", prompt_label="unsafe")]
    assert {reasons(r) for r in settle_duplicates(rows)} == {("label_conflict",)}


def test_equal_texts_with_other_categories_are_a_conflict_too() -> None:
    rows = [make_row(id="a", prompt_label="unsafe", categories=(c,)) for c in ("aegis2:threat", "aegis2:violence")]
    assert {reasons(r) for r in settle_duplicates(rows)} == {("label_conflict",)}


def test_a_row_without_twins_is_untouched() -> None:
    assert list(settle_duplicates([make_row()])) == [make_row()]


@quick
@given(a=st.tuples(*[st.none() | st.text(max_size=5)] * 2), b=st.tuples(*[st.none() | st.text(max_size=5)] * 2))
def test_text_keys_are_equal_exactly_for_equal_texts(a: tuple[str | None, ...], b: tuple[str | None, ...]) -> None:
    assert (text_key(make_row(*a)) == text_key(make_row(*b))) == (a == b)


def test_no_response_and_an_empty_one_are_different_texts() -> None:
    assert len({text_key(make_row("x", r)) for r in (None, "", "None", "t")}) == 4


def make_chat(*turns: tuple[str, str | None], **changes: Any) -> Row:
    row = make_row(**changes)
    return replace(row, texts=tuple(Text(role, turn, source) for turn, (role, source) in enumerate(turns)))


ASKED = (("prompt", "Who are you?"), ("response", "A friend."))


def test_rows_that_differ_in_any_text_have_different_ids() -> None:
    rows = [
        make_chat(*ASKED),
        make_chat(("system", "Be kind."), *ASKED),
        make_chat(("system", ""), *ASKED),
        make_chat(("user", "Hello."), ("assistant", "Hi."), *ASKED),
        make_chat(("user", "Hello."), ("assistant", None), *ASKED),
        make_chat(("user", "Hello."), ("tool", None), *ASKED),
        make_chat(*ASKED, ("rationale", "It is harmless.")),
        make_chat(*ASKED, ("rationale", "It is polite.")),
    ]
    found = group(replace(row, id="") for row in rows)
    assert len(found) == len(rows)
    assert not any(row.verdict for row in found.values())


def test_another_earlier_turn_makes_no_duplicate_and_no_label_conflict() -> None:
    rows = [make_chat(("user", said), ("assistant", "Hi."), *ASKED) for said in ("Hello there.", "Good morning.")]
    rows[1] = replace(rows[1], sample=replace(rows[1].sample, prompt_label="unsafe"))
    assert not any(row.verdict for row in group(rows).values())


def test_a_rationale_of_its_own_does_not_hide_a_label_conflict() -> None:
    same = make_chat(*ASKED, ("rationale", "It is harmless."), source_id="a")
    other = make_chat(*ASKED, ("rationale", "It is not."), source_id="b", prompt_label="unsafe")
    assert {reasons(r) for r in group([same, other]).values()} == {("label_conflict",)}


def test_of_equal_conversations_one_stays_for_each_rationale() -> None:
    rows = [make_chat(*ASKED, ("rationale", why), id=id) for id, why in (("a", "x"), ("b", "y"), ("c", "x"))]
    found = {r.id: reasons(r) for r in settle_duplicates(rows)}
    assert found == {"a": (), "b": (), "c": ("duplicate_of:a",)}


# --- near duplicates ---


def test_the_user_side_is_the_prompt_or_all_that_the_user_says() -> None:
    assert user_side(make_row("Who are you?", "A friend.")) == "Who are you?"
    assert user_side(make_row(None)) == ""
    row = make_chat(
        ("system", "s"), ("user", "a"), ("assistant", "b"), ("user", None), ("prompt", "c"), ("response", "d")
    )
    assert user_side(row) == "a\n\nc"


def test_a_short_last_message_does_not_join_conversations_that_begin_apart() -> None:
    first = ("How can I bake bread without an oven?", "Which trains go to the sea on a Sunday?")
    rows = [make_chat(("system", LONG), ("user", f), ("assistant", LONG), ("prompt", "Go on.")) for f in first]
    assert len({r.group_id for r in group(rows).values()}) == 2
    rows = [make_chat(("user", LONG + end), ("assistant", "Yes."), ("prompt", "Go on.")) for end in ("", "!")]
    assert len({r.group_id for r in group(rows).values()}) == 1


@pytest.mark.parametrize("other", [LONG + " now?", LONG.upper(), LONG.replace(" ", "  "), "So: " + LONG, LONG + "?!"])
def test_nearly_equal_prompts_share_a_group(other: str) -> None:
    found = group([make_row(LONG, source_id="a"), make_row(other, "Yes.", source_id="b")])
    assert len({r.group_id for r in found.values()}) == 1


@pytest.mark.parametrize("other", [
    "Please explain to me in simple words how a computer stores a picture",
    "How do I get to the station?", "", "x", "日本の冬はどうですか",
])  # fmt: skip
def test_other_prompts_do_not_share_a_group(other: str) -> None:
    found = group([make_row(LONG, source_id="a"), make_row(other, source_id="b")])
    assert len({r.group_id for r in found.values()}) == 2


def test_unspaced_scripts_have_near_duplicates_too() -> None:
    text = "寒い冬に外の気温が低いときでもヒートポンプがどのように家を暖めるのか簡単な言葉で説明してください"
    assert len({r.group_id for r in group([make_row(text), make_row(text + "。")]).values()}) == 1


def test_a_signature_is_the_same_in_every_process() -> None:
    assert signature("How can I bake bread?") == signature("how can i  BAKE bread?")
    assert len(signature("")) == 128
    assert len(set(bands(signature(LONG)))) == 16


@pytest.mark.parametrize(("text", "expected"), [
    ("", {""}), ("ab", {"ab"}), ("  A\n b ", {"a b"}), ("abcd", {"abc", "bcd"}),
    ("0123456789", {f"{i}{i+1}{i+2}{i+3}{i+4}" for i in range(6)}),
])  # fmt: skip
def test_shingles_fold_case_and_space(text: str, expected: set[str]) -> None:
    assert shingles(text) == expected


Member = tuple[str, tuple[int, ...]]


def members_of(seed: int, count: int) -> list[Member]:
    rng = random.Random(seed)
    base = list(range(128))
    found = []
    for i in range(count):
        mine = list(rng.choice([base, base[::-1]]))
        for at in rng.sample(range(128), rng.randrange(30)):
            mine[at] = rng.randrange(1000, 1005)
        found.append((f"row-{i:02d}", tuple(mine)))
    return found


def partition(names: Iterable[str], roots: dict[str, str]) -> dict[str, str]:
    return {name: roots.get(name, name) for name in names}


@quick
@given(seed=st.integers(0, 2**32), count=st.integers(0, 20))
def test_edges_connect_exactly_what_hangs_together(seed: int, count: int) -> None:
    members = members_of(seed, count)
    every = [
        (a, b) for a, x in members for b, y in members
        if a < b and sum(i == j for i, j in zip(x, y, strict=True)) >= 0.8 * 128
    ]  # fmt: skip
    names = [name for name, _ in members]
    shuffled = random.Random(seed).sample(members, len(members))
    assert partition(names, components(edges(shuffled))) == partition(names, components(every))


def test_a_text_between_two_others_joins_both() -> None:
    middle = tuple(range(128))
    left = tuple(-1 if i < 20 else i for i in range(128))
    right = tuple(-1 if i >= 108 else i for i in range(128))
    roots = components(edges([("a", left), ("b", right), ("c", middle)]))
    assert set(roots.values()) == {"a"}
    assert set(roots) == {"a", "b", "c"}


@pytest.mark.filterwarnings("error")
def test_many_equal_members_cost_few_edges() -> None:
    members = [(f"{i:05d}", tuple(range(128))) for i in range(3000)]
    assert len(list(edges(members))) == 2999


@quick
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=25))
def test_components_name_the_smallest_id_of_all_that_is_linked(pairs: list[tuple[int, int]]) -> None:
    links = [(f"{a:02d}", f"{b:02d}") for a, b in pairs]
    found = components(links)
    groups = [{x} for x in sorted({x for link in links for x in link})]
    for a, b in links:
        joined = [g for g in groups if g & {a, b}]
        groups = [g for g in groups if not g & {a, b}] + [set().union(*joined)]
    assert found == {x: min(g) for g in groups for x in g}
    assert found == components(reversed(links))


# --- splits ---


@pytest.mark.parametrize(("splits", "kept"), [
    (("train", "train"), "train"), (("train", "test"), "test"), (("validation", "test"), "test"),
    (("train", "validation"), "validation"), (("train", "validation", "test", "test"), "test"),
])  # fmt: skip
def test_a_group_stays_within_the_split_that_is_most_held_out(splits: tuple[str, ...], kept: str) -> None:
    rows = [make_row(id=str(i), split=split) for i, split in enumerate(splits)]
    for row in settle_splits(rows):
        assert reasons(row) == (() if row.sample.split == kept else ("split_leak",))


def test_no_group_of_the_whole_stage_spans_two_splits() -> None:
    found = group(mixed())
    splits = defaultdict(set)
    for row in found.values():
        if not row.verdict:
            splits[row.group_id].add(row.sample.split)
    assert all(len(s) == 1 for s in splits.values())
    assert {r.sample.source_id for r in found.values() if reasons(r) == ("split_leak",)} == {"e", "g"}
