"""The JSON shapes of the API. Spans are half-open pairs of Unicode code point offsets; times are seconds since the epoch."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Annotated, Literal, cast

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

from ken.domain.trace import CaptureTier, Scalar, TraceKind
from ken.storage.answer_json import load_citations


def in_order(groups: Iterable[str]) -> list[str]:
    """Names of groups as JSON has them."""
    return sorted(groups)


def _by_name(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    return dict(pairs)


def _parsed_or_none(text: str) -> object:
    return json.loads(text) if text else []


def _encodable(text: str) -> str:
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("is not valid Unicode text")
    return text


Text = Annotated[str, AfterValidator(_encodable)]
"""What can be written as UTF-8: JSON can spell half a surrogate pair, and no encoding can write it."""


class Shape(BaseModel):
    """Reads its fields off a domain value."""

    model_config = ConfigDict(from_attributes=True)


class UsageShape(Shape):
    """Tokens."""

    input_tokens: int
    output_tokens: int
    estimated: bool


class CitationShape(Shape):
    """The answer's sentence `answer_start:answer_end` rests on `start:end` of the document's text."""

    number: int
    answer_start: int
    answer_end: int
    document_id: str
    document_title: str
    passage_id: str
    version: str
    start: int
    end: int
    quote: str
    support: float
    page: int | None
    heading_path: list[str]
    owner: str | None
    effective: str | None
    """The document's rules hold from that day on; an ISO date, as the others."""
    review_by: str | None
    review_due: bool
    """That day had passed when the question was asked."""
    standing: Literal["current", "superseded", "future"]
    superseded_since: str | None
    superseded_by: str | None
    """The title of what has taken its place."""


class ChoiceShape(Shape):
    """One thing that a question may mean; `question` asks for it."""

    name: str
    question: str
    document_id: str
    document_title: str
    passage_id: str


class ConflictShape(Shape):
    """Two cited statements that can't both hold, the newer document's first, and the value that each gives."""

    kind: str
    citations: list[CitationShape]
    values: list[str]


class DocumentShape(Shape):
    """A document without its text."""

    id: str
    collection: str
    path: str
    title: str
    version: str
    media_type: str
    markup: Literal["markdown", "plain"]
    groups: Annotated[list[str], BeforeValidator(in_order)]
    owner: str | None
    effective: str | None
    review_by: str | None
    supersedes: str | None
    superseded_by: str | None
    characters: int
    passages: int
    synced_at: float
    modified: str | None
    url: str | None


class AnswerShape(Shape):
    """The whole answer."""

    trace_id: str
    conversation_id: str | None
    text: str
    outcome: Literal["answered", "abstained", "refused", "asked_back", "failed"]
    citations: list[CitationShape]
    nearest: list[DocumentShape]
    notices: list[str]
    conflicts: list[ConflictShape]
    """Where the documents disagree; empty where they don't."""
    choices: list[ChoiceShape]
    """What the question may mean, where Ken asks back."""
    model: str
    usage: UsageShape
    cost_micros: int | None
    cached: bool
    original_trace_id: str | None
    """Of an answer that was given before: the trace of the question that it was made for."""
    confidence: float


class PassageShape(Shape):
    """A retrievable piece of a document; `text` is `document.text[start:end]`."""

    id: str
    ordinal: int
    start: int
    end: int
    heading_path: list[str]
    page: int | None
    text: str
    header: str
    """The header row of the table in whose middle it begins."""


class LineageShape(Shape):
    """What made the passages of a document, each with its own version."""

    parser: str
    chunker: str
    features: str
    embedder: str
    ken: str


class OpenedDocument(BaseModel):
    """A document with its text and passages, and where they come from."""

    document: DocumentShape
    text: str
    passages: list[PassageShape]
    source: str
    lineage: LineageShape
    warnings: list[str]


class DocumentPage(BaseModel):
    """Some of the documents, ordered by id; `next` is the `after` of the following page."""

    documents: list[DocumentShape]
    next: str | None


class CollectionShape(BaseModel):
    """A collection and how many of its documents the asker may read."""

    name: str
    documents: int


class LinkShape(Shape):
    """A span that another one points at, and why."""

    trace_id: str
    span_id: str
    reason: str


class SpanShape(Shape):
    """One timed step of a trace; `service`: who sent it, where it isn't Ken's own."""

    id: str
    parent_id: str | None
    name: str
    started_at: float
    ended_at: float
    ms: float
    status: Literal["ok", "error"]
    attributes: Annotated[dict[str, Scalar], BeforeValidator(_by_name)]
    links: list[LinkShape]
    service: str


class TracedPassageShape(Shape):
    """A passage that was retrieved for a question."""

    passage_id: str
    document_id: str
    version: str
    relevance: float
    lexical: float
    dense: float
    cited: bool


class ReactionShape(Shape):
    """What judges (1 to 5) and people said of an answer; null: nobody has."""

    quality: float | None
    groundedness: float | None
    helpful: bool | None


class TraceSummary(Shape):
    """A trace as it stands in lists."""

    id: str
    kind: TraceKind
    principal: str
    conversation_id: str | None
    question: str
    outcome: str
    task_type: str
    model: str
    cached: bool
    confidence: float
    error: str
    started_at: float
    ms: float
    ttft_ms: float | None
    category: str
    tier: str
    release: str
    input_tokens: int
    output_tokens: int
    cost_micros: int | None
    """Millionths of the price list's currency; null where a price is unknown."""
    capture: CaptureTier
    """`metrics`: its texts, spans and passages are no longer kept."""
    escalated: bool
    degraded: bool
    failed_checks: tuple[str, ...]
    """Rules that found a fault in the answer."""
    reaction: ReactionShape
    rerun_of: str | None
    """The trace whose question was asked again here."""


class PromptMessageShape(BaseModel):
    """One message of a prompt."""

    role: str
    content: str


class KeepingShape(Shape):
    """Why a trace is kept as it is; `kept_until`: when its texts go, or of the tier `metrics` the figures."""

    reasons: list[str]
    kept_until: float


class FeedbackShape(Shape):
    """What a principal said of an answer."""

    principal: str
    helpful: bool
    reason: str
    at: float


class RetrievedShape(Shape):
    """How good what was given to the model was; `utilisation` is the share that the answer cites, null without an answer."""

    passages: int
    mean_relevance: float
    least_relevance: float
    utilisation: float | None


class FoundTrace(TraceSummary):
    """A trace in a list; where a filter found it, with what it has under the names that the filter asks for."""

    figures: dict[str, Scalar] = {}


class TraceShape(TraceSummary):
    """The whole trace."""

    answer: str
    corpus_version: int
    parent_span_id: str | None
    """Of the caller's span that it goes on from."""
    checked: tuple[str, ...]
    """Rules that looked at the answer."""
    spans: list[SpanShape]
    evidence: list[TracedPassageShape]
    retrieved: RetrievedShape | None
    citations: Annotated[list[CitationShape], BeforeValidator(load_citations)]
    prompt: Annotated[list[PromptMessageShape], BeforeValidator(_parsed_or_none)]
    """What the model was given; of operators alone, empty for others and where no model was asked."""
    feedback: list[FeedbackShape] = []
    keeping: KeepingShape | None = None
    reruns: list[FoundTrace] = []
    """Traces in which its question was asked again, the newest first."""


class TracePage(BaseModel):
    """Some of the traces, newest first; `before` asks for the following page, null at the end."""

    traces: list[FoundTrace]
    before: str | None


def object_of(shape: BaseModel) -> dict[str, object]:
    """The shape as JSON-ready values."""
    return cast("dict[str, object]", shape.model_dump(mode="json"))
