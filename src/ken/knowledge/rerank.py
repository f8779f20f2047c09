"""Reranking: the best passages of a search are read once more together with the question, and put into a better order.

A reranker decides the order and nothing else. Its scores are comparable within one question alone, so relevance stays the
calibrated one: the best passage of the new order gets the highest relevance that the search gave, and so on down. A
question is thereby as answerable as it was, and what is worth 0.75 still is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ken.errors import ModelError
from ken.models.protocols import Reranker, RerankPassage

__all__ = ["RerankPassage", "Reranker", "Rescored", "reordered", "rescored"]


@dataclass(frozen=True, slots=True, eq=False)
class Rescored:
    """What a reranker said of n passages."""

    scores: NDArray[np.float32] | None
    """Shape (n,); None where it failed, and the order stays as it was."""
    notice: str = ""
    """Then why, in a sentence for people."""


async def rescored(
    reranker: Reranker, question: str, *, passages: Sequence[RerankPassage], patience_s: float
) -> Rescored:
    """Have passages scored. A reranker that fails, or takes longer than `patience_s`, costs its order and nothing more."""
    try:
        async with asyncio.timeout(patience_s):
            scores = await reranker.score(question, passages)
    except TimeoutError:
        return Rescored(None, f"The passages stand in the order of the search: {reranker.name!r} took too long.")
    except ModelError as error:
        return Rescored(None, f"The passages stand in the order of the search. {error}")
    return Rescored(scores)


def reordered(
    scores: NDArray[np.float32], relevance: NDArray[np.float64], standing: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The order of n passages by a reranker's `scores`, and their relevance in that order, falling.

    `relevance` is calibrated and multiplied by `standing`, which is below 1 for a passage whose document was superseded: a
    reranker, which reads no dates, can't lift that one above what replaced it by more than it would have stood there.
    """
    by_score = np.argsort(-scores, kind="stable")
    given = np.empty_like(relevance)
    given[by_score] = -np.sort(-relevance / standing)
    given *= standing
    # Equal relevance is common at the top, where it is all but 1: there the reranker's word counts.
    order = by_score[np.argsort(-given[by_score], kind="stable")]
    return order, given[order]
