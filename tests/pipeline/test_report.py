"""The report: counts as in the files, a page that stays a page whatever the texts are."""

from __future__ import annotations

import html.parser
import json
import re
from pathlib import Path
from typing import Any

import pytest

from pipeline.report import BINS, build_report, write_report
from pipeline.report_page import show_hidden
from schemas.scores import SCORES
from tests.pipeline.outputs import make_output, make_row, write_rows


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("report")
    run = make_output(out)
    write_report(out, run)
    return out, run


@pytest.fixture(scope="module")
def report(made: tuple[Path, dict[str, Any]]) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((made[0] / "report" / "report.json").read_text("utf-8"))
    return loaded


@pytest.fixture(scope="module")
def page(made: tuple[Path, dict[str, Any]]) -> str:
    return (made[0] / "report" / "index.html").read_text("utf-8")


def test_counts_are_those_of_the_files(report: dict[str, Any]) -> None:
    arabic, hindi, source = (report["locales"][name] for name in ("ar-EG", "hi-IN", "en-US"))
    assert [hindi[key] for key in ("expected", "accepted", "rejected", "dead")] == [40, 35, 5, 0]
    assert [arabic[key] for key in ("expected", "accepted", "rejected", "dead")] == [40, 34, 5, 1]
    assert [source[key] for key in ("expected", "accepted", "rejected", "dead")] == [43, 40, 2, 1]
    assert (hindi["adapted"], hindi["generic"]) == (20, 15)
    assert hindi["splits"] == {"test": {"accepted": 10, "rejected": 0}, "train": {"accepted": 25, "rejected": 5}}
    assert hindi["prompt_labels"] == {
        "safe": {"accepted": 23, "rejected": 3}, "unsafe": {"accepted": 12, "rejected": 2},
    }  # fmt: skip
    assert hindi["response_labels"] == {"unlabelled": {"accepted": 35, "rejected": 5}}
    assert hindi["reasons"] == {"meaning_differs": 5, "too_long": 5}
    assert source["reasons"] == {"duplicate_of": 1, "redacted": 1}
    assert hindi["flags"] == {"kept_source_culture": {"accepted": 7, "rejected": 0}}
    assert hindi["edits"] == {"city": {"swap": 20}}
    assert report["differences"] == []
    assert report["verdict"] == (
        "Balanced: every unit that was read is accounted for, and 69 of 80 expected rows were accepted (86.2%)."
    )


def test_histograms_count_every_text_once(report: dict[str, Any]) -> None:
    for locale in ("ar-EG", "hi-IN"):
        found = report["locales"][locale]
        for name, drawn in found["histograms"].items():
            assert len(drawn["accepted"]) == len(drawn["rejected"]) == BINS
            assert sum(drawn["accepted"]) == found["accepted"], name
            assert sum(drawn["rejected"]) == found["rejected"], name
    # edits_kept is null in all rows; en-US has no scores at all.
    assert set(report["locales"]["hi-IN"]["histograms"]) == {s.name for s in SCORES} - {"edits_kept"}
    assert report["locales"]["en-US"]["histograms"] == {}


def test_histogram_axes_are_the_range_or_what_was_seen(report: dict[str, Any]) -> None:
    axes, drawn = report["axes"], report["locales"]["hi-IN"]["histograms"]
    assert axes["copy"] == {"low": 0.0, "high": 1.0}
    assert axes["length_ratio"] == {"low": 0.0, "high": 9.0}
    assert 0.29 <= axes["similarity"]["low"] <= 0.31
    assert axes["similarity"]["high"] == 1.0
    assert drawn["similarity"]["thresholds"] == {"short": 0.7, "long": 0.8, "origin": "general"}
    assert drawn["length_ratio"]["rejected"][-1] == 5


