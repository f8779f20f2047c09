"""Questions and answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ken.domain.conflict import Kind
from ken.domain.document import Document
from ken.domain.filters import NO_FILTERS, Filters
from ken.domain.principal import Principal
from ken.domain.standing import State
from ken.domain.trace import NOWHERE, Origin
from ken.domain.usage import Usage

Role = Literal["system", "user", "assistant", "tool"]
TaskType = Literal["lookup", "procedure", "comparison", "troubleshooting", "summary", "smalltalk"]
Outcome = Literal["answered", "abstained", "refused", "asked_back", "failed"]


@dataclass(frozen=True, slots=True)
class Image:
    """An image in a message."""

    url: str
    """A `data:` URL, or an address that the provider fetches."""
    detail: str | None = None
    """How closely it is looked at: `low`, `high`, `auto`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A model's wish to have a function called."""

    id: str
    name: str
    arguments: str
    """A JSON object, as the model wrote it."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation, or of a prompt."""

    role: Role
    content: str
    """All of its text."""
    parts: tuple[str | Image, ...] = ()
    """Texts and images in their order, where there are images."""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    """Of a message of the role `tool`: the call whose result it holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What was asked, by whom, and after what."""

    text: str
    principal: Principal
    history: tuple[Message, ...] = ()
    """Earlier messages, oldest first."""
    conversation_id: str | None = None
    collections: frozenset[str] | None = None
    """Look only there; None stands for everywhere."""
    filters: Filters = NO_FILTERS
    """Look only in documents that these let through."""
    model: str | None = None
    """The tier or model asked for; None lets the route decide."""
    max_tokens: int | None = None
    """Upper bound of the answer, in tokens."""
    origin: Origin = NOWHERE
    """The trace that the caller's request is a part of."""
    today: str | None = None
    """The day that the answer is for, an ISO date; None stands for the assistant's clock."""
    is_fresh: bool = False
    """An answer that was given before won't do: the asker wants another one."""
    is_test: bool = False
    """Nobody wants to know: a load test asks. Its trace is of the kind `eval`, which figures of people's questions leave out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """An answer's sentence tied to the span of a document that supports it."""

    number: int
    """As printed in the answer, [1] upwards; one number for one passage."""
    answer_start: int
    answer_end: int
    """The sentence, in the answer's text."""
    document_id: str
    document_title: str
    passage_id: str
    version: str
    start: int
    end: int
    """The supporting span, in the document's parsed text."""
    quote: str
    """That span without marks, white space folded."""
    support: float
    """How well the span supports the sentence, 0 to 1."""
    page: int | None = None
    heading_path: tuple[str, ...] = ()
    """The headings above the span, outermost first."""
    owner: str | None = None
    effective: str | None = None
    """The document's rules hold from that day on; an ISO date, as the others."""
    review_by: str | None = None
    review_due: bool = False
    """Whether that day had passed when the question was asked."""
    standing: State = "current"
    """Of the document on that day."""
    superseded_since: str | None = None
    superseded_by: str | None = None
    """The title of what has taken its place, where the asker may read that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Two cited statements of documents in force that can't both hold; the answer shows both."""

    kind: Kind
    citations: tuple[Citation, Citation]
    """As the answer cites them, the newer document first."""
    values: tuple[str, str]
    """What each says, as written: "30 minutes", "15 minutes"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One thing that a question may mean, as a question back offers it."""

    name: str
    """What tells it from the others: an office, a role, the long form of an acronym."""
    question: str
    """What to ask for it."""
    document_id: str
    """The document that it would be answered from."""
    document_title: str
    passage_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The whole answer, as shown and as recorded."""

    trace_id: str
    text: str
    outcome: Outcome
    citations: tuple[Citation, ...] = ()
    nearest: tuple[Document, ...] = ()
    """On an abstention: the documents that came closest."""
    notices: tuple[str, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    """Where documents that the answer rests on disagree; empty where they don't."""
    choices: tuple[Choice, ...] = ()
    """On a question back: what the question may mean."""
    conversation_id: str | None = None
    model: str = ""
    usage: Usage = field(default_factory=Usage)
    cost_micros: int | None = 0
    """Millionths of the price list's currency; None where the price is unknown."""
    is_broken_off: bool = False
    """No model ended it: what is there was verified, and more might have followed."""
    cached: bool = False
    """Whether it was given before, at no cost now."""
    original_trace_id: str | None = None
    """Of an answer that was given before: the trace of the question that it was made for."""
    confidence: float = 0.0
    """Of the answer being in the documents, 0 to 1."""

    @property
    def abstained(self) -> bool:
        """Whether the documents were found not to hold the answer."""
        return self.outcome in {"abstained", "refused"}
