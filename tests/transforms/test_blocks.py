import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.blocks import Block, cut_blocks, holds_block


@given(st.text(alphabet="`~{}[]\"':,|-<>/!pre \n\r\t\u2028$\\ab1", max_size=120))
def test_blocks_join_to_the_text(text: str) -> None:
    assert "".join(b.text for b in cut_blocks(text)) == text


def test_a_text_is_cut_into_blocks_lines_and_rows() -> None:
    text = "Hello.\n```\nx\n```\n| a | b |\n|---|---|\n| c | d |\n<hr>\n"
    assert cut_blocks(text) == [
        Block("Hello.\n", "line"), Block("```\nx\n```\n", "kept"), Block("| a | b |\n", "row"), Block("|---|---|\n", "row"),
        Block("| c | d |\n", "row"), Block("<hr>\n", "kept"),
    ]  # fmt: skip


@pytest.mark.parametrize(("text", "holds"), [
    ("Hello.", False), ('{"say": "Hello."}', True), ('Hello.\n{"say":\n "Hello."}', True), ("```\n123\n```", False),
    ("```\nprint(1)\n```", True), ("<p>\nHello.\n</p>", False), ("See https://a.org", False), ("<!-- Hello -->", False),
])  # fmt: skip
def test_a_block_with_words_is_one_that_a_reader_would_miss(text: str, holds: bool) -> None:
    assert holds_block(text) is holds
