"""The memory on a real S3 server over HTTP, in this process."""

from __future__ import annotations

import json
import logging
import pickle
import urllib.request
from collections.abc import Iterator

import pyarrow.fs as pafs
import pytest

from schemas.hashing import digest
from transforms.inference import memory_files
from transforms.inference.memory import Memory
from transforms.inference.memory_care import Compaction, compact, stats, verify
from transforms.inference.memory_files import open_root, probe

FINGERPRINT = "f" * 32
ANSWERS = {f"k{i}": b"%d" % i * 50 for i in range(12)}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with pytest.MonkeyPatch.context() as patched:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patched.setenv(name, "test")
        patched.setenv("AWS_EC2_METADATA_DISABLED", "true")
        running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        running.start()
        host, port = running.get_host_and_port()
        yield f"{host}:{port}"
        running.stop()


@pytest.fixture
def root(server: str, request: pytest.FixtureRequest) -> str:
    bucket = f"bucket-{digest(request.node.name)}"
    urllib.request.urlopen(urllib.request.Request(f"http://{server}/{bucket}", method="PUT"))
    return f"s3://{bucket}/some/prefix/?endpoint_override={server}&scheme=http&region=us-east-1"


def fill(root: str) -> Memory:
    memory = Memory(root, FINGERPRINT, "translate demo")
    for key, answer in ANSWERS.items():
        memory.remember("b", {key: answer})
    return memory


def names(root: str) -> list[str]:
    system, path = open_root(root)
    found = system.get_file_info(pafs.FileSelector(path, recursive=True))
    return sorted(info.path for info in found if info.type == pafs.FileType.File)


def damage(root: str, path: str) -> None:
    system, _ = open_root(root)
    data = system.open_input_file(path).read()
    with system.open_output_stream(path) as sink:
        sink.write(data[:-5])


@pytest.mark.parametrize("at_once", [0, 1 << 20])
def test_a_bucket_remembers_as_a_folder_does(root: str, monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(memory_files, "_AT_ONCE", at_once)
    memory = fill(root)
    assert memory.recall("b", [*ANSWERS, "other"]) == ANSWERS
    assert pickle.loads(pickle.dumps(memory)).recall("b", ["k1"]) == {"k1": ANSWERS["k1"]}
    assert memory.recall("c", ANSWERS) == {}
    assert Memory(root, "0" * 32).recall("b", ANSWERS) == {}


def test_a_bucket_is_counted_merged_and_verified(root: str) -> None:
    memory = fill(root)
    (before,) = stats(root)
    assert (before.about, before.buckets, before.files, before.answers) == ("translate demo", 1, 12, 12)
    assert compact(root) == Compaction(12, 1, 0, 0)
    assert memory.recall("b", ANSWERS) == ANSWERS
    assert compact(root) == Compaction(1, 1, 0, 0)
    assert verify(root) == (1, [])


@pytest.mark.parametrize("at_once", [0, 1 << 20])
def test_a_damaged_object_is_set_aside(root: str, monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(memory_files, "_AT_ONCE", at_once)
    memory = fill(root)
    path = next(name for name in names(root) if name.endswith(".parquet"))
    damage(root, path)
    assert verify(root) == (12, [path])
    assert len(memory.recall("b", ANSWERS)) == 11
    assert path.replace(".parquet", ".corrupt") in names(root)
    assert verify(root) == (11, [])


def test_what_is_not_there_is_refused_and_nothing_is_unknown_for_want_of_a_server(root: str) -> None:
    with pytest.raises(FileNotFoundError, match="no such folder"):
        stats(root)
    nobody = root.replace("/some/prefix", "nobody/prefix")
    with pytest.raises(OSError, match="NO_SUCH_BUCKET"):
        Memory(nobody, FINGERPRINT).remember("b", {"k": b"a"})


def test_a_probe_leaves_nothing_and_finds_what_is_wrong(root: str) -> None:
    probe(root)
    assert names(root) == []
    with pytest.raises(OSError, match="NO_SUCH_BUCKET"):
        probe(root.replace("/some/prefix", "nobody/prefix"))


def test_googles_storage_is_not_waited_for_for_minutes() -> None:
    def limit(root: str) -> float:
        system, path = open_root(root)
        assert path == "bucket/x"
        return float(system.__reduce__()[1][0]["retry_time_limit"].total_seconds())

    assert limit("gs://bucket/x") == limit("gs://bucket/x?scheme=http") == 30
    assert limit("gs://bucket/x?retry_limit_seconds=5") == 5


def test_the_uri_and_its_secrets_are_not_written_into_the_memory(root: str) -> None:
    fill(root)
    system, _ = open_root(root)
    (about,) = (name for name in names(root) if name.endswith("about.json"))
    assert json.loads(system.open_input_file(about).read()) == {"about": "translate demo"}
