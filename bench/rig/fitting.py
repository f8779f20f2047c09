"""Small models, fitted by gradient descent: a softmax over lists, a logistic one, and isotonic regression."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
_LEVELS = (0.002, 0.01, 0.03, 0.07, 0.14, 0.25, 0.4, 0.55, 0.7, 0.82, 0.91, 0.97)
"""Probabilities at which knots are taken, where the regression reaches them."""


def softmax_weights(
    lists: Sequence[tuple[Matrix, Matrix]],
    *,
    l2: float = 0.3,
    steps: int = 500,
    signs: Matrix | None = None,
    held: Matrix | None = None,
) -> Matrix:
    """Weights that put labelled rows before the others of their list: -ln of the chance that one of them is drawn.

    ListNet's softmax (Cao et al., ICML 2007). `signs` as for `logistic_weights`; a weight of `held` that is not nan stays.
    """
    useful = [(inputs, labels) for inputs, labels in lists if len(labels) and labels.any()]
    inputs, labels = np.concatenate([one for one, _ in useful]), np.concatenate([one for _, one in useful])
    sizes = np.array([len(one) for _, one in useful])
    starts = np.cumsum(sizes) - sizes
    spread = inputs.std(axis=0) + 1e-9
    design = inputs / spread
    is_free = np.ones(len(spread)) if held is None else np.isnan(held).astype(np.float64)
    weights = np.zeros(len(spread)) if held is None else np.nan_to_num(held) * spread
    bound = np.zeros(len(spread)) if signs is None else signs
    moved = np.zeros(len(spread))
    for _ in range(steps):
        scores = design @ weights
        chance = np.exp(scores - np.repeat(np.maximum.reduceat(scores, starts), sizes))
        chance /= np.repeat(np.add.reduceat(chance, starts), sizes)
        wanted = chance * labels
        wanted /= np.repeat(np.add.reduceat(wanted, starts) + 1e-12, sizes)
        gradient = (design.T @ (chance - wanted) + l2 * weights) / len(useful)
        moved = 0.8 * moved + gradient * is_free
        weights = weights - 0.3 * moved
        weights = np.where(bound > 0, np.maximum(weights, 0), np.where(bound < 0, np.minimum(weights, 0), weights))
    return weights / spread


def logistic_weights(
    inputs: Matrix, labels: Matrix, *, l2: float, counts: Matrix | None = None, signs: Matrix | None = None
) -> tuple[float, Matrix]:
    """Bias and weights by projected gradient descent on standardised inputs; the bias has no prior.

    `signs` holds 1 where a weight may not be negative, -1 where it may not be positive, 0 where it is free: without
    that, inputs that say almost the same get opposite weights, and a corpus unlike the fitted one gets nonsense.
    """
    mean, spread = inputs.mean(axis=0), inputs.std(axis=0) + 1e-9
    design = np.c_[np.ones(len(inputs)), (inputs - mean) / spread]
    prior = l2 * np.r_[0.0, np.ones(inputs.shape[1])]
    worth = np.ones(len(labels)) if counts is None else counts
    bound = np.r_[0.0, np.zeros(inputs.shape[1]) if signs is None else signs]
    rate = 1.0 / (0.25 * np.linalg.norm(design * np.sqrt(worth)[:, None], 2) ** 2 + l2)
    solution = np.zeros(design.shape[1])
    for _ in range(20_000):
        chance = 1 / (1 + np.exp(-design @ solution))
        solution -= rate * (design.T @ (worth * (chance - labels)) + prior * solution)
        solution = np.where(bound > 0, np.maximum(solution, 0), np.where(bound < 0, np.minimum(solution, 0), solution))
    weights = solution[1:] / spread
    return float(solution[0] - weights @ mean), weights


def isotonic(scores: Matrix, labels: Matrix) -> tuple[Matrix, Matrix]:
    """Centres and values of the blocks of the rising step function nearest to the labels.

    Pool adjacent violators (Ayer et al. 1955; Zadrozny and Elkan, KDD 2002, for probabilities).
    """
    order = np.argsort(scores, kind="stable")
    blocks: list[list[float]] = []  # sum of labels, rows, sum of scores
    for score, label in zip(scores[order].tolist(), labels[order].tolist(), strict=True):
        blocks.append([label, 1.0, score])
        while len(blocks) > 1 and blocks[-2][0] * blocks[-1][1] >= blocks[-1][0] * blocks[-2][1]:
            last = blocks.pop()
            blocks[-1] = [mine + more for mine, more in zip(blocks[-1], last, strict=True)]
    rows = np.array(blocks)
    return rows[:, 2] / rows[:, 1], rows[:, 0] / rows[:, 1]


def knots(scores: Matrix, labels: Matrix) -> list[tuple[float, float]]:
    """A few points of the isotonic regression, both coordinates rising."""
    centres, values = isotonic(scores, labels)
    found: list[tuple[float, float]] = []
    for level in _LEVELS:
        if values[0] < level < values[-1]:
            at = float(np.interp(level, values, centres))
            if not found or at > found[-1][0]:
                found.append((round(at, 2), level))
    return found


def reliability(
    chance: Matrix, labels: Matrix, *, edges: Sequence[float]
) -> tuple[list[tuple[float, float, int]], float]:
    """Mean chance, share of right ones and rows of each bin; and the expected calibration error.

    Naeini, Cooper and Hauskrecht (AAAI 2015): the bins' distances between the two, weighed by their rows.
    """
    rows: list[tuple[float, float, int]] = []
    error = 0.0
    for low, high in pairwise(edges):
        inside = (chance >= low) & (chance < high)
        if inside.any():
            rows.append((float(chance[inside].mean()), float(labels[inside].mean()), int(inside.sum())))
            error += abs(rows[-1][0] - rows[-1][1]) * rows[-1][2] / len(chance)
    return rows, error
