"""The record of one question, call or sync: a trace of spans."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Scalar = str | int | float | bool | None
SpanStatus = Literal["ok", "error"]
TraceKind = Literal["question", "call", "sync", "eval", "shadow", "external"]
"""Who began it: a person's question; an application's call of the plain gateway; a sync; an evaluation or a load test; an answer from
the cache that is made anew to see whether it is right; another service, whose spans came over OTLP."""
CaptureTier = Literal["full", "grace", "metrics"]
"""What of a trace is kept: all of it for as long as full traces are; all of it for the grace period, then the figures; the figures."""
Success = Literal["yes", "no", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a caller said of the trace that its request is a part of (W3C Trace Context, `traceparent`)."""

    trace_id: str | None = None
    """32 hex digits; None lets Ken make one up."""
    parent_span_id: str | None = None
    """Of the caller's span; 16 hex digits."""
    claimed_id: str | None = None
    """The trace id that was brought and could not be had: another question has it. It is linked to."""
    tracestate: str = ""
    """What other tracing systems say of the trace; passed on to models as it came."""
    rerun_of: str | None = None
    """The trace whose question is asked again, to see what another release or model makes of it."""


NOWHERE = Origin()


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What the stages made of a question, as far as its trace tells it."""

    kind: TraceKind = "question"
    task_type: str = ""
    category: str = ""
    tier: str = ""
    release: str = ""
    corpus_version: int = 0
    prompt: str = ""
    """As JSON: an array of messages."""
    checked: tuple[str, ...] = ()
    failed_checks: tuple[str, ...] = ()
    escalated: bool = False
    degraded: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A span that another one points at."""

    trace_id: str
    span_id: str
    reason: str = ""


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
    links: tuple[Link, ...] = ()
    """Spans that caused this one and that it doesn't stand under: of a tool's span, the call that asked for it."""
    service: str = ""
    """Who sent it, where it came over OTLP: its `service.name`; empty for Ken's own."""

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
class Reaction:
    """What was said of an answer after it was given. Scores are 1 to 5; None: nobody has judged it."""

    quality: float | None = None
    """All in all."""
    groundedness: float | None = None
    helpful: bool | None = None
    """What people said; False as soon as one found it unhelpful."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Everything about one question, call or sync under one id (W3C trace-context, 32 hex digits)."""

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
    kind: TraceKind = "question"
    category: str = ""
    """What the question is about, as far as caching and figures tell questions apart."""
    tier: str = ""
    prompt: str = ""
    """What the model was given, as JSON: an array of messages; empty where none was asked."""
    parent_span_id: str | None = None
    """Of the caller's span that the trace goes on from (`traceparent`); None where it began here."""
    claimed_id: str | None = None
    """The trace id that the caller brought and that could not be had, as another question has it."""
    failed_checks: tuple[str, ...] = ()
    """Names of the heuristics that found a fault in the answer."""
    checked: tuple[str, ...] = ()
    """Names of the heuristics that looked at it."""
    escalated: bool = False
    """A lighter tier's answer was not shown and a stronger one was asked."""
    degraded: bool = False
    """It is less than the model that was chosen would have given."""
    reaction: Reaction = field(default_factory=Reaction)
    """What people and judges said of it since; of a new trace, nothing."""
    capture: CaptureTier = "grace"
    """Why it is kept, as the recorder decided."""
    rerun_of: str | None = None
    """The trace whose question was asked again, as a test; None where nobody asked it before."""

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
