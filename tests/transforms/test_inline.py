import pytest

from transforms.inline import inline_pieces, pieces_kept


def test_inline_pieces_are_listed_in_order_() -> None:
    text = "See https://a.org/x?y=1. Mail me@x.co.uk, run `ls -l`, fill {name} and {{ y }} or %s, [NAME], <b>now</b>."
    assert inline_pieces(text) == [
        "https://a.org/x?y=1", "me@x.co.uk", "`ls -l`", "{name}", "{{ y }}", "%s", "[NAME]", "<b>", "</b>"
    ]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), [
    ("(https://a.org)", ["https://a.org"]), ("https://a.org/b_(c)", ["https://a.org/b_(c)"]),
    ("“https://a.org”", ["https://a.org"]),
    ("a@b", []), ("100% sure", []), ("1 < 2 > 0", []), ("[name]", []),
    ("first.last+tag@mail.example.com.", ["first.last+tag@mail.example.com"]),
    ("%(name)s {{x}}", ["%(name)s", "{{x}}"]), ("Hi ${user.name}, {0}!", ["${user.name}", "{0}"]), ("{Hello.}", []),
    ("{% if x %}Hi{% endif %}", ["{% if x %}", "{% endif %}"]), ("%1$s and %d", ["%1$s", "%d"]),
    ("It costs $5 and $10.", []), ("US$20/$30, $5-$6", []), ("Let $x$ be $a + b_1 = c$.", ["$x$", "$a + b_1 = c$"]),
    ("$PATH_A and $PATH_B", []), (r"So \(x > 1\) and \frac{1}{2}.", [r"\(x > 1\)", r"\frac{1}{2}"]),
    ('Send {"a": {"b": 1}} now.', ['{"a": {"b": 1}}']), ("a <!-- b --> c", ["<!-- b -->"]), ("``a`b`` c", ["``a`b``"]),
    ("Run <code>ls a</code> now", ["<code>ls a</code>"]), ("![a photo](b.png) and [x] (y)", ["![", "](b.png)"]),
    ("www.example.org.", ["www.example.org"]), ("-" * 10, []),
    ("QUJ1" * 12, ["QUJ1" * 12]),
])  # fmt: skip
def test_a_piece_ends_where_the_sentence_goes_on(text: str, expected: list[str]) -> None:
    assert inline_pieces(text) == expected


@pytest.mark.parametrize(("text", "expected"), [
    ("请看https://a.org/b。然后告诉我，谢谢。", ["https://a.org/b"]), ("请写信给bob@example.com获取信息", ["bob@example.com"]),
    ("访问https://example.org获取更多信息", ["https://example.org"]), ("请看www.a.org吧", ["www.a.org"]), ("共%d个", ["%d"]),
    ("ดูที่https://a.org/bนะ", ["https://a.org/b"]), ("See https://a.org—it helps", ["https://a.org"]),
    ("[One](https://a.org/x)|[Other](https://b.org)", ["[", "](https://a.org/x)", "[", "](https://b.org)"]),
    ("https://ar.example.org/wiki/خبز today", ["https://ar.example.org/wiki/خبز"]),
])  # fmt: skip
def test_a_piece_ends_where_a_script_without_spaces_goes_on(text: str, expected: list[str]) -> None:
    assert inline_pieces(text) == expected


@pytest.mark.parametrize("text", [
    "<How do I bake bread at home?>", "[HOW TO BAKE BREAD AT HOME]", r"\section{How to bake bread}", "$$$ EARN MONEY FROM HOME $$$",
    "How-do-I-bake-bread-at-home-without-anyone-noticing-it?", "<the man and the woman>", "A" * 60, "x < y and z > w",
    r"\textbf{Hello there}",
])  # fmt: skip
def test_words_in_the_clothes_of_markup_are_no_piece(text: str) -> None:
    assert inline_pieces(text) == []


@pytest.mark.parametrize("tag", [
    '<a href="https://a.org/x?y=1" target=_blank>', "<input disabled>", "<br/>", "</p>", "<x:y-z>", "<img src='a b'/>", "<NAME>",
])  # fmt: skip
def test_a_tag_with_its_attributes_is_one_piece(tag: str) -> None:
    assert inline_pieces(f"See {tag} now") == [tag]


@pytest.mark.parametrize(("source", "target", "expected"), [
    ("See https://a.org.", "Siehe https://a.org.", (1, 1)),
    ("See https://a.org.", "Siehe.", (0, 1)),
    ("See https://a.org.", "https://a.org https://a.org", (0, 1)),
    ("`a` and `b`", "`b` und `a`", (2, 2)),
    ("None.", "Keine.", (0, 0)),
])  # fmt: skip
def test_pieces_must_come_back_as_often_as_they_went(source: str, target: str, expected: tuple[int, int]) -> None:
    assert pieces_kept(source, target) == expected
