"""The trained estimator of difficulty: a small logistic regression of our own, and the file that keeps it.

Fitted by iteratively reweighted least squares (Newton's method; McCullagh and Nelder 1989, section 2.5) with a ridge penalty on
the standardised features, so that a few dozen labelled turns give weights that can be read and that don't run away.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ken.errors import InvalidInput, InvalidSetting
from ken.gateway.difficulty import WORDS, Estimator

FILE = "route.json"
"""In the home."""
FEWEST = 30
"""Turns to learn from; and five of either kind."""
_FEWEST_OF_A_KIND = 5
_RIDGE = 10.0
"""Tried from 1 to 100 on what the extractive reader gets wrong in three question sets: weaker overfits 70 questions, stronger them all."""
_STEPS = 50
_STILL = 1e-8
_FOLDS = 5
_VERSION = 1

Numbers = NDArray[np.float64]


def fit(features: Sequence[Mapping[str, float]], hard: Sequence[float], *, origin: str) -> Estimator:
    """The weights that tell difficult turns (1) from easy ones (0) best; `hard` may lie between.

    Raises InvalidInput where there are too few turns, or too few of either kind.
    """
    labels = np.asarray(hard, np.float64)
    difficult = int((labels > 0.5).sum())  # noqa: PLR2004 - more likely difficult than not
    if len(labels) < FEWEST or min(difficult, len(labels) - difficult) < _FEWEST_OF_A_KIND:
        raise InvalidInput(
            f"There is too little to learn from: {len(labels)} turns, {difficult} of them difficult. It takes {FEWEST}, and "
            f"{_FEWEST_OF_A_KIND} of either kind. Give more questions; until then the rules route."
        )
    inputs = _matrix(features)
    spread = inputs.std(axis=0)
    # A feature that never changes teaches nothing, and gets no weight.
    scale = np.where(spread > 0, spread, 1.0)
    weights = _newton((inputs - inputs.mean(axis=0)) / scale, labels)
    raw = np.where(spread > 0, weights[1:] / scale, 0.0)
    bias = float(weights[0] - raw @ inputs.mean(axis=0))
    return Estimator(
        bias=round(bias, 4),
        weights={name: round(float(each), 4) for name, each in zip(WORDS, raw, strict=True)},
        origin=origin,
    )


def held_out(features: Sequence[Mapping[str, float]], hard: Sequence[float]) -> list[float]:
    """For each turn the difficulty that a fit to the other folds gives it: what tells how good a fit to all of them will be."""
    folds = np.arange(len(hard)) % _FOLDS
    told = np.zeros(len(hard))
    inputs, labels = _matrix(features), np.asarray(hard, np.float64)
    for fold in range(_FOLDS):
        seen, unseen = folds != fold, folds == fold
        mean, spread = inputs[seen].mean(axis=0), inputs[seen].std(axis=0)
        scale = np.where(spread > 0, spread, 1.0)
        weights = _newton((inputs[seen] - mean) / scale, labels[seen])
        told[unseen] = _likely(weights[0] + (inputs[unseen] - mean) / scale @ weights[1:])
    return [float(each) for each in told]


def separation(difficulty: Sequence[float], hard: Sequence[float]) -> float | None:
    """The area under the ROC curve: how often a difficult turn stands above an easy one (ties count half); None without both."""
    above = [value for value, label in zip(difficulty, hard, strict=True) if label > 0.5]  # noqa: PLR2004 - as in `fit`
    below = [value for value, label in zip(difficulty, hard, strict=True) if label <= 0.5]  # noqa: PLR2004 - as in `fit`
    if not above or not below:
        return None
    wins = sum((one > other) + 0.5 * (one == other) for one in above for other in below)
    return wins / (len(above) * len(below))


def save(estimator: Estimator, home: Path) -> Path:
    """Keep an estimator in a home; it routes from the next start on. Raises InvalidInput where that can't be written."""
    place = home / FILE
    told = {"version": _VERSION, "origin": estimator.origin, "bias": estimator.bias, "weights": dict(estimator.weights)}
    try:
        place.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"{str(place)!r} can't be written: {error.strerror}. Make room, or allow it.") from error
    return place


def load(home: Path) -> Estimator | None:
    """The estimator that a home keeps; None where none was trained. Raises InvalidSetting for a file that isn't one."""
    place = home / FILE
    try:
        told = json.loads(place.read_text("utf-8"))
        weights = {str(name): float(each) for name, each in told["weights"].items()}
        is_known = told["version"] == _VERSION and set(weights) <= set(WORDS)
        estimator = Estimator(bias=float(told["bias"]), weights=weights, origin=str(told["origin"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise InvalidSetting(
            f"{str(place)!r} is no trained route ({error}). Delete it: the rules route again."
        ) from error
    if not is_known:
        raise InvalidSetting(
            f"{str(place)!r} was trained by another version of Ken. Delete it, or train anew: ken tune routes FILE --train."
        )
    return estimator


def _matrix(features: Sequence[Mapping[str, float]]) -> Numbers:
    """Shape (turns, features), in the order of WORDS."""
    return np.array([[each.get(name, 0.0) for name in WORDS] for each in features], np.float64)


def _newton(inputs: Numbers, labels: Numbers) -> Numbers:
    """Weights of standardised inputs, shape (1 + features,), the first of them the bias, which isn't penalised."""
    design = np.hstack([np.ones((len(inputs), 1)), inputs])
    ridge = np.diag([0.0, *[_RIDGE] * inputs.shape[1]])
    weights = np.zeros(design.shape[1])
    for _ in range(_STEPS):
        likely = _likely(design @ weights)
        slope = design.T @ (labels - likely) - ridge @ weights
        curvature = (design.T * (likely * (1 - likely))) @ design + ridge + 1e-9 * np.eye(len(weights))
        step = np.linalg.solve(curvature, slope)
        weights = weights + step
        if float(np.abs(step).max()) < _STILL:
            break
    return weights


def _likely(score: Numbers) -> Numbers:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(score, -30, 30))), np.float64)
