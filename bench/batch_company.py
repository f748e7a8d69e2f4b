"""How often a translation changes with the company it has in a batch: `python -m bench.batch_company`.

Translates the same sentences alone, in the batches that a run cuts, and in batches of random company; counts texts that
differ, and by how much scores do. Sentences: those of the demo (which the demo translator knows) and its out-of-domain list
(where it is unsure, so that a last digit decides more often).
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator, Sequence

from bench.results import write_section
from data import resource
from schemas.locales import LANGUAGES
from schemas.rows import Segment
from transforms.inference.batches import Request, cut_batches
from transforms.inference.decoding import Decoding
from transforms.inference.nllb import NllbModel
from transforms.segment import segment
from transforms.translate import translation_request

TARGETS = ("deu_Latn", "zho_Hans")
_COMPANIES = 5


def demo_sentences(count: int) -> list[str]:
    """Distinct sentences of the demo, some of them."""
    found: dict[str, None] = {}
    for line in resource("demo/train.jsonl").read_bytes().splitlines():
        try:
            row = json.loads(line)
            json.dumps(row, ensure_ascii=False).encode("utf-8")
        except ValueError:
            continue  # one of the broken lines that the demo has on purpose
        for text in (row.get("prompt"), row.get("response")) if isinstance(row, dict) else ():
            if isinstance(text, str):
                found |= dict.fromkeys(p.text for p in segment(text, LANGUAGES["eng_Latn"]) if p.translate)
    return random.Random(5).sample(sorted(found), min(count, len(found)))


def strange_sentences(count: int) -> list[str]:
    """Sentences that the demo translator was never trained on."""
    return resource("demo/out_of_domain.txt").read_text("utf-8").splitlines()[:count]


def companies(asked: Sequence[Request], most: int) -> Iterator[tuple[str, list[list[Request]]]]:
    """(name, batches) of every way to batch: as a run does, then at random."""
    yield "as a run cuts them", [list(b.requests) for b in cut_batches("all", asked, most)]
    for seed in range(_COMPANIES):
        rng = random.Random(seed)
        shuffled = rng.sample(list(asked), len(asked))
        size = rng.choice([2, 3, 8, 32])
        yield f"random, {size} a batch", [shuffled[i : i + size] for i in range(0, len(shuffled), size)]


def translate_all(model: NllbModel, batches: Sequence[Sequence[Request]]) -> dict[str, Segment]:
    """Request key -> segment, each batch decoded by itself."""
    found: dict[str, Segment] = {}
    for batch in batches:
        answers = model.translate([(r.content[0], r.content[1], r.content[2]) for r in batch])
        found |= {r.key: a for r, a in zip(batch, answers, strict=True)}
    return found


def measure(compute_type: str, beam: int, sentences: Sequence[str]) -> str:
    """A line of the table: in how many sentences any company changed the text, and the largest change of a score."""
    settings = Decoding(compute_type=compute_type, beam_size=beam)
    model = NllbModel(str(resource("demo/translator")), settings)
    asked = [translation_request(s, LANGUAGES["eng_Latn"], LANGUAGES[code]) for code in TARGETS for s in sentences]
    alone = translate_all(model, [[r] for r in asked])
    changed: set[str] = set()
    rescored: set[str] = set()
    largest = 0.0
    for _, batches in companies(asked, settings.batch_tokens):
        for key, found in translate_all(model, batches).items():
            if found.target != alone[key].target:
                changed.add(key)
            else:
                rescored |= {key} if found != alone[key] else set()
                largest = max(largest, abs(found.logprob - alone[key].logprob), abs(found.worst - alone[key].worst))
    return (
        f"| {compute_type} | {beam} | {len(asked)} | {len(changed)} ({len(changed) / len(asked):.2%}) "
        f"| {len(rescored)} ({len(rescored) / len(asked):.1%}) | {largest:.4f} |"
    )


def main() -> None:
    """Measures, prints and writes the section."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--sentences", type=int, default=300, help="of each kind")
    count = parser.parse_args().sentences
    lines = [
        f"Each sentence alone against {_COMPANIES + 1} other companies; targets {', '.join(TARGETS)}.",
    ]
    for title, sentences in (("Demo sentences", demo_sentences(count)), ("Out of domain", strange_sentences(count))):
        lines += ["", f"{title}:", "", "| compute type | beam | translations | text changed | score changed only | largest |",
                  "|---|---|---|---|---|---|"]  # fmt: skip
        lines += [measure(kind, beam, sentences) for kind in ("int8", "float32") for beam in (1, 4)]
    text = "\n".join(lines)
    print(text)
    write_section("Batch company", text)


if __name__ == "__main__":
    main()
