"""Gets a translator into the cache, once: pulled from the hub, or converted from a folder with a checkpoint."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipeline.config import COMPUTE_TYPES
from pipeline.errors import ConfigError
from pipeline.licences import licence_of
from pipeline.model_store import CARD, Marks, Record, make, mark_files, place_of, read_record, ready
from schemas.locales import LANGUAGES

TOKENIZER = "tokenizer.json"
# owner/name, and perhaps a branch, tag or commit.
HUB_NAME = re.compile(r"\w[\w.-]*/\w[\w.-]*(@[\w./-]+)?")
# What shapes the answers of a CTranslate2 model.
CT2_FILES = re.compile(r"model\.bin|config\.json|tokenizer\.json|\w+_vocabulary\.(json|txt)")
_BESIDE = ("thresholds.yaml", CARD)
_HF_FILES = re.compile(r"(config|generation_config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab)\.json"
                       r"|sentencepiece\.bpe\.model|README\.md")  # fmt: skip
# NLLB has the architecture of M2M-100, and goes by its name; it is told by its language codes.
_ARCHITECTURE = "m2m_100"


def places_of_pulled(name: str, quantization: str) -> tuple[Path, Path]:
    """Where the cache keeps a model of the hub: as it came, or converted."""
    return place_of(name, None), place_of(name, quantization)


def pull(name: str, quantization: str = "int8") -> Path:
    """Gets a model from the hub into the cache: one of CTranslate2's as it is, an NLLB checkpoint converted.

    Args:
        name: owner/name, or owner/name@revision.

    Returns:
        Its folder. One that is there already is not looked up again, so this needs no network.

    Raises:
        ConfigError: there is no such model, or Transcreate cannot use it.
        TranscreateError: the download broke off; the next call goes on with it.
    """
    if not HUB_NAME.fullmatch(name):
        raise ConfigError(f"{name!r} is no name of the hub's (owner/name); for a folder: transcreate models convert")
    as_it_came, converted = places_of_pulled(name, quantization)
    there = next((p for p in (as_it_came, converted) if read_record(p)), None)
    if there:
        return there
    _check_quantization(quantization)
    from pipeline.hub import fetch, look_up

    snapshot = look_up(name)
    as_it_is = "model.bin" in snapshot.files
    wanted = _ct2_files(name, snapshot.files) if as_it_is else _hf_files(name, snapshot.files)

    def build(work: Path, staged: Path) -> tuple[Path, Record]:
        download = work / f"download-{snapshot.commit[:12]}"
        for other in work.glob("download-*"):
            if other != download:
                shutil.rmtree(other)
        fetch(snapshot, [f for f in wanted if f.endswith(".json")], download)
        try:  # the small files tell, before the large ones are fetched
            _check_languages(name, download)
            if not as_it_is:
                _check_architecture(name, download)
        except ConfigError:
            shutil.rmtree(download)
            raise
        fetch(snapshot, wanted, download)
        licence, origin = licence_of([name], [download], snapshot.licence)
        versions = {"huggingface_hub": version("huggingface_hub")}
        if as_it_is:
            return download, Record(name, "pulled", snapshot.commit, None, licence, origin, versions)
        versions |= _convert(download, staged, quantization)
        return staged, Record(name, "converted", snapshot.commit, quantization, licence, origin, versions)

    if as_it_is:
        return make(as_it_came, f"pull {name}", build)
    return make(converted, f"pull {name} --quantization {quantization}", build)


def convert(name: str, quantization: str = "int8") -> Path:
    """Converts a Hugging Face checkpoint of NLLB's in a folder into the cache.

    Returns:
        Its folder, whether made now or before.

    Raises:
        ConfigError: it is no such checkpoint, or cannot be converted.
    """
    source = Path(name)
    if not source.is_dir():
        raise ConfigError(f"{name}: no such folder (a model of the hub: transcreate models pull owner/name)")
    if (source / "model.bin").is_file():
        raise ConfigError(f"{name} is a CTranslate2 model already; name it in translate.model")
    _check_quantization(quantization)
    place, marks = place_of_checkpoint(source, quantization)
    _check_languages(name, source)
    _check_architecture(name, source)

    def build(work: Path, staged: Path) -> tuple[Path, Record]:
        versions = _convert(source, staged, quantization)
        licence, origin = licence_of([name], [source])
        whole = str(source.resolve())
        return staged, Record(whole, "converted", None, quantization, licence, origin, versions, source=marks)

    return make(place, f"convert {shlex.quote(str(source.resolve()))} --quantization {quantization}", build)


def place_of_checkpoint(source: Path, quantization: str) -> tuple[Path, Marks]:
    """The place of a local checkpoint's conversion, by its content, and the marks of its files."""
    names = _hf_files(str(source), {p.name for p in source.iterdir() if p.is_file()})
    known: dict[str, Any] = {}
    for _, record in ready():
        if record.name == str(source.resolve()):
            known |= record.source
    marks = mark_files((source / n for n in names if n != CARD), known)
    return place_of(source.resolve().name, quantization, {n: m["sha256"] for n, m in marks.items()}), marks


