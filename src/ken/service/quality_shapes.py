"""The shapes of the quality report."""

from __future__ import annotations

from pydantic import Field

from ken.knowledge.quality.findings import FindingKind
from ken.service.shapes import Shape


class EntryShape(Shape):
    """One thing that was found."""

    document_id: str
    title: str
    detail: str = Field(description="what is the matter, in plain words")
    related: tuple[str, ...] = Field(description="ids of the other documents that it is about")


class FindingShape(Shape):
    """All entries of one kind."""

    kind: FindingKind
    meaning: str = Field(description="of documents of this kind: they ...")
    count: int
    entries: tuple[EntryShape, ...]


class LanguageShape(Shape):
    """The documents in one language."""

    language: str = Field(description='ISO 639-1, or "unknown" where too little prose tells')
    count: int
    document_ids: tuple[str, ...]


class QualityShape(Shape):
    """What was found in a collection, as far as you may read it."""

    collection: str
    corpus_version: int
    documents: int = Field(description="how many were looked at")
    findings: tuple[FindingShape, ...]
    languages: tuple[LanguageShape, ...]
