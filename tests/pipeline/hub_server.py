"""A hub on this machine: as much of its protocol as its client uses, with faults to order and a log of what was asked."""

import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit


class Request(NamedTuple):
    method: str
    path: str
    range: str | None
    token: str | None


class Fault(NamedTuple):
    """What becomes of a file's next GET.

    `cut` after so many bytes; `wrong` bytes; `crowd`: not before a second client has asked for the repository; `none`;
    or an HTTP status.
    """

    kind: str | int
    after: int = 0


def git_sha1(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@dataclass
class Repo:
    """One repository at one commit. Files that end in .bin or .safetensors are large: they lie on the second server."""

    files: dict[str, bytes]
    card_data: dict[str, Any] | None = None
    gated: bool = False

    @property
    def commit(self) -> str:
        names = "".join(f"{n}{hashlib.sha256(c).hexdigest()}" for n, c in sorted(self.files.items()))
        return hashlib.sha1(names.encode()).hexdigest()


@dataclass
class Hub:
    """Repositories by name, faults by file name, and every request so far.

    Large files are redirected to a server of another origin, as the hub does with its CDN.
    """

    url: str
    storage: str
    repos: dict[str, Repo] = field(default_factory=dict)
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    log: list[Request] = field(default_factory=list)

    def gets(self, file: str) -> list[str | None]:
        """The ranges with which a file's bytes were asked for."""
        return [r.range for r in self.log if r.method == "GET" and r.path.endswith(f"/{file}") and "/bytes/" in r.path]


@contextmanager
def serve() -> Iterator[Hub]:
    """Runs both servers on free ports for as long as the block lasts."""
    front, storage = (ThreadingHTTPServer(("127.0.0.1", 0), _Handler) for _ in range(2))
    hub = Hub(*(f"http://127.0.0.1:{server.server_port}" for server in (front, storage)))
    for server in (front, storage):
        server.hub = hub  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield hub
    finally:
        for server in (front, storage):
            server.shutdown()
            server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def hub(self) -> Hub:
        return self.server.hub  # type: ignore[attr-defined, no-any-return]

    def log_message(self, *args: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.log.append(Request(self.command, path, self.headers["Range"], self.headers["Authorization"]))
        if found := re.fullmatch(r"/api/models/([^/]+/[^/]+?)(?:/revision/(.+))?", path):
            self._info(*found.groups())
        elif found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            self._resolve(*found.groups())
        elif found := re.fullmatch(r"/bytes/([^/]+/[^/]+)/(.+)", path):
            self._bytes(*found.groups())
        else:
            self._error(404, "nothing here")

    def _info(self, name: str, revision: str | None) -> None:
        repo = self._repo(name, revision)
        if repo:
            siblings = [{"rfilename": n} for n in sorted(repo.files)]
            info = {"id": name, "sha": repo.commit, "siblings": siblings, "cardData": repo.card_data, "tags": []}
            self._send(200, json.dumps(info).encode(), {"Content-Type": "application/json"})

    def _resolve(self, name: str, revision: str, file: str) -> None:
        repo = self._repo(name, revision)
        if not repo:
            return
        if repo.gated:
            return self._error(403, "you must accept its terms", "GatedRepo")
        if file not in repo.files:
            return self._error(404, "no such file", "EntryNotFound")
        content, common = repo.files[file], {"X-Repo-Commit": repo.commit}
        if file.endswith((".bin", ".safetensors")):
            sha256 = hashlib.sha256(content).hexdigest()
            common |= {"X-Linked-Etag": f'"{sha256}"', "X-Linked-Size": str(len(content)), "ETag": '"storage"'}
            self._send(302, b"", common | {"Location": f"{self.hub.storage}/bytes/{name}/{file}"})
        elif self.command == "HEAD":
            self._send(200, content, common | {"ETag": f'W/"{git_sha1(content)}"'})
        else:
            self._send(302, b"", common | {"Location": f"{self.hub.url}/bytes/{name}/{file}"})

    def _bytes(self, name: str, file: str) -> None:
        content = self.hub.repos[name].files[file]
        faults = self.hub.faults.get(file, [])
        fault = faults.pop(0) if faults else Fault("none")
        if isinstance(fault.kind, int):
            return self._error(fault.kind, "ordered by a test", after="0")
        if fault.kind == "crowd":
            deadline = time.monotonic() + 30
            while sum(r.path == f"/api/models/{name}" for r in self.hub.log) < 2 and time.monotonic() < deadline:
                time.sleep(0.05)
        if fault.kind == "wrong":
            content = bytes(len(content))
        headers, status = {"Accept-Ranges": "bytes"}, 200
        if asked := re.fullmatch(r"bytes=(\d+)-", self.headers["Range"] or ""):
            start = int(asked[1])
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            content, status = content[start:], 206
        self._send(status, content, headers, fault.after if fault.kind == "cut" else None)

    def _repo(self, name: str, revision: str | None) -> Repo | None:
        repo = self.hub.repos.get(name)
        if repo is None:
            self._error(404, "Repository not found", "RepoNotFound")
        elif revision not in (None, "main", repo.commit):
            self._error(404, "no such revision", "RevisionNotFound")
            return None
        return repo

    def _error(self, status: int, said: str, code: str = "", after: str = "") -> None:
        named = {"X-Error-Code": code, "X-Error-Message": said, "Retry-After": after}
        self._send(status, said.encode(), {k: v for k, v in named.items() if v})

    def _send(self, status: int, body: bytes, headers: dict[str, str], cut: int | None = None) -> None:
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body if cut is None else body[:cut])
        if cut is not None:
            self.close_connection = True
