"""Scores become an order and probabilities: a small model, fitted by bench/calibrate.py.

It knows the raw scores of a search and nothing of any question. What it was fitted on, and how it does on questions
that it has not seen, stands in bench/RESULTS.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class PassageScores:
    """Raw scores of candidate passages, each of shape (n,)."""

    lexical: NDArray[np.float32]
    """BM25F as a share of the question's best."""
    dense: NDArray[np.float32]
    """Best window cosine."""
    sentence: NDArray[np.float32]
    """Best sentence cosine."""
    coverage: NDArray[np.float32]
    """Rarity-weighted share of the question's terms, in the passage."""
    sentence_coverage: NDArray[np.float32]
    """The same, in its best sentence."""

    def columns(self) -> NDArray[np.float64]:
        """Shape (n, 5), in the order of the weights."""
        return np.stack(
            [self.lexical, self.dense, self.sentence, self.coverage, self.sentence_coverage], axis=1
        ).astype(np.float64)

    def take(self, rows: NDArray[np.int64]) -> PassageScores:
        """The scores of these passages, in this order."""
        return PassageScores(
            self.lexical[rows],
            self.dense[rows],
            self.sentence[rows],
            self.coverage[rows],
            self.sentence_coverage[rows],
        )


_PASSAGE_WEIGHTS = np.array([-0.2, 8.3, 12.9, 6.8, 0.7])
_PASSAGE_SCALE = 0.531
_PASSAGE_BIAS = -10.26


def passage_score(scores: PassageScores) -> NDArray[np.float64]:
    """What passages are ordered by, shape (n,); unbounded."""
    return scores.columns() @ _PASSAGE_WEIGHTS


def passage_relevance(scores: PassageScores) -> NDArray[np.float64]:
    """The probability that each passage holds the answer, shape (n,)."""
    return 1.0 / (1.0 + np.exp(-(_PASSAGE_BIAS + _PASSAGE_SCALE * passage_score(scores))))