def test_one_runaway_value_does_not_flatten_the_rest(tmp_path: Path) -> None:
    run = make_output(tmp_path, 400, ("hi-IN",))
    row = make_row(1, "hi-IN")
    row["scores_prompt"] |= {"length_ratio": 1e6, "decoder": float("nan")}
    write_rows(tmp_path, "data", [row | {"split": "validation"}, *(make_row(n, "hi-IN") | {"split": "validation"}
                                                                   for n in range(5, 400))])  # fmt: skip
    report = build_report(tmp_path, run)
    assert report["axes"]["length_ratio"]["high"] < 10
    assert report["locales"]["hi-IN"]["histograms"]["decoder"]["not_finite"] == 1
    assert any("accepted in the target locales" in difference for difference in report["differences"])


def test_samples_are_the_same_twelve_half_of_them_adapted(report: dict[str, Any]) -> None:
    samples = report["locales"]["hi-IN"]["samples"]
    assert [row["tag"] for row in samples["accepted"]] == ["adapted"] * 6 + ["generic"] * 6
    assert len(samples["rejected"]) == 4
    assert all(row["reasons"] == ["meaning_differs", "too_long"] for row in samples["rejected"])
    assert report["locales"]["en-US"]["samples"]["accepted"][0]["tag"] == "generic"
    assert len(report["locales"]["en-US"]["samples"]["accepted"]) == 12


def test_dead_letters_are_summed_up_and_placed(report: dict[str, Any]) -> None:
    letters = report["dead_letters"]
    assert (letters["letters"], letters["units"], letters["unplaced"]) == (2, 2, 0)
    assert letters["locales"] == {"ar-EG": 1, "en-US": 1}
    assert [cause["stage"] for cause in letters["causes"]] == ["gate", "score"]


def test_a_row_lost_before_the_fan_out_is_lost_in_every_locale(tmp_path: Path) -> None:
    run = make_output(tmp_path, 8)
    letter = {"stage": "segregate", "location": "row abc", "error": "E", "message": "m", "units": 2}
    (tmp_path / "dead_letters" / "slice.jsonl").write_text(json.dumps(letter) + "\n", "utf-8")
    assert build_report(tmp_path, run)["dead_letters"]["locales"] == {"ar-EG": 2, "en-US": 1, "hi-IN": 1}


def test_a_broken_dead_letter_is_named(tmp_path: Path) -> None:
    run = make_output(tmp_path, 8)
    (tmp_path / "dead_letters" / "x.jsonl").write_text('{"stage": "gate"}\n', "utf-8")
    with pytest.raises(ValueError, match=r"x\.jsonl:1: not a dead letter"):
        build_report(tmp_path, run)


def test_an_open_ledger_leads_the_page(tmp_path: Path) -> None:
    run = make_output(tmp_path, 8)
    run["ledger"]["gate"] |= {"read": 20, "balanced": False}
    report = build_report(tmp_path, run)
    assert report["verdict"].startswith("Not balanced: units of the gate are unaccounted for")
    write_report(tmp_path, run)
    assert "9 unaccounted" in (tmp_path / "report" / "index.html").read_text("utf-8")


def test_files_that_disagree_with_the_ledger_are_named(tmp_path: Path) -> None:
    run = make_output(tmp_path, 8)
    run["ledger"]["locales"]["accepted"] += 1
    report = build_report(tmp_path, run)
    assert report["differences"] == ["rows accepted in the target locales: 14 in the ledger, 13 in the files"]
    assert report["verdict"].startswith("Balanced, but")


