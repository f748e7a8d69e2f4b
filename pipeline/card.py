"""The dataset card: README.md of the output folder, with the `configs:` that make the folder a Hugging Face dataset."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml

from pipeline.licences import forbids_commerce, hub_identifier, permits_commerce
from pipeline.report import FOLDERS, Shards, list_shards
from pipeline.report_page import show_hidden
from schemas.locales import LANGUAGES, LOCALES
from schemas.parquet import SCHEMA, SCHEMA_VERSION
from schemas.scores import SCORES
from transforms.judge import SHORT
from transforms.write import SHARD

_SPLITS = ("train", "validation", "test")
_COLUMNS = {
    "id": "Hash of dataset, source id or content, occurrence and locale.",
    "source_id": "Id in the input.",
    "group_id": "Rows where the user says nearly the same share it; a group lies in one split. Use it for splits of your own.",
    "n_locales": "Target locales of the run, so that a source row can be weighted as one.",
    "same_text_as": "Id of the row that has the same text, if another row's stands for it.",
    "dataset": "Name of the input dataset.",
    "split": "train, validation or test.",
    "usage": "train, or eval_only: do not train on it.",
    "source_language": "FLORES-200 code of the source.",
    "language": "FLORES-200 code of the texts.",
    "locale": "BCP-47 locale whose culture the row was adapted to.",
    "prompt": "The prompt in the row's language: of a conversation the last user message.",
    "response": "The response in the row's language: of a conversation the last assistant message with text after the prompt.",
    "messages": "The whole conversation in the row's language, with system prompt and all turns.",
    "prompt_label": "safe, controversial or unsafe; null if not labelled.",
    "response_label": "The same for the response.",
    "prompt_label_source": "Who labelled the prompt, as the input says.",
    "response_label_source": "Who labelled the response, as the input says.",
    "label_status": "given (by the input), inherited (by a translation from its source) or rechecked.",
    "refusal": "Whether the response refuses, where the input says so.",
    "categories": "Hazard categories as namespaced slugs.",
    "categories_raw": "The same as the input wrote them.",
    "methods": "Attack methods: not categories.",
    "tag": "adapted (a span was swapped) or generic.",
    "origin": "native, localized, human_translated or machine_translated.",
    "source_prompt": "The prompt before adaptation and translation.",
    "source_response": "The response before adaptation and translation.",
    "adapted_prompt": "The prompt as it was translated; null in generic rows.",
    "adapted_response": "The response as it was translated; null in generic rows.",
    "culture_score": "How strongly the row leans on its source culture.",
    "edits": "Every decision on a span: offsets in the adapted text, kind, action (swap, local, universal, topic), "
             "surface before and after, native form, source of the value.",
    "evidence": "The spans that belong to a culture: offsets in the source text, and the locales that know them.",
    "scores_prompt": "Scores of the prompt (below).",
    "scores_response": "Scores of the response (below).",
    "other_texts": "The texts that are neither prompt nor response, in order: role (system, user, assistant, tool, "
                   "rationale), turn (from 0), source, adapted (null in generic rows), target in the row's language, "
                   "scores. In edits, evidence and not_judged they are called `user[2]` and the like.",
    "flags": "What happened on the way.",
    "not_judged": "Scores that could not be computed, as text.score.",
    "reasons": "Why the row was rejected; empty in accepted rows, but for test rows kept by `filter.test: keep`.",
    "text_fingerprint": "Hash of all texts in the row's language.",
    "licence": "Licence of the input data.",
    "metadata": "The input's other fields, as a JSON object.",
}  # fmt: skip


def write_card(out: Path, run: Mapping[str, Any]) -> None:
    """Writes README.md: YAML front matter that `datasets.load_dataset(out)` understands, and what a user must know.

    Args:
        out: the output folder; rows are counted from its Parquet files.
        run: `config` (with `dataset`, `source_locale` and `locales`), `licence` and `models` (each with role, name,
            licence and fingerprint) are required; `thresholds` as `build_report` takes them.
    """
    published, rejected = (list_shards(out, verdict) for verdict in ("accepted", "rejected"))
    parts = [
        "---",
        _yaml(_front_matter(published, rejected, run)),
        "---",
        "",
        *_introduction(published, rejected, run),
        *_making(run),
        *_counts(published, rejected, run),
        *_columns(),
        *_thresholds(run.get("thresholds", {})),
        *_limits(run),
        *_reproduction(run),
    ]
    (out / "README.md").write_text("\n".join(parts) + "\n", "utf-8")


def _yaml(value: Mapping[str, Any]) -> str:
    # ASCII only: YAML then writes every other character as an escape, invisible ones too.
    return yaml.safe_dump(value, sort_keys=False, width=120).rstrip()


def _by_split(paths: Iterable[Path]) -> dict[str, list[Path]]:
    """Split -> shards, in the order train, validation, test, others.

    Raises:
        ValueError: a file is not named as a shard.
    """
    found: dict[str, list[Path]] = {}
    for path in paths:
        match = SHARD.fullmatch(path.name)
        if match is None:
            raise ValueError(f"{path}: not named as a shard (split-00000-of-00001.parquet); move it out of the folder")
        found.setdefault(match["split"], []).append(path)
    return dict(sorted(found.items(), key=lambda item: (_SPLITS.index(item[0]) if item[0] in _SPLITS else 9, item[0])))


def _config(name: str, verdict: str, shards: Shards) -> dict[str, Any] | None:
    """One config of the card; None if it would have no file, which `load_dataset` cannot load."""
    patterns: dict[str, list[str]] = {}
    for locale, paths in sorted(shards.items()):
        for split in _by_split(paths):
            patterns.setdefault(split, []).append(f"{FOLDERS[verdict]}/{locale}/{split}-*.parquet")
    order = _by_split(path for paths in shards.values() for path in paths)
    files = [{"split": split, "path": patterns[split]} for split in order]
    return {"config_name": name, "data_files": files} if files else None


def _front_matter(published: Shards, rejected: Shards, run: Mapping[str, Any]) -> dict[str, Any]:
    source = run["config"]["source_locale"]
    targets = {locale: paths for locale, paths in published.items() if locale != source}
    by_language: dict[str, Shards] = {}
    for locale, paths in targets.items():
        by_language.setdefault(LOCALES[locale], {})[locale] = paths
    configs = [_config("default", "accepted", targets)]
    configs += [_config(locale, "accepted", {locale: paths}) for locale, paths in sorted(targets.items())]
    configs += [_config(language, "accepted", shards) for language, shards in sorted(by_language.items())]
    configs += [_config(source, "accepted", {source: published[source]}) if source in published else None]
    configs += [_config("rejected", "rejected", rejected)]
    rows = sum(_rows(paths) for paths in published.values())
    return {
        "pretty_name": f"{run['config']['dataset']}, transcreated",
        **_licence(run),
        "language": sorted({LANGUAGES[LOCALES[locale]].iso for locale in published}),
        "multilinguality": ["multilingual" if len(published) > 1 else "monolingual"],
        "size_categories": [_size_category(rows)],
        "task_categories": ["text-classification"],
        "tags": ["safety", "guardrails", "content-moderation", "machine-translation", "cultural-adaptation"],
        "configs": [config for config in configs if config],
    }


def _licence(run: Mapping[str, Any]) -> dict[str, str]:
    """A machine-readable licence that does not promise more than the models allow."""
    given = str(run["licence"])
    if _non_commercial_models(run) and not forbids_commerce(given):
        return {"license": "other", "license_name": "non-commercial"}
    if _unknown_models(run):
        return {"license": "other", "license_name": "see-below"}
    if hub_identifier(given):
        return {"license": hub_identifier(given)}
    slug = re.sub(r"[^a-z0-9.]+", "-", given.lower()).strip("-.") or "see-below"
    return {"license": "other", "license_name": slug}


def _non_commercial_models(run: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [model for model in run["models"] if forbids_commerce(str(model["licence"]))]


def _unknown_models(run: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Models whose licence is neither known to permit commercial use nor to forbid it."""
    barred = _non_commercial_models(run)
    return [m for m in run["models"] if m not in barred and not permits_commerce(str(m["licence"]))]


