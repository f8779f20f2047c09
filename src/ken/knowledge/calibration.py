"""Scores become an order and probabilities: a small model, fitted by bench/calibrate.py.

It knows the raw scores of a search and nothing of any question. What it was fitted on, and how it does on questions
that it has not seen, stands in bench/RESULTS.md; what each score gives, in experiments/LOG.md.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class PassageScores:
    """Raw scores of candidate passages, each of shape (n,)."""

    dense: NDArray[np.float32]
    """Best window cosine."""
    sentence: NDArray[np.float32]
    """Best sentence cosine."""
    mean_sentence: NDArray[np.float32]
    """The mean over its sentences."""
    coverage: NDArray[np.float32]
    """Rarity-weighted share of the question's terms, in the passage."""
    sentence_coverage: NDArray[np.float32]
    """The same, in its best sentence."""
    interaction: NDArray[np.float32]
    """The mean over the question's words of the closest word of the passage (late.py)."""
    title: NDArray[np.float32]
    """Cosine with the document's title."""
    words: NDArray[np.float32]
    """ln(1 + distinct words): among many words one is always close."""
    passages: NDArray[np.float32]
    """ln of the number of the document's passages: a question is as often about a short document as about a long one."""

    def columns(self) -> NDArray[np.float64]:
        """Shape (n, 9), in the order of the weights."""
        named: list[NDArray[np.float32]] = [getattr(self, field.name) for field in fields(self)]
        return np.stack(named, axis=1).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Model:
    """What passages are ordered by, and how likely one of a score among others holds the answer."""

    weights: tuple[float, ...]
    """Of the columns of `PassageScores`."""
    nothing: float
    """The score of finding nothing: it stands among those of the candidates, so that the best of bad ones isn't good."""
    slope: float
    against: float
    """Of a passage's score, and of the logarithm of the sum of all exponentials: alike, they would make a softmax."""
    knots: tuple[tuple[float, float], ...]
    """What these make and its probability, both rising: isotonic regression (pool adjacent violators), straight lines
    between."""

    def score(self, scores: PassageScores) -> NDArray[np.float64]:
        """What passages are ordered by, shape (n,); unbounded."""
        return scores.columns() @ np.array(self.weights)

    def relevance(self, score: NDArray[np.float64], rivals: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
        """The probability that each of a question's candidates holds the answer, shape (n,).

        Only `rivals`, shape (n,), lower that of the others; None stands for all.
        """
        among = [*score[... if rivals is None else rivals].tolist(), self.nothing]
        at, chance = np.array(self.knots).T
        stands = self.slope * score - self.against * np.logaddexp.reduce(among)
        return np.asarray(np.interp(stands, at, chance), np.float64)


WITH_WORDS = Model(
    weights=(1.44, 9.1, 2.96, 2.35, 0.4, 22.77, 2.82, -1.18, -0.45),
    nothing=13.1,
    slope=1.273,
    against=1.231,
    knots=(
        (-11.39, 0.002),
        (-8.09, 0.01),
        (-5.22, 0.03),
        (-3.19, 0.07),
        (-2.2, 0.14),
        (-1.23, 0.25),
        (-0.44, 0.4),
        (-0.17, 0.55),
        (0.08, 0.7),
        (0.66, 0.82),
        (0.82, 0.91),
        (0.94, 0.97),
    ),
)
"""Where the embedder tells of single words."""
WITHOUT_WORDS = Model(
    weights=(4.39, 12.74, 7.89, 6.0, 0.29, 0.0, 0.0, 0.0, -0.45),
    nothing=9.2,
    slope=1.299,
    against=1.234,
    knots=(
        (-10.52, 0.002),
        (-5.9, 0.01),
        (-4.33, 0.03),
        (-3.33, 0.07),
        (-1.68, 0.14),
        (-1.29, 0.25),
        (-0.21, 0.4),
        (0.12, 0.55),
        (0.31, 0.7),
        (0.86, 0.82),
        (1.05, 0.91),
        (1.21, 0.97),
    ),
)
"""Where it doesn't: an embedder behind an endpoint."""
