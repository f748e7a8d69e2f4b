"""Translates with any model of the NLLB architecture through CTranslate2."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from apache_beam.ml.inference.base import ModelHandler, PredictionResult

from schemas.rows import Segment
from transforms.inference.batches import Batch
from transforms.inference.decoding import Decoding
from transforms.inline import INLINE, pieces_kept


class UnknownLanguage(ValueError):
    """A model's vocabulary has no token for a language."""


class NllbModel:
    """A CTranslate2 model directory with its `tokenizer.json`.

    Args:
        directory: local model directory.
        device: "cpu", "cuda" or "auto".
        threads: batches translated side by side; changes the speed, not the answers.
        intra_threads: CPU threads within one batch.
    """

    def __init__(
        self, directory: str, decoding: Decoding, device: str = "cpu", threads: int = 1, intra_threads: int = 1
    ) -> None:
        import ctranslate2
        from tokenizers import Tokenizer

        self._decoding = decoding
        self._tokenizer = Tokenizer.from_file(str(Path(directory) / "tokenizer.json"))
        self._translator = ctranslate2.Translator(
            directory, device=device, compute_type=decoding.compute_type, inter_threads=threads,
            intra_threads=intra_threads,
        )  # fmt: skip

    def language_token(self, language: str) -> str:
        """The token of a FLORES-200 code.

        Raises:
            UnknownLanguage: the model was not trained with it.
        """
        if self._tokenizer.token_to_id(language) is None:
            raise UnknownLanguage(f"the model has no token for {language!r}: it cannot translate from or into it")
        return language

    def source_tokens(self, text: str, language: str) -> list[str]:
        """Tokens as NLLB was trained: `[language] pieces </s>`."""
        pieces = self._tokenizer.encode(text, add_special_tokens=False).tokens
        return [self.language_token(language), *pieces, "</s>"]

    def translate(self, questions: Sequence[Sequence[tuple[str, str, str]]]) -> list[list[Segment]]:
        """Translates batches side by side; each batch is decoded in one piece, so its company alone shapes its floats.

        Args:
            questions: batches of (text, source language, target language).

        Returns:
            A segment for every question, in order. One that is too long or came out empty has flags and no target.
        """
        first = self._decode(questions)
        for batch, answers in zip(questions, first, strict=True):
            lost = [
                i for i, (q, a) in enumerate(zip(batch, answers, strict=True))
                if a.target and pieces_kept(q[0], a.target)[0] < pieces_kept(q[0], a.target)[1]
            ]  # fmt: skip
            for i in lost:
                answers[i] = self._around_pieces(*batch[i])
        return first

    def _around_pieces(self, text: str, source: str, target: str) -> Segment:
        """Translates the stretches between inline pieces one by one, so that the pieces themselves come through."""
        cut = [(m.start(), m.end()) for m in INLINE.finditer(text)]
        bounds = [0, *(b for pair in cut for b in pair), len(text)]
        stretches = [text[a:b] for a, b in itertools.pairwise(bounds)]
        asked = [i for i in range(0, len(stretches), 2) if any(map(str.isalpha, stretches[i]))]
        parts = self._decode([[(stretches[i].strip(), source, target) for i in asked]])[0] if asked else []
        flags = {"cut_inside_sentence", *(f for p in parts for f in p.flags)}
        for i, part in zip(asked, parts, strict=True):
            bare = stretches[i].strip()
            stretches[i] = stretches[i].replace(bare, part.target, 1) if part.target else ""
        return Segment(
            text, "" if "translation_failed" in flags else "".join(stretches),
            min((p.logprob for p in parts), default=0.0), min((p.worst for p in parts), default=0.0),
            sum(p.unknown for p in parts), tuple(sorted(flags)),
        )  # fmt: skip

    def _decode(self, batches: Sequence[Sequence[tuple[str, str, str]]]) -> list[list[Segment]]:
        d = self._decoding
        tokens = [[self.source_tokens(text, src) for text, src, _ in batch] for batch in batches]
        kept = [[i for i, t in enumerate(batch) if len(t) <= d.max_input_tokens] for batch in tokens]
        running = [
            self._translator.translate_batch(
                [batch[i] for i in indices],
                target_prefix=[[self.language_token(questions[i][2])] for i in indices],
                beam_size=d.beam_size, patience=d.patience, length_penalty=d.length_penalty,
                repetition_penalty=d.repetition_penalty, no_repeat_ngram_size=d.no_repeat_ngram_size,
                max_input_length=0, max_decoding_length=d.max_output_tokens, return_scores=True, asynchronous=True,
            )
            for batch, indices, questions in zip(tokens, kept, batches, strict=True)
        ]  # fmt: skip
        answers = []
        for batch, indices, questions, futures in zip(tokens, kept, batches, running, strict=True):
            found = [f.result() for f in futures]
            hypotheses = [f.hypotheses[0] for f in found]
            forced = self._translator.score_batch([batch[i] for i in indices], hypotheses) if indices else []
            answer = [Segment(q[0], "", 0.0, 0.0, 0, ("oversized", "translation_failed")) for q in questions]
            for i, result, hypothesis, scored in zip(indices, found, hypotheses, forced, strict=True):
                answer[i] = self._segment(questions[i][0], hypothesis, result.scores[0], scored.log_probs)
            answers.append(answer)
        return answers

    def _segment(self, source: str, hypothesis: list[str], score: float, log_probs: list[float]) -> Segment:
        pieces = hypothesis[1:]  # the first token is the target language
        ids = [self._tokenizer.token_to_id(p) for p in pieces]
        unknown = sum(i is None or p == "<unk>" for i, p in zip(ids, pieces, strict=True))
        target = self._tokenizer.decode([i for i in ids if i is not None], skip_special_tokens=True).strip()
        flags = []
        if len(hypothesis) >= self._decoding.max_output_tokens:
            flags.append("truncated")
        if not target:
            flags.append("translation_failed")
        # The first log-probability is of the language token, which was forced.
        worst = min(log_probs[1:], default=-math.inf)
        return Segment(source, target, round(score, 4), round(worst, 4), unknown, tuple(flags))


