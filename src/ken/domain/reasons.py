"""Why a passage stands where it does among those that were found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasons:
    """What `Evidence` doesn't need for an answer, and whoever tunes a search does."""

    sentence: float = -1.0
    """The best cosine of one of its sentences with the question, -1 to 1."""
    interaction: float = 0.0
    """How near the question's words come to words of it, each to its nearest: a mean of cosines, weighted by rarity."""
    terms: tuple[tuple[str, float], ...] = ()
    """The question's terms that it holds, each with what it adds to the BM25F score, the most first."""
    ranks: tuple[tuple[str, int], ...] = ()
    """Its place in each list that has it, 1 the best: `lexical`, `dense`, `sentence`."""
    rerank: float | None = None
    """What the reranker said of it; comparable within one question. None where none read it."""
