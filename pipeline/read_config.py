"""Reads a config from strict YAML: an unknown key is an error with its line and a suggestion."""

from __future__ import annotations

import dataclasses
import difflib
import json
import math
import os
import re
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from pipeline.config import COMPUTE_TYPES, Config
from pipeline.errors import ConfigError
from schemas.locales import LOCALES
from transforms.inference.decoding import Decoding

_CHOICES: dict[str, tuple[str, ...]] = {
    "compute_type": COMPUTE_TYPES,
    "device": ("cpu", "cuda", "auto"),
    "policy.licence": ("any", "commercial"),
    "segregate.method": ("lexicon", "llm", "hybrid"),
    "adapt.method": ("rules", "llm"),
    "adapt.organisations": ("real", "generic"),
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
             "max_unit_bytes": 1, "limit": 1, "attempts": 1, "requests_per_minute": 0}  # fmt: skip


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
    _check_llm(config, path)
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


def _check_llm(config: Config, path: str) -> None:
    asks = {
        "segregate.method": config.segregate.method != "lexicon",
        "adapt.method": config.adapt.method == "llm",
        "label_check": config.label_check,
    }
    for key, wanted in asks.items():
        if wanted and config.llm is None:
            raise ConfigError(f"{path}: {key}: needs an endpoint; give llm.base_url and llm.model")
    for key, endpoint in config.endpoints().items():
        if not re.match(r"https?://[^/@\s]+(/|$)", endpoint.base_url):
            raise ConfigError(
                f"{path}: {key}.base_url: expected an http(s) address without keys, such as http://localhost:8000/v1"
            )
        if endpoint.key and not re.fullmatch(r"[A-Za-z_]\w*", endpoint.key):
            raise ConfigError(f"{path}: {key}.key: expected the name of an environment variable, never the key itself")
        if endpoint.timeout <= 0:
            raise ConfigError(f"{path}: {key}.timeout: expected a number of seconds above 0")
    if config.judge and config.llm and config.adapt.method == "llm" and config.judge.model == config.llm.model:
        raise ConfigError(
            f"{path}: judge.model: {config.judge.model} also adapts (llm.model), and nobody judges its own work; name another"
        )


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
