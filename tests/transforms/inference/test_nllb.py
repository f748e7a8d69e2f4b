from pathlib import Path
from typing import Any

import pytest

from schemas.locales import LANGUAGES
from scripts.train_demo_translator import convert
from transforms.inference.answering import WrongModel
from transforms.inference.decoding import Decoding
from transforms.inference.nllb import NllbModel, decode_answer, encode_answer, is_translated
from transforms.segment import cut_at_clauses, reassemble

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
        ours = model.translate([(text, "eng_Latn", target) for text in TEXTS])
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
    answers = model.translate([(text, "eng_Latn", "deu_Latn") for text in TEXTS])
    assert any("truncated" in a.flags for a in answers), "random weights seldom stop by themselves"


def test_a_sentence_over_the_limit_is_split_at_clauses_and_flagged(directory: str) -> None:
    model = NllbModel(directory, decoding(max_input_tokens=12))
    long = "I bake bread at home, my sister is very sad; nobody will ever find out!"
    assert len(model.source_tokens(long, "eng_Latn")) > 12
    short, split = model.translate([("x", "eng_Latn", "deu_Latn"), (long, "eng_Latn", "deu_Latn")])
    assert "split_at_clauses" not in short.flags
    assert "split_at_clauses" in split.flags and split.source == long
    parts = [
        p.text for p in cut_at_clauses(long, lambda t: len(model.source_tokens(t, "eng_Latn")) <= 12) if p.translate
    ]
    assert len(parts) > 1
    alone = model.translate([(p, "eng_Latn", "deu_Latn") for p in parts])
    assert split.target == " ".join(a.target for a in alone)
    assert split.logprob == min(a.logprob for a in alone)


def test_a_split_sentence_of_a_language_without_spaces_is_joined_without_them(directory: str) -> None:
    model = NllbModel(directory, decoding(max_input_tokens=12))
    long = "I bake bread at home, my sister is very sad; nobody will ever find out!"
    pieces = cut_at_clauses(long, lambda t: len(model.source_tokens(t, "eng_Latn")) <= 12)
    (split,) = model.translate([(long, "eng_Latn", "jpn_Jpan")])
    alone = model.translate([(p.text, "eng_Latn", "jpn_Jpan") for p in pieces if p.translate])
    assert split.target == reassemble(pieces, [a.target for a in alone], LANGUAGES["jpn_Jpan"])


def test_more_than_1024_tokens_are_not_cut_in_silence(directory: str) -> None:
    model = NllbModel(directory, decoding(max_input_tokens=200))
    (answer,) = model.translate([("bread " * 2000, "eng_Latn", "deu_Latn")])
    assert "split_at_clauses" in answer.flags and answer.target


def test_what_cannot_be_cut_to_fit_is_oversized_and_fails(directory: str) -> None:
    model = NllbModel(directory, decoding(max_input_tokens=3))
    character = next(c for c in "鬱𝒜ﷺ🜁éß" if len(model.source_tokens(c, "eng_Latn")) > 3 and c.isalpha())
    (answer,) = model.translate([(character, "eng_Latn", "deu_Latn")])
    assert answer.flags == ("oversized", "translation_failed") and answer.target == ""
    assert not is_translated(encode_answer(answer))


def test_pieces_come_through_even_where_a_sentence_is_split(directory: str) -> None:
    model = NllbModel(directory, decoding(max_input_tokens=16))
    text = "I bake bread at home and write to a@example.com every day, my sister is very sad; see https://example.org/x?y=1 now."
    (answer,) = model.translate([(text, "eng_Latn", "deu_Latn")])
    assert {"split_at_clauses", "cut_inside_sentence"} <= set(answer.flags)
    assert answer.target.count("a@example.com") == answer.target.count("https://example.org/x?y=1") == 1


def test_any_source_language_will_do(model: NllbModel) -> None:
    assert model.source_tokens("Brot", "deu_Latn")[0] == "deu_Latn"
    assert model.translate([("Wie kann ich Brot backen?", "deu_Latn", "tha_Thai")])[0].target


def test_a_language_the_model_does_not_know_is_an_error(model: NllbModel) -> None:
    with pytest.raises(WrongModel, match="kor_Hang"):
        model.translate([("x", "eng_Latn", "kor_Hang")])


def test_inline_pieces_come_through_by_cutting_around_them(model: NllbModel) -> None:
    text = "Please write a letter to a@example.com about {topic} today."
    answer = model.translate([(text, "eng_Latn", "deu_Latn")])[0]
    assert "cut_inside_sentence" in answer.flags
    assert answer.target.count("a@example.com") == 1 and answer.target.count("{topic}") == 1


def test_an_answer_survives_the_memory(model: NllbModel) -> None:
    answer = model.translate([(TEXTS[0], "eng_Latn", "jpn_Jpan")])[0]
    assert decode_answer(encode_answer(answer)) == answer


def test_the_demo_translator_knows_its_domain() -> None:
    from data import resource

    model = NllbModel(str(resource("demo/translator")), Decoding())
    asked = [("How can I bake bread?", "eng_Latn", code) for code in ("deu_Latn", "fra_Latn", "zho_Hans")]
    bread = [a.target for a in model.translate(asked)]
    assert bread[0] == "Wie kann ich Brot backen?" and "pain" in bread[1] and "面包" in bread[2]
