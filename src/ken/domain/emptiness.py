"""Why a search found nothing, or nothing near, in words for whoever asked."""

from __future__ import annotations

from ken.domain.document import SearchResult

_NEAR = 0.05
"""The relevance that the best passage has at least; below, one in twenty such passages holds an answer."""


def why_empty(result: SearchResult, *, collections: frozenset[str] | None) -> str:
    """What stood in the way; empty where the passages found are near enough to be shown without a word."""
    if not result.readable:
        return "There is no document that you may read."
    if not result.allowed:
        among = "" if collections is None else f" in {_listed(collections)}"
        return f"You may read {_documents(result.readable)}; none{among} has the collection, owner, type and dates asked for."
    if not result.evidence:
        return f"{_documents(result.allowed)} looked at: no passage has anything to do with this."
    best = result.evidence[0].relevance
    if best < _NEAR:
        return f"No passage comes near this: even the first has a relevance of no more than {best:.2f}."
    return ""


def _documents(count: int) -> str:
    return f"{count:,} document{'' if count == 1 else 's'}"


def _listed(names: frozenset[str]) -> str:
    return ", ".join(f"“{name}”" for name in sorted(names))
