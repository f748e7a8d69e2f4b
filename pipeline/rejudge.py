"""`transcreate judge`: judges a finished folder anew, from the scores that stand in it, into a new folder. Needs no model."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pipeline.card import write_card
from pipeline.config import Config, as_dict, as_yaml, differing_keys, fingerprint, lasting
from pipeline.errors import ConfigError, LedgerError
from pipeline.ledger import broken_lines, rows_in
from pipeline.plan import own_layers, thresholds_by_locale
from pipeline.publish import (
    MANIFEST,
    RESOLVED,
    SUCCESS,
    describe_files,
    thin_locales,
    verify,
    write_manifest,
    write_whole,
)
from pipeline.read_config import load_config
from pipeline.report import write_report
from schemas.locales import LOCALES
from schemas.parquet import SCHEMA
from schemas.reasons import FLAGS
from schemas.rows import Text
from transforms.judge import SHORT, Thresholds, merge_thresholds, profile_layer, reasons_against
from transforms.write import write_shard

# What a new judgement may change. Everything else is made before it.
_MAY_CHANGE = ("thresholds", "filter", "output")


def rejudge(folder: Path, output: Path, overrides: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Writes a folder as a run with other thresholds would have written it.

    Args:
        folder: of a finished run.
        output: must not exist.
        overrides: `thresholds.NAME=...` and `filter.NAME=...`, as `run --set` takes them.

    Returns:
        Locale -> {"before", "after": accepted rows; "lost", "won": reason -> rows that it now rejects, or no longer does}.

    Raises:
        ConfigError: the folder is not finished or damaged, the new one exists, or a key is none that judging looks at.
        LedgerError: too few rows of a locale are accepted now; everything but _SUCCESS is written all the same.
    """
    wrong = verify(folder)
    if wrong:
        raise ConfigError(f"{folder} cannot be judged again: {'; '.join(wrong[:3])}")
    if output.exists():
        raise ConfigError(f"{output} exists; choose another output")
    manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
    run = json.loads((folder / "report" / "report.json").read_text("utf-8"))["run"]
    config = load_config(str(folder / RESOLVED), overrides, str(output))
    others = [k for k in differing_keys(manifest["config"], as_dict(config)) if k.split(".")[0] not in _MAY_CHANGE]
    if others:
        raise ConfigError(
            f"--set: {', '.join(others)} is settled before rows are judged; only thresholds and filter are not"
        )
    thresholds = _thresholds(config, run["thresholds"])
    changes = {locale: _judge_locale(folder, output, locale, config, thresholds) for locale in config.locales}
    _copy_rest(folder, output, config)
    ledger = manifest["ledger"]
    ledger["locales"]["accepted"] = sum(rows_in(output / "data" / locale) for locale in config.locales)
    ledger["locales"]["rejected"] = sum(rows_in(output / "rejected" / locale) for locale in config.locales)
    marks = manifest["fingerprints"] | {
        "config": fingerprint(lasting(config)), "thresholds": fingerprint(asdict(thresholds)),
    }  # fmt: skip
    facts = run | {
        "config": lasting(config), "fingerprints": marks, "ledger": ledger, "thresholds": thresholds_by_locale(config, thresholds),
    }  # fmt: skip
    (output / RESOLVED).write_text(as_yaml(config), "utf-8")
    write_report(output, facts)
    write_card(output, facts)
    manifest |= {
        "files": describe_files(output), "ledger": ledger, "config": as_dict(config), "lasting_config": lasting(config),
        "fingerprints": marks,
    }  # fmt: skip
    write_manifest(output, manifest)
    broken = broken_lines(ledger) + thin_locales(output, config, ledger)
    if broken:
        raise LedgerError("; ".join(broken))
    write_whole(output / SUCCESS, "")
    return changes


def describe_changes(changes: Mapping[str, Mapping[str, Any]]) -> str:
    """What a new judgement changed, one line a locale and one a reason."""
    lines = []
    for locale, found in changes.items():
        lines.append(f"{locale:<8}{found['before']:>8,} accepted before {found['after']:>8,} now")
        for sign, word in (("-", "lost"), ("+", "won")):
            lines += [f"  {sign}{n:>7,}  {reason}" for reason, n in sorted(found[word].items())]
    return "\n".join(lines)