def _size_category(rows: int) -> str:
    bounds = (("n<1K", 10**3), ("1K<n<10K", 10**4), ("10K<n<100K", 10**5), ("100K<n<1M", 10**6), ("1M<n<10M", 10**7))
    return next((name for name, bound in bounds if rows < bound), "10M<n<100M")


def _rows(paths: Iterable[Path]) -> int:
    return sum(int(pq.read_metadata(path).num_rows) for path in paths)


def _adapted(paths: Iterable[Path]) -> int:
    tags = (pq.read_table(path, columns=["tag"], partitioning=None)["tag"] for path in paths)
    return sum(int(pc.sum(pc.equal(column, "adapted")).as_py() or 0) for column in tags)


def _escape(value: object) -> str:
    """A value as text in Markdown: it makes no table cell, tag, link, emphasis or line of its own."""
    text = re.sub(r"\s+", " ", show_hidden(str(value))).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|#~$])", r"\\\1", text)


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """A Markdown table. Cells that are numbers are written with separators; texts are escaped unless they are code."""

    def line(cells: Iterable[object]) -> str:
        return "| " + " | ".join(f"{c:,}" if isinstance(c, int) else str(c) for c in cells) + " |"

    return [line(head), "|" + " --- |" * len(head), *map(line, rows), ""]


