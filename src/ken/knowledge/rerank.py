"""Reranking: the best passages of a search are read once more together with the question, and put into a better order.

A reranker decides the order and nothing else. Its scores are comparable within one question alone, so relevance stays the
calibrated one: the best passage of the new order gets the highest relevance that the search gave, and so on down. A
question is thereby as answerable as it was, and what is worth 0.75 still is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ken.errors import ModelError
from ken.knowledge.ranking import Ranked
from ken.models.protocols import Reranker, RerankPassage


@dataclass(frozen=True, slots=True)
class Reranking:
    """Which reranker reads how much, and how long it is waited for."""

    reranker: Reranker
    candidates: int = 30
    """The best passages of a search."""
    patience_s: float = 2.0

    async def reordered(
        self, question: str, found: Sequence[Ranked], *, texts: Sequence[str]
    ) -> tuple[tuple[Ranked, ...], str]:
        """Passages in the reranker's order, `texts` being what it reads of each; and a notice where that order can't be had.

        A reranker that fails, or takes longer than `patience_s`, costs its order and nothing more.
        """
        passages = [RerankPassage(one.row, text) for one, text in zip(found, texts, strict=True)]
        try:
            async with asyncio.timeout(self.patience_s):
                scores = await self.reranker.score(question, passages)
        except TimeoutError:
            late = f"The passages stand in the order of the search: the reranker {self.reranker.name!r} took too long."
            return tuple(found), late
        except ModelError as error:
            return tuple(found), f"The passages stand in the order of the search. {error}"
        relevance = np.array([one.relevance for one in found], dtype=np.float64)
        standing = np.array([one.standing for one in found], dtype=np.float64)
        order, given = in_order(scores, relevance, standing=standing)
        ranked = zip(order.tolist(), given.tolist(), strict=True)
        return tuple(replace(found[i], relevance=worth, rerank=float(scores[i])) for i, worth in ranked), ""


def in_order(
    scores: NDArray[np.float32], relevance: NDArray[np.float64], *, standing: NDArray[np.float64]
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
