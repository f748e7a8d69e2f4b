import pytest

from schemas.locales import LANGUAGES
from transforms.inference.language_id import LanguageId

SENTENCES = {
    "eng_Latn": "How do I stay safe on the internet?",
    "deu_Latn": "Wie bleibe ich im Internet sicher?",
    "spa_Latn": "¿Cómo puedo proteger mi contraseña?",
    "fra_Latn": "Comment puis-je protéger mon mot de passe ?",
    "hin_Deva": "मैं अपना पासवर्ड कैसे सुरक्षित रखूँ?",
    "arb_Arab": "كيف يمكنني حماية كلمة المرور الخاصة بي؟",
    "jpn_Jpan": "パスワードを安全に保つにはどうすればよいですか。",
    "tha_Thai": "ฉันจะรักษารหัสผ่านให้ปลอดภัยได้อย่างไร",
    "zho_Hans": "我怎样才能保护我的密码？",
}


@pytest.fixture(scope="module")
def lid() -> LanguageId:
    return LanguageId()


@pytest.mark.parametrize("code", SENTENCES)
def test_both_identifiers_know_every_language(lid: LanguageId, code: str) -> None:
    mine, other = lid.probability(SENTENCES[code], LANGUAGES[code])
    assert mine > 0.5 > other
    assert (lid.langdetect(SENTENCES[code], LANGUAGES[code]) or 0) > 0.5


def test_probabilities_never_exceed_one(lid: LanguageId) -> None:
    assert all(0 <= p <= 1 for text in SENTENCES.values() for p in lid.fasttext(text).values())


def test_line_ends_and_empty_text_are_no_error(lid: LanguageId) -> None:
    assert lid.probability("Hello\nthere,\r\nhow are you today?", LANGUAGES["eng_Latn"])[0] > 0.5
    lid.probability("", LANGUAGES["eng_Latn"])


def test_langdetect_has_nothing_to_say_about_digits_and_says_the_same_twice(lid: LanguageId) -> None:
    assert lid.langdetect("123 !!!", LANGUAGES["eng_Latn"]) is None
    said = {lid.langdetect("Das ist gut, very good", LANGUAGES["deu_Latn"]) for _ in range(5)}
    assert len(said) == 1
