"""Fetches files of a repository on the hub, or whatever HF_ENDPOINT names: resumed after a break, checked by hash."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import ConfigError, TranscreateError
from pipeline.licences import stated_licence
from schemas.hashing import sha256_of


@dataclass(frozen=True)
class Snapshot:
    """A repository at one commit.

    Attributes:
        name: as it was asked for: owner/name, or owner/name@revision.
        files: names of all its files.
        licence: as the hub has it from the card; "" if it has none.
    """

    name: str
    repository: str
    commit: str
    files: frozenset[str]
    licence: str


def look_up(name: str) -> Snapshot:
    """Asks the hub what a repository holds: owner/name for its main branch, or owner/name@revision.

    Raises:
        ConfigError: there is no such repository or revision, or it may not be read.
        TranscreateError: the hub does not answer.
    """
    from huggingface_hub import HfApi

    logging.getLogger("huggingface_hub").propagate = False  # it prints for itself
    repository, _, revision = name.partition("@")
    with _explained(name):
        info = HfApi().model_info(repository, revision=revision or None, timeout=30)
        if not info.sha:
            raise ValueError("it names no commit")
    licence = stated_licence(info.card_data.to_dict()) if info.card_data else ""
    return Snapshot(name, repository, info.sha, frozenset(s.rfilename for s in info.siblings or ()), licence)


def fetch(snapshot: Snapshot, files: Iterable[str], folder: Path) -> None:
    """Downloads files into a folder. What is there is not fetched again, and what is there in part is gone on with.

    The hub's client forgets a broken download when its process ends (huggingface_hub 2.4), so parts are kept here,
    in its steps of 10 MiB.

    Raises:
        ConfigError, TranscreateError: as `look_up`; or a file is not what the hub says it is, and was removed.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    folder.mkdir(parents=True, exist_ok=True)
    # Compressed bodies have no length, and a part of one is no part of the file.
    headers = {**build_hf_headers(), "Accept-Encoding": "identity"}
    for name in files:
        whole, part = folder / name, folder / f"{name}.part"
        if whole.exists():
            continue
        with _explained(snapshot.name):
            url = hf_hub_url(snapshot.repository, name, revision=snapshot.commit)
            facts = get_hf_file_metadata(url, retry_on_errors=True)
            if part.exists() and facts.size is not None and part.stat().st_size > facts.size:
                part.unlink()
            with open(part, "ab") as file:
                http_get(
                    url,
                    file,
                    resume_size=file.tell(),
                    headers=headers,
                    expected_size=facts.size,
                    displayed_filename=name,
                )
        if not _matches(part, facts.etag or ""):
            part.unlink()
            raise TranscreateError(
                f"{snapshot.name}: {name} arrived with other bytes than the hub's hash says, and was removed; "
                "run the same command again"
            )
        part.rename(whole)


def _matches(path: Path, etag: str) -> bool:
    """Whether a file has the hash that the hub gives as its tag: sha256 of large files, git's sha1 of others."""
    if re.fullmatch(r"[0-9a-f]{64}", etag):
        return sha256_of(path) == etag
    if re.fullmatch(r"[0-9a-f]{40}", etag):
        content = path.read_bytes()
        return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest() == etag
    return True  # an endpoint with tags of its own; the length was checked


@contextlib.contextmanager
def _explained(name: str) -> Iterator[None]:
    """Turns whatever the hub's client raises into an error that says what to do: change something, or try again."""
    from huggingface_hub import constants, errors

    hub = constants.ENDPOINT
    try:
        yield
    except errors.GatedRepoError:
        raise ConfigError(
            f"{name}: {hub} gives it only to those who accept its terms; do so on its page there, then set HF_TOKEN"
        ) from None
    except errors.RepositoryNotFoundError:
        raise ConfigError(
            f"{name}: {hub} has no such model, or a private one; check the name, or set HF_TOKEN, or give a local directory"
        ) from None
    except errors.RevisionNotFoundError:
        raise ConfigError(f"{name}: {hub} has no such revision of it; name a branch, tag or commit") from None
    except errors.HFValidationError as error:
        raise ConfigError(f"{name}: no name of the hub's ({error})") from None
    except errors.OfflineModeIsEnabled:
        raise ConfigError(
            f"{name} is not in the cache, and HF_HUB_OFFLINE forbids to fetch it; unset that for "
            f"`transcreate models pull {name}`, or give a local directory"
        ) from None
    except Exception as error:
        said = next(iter(str(error).strip().splitlines()), "")[:200]
        raise TranscreateError(
            f"{name}: the download from {hub} broke off ({type(error).__name__}: {said}); "
            "what has arrived is kept: run the same command again to go on"
        ) from error