def _code(value: str) -> str:
    return f"`{value}`"


def _introduction(published: Shards, rejected: Shards, run: Mapping[str, Any]) -> Iterator[str]:
    name, source = _escape(run["config"]["dataset"]), run["config"]["source_locale"]
    targets = [locale for locale in published if locale != source]
    yield from (
        f"# {name}, transcreated",
        "",
        f"Prompts and responses of the safety dataset {name}, adapted to the culture of each target locale and"
        " translated by machine, for training and testing guard models. Every row carries its source text, the edits"
        " that adapted it, its scores, and the flags raised on the way"
        + ("; rows that a filter rejected are in a config of their own, with reasons." if rejected else "."),
        "",
        "> **Content note.** This is safety data: some texts describe harm, abuse or hate.",
        "",
    )
    barred = _non_commercial_models(run)
    if barred:
        names = ", ".join(f"{_escape(model['name'])} ({_escape(model['licence'])})" for model in barred)
        yield from (
            f"> **Not for commercial use.** This was made with {names}, whose licence forbids commercial use: the"
            " output may not be used commercially, whatever the licence of the input data says.",
            "",
        )
    for model in _unknown_models(run):
        yield from (
            f"> **The licence of {_escape(model['name'])} is not known** (given: {_escape(model['licence'])}): find out"
            " what it allows before you use what was made with it.",
            "",
        )
    yield from ("## Load it", "", "```python", "from datasets import load_dataset", "")
    if targets:
        first = targets[0]
        yield 'load_dataset("path/to/this/folder")  # all target locales'
        yield f'load_dataset("path/to/this/folder", "{first}")  # one locale'
        yield f'load_dataset("path/to/this/folder", "{LOCALES[first]}")  # one language, all its locales'
    if source in published:
        yield f'load_dataset("path/to/this/folder", "{source}")  # the originals that passed the gate'
    if rejected:
        yield 'load_dataset("path/to/this/folder", "rejected")  # what was rejected, in all locales'
    yield from ("```", "")


def _making(run: Mapping[str, Any]) -> Iterator[str]:
    source = run["config"]["source_locale"]
    yield from (
        "## How it was made",
        "",
        "Rows are read and checked at the gate. Spans that belong to a culture are found, and swapped for a local"
        " counterpart or kept and noted; a row without a swap is `generic`. The texts are translated sentence by"
        " sentence, scored, and judged against thresholds."
        f" `{source}` holds the originals, with the labels they came with.",
        "",
        f"Licence of the input data: {_escape(run['licence'])}. Models used:",
        "",
        *_table(("Role", "Model", "Licence", "Fingerprint"),
                [[*(_escape(model[key]) for key in ("role", "name", "licence")), _code(str(model["fingerprint"])[:16])]
                 for model in run["models"]]),
    )  # fmt: skip


def _counts(published: Shards, rejected: Shards, run: Mapping[str, Any]) -> Iterator[str]:
    source = run["config"]["source_locale"]
    locales = sorted({*published, *rejected}, key=lambda locale: (locale == source, locale))
    splits = list(_by_split(path for paths in published.values() for path in paths))
    rows = []
    for locale in locales:
        mine = published.get(locale, [])
        by_split = _by_split(mine)
        label = f"{locale} ({LANGUAGES[LOCALES[locale]].name}{', source' if locale == source else ''})"
        rows.append([label, *(_rows(by_split.get(split, [])) for split in splits), _rows(mine), _adapted(mine),
                     _rows(rejected.get(locale, []))])  # fmt: skip
    yield from (
        "## Counts",
        "",
        *_table(("Locale", *splits, "all", "of these adapted", "rejected"), rows),
        "What the gate rejected is listed under the source locale. Reasons, accept rates by label, score histograms and"
        " samples: [report/index.html](report/index.html).",
        "",
    )


