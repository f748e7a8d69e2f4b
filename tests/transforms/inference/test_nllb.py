from pathlib import Path
from typing import Any

import pytest

from scripts.train_demo_translator import convert
from transforms.inference.decoding import Decoding
from transforms.inference.nllb import NllbModel, UnknownLanguage, answer_all, decode_answer, encode_answer

TEXTS = [
    "How can I bake bread?",
    "My sister has been very sad since last week.",
    "I hate immigrants, they should leave London. Nobody will ever find out!",
    "42",
    "x",
]
TARGETS = ["deu_Latn", "tha_Thai", "jpn_Jpan"]
LIMIT = 24


@pytest.fixture(scope="module")
def directory(checkpoint: Path) -> str:
    out = checkpoint.parent / "ct2"
    convert(checkpoint, out, "float32")
    return str(out)


def decoding(**changes: Any) -> Decoding:
    return Decoding(**({"compute_type": "float32", "beam_size": 1, "max_output_tokens": LIMIT} | changes))


@pytest.fixture(scope="module")
def model(directory: str) -> NllbModel:
    return NllbModel(directory, decoding())


def test_greedy_output_is_that_of_transformers_token_for_token(checkpoint: Path, model: NllbModel) -> None:
    import torch
    from transformers import AutoTokenizer, M2M100ForConditionalGeneration

    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    reference = M2M100ForConditionalGeneration.from_pretrained(checkpoint).eval()
    for target in TARGETS:
        ours = model.translate([[(text, "eng_Latn", target) for text in TEXTS]])[0]
        for text, segment in zip(TEXTS, ours, strict=True):
            ids = tokenizer(text, return_tensors="pt")
            assert tokenizer.convert_ids_to_tokens(ids.input_ids[0]) == model.source_tokens(text, "eng_Latn")
            with torch.inference_mode():
                made = reference.generate(
                    **ids, forced_bos_token_id=tokenizer.convert_tokens_to_ids(target), max_new_tokens=LIMIT, num_beams=1,
                    do_sample=False,
                )[0]  # fmt: skip
            raw = model._translator.translate_batch(
                [model.source_tokens(text, "eng_Latn")],
                target_prefix=[[target]],
                beam_size=1,
                max_decoding_length=LIMIT,
            )[0].hypotheses[0]
            theirs = [t for t in tokenizer.convert_ids_to_tokens(made)[1:] if t != "</s>"]
            assert raw == theirs[: len(raw)] and len(theirs) - len(raw) <= 1
            assert (
                segment.target
                == tokenizer.decode(tokenizer.convert_tokens_to_ids(raw[1:]), skip_special_tokens=True).strip()
            )


def test_an_answer_that_reaches_the_limit_is_flagged_truncated(model: NllbModel) -> None:
    answers = model.translate([[(text, "eng_Latn", "deu_Latn") for text in TEXTS]])[0]
    assert any("truncated" in a.flags for a in answers), "random weights seldom stop by themselves"


def test_a_sentence_over_the_limit_is_flagged_and_not_cut(directory: str) -> None:
    model = NllbModel(directory, decoding(max_input_tokens=8))
    short, long = model.translate([[("x", "eng_Latn", "deu_Latn"), (TEXTS[1] * 3, "eng_Latn", "deu_Latn")]])[0]
    assert "oversized" not in short.flags
    assert long.flags == ("oversized", "translation_failed") and long.target == ""


def test_more_than_1024_tokens_are_not_cut_in_silence(directory: str) -> None:
    model = NllbModel(directory, decoding(max_input_tokens=200))
    assert model.translate([[("bread " * 2000, "eng_Latn", "deu_Latn")]])[0][0].flags[0] == "oversized"


def test_any_source_language_will_do(model: NllbModel) -> None:
    assert model.source_tokens("Brot", "deu_Latn")[0] == "deu_Latn"
    assert len(model.translate([[("Wie kann ich Brot backen?", "deu_Latn", "tha_Thai")]])[0]) == 1


def test_a_language_the_model_does_not_know_is_an_error(model: NllbModel) -> None:
    with pytest.raises(UnknownLanguage, match="kor_Hang"):
        answer_all(model, [[("x", "eng_Latn", "kor_Hang")]])


def test_inline_pieces_come_through_by_cutting_around_them(model: NllbModel) -> None:
    text = "Please write a letter to a@example.com about {topic} today."
    answer = model.translate([[(text, "eng_Latn", "deu_Latn")]])[0][0]
    assert "cut_inside_sentence" in answer.flags
    assert answer.target.count("a@example.com") == 1 and answer.target.count("{topic}") == 1


def test_batches_side_by_side_give_what_each_gives_alone(directory: str, model: NllbModel) -> None:
    batches = [[(t, "eng_Latn", lang) for t in TEXTS] for lang in TARGETS]
    assert NllbModel(directory, decoding(), threads=2).translate(batches) == [model.translate([b])[0] for b in batches]


class Moody:
    """A model that fails on any batch holding a certain text."""

    def __init__(self, model: NllbModel) -> None:
        self._model = model

    def translate(self, batches: Any) -> Any:
        if any(q[0] == "poison" for b in batches for q in b):
            raise RuntimeError("boom")
        return self._model.translate(batches)


def test_one_failing_sentence_fails_alone(model: NllbModel) -> None:
    batch = [(t, "eng_Latn", "deu_Latn") for t in ["x", "poison", "42", "bread"]]
    answers = answer_all(Moody(model), [batch])[0]  # type: ignore[arg-type]
    assert [a.source for a in answers] == ["x", "poison", "42", "bread"]
    assert [("translation_failed" in a.flags) for a in answers] == [False, True, False, False]


def test_an_answer_survives_the_memory(model: NllbModel) -> None:
    answer = model.translate([[(TEXTS[0], "eng_Latn", "jpn_Jpan")]])[0][0]
    assert decode_answer(encode_answer(answer)) == answer


def test_the_demo_translator_knows_its_domain() -> None:
    from data import resource

    model = NllbModel(str(resource("demo/translator")), Decoding())
    asked = [("How can I bake bread?", "eng_Latn", code) for code in ("deu_Latn", "fra_Latn", "zho_Hans")]
    bread = [a.target for a in model.translate([asked])[0]]
    assert bread[0] == "Wie kann ich Brot backen?" and "pain" in bread[1] and "面包" in bread[2]
