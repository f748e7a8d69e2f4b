from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.locales import LANGUAGES
from transforms.names import names_kept


def kept(source: str, target: str, code: str) -> float:
    return names_kept(source, target, LANGUAGES[code])


@pytest.mark.parametrize(("source", "target", "code"), [
    ("I met Margaret at the market.", "He visto a Margarita en el mercado.", "spa_Latn"),
    ("I met Christopher at noon.", "J'ai vu Christophe à midi.", "fra_Latn"),
    ("On Monday we flew to Germany.", "El lunes volamos a Alemania.", "spa_Latn"),
    ("She works for the World Health Organization.", "Trabaja para la Organización Mundial de la Salud.", "spa_Latn"),
    ("We asked President Trudeau.", "Nous avons demandé au président Trudeau.", "fra_Latn"),
    ("I like the Italian cook.", "Me gusta el cocinero italiano.", "spa_Latn"),
    ("The house of Miller is red.", "Das Haus von Miller in der Straße ist rot.", "deu_Latn"),
    ("I met Margaret.", "मैं मार्गरेट से मिला।", "hin_Deva"),
    ("He works at Volvo.", "他在Volvo工作。", "zho_Hans"),
    ("The virus is called HIV.", "这种病毒叫艾滋病病毒（Human Immunodeficiency Virus）。", "zho_Hans"),
    ("Nothing with a capital here.", "Nada con mayúscula aquí.", "spa_Latn"),
])  # fmt: skip
def test_names_are_kept_however_a_language_writes_them(source: str, target: str, code: str) -> None:
    assert kept(source, target, code) == 1


@pytest.mark.parametrize(("source", "target", "code"), [
    ("I met Margaret at the market.", "He visto a Beatriz en el mercado.", "spa_Latn"),
    ("Then he saw Miller there.", "Dann hat er dort Weber gesehen.", "deu_Latn"),
    ("He works at Volvo.", "他在Toyota工作。", "zho_Hans"),
    ("He works at Volvo.", "वह Toyota में काम करता है।", "hin_Deva"),
])  # fmt: skip
def test_a_name_that_became_another_is_seen(source: str, target: str, code: str) -> None:
    assert kept(source, target, code) == 0


def test_one_of_two_names_is_half() -> None:
    assert kept("We spoke with Justin Trudeau.", "Nous avons parlé avec Justin Moreau.", "fra_Latn") == 0.5


@given(st.text(max_size=80), st.sampled_from(sorted(LANGUAGES)))
def test_any_text_keeps_its_own_names(text: str, code: str) -> None:
    assert kept(text, text, code) == 1
