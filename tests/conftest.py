"""What several test modules share and is slow to make."""

from pathlib import Path
from typing import Any

import pytest

from scripts.phrasebook import load
from scripts.train_demo_translator import make_tokenizer


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random-weight checkpoint of the NLLB architecture, with a tokenizer of its own."""
    import torch
    from transformers import M2M100Config, M2M100ForConditionalGeneration

    folder = tmp_path_factory.mktemp("nllb")
    corpus = folder / "corpus.txt"
    corpus.write_text(
        "\n".join(
            t for code in ("eng_Latn", "deu_Latn", "tha_Thai", "jpn_Jpan") for t in load(code)["templates"].values()
        ),
        "utf-8",
    )
    tokenizer: Any = make_tokenizer(folder / "hf", corpus, 1500)
    torch.manual_seed(4)
    config = M2M100Config(
        vocab_size=len(tokenizer), d_model=64, encoder_layers=2, decoder_layers=2, encoder_ffn_dim=128, decoder_ffn_dim=128,
        encoder_attention_heads=4, decoder_attention_heads=4, max_position_embeddings=256, activation_function="relu",
        scale_embedding=True, encoder_layerdrop=0.0, decoder_layerdrop=0.0, decoder_start_token_id=2, bos_token_id=0,
        pad_token_id=1, eos_token_id=2, tie_word_embeddings=True, init_std=0.3,
    )  # fmt: skip
    M2M100ForConditionalGeneration(config).save_pretrained(folder / "hf")
    return folder / "hf"