def _type_name(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return f"list of {_type_name(kind.value_type)}"
    return "struct" if pa.types.is_struct(kind) else str(kind)


def _columns() -> Iterator[str]:
    yield from (
        "## Columns",
        "",
        *_table(("Column", "Type", "Meaning"),
                [(_code(field.name), _type_name(field.type), _COLUMNS[field.name]) for field in SCHEMA]),
        f"Schema version {SCHEMA_VERSION}, also in the metadata of every file.",
        "",
        "## Scores",
        "",
        *_table(("Score", "Range", "Better", "Reason it can give", "Meaning"),
                [(_code(s.name), f"{_end(s.low)} to {_end(s.high)}", s.better, _code(s.reason) if s.reason else "none",
                  _escape(s.about)) for s in SCORES]),
    )  # fmt: skip


def _end(value: float | None) -> str:
    return "open" if value is None else f"{value:g}"


def _thresholds(thresholds: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """The threshold of each score and locale; a pair is for short texts and for others."""
    locales = sorted(thresholds)
    names = [s.name for s in SCORES if any(s.name in thresholds[locale] for locale in locales)]
    yield from ("## Thresholds", "")
    if not names:
        yield from ("No score was judged.", "")
        return
    rows = []
    for name in names:
        given = [thresholds[locale].get(name) for locale in locales]
        origins = {str(g["origin"]) for g in given if isinstance(g, Mapping) and g.get("origin")}
        rows.append([_code(name), *map(_threshold, given), _escape("; ".join(sorted(origins)) or "not stated")])
    yield from (
        f"The worst value that passes; of a pair the first is for texts of under {SHORT} characters.",
        "",
        *_table(("Score", *locales, "Origin"), rows),
    )


def _threshold(given: Any) -> str:
    if given is None:
        return "–"
    if not isinstance(given, Mapping):
        return f"{given:g}"
    short, long = given["short"], given["long"]
    return f"{long:g}" if short == long else f"{short:g} / {long:g}"


def _limits(run: Mapping[str, Any]) -> Iterator[str]:
    translator = next((str(model["name"]).lower() for model in run["models"] if model["role"] == "translate"), "")
    yield from (
        "## Known limits",
        "",
        "- The texts are machine translations that no person has checked. Scores catch gross faults, not fine ones:"
        " register, gender, idiom and irony can be wrong in rows that were accepted.",
        "- Labels and categories are inherited from the source. An adaptation or translation can change whether a text"
        " is unsafe, and what counts as unsafe differs between cultures and laws.",
        "- Adaptation swaps what a culture pack lists (names, places, money, institutions and the like). What it does"
        " not list stays as in the source, and a swap is not what someone of that culture would have written.",
        "- Filters need not reject evenly: before training, compare the accept rates of safe and unsafe rows in the"
        " report.",
    )
    if translator == "demo":
        yield (
            "- **Made with the demo translator**, which knows its phrase book and little else. It shows that the"
            " pipeline runs; its output is no training data."
        )
    if "nllb" in translator:
        yield (
            "- NLLB-200 is a research model for single sentences, not for documents or special domains. It leaves out"
            " parts of sentences (on FLORES-200 its Chinese is about a quarter shorter than the references), and it can"
            " add or lose toxic words."
        )
    yield ""


def _reproduction(run: Mapping[str, Any]) -> Iterator[str]:
    config = _yaml(run["config"])
    longest = max((len(ticks) for ticks in re.findall(r"`+", config)), default=0)
    fence = "`" * max(3, longest + 1)
    yield from (
        "## Reproduce it",
        "",
        "```sh",
        "transcreate run config.resolved.yaml",
        "```",
        "",
        "With the same input files, models and locked packages on the same class of machine this gives the same bytes;"
        " `manifest.json` has the fingerprints and the sha256 of every file. The config:",
        "",
        f"{fence}yaml",
        config,
        fence,
    )
