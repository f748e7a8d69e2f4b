"""How translations are searched for: the settings that shape an answer, without the engine that gives it."""

from __future__ import annotations

from dataclasses import dataclass

# What is done around the engine: where a sentence is cut and how its parts are joined. Raised when a sentence that is
# remembered would come out otherwise (a test holds the cuts against it), so that no memory answers with old ones.
RECIPE = 2


@dataclass(frozen=True)
class Decoding:
    """Decoding settings. Every field is part of the fingerprint.

    Limits are in tokens and explicit, because CTranslate2's own (1,024 in, 256 out) cut in silence.

    Attributes:
        compute_type: CTranslate2's: int8, float32, float16 (GPU), ...
        patience: of the beam search; 1 stops at the first finished hypotheses, and was measured to lose words.
        batch_tokens: padded tokens a batch.
    """

    compute_type: str = "int8"
    beam_size: int = 4
    patience: float = 2.0
    length_penalty: float = 1.0
    coverage_penalty: float = 0.0
    repetition_penalty: float = 1.0
    no_repeat_ngram_size: int = 0
    max_input_tokens: int = 512
    max_output_tokens: int = 512
    batch_tokens: int = 2048
