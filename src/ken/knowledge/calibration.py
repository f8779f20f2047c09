"""Scores become probabilities: two small logistic models, fitted by bench/calibrate.py.

They know the raw scores of a search and nothing of any question: eight numbers each. The file that they were fitted
on, and how they do on questions that they have not seen, stand in bench/RESULTS.md.
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


_PASSAGE_WEIGHTS = np.array([-0.5, 12.8, 9.3, 7.1, -2.0])
_PASSAGE_SCALE = 0.8
_PASSAGE_BIAS = -14.0


def passage_score(scores: PassageScores) -> NDArray[np.float64]:
    """What passages are ordered by, shape (n,); unbounded."""
    return scores.columns() @ _PASSAGE_WEIGHTS


def passage_relevance(scores: PassageScores) -> NDArray[np.float64]:
    """The probability that each passage holds the answer, shape (n,)."""
    return 1.0 / (1.0 + np.exp(-(_PASSAGE_BIAS + _PASSAGE_SCALE * passage_score(scores))))


_ANSWER_WEIGHTS = np.array([0.5, 1.0, 2.0, 2.0])
_ANSWER_BIAS = -10.0


def answer_inputs(scores: PassageScores) -> NDArray[np.float64]:
    """What tells an answerable question from one that only sounds like the documents; passages best first, shape (k,)."""
    best = passage_score(scores)
    return np.array([best[0], scores.sentence.max(), scores.coverage.max(), scores.sentence_coverage.max()])


def answerable(scores: PassageScores) -> float:
    """The probability that these passages, best first, hold the answer between them."""
    if not len(scores.dense):
        return 0.0
    return float(1.0 / (1.0 + np.exp(-(_ANSWER_BIAS + answer_inputs(scores) @ _ANSWER_WEIGHTS))))
