"""How many rows a second the scores take, and what the encoder's stage costs beyond embedding.

`python -m bench.score_speed OUT` reads the good documents that `bench.gate score` wrote to OUT, those of 150 to 250 characters, scores
them as a run does (the encoder and langdetect left out), then compares them as a run does against SentenceTransformer.encode alone
on the same distinct sentences, by turns.
"""

from __future__ import annotations

import argparse
import functools
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench.gate import read, table
from bench.gate_items import TATOEBA
from bench.results import write_section
from schemas.locales import ENGLISH, LANGUAGES, Language
from schemas.rows import Segment, Text
from transforms.align import units
from transforms.inference.language_id import LanguageId
from transforms.inference.sentence_encoder import BUNDLED, SentenceEncoder
from transforms.score import asking, score_text

ROUNDS = 5
# Texts that the encoder's stage is timed on: enough for several batches of 64.
COMPARED = 120


def texts_of(out: Path, language: Language) -> list[Text]:
    """Translated texts of about 200 characters, sentence by sentence where the sides pair up."""
    found = []
    for item in read(out, "held_out", language.code):
        source, target = item["source"], item["target"]
        if item["kind"] != "good" or not 150 <= len(source) <= 250:
            continue
        ours, theirs = units(source, LANGUAGES[ENGLISH]), units(target, language)
        pairs = list(zip(ours, theirs, strict=True)) if len(ours) == len(theirs) else [(source, target)]
        segments = tuple(Segment(a, b, -0.1, -0.1, 0, ()) for a, b in pairs)
        found.append(Text("prompt", 0, source, adapted=source, target=target, segments=segments))
    return found


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def rows_per_second(texts: list[Text], language: Language) -> float:
    """The median of ROUNDS passes, each with language identifiers that remember nothing."""
    source = LANGUAGES[ENGLISH]
    taken = []
    for _ in range(ROUNDS + 1):
        work = functools.partial(score_text, source=source, target=language, expansion=1.1, similarity={},
                                 identify=LanguageId().probability, detect=lambda *_: 1.0)  # fmt: skip
        taken.append(seconds(lambda work=work: [work(text) for text in texts]))  # type: ignore[misc]
    return len(texts) / statistics.median(taken[1:])


def encoder_overhead(texts: list[Text], language: Language) -> float:
    """Median time of the whole comparison over that of embedding its distinct sentences, less one."""
    asked = [a for t in texts[:COMPARED] if (a := asking(t, LANGUAGES[ENGLISH], language, 1.1))]
    sentences = sorted({s for one in asked for s in (*one.sources, *one.targets)})
    encoder = SentenceEncoder(BUNDLED, "", "cpu")
    ratios = []
    for _ in range(ROUNDS):
        encoder._known.clear()
        whole = seconds(lambda: encoder.compare(asked))
        alone = seconds(
            lambda: encoder._model.encode(
                sentences, batch_size=64, convert_to_numpy=True, normalize_embeddings=True, show_progress_bar=False
            )
        )
        ratios.append(whole / alone)
    return statistics.median(ratios) - 1


def main() -> int:
    """Prints the table and writes it to bench/RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--languages", default=",".join(TATOEBA))
    args = parser.parse_args()
    rows = []
    for code in args.languages.split(","):
        texts = texts_of(args.folder, LANGUAGES[code])
        if len(texts) < 30:
            rows.append([code, str(len(texts)), "not enough", "not enough"])
            continue
        rows.append([
            code, str(len(texts)), f"{rows_per_second(texts, LANGUAGES[code]):,.0f}",
            f"{100 * encoder_overhead(texts, LANGUAGES[code]):+.1f} %",
        ])  # fmt: skip
        print(*rows[-1], flush=True)
    text = (
        f"Human translations of 150 to 250 characters, one core, medians of {ROUNDS}. All scores but encoder and langdetect; what "
        "comparing adds to SentenceTransformer.encode alone on the same distinct sentences, both by turns.\n\n"
        + table(["", "texts", "scored per second", "comparing, beyond embedding"], rows)
    )
    write_section("Speed of the scores", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
