"""Whether a figure moved, when it began to, and by how much.

A figure at steps of time becomes standardised residuals: its distance from what is usual at that hour, over the noise of a step
with so many observations, as the median absolute deviation of the time before tells it. Two cumulative sums (E. S. Page,
"Continuous inspection schemes", Biometrika 41, 1954) add them up, one for each direction, less a drift; residuals are clipped
(Huber's psi), so that no single step makes a change. Where a sum passes the limit, the change began after it was last zero,
at the step from which a shift is likeliest (D. V. Hinkley, "Inference about the change-point in a sequence of random variables",
Biometrika 57, 1970).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ken.domain.figures import Point

HOUR_S = 3600.0
_CLIP = 5.0
_DRIFT = 0.75
_LIMIT = 8.0
_MAD = 1.4826
"""The standard deviation of a normal distribution in median absolute deviations."""
_TRUSTED = 30.0
"""Observations in an hour from which that hour's own level counts as much as the level of all hours."""
LEAST_STEPS = 6
"""Steps ahead of a window, of five minutes to six hours, by how much is asked, below which nothing is said."""
_TRIMMED = 0.02
_MOST_CERTAIN = 9.0
"""A step with more than so many times the usual observations is taken for no more certain than that."""
_LEAST_SIGMA = 0.015
"""The noise of a step is never taken for less than this share of the level."""
_SATURDAY = 5

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A figure moved. Its values are means over steps, weighted with their observations."""

    at: float
    """When it began to, seconds since the epoch: the beginning of a step."""
    before: float
    """What would have been usual since then."""
    after: float
    strength: float
    """Standard errors between the two."""
    count: int
    """The observations since."""

    @property
    def is_up(self) -> bool:
        """Which way it went."""
        return self.after > self.before

    @property
    def share(self) -> float:
        """The change as a share of what was usual; infinity where that was nothing."""
        return (self.after - self.before) / abs(self.before) if self.before else math.inf


@dataclass(frozen=True, slots=True)
class Usual:
    """What a figure usually is, by the hour of a working day and of a day off, drawn to the level of all hours where few were counted."""

    level: float
    hours: Mapping[tuple[bool, int], float] = field(default_factory=dict[tuple[bool, int], float])

    def at(self, when: float) -> float:
        """At a time, seconds since the epoch."""
        return self.hours.get(_hour(when), self.level)


def usual(history: Sequence[Point], *, is_share: bool = False) -> Usual | None:
    """What is usual, out of some days before, in steps of an hour or less; None where nothing was counted.

    Of values the median over steps; of shares, which are 0 in most steps when they are rare, a mean without the extreme steps.
    """
    counted = [point for point in history if point.value is not None and point.count]
    if not counted:
        return None
    middle = _trimmed_mean if is_share else _weighted_median
    level = middle(_values(counted), _counts(counted))
    cells: dict[tuple[bool, int], list[Point]] = {}
    for point in counted:
        cells.setdefault(_hour(point.at), []).append(point)
    hours: dict[tuple[bool, int], float] = {}
    for cell, points in cells.items():
        counts = _counts(points)
        seen = float(counts.sum()) * (level if is_share else 1.0)
        trust = seen / (seen + _TRUSTED) * len(points) / (len(points) + 1)
        hours[cell] = level + (middle(_values(points), counts) - level) * trust
    return Usual(level, hours)


class Noise(Protocol):
    """How far from usual a step may be by chance."""

    def standardised(self, told: Sequence[Point], normal: Usual) -> Callable[[Sequence[Point]], Numbers]:
        """What makes standard deviations of steps, where `told` are steps in which nothing happened."""
        ...


@dataclass(frozen=True, slots=True)
class OfValues:
    """Means, whose noise is smaller the more was observed, and never below a share of the level or `least`."""

    least: float = 1e-9

    def standardised(self, told: Sequence[Point], normal: Usual) -> Callable[[Sequence[Point]], Numbers]:
        """As promised by `Noise`: the median absolute deviation of `told`, brought to each step's observations."""
        counts = _counts(told)
        typical = float(np.median(counts))
        sigma = _MAD * float(np.median(np.abs((_values(told) - _expected(told, normal)) * np.sqrt(counts / typical))))
        sigma = max(sigma, _LEAST_SIGMA * abs(normal.level), self.least)

        def standardise(seen: Sequence[Point]) -> Numbers:
            spread = sigma * np.sqrt(typical / np.minimum(_counts(seen), _MOST_CERTAIN * typical))
            return np.asarray((_values(seen) - _expected(seen, normal)) / spread, dtype=np.float64)

        return standardise


