"""The translation stage inside whole runs: locales of one language, other source languages, nothing translated twice."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.pipeline.runs import demo_lines, parquet_hashes, run, write_config


def rows(out: Path, locale: str, verdict: str = "data") -> list[dict[str, Any]]:
    folder = out / verdict / locale
    return pq.read_table(folder).to_pylist() if folder.is_dir() else []


def timings(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "report" / "report.json").read_text())["run"]["timings"]
    return found


LOCALES = ["es-MX", "en-GB", "es-ES", "en-IN"]


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with two locales of Spanish and two of the source's own language, segment table and all."""
    folder = tmp_path_factory.mktemp("several")
    config = write_config(folder, demo_lines(40), locales=LOCALES)
    assert run(config, "--set", "output.segments=true") == 0
    return folder / "out"


def test_a_locale_in_the_sources_language_is_adapted_and_not_translated(several: Path) -> None:
    found = rows(several, "en-GB")
    assert {r["origin"] for r in found} == {"localized"} and {r["language"] for r in found} == {"eng_Latn"}
    assert {r["tag"] for r in found} == {"generic", "adapted"}
    for row in found:
        assert row["prompt"] == (row["adapted_prompt"] or row["source_prompt"])
        assert row["scores_prompt"]["similarity"] is None and row["scores_prompt"]["lid_fasttext"] > 0
        assert row["not_judged"] == []
    assert len(found) > 20 and len(rows(several, "en-GB", "rejected")) < 3


def test_generic_rows_of_one_language_are_one_text_and_the_second_says_so(several: Path) -> None:
    home = {r["id"]: r for r in rows(several, "en-US")}
    assert all(r["same_text_as"] is None for r in home.values())
    for locale in ("en-GB", "en-IN"):
        for row in rows(several, locale):
            assert (row["same_text_as"] is None) == (row["tag"] == "adapted")
            if row["same_text_as"]:
                assert home[row["same_text_as"]]["prompt"] == row["prompt"]
    mexico = {r["id"]: r for verdict in ("data", "rejected") for r in rows(several, "es-MX", verdict)}
    assert all(r["same_text_as"] is None for r in mexico.values())
    generic = [r for r in rows(several, "es-ES") if r["tag"] == "generic"]
    assert generic
    for row in generic:
        twin = mexico[row["same_text_as"]]
        assert (twin["prompt"], twin["response"], twin["reasons"]) == (row["prompt"], row["response"], row["reasons"])


def test_the_segment_table_holds_every_sentence_of_every_translated_row(several: Path) -> None:
    judged = {r["id"]: r for v in ("data", "rejected") for x in ("es-MX", "es-ES") for r in rows(several, x, v)}
    segments = [s for x in ("es-MX", "es-ES") for s in rows(several, x, "segments")]
    assert {s["row_id"] for s in segments} == set(judged)
    for segment in segments:
        row = judged[segment["row_id"]]
        assert segment["source"] in (row["adapted_" + segment["text"]] or row["source_" + segment["text"]])
        assert segment["target"] is None or row[segment["text"]] is None or segment["target"] in row[segment["text"]]
    assert not (several / "segments" / "en-GB").exists(), "nothing was translated there"
    listed = json.loads((several / "manifest.json").read_text())["files"]
    assert any(name.startswith("segments/es-ES/") for name in listed)


def test_no_sentence_is_translated_twice_in_a_run(several: Path) -> None:
    distinct = {s["source"] for x in ("es-MX", "es-ES") for s in rows(several, x, "segments")}
    memory = sorted((several.parent / "memory").rglob("*.parquet"))
    answered = Counter(
        json.loads(a)["source"] for p in memory for a in pq.read_table(p)["answer"].to_pylist() if a[:1] == b"{"
    )
    assert set(answered) == distinct and max(answered.values()) == 1
    assert timings(several)["translations_answered"] == len(distinct)


