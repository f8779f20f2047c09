"""What happened to a question, as structured events: one for itself, one for each stage, and one for each thing out of the ordinary."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from ken.domain.events import STAGES
from ken.domain.measures import Recorded
from ken.domain.trace import Scalar, Span
from ken.telemetry.events import Event, EventLog, EventValue

_WORDS = frozenset(
    {
        *(
            "decision",
            "reason",
            "failure",
            "model",
            "tier",
            "task_type",
            "category",
            "outcome",
            "error",
            "rule",
            "from",
            "to",
            "status",
        ),
        *("provider", "stage", "why", "cache", "purpose", "finish_reason"),
    }
)
"""Texts that are words of Ken's own. Others may be somebody's words, or name a document, and stay in the trace, whence they can be
deleted."""
_LONGEST = 200


class EventSink:
    """Writes the events of finished traces; `EventLog` counts what is lost, so this never fails."""

    name = "events"

    def __init__(self, log: EventLog, *, close: Callable[[], None] | None = None) -> None:
        self._log = log
        self._close = close

    def write(self, batch: Sequence[Recorded]) -> None:
        """Write all events of a batch at once."""
        self._log.write([event for each in batch for event in events_of(each)])

    def close(self) -> None:
        """Close the file."""
        if self._close is not None:
            self._close()


def events_of(recorded: Recorded) -> Iterator[Event]:
    """The events of a trace, in the order in which they ended; what became of the whole comes last."""
    trace = recorded.trace
    for span in sorted(trace.spans, key=lambda span: span.ended_at):
        kind = _kind(span)
        if kind is not None:
            yield _event(kind=kind, at=span.ended_at, trace_id=trace.id, facts=_facts(span))
    ended_at = trace.started_at + trace.ms / 1000
    for name in trace.failed_checks:
        yield _event(kind="check.failed", at=ended_at, trace_id=trace.id, facts={"check": name})
    if trace.escalated:
        yield _event(kind="escalated", at=ended_at, trace_id=trace.id, facts={"tier": trace.tier, "model": trace.model})
    yield _event(kind=f"{trace.kind}.finished", at=ended_at, trace_id=trace.id, facts=_whole(recorded))


def _event(*, kind: str, at: float, trace_id: str, facts: Mapping[str, EventValue]) -> Event:
    return Event(kind=kind, at=at, trace_id=trace_id, facts=facts, is_redacted=True)


def _kind(span: Span) -> str | None:
    """The type of a span's event; None where there is nothing to tell."""
    if span.name in STAGES:
        return "cache.decided" if span.name == "recall" else "stage.finished"
    facts = dict(span.attributes)
    if span.name == "attempt":
        number = facts.get("number")
        if span.status == "error":
            return "attempt.failed"
        return "retry" if isinstance(number, int) and number > 1 else None
    return {"fallback": "fallback", "hedge": "hedge"}.get(span.name)


def _facts(span: Span) -> dict[str, EventValue]:
    """A span's figures, and of its texts the words."""
    head: dict[str, EventValue] = {"span": span.name, "ms": span.ms, "status": span.status}
    return head | {name: value for name, value in span.attributes if _is_told(name, value) and name not in head}


def _is_told(name: str, value: Scalar) -> bool:
    return name in _WORDS and len(value) <= _LONGEST if isinstance(value, str) else value is not None


def _whole(recorded: Recorded) -> dict[str, EventValue]:
    trace, measures = recorded.trace, recorded.measures
    return {
        "outcome": trace.outcome,
        "task_type": trace.task_type,
        "category": trace.category,
        "release": trace.release,
        "corpus_version": trace.corpus_version,
        "tier": trace.tier,
        "model": trace.model,
        "ms": trace.ms,
        "ttft_ms": trace.ttft_ms,
        "stage_ms": dict(measures.stage_ms),
        "input_tokens": trace.input_tokens,
        "output_tokens": trace.output_tokens,
        "cost_micros": trace.cost_micros,
        "cached": trace.cached,
        "attempts": measures.attempts,
        "retries": sum(count for _, count in measures.retries),
        "fallbacks": sum(count for _, count in measures.fallbacks),
        "timeouts": measures.timeouts,
        "queue_ms": measures.queue_ms,
        "passages": measures.passages,
        "relevance": measures.relevance,
        "utilisation": measures.utilisation,
        "confidence": trace.confidence,
        "escalated": trace.escalated,
        "degraded": trace.degraded,
        "failed_checks": trace.failed_checks,
        "success": measures.success,
        "error": trace.error.partition(":")[0],
        "capture": recorded.capture,
        "reasons": recorded.reasons,
    }
