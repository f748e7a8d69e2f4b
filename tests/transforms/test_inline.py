import pytest

from transforms.inline import inline_pieces, pieces_kept


def test_inline_pieces_are_listed_in_order_() -> None:
    text = "See https://a.org/x?y=1. Mail me@x.co.uk, run `ls -l`, fill {name} and {{ y }} or %s, [NAME], <b>now</b>."
    assert inline_pieces(text) == [
        "https://a.org/x?y=1", "me@x.co.uk", "`ls -l`", "{name}", "{{ y }}", "%s", "[NAME]", "<b>", "</b>"
    ]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), [
    ("(https://a.org)", ["https://a.org"]), ("https://a.org/b_(c)", ["https://a.org/b_(c"]),
    ("“https://a.org”", ["https://a.org"]),
    ("a@b", []), ("100% sure", []), ("1 < 2 > 0", []), ("[name]", []),
    ("first.last+tag@mail.example.com.", ["first.last+tag@mail.example.com"]),
    ("%(name)s {{x}}", ["%(name)s", "{{x}}"]), ("Hi ${user.name}, {0}!", ["${user.name}", "{0}"]), ("{Hello.}", []),
    ("{% if x %}Hi{% endif %}", ["{% if x %}", "{% endif %}"]), ("%1$s and %d", ["%1$s", "%d"]),
    ("It costs $5 and $10.", []), ("US$20/$30, $5-$6", []), ("Let $x$ be $a + b_1 = c$.", ["$x$", "$a + b_1 = c$"]),
    ("$PATH_A and $PATH_B", []), (r"So \(x > 1\) and \frac{1}{2}.", [r"\(x > 1\)", r"\frac{1}{2}"]),
    ('Send {"a": {"b": 1}} now.', ['{"a": {"b": 1}}']), ("a <!-- b --> c", ["<!-- b -->"]), ("``a`b`` c", ["``a`b``"]),
    ("www.example.org.", ["www.example.org"]), ("QUJD" * 12, ["QUJD" * 12]), ("-" * 10, []),
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
