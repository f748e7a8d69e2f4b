"""The one table of scores. The Arrow schema, the threshold files, the docs and the report are generated from it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Score:
    """One score of one text.

    Attributes:
        name: column name within `scores_prompt` and `scores_response`.
        low, high: range (None: open).
        better: "high" or "low".
        crosses: whether it compares two languages, and so does not apply where nothing was translated.
        reason: what Judge says when the score is beyond its threshold; None for scores that are only reported.
        about: what it measures and where the method is from.
        adapted: whether it compares the source with the adapted text, and so applies only where something was exchanged.
        by_judge: whether only the language model of the config's `judge` gives it.
    """

    name: str
    low: float | None
    high: float | None
    better: str
    crosses: bool
    reason: str | None
    about: str
    adapted: bool = False
    by_judge: bool = False

    @property
    def by_score(self) -> bool:
        """Whether it is computed from a text and its translation: no guard of the adaptation, no mark of the judge."""
        return not self.adapted and not self.by_judge

    def beyond(self, value: float, threshold: float) -> bool:
        """Whether a value is worse than the threshold. The threshold itself passes."""
        return value < threshold if self.better == "high" else value > threshold


SCORES = (
    Score(
        "lid_fasttext",
        0,
        1,
        "high",
        False,
        "wrong_language",
        "Probability that fastText lid.176 gives to the expected language, its dialect labels summed.",
    ),
    Score(
        "lid_langdetect",
        0,
        1,
        "high",
        False,
        None,
        "Probability that langdetect (seed 0) gives to the expected language. Reported; disagrees often on short text.",
    ),
    Score(
        "foreign",
        -1,
        1,
        "low",
        False,
        "foreign_sentence",
        "By how much fastText finds another language likelier than the expected one in the worst sentence; short ones count less.",
    ),
    Score(
        "script_share",
        0,
        1,
        "high",
        False,
        "wrong_script",
        "Share of letters in the language's scripts, inline pieces and kept names left out.",
    ),
    Score(
        "similarity",
        -1,
        1,
        "high",
        True,
        "meaning_differs",
        "Cosine of sentence embeddings of the adapted text and the translation, in the space that the encoder has for it.",
    ),
    Score(
        "similarity_min", -1, 1, "high", True, "sentence_differs", "The smallest such cosine over the text's sentences."
    ),
    Score(
        "coverage",
        None,
        0,
        "high",
        True,
        "sentence_unmatched",
        "How much worse the sentences of both sides fit each other than if some were left out: what was dropped or added shows here.",
    ),
    Score(
        "length_ratio",
        0,
        None,
        "high",
        True,
        "too_short",
        "Characters of the translation over the expected number for this language: under-translation shows here.",
    ),
    Score(
        "length_excess",
        0,
        None,
        "low",
        True,
        "too_long",
        "Characters of the translation over the expected number, judged from above: additions and loops show here.",
    ),
    Score(
        "copy",
        0,
        1,
        "low",
        True,
        "copied",
        "Share of the source's words of four letters or more that stand unchanged in the translation, expected ones left out.",
    ),
    Score(
        "repetition",
        0,
        1,
        "low",
        False,
        "repeats",
        "Share of the text's word 4-grams (character 12-grams where words are not spaced) that are repeats, beyond the source's.",
    ),
    Score(
        "loops",
        0,
        1,
        "low",
        False,
        "loops",
        "Share of the text that only says again what stands right before it, beyond the source's.",
    ),
    Score(
        "broken",
        0,
        None,
        "low",
        False,
        "broken_text",
        "Characters that are no text: UTF-8 read as another encoding, replacement characters, code points that stand for nothing.",
    ),
    Score(
        "invisible",
        0,
        None,
        "low",
        False,
        "invisible_characters",
        "Invisible characters that no script, emoji or layout in the text explains, beyond the source's.",
    ),
    Score(
        "ending",
        0,
        1,
        "high",
        True,
        "ends_otherwise",
        "Whether the text ends as its source does, with a mark that ends a sentence or without: what is cut off has none. Not for Thai.",
    ),
    Score(
        "lines",
        0,
        1,
        "high",
        True,
        "lines_differ",
        "Lines with text on the side with fewer of them over those of the other.",
    ),
    Score(
        "emoji",
        0,
        1,
        "high",
        True,
        "emoji_differ",
        "Emoji that both sides have over those of the side with more.",
    ),
    Score(
        "variant",
        0,
        1,
        "high",
        False,
        "wrong_variant",
        "Share of the Chinese characters that tell Simplified (GB 2312) from Traditional (Big5) writing which are the language's own.",
    ),
    Score(
        "numbers",
        0,
        1,
        "high",
        True,
        "numbers_differ",
        "Share of the numbers in digits that did not become others: digits of all scripts, separators, magnitudes, times, decades read.",
    ),
    Score(
        "numbers_found",
        0,
        1,
        "high",
        True,
        "number_missing",
        "Share of the numbers in digits of either side that the other has too, in digits or written out.",
    ),
    Score(
        "negation",
        0,
        1,
        "high",
        True,
        "negation_lost",
        "Share of the negated sentences whose translation has something that may negate it.",
    ),
    Score(
        "names",
        0,
        1,
        "high",
        True,
        "name_changed",
        "Share of the names that did not become others. Of English sources; names that other languages spell their own way do not count.",
    ),
    Score(
        "verbatim",
        0,
        1,
        "high",
        False,
        "piece_lost",
        "Share of URLs, addresses, code and placeholders that the translation holds exactly as often as the source.",
    ),
    Score(
        "edits_kept",
        0,
        1,
        "high",
        True,
        "edit_lost",
        "Share of the culture edits whose native form is in the translation.",
    ),
    Score("unknown_tokens", 0, None, "low", True, "unknown_tokens", "Unknown tokens in the translation."),
    Score(
        "decoder",
        None,
        0,
        "high",
        True,
        "decoder_unsure",
        "Mean log-probability per token, in nats, of the least certain sentence.",
    ),
    Score(
        "decoder_worst",
        None,
        0,
        "high",
        True,
        "token_unsure",
        "Log-probability, in nats, of the least certain token of all sentences.",
    ),
    Score(
        "toxicity_added",
        0,
        None,
        "low",
        True,
        "toxicity_added",
        "Unsafe concepts that the translation names and the source does not (ETOX, arXiv 2210.03070, by concept).",
    ),
    Score(
        "toxicity_lost",
        0,
        None,
        "low",
        True,
        "toxicity_lost",
        "Unsafe concepts that the source names and the translation does not.",
    ),
    Score(
        "faith",
        1,
        5,
        "high",
        True,
        "judged_poor",
        "The worst of the judge's five marks: fluency, accuracy, idiomaticity, terminology, handling of format (FAITH, arXiv 2507.14304; "
        "config: judge).",
        by_judge=True,
    ),
    Score(
        "label_survives",
        0,
        1,
        "high",
        True,
        "label_lost",
        "Whether the judge gives the translation the label that the source has (config: judge.label).",
        by_judge=True,
    ),
    Score(
        "residual",
        0,
        None,
        "low",
        False,
        "culture_left",
        "Spans of the source culture that an adapted text still holds, those left apart that Adapt decided to keep.",
        adapted=True,
    ),
    Score(
        "changed_outside",
        0,
        None,
        "low",
        False,
        "changed_outside_edits",
        "Characters that differ between source and adapted text outside the listed edits.",
        adapted=True,
    ),
    Score(
        "adapted_similarity",
        -1,
        1,
        "high",
        False,
        "adaptation_differs",
        "Cosine of sentence embeddings of the source and the adapted text, both English.",
        adapted=True,
    ),
    Score(
        "adapted_length",
        0,
        None,
        "low",
        False,
        "adaptation_length",
        "How far the adapted text's length is from the source's: the longer over the shorter, in characters, less one.",
        adapted=True,
    ),
    Score(
        "evidence_kept",
        0,
        1,
        "high",
        False,
        "evidence_lost",
        "Share of the unsafe concepts of the source that the adapted text names too: what makes the label.",
        adapted=True,
    ),
    Score(
        "label_kept",
        0,
        1,
        "high",
        False,
        "label_changed",
        "Whether a language model that judges the adapted row gives the label that the source has (config: label_check).",
        adapted=True,
    ),
)
BY_NAME = {score.name: score for score in SCORES}