def test_german_goes_to_thai_through_any_model_of_the_architecture(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSCREATE_CACHE", str(tmp_path / "cache"))
    german = [
        "Wie kann ich zu Hause ein gutes Brot backen? Hilf mir bitte.",
        "Meine Schwester wohnt seit vielen Jahren in Hamburg.",
    ]
    lines = [
        json.dumps({"id": str(i), "prompt": text, "response": None, "prompt_label": "safe", "response_label": None,
                    "violated_categories": "", "prompt_label_source": None, "response_label_source": None}).encode()
        for i, text in enumerate([*german, "How can I bake a good bread at home this evening?"])
    ]  # fmt: skip
    translate = {"model": str(checkpoint), "max_output_tokens": 20, "beam_size": 1}
    config = write_config(tmp_path, lines, locales=["th-TH"], source_locale="de-DE", translate=translate)
    assert run(config, "--set", "output.segments=true") == 0
    out = tmp_path / "out"
    assert [r["reasons"] for r in rows(out, "de-DE", "rejected")] == [["source_language"]], "English is foreign here"
    assert sorted(r["prompt"] for r in rows(out, "de-DE")) == sorted(german)
    made = rows(out, "th-TH", "rejected")
    assert {r["source_language"] for r in made} == {"deu_Latn"} and {r["language"] for r in made} == {"tha_Thai"}
    segments = rows(out, "th-TH", "segments")
    assert {s["source"] for s in segments} == {
        "Wie kann ich zu Hause ein gutes Brot backen?", "Hilf mir bitte.", german[1]
    }  # fmt: skip
    assert all(s["target"] for s in segments)
    assert any("kept_source_culture" in r["flags"] for r in made), "Hamburg stays and is flagged"


def test_a_new_locale_or_new_rows_translate_only_what_is_unknown(tmp_path: Path) -> None:
    first = write_config(tmp_path / "a", demo_lines(30), locales=["de-DE"], memory=str(tmp_path / "memory"))
    assert run(first) == 0
    before = timings(tmp_path / "a" / "out")
    wider = write_config(tmp_path / "b", demo_lines(30), locales=["de-DE", "hi-IN"], memory=str(tmp_path / "memory"))
    assert run(wider) == 0
    both = timings(tmp_path / "b" / "out")
    assert both["translations_remembered"] == before["translations_asked"]
    assert both["translations_answered"] == both["translations_asked"] - before["translations_asked"] > 0
    assert parquet_hashes(tmp_path / "a" / "out" / "data" / "de-DE").keys()
    longer = write_config(tmp_path / "c", demo_lines(32), locales=["de-DE"], memory=str(tmp_path / "memory"))
    assert run(longer) == 0
    more = timings(tmp_path / "c" / "out")
    assert more["translations_remembered"] == before["translations_asked"]
    assert 0 < more["translations_answered"] < 20


def test_failed_sentences_are_tried_again_and_successful_ones_never(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSCREATE_CACHE", str(tmp_path / "cache"))
    # One character with many marks is no place to cut.
    lines = [
        json.dumps({"id": "1", "prompt": text, "response": None, "prompt_label": "safe", "response_label": None,
                    "violated_categories": "", "prompt_label_source": None, "response_label_source": None}).encode()
        for text in ["I bake bread.\nก" + "\u0e31" * 60 + "\nMy sister is sad."]
    ]  # fmt: skip
    translate = {"model": str(checkpoint), "max_input_tokens": 24, "max_output_tokens": 8, "beam_size": 1}
    config = write_config(tmp_path, lines, locales=["de-DE"], translate=translate)
    assert run(config) == 0
    assert rows(tmp_path / "out", "de-DE", "rejected")[0]["flags"].count("translation_failed") == 1
    assert run(config, "--output", str(tmp_path / "again")) == 0
    again = timings(tmp_path / "again")
    assert again["translations_asked"] == 3 and again["translations_remembered"] == 2
    assert again["translations_answered"] == 1
