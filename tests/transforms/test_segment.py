from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.locales import LANGUAGES
from transforms.segment import Piece, inline_pieces, pieces_kept, reassemble, segment, verbatim_stretches

ENGLISH, JAPANESE, THAI = LANGUAGES["eng_Latn"], LANGUAGES["jpn_Jpan"], LANGUAGES["tha_Thai"]

wild_text = st.one_of(
    st.text(max_size=200),
    st.lists(
        st.one_of(
            st.sampled_from(
                ["```", "```py", "~~~", "````", "\n", "\r\n", "\r", "\u2028", "\u2029", "\x85", "\x0b", "\x1c", "- ",
                "1. ", "> ",
                 "{", "}", '{"a": 1}', "[1]", "<p>", "</p>", "https://a.b/c?d", "me@x.org", "`code`", "{name}",
                 "Dr. Who.", "U.S.A.",
                 "Hello there.", "Is it?", "  ", "\t", "\u00a0", "3.14", "वह गया।", "今日は。", "สวัสดี", "مرحبا؟",
                 "e\u0301", "…", "👨‍👩‍👧"]
            ),
            st.text(max_size=8),
        ),
        max_size=25,
    ).map("".join),
)  # fmt: skip


def kept(text: str) -> list[str]:
    return [p.text for p in segment(text, ENGLISH) if not p.translate and p.text.strip()]


def sentences(text: str) -> list[str]:
    return [p.text for p in segment(text, ENGLISH) if p.translate]


# --- nothing is lost ---


@settings(max_examples=100, deadline=None)
@given(text=wild_text, code=st.sampled_from(sorted(LANGUAGES)))
def test_no_character_of_any_text_is_lost(text: str, code: str) -> None:
    pieces = segment(text, LANGUAGES[code])
    assert "".join(p.text for p in pieces) == text
    assert reassemble(pieces, [p.text for p in pieces if p.translate], None) == text
    assert all(p.text for p in pieces)


@settings(max_examples=100, deadline=None)
@given(text=wild_text)
def test_a_piece_to_translate_is_one_line_with_letters_and_no_space_around_it(text: str) -> None:
    for piece in segment(text, ENGLISH):
        if piece.translate:
            assert piece.text == piece.text.strip()
            assert any(map(str.isalpha, piece.text))
            assert not set("\r\n\u2028\u2029") & set(piece.text)


@settings(max_examples=60, deadline=None)
@given(text=wild_text)
def test_verbatim_stretches_lie_within_the_text(text: str) -> None:
    assert all(0 <= start < end <= len(text) for start, end in verbatim_stretches(text))


