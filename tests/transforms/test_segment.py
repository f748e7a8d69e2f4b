from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.locales import LANGUAGES
from transforms.inference.decoding import RECIPE
from transforms.inline import inline_pieces
from transforms.segment import (
    Piece,
    cut_at_clauses,
    cut_at_pieces,
    reassemble,
    segment,
    verbatim_stretches,
    without_verbatim,
)

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
    "a-", "#| ", "<!--", "<!-- a\n", "<pre>\n", "\\(", "\\[", "\\[\n", "$$", "$$\n", "$a ", "{%", "{{", "\\a", "``a", "|", "| ",
    "|-", "|-|\n", "-|", "a|b\n", "\t", " \t", "<p>", "**", "**a:** ", "_", "12:00 ", "[x] ", "[\n", "[1,\n", "{\"a\":[\n",
    "AB=", "<b>x</b> go ", "a|b\n" + " " * 5_000 + "x|\n", "a|b\n-" + " " * 5_000 + "x|\n", "$$a$$ b\n", "x ```\n", "> ```a\n",
    "我很累，你睡了。", "<a b=c ", "<a b='c' d ", "(", "https://a(b", "\\a{b}", "[1,1,\n1,\n", "a, ", "me. ", "<b>a</b>",
])  # fmt: skip
def test_a_text_of_100_kb_takes_no_time(unit: str) -> None:
    text = unit * (100_000 // len(unit)) + " end"
    began = time.monotonic()
    assert "".join(p.text for p in segment(text, ENGLISH)) == text
    verbatim_stretches(text)
    assert time.monotonic() - began < 20, "far more than linear"


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


@pytest.mark.parametrize("block", [
    "<pre>\nHello there.\n</pre>", "<script type='x'>\nHello();\n</script>", "<!-- Hello\nthere. -->",
    "$$\na = b\n$$", "\\begin{align*}\na &= b\n\\end{align*}", "\\[\nx = y\n\\]",
    '{\n  "say": "Hello there."\n}', '[\n  {"say": "Hello there."}\n];',
])  # fmt: skip
def test_markup_formulas_and_json_that_fill_lines_are_kept(block: str) -> None:
    text = f"Look at this.\n{block}\nDoes it work?"
    assert sentences(text) == ["Look at this.", "Does it work?"]
    assert [p.rstrip() for p in kept(text)] == [block]


def test_json_may_begin_where_a_sentence_ends() -> None:
    text = 'The answer is: {\n "a": "Hello there."\n}\nBye now.'
    assert sentences(text) == ["The answer is:", "Bye now."]


@pytest.mark.parametrize("opening", ["<pre>", "<!--", "$$", "\\begin{align}", "[", '{"a":'])
def test_a_block_that_is_never_closed_keeps_nothing_from_translation(opening: str) -> None:
    assert "Hello there." in sentences(f"{opening}\nHello there.\nBye.")


def test_the_cells_of_a_table_are_translated_each_on_its_own() -> None:
    text = "| Name | Say this |\n|------|:--:|\n| Tom | Hello there. How are you? |\n\nBye."
    assert sentences(text) == ["Name", "Say this", "Tom", "Hello there.", "How are you?", "Bye."]
    assert sentences("a | b\n--- | ---\nHello | `x | y` or \\| that\n") == ["a", "b", "Hello", "`x | y` or \\| that"]
    assert sentences("You can say yes | no here.") == ["You can say yes | no here."]


@pytest.mark.parametrize(("text", "expected"), [
    ("$$E=mc^2$$ is his equation.\nIt says much.\n$$F=ma$$", ["$$E=mc^2$$ is his equation.", "It says much."]),
    ("<pre>ls</pre> lists files.\nTry it.\n<pre>cd</pre>", ["<pre>ls</pre> lists files.", "Try it."]),
    ("<!-- a --> Tell me.\nI mean it.\n<!-- b -->", ["Tell me.", "I mean it."]),
    ("Here it is: ```python\nprint(1)\n```\nIt prints.\nAnd here: ```python\nprint(2)\n```\nDone.",
     ["Here it is:", "It prints.", "And here:", "Done."]),
    ("1. ```bash\n   ls\n   ```\n2. ```bash\n   cd\n   ```\nDone.", ["Done."]),
    ("> ```\n> x = one\n> ```\n> Done.", ["Done."]),
    ("So |x| + |y| is more than |z| here.", ["So |x| + |y| is more than |z| here."]),
    ("|x| + |y| is more than |z|", ["|x| + |y| is more than |z|"]),
    ("Write to <address> and put the <title> on <label> now.", ["Write to <address> and put the <title> on <label> now."]),
    ("__init__ is called.", ["__init__ is called."]),
])  # fmt: skip
def test_prose_beside_a_block_is_not_swallowed(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_tabs_part_cells() -> None:
    assert sentences("Name\tSay this\r\nTom\t\tHello there.") == ["Name", "Say this", "Tom", "Hello there."]


@pytest.mark.parametrize(("text", "expected"), [
    ("<p>Hello there. How are you?</p>", ["Hello there.", "How are you?"]),
    ("<ul><li>Bread</li><li>Milk and <b>good</b> tea</li></ul>", ["Bread", "Milk and <b>good</b> tea"]),
    ('<h2 class="x">Hello there</h2>', ["Hello there"]),
    ("<note>Hello there.</note>", ["Hello there."]),
    ("<b>Hello</b> you <b>there</b>", ["<b>Hello</b> you <b>there</b>"]),
    ("Use `<p>` here.", ["Use `<p>` here."]),
    ("Hello there.<br>Bye now.", ["Hello there.", "Bye now."]),
    ("**Hello there**", ["Hello there"]), ("**Step 1:** Open it.", ["Step 1", "Open it."]),
    ("**Step 1**: Open it.", ["Step 1", "Open it."]), ("**a** and **b**", ["**a** and **b**"]),
    ("- **Bread:** good", ["Bread", "good"]), ("- [ ] Buy bread", ["Buy bread"]),
    ("[12:01] Tom: hello", ["Tom: hello"]), ("12:01:33 PM - Tom: hello", ["Tom: hello"]),
])  # fmt: skip
def test_words_inside_markup_are_translated_and_the_markup_is_not(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@pytest.mark.parametrize(("text", "expected"), [
    ("Help me. Thanks.", ["Help me.", "Thanks."]), ("I saw Ms. Smith.", ["I saw Ms. Smith."]),
])  # fmt: skip
def test_the_splitters_known_slips_are_mended(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_the_numbers_of_a_list_within_a_line_are_kept() -> None:
    text = "1) How can I sleep better? 2) How can I stop smoking?"
    assert sentences(text) == ["How can I sleep better?", "How can I stop smoking?"]


@pytest.mark.parametrize(("text", "expected"), [
    ("I am happy 😀", ["I am happy"]), ("👍🏽 Thank you! ❤️\n", ["Thank you!"]), ("👨‍👩‍👧 My family 👨‍👩‍👧", ["My family"]),
    ("\u200fHello there.\u200e Bye.", ["Hello there.", "Bye."]), ("I ❤️ bread.", ["I ❤️ bread."]), ("😀😀", []),
    ("5 apples", ["5 apples"]), ("Bread© is mine ™", ["Bread© is mine ™"]),
])  # fmt: skip
def test_emoji_at_the_ends_of_a_sentence_stay(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


# --- cutting a sentence ---


@settings(max_examples=100, deadline=None)
@given(text=wild_text, most=st.integers(1, 30))
def test_clauses_join_to_the_sentence_and_fit(text: str, most: int) -> None:
    sentence = " ".join(text.split())
    pieces = cut_at_clauses(sentence, lambda t: len(t) <= most)
    assert "".join(p.text for p in pieces) == sentence
    # What cannot be cut further: one character with its marks.
    assert all(len(p.text) <= most or len(p.text) < 12 for p in pieces if p.translate)


@settings(max_examples=100, deadline=None)
@given(text=wild_text)
def test_a_sentence_cut_at_its_pieces_loses_nothing(text: str) -> None:
    pieces = cut_at_pieces(text)
    assert "".join(p.text for p in pieces) == text
    assert not any(inline_pieces(p.text) == [p.text] and p.translate for p in pieces)


@pytest.mark.parametrize(("sentence", "most", "expected"), [
    ("I came home late; you were asleep, and it rained.", 40, ["I came home late;", "you were asleep, and it rained."]),
    ("I came home, you were asleep, and it rained.", 25, ["I came home,", "you were asleep,", "and it rained."]),
    ("one two three four", 10, ["one two", "three four"]),
    ("今日は、とても暑いです", 6, ["今日は、", "とても", "暑いです"]),
    ("You owe the bank 1,000,000 dollars by then", 25, ["You owe the bank", "1,000,000 dollars by then"]),
    ("The train leaves at 12:30 from there ok", 25, ["The train leaves at", "12:30 from there ok"]),
    ("我很累，你睡了。他走了，天黑了。", 10, ["我很累，你睡了。", "他走了，天黑了。"]),
    ("See https://a.org/b;c,d/e;f or ask", 30, ["See https://a.org/b;c,d/e;f", "or ask"]),
])  # fmt: skip
def test_a_long_sentence_is_cut_at_its_best_clause_boundary(sentence: str, most: int, expected: list[str]) -> None:
    pieces = cut_at_clauses(sentence, lambda t: len(t) <= most)
    assert [p.text for p in pieces if p.translate] == expected


def test_inline_pieces_stay_in_their_sentence() -> None:
    assert sentences("See https://a.org/x?y=1 and {name} now.") == ["See https://a.org/x?y=1 and {name} now."]


def test_no_inline_piece_is_cut_by_the_end_of_a_sentence() -> None:
    assert sentences("Run `ls. Then more! Yes.` now. Bye.") == ["Run `ls. Then more! Yes.` now.", "Bye."]


@pytest.mark.parametrize(("sentence", "expected"), [
    ("You find it on the internet (http://x.example/1).", ["You find it on the internet"]),
    ("Read [this page](https://a.org/b) first.", ["Read", "this page", "first."]),
    ("He wrote “{name}”, then left.", ["He wrote", "then left."]),
])  # fmt: skip
def test_brackets_around_a_piece_stay_with_it(sentence: str, expected: list[str]) -> None:
    assert [p.text for p in cut_at_pieces(sentence) if p.translate] == expected


GOLDEN = (
    2,
    [
        ["Write to", "open", "and run", "is", "see", "now", "and"],
        ["I came home late; you were asleep, and it rained — until the next day, when nobody (not even Tom) came."],
        ["one two three four five six seven eight nine ten"],
        ["Say", "and", "now."],
        ["今日は、とても暑いですが、明日は雨が降るでしょう"],
        ["Write to me@x.org,", "open", "and run `ls -l`,", "$a = b$ is %s,", "see <b>now</b>", "and [NAME]."],
        [
            "I came home late;",
            "you were asleep,",
            "and it rained —",
            "until the next day,",
            "when nobody (not",
            "even Tom) came.",
        ],
        ["one two three", "four five", "six seven", "eight nine ten"],
        ["Say \\(x\\),", "${b} and", "now."],
        ["今日は、とても暑いですが、", "明日は雨が降るでしょう"],
    ],
)


def test_a_change_of_the_cuts_comes_with_a_new_recipe() -> None:
    """Where this fails because a rule was changed, raise `RECIPE` and put the new cuts here."""
    sentences = [
        "Write to me@x.org, open https://a.org/b?c=d and run `ls -l`, {name}: $a = b$ is %s, see <b>now</b> and [NAME].",
        "I came home late; you were asleep, and it rained — until the next day, when nobody (not even Tom) came.",
        "one two three four five six seven eight nine ten",
        r'Say \(x\), <!-- no -->, {"a": 1}, {% if x %}, {{ y }}, %(a)s, ${b} and QUJ1QUJ1QUJ1QUJ1QUJ1QUJ1QUJ1QUJ1QUJ1QUJ1QUJ1QUJ1 now.',
        "今日は、とても暑いですが、明日は雨が降るでしょう",
    ]
    cuts = [[p.text for p in cut_at_pieces(s) if p.translate] for s in sentences]
    cuts += [[p.text for p in cut_at_clauses(s, lambda t: len(t) <= 20) if p.translate] for s in sentences]
    assert (RECIPE, cuts) == GOLDEN


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


def test_sentences_that_had_no_space_get_one_where_the_target_writes_it() -> None:
    pieces = segment("今日は暑いです。明日は雨ですか？はい。", JAPANESE)
    assert reassemble(pieces, ["It is hot.", "Will it rain?", "Yes."], ENGLISH) == "It is hot. Will it rain? Yes."
    assert reassemble(pieces, ["a。", "b？", "c。"], LANGUAGES["zho_Hans"]) == "a。b？c。"


def test_only_the_space_between_two_sentences_goes() -> None:
    pieces = segment("- Hello there.  \n  Bye now. `x`", ENGLISH)
    assert reassemble(pieces, ["一。", "二。"], JAPANESE).startswith("- 一。  \n  二。")


def test_every_piece_to_translate_takes_one_target() -> None:
    pieces = segment("One thing. 5. Two things.", ENGLISH)
    wanted = sum(p.translate for p in pieces)
    assert reassemble(pieces, [str(i) for i in range(wanted)], None).count("0") == 1
    with pytest.raises(ValueError, match="shorter"):
        reassemble(pieces, ["x"] * (wanted - 1), None)


def test_scores_of_language_see_no_code_and_no_pieces() -> None:
    text = "Look at https://a.org now.\n```\nprint(1)\n```\nBye."
    assert without_verbatim(text).split() == ["Look", "at", "now.", "Bye."]
