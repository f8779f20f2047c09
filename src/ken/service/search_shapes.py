"""The JSON shapes of a search."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator

from ken.domain.document import Evidence, SearchResult
from ken.domain.emptiness import why_empty
from ken.service.shapes import DocumentShape, PassageShape, Shape


def _by_name(pairs: tuple[tuple[str, float], ...]) -> dict[str, float]:
    return dict(pairs)


class ReasonsShape(Shape):
    """Why a passage stands where it does."""

    sentence: float
    """The best cosine of one of its sentences."""
    interaction: float
    """How near the question's words come to words of it, each to its nearest."""
    terms: Annotated[dict[str, float], BeforeValidator(_by_name)]
    """What each of the question's terms adds to `lexical`."""
    ranks: Annotated[dict[str, int], BeforeValidator(_by_name)]
    """Its place in each list that has it."""
    rerank: float | None


class CorrectionShape(Shape):
    """A word that was searched for in another one's place."""

    written: str
    searched: str
    distance: int


class ExpansionShape(Shape):
    """Other names of what the question names, and the document that gives them."""

    word: str
    others: list[str]
    why: Literal["acronym", "name", "synonym"]
    source: str | None


class AmbiguityShape(Shape):
    """An acronym that stands for several things."""

    word: str
    meanings: list[str]


class ExplainedShape(Shape):
    """What was searched for, and why that."""

    asked: str
    searched: str
    corrections: list[CorrectionShape]
    expansions: list[ExpansionShape]
    ambiguous: list[AmbiguityShape]
    parts: list[str]
    feedback: list[str]


class Found(BaseModel):
    """A passage found, with its scores and the question's terms that it holds."""

    passage: PassageShape
    document: DocumentShape
    relevance: float
    lexical: float
    dense: float
    fused: float
    coverage: float
    matched_terms: list[str]
    why: str
    reasons: ReasonsShape | None = None
    """Only where it was asked to explain."""


class SearchShape(BaseModel):
    """What a search found, best first."""

    evidence: list[Found]
    corpus_version: int
    candidates: int
    readable: int
    """Documents that the asker may read."""
    allowed: int
    """Those of them that the search looked at."""
    notices: list[str]
    """What was searched for in another word's place; that a reranker failed; why nothing was found, or nothing near."""
    timings_ms: dict[str, float]
    explained: ExplainedShape | None = None
    """Only where it was asked to explain."""

    @classmethod
    def of(cls, result: SearchResult, *, collections: frozenset[str] | None, explain: bool) -> SearchShape:
        """The shape of a search's result."""
        empty = why_empty(result, collections=collections)
        told = result.explained.notices if result.explained is not None else ()
        explained = result.explained if explain else None
        return cls(
            evidence=[_found(each, explain=explain) for each in result.evidence],
            corpus_version=result.corpus_version,
            candidates=result.candidates,
            readable=result.readable,
            allowed=result.allowed,
            notices=[*told, *result.notices, *([empty] if empty else [])],
            timings_ms=dict(result.timings_ms),
            explained=None if explained is None else ExplainedShape.model_validate(explained),
        )


def _found(evidence: Evidence, *, explain: bool) -> Found:
    return Found(
        passage=PassageShape.model_validate(evidence.passage),
        document=DocumentShape.model_validate(evidence.document),
        relevance=evidence.relevance,
        lexical=evidence.lexical,
        dense=evidence.dense,
        fused=evidence.fused,
        coverage=evidence.coverage,
        matched_terms=list(evidence.matched_terms),
        why=_why(evidence),
        reasons=ReasonsShape.model_validate(evidence.reasons) if explain else None,
    )


def _why(evidence: Evidence) -> str:
    """One line for people: by which words, by how near a meaning."""
    reasons: list[str] = []
    if evidence.matched_terms:
        reasons.append(f"holds {', '.join(evidence.matched_terms)} (BM25 {evidence.lexical:.1f})")
    if evidence.dense > 0:
        reasons.append(f"near in meaning (cosine {evidence.dense:.2f})")
    return "; ".join(reasons) or "closest of what there is"
