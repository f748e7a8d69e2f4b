"""Trains the demo translator: a small NLLB-architecture model for the phrase book's sentences in all eight languages.

`python -m scripts.train_demo_translator --minutes 40` writes data/demo/translator (CTranslate2, int8). It needs two cores,
3 GB and no network. The architecture is NLLB's (M2M100, pre-norm, sinusoidal positions, tied embeddings, language tokens),
only smaller, so that the code which runs it is the code which runs the real models.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from schemas.hashing import number
from scripts.phrasebook import LOCALES, choose, fill, load, slot_values
from transforms.culture_pack import load_pack

OUT = Path(__file__).parent.parent / "data" / "demo" / "translator"
# One in HELD_OUT combinations of a template with many combinations is never trained on.
HELD_OUT = 15
SEED = 20
# Sentences of a template with few combinations are repeated up to so many, or they are not learned.
LEAST = 80


def is_held_out(english: str, combinations: int) -> bool:
    """Whether an English sentence is kept for the evaluation, in every language alike."""
    return combinations >= 60 and number("held out", english) % HELD_OUT == 0


def pairs(language: str, per_template: int, held_out: bool, rng: random.Random) -> Iterator[tuple[str, str, str]]:
    """Yields (template id, English, target) drawn from the phrase book, each once: the held-out ones or the others."""
    pack = load_pack(LOCALES[language])
    values, english, own = slot_values(language, pack), load("eng_Latn"), load(language)
    for key, template in english["templates"].items():
        combinations, seen = 1, set()
        drawn = [choose(template, values, pack, rng) for _ in range(per_template * (HELD_OUT if held_out else 1))]
        for name in drawn[0]:
            combinations *= len({d[name] for d in drawn})
        for chosen in drawn:
            source = fill(template, chosen, native=False)
            if source not in seen and is_held_out(source, combinations) == held_out:
                seen.add(source)
                yield key, source, fill(own["templates"][key], chosen, native=True)


def make_tokenizer(folder: Path, corpus: Path, vocabulary: int) -> Any:
    """Trains a sentencepiece BPE model and wraps it as an NllbTokenizer with our language codes."""
    import sentencepiece
    from transformers import NllbTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    sentencepiece.SentencePieceTrainer.train(
        input=str(corpus), model_prefix=str(folder / "sp"), vocab_size=vocabulary, hard_vocab_limit=False,
        model_type="bpe", normalization_rule_name="identity", character_coverage=1.0, split_digits=True, num_threads=2, minloglevel=2,
        input_sentence_size=400_000,
    )  # fmt: skip
    shutil.copy(folder / "sp.model", folder / "sentencepiece.bpe.model")
    # transformers 5 knows no language code that this list lacks, and takes it for <unk> without a word.
    settings = {"tokenizer_class": "NllbTokenizer", "src_lang": "eng_Latn", "tgt_lang": "deu_Latn",
                "extra_special_tokens": ["eng_Latn", *LOCALES]}  # fmt: skip
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    tokenizer = NllbTokenizer.from_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return tokenizer


def balanced(language: str, per_template: int, rng: random.Random) -> list[tuple[str, str]]:
    """Training pairs of a language: at most `per_template` of a template, and at least LEAST, repeats included."""
    found: dict[str, list[tuple[str, str]]] = {}
    for key, source, target in pairs(language, per_template, False, rng):
        found.setdefault(key, []).append((source, target))
    return [pair for rows in found.values() for pair in rows * max(1, LEAST // len(rows))]


def train(minutes: float, per_template: int, folder: Path, resume: Path | None = None) -> Path:
    """Trains for so many minutes, from the start or on from a kept checkpoint; returns the checkpoint's folder."""
    import torch
    from transformers import AutoTokenizer, M2M100Config, M2M100ForConditionalGeneration

    random.seed(SEED)
    torch.manual_seed(SEED)
    torch.set_num_threads(2)
    rng = random.Random(SEED)
    data = {lang: balanced(lang, per_template, rng) for lang in LOCALES}
    corpus = folder / "corpus.txt"
    corpus.write_text("\n".join(x for rows in data.values() for pair in rows for x in pair), "utf-8")
    checkpoint = folder / "hf"
    tok = make_tokenizer(checkpoint, corpus, 6000) if resume is None else AutoTokenizer.from_pretrained(resume)
    eos, pad = 2, 1
    config = M2M100Config(
        vocab_size=len(tok), d_model=256, encoder_layers=3, decoder_layers=3, encoder_ffn_dim=1024, decoder_ffn_dim=1024,
        encoder_attention_heads=4, decoder_attention_heads=4, max_position_embeddings=1024, activation_function="relu",
        scale_embedding=True, dropout=0.1, attention_dropout=0.0, encoder_layerdrop=0.0, decoder_layerdrop=0.0,
        decoder_start_token_id=eos, bos_token_id=0, pad_token_id=pad, eos_token_id=eos, tie_word_embeddings=True,
    )  # fmt: skip
    if resume is None:
        model = M2M100ForConditionalGeneration(config)
    else:
        tok.save_pretrained(checkpoint)
        model = M2M100ForConditionalGeneration.from_pretrained(resume, config=config)
    print({k: len(v) for k, v in data.items()}, "vocabulary", len(tok),
          "parameters", sum(p.numel() for p in model.parameters()), flush=True)  # fmt: skip
    code = {lang: tok.convert_tokens_to_ids(lang) for lang in ("eng_Latn", *LOCALES)}
    examples = []
    for lang, rows in data.items():
        sources = tok([s for s, _ in rows], add_special_tokens=False).input_ids
        targets = tok([t for _, t in rows], add_special_tokens=False).input_ids
        for s, t in zip(sources, targets, strict=True):
            examples.append(([code["eng_Latn"], *s, eos], [code[lang], *t, eos]))

    def padded(rows: list[list[int]]) -> torch.Tensor:
        width = max(map(len, rows))
        return torch.tensor([r + [pad] * (width - len(r)) for r in rows])

    def batches() -> Iterator[list[int]]:
        order = list(range(len(examples)))
        random.shuffle(order)
        pools = [
            sorted(order[i : i + 96 * 24], key=lambda j: len(examples[j][1])) for i in range(0, len(order), 96 * 24)
        ]
        cut = [pool[i : i + 96] for pool in pools for i in range(0, len(pool), 96)]
        random.shuffle(cut)
        return iter(cut)

    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.98), weight_decay=0.01)
    model.train()
    peak = 1.2e-3 if resume is None else 8e-4
    started, step, turn = time.time(), 0, batches()
    while (spent := (time.time() - started) / (60 * minutes)) < 1:
        chosen = next(turn, None)
        if chosen is None:
            turn = batches()
            continue
        rate = peak * min(1, (step + 1) / 300) * (0.5 * (1 + math.cos(math.pi * spent)) + 0.01)
        for group in optimizer.param_groups:
            group["lr"] = rate
        x, y = padded([examples[i][0] for i in chosen]), padded([examples[i][1] for i in chosen])
        shifted = torch.cat([torch.full((len(chosen), 1), eos), y[:, :-1]], 1)
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(
                input_ids=x, attention_mask=(x != pad).long(), decoder_input_ids=shifted, use_cache=False
            ).logits
        loss = torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), y.flatten(), ignore_index=pad,
                                                 label_smoothing=0.05)  # fmt: skip
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        step += 1
        if step % 200 == 0 or step in (20, 50, 100):
            print(f"step {step} {time.time() - started:.0f} s loss {loss.item():.3f} "
                  f"epoch {step * 96 / len(examples):.2f}", flush=True)  # fmt: skip
    model.eval()
    model.save_pretrained(checkpoint)
    return checkpoint


def convert(checkpoint: Path, out: Path, quantization: str = "int8") -> None:
    """Converts a checkpoint to a CTranslate2 directory that holds its tokenizer too."""
    import ctranslate2

    converter = ctranslate2.converters.TransformersConverter(str(checkpoint), copy_files=["tokenizer.json"])
    converter.convert(str(out), quantization=quantization, force=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=40)
    parser.add_argument("--per-template", type=int, default=200)
    parser.add_argument("--resume", type=Path, help="go on from a kept checkpoint")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--keep", type=Path, help="keep the Hugging Face checkpoint in this folder")
    args = parser.parse_args()
    folder = args.keep or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    keep = {p.name: p.read_bytes() for p in args.out.glob("*.md")} if args.out.exists() else {}
    convert(train(args.minutes, args.per_template, folder, args.resume), args.out)
    for name, content in keep.items():
        (args.out / name).write_bytes(content)
    print("wrote", args.out, sum(p.stat().st_size for p in args.out.iterdir()) >> 10, "KiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
