"""`transcreate evaluate segregate`: how well Segregate finds what people marked, in rows and in spans."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data import resource
from pipeline.config import Config, Llm
from pipeline.errors import ConfigError, InputError
from schemas.kinds import KIND_OF
from schemas.rows import Culture, Origin, Row, Sample, Text
from transforms.ask_llm import segregate_by_llm, segregate_request
from transforms.inference.answering import WrongModel
from transforms.inference.llm import Answer, LlmModel, decode_answer

SOURCE = "en-US"


@dataclass(frozen=True)
class Mark:
    """A stretch that somebody marked, with the kind (not the type) that it is of, and the cultures if they were given."""

    start: int
    end: int
    kind: str
    cultures: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class Marked:
    """What one reader, or one method, says of a text: whether it is culture-specific, how surely, and where."""

    specific: bool
    marks: tuple[Mark, ...]
    score: float = 1.0


@dataclass(frozen=True)
class Case:
    """A text with the marks that count, and those of the readers they were settled from, if they are kept."""

    id: str
    style: str
    text: str
    gold: Marked
    passes: tuple[Marked, ...] = ()


@dataclass(frozen=True)
class Counts:
    """True positives, false positives and false negatives."""

    hits: int = 0
    false: int = 0
    missed: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.hits + other.hits, self.false + other.false, self.missed + other.missed)

    @property
    def precision(self) -> float | None:
        return self.hits / (self.hits + self.false) if self.hits + self.false else None

    @property
    def recall(self) -> float | None:
        return self.hits / (self.hits + self.missed) if self.hits + self.missed else None

    @property
    def f1(self) -> float | None:
        total = 2 * self.hits + self.false + self.missed
        return 2 * self.hits / total if total else None


# --- reading ---


def read_cases(lines: Iterable[str], name: str) -> list[Case]:
    """Reads the cases of one file.

    Raises:
        InputError: a line is malformed; names file, line and field, never the text.
    """
    cases = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"{name}:{number}"
        try:
            raw = json.loads(line)
        except json.JSONDecodeError as error:
            raise InputError(f"{where}: not JSON ({error.msg}); one object a line is expected") from None
        if not isinstance(raw, dict):
            raise InputError(f"{where}: must be an object with id, style, text, specific and spans")
        for key, kind in (("id", str), ("style", str), ("text", str)):
            if not isinstance(raw.get(key), kind):
                raise InputError(f"{where}: `{key}` must be text")
        passes = raw.get("passes", [])
        if not isinstance(passes, list) or len(passes) > 2:
            raise InputError(f"{where}: `passes` must be a list of one or two readers' marks, or be left out")
        text = raw["text"]
        cases.append(
            Case(
                raw["id"],
                raw["style"],
                text,
                _marked(raw, text, where),
                tuple(_marked(p, text, f"{where}: passes") for p in passes),
            )
        )
    if len({case.id for case in cases}) < len(cases):
        raise InputError(f"{name}: an id stands twice; each case needs its own")
    return cases


def _marked(raw: Any, text: str, where: str) -> Marked:
    if not isinstance(raw, dict) or not isinstance(raw.get("specific"), bool) or not isinstance(raw.get("spans"), list):
        raise InputError(f"{where}: needs `specific` (true or false) and a list `spans`")
    marks = []
    for span in raw["spans"]:
        if not isinstance(span, dict) or span.get("kind") not in KIND_OF:
            raise InputError(f"{where}: a span's kind must be one of docs/segregation_guide.md, such as given_name")
        start, end = span.get("start"), span.get("end")
        if not (isinstance(start, int) and isinstance(end, int) and 0 <= start < end <= len(text)):
            raise InputError(f"{where}: span {start}..{end} does not lie in the text, which has {len(text)} characters")
        cultures = span.get("cultures", [])
        if not isinstance(cultures, list) or not all(isinstance(c, str) for c in cultures):
            raise InputError(f"{where}: a span's cultures must be a list of locales, such as [en-US]")
        marks.append(Mark(start, end, KIND_OF[span["kind"]], tuple(cultures)))
    return Marked(raw["specific"], join_names(marks, text))


def as_marked(culture: Culture, text: str) -> Marked:
    """What a method says of a row of one text, as a reader would say it."""
    marks = (Mark(s.start, s.end, KIND_OF[s.kind]) for s in culture.spans)
    return Marked(culture.specific, join_names(marks, text), culture.score)


def join_names(marks: Iterable[Mark], text: str) -> tuple[Mark, ...]:
    """The marks, with a given name and a surname side by side as one: some mark them together, some apart."""
    joined: list[Mark] = []
    for mark in sorted(marks, key=lambda m: m.start):
        last = joined[-1] if joined else None
        if last and last.kind == mark.kind == "given_name" and text[last.end : mark.start] == " ":
            joined[-1] = Mark(last.start, mark.end, mark.kind, mark.cultures)
        else:
            joined.append(mark)
    return tuple(joined)


# --- measuring ---


def count(pairs: Iterable[tuple[bool, bool]]) -> Counts:
    """Counts (gold, predicted) answers."""
    found = Counts()
    for gold, predicted in pairs:
        found += Counts(int(gold and predicted), int(predicted and not gold), int(gold and not predicted))
    return found


def count_spans(gold: Sequence[Mark], predicted: Sequence[Mark]) -> dict[str, Counts]:
    """Counts the spans of one text per kind.

    A predicted span hits a marked one of its kind if what they share is at least half of either. Each counts once.
    """
    found: dict[str, Counts] = defaultdict(Counts)
    left = list(gold)
    for mark in predicted:
        hit = next((g for g in left if g.kind == mark.kind and _overlap(g, mark)), None)
        if hit:
            left.remove(hit)
        found[mark.kind] += Counts(hits=1) if hit else Counts(false=1)
    for mark in left:
        found[mark.kind] += Counts(missed=1)
    return dict(found)


def _overlap(one: Mark, other: Mark) -> bool:
    shared = min(one.end, other.end) - max(one.start, other.start)
    return 2 * shared >= max(one.end - one.start, other.end - other.start)


def sum_spans(pairs: Iterable[tuple[Sequence[Mark], Sequence[Mark]]]) -> dict[str, Counts]:
    """Counts the spans of many texts per kind."""
    found: dict[str, Counts] = defaultdict(Counts)
    for gold, predicted in pairs:
        for kind, counts in count_spans(gold, predicted).items():
            found[kind] += counts
    return dict(found)


def best_threshold(scored: Sequence[tuple[bool, float]]) -> float:
    """The score from which rows are to be called specific for the best F1; the highest of equals, 0.5 if nothing is scored."""
    candidates = sorted({score for _, score in scored if score > 0}, reverse=True)
    return max(candidates, key=lambda t: count((g, s >= t) for g, s in scored).f1 or 0.0, default=0.5)


def leave_one_style_out(cases: Sequence[Case], said: Mapping[str, Marked]) -> dict[str, tuple[float, Counts]]:
    """Style -> (threshold chosen on all other styles, counts of this one with it): what a new style would get."""
    found = {}
    for style in sorted({case.style for case in cases}):
        others = [(c.gold.specific, said[c.id].score) for c in cases if c.style != style]
        threshold = best_threshold(others)
        found[style] = (
            threshold,
            count((c.gold.specific, said[c.id].score >= threshold) for c in cases if c.style == style),
        )
    return found


def kappa(pairs: Sequence[tuple[bool, bool]]) -> float | None:
    """Cohen's kappa of two readers' answers; None if there is nothing to agree on by more than chance."""
    if not pairs:
        return None
    n = len(pairs)
    agreed = sum(a == b for a, b in pairs) / n
    one, other = sum(a for a, _ in pairs) / n, sum(b for _, b in pairs) / n
    chance = one * other + (1 - one) * (1 - other)
    return None if chance == 1 else (agreed - chance) / (1 - chance)


# --- telling ---


def describe(cases: Sequence[Case], said: Mapping[str, Marked], errors: bool = False) -> str:
    """The report on what a method says of the cases, by their ids. It never holds a text."""
    rows = [(c.style, c.gold.specific, said[c.id].specific) for c in cases]
    styles = sorted({c.style for c in cases})
    lines = [_HEADER.format("rows"), _line("all", count((g, p) for _, g, p in rows))]
    lines += [_line(style, count((g, p) for s, g, p in rows if s == style)) for style in styles]
    if len(styles) > 1:
        lines += ["", _HEADER.format("threshold chosen on the other styles")]
        left_out = leave_one_style_out(cases, said)
        lines += [_line(f"{s} (from {t:.2f})", counts) for s, (t, counts) in left_out.items()]
        lines.append(_line("all", sum((counts for _, counts in left_out.values()), Counts())))
    spans = sum_spans((c.gold.marks, said[c.id].marks) for c in cases)
    lines += ["", _HEADER.format("spans"), _line("all", sum(spans.values(), Counts()))]
    lines += [_line(kind, spans[kind]) for kind in sorted(spans)]
    read_twice = [c for c in cases if len(c.passes) == 2]
    if read_twice:
        agreed = kappa([(c.passes[0].specific, c.passes[1].specific) for c in read_twice])
        both = sum(sum_spans((c.passes[0].marks, c.passes[1].marks) for c in read_twice).values(), Counts())
        lines += [
            "",
            f"two readers of {len(read_twice):,} texts: kappa of rows {_share(agreed)}, F1 of spans {_share(both.f1)}",
        ]
    if errors:
        lines += ["", "wrong rows"]
        for title, gold in (("taken for specific", False), ("taken for generic", True)):
            ids = [c.id for c in cases if c.gold.specific is gold and said[c.id].specific is not gold]
            lines.append(f"{title}: {' '.join(ids) or 'none'}")
    return "\n".join(lines)


_HEADER = f"{{:<40}}{'precision':>10}{'recall':>8}{'F1':>8}{'hits':>7}{'false':>7}{'missed':>8}"


def _line(name: str, counts: Counts) -> str:
    shares = f"{_share(counts.precision):>10}{_share(counts.recall):>8}{_share(counts.f1):>8}"
    return f"{name:<40}{shares}{counts.hits:>7,}{counts.false:>7,}{counts.missed:>8,}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


# --- the command ---


def evaluate_command(files: Sequence[str], split: str, errors: bool, config: Config | None = None) -> int:
    """Evaluates a method of segregation; returns the exit code.

    Args:
        files: JSON Lines of cases; empty for those that ship as data/evaluation/.
        split: dev or test, of those that ship.
        errors: list the ids of the rows it gets wrong.
        config: whose method is evaluated, with its language model; None: the lexicon's. Every call of it pays anew.

    Raises:
        InputError: a file is missing or malformed.
        ConfigError: the language model cannot be asked.
    """
    from transforms.segregate import load_lexicon, segregate

    cases = load_cases(files, split)
    lexicon = load_lexicon(SOURCE)
    if config is None or config.segregate.method == "lexicon":
        print(describe(cases, ask(cases, lambda row: segregate(row, lexicon)), errors))
        return 0
    assert config.llm is not None, "load_config sees to it"
    both, answers = config.segregate.method == "hybrid", _answers(cases, config.llm)
    failed = Counter(a.failure for a in answers.values() if a.found is None)

    def method(row: Row) -> Row:
        return segregate_by_llm(row, answers[row.id], lexicon, both)

    print(describe(cases, ask(cases, method), errors))
    if failed:
        told = ", ".join(f"{reason} {n:,}" for reason, n in sorted(failed.items()))
        print(f"\nno answer, so marked by the lexicon alone: {told}")
    return 0


def _answers(cases: Sequence[Case], settings: Llm) -> dict[str, Answer]:
    """Id -> what the language model says of each case."""

    def one(case: Case) -> Answer:
        request = segregate_request(row_of(case))
        return decode_answer(model.answer([request])[request.key])

    try:
        model = LlmModel(settings)
        with ThreadPoolExecutor(settings.threads) as threads:
            return dict(zip([c.id for c in cases], threads.map(one, cases), strict=True))
    except ImportError:
        raise ConfigError("llm: the client is not installed: pip install 'transcreate[llm]'") from None
    except WrongModel as error:
        raise ConfigError(str(error)) from None


def load_cases(files: Sequence[str], split: str) -> list[Case]:
    """The cases of some files, or of a split that ships.

    Raises:
        InputError: a file is missing or malformed, or holds nothing.
    """
    cases = [case for file in files for case in read_cases(_lines(file), file)] if files else _shipped(split)
    if not cases:
        raise InputError("no cases in the data: each line is an object with id, style, text, specific and spans")
    if len({case.id for case in cases}) < len(cases):
        raise InputError("two of the files have an id in common: evaluate them one by one")
    return cases


def ask(cases: Sequence[Case], method: Callable[[Row], Row]) -> dict[str, Marked]:
    """Id -> what a method of segregation (row -> row with its culture) says of each case."""
    said = {}
    for case in cases:
        culture = method(row_of(case)).culture
        assert culture is not None, "a method fills Row.culture"
        said[case.id] = as_marked(culture, case.text)
    return said


def row_of(case: Case) -> Row:
    """A case as a row without labels."""
    sample = Sample(
        case.id, "evaluation", "test", None, None, None, None, (), None, "", "{}", Origin("evaluation", 1), "test"
    )  # fmt: skip
    return Row(sample, (Text("prompt", 0, case.text),), id=case.id)


def _shipped(split: str) -> list[Case]:
    path = f"evaluation/segregate_{split}.jsonl"
    try:
        text = resource(path).read_text("utf-8")
    except FileNotFoundError:
        raise InputError(f"data/{path} is not part of this installation: give a file with --data FILE") from None
    return read_cases(text.split("\n"), f"data/{path}")


def _lines(file: str) -> list[str]:
    try:
        # By line feeds only: a text may hold other characters that end a line, and JSON leaves them as they are.
        return Path(file).read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise InputError(
            f"{file}: {reason}; --data takes JSON Lines with id, style, text, specific and spans"
        ) from None
