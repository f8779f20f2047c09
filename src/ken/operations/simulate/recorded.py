"""Simulated questions as the recorder hands them on: a trace with its measures and the decision how much of it is kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol, TypedDict, cast

import numpy as np

from ken.domain.events import STAGES
from ken.domain.measures import Measures, Recorded, Spent
from ken.domain.trace import CaptureTier, Reaction, Scalar, Span, SpanStatus, Success, Trace, TracedPassage
from ken.operations.simulate.incidents import Labels
from ken.operations.simulate.organisation import CHECKS
from ken.operations.simulate.traffic import Column, Traffic
from ken.operations.simulate.wording import Subject, Wording

SIMULATED = "simulated"
"""Who asks simulated questions: the principal of their traces."""

_PASSAGES = 4
_NUMBERS = 6
_SUCCESS: tuple[Success, ...] = ("no", "yes", "unknown")
_SAMPLE = 0.15
_GRACE_S = 86_400.0
"""All of every trace is kept for so long, as `[capture] grace_h` ships."""


class _Row(NamedTuple):
    """One question; None: there was no such thing."""

    at: float
    task_type: str
    category: str
    tier: str
    model: str
    release: str
    outcome: str
    cache: str
    ms: float
    ttft_ms: float | None
    queue_ms: float
    generate_ms: float | None
    first_token_ms: float | None
    attempts: float
    retries: float
    timeouts: float
    fallbacks: float
    context_tokens: float
    input_tokens: float
    output_tokens: float
    cost_micros: float
    relevance: float | None
    mean_relevance: float | None
    least_relevance: float | None
    utilisation: float | None
    failed_check: float | None
    escalated: bool
    quality: float | None
    groundedness: float | None
    helpful: float | None
    difficulty: float | None
    success: int


def recorded(
    traffic: Traffic, *, seed: int, until: float = float("inf"), wording: Wording | None = None
) -> Iterator[Recorded]:
    """Each question with its measures, in the order of time; ids come out of the seed.

    All of one in seven, of every one that failed, was escalated or disliked, and of all of the day before `until` (seconds
    since the epoch), is there; of the others the figures. What a judge or a person said after `until` is not there yet.
    """
    wording = wording or Wording()
    names = tuple(stage for stage in (*STAGES, "embed") if stage in traffic.stage_ms)
    stages = zip(*(_plain(traffic.stage_ms[name]) for name in names), strict=True)
    dice = np.random.default_rng([seed, int(traffic.at[0]) if len(traffic) else 0, 5])
    high, low = dice.integers(1, 2**63, (2, len(traffic))).tolist()
    sampled = (dice.random(len(traffic)) < _SAMPLE).tolist()
    numbers = dice.integers(0, _NUMBERS, len(traffic)).tolist()
    for row, took, first, second, kept, number in zip(
        _rows(traffic, until), stages, high, low, sampled, numbers, strict=True
    ):
        stage_ms = tuple((name, ms) for name, ms in zip(names, took, strict=True) if ms is not None)
        measures = _measures(row, stage_ms)
        reasons = _reasons(row, sampled=kept)
        capture: CaptureTier = "full" if reasons else "grace" if row.at > until - _GRACE_S else "metrics"
        trace = replace(
            _trace(row, f"{first:016x}{second:016x}", capture=capture), **_texts(row, number=number, wording=wording)
        )
        if capture != "metrics":
            trace = _with_detail(trace, row, stage_ms=stage_ms, number=number, wording=wording)
        yield Recorded(trace=trace, measures=measures, capture=capture, reasons=reasons)


def _rows(traffic: Traffic, until: float) -> Iterator[_Row]:
    columns: list[Sequence[object]] = []
    said_at = {"quality": traffic.judged_at, "groundedness": traffic.judged_at, "helpful": traffic.reacted_at}
    for name in _Row._fields:
        column = getattr(traffic, name)
        if isinstance(column, Labels):
            codes = cast("list[int]", column.codes.tolist())
            columns.append([column.names[code] for code in codes])
        else:
            column = cast("Column", column)
            columns.append(_plain(np.where(said_at[name] <= until, column, np.nan) if name in said_at else column))
    return map(_Row._make, zip(*columns, strict=True))


def _plain(column: Column) -> list[float | None]:
    """As Python's own values; NaN becomes None."""
    if column.dtype != np.float64:
        return cast("list[float | None]", column.tolist())
    gone = np.isnan(column)
    if not gone.any():
        return column.tolist()
    objects = column.astype(object)
    objects[gone] = None
    return cast("list[float | None]", objects.tolist())


