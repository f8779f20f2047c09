"""The record of one question: a trace of spans."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Scalar = str | int | float | bool | None
SpanStatus = Literal["ok", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One timed step. Times are seconds since the epoch; ids are W3C trace-context hex (16 digits)."""

    id: str
    parent_id: str | None
    name: str
    started_at: float
    ended_at: float
    status: SpanStatus = "ok"
    attributes: tuple[tuple[str, Scalar], ...] = ()

    @property
    def ms(self) -> float:
        """Duration in milliseconds."""
        return (self.ended_at - self.started_at) * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieved:
    """How good what was given to the model was."""

    passages: int
    mean_relevance: float
    least_relevance: float
    utilisation: float | None
    """The share of the passages that the answer cites; None where there is no answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRetrieval:
    """The same over the questions of one task type: means over questions."""

    task_type: str
    questions: int
    mean_relevance: float
    least_relevance: float
    utilisation: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Everything about one question under one id (W3C trace-context, 32 hex digits)."""

    id: str
    principal: str
    conversation_id: str | None
    question: str
    answer: str
    outcome: str
    task_type: str
    release: str
    corpus_version: int
    model: str
    input_tokens: int
    output_tokens: int
    cost_micros: int | None
    """Millionths of the price list's currency; None where the price is unknown."""
    confidence: float
    cached: bool
    error: str
    started_at: float
    ms: float
    ttft_ms: float | None
    """Until the first piece of the answer was shown."""
    spans: tuple[Span, ...] = ()
    evidence: tuple[TracedPassage, ...] = ()
    citations: str = "[]"
    """JSON array of the answer's citations."""

    @property
    def retrieved(self) -> Retrieved | None:
        """Relevance and utilisation of the passages; None where none was given to a model, as with an answer from the cache."""
        seen = self.evidence
        if not seen:
            return None
        return Retrieved(
            passages=len(seen),
            mean_relevance=sum(one.relevance for one in seen) / len(seen),
            least_relevance=min(one.relevance for one in seen),
            utilisation=sum(one.cited for one in seen) / len(seen) if self.outcome == "answered" else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedPassage:
    """A passage as retrieved for a trace, with its scores and whether the answer cited it."""

    passage_id: str
    document_id: str
    version: str
    relevance: float
    lexical: float
    dense: float
    cited: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """What a person said of an answer."""

    trace_id: str
    principal: str
    helpful: bool
    reason: str
    at: float
