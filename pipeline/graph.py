"""The whole DAG: phase 1 lets rows through the gate, phase 2 makes every locale's rows of one slice."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import AsDict, AsSingleton

from pipeline.config import Config
from pipeline.models import decoding_of
from pipeline.plan import Plan, shard_counts, slice_count
from schemas.hashing import number
from schemas.locales import LANGUAGES, LOCALES, Language
from schemas.parquet import SCHEMA, to_columns
from schemas.rows import Row, Verdict, row_from_json, row_to_json, with_flag
from schemas.segments import SEGMENTS, to_segments
from schemas.taxonomy import load_taxonomy
from transforms import steps
from transforms.adapt import adapt, find_twin, localize
from transforms.align import Comparing, Comparison
from transforms.ask_llm import (
    adapt_request,
    choices_of,
    judge_requests,
    label_request,
    open_spans,
    segregate_by_llm,
    segregate_request,
    with_judgement,
    with_label_kept,
)
from transforms.choose import is_safe
from transforms.culture_pack import load_known, load_pack
from transforms.gate import admit
from transforms.inference.batches import Request, request, rough_tokens
from transforms.inference.language_id import LanguageId
from transforms.inference.llm import BATCH, LlmModel, decode_answer, is_answered
from transforms.inference.memory import Memory
from transforms.inference.nllb import NllbModel, is_translated
from transforms.inference.nllb import decode_answer as decode_translation
from transforms.inference.sentence_encoder import SentenceEncoder
from transforms.judge import judge
from transforms.score import asking, score
from transforms.score_adaptation import asking_adaptation, score_adaptation
from transforms.segregate import find_spans, load_lexicon, segregate
from transforms.translate import requests_of, translate
from transforms.write import shard_name, write_table

CANONICAL = pa.schema([("id", pa.string()), ("group_id", pa.string()), ("split", pa.string()), ("row", pa.string())])


def build_gate(root: Any, plan: Plan, work: str) -> None:
    """Phase 1: Read -> Gate -> Group; canonical rows go to `work`, sliced by group, rejected rows and dead letters to OUT."""
    config, out = plan.config, plan.config.output.folder
    files = root | "List files" >> beam.Create(plan.sources) | "Spread files" >> beam.Reshuffle()
    units, unreadable = files | "Read" >> steps.Read()
    admitted, buried = steps.attempt(
        units | "Spread units" >> beam.Reshuffle(), "Gate", "gate", functools.partial(_make_gate, plan.source_language, config.taxonomy)
    )  # fmt: skip
    named = admitted | "Name rows" >> steps.NameRows()
    left: Any = root | "None left out" >> beam.Create([], reshuffle=False)
    if config.limit is not None:
        named, left = named | "Limit" >> steps.Limit(config.limit)
    open_rows, refused = steps.split_by_verdict(named, "Part refused")
    passed, regrouped = open_rows | "Group" >> steps.Group()

    slices = (
        passed
        | "Count passed" >> beam.combiners.Count.Globally()
        | "Cut slices" >> beam.Map(lambda n: slice_count(config, n))
    )
    _ = (
        passed
        | "Choose slice" >> beam.Map(lambda row, n: (number(row.group_id) % n, row), AsSingleton(slices))
        | "Same slice" >> beam.GroupByKey()
        | "Write slice"
        >> beam.MapTuple(lambda k, rows: write_table(work, f"rows/slice-{k:05d}.parquet", _canonical(rows)))
    )
    rejected = (refused, regrouped) | "All refused" >> beam.Flatten()
    per_split = (
        rejected
        | "Rejected splits" >> beam.Map(lambda r: r.sample.split)
        | "Count rejected" >> beam.combiners.Count.PerElement()
    )
    _ = (
        rejected
        | "Name rejected file" >> beam.FlatMap(_rejected_at_gate, plan, AsDict(per_split))
        | "Write rejected" >> steps.WriteShards(out, SCHEMA, ("id",))
    )
    _ = (
        left
        | "Count left out" >> beam.combiners.Count.Globally()
        | "Write left out" >> beam.Map(lambda n: Path(work, "left_out.json").write_text(json.dumps(n)))
    )
    letters = (unreadable, buried) | "Gate's dead letters" >> beam.Flatten()
    _ = letters | "Write dead letters" >> steps.WriteDeadLetters(out, "dead_letters/gate.jsonl")


def _make_gate(language: str, taxonomy: str) -> Callable[[Any], Iterable[Any]]:
    identify, known = LanguageId().probability, load_taxonomy(taxonomy)
    return lambda unit: [admit(unit, known, LANGUAGES[language], identify)]


def _canonical(rows: Iterable[Row]) -> pa.Table:
    ordered = sorted(rows, key=lambda r: r.id)
    return pa.Table.from_pylist(
        [{"id": r.id, "group_id": r.group_id, "split": r.sample.split, "row": row_to_json(r)} for r in ordered],
        schema=CANONICAL,
    )


def _rejected_at_gate(row: Row, plan: Plan, per_split: dict[str, int]) -> Iterator[tuple[str, dict[str, Any]]]:
    at_home = _at_home(row, plan)
    shards = shard_counts(plan.config, per_split, 1)[row.sample.split]
    yield (
        shard_name("rejected", at_home.locale, row.sample.split, number(row.id), 1, shards),
        to_columns(at_home, plan.source_language),
    )


def _at_home(row: Row, plan: Plan) -> Row:
    """The row in the source locale."""
    return replace(row, locale=plan.config.source_locale, language=plan.source_language, origin="native")


def build_slice(
    root: Any, plan: Plan, rows_file: str, slices: int, per_split: dict[str, int], beats: str | None
) -> None:
    """Phase 2: Segregate -> fan out -> Adapt -> Segment -> Translate -> Reassemble -> Score -> Judge -> Write, for one slice."""
    config, out, n = plan.config, plan.config.output.folder, len(plan.config.locales)
    source = LANGUAGES[plan.source_language]
    translator, encoder = plan.model("translate"), plan.model("similarity")
    shards, threads = shard_counts(config, per_split, slices), translate_threads(plan)

    rows = (
        root
        | "Slice" >> beam.Create([rows_file])
        | "Read rows" >> beam.FlatMap(read_canonical)
        | "Spread rows" >> beam.Reshuffle()
    )
    folder = config.memory_folder()

    dead: list[Any] = []

    def attempt(
        rows: Any, label: str, stage: str, make: Callable[[], Callable[[Any], Iterable[Any]]], units: int = 1
    ) -> Any:
        """What comes of the rows; those that cannot be done are buried with this slice's."""
        done, letters = steps.attempt(rows, label, stage, make, units)
        dead.append(letters)
        return done

    def ask_llm(asking: Any, label: str, requests: Callable[[Row], list[Request]], role: str = "llm") -> Any:
        """(row, answers of the language model); no answers where nobody wants to ask it."""
        settings = config.llm if role == "llm" else config.judge
        assert settings is not None, "load_config sees to it"
        return asking | label >> steps.Ask(
            requests, functools.partial(LlmModel, settings, beats, role),
            Memory(folder, plan.model(role).fingerprint, f"llm {settings.model}"), BATCH,
            (beats, f"{role} answers"), is_answered, settings.threads,
        )  # fmt: skip

    if config.segregate.method == "lexicon":
        marked = rows | "No marks" >> beam.Map(lambda row: (row, {}))
    else:
        marked = ask_llm(rows, "Mark", lambda row: [segregate_request(row)])
    segregated = attempt(marked, "Segregate", "segregate", functools.partial(_make_segregate, config), units=n)
    pairs = segregated | "Fan out to locales" >> beam.FlatMap(lambda row: fan_out(row, config.locales))
    localized = attempt(pairs, "Find twins", "adapt", functools.partial(_make_find_twin, config, plan.values))
    if config.adapt.method == "rules":
        proposed = localized | "No proposals" >> beam.Map(lambda row: (row, {}))
    else:
        proposed = ask_llm(localized, "Propose", functools.partial(_adapt_requests, config.source_locale))
    adapted = attempt(proposed, "Adapt", "adapt", functools.partial(_make_adapt, config, plan.values))
    if config.label_check:
        checked = ask_llm(adapted, "Judge labels", _label_requests)
        adapted = attempt(checked, "Check labels", "adapt", lambda: _check_label)
    answered = adapted | "Translate" >> steps.Ask(
        functools.partial(requests_of, source=source),
        functools.partial(NllbModel, translator.directory, decoding_of(config.translate), config.translate.device,
                          threads, config.translate.intra_threads),
        Memory(folder, translator.fingerprint, f"translate {translator.name}"), config.translate.batch_tokens,
        (beats, "translations"), is_translated, threads,
    )  # fmt: skip
    translated = attempt(answered, "Reassemble", "reassemble", functools.partial(_make_reassemble, source.code))
    compared = translated | "Compare" >> steps.Ask(
        functools.partial(similarity_requests, source=source, expansion=dict(plan.thresholds.expansion)),
        functools.partial(SentenceEncoder, config.similarity.model, config.similarity.prompt or "", config.similarity.device),
        Memory(folder, encoder.fingerprint, f"similarity {encoder.name}"), 4096, (beats, "similarities"),
    )  # fmt: skip
    scored = attempt(
        compared,
        "Score",
        "score",
        functools.partial(_make_score, config.source_locale, dict(plan.thresholds.expansion)),
    )
    if config.judge is not None:
        marked = ask_llm(
            scored, "Mark translations", functools.partial(judge_requests, label=config.judge.label), "judge"
        )
        scored = attempt(marked, "Take marks", "score", functools.partial(_make_take_marks, config.judge.label))
    judged = attempt(scored, "Judge", "judge", functools.partial(_make_judge, plan.thresholds))

    if config.output.segments:
        _ = (
            judged
            | "Name segment file" >> beam.FlatMap(lambda row: _file_and_segments(row, plan, slices, shards))
            | "Write segments" >> steps.WriteShards(out, SEGMENTS, ("row_id", "position"))
        )
    native = segregated | "Stay at home" >> beam.Map(lambda row: replace(_at_home(row, plan), verdict=Verdict(())))
    _ = (
        (native, judged)
        | "All rows" >> beam.Flatten()
        | "Name file" >> beam.Map(lambda row: _file_and_columns(row, plan, slices, shards))
        | "Write" >> steps.WriteShards(out, SCHEMA, ("id",))
    )
    letters = tuple(dead) | "Slice's dead letters" >> beam.Flatten()
    name = f"dead_letters/{Path(rows_file).stem}.jsonl"
    _ = letters | "Write dead letters" >> steps.WriteDeadLetters(out, name)


