"""Statements of documents, and pairs of them that can't both hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "money", "share", "duration", "date", "time", "size", "count", "version", "address", "role", "permission", "denial"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A sentence, list point or table row of a document, as plain text, with what it stands under."""

    document_id: str
    text: str
    title: str = ""
    headings: tuple[str, ...] = ()
    """Outermost first; of a table row, the names of the columns last."""
    start: int = 0
    end: int = 0
    """Its span in the document's text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """Two statements of different documents that can't both hold."""

    kind: Kind
    first: Statement
    second: Statement
    values: tuple[str, str]
    """What each says, as written: "30 minutes", "15 minutes"; "allowed", "forbidden"."""
    shared: int
    """Content words that their subjects share: the more, the surer."""
