from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.locales import LANGUAGES
from transforms.numbers import numbers_kept

EN = LANGUAGES["eng_Latn"]


def kept(source: str, target: str, code: str) -> tuple[float, float]:
    return numbers_kept(source, target, EN, LANGUAGES[code])


@pytest.mark.parametrize(("source", "target", "code"), [
    ("I have 2,500 euros", "Ich habe 2500 Euro", "deu_Latn"),
    ("I have 2,500 euros", "Ich habe 2.500 Euro", "deu_Latn"),
    ("I have 2,500.75 euros", "J’ai 2\u202f500,75 euros", "fra_Latn"),
    ("Call 110", "اتصل بالرقم ١١٠", "arb_Arab"),
    ("1.5 million people", "1,5 Millionen Menschen", "deu_Latn"),
    ("1.5 million people", "150万人", "jpn_Jpan"),
    ("1,500,000 people", "15 लाख लोग", "hin_Deva"),
    ("$1.58 billion", "1580 millones de dólares", "spa_Latn"),
    ("18,257 residents", "１万８千２５７人", "jpn_Jpan"),
    ("more than 200,000", "20多万", "zho_Hans"),
    ("April 30, 2020", "2020年4月30日", "zho_Hans"),
    ("the 1970s", "20世纪70年代", "zho_Hans"),
    ("in 2019–20", "en 2019-2020", "spa_Latn"),
    ("at 3 p.m.", "um 15 Uhr", "deu_Latn"),
    ("at 10 p.m.", "a las 22:00", "spa_Latn"),
    ("in 2019", "ในปี พ.ศ. 2562", "tha_Thai"),
    ("3 cats", "drei Katzen", "deu_Latn"),
    ("twenty-five cats", "25 Katzen", "deu_Latn"),
    ("in the 19th century", "en el siglo XIX", "spa_Latn"),
    ("23 students", "二十三名学生", "zho_Hans"),
    ("2 days", "يومين", "arb_Arab"),
    ("a quarter past eight", "8 点 15 分", "zho_Hans"),
    ("No number", "Keine Zahl", "deu_Latn"),
    ("twice", "ein Wort", "deu_Latn"),
])  # fmt: skip
def test_numbers_are_the_same_however_a_language_writes_them(source: str, target: str, code: str) -> None:
    assert kept(source, target, code) == (1, 1)


@pytest.mark.parametrize(("source", "target", "code"), [
    ("I have 2,500 euros", "Ich habe 2600 Euro", "deu_Latn"),
    ("1.5 million people", "160万人", "jpn_Jpan"),
    ("30 July", "31. Juli", "deu_Latn"),
    ("One of 4 cats", "Eine von 5 Katzen", "deu_Latn"),
    ("at 3 p.m.", "um 16 Uhr", "deu_Latn"),
])  # fmt: skip
def test_a_number_that_became_another_is_seen(source: str, target: str, code: str) -> None:
    unchanged, found = kept(source, target, code)
    assert unchanged < 1 and found < 1


def test_a_name_with_a_number_may_be_left_out_but_not_changed() -> None:
    assert kept("(PERSON8) Yes, of course.", "当然可以。", "zho_Hans") == (1, 1)
    assert kept("(PERSON8) Yes, of course.", "（PERSON9）当然可以。", "zho_Hans") == (0, 0)
    assert kept("Room 8 is free.", "Ein Zimmer ist frei.", "deu_Latn") == (1, 0)


def test_a_number_that_one_side_lacks_did_not_become_another() -> None:
    assert kept("Room 12 at 5", "Zimmer 12", "deu_Latn") == (1, pytest.approx(2 / 3))
    assert kept("Call me", "Ruf 110 an", "deu_Latn") == (1, 0)
    assert kept("April 30, 2020", "2020年5月30日", "zho_Hans") == (1, pytest.approx(0.8)), "a wrong month in digits"


@given(st.text(), st.sampled_from(sorted(LANGUAGES)))
def test_any_text_has_the_numbers_that_it_has(text: str, code: str) -> None:
    assert numbers_kept(text, text, LANGUAGES[code], LANGUAGES[code]) == (1, 1)


@given(st.text(alphabet="0123456789.,: ٣三万百 '’smilonh-", max_size=40), st.sampled_from(sorted(LANGUAGES)))
def test_shares_of_numbers_are_shares(text: str, code: str) -> None:
    unchanged, found = numbers_kept("3 cats and 1,234.5 dogs", text, EN, LANGUAGES[code])
    assert 0 <= found <= 1 and 0 <= unchanged <= 1


def test_reading_numbers_takes_time_linear_in_the_text() -> None:
    numbers_kept("1,234 " * 20_000, "1.234 " * 20_000, EN, LANGUAGES["deu_Latn"])
