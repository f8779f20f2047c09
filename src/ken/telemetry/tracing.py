"""Builds the trace of one question while it is answered.

Ids and the `traceparent` header are those of W3C Trace Context, level 1 (w3.org/TR/trace-context-1).
"""

from __future__ import annotations

import math
import re
import secrets
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from ken.domain.answer import Answer, Question
from ken.domain.document import Evidence
from ken.domain.trace import NOWHERE, About, Link, Origin, Scalar, Span, SpanStatus, Trace, TracedPassage
from ken.storage.answer_json import dump_citations

ROOT = "question"
"""The name of the span that all others stand under."""

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")
_TRACESTATE = re.compile(r"[\x20-\x7e]{1,512}")
_NO_TRACE = "0" * 32
_NO_SPAN = "0" * 16
_NOTHING = About()
MOST_SPANS = 2_000
"""Kept of one trace; a sync with an embedder behind an endpoint may make many more. The root says how many were not kept."""


def new_trace_id() -> str:
    """Make up a trace id: 32 hex digits."""
    return secrets.token_hex(16)


def parse_traceparent(header: str, tracestate: str = "") -> Origin:
    """Read a `traceparent` header; of one that the specification tells to ignore, nothing (section 3.2).

    `tracestate` goes with it (section 3.3), unless it is too long, or no text that a header may have.
    """
    match = _TRACEPARENT.fullmatch(header.strip())
    if match is None:
        return NOWHERE
    version, trace_id, parent_id, rest = match.groups()
    if version == "ff" or (version == "00" and rest) or trace_id == _NO_TRACE or parent_id == _NO_SPAN:
        return NOWHERE
    state = tracestate if _TRACESTATE.fullmatch(tracestate) else ""
    return Origin(trace_id=trace_id, parent_span_id=parent_id, tracestate=state)


def format_traceparent(trace_id: str, span_id: str) -> str:
    """Write the header for a call made within a span, marked as sampled."""
    return f"00-{trace_id}-{span_id}-01"


@dataclass(slots=True, eq=False)
class OpenSpan:
    """A span under way; `set` adds to its attributes."""

    id: str
    name: str
    parent: OpenSpan | None
    started: float
    """Seconds of the trace's monotonic clock."""
    trace_id: str
    ended: float | None = None
    status: SpanStatus = "ok"
    attributes: dict[str, Scalar] = field(default_factory=dict[str, Scalar])
    links: list[Link] = field(default_factory=list[Link])
    tracestate: str = ""
    """The caller's header of that name, for servers that carry the trace on."""
    is_kept: bool = True
    """Its trace has room for it."""

    def link(self, span_id: str, reason: str, *, trace_id: str | None = None) -> None:
        """Point at a span that caused this one without being its parent; of this trace, where no other is named."""
        self.links.append(Link(trace_id or self.trace_id, span_id, reason))

    def set(self, key: str, value: Scalar) -> None:
        """Note a fact. A number that JSON can't hold (NaN, infinity) becomes None."""
        self.attributes[key] = None if isinstance(value, float) and not math.isfinite(value) else value

    @property
    def traceparent(self) -> str:
        """The header that lets a called server carry the trace on."""
        return format_traceparent(self.trace_id, self.id)


_current: ContextVar[OpenSpan | None] = ContextVar("ken_span", default=None)


def current_span() -> OpenSpan | None:
    """The innermost span that is open where this is called; None outside of any trace."""
    span = _current.get()
    while span is not None and span.ended is not None:
        span = span.parent
    return span


