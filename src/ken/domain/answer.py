"""Questions and answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ken.domain.document import Document
from ken.domain.principal import Principal
from ken.domain.usage import Usage

Role = Literal["system", "user", "assistant"]
TaskType = Literal["lookup", "procedure", "comparison", "troubleshooting", "summary", "smalltalk"]
Outcome = Literal["answered", "abstained", "refused", "failed"]


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation, or of a prompt."""

    role: Role
    content: str


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
    model: str | None = None
    """The tier or model asked for; None lets the route decide."""
    max_tokens: int | None = None
    """Upper bound of the answer, in tokens."""
    trace_id: str | None = None
    """Taken over from the caller's traceparent; 32 hex digits."""


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
    conversation_id: str | None = None
    model: str = ""
    usage: Usage = field(default_factory=Usage)
    cost_micros: int | None = 0
    """Millionths of the price list's currency; None where the price is unknown."""
    cached: bool = False
    confidence: float = 0.0
    """Of the answer being in the documents, 0 to 1."""

    @property
    def abstained(self) -> bool:
        """Whether the documents were found not to hold the answer."""
        return self.outcome in {"abstained", "refused"}
