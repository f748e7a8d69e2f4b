"""Translates with any model of the NLLB architecture through CTranslate2."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from schemas.locales import LANGUAGES
from schemas.rows import Segment
from transforms.inference.answering import WrongModel
from transforms.inference.batches import Request
from transforms.inference.decoding import Decoding
from transforms.inline import all_pieces_kept
from transforms.segment import Piece, cut_at_clauses, cut_at_pieces, reassemble

# (text, FLORES-200 code of its language, code of the target)
Question = tuple[str, str, str]


# Tokens of a part, once a sentence must be cut: of parts near the limit the model drops most.
_PART = 100


class NllbModel:
    """A CTranslate2 model directory with its `tokenizer.json`.

    Args:
        directory: local model directory.
        device: "cpu", "cuda" or "auto".
        threads: batches that may be translated side by side; changes the speed, not the answers.
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
            WrongModel: the model was not trained with it.
        """
        if self._tokenizer.token_to_id(language) is None:
            raise WrongModel(f"the model has no token for {language!r}: it cannot translate from or into it")
        return language

    def source_tokens(self, text: str, language: str) -> list[str]:
        """Tokens as NLLB was trained: `[language] pieces </s>`."""
        pieces = self._tokenizer.encode(text, add_special_tokens=False).tokens
        return [self.language_token(language), *pieces, "</s>"]

    def answer(self, requests: Sequence[Request]) -> dict[str, bytes]:
        """Answers requests whose content is (text, source language, target language) as one batch."""
        segments = self.translate([(r.content[0], r.content[1], r.content[2]) for r in requests])
        return {r.key: encode_answer(s) for r, s in zip(requests, segments, strict=True)}

    def translate(self, questions: Sequence[Question]) -> list[Segment]:
        """Translates one batch; it is decoded in one piece, so its company alone shapes its floats.

        A sentence over the limit is cut at clause boundaries (flag `split_at_clauses`), one whose inline pieces did not
        come through is cut at them (`cut_inside_sentence`); its parts are a batch of their own.

        Returns:
            A segment for every question, in order. One that cannot be cut to fit, or came out empty, has flags and no
            target.
        """
        limit = self._decoding.max_input_tokens
        part = min(limit, _PART)
        tokens = [self.source_tokens(text, source) for text, source, _ in questions]
        fitting = [i for i, t in enumerate(tokens) if len(t) <= limit]
        decoded = self._decode([tokens[i] for i in fitting], [questions[i] for i in fitting])
        answers: list[Segment] = []
        for question in questions:
            text, source, _ = question
            segment = decoded.get(question)
            pieces, flag = [Piece(text, True)], ""
            if segment is None:
                pieces = cut_at_clauses(text, lambda t, s=source: len(self.source_tokens(t, s)) <= part)  # type: ignore[misc]
                flag = "split_at_clauses"
            elif segment.target and not all_pieces_kept(text, segment.target):
                pieces, flag = cut_at_pieces(text), "cut_inside_sentence"
            if [p.text for p in pieces if p.translate] != [text]:
                segment = self._by_pieces(question, pieces, flag)
            elif segment is None:
                segment = Segment(text, "", 0.0, 0.0, 0, ("oversized", "translation_failed"))
            answers.append(segment)
        return answers

    def _by_pieces(self, question: Question, pieces: Sequence[Piece], flag: str) -> Segment:
        """Translates the pieces of a sentence each on its own and puts them together."""
        text, source, target = question
        asked = [p.text for p in pieces if p.translate]
        parts = self.translate([(t, source, target) for t in dict.fromkeys(asked)])
        by_text = {p.source: p for p in parts}
        flags = {flag, *(f for p in parts for f in p.flags)}
        made = reassemble(pieces, [by_text[t].target for t in asked], LANGUAGES.get(target))
        return Segment(
            text, "" if "translation_failed" in flags else made,
            min((p.logprob for p in parts), default=0.0), min((p.worst for p in parts), default=0.0),
            sum(by_text[t].unknown for t in asked), tuple(sorted(flags)),
        )  # fmt: skip

    def _decode(self, tokens: Sequence[list[str]], questions: Sequence[Question]) -> dict[Question, Segment]:
        if not tokens:
            return {}
        d = self._decoding
        found = self._translator.translate_batch(
            tokens,
            target_prefix=[[self.language_token(target)] for _, _, target in questions],
            beam_size=d.beam_size, patience=d.patience, length_penalty=d.length_penalty,
            coverage_penalty=d.coverage_penalty, repetition_penalty=d.repetition_penalty,
            no_repeat_ngram_size=d.no_repeat_ngram_size, max_input_length=0, max_decoding_length=d.max_output_tokens,
            return_scores=True,
        )  # fmt: skip
        hypotheses = [f.hypotheses[0] for f in found]
        forced = self._translator.score_batch(tokens, hypotheses)
        return {
            q: self._segment(q[0], h, f.scores[0], s.log_probs)
            for q, h, f, s in zip(questions, hypotheses, found, forced, strict=True)
        }

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


def is_translated(answer: bytes) -> bool:
    """Whether an encoded answer holds a translation: failed ones are tried again on the next run."""
    return "translation_failed" not in decode_answer(answer).flags