class TraceBuilder:
    """Collects the spans of one question, call or sync, for one event loop or thread at a time.

    The root span opens at once. Durations come from the monotonic clock, laid onto the wall-clock time of the start.
    """

    def __init__(self, origin: Origin = NOWHERE, *, name: str = ROOT) -> None:
        self.trace_id = origin.trace_id or new_trace_id()
        self._origin = origin
        self._began = time.time()
        self._zero = time.perf_counter()
        self._root = self._open(name, None)
        if origin.claimed_id is not None and origin.parent_span_id is not None:
            self._root.link(origin.parent_span_id, "claimed", trace_id=origin.claimed_id)
        self._spans = [self._root]
        self._ttft_ms: float | None = None
        self._error = ""
        self._unkept = 0

    @property
    def elapsed_ms(self) -> float:
        """Milliseconds since the question came in."""
        return self._clock() * 1000

    @contextmanager
    def span(self, name: str, **attributes: Scalar) -> Generator[OpenSpan, None, None]:
        """Time a step. It stands under the span that is open where it starts, across `await` and in child tasks.

        An exception that passes through, a cancellation too, marks it as an error with the exception's class name
        and goes on.
        """
        outside = _current.get()
        opened = self._open(name, self._innermost())
        for key, value in attributes.items():
            opened.set(key, value)
        if len(self._spans) < MOST_SPANS:
            self._spans.append(opened)
        else:
            opened.is_kept = False
            self._unkept += 1
        _current.set(opened)
        try:
            yield opened
        except BaseException as error:
            opened.status = "error"
            opened.set("error", type(error).__name__)
            raise
        finally:
            opened.ended = self._clock()
            # Not `reset`: an async generator may be resumed, and end, in another context than the one it began in.
            _current.set(outside)

    def shown(self) -> None:
        """Note that a piece of the answer was shown; the first time counts."""
        if self._ttft_ms is None:
            self._ttft_ms = self.elapsed_ms

    def fail(self, error: BaseException) -> None:
        """Note why the question as a whole failed."""
        self._error = f"{type(error).__name__}: {error}"
        self._root.status = "error"
        self._root.set("error", type(error).__name__)

    @property
    def root(self) -> OpenSpan:
        """The span of the question as a whole."""
        return self._root

    def finish(
        self, question: Question, answer: Answer, *, about: About = _NOTHING, evidence: Sequence[Evidence] = ()
    ) -> Trace:
        """Close the root span and return the trace. What is unknown, as the question failed early, stays empty.

        A span that is still open ends here and says so, as an error.
        """
        ended = self._clock()
        if self._unkept:
            self._root.set("spans_dropped", self._unkept)
        for span in self._spans:
            if span.ended is None:
                span.ended = ended
                if span is not self._root:
                    span.status = "error"
                    span.set("error", "unfinished")
        cited = {citation.passage_id for citation in answer.citations}
        return Trace(
            id=self.trace_id,
            principal=question.principal.id,
            conversation_id=answer.conversation_id or question.conversation_id,
            question=question.text,
            answer=answer.text,
            outcome=answer.outcome,
            **{field: getattr(about, field) for field in About.__slots__},
            model=answer.model,
            input_tokens=answer.usage.input_tokens,
            output_tokens=answer.usage.output_tokens,
            cost_micros=answer.cost_micros,
            confidence=answer.confidence,
            cached=answer.cached,
            error=self._error,
            started_at=self._began,
            ms=ended * 1000,
            ttft_ms=self._ttft_ms,
            spans=tuple(self._frozen(span) for span in self._spans),
            evidence=tuple(_traced(found, cited) for found in evidence),
            citations=dump_citations(answer.citations),
            parent_span_id=None if self._origin.claimed_id is not None else self._origin.parent_span_id,
            claimed_id=self._origin.claimed_id,
            rerun_of=self._origin.rerun_of,
        )

    def _clock(self) -> float:
        return time.perf_counter() - self._zero

    def _open(self, name: str, parent: OpenSpan | None) -> OpenSpan:
        began = self._clock() if parent else 0.0
        state = self._origin.tracestate
        return OpenSpan(secrets.token_hex(8), name, parent, began, self.trace_id, tracestate=state)

    def _innermost(self) -> OpenSpan:
        """Find the open span that a new one stands under.

        The context knows it. Where the context belongs to another question, or the code was resumed in a fresh one,
        it is the last opened span of this question that is still open.
        """
        span = _current.get()
        while span is not None and (span.ended is not None or not span.is_kept):
            span = span.parent
        if span is not None and span.trace_id == self.trace_id:
            return span
        return next((span for span in reversed(self._spans) if span.ended is None), self._root)

    def _frozen(self, span: OpenSpan) -> Span:
        ended = span.started if span.ended is None else span.ended
        return Span(
            id=span.id,
            parent_id=None if span.parent is None else span.parent.id,
            name=span.name,
            started_at=self._began + span.started,
            ended_at=self._began + ended,
            status=span.status,
            attributes=tuple(span.attributes.items()),
            links=tuple(span.links),
        )


def _traced(found: Evidence, cited: set[str]) -> TracedPassage:
    return TracedPassage(
        passage_id=found.passage.id,
        document_id=found.passage.document_id,
        version=found.passage.version,
        relevance=found.relevance,
        lexical=found.lexical,
        dense=found.dense,
        cited=found.passage.id in cited,
    )