@pytest.mark.parametrize("unit", [
    "a", "word ", "This is one. ", "~~~x\n", "~~~\n", "```x\n", "````x\n", "`", "<a ", "<", "http://", "http://.",
    "a@", "@", "{", "{a",
    "[A", "%(a", "- ", "1. ", "{\"a\": ", "[", "\n", "\r\n", " ", "!", "。", "a.", ".", "Ms. ", "“", "\u2028", "-",
    "a-", "#| ",
])  # fmt: skip
def test_a_text_of_100_kb_takes_no_time(unit: str) -> None:
    text = unit * (100_000 // len(unit)) + " end"
    began = time.monotonic()
    assert "".join(p.text for p in segment(text, ENGLISH)) == text
    verbatim_stretches(text)
    assert time.monotonic() - began < 3


# --- what is kept ---


@pytest.mark.parametrize("code", [
    "```\nx = 1\n```", "```python\nprint('Hello world.')\n```", "~~~\nHello.\n~~~", "```\r\nHello.\r\n```",
    "````\n```\nHello.\n```\n````",
    "  ```\n  Hello there.\n  ```", "```\n\nA.\n\nB.\n```",
])  # fmt: skip
def test_fenced_code_is_one_piece_that_is_kept(code: str) -> None:
    text = f"Look at this.\n{code}\nDoes it work?"
    assert sentences(text) == ["Look at this.", "Does it work?"]
    assert [p.rstrip() for p in kept(text)] == [code]


def test_windows_line_ends_do_not_hide_a_fence() -> None:
    text = "Look.\r\n```\r\nHello there.\r\n```\r\nBye."
    assert sentences(text) == ["Look.", "Bye."]


@pytest.mark.parametrize("text", ["```\nHello there.", "Hello there.\n```", "~~~\nHello there.\n```"])
def test_a_fence_that_is_never_closed_keeps_nothing_from_translation(text: str) -> None:
    assert any("Hello there." in s for s in sentences(text))


@pytest.mark.parametrize("text", ['{"a": "Hello."}', '[{"a": "Hello."},\n {"b": "You."}]\n', " [] "])
def test_a_json_document_is_kept_whole(text: str) -> None:
    assert segment(text, ENGLISH) == [Piece(text, False)]


@pytest.mark.parametrize("text", ['"Hello."', "{Hello.}", "[Hello, you.]", '{"a": '])
def test_what_only_looks_like_json_is_text(text: str) -> None:
    assert all(p.text != text or p.translate for p in segment(text, ENGLISH))
    assert '"Hello."' not in kept(text)


@pytest.mark.parametrize("line", [
    '<div class="a">', "</div>", "<br/><br/>", "  <p>", '{"a": "Hello."}', "https://example.org/a.b", "`code`", "***",
    "3.14",
])  # fmt: skip
def test_a_line_of_markup_json_or_pieces_alone_is_kept(line: str) -> None:
    assert kept(f"Hello.\n{line}\nBye.") == [f"{line}\n"]


@pytest.mark.parametrize(("text", "lead", "sentence"), [
    ("- Hello there.", "- ", "Hello there."),
    ("* Hello there.", "* ", "Hello there."),
    ("  • Hello there.", "  • ", "Hello there."),
    ("12. Hello there.", "12. ", "Hello there."),
    ("(3) Hello there.", "(3) ", "Hello there."),
    ("b) Hello there.", "b) ", "Hello there."),
    ("> > Hello there.", "> > ", "Hello there."),
    ("## Hello there", "## ", "Hello there"),
    ("\tHello there.", "\t", "Hello there."),
    ("- 1. Hello there.", "- 1. ", "Hello there."),
])  # fmt: skip
def test_bullets_numbers_and_indentation_are_kept(text: str, lead: str, sentence: str) -> None:
    assert segment(text, ENGLISH) == [Piece(lead, False), Piece(sentence, True)]


@pytest.mark.parametrize(
    "text",
    ["It is 3.14.", "v2.0 is out.", "Mr. Smith went home.", "Ask Dr. Smith.", "I saw Ms. Smith.", "1984 was long ago."],
)
def test_numbers_and_abbreviations_are_not_cut(text: str) -> None:
    assert sentences(text) == [text]


def test_a_very_long_line_is_cut_at_sentences_alone() -> None:
    assert set(sentences("This is one sentence. " * 5000)) == {"This is one sentence."}


def test_sentences_are_cut_and_their_spaces_kept() -> None:
    assert segment("Hello there.  How are you?\r\nFine!", ENGLISH) == [
        Piece("Hello there.", True), Piece("  ", False), Piece("How are you?", True), Piece("\r\n", False),
        Piece("Fine!", True),
    ]  # fmt: skip


# --- inline pieces ---


def test_inline_pieces_are_listed_in_order_and_stay_in_their_sentence() -> None:
    text = "See https://a.org/x?y=1. Mail me@x.co.uk, run `ls -l`, fill {name} and {{ y }} or %s, [NAME], <b>now</b>."
    assert inline_pieces(text) == [
        "https://a.org/x?y=1", "me@x.co.uk", "`ls -l`", "{name}", "%s", "[NAME]", "<b>", "</b>"
    ]  # fmt: skip
    assert "".join(sentences(text)).count("https://a.org/x?y=1") == 1


@pytest.mark.parametrize(("text", "expected"), [
    ("(https://a.org)", ["https://a.org"]), ("https://a.org/b_(c)", ["https://a.org/b_(c"]),
    ("“https://a.org”", ["https://a.org"]),
    ("a@b", []), ("100% sure", []), ("1 < 2 > 0", []), ("[name]", []),
    ("first.last+tag@mail.example.com.", ["first.last+tag@mail.example.com"]),
    ("%(name)s {{x}}", ["%(name)s", "{{x}}"]),
])  # fmt: skip
def test_a_piece_ends_where_the_sentence_goes_on(text: str, expected: list[str]) -> None:
    assert inline_pieces(text) == expected


@pytest.mark.parametrize(("source", "target", "expected"), [
    ("See https://a.org.", "Siehe https://a.org.", (1, 1)),
    ("See https://a.org.", "Siehe.", (0, 1)),
    ("See https://a.org.", "https://a.org https://a.org", (0, 1)),
    ("`a` and `b`", "`b` und `a`", (2, 2)),
    ("None.", "Keine.", (0, 0)),
])  # fmt: skip
def test_pieces_must_come_back_as_often_as_they_went(source: str, target: str, expected: tuple[int, int]) -> None:
    assert pieces_kept(source, target) == expected


# --- reassembly ---


def test_japanese_sentences_have_no_space_between_them() -> None:
    pieces = segment("Hello there. How are you? Fine.\n- One thing. Two things.", ENGLISH)
    targets = ["こんにちは。", "元気ですか?", "はい。", "一つ。", "二つ。"]
    assert reassemble(pieces, targets, JAPANESE) == "こんにちは。元気ですか? はい。\n- 一つ。二つ。"
    assert reassemble(pieces, targets, LANGUAGES["zho_Hans"]) == "こんにちは。元気ですか? はい。\n- 一つ。二つ。"


def test_thai_sentences_and_others_keep_the_space() -> None:
    pieces = segment("Hello there. How are you?", ENGLISH)
    assert reassemble(pieces, ["สวัสดี", "สบายดีไหม"], THAI) == "สวัสดี สบายดีไหม"
    assert reassemble(pieces, ["Hallo.", "Wie geht's?"], LANGUAGES["deu_Latn"]) == "Hallo. Wie geht's?"


def test_only_the_space_between_two_sentences_goes() -> None:
    pieces = segment("- Hello there.  \n  Bye now. `x`", ENGLISH)
    assert reassemble(pieces, ["一。", "二。"], JAPANESE).startswith("- 一。  \n  二。")


def test_every_piece_to_translate_takes_one_target() -> None:
    pieces = segment("One thing. 5. Two things.", ENGLISH)
    wanted = sum(p.translate for p in pieces)
    assert reassemble(pieces, [str(i) for i in range(wanted)], None).count("0") == 1
    with pytest.raises(StopIteration):
        reassemble(pieces, ["x"] * (wanted - 1), None)