def test_same_data_same_bytes(made: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    write_report(tmp_path, make_output(tmp_path))
    for name in ("report.json", "index.html"):
        assert (tmp_path / "report" / name).read_bytes() == (made[0] / "report" / name).read_bytes()


def test_nothing_but_run_facts_is_needed_of_an_empty_folder(tmp_path: Path) -> None:
    nil = {"gate": {"read": 0, "passed": 0, "rejected": 0, "dead": 0, "balanced": True},
           "locales": {"expected": 0, "accepted": 0, "rejected": 0, "dead": 0, "balanced": True}}  # fmt: skip
    write_report(tmp_path, {"ledger": nil, "config": {"source_locale": "en-US", "locales": ["hi-IN"]}})
    assert "Nothing was rejected" in (tmp_path / "report" / "index.html").read_text("utf-8")


class _Page(html.parser.HTMLParser):
    """Collects tags, attributes and text, and checks that elements close in order."""

    _VOID = frozenset({"meta", "rect", "path", "br", "img", "link", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self._VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        if tag not in self._VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.fixture(scope="module")
def parsed(page: str) -> _Page:
    parser = _Page()
    parser.feed(page)
    parser.close()
    return parser


def test_hostile_text_stays_text(page: str, parsed: _Page) -> None:
    assert not {"script", "img", "iframe", "link"}.intersection(parsed.tags)
    assert not [name for name, _ in parsed.attributes if name.startswith("on")]
    assert "<script>alert('1')</script><img src=x onerror=alert(1)> \"quoted\"" in "".join(parsed.text)
    assert "{{ 7*7 }}" in page
    assert "\u2028" not in page
    assert "Content-Security-Policy" in page


def test_nothing_is_loaded_from_elsewhere(parsed: _Page) -> None:
    links = [value or "" for name, value in parsed.attributes if name in ("src", "href", "action", "data")]
    assert all(link.startswith("#") or link == "report.json" for link in links)


def test_every_anchor_leads_somewhere(parsed: _Page) -> None:
    ids = [value for name, value in parsed.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert {v[1:] for name, v in parsed.attributes if name == "href" and v and v.startswith("#")} <= set(ids)


def test_hidden_characters_are_written_out(page: str) -> None:
    assert not [char for char in "\u202e\u202c\u200b\x07\x00\U000e0041" if char in page]
    assert "⟨U+202E⟩right to left⟨U+202C⟩" in page
    assert "⟨U+E0041 and 4 more hidden characters⟩" in page


def test_joiners_that_a_script_needs_stay() -> None:
    for text in ("क्\u200dया", "می\u200cخواهم", "👩\u200d👩\u200d👧", "❤\ufe0f", "a\tb\nc\r\nd"):
        assert show_hidden(text) == text
    assert show_hidden("a\u200db\rc") == "a⟨U+200D⟩b⟨U+000D⟩c"


def test_edits_are_marked_in_all_three_texts(page: str) -> None:
    assert '<mark class="source" title="city: Boston → Pune">Boston</mark>' in page
    assert '<mark class="adapted" title="city: Boston → Pune">Pune</mark>' in page
    assert '<mark class="translation" title="city: Boston → Pune">पुणे</mark>' in page


def test_texts_carry_language_and_direction(page: str) -> None:
    assert '<div class="text" lang="ar-EG" dir="rtl">' in page
    assert '<div class="text" lang="hi-IN" dir="ltr">' in page


def make_chat_row(number: int, locale: str) -> dict[str, Any]:
    """A row of system prompt, earlier turn, prompt and rationale; the turns 1 and 3 are scored and edited."""
    row = make_row(number, locale)
    scores = row["scores_prompt"] | {"similarity": 0.41}
    others = [
        {"role": role, "turn": turn, "source": f"{role} in English", "adapted": f"{role} adapted",
         "target": f"{role} <i>translated</i>", "scores": scored}
        for role, turn, scored in (("system", 0, None), ("user", 1, scores), ("rationale", 3, scores))
    ]  # fmt: skip
    edit = {"text": "user[1]", "start": 0, "end": 4, "kind": "role", "action": "swap", "before": "user",
            "after": "user", "native": "USER", "source": "authored"}  # fmt: skip
    return row | {"other_texts": others, "edits": [*row["edits"], edit], "not_judged": ["user[1].numbers"]}


@pytest.fixture(scope="module")
def chats(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    """Report and page of a folder whose Hindi train rows are conversations."""
    out = tmp_path_factory.mktemp("chats")
    run = make_output(out, 8, ("hi-IN",))
    write_rows(out, "data", [make_chat_row(n, "hi-IN") for n in range(8) if n % 8 != 3 and n != 7 and n % 4])
    write_report(out, run)
    loaded = json.loads((out / "report" / "report.json").read_text("utf-8"))
    return loaded, (out / "report" / "index.html").read_text("utf-8")


def test_histograms_count_the_texts_of_every_role(chats: tuple[dict[str, Any], str]) -> None:
    report, _ = chats
    found = report["locales"]["hi-IN"]
    conversations = found["splits"]["train"]["accepted"]
    assert conversations == 4
    for drawn in found["histograms"].values():
        assert sum(drawn["accepted"]) == found["accepted"] + 2 * conversations
    assert found["edits"]["role"] == {"swap": conversations}
    assert report["axes"]["similarity"]["low"] <= 0.41


def test_samples_show_all_texts_in_the_order_of_the_conversation(chats: tuple[dict[str, Any], str]) -> None:
    report, page = chats
    samples = report["locales"]["hi-IN"]["samples"]["accepted"]
    assert [len(s["other_texts"]) for s in samples if s["split"] == "train"] == [3] * 4
    article = next(a for a in page.split("<article")[1:] if "user[1]" in a)
    assert re.findall(r'<div class="role">(.*?)</div>', article) == ["system", "user[1]", "prompt", "rationale"]
    assert "rationale &lt;i&gt;translated&lt;/i&gt;" in article
    assert '<mark class="translation" title="role: user → user">user</mark> &lt;i&gt;' in article
    assert article.count("similarity 0.41") == 2
    assert "Not judged: <bdi>user[1].numbers</bdi>" in article


def test_a_long_text_is_cut_in_sight(tmp_path: Path) -> None:
    run = make_output(tmp_path, 4)
    write_rows(tmp_path, "data", [make_row(1, "hi-IN", prompt="क" * 2_000)])
    write_report(tmp_path, run)
    assert "… and 500 more characters, in report.json." in (tmp_path / "report" / "index.html").read_text("utf-8")


def test_a_model_that_forbids_commercial_use_is_marked(tmp_path: Path, page: str) -> None:
    run = make_output(tmp_path)
    run["models"][0]["licence"] = "CC-BY-NC-4.0"
    write_report(tmp_path, run)
    assert (tmp_path / "report" / "index.html").read_text("utf-8").count("forbids commercial use") == 1
    assert "forbids commercial use" not in page


def test_a_filter_that_rejects_one_label_more_is_told_of(tmp_path: Path) -> None:
    run = make_output(tmp_path, many=1, locales=("hi-IN",))
    rows = [make_row(100 + i, "hi-IN") | {"prompt_label": "safe" if i % 2 else "unsafe"} for i in range(160)]
    bad = [
        make_row(300 + i, "hi-IN", (*(("too_long",) if i < 20 else ()), *(("copied",) if i % 2 == 0 else ())))
        | {"prompt_label": "unsafe" if i < 20 else "safe"}
        for i in range(40)
    ]
    write_rows(tmp_path, "data", rows)
    write_rows(tmp_path, "rejected", bad)
    found = build_report(tmp_path, run)["locales"]["hi-IN"]["label_differences"]
    assert found["too_long"]["unsafe"] == [20, 100] and found["too_long"]["safe"] == [0, 100]
    assert found["too_long"]["difference"] == 0.2 and 0 < found["too_long"]["low"] < 0.2 < found["too_long"]["high"]
    assert found["too_long"]["biased"] and not found["copied"]["biased"], "ten of each label"
    write_report(tmp_path, run)
    page = (tmp_path / "report" / "index.html").read_text("utf-8")
    assert "Filters that reject one label more" in page and "+20.0 points" in page


def test_few_rows_prove_no_bias(report: dict[str, Any], page: str) -> None:
    assert not any(d["biased"] for found in report["locales"].values() for d in found["label_differences"].values())
    assert "No filter by itself rejects one label more" in page
