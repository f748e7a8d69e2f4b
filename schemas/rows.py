"""The records that flow through the pipeline. All are frozen: each stage returns a new one."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Origin:
    """Where a unit of input stands: file name (no folders above the configured one) and line or row number from 1."""

    file: str
    line: int


@dataclass(frozen=True)
class Sample:
    """What a row is about, apart from its texts: identity, labels and provenance.

    Attributes:
        source_id: the id in the input, or None.
        prompt_label, response_label: safe | controversial | unsafe | None.
        categories: namespaced slugs, such as "aegis2:pii_privacy", sorted.
        categories_raw: as the input wrote them.
        metadata: the input's other fields, as a JSON object.
    """

    source_id: str | None
    dataset: str
    split: str
    prompt_label: str | None
    response_label: str | None
    prompt_label_source: str | None
    response_label_source: str | None
    categories: tuple[str, ...]
    categories_raw: str | None
    licence: str
    metadata: str
    origin: Origin
    usage: str = "train"


@dataclass(frozen=True)
class Span:
    """A stretch of a source text that belongs to a culture. Offsets are in characters of that text.

    Attributes:
        text: index of the text within the row.
        kind: type of `schemas.kinds.KIND_OF`: a pack's type ("city"), a measure ("money") or a kind ("idiom").
        cultures: locales that it belongs to.
        role: what it is for within its type, as packs use the word ("" if nobody said).
        plain: ordinary English that says the same, for an idiom that has it.
        weight: how far this one span speaks for a culture-specific row, from 0 to 1.
    """

    text: int
    start: int
    end: int
    surface: str
    kind: str
    cultures: tuple[str, ...]
    role: str = ""
    plain: str = ""
    weight: float = 1.0


@dataclass(frozen=True)
class Culture:
    """The verdict of Segregate: whether the row leans on its source culture, how strongly, and on which evidence."""

    specific: bool
    score: float
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class Edit:
    """What Adapt decided for one span.

    Attributes:
        start, end: offsets in the *adapted* text.
        action: swap | local | universal | topic.
        before, after: English surface before and after.
        natives: spellings of `after` in the target language, one of which a translation must hold; empty if unknown.
        source: where the pack has the value from.
    """

    start: int
    end: int
    kind: str
    action: str
    before: str
    after: str
    natives: tuple[str, ...]
    source: str


# Actions of an edit that put something else into the text.
EXCHANGES = ("swap", "universal")


@dataclass(frozen=True)
class Segment:
    """One translated sentence. `logprob` is the decoder's mean log-probability per token, in nats."""

    source: str
    target: str
    logprob: float
    worst: float
    unknown: int
    flags: tuple[str, ...]


@dataclass(frozen=True)
class Text:
    """One text of a row, from source to target. `adapted` equals `source` where nothing was edited.

    Attributes:
        role: prompt | response | system | user | assistant | tool | rationale. The prompt is the last user message, the
            response the last assistant message with text after it.
        turn: place in the row, from 0: the conversation in order, then the rationale.
    """

    role: str
    turn: int
    source: str | None
    adapted: str | None = None
    target: str | None = None
    edits: tuple[Edit, ...] = ()
    segments: tuple[Segment, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    not_judged: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()

    @property
    def exchanged(self) -> bool:
        """Whether Adapt put something else into it."""
        return any(e.action in EXCHANGES for e in self.edits)

    @property
    def name(self) -> str:
        """What reports call the text, once per row: its role, with the turn where there may be several ("user[2]")."""
        several = self.role in ("user", "assistant", "tool") or (self.role == "system" and self.turn > 0)
        return f"{self.role}[{self.turn}]" if several else self.role


@dataclass(frozen=True)
class Verdict:
    """Accepted when there are no reasons."""

    reasons: tuple[str, ...]

    @property
    def accepted(self) -> bool:
        return not self.reasons


@dataclass(frozen=True)
class Row:
    """One sample in one locale. `id` is empty until Group assigns it."""

    sample: Sample
    texts: tuple[Text, ...]
    id: str = ""
    group_id: str = ""
    locale: str = ""
    language: str = ""
    n_locales: int = 0
    same_text_as: str | None = None
    origin: str = "native"
    culture: Culture | None = None
    verdict: Verdict | None = None

    def text(self, role: str) -> Text | None:
        return next((t for t in self.texts if t.role == role), None)


def with_flag(row: Row, flag: str) -> Row:
    """The row with a flag on each text that has one to bear."""
    texts = (t if t.source is None else dataclasses.replace(t, flags=(*t.flags, flag)) for t in row.texts)
    return dataclasses.replace(row, texts=tuple(texts))


@dataclass(frozen=True)
class DeadLetter:
    """A unit that crashed a stage. Never holds payload: only where it stands and what we say of it.

    `units` is how many units of the stage's ledger line it stands for (a row lost before the fan-out stands for all locales).
    """

    stage: str
    location: str
    error: str
    message: str
    units: int = 1

    def as_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False, sort_keys=True)


def row_to_json(row: Row) -> str:
    """A canonical row (before Segregate) as one JSON object."""
    return json.dumps(dataclasses.asdict(row), ensure_ascii=False, sort_keys=True)


def row_from_json(line: str) -> Row:
    """Reads what `row_to_json` wrote."""
    raw: dict[str, Any] = json.loads(line)
    sample = raw["sample"]
    sample["categories"] = tuple(sample["categories"])
    sample["origin"] = Origin(**sample["origin"])
    raw["sample"] = Sample(**sample)
    raw["texts"] = tuple(
        Text(**{**t, "edits": (), "segments": (), "flags": tuple(t["flags"]), "not_judged": ()}) for t in raw["texts"]
    )
    return Row(**raw)