def _measures(row: _Row, stage_ms: tuple[tuple[str, float], ...]) -> Measures:
    spent: tuple[Spent, ...] = ()
    if row.attempts:
        spent = (
            Spent(
                stage="generate",
                model=row.model,
                input_tokens=int(row.input_tokens),
                output_tokens=int(row.output_tokens),
                cost_micros=int(row.cost_micros),
                estimated=False,
                ms=row.generate_ms or 0.0,
                ttft_ms=row.first_token_ms,
                failed=row.outcome == "failed",
            ),
        )
    return Measures(
        stage_ms=stage_ms,
        spent=spent,
        context_tokens=int(row.context_tokens),
        attempts=int(row.attempts),
        retries=(("server_error", int(row.retries)),) if row.retries else (),
        fallbacks=(("server_error", int(row.fallbacks)),) if row.fallbacks else (),
        timeouts=int(row.timeouts),
        hedges=0,
        queue_ms=row.queue_ms,
        cache=row.cache,
        passages=0 if row.relevance is None else _PASSAGES,
        relevance=row.relevance,
        mean_relevance=row.mean_relevance,
        least_relevance=row.least_relevance,
        utilisation=row.utilisation,
        difficulty=row.difficulty,
        success=_SUCCESS[row.success],
    )


def _reasons(row: _Row, *, sampled: bool) -> tuple[str, ...]:
    if row.outcome == "failed":
        return ("error",)
    if row.failed_check is not None:
        return ("flagged",)
    if row.helpful == 0:
        return ("thumbs_down",)
    if row.escalated:
        return ("escalated",)
    return ("sampled",) if sampled else ()


class _Texts(TypedDict):
    question: str
    answer: str
    citations: str


def _is_answered(row: _Row) -> bool:
    return row.outcome == "answered" and row.task_type != "smalltalk"


def _texts(row: _Row, *, number: int, wording: Wording) -> _Texts:
    is_answered = _is_answered(row)
    return _Texts(
        question=wording.question(row.task_type, row.category, number),
        answer=wording.answer(row.category, number) if is_answered else "",
        citations=wording.citations(row.category, number) if is_answered else "[]",
    )


def _trace(row: _Row, trace_id: str, *, capture: CaptureTier) -> Trace:
    """A question without its texts."""
    reaction = _SILENT
    if row.quality is not None or row.helpful is not None:
        helpful = None if row.helpful is None else bool(row.helpful)
        reaction = Reaction(quality=row.quality, groundedness=row.groundedness, helpful=helpful)
    return Trace(
        id=trace_id,
        principal=SIMULATED,
        conversation_id=None,
        question="",
        answer="",
        outcome=row.outcome,
        task_type=row.task_type,
        release=row.release,
        corpus_version=0,
        model=row.model,
        input_tokens=int(row.input_tokens),
        output_tokens=int(row.output_tokens),
        cost_micros=int(row.cost_micros),
        confidence=row.relevance or 0.0,
        cached=row.cache in {"exact", "similar"},
        error="The model's server answers with an error." if row.outcome == "failed" else "",
        started_at=row.at,
        ms=row.ms,
        ttft_ms=row.ttft_ms,
        category=row.category,
        tier=row.tier,
        failed_checks=() if row.failed_check is None else (CHECKS[int(row.failed_check)],),
        checked=CHECKS if _is_answered(row) else (),
        escalated=row.escalated,
        reaction=reaction,
        capture=capture,
    )


def _with_detail(
    trace: Trace, row: _Row, *, stage_ms: Sequence[tuple[str, float]], number: int, wording: Wording
) -> Trace:
    """The same with its prompt, its spans and its passages."""
    given = wording.prompt(row.category, trace.question, number=number) if row.attempts else ""
    evidence: tuple[TracedPassage, ...] = ()
    if row.relevance is not None and row.mean_relevance is not None and row.least_relevance is not None:
        evidence = _passages(row, wording.subject(row.category, number))
    return replace(trace, prompt=given, spans=tuple(_spans(trace, row, stage_ms)), evidence=evidence)