def translate_threads(plan: Plan) -> int:
    """Batches that one replica translates side by side: the config's, or the machine's cores shared out among workers."""
    import os

    settings, runner = plan.config.translate, plan.config.runner
    replicas = runner.workers if runner.mode == "processes" else 1
    return settings.threads or max(1, (os.cpu_count() or 1) // replicas)


def read_canonical(path: str) -> Iterator[Row]:
    """The rows of a canonical slice."""
    import pyarrow.parquet as pq

    for batch in pq.ParquetFile(path).iter_batches(columns=["row"], batch_size=500):
        yield from map(row_from_json, batch["row"].to_pylist())


def fan_out(row: Row, locales: tuple[str, ...]) -> list[tuple[Row, Row]]:
    """(the row as one of a locale, the row itself), once for every locale."""
    return [(localize(row, locale, len(locales)), row) for locale in locales]


def _make_segregate(config: Config) -> Callable[[tuple[Row, dict[str, bytes]]], Iterable[Row]]:
    lexicon, method = load_lexicon(config.source_locale), config.segregate.method

    def run(pair: tuple[Row, dict[str, bytes]]) -> list[Row]:
        row, answers = pair
        if method == "lexicon":
            return [segregate(row, lexicon)]
        answer = decode_answer(answers.get(segregate_request(row).key))
        return [segregate_by_llm(row, answer, lexicon, both=method == "hybrid")]

    return run


_Values = Mapping[str, Mapping[str, Sequence[str]]]


def _make_find_twin(config: Config, values: _Values) -> Callable[[tuple[Row, Row]], Iterable[Row]]:
    source, by_rules = config.source_locale, config.adapt.method == "rules"
    pack_of = functools.cache(functools.partial(load_known, values))

    def run(pair: tuple[Row, Row]) -> list[Row]:
        row, native = pair
        twin = find_twin(native, row.locale, source, config.locales, pack_of, by_rules)
        return [replace(row, same_text_as=twin)]

    return run


def _adapt_requests(source: str, row: Row) -> list[Request]:
    asked = adapt_request(row, source, load_pack(row.locale))
    return [] if asked is None else [asked]


def _make_adapt(config: Config, values: _Values) -> Callable[[tuple[Row, dict[str, bytes]]], Iterable[Row]]:
    source, real, by_llm = config.source_locale, config.adapt.organisations == "real", config.adapt.method == "llm"
    lexicon = load_lexicon(source) if by_llm else None
    pack_of = functools.cache(functools.partial(load_known, values))

    def kinds_in(text: str) -> set[tuple[str, tuple[str, ...]]]:
        assert lexicon is not None
        return {(span.kind, span.cultures) for span in find_spans(text, 0, lexicon)}

    def run(pair: tuple[Row, dict[str, bytes]]) -> list[Row]:
        row, answers = pair
        pack = pack_of(row.locale)
        asked = adapt_request(row, source, pack) if by_llm else None
        if asked is None:
            return [adapt(row, source, pack, real_names=real)]
        answer = decode_answer(answers.get(asked.key))
        if answer.found is None:
            return [with_flag(adapt(row, source, pack, real_names=real), "adaptation_failed")]
        choices = choices_of(answer, open_spans(row, source, row.locale), kinds_in, source, is_safe(row))
        return [adapt(row, source, pack, real_names=real, proposed=choices)]

    return run


def _label_requests(row: Row) -> list[Request]:
    return [label_request(row)] if any(text.exchanged for text in row.texts) else []


def _check_label(pair: tuple[Row, dict[str, bytes]]) -> list[Row]:
    row, answers = pair
    return [with_label_kept(row, decode_answer(answers.get(r.key))) for r in _label_requests(row)] or [row]


def _make_reassemble(source: str) -> Callable[[tuple[Row, dict[str, bytes]]], Iterable[Row]]:
    return lambda pair: [translate(pair[0], LANGUAGES[source], {k: decode_translation(a) for k, a in pair[1].items()})]


def comparisons(row: Row, source: Language, expansion: Mapping[str, float]) -> list[Comparing]:
    """What the row's scores need to know of the encoder.

    Args:
        expansion: language -> expected characters of a translation per English character.
    """
    target = LANGUAGES[row.language]
    asked = [asking(text, source, target, relative_expansion(source, target, expansion)) for text in row.texts]
    asked += [asking_adaptation(text, source.code) for text in row.texts]
    return list(dict.fromkeys(one for one in asked if one))


def relative_expansion(source: Language, target: Language, expansion: Mapping[str, float]) -> float:
    """Expected characters of the target per character of the source."""
    return expansion.get(target.code, 1.0) / expansion.get(source.code, 1.0)


def similarity_requests(row: Row, source: Language, expansion: Mapping[str, float]) -> list[Request]:
    """`comparisons`, as requests."""
    return [_similarity_request(row, asked) for asked in comparisons(row, source, expansion)]


def _similarity_request(row: Row, asked: Comparing) -> Request:
    size = sum(map(rough_tokens, (*asked.sources, *asked.targets)))
    return request("similarity", row.language, size, *asked.content())


def _make_score(home: str, expansion: dict[str, float]) -> Callable[[tuple[Row, dict[str, bytes]]], Iterable[Row]]:
    lid, source = LanguageId(), LANGUAGES[LOCALES[home]]
    lexicon = load_lexicon(home)

    def run(pair: tuple[Row, dict[str, bytes]]) -> list[Row]:
        row, answers = pair
        compared = {
            asked: Comparison(*json.loads(answer))
            for asked in comparisons(row, source, expansion)
            if (answer := answers.get(_similarity_request(row, asked).key))
        }
        longer = relative_expansion(source, LANGUAGES[row.language], expansion)
        scored = score(row, source, longer, compared, lid.probability, lid.langdetect)
        return [score_adaptation(scored, home, source.code, lexicon, compared)]

    return run


def _make_take_marks(label: bool) -> Callable[[tuple[Row, dict[str, bytes]]], Iterable[Row]]:
    return lambda pair: [with_judgement(pair[0], lambda asked: decode_answer(pair[1].get(asked.key)), label)]


def _make_judge(thresholds: Any) -> Callable[[Row], Iterable[Row]]:
    return lambda row: [judge(row, thresholds)]


def _file_and_segments(
    row: Row, plan: Plan, slices: int, shards: dict[str, int]
) -> Iterator[tuple[str, dict[str, Any]]]:
    split = row.sample.split
    name = shard_name("segments", row.locale, split, number(row.group_id), slices, shards[split])
    return ((name, columns) for columns in to_segments(row))


def _file_and_columns(row: Row, plan: Plan, slices: int, shards: dict[str, int]) -> tuple[str, dict[str, Any]]:
    assert row.verdict is not None
    split = row.sample.split
    keep = row.verdict.accepted or (split == "test" and plan.config.filter.test == "keep")
    name = shard_name("data" if keep else "rejected", row.locale, split, number(row.group_id), slices, shards[split])
    columns = to_columns(row, plan.source_language) | {"n_locales": len(plan.config.locales)}
    return name, columns