def _ct2_files(name: str, files: Iterable[str]) -> list[str]:
    """What a run needs of a repository with a CTranslate2 translator."""
    wanted = sorted(f for f in files if CT2_FILES.fullmatch(f) or f in _BESIDE)
    if not any(f.startswith(("shared_vocabulary", "source_vocabulary")) for f in wanted):
        raise ConfigError(f"{name} holds a CTranslate2 model that is no translator (it has no shared_vocabulary file)")
    if TOKENIZER not in wanted:
        raise ConfigError(
            f"{name} holds a CTranslate2 model without {TOKENIZER}, which Transcreate reads; pull the checkpoint it was "
            "made from, or put its files and the checkpoint's tokenizer.json into a folder and name that"
        )
    return wanted


def _hf_files(name: str, files: Iterable[str]) -> list[str]:
    """What conversion needs of a Hugging Face checkpoint; weights once, as safetensors where there are any."""
    files = set(files)
    wanted = sorted(f for f in files if _HF_FILES.fullmatch(f))
    weights: list[str] = []
    for stem, ending in (("model", "safetensors"), ("pytorch_model", "bin")):
        whole, index = f"{stem}.{ending}", f"{stem}.{ending}.index.json"
        shards = sorted(f for f in files if re.fullmatch(rf"{stem}-\d+-of-\d+\.{ending}", f))
        weights = weights or ([whole] if whole in files else [index, *shards] if shards and index in files else [])
    missing = [f for f in ("config.json", TOKENIZER) if f not in files]
    missing += [] if weights else ["weights (model.safetensors or pytorch_model.bin)"]
    if missing:
        raise ConfigError(
            f"{name} is neither a CTranslate2 model (it has no model.bin) nor a Hugging Face checkpoint that can be "
            f"converted (it has no {', no '.join(missing)}) at its top level"
        )
    return wanted + weights


def _check_architecture(name: str, folder: Path) -> None:
    try:
        found = json.loads((folder / "config.json").read_text("utf-8")).get("model_type")
    except (ValueError, AttributeError):
        found = None
    if found != _ARCHITECTURE:
        raise ConfigError(
            f"{name} is a model of type {found!r}; Transcreate translates with NLLB ({_ARCHITECTURE}), "
            "such as facebook/nllb-200-distilled-600M"
        )


def _check_languages(name: str, folder: Path) -> None:
    text = (folder / TOKENIZER).read_bytes()
    if not any(f'"{code}"'.encode() in text for code in LANGUAGES):
        raise ConfigError(
            f"{name}: its {TOKENIZER} knows none of NLLB's language codes, such as eng_Latn (M2M-100 has others); "
            "Transcreate translates with NLLB, such as facebook/nllb-200-distilled-600M"
        )


def _check_quantization(quantization: str) -> None:
    if quantization not in COMPUTE_TYPES:
        raise ConfigError(
            f"{quantization!r} is nothing to convert a checkpoint to (translate.compute_type, --quantization); "
            f"one of {', '.join(COMPUTE_TYPES)}"
        )


def _convert(source: Path, staged: Path, quantization: str) -> dict[str, str]:
    """Converts a checkpoint; returns the versions of what did it."""
    try:
        from ctranslate2.converters import TransformersConverter

        TransformersConverter(str(source), copy_files=[TOKENIZER]).convert(str(staged), quantization=quantization)
    except Exception as error:
        said = next(iter(str(error).strip().splitlines()), "")[:200]
        raise ConfigError(
            f"{source}: cannot be converted ({type(error).__name__}: {said}); is it a whole checkpoint?"
        ) from error
    if (source / CARD).is_file():
        shutil.copyfile(source / CARD, staged / CARD)
    return {name: version(name) for name in ("ctranslate2", "transformers")}
