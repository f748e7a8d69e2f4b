from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.locales import LANGUAGES
from transforms.negation import count_possible, negates, negations_kept

EN = LANGUAGES["eng_Latn"]
# code: a negated sentence, the same without its negation, and one that says it in another way.
SENTENCES = {
    "arb_Arab": ("لا تفتح الباب.", "افتح الباب.", "تجنب فتح الباب."),
    "deu_Latn": ("Öffne die Tür nicht.", "Öffne die Tür.", "Geh, ohne die Tür zu öffnen."),
    "spa_Latn": ("No abras la puerta.", "Abre la puerta.", "Evita abrir la puerta."),
    "fra_Latn": ("N'ouvre pas la porte.", "Ouvre la porte.", "Évite d'ouvrir la porte."),
    "hin_Deva": ("दरवाज़ा मत खोलो।", "दरवाज़ा खोलो।", "दरवाज़ा खोले बिना जाओ।"),
    "jpn_Jpan": ("ドアを開けないで。", "ドアを開けて。", "ドアを開けるのを避けて。"),
    "kor_Hang": ("문을 열지 마세요.", "문을 여세요.", "문 여는 것을 피하세요."),
    "por_Latn": ("Não abra a porta.", "Abra a porta.", "Evite abrir a porta."),
    "tha_Thai": ("อย่าเปิดประตู", "เปิดประตู", "หลีกเลี่ยงการเปิดประตู"),
    "zho_Hans": ("不要开门。", "请开门。", "请避免开门。"),
    "zho_Hant": ("不要開門。", "請開門。", "請避免開門。"),
}


def kept(source: str, target: str, code: str) -> float:
    return negations_kept([source], [target], EN, LANGUAGES[code])


@pytest.mark.parametrize("code", SENTENCES)
def test_a_negation_that_a_translation_lost_is_seen(code: str) -> None:
    negated, plain, otherwise = SENTENCES[code]
    assert kept("Do not open the door.", negated, code) == 1
    assert kept("Do not open the door.", plain, code) == 0
    assert kept("Do not open the door.", otherwise, code) == 1
    assert kept("Open the door.", plain, code) == 1
    assert negates(negated, LANGUAGES[code]) and not negates(plain, LANGUAGES[code])


@pytest.mark.parametrize("text", [
    "He is not only tall but kind.", "No doubt it will rain.", "See no. 5 below.", "Why don't we walk?", "It was no later than nine.",
])  # fmt: skip
def test_words_that_only_look_like_a_negation_ask_for_none(text: str) -> None:
    assert not negates(text, EN)


def test_sentences_that_do_not_pair_up_are_counted() -> None:
    sources = ["I do not smoke.", "I never drink.", "I run."]
    assert negations_kept(sources, ["Ich rauche nicht und trinke nie.", "Ich laufe."], EN, LANGUAGES["deu_Latn"]) == 1
    assert negations_kept(sources, ["Ich rauche nicht und trinke.", "Ich laufe."], EN, LANGUAGES["deu_Latn"]) == 0.5


def test_english_says_the_opposite_with_parts_of_words_too() -> None:
    assert count_possible("It is impossible and hopeless.", EN) == 2
    assert negations_kept(["Es ist nicht möglich."], ["It is impossible."], LANGUAGES["deu_Latn"], EN) == 1


@given(st.text(max_size=80), st.sampled_from(sorted(LANGUAGES)))
def test_any_text_keeps_its_own_negations(text: str, code: str) -> None:
    assert negations_kept([text], [text], LANGUAGES[code], LANGUAGES[code]) == 1
