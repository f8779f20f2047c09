"""The values of a quality report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FindingKind = Literal[
    "unreadable",
    "empty",
    "near-duplicate",
    "boilerplate",
    "out-of-date",
    "contradictory",
    "orphaned",
    "broken-link",
    "supersedes-nothing",
    "instructions",
    "parsed-with-remarks",
    "readable-by-nobody",
    "language",
]

STALE_AFTER_DAYS = 3 * 365
"""Without a change, a document is out of date."""

MEANINGS: dict[FindingKind, str] = {
    "unreadable": "can't be read, so nothing is answered from them",
    "empty": "hold next to nothing besides headings",
    "near-duplicate": "say nearly the same as another one, word for word",
    "boilerplate": "are stubs, or made up mostly of text that many others hold",
    "out-of-date": "are past their review date, superseded, or not changed for long",
    "contradictory": "say something else than another one",
    "orphaned": "are linked from no other one, or gone from their source",
    "broken-link": "link to a document that is not there",
    "supersedes-nothing": "name a document to supersede that is not there",
    "instructions": "hold sentences addressed to the assistant; they are treated as data and not followed",
    "parsed-with-remarks": "lost something when they were read, such as pages without text",
    "readable-by-nobody": "are shared only with groups that no key has",
    "language": "are in another language than most of the collection",
}
"""In the order of a report; "documents that ..."."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that was found. Every id names a document that the asking principal may read."""

    document_id: str
    title: str
    detail: str
    """What is the matter, in plain words."""
    related: tuple[str, ...] = ()
    """Ids of the other documents that it is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """All entries of one kind."""

    kind: FindingKind
    meaning: str
    """What the documents do: see `MEANINGS`."""
    count: int
    """How many entries there are."""
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageShare:
    """The documents in one language."""

    language: str
    """ISO 639-1, or "unknown" where too little prose tells."""
    count: int
    document_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityReport:
    """What was found in a collection, as far as one principal may read it."""

    collection: str
    corpus_version: int
    documents: int
    """How many were looked at."""
    findings: tuple[Finding, ...]
    """One of each kind that was looked for, in the order of `MEANINGS`; without entries where nothing was found."""
    languages: tuple[LanguageShare, ...]
    """The most frequent first."""

    def of(self, kind: FindingKind) -> tuple[Entry, ...]:
        """The entries of one kind."""
        return next((finding.entries for finding in self.findings if finding.kind == kind), ())
