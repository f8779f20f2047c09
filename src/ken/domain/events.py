"""What streams out while a question is answered: the same for HTTP, terminal and tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ken.domain.answer import Answer, Citation

Stage = Literal[
    "intake", "screen", "classify", "recall", "retrieve", "assemble", "route", "generate", "verify", "settle"
]
STAGES: tuple[Stage, ...] = (
    "intake",
    "screen",
    "classify",
    "recall",
    "retrieve",
    "assemble",
    "route",
    "generate",
    "verify",
    "settle",
)
"""In the order that a question passes them; span names, metric labels and the words of the console."""


@dataclass(frozen=True, slots=True)
class StageStarted:
    """A stage began."""

    stage: Stage


@dataclass(frozen=True, slots=True)
class StageFinished:
    """A stage ended, after `ms` milliseconds, with one line that says what it found."""

    stage: Stage
    ms: float
    detail: str = ""


@dataclass(frozen=True, slots=True)
class TokenShown:
    """A piece of the answer's text. Its sentence has passed verification and is not taken back."""

    text: str


@dataclass(frozen=True, slots=True)
class CitationShown:
    """A citation of a sentence that was just shown."""

    citation: Citation


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the reader should know: cached, degraded, sentences left out, a conflict."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The last event of a question that got an answer or an abstention."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class Failed:
    """The last event of a question that did not: what is wrong and what to do about it."""

    trace_id: str
    kind: str
    """The error's class name, as in ken.errors."""
    message: str
    retry_after_s: float | None = None
    """After so many seconds it may work, where that is known."""


Event = StageStarted | StageFinished | TokenShown | CitationShown | Notice | Answered | Failed
