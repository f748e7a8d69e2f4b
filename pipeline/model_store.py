"""Keeps models that are ready to run: one folder each with a record, made beside its place and renamed into it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, TextIO

from pipeline.config import fingerprint
from pipeline.errors import ConfigError
from schemas.hashing import sha256_of

RECORD = "transcreate.json"
CARD = "README.md"
_CACHE = "TRANSCREATE_CACHE"
_STAGED = "model"

# File name -> {"bytes", "mtime_ns", "sha256"}.
Marks = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Record:
    """What is known of a model in the cache.

    Attributes:
        name: as asked for: a hub name (NAME or NAME@REVISION), or the folder that was converted.
        kind: pulled (a CTranslate2 model, as it came) | converted.
        revision: the hub's commit; None if it came from a folder.
        quantization: of the weights; None where the model came as it is.
        licence_from: card | hub | name | "" (nobody says).
        versions: of the packages that made it.
        files: all but the card, which a user may write into.
        source: files of the folder that was converted, so that they need not be hashed again.
    """

    name: str
    kind: str
    revision: str | None
    quantization: str | None
    licence: str
    licence_from: str
    versions: dict[str, str]
    files: Marks = field(default_factory=dict)
    source: Marks = field(default_factory=dict)


@dataclass(frozen=True)
class Leftover:
    """Something in the cache that is no model: `busy` while a process is at work on it."""

    name: str
    folder: Path
    bytes: int
    busy: bool


def mark_files(paths: Iterable[Path], known: Mapping[str, Mapping[str, Any]] | None = None) -> Marks:
    """Size, time and sha256 of files; one whose size and time are those that are `known` is not read again."""
    marks: Marks = {}
    for path in sorted(paths):
        stat = path.stat()
        facts = {"bytes": stat.st_size, "mtime_ns": stat.st_mtime_ns}
        old = (known or {}).get(path.name, {})
        same = all(old.get(k) == v for k, v in facts.items())
        marks[path.name] = facts | {"sha256": old["sha256"] if same else sha256_of(path)}
    return marks


def cache_folder() -> Path:
    """Where models are kept: $TRANSCREATE_CACHE, else ~/.cache/transcreate."""
    return Path(os.environ.get(_CACHE) or Path.home() / ".cache" / "transcreate")


def place_of(name: str, quantization: str | None, content: Any = None) -> Path:
    """The folder of a model, whether it is there yet or not."""
    slug = re.sub(r"[^\w.-]+", "--", name).strip("-.")
    return cache_folder() / "models" / f"{slug}-{quantization or 'asis'}-{fingerprint(name, quantization, content)[:8]}"


def read_record(folder: Path) -> Record | None:
    """The record of a model's folder; None if it is not one."""
    try:
        return Record(**json.loads((folder / RECORD).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def ready() -> list[tuple[Path, Record]]:
    """Every model of the cache that is ready to run, by folder name."""
    found = ((p, read_record(p)) for p in sorted((cache_folder() / "models").glob("[!.]*")))
    return [(path, record) for path, record in found if record]


def leftovers() -> list[Leftover]:
    """What else is in the cache: models in the making, and what killed processes left."""
    found = []
    for folder in sorted((cache_folder() / "models").glob("*")):
        if not folder.name.startswith(".") and read_record(folder):
            continue
        with contextlib.suppress(FileNotFoundError), _try_lock(folder / "lock") as free:  # it may end while we look
            name = (folder / "lock").read_text("utf-8") if (folder / "lock").exists() else ""
            size = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
            found.append(Leftover(name, folder, size, not free))
    return found


def damaged(folder: Path, record: Record) -> list[str]:
    """Files that are not as the record says, re-hashed."""
    wrong = []
    for name, mark in record.files.items():
        path = folder / name
        if not path.is_file():
            wrong.append(f"{path}: missing")
        elif path.stat().st_size != mark["bytes"] or sha256_of(path) != mark["sha256"]:
            wrong.append(f"{path}: not the bytes that were recorded")
    return wrong


def content_of(folder: Path, record: Record) -> dict[str, str]:
    """File name -> sha256 of a recorded model; a file whose size and time are as recorded is not read again.

    Raises:
        ConfigError: a file is missing or was changed.
    """
    paths = [folder / name for name in record.files]
    gone = [p.name for p in paths if not p.is_file()]
    marks = {} if gone else mark_files(paths, record.files)
    wrong = gone or [name for name, mark in marks.items() if mark["sha256"] != record.files[name]["sha256"]]
    if wrong:
        raise ConfigError(
            f"{folder}: {', '.join(wrong)} missing or not as recorded in {RECORD}; "
            "delete the folder and get the model again"
        )
    return {name: mark["sha256"] for name, mark in marks.items()}


def make(final: Path, name: str, build: Callable[[Path, Path], tuple[Path, Record]]) -> Path:
    """Makes a model's folder unless it is there. Nobody ever sees half of one; who comes second waits for the first.

    Args:
        build: returns the folder that becomes the model, and the record without `files`. What it puts into the first
            folder it is given outlives a kill, until the model is made; the second one, inside, does not.

    Raises:
        ConfigError: the place cannot be written, or is taken by something that is no model.
    """
    with _hold(final.with_name(f".{final.name}"), name) as work:
        if read_record(final):
            return final
        if final.exists():
            raise ConfigError(f"{final} has no readable {RECORD}, so it is no model; delete it and try again")
        for lock in final.parent.glob(".*/lock"):
            with contextlib.suppress(FileNotFoundError), _try_lock(lock) as free:
                if free:
                    _tidy(lock.parent)
        staged = work / _STAGED
        shutil.rmtree(staged, ignore_errors=True)  # of a process that was killed
        made, record = build(work, staged)
        record = replace(record, files=mark_files(p for p in made.iterdir() if p.name not in (CARD, RECORD)))
        (made / RECORD).write_text(json.dumps(asdict(record), indent=1, ensure_ascii=False), "utf-8")
        for path in (*made.iterdir(), made):
            _sync(path)
        os.replace(made, final)
        _sync(final.parent)
    return final


@contextlib.contextmanager
def _hold(work: Path, name: str) -> Iterator[Path]:
    """Holds a work folder, and tidies it at the end. The lock goes with the process, however that ends."""
    with _lock(work, name) as file:
        file.truncate(0)
        file.write(name)
        file.flush()
        try:
            yield work
        finally:
            _tidy(work)


def _lock(work: Path, name: str) -> TextIO:
    lock = work / "lock"
    while True:
        try:
            work.mkdir(parents=True, exist_ok=True)
            file = open(lock, "a", encoding="utf-8")  # noqa: SIM115 (it is the lock, and outlives this function)
        except FileNotFoundError:  # its last holder has just removed the folder
            continue
        except OSError as error:
            raise ConfigError(
                f"{work.parent}: cannot keep models there ({error.strerror}); set {_CACHE} to a folder you can write to"
            ) from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"transcreate: another process is getting {name}; waiting for it", file=sys.stderr)
            fcntl.flock(file, fcntl.LOCK_EX)
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), lock.stat()):
                return file
        file.close()  # a lock on a file that its last holder removed holds nothing


@contextlib.contextmanager
def _try_lock(lock: Path) -> Iterator[bool]:
    """Whether nobody holds a lock; holds it meanwhile."""
    if not lock.exists():
        yield True
        return
    with open(lock, encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            free = True
        except BlockingIOError:
            free = False
        yield free


def _tidy(work: Path) -> None:
    """Removes what nobody can use from a work folder: half a model, and all of it once the model is made."""
    shutil.rmtree(work / _STAGED, ignore_errors=True)
    kept = (p for p in work.rglob("*") if p.is_file() and p.name != "lock" and p.stat().st_size)
    if read_record(work.with_name(work.name[1:])) or not any(kept):
        shutil.rmtree(work, ignore_errors=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
