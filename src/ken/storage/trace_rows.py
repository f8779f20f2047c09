"""Traces as their tables hold them: a row of figures, with its texts, spans and passages where they are still kept."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from ken.domain.joining import joined
from ken.domain.measures import Recorded
from ken.domain.trace import Reaction, Span, Trace, TracedPassage
from ken.storage.record_tables import STAGE_COLUMNS
from ken.storage.schema import span_batches, trace_details, traced_passages, traces
from ken.storage.span_codec import packed, packed_text, unpacked, unpacked_text

NO_LONGER_KEPT = "(no longer kept)"
"""Stands where question and answer of a trace stood of which the figures are left."""

OWN_SPANS = 0
"""The number of the batch that Ken itself wrote."""

_AS_THEY_ARE = tuple(
    name
    for name in (*Trace.__slots__,)
    if name in traces.c and name not in {"failed_checks", "escalated", "degraded", "cached"}
)
_FIGURES = ("context_tokens", "attempts", "timeouts", "hedges", "queue_ms", "cache", "passages")
_UNASKED = frozenset({"external"})
_UNANSWERED = frozenset({"external", "sync"})
"""Kinds of traces that never had such a text."""
_SCORES = ("relevance", "mean_relevance", "least_relevance", "utilisation", "success")

WITH_TEXTS = sa.select(
    traces,
    trace_details.c.question,
    trace_details.c.answer,
    trace_details.c.citations,
    trace_details.c.prompt,
    trace_details.c.checked,
).join(trace_details, trace_details.c.trace_id == traces.c.id, isouter=True)
"""What `trace_of` takes."""


def trace_of(row: sa.Row[Any], *, spans: tuple[Span, ...] = (), evidence: tuple[TracedPassage, ...] = ()) -> Trace:
    """A trace of a row of `WITH_TEXTS`."""
    has_texts = row.question is not None
    return Trace(
        **{name: getattr(row, name) for name in _AS_THEY_ARE},
        question=row.question if has_texts else "" if row.kind in _UNASKED else NO_LONGER_KEPT,
        answer=row.answer if has_texts else "" if row.kind in _UNANSWERED else NO_LONGER_KEPT,
        citations=row.citations if has_texts else "[]",
        prompt=unpacked_text(row.prompt),
        checked=_words(row.checked or ""),
        failed_checks=_words(row.failed_checks),
        cached=bool(row.cached),
        escalated=bool(row.escalated),
        degraded=bool(row.degraded),
        reaction=Reaction(quality=row.quality, groundedness=row.groundedness, helpful=row.helpful),
        spans=spans,
        evidence=evidence,
    )


def spans_of(connection: sa.Connection, trace_id: str) -> tuple[Span, ...]:
    """The spans of a trace, Ken's own and the others', by time."""
    table = span_batches.c
    query = sa.select(table.number, table.service, table.data).where(table.trace_id == trace_id).order_by(table.number)
    own: tuple[Span, ...] = ()
    others: list[Span] = []
    for number, service, data in connection.execute(query):
        if number == OWN_SPANS:
            own = unpacked(data)
        else:
            others += (replace(span, service=service) for span in unpacked(data))
    return joined(own, others, trace_id=trace_id)


def evidence_of(connection: sa.Connection, trace_id: str) -> tuple[TracedPassage, ...]:
    """The passages that were found for a trace, the best first."""
    table = traced_passages.c
    query = sa.select(traced_passages).where(table.trace_id == trace_id).order_by(table.rank)
    return tuple(
        TracedPassage(**{name: getattr(row, name) for name in TracedPassage.__slots__})
        for row in connection.execute(query)
    )


def row_of(recorded: Recorded, *, kept_until: float) -> dict[str, object]:
    """The row of figures of a trace."""
    trace, measures = recorded.trace, recorded.measures
    said = trace.reaction
    took = dict(measures.stage_ms)
    return {
        **{name: getattr(trace, name) for name in _AS_THEY_ARE},
        **{name: getattr(measures, name) for name in (*_FIGURES, *_SCORES)},
        **{column: took.get(stage) for stage, column in STAGE_COLUMNS.items()},
        "cached": trace.cached,
        "escalated": trace.escalated,
        "degraded": trace.degraded,
        "capture": recorded.capture,
        "reasons": words(recorded.reasons),
        "kept_until": kept_until,
        "failed": len(trace.failed_checks),
        "failed_checks": words(trace.failed_checks),
        "retries": sum(count for _, count in measures.retries),
        "fallbacks": sum(count for _, count in measures.fallbacks),
        "quality": said.quality,
        "groundedness": said.groundedness,
        "helpful": said.helpful,
    }


def insert_details(connection: sa.Connection, new: Sequence[Trace]) -> None:
    """Keep what traces hold besides their figures. Raises InvalidInput for two spans with one id."""
    if not new:
        return
    connection.execute(
        sa.insert(trace_details),
        [
            {
                "trace_id": trace.id,
                "question": trace.question,
                "answer": trace.answer,
                "citations": trace.citations,
                "prompt": packed_text(trace.prompt),
                "checked": words(trace.checked),
            }
            for trace in new
        ],
    )
    batches = [span_row(trace.id, trace.spans, number=OWN_SPANS, service="") for trace in new if trace.spans]
    if batches:
        connection.execute(sa.insert(span_batches), batches)
    seen = [
        {"trace_id": trace.id, "rank": rank, **{name: getattr(one, name) for name in TracedPassage.__slots__}}
        for trace in new
        for rank, one in enumerate(trace.evidence)
    ]
    if seen:
        connection.execute(sa.insert(traced_passages), seen)


def span_row(trace_id: str, spans: Sequence[Span], *, number: int, service: str) -> dict[str, object]:
    """A batch of spans as a row."""
    return {"trace_id": trace_id, "number": number, "service": service, "count": len(spans), "data": packed(spans)}


def words(many: Collection[str]) -> str:
    """Words in one value, with a space around each; empty for none."""
    return f" {' '.join(many)} " if many else ""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())