def encode_answer(segment: Segment) -> bytes:
    """A segment as bytes for the memory."""
    return json.dumps(asdict(segment), ensure_ascii=False, sort_keys=True).encode("utf-8")


def decode_answer(answer: bytes) -> Segment:
    """Reads what `encode_answer` wrote."""
    raw = json.loads(answer)
    return Segment(**{**raw, "flags": tuple(raw["flags"])})


class NllbHandler(ModelHandler[Batch, PredictionResult, NllbModel]):
    """Answers batches of requests whose content is (text, source language, target language)."""

    def __init__(self, directory: str, decoding: Decoding, device: str, threads: int, intra_threads: int) -> None:
        super().__init__(min_batch_size=1, max_batch_size=4 * threads)
        self._arguments = (directory, decoding, device, threads, intra_threads)

    def load_model(self) -> NllbModel:
        return NllbModel(*self._arguments)

    def run_inference(
        self, batch: Sequence[Batch], model: NllbModel, inference_args: dict[str, Any] | None = None
    ) -> Iterable[PredictionResult]:
        asked = [[(r.content[0], r.content[1], r.content[2]) for r in b.unknown()] for b in batch]
        answers = answer_all(model, asked)
        results = [
            PredictionResult(b, {r.key: encode_answer(s) for r, s in zip(b.unknown(), a, strict=True)})
            for b, a in zip(batch, answers, strict=True)
        ]
        assert len(results) == len(batch)
        return results

    def get_num_bytes(self, batch: Sequence[Batch]) -> int:
        return sum(r.size for b in batch for r in b.requests)

    def get_metrics_namespace(self) -> str:
        return "translate"

    def validate_inference_args(self, inference_args: Mapping[str, Any] | None) -> None:
        if inference_args:
            raise ValueError("decoding options belong in the config, not in inference_args")


def answer_all(model: NllbModel, batches: Sequence[Sequence[tuple[str, str, str]]]) -> list[list[Segment]]:
    """Translates; a failing batch is bisected until only the failing sentence is left, which becomes a failed segment."""
    try:
        return model.translate(batches)
    except UnknownLanguage:
        raise
    except Exception:
        if len(batches) > 1:
            return [answer_all(model, [b])[0] for b in batches]
        batch = list(batches[0])
        if len(batch) <= 1:
            return [[Segment(text, "", 0.0, 0.0, 0, ("translation_failed",)) for text, _, _ in batch]]
        middle = len(batch) // 2
        return [answer_all(model, [batch[:middle]])[0] + answer_all(model, [batch[middle:]])[0]]
