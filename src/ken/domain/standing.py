"""Whether a document is the rule: now, no longer, or not yet. Dates are ISO 8601 calendar dates, which compare as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ken.domain.document import Document

State = Literal["current", "superseded", "future"]


@dataclass(frozen=True, slots=True)
class Period:
    """The time that a question asks about where that isn't now, both days included; None where the question leaves it open."""

    start: str | None
    end: str | None
    is_past: bool

    def holds(self, document: Document) -> bool:
        """Whether a document was in force, or will be, before the period is over."""
        return self.end is None or document.effective is None or document.effective <= self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a document is today."""

    state: State = "current"
    since: str | None = None
    """Superseded since, or the rule from that day on; None where no document says when."""
    successor: Document | None = None
    """What has taken its place; the last one of several."""


CURRENT = Standing()


def is_review_due(document: Document, today: str) -> bool:
    """Whether somebody should have looked at the document before today."""
    return document.review_by is not None and document.review_by < today