def _passages(row: _Row, subject: Subject) -> tuple[TracedPassage, ...]:
    """Passages whose best, mean and least relevance are the question's."""
    best, mean, least = row.relevance or 0.0, row.mean_relevance or 0.0, row.least_relevance or 0.0
    between = (mean * _PASSAGES - best - least) / (_PASSAGES - 2)
    cited = round((row.utilisation or 0) * _PASSAGES)
    found = zip(subject.passages, (best, between, between, least), strict=False)
    return tuple(
        TracedPassage(
            passage_id=passage_id,
            document_id=document_id,
            version=version,
            relevance=relevance,
            lexical=relevance,
            dense=relevance,
            cited=rank < cited,
        )
        for rank, ((passage_id, document_id, version), relevance) in enumerate(found)
    )


def _spans(trace: Trace, row: _Row, stage_ms: Sequence[tuple[str, float]]) -> Iterator[Span]:
    """The question, its stages one after the other, and what happened below them."""
    start, number = trace.started_at, 0

    def span(name: str, *, parent: str | None, begins: float, ms: float, **attributes: Scalar) -> Span:
        nonlocal number
        number += 1
        status: SpanStatus = "error" if trace.error and name in {"question", "generate", "call"} else "ok"
        return Span(
            id=f"{int(trace.id[:16], 16) ^ number:016x}",
            parent_id=parent,
            name=name,
            started_at=begins,
            ended_at=begins + ms / 1000,
            status=status,
            attributes=tuple(attributes.items()),
        )

    root = span("question", parent=trace.parent_span_id, begins=start, ms=row.ms)
    yield root
    at, took = start, dict(stage_ms)
    for stage in STAGES:
        if stage not in took:
            continue
        facts: dict[str, Scalar] = {}
        if stage == "recall":
            facts = {"decision": row.cache, "embed_ms": took.get("embed", 0.0)}
        if stage == "assemble":
            facts = {"prompt_tokens": int(row.context_tokens)}
        if stage == "route":
            facts = {"difficulty": row.difficulty}
        here = span(stage, parent=root.id, begins=at, ms=took[stage], **facts)
        yield here
        if stage == "generate":
            yield from _attempts(row, here, span)
        at = here.ended_at


def _attempts(row: _Row, generate: Span, span: _Spans) -> Iterator[Span]:
    """Attempts one after the other, of which the last one's call is told; a fallback is the last one's own."""
    last, again = int(row.attempts), 1 + int(row.retries)
    part = generate.ms / max(last, 1)
    parent, begins = generate, generate.started_at
    for number in range(1, last + 1):
        begins = generate.started_at + (number - 1) * part / 1000
        facts: dict[str, Scalar] = {"number": number if number <= again else 1}
        if 1 < number <= again:
            facts["reason"] = "server_error"
        if number <= row.timeouts:
            facts["failure"] = "timeout"
        if number > again:
            parent = span("fallback", parent=generate.id, begins=begins, ms=part, reason="server_error")
            yield parent
        attempt = span("attempt", parent=parent.id, begins=begins, ms=part, **facts)
        yield attempt
        if number == last:
            yield from _call(row, attempt, span)


def _call(row: _Row, attempt: Span, span: _Spans) -> Iterator[Span]:
    begins, rest = attempt.started_at, attempt.ms
    if row.queue_ms:
        waited = min(row.queue_ms, rest)
        yield span("queue", parent=attempt.id, begins=begins, ms=waited, model=row.model, queue_ms=row.queue_ms)
        begins, rest = begins + waited / 1000, rest - waited
    yield span(
        "call",
        parent=attempt.id,
        begins=begins,
        ms=rest,
        model=row.model,
        input_tokens=int(row.input_tokens),
        output_tokens=int(row.output_tokens),
        cost_micros=int(row.cost_micros),
        ttft_ms=row.first_token_ms,
    )


class _Spans(Protocol):
    """How `_spans` makes one."""

    def __call__(self, name: str, *, parent: str | None, begins: float, ms: float, **attributes: Scalar) -> Span: ...


_SILENT = Reaction()