@dataclass(frozen=True, slots=True)
class OfShares:
    """Shares of yes and no, on the scale of angles, on which their binomial noise is the same everywhere; more, if `told` has more."""

    def standardised(self, told: Sequence[Point], normal: Usual) -> Callable[[Sequence[Point]], Numbers]:
        """As promised by `Noise`."""

        def angles(seen: Sequence[Point]) -> Numbers:
            usual_angle = np.arcsin(np.sqrt(np.clip(_expected(seen, normal), 0.0005, 1)))
            angle = np.arcsin(np.sqrt(np.clip(_values(seen), 0, 1)))
            return np.asarray(2 * np.sqrt(_counts(seen)) * (angle - usual_angle), dtype=np.float64)

        spread = max(1.0, _MAD * float(np.median(np.abs(angles(told)))))
        return lambda seen: angles(seen) / spread


def is_enough(before: Sequence[Point]) -> bool:
    """Whether the steps ahead of a window tell how much noise is to be expected."""
    return sum(point.value is not None and point.count > 0 for point in before) >= LEAST_STEPS


def change(before: Sequence[Point], during: Sequence[Point], *, normal: Usual, noise: Noise) -> Change | None:
    """How a figure moved in a window, if it did.

    `before` are the steps ahead of the window, which tell how much of its noise is to be expected; `during` those of the window.
    """
    told = [point for point in before if point.value is not None and point.count]
    seen = [point for point in during if point.value is not None and point.count]
    if len(told) < LEAST_STEPS or not seen:
        return None
    z = np.clip(noise.standardised(told, normal)(seen), -_CLIP, _CLIP)
    up, down = _climb(z), _climb(-z)
    best = max(up, down, key=lambda each: each[2])
    if best[2] < _LIMIT:
        return None
    zero, peak, _ = best
    begins = _likeliest(z, zero=zero, peak=peak)
    moved = seen[begins : peak + 1]
    counts = _counts(moved)
    expected = _expected(moved, normal)
    return Change(
        at=moved[0].at,
        before=float(np.average(expected, weights=counts)),
        after=float(np.average(_values(moved), weights=counts)),
        strength=float(abs(z[begins : peak + 1].mean()) * math.sqrt(len(moved))),
        count=int(counts.sum()),
    )


def _climb(z: Numbers) -> tuple[int, int, float]:
    """Where the highest climb of the cumulative sum began, where it was highest, and how high."""
    total, zero, best = 0.0, 0, (0, 0, 0.0)
    for step, each in enumerate(z.tolist()):
        total += each - _DRIFT
        if total <= 0:
            total, zero = 0.0, step + 1
        elif total > best[2]:
            best = (zero, step, total)
    return best


def _likeliest(z: Numbers, *, zero: int, peak: int) -> int:
    """The step from which, up to the peak, a shift of the mean away from zero explains most."""
    sums = np.cumsum(z[zero : peak + 1][::-1])[::-1]
    lengths = np.arange(len(sums), 0, -1)
    return zero + int(np.argmax(sums * sums / lengths))


def _values(points: Sequence[Point]) -> Numbers:
    return np.array([point.value for point in points], dtype=np.float64)


def _counts(points: Sequence[Point]) -> Numbers:
    return np.array([point.count for point in points], dtype=np.float64)


def _expected(points: Sequence[Point], normal: Usual) -> Numbers:
    return np.array([normal.at(point.at) for point in points], dtype=np.float64)


def _trimmed_mean(values: Numbers, weights: Numbers) -> float:
    """The weighted mean without the steps beyond the outer percents."""
    cut = int(len(values) * _TRIMMED)
    kept = np.argsort(values)[cut : len(values) - cut]
    return float(np.average(values[kept], weights=weights[kept]))


def _weighted_median(values: Numbers, weights: Numbers) -> float:
    order = np.argsort(values)
    summed = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(summed, summed[-1] / 2)])


def _hour(when: float) -> tuple[bool, int]:
    moment = datetime.fromtimestamp(when, UTC)
    return moment.weekday() >= _SATURDAY, moment.hour