def judge_columns(row: Mapping[str, Any], thresholds: Thresholds) -> list[str]:
    """The reasons against a published row: those of its flags as they were, those of its scores anew."""
    reasons = {reason for reason in row["reasons"] if reason in FLAGS}
    crosses = row["origin"] == "machine_translated"
    texts = [
        ("prompt", row["scores_prompt"], row["adapted_prompt"] or row["source_prompt"]),
        ("response", row["scores_response"], row["adapted_response"] or row["source_response"]),
    ]
    texts += [
        (Text(t["role"], t["turn"], None).name, t["scores"], t["adapted"] or t["source"]) for t in row["other_texts"]
    ]
    for name, scores, adapted in texts:
        if scores is not None:
            missing = {n.removeprefix(f"{name}.") for n in row["not_judged"] if n.startswith(f"{name}.")}
            short = len(adapted or "") < SHORT
            reasons.update(reasons_against(scores, missing, row["language"], short, thresholds, crosses))
    return sorted(reasons)


def _thresholds(config: Config, used: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Thresholds:
    """The thresholds that the run used, with the config's own over them."""
    layers: dict[str, dict[str, Any]] = {}
    for locale, by_score in used.items():
        for score, limits in by_score.items():
            layer = layers.setdefault(limits["origin"], {"origin": limits["origin"]})
            layer.setdefault(score, {})[LOCALES[locale]] = {"short": limits["short"], "long": limits["long"]}
    languages = tuple(LOCALES[locale] for locale in config.locales)
    try:
        return merge_thresholds(languages, *layers.values(), *_chosen(config))
    except ValueError as error:
        raise ConfigError(str(error)) from None


def _chosen(config: Config) -> list[Mapping[str, Any]]:
    """What the config says of thresholds, as far as it can count now that the scores stand."""
    chosen = own_layers(config)
    if any("expansion" in layer for layer in chosen):
        raise ConfigError(
            "thresholds: expansion is settled before rows are judged: lengths were scored with it; run anew"
        )
    if "profile" in config.thresholds:
        chosen.insert(0, profile_layer(config.similarity.model, config.thresholds["profile"]))
    return chosen


def _judge_locale(folder: Path, output: Path, locale: str, config: Config, thresholds: Thresholds) -> dict[str, Any]:
    """Moves the rows of a locale between accepted and rejected, shard by shard: a row keeps the name of its shard."""
    names = sorted({p.name for kind in ("data", "rejected") for p in (folder / kind / locale).glob("*.parquet")})
    before = after = 0
    lost: Counter[str] = Counter()
    won: Counter[str] = Counter()
    for name in names:
        rows: list[dict[str, Any]] = []
        for kind in ("data", "rejected"):
            path = folder / kind / locale / name
            rows += pq.read_table(path, partitioning=None).to_pylist() if path.is_file() else []
        kept: dict[str, list[dict[str, Any]]] = {"data": [], "rejected": []}
        for row in rows:
            reasons = judge_columns(row, thresholds)
            before += not row["reasons"]
            after += not reasons
            lost.update(set(reasons) - set(row["reasons"]))
            won.update(set(row["reasons"]) - set(reasons))
            keep = not reasons or (row["split"] == "test" and config.filter.test == "keep")
            kept["data" if keep else "rejected"].append({**row, "reasons": reasons})
        for kind, found in kept.items():
            if found:
                write_shard(str(output), f"{kind}/{locale}/{name}", found, SCHEMA, ("id",))
    return {"before": before, "after": after, "lost": dict(lost), "won": dict(won)}


def _copy_rest(folder: Path, output: Path, config: Config) -> None:
    """Everything that no judgement changes: rows of the source locale, sentences, dead letters."""
    for path in sorted(folder.rglob("*")):
        kind, *rest = path.relative_to(folder).parts
        native = kind in ("data", "rejected") and rest[:1] == [config.source_locale]
        if path.is_file() and (native or kind in ("segments", "dead_letters")):
            target = output / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
