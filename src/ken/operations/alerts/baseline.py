"""What a figure usually is at this hour of the week, and how far it strays: medians, which last month's incidents don't move.

A figure is put on a scale on which its noise is alike everywhere: shares by arcsin of the root (whose variance is 1 / 4n), all else
by its logarithm. On that scale, the usual value of an hour of the week is the median of that hour over the last weeks, drawn towards
the median of that hour of the day, and that towards the median of all, the more the less history there is. What is left over gives the
spread: the median absolute deviation (times 1.4826, a standard deviation where the noise is normal), drawn from the hour towards all hours.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
History = Sequence[tuple[float, float | None, int]]
"""Time, value and observations, hour by hour."""

HOUR_S = 3600
_HOURS = 168
_DAY = 24
_NORMAL = 1.4826
_LEAST_HOURS = 36
"""With less history, nothing is said."""
_PULL_WEEK = 2.0
_PULL_DAY = 3.0
_PULL_SPREAD = 8.0
_LEAST_SPREAD = 0.02
_WEEK_DAYS = 7.0


@dataclass(frozen=True, slots=True)
class Usual:
    """What was learnt of one series."""

    is_share: bool
    centres: Floats
    """By hour of the week, on the scale of the noise."""
    spreads: Floats
    counts: Floats
    """Observations in a usual hour, by hour of the day."""
    tiny: float

    def at(self, now: float) -> float:
        """The usual value at a time."""
        return _back(self._centre(now), is_share=self.is_share)

    def deviations(self, value: float, now: float, *, count: int) -> float:
        """How many standard deviations a value lies above the usual one; negative: below. Of few observations, more is expected."""
        hour = int(now // HOUR_S) % _HOURS
        scarce = max(1.0, float(self.counts[hour % _DAY]) / max(count, 1))
        variance = float(self.spreads[hour % _DAY]) ** 2 * scarce
        if self.is_share:
            variance = max(variance, 0.25 / max(count, 1))
        return (_forth(value, is_share=self.is_share, tiny=self.tiny) - self._centre(now)) / math.sqrt(variance)

    def _centre(self, now: float) -> float:
        """In a straight line between the middles of two hours, so that nothing jumps when the clock strikes."""
        place = now / HOUR_S - 0.5
        whole = math.floor(place)
        first, second = self.centres[whole % _HOURS], self.centres[(whole + 1) % _HOURS]
        return float(first + (second - first) * (place - whole))


def learn(history: History, *, is_share: bool, least_count: int) -> Usual | None:
    """Learn from hourly figures; None where there are too few of them."""
    rows = [(at, value, count) for at, value, count in history if value is not None and count >= least_count]
    if len(rows) < _LEAST_HOURS:
        return None
    at, raw, seen = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    tiny = max(float(np.median(np.abs(raw))) * 1e-3, 1e-9)
    values = _scaled(raw, is_share=is_share, tiny=tiny)
    hours = (at // HOUR_S).astype(np.int64)
    week = hours % _HOURS
    day = hours % _DAY
    middle = float(np.median(values))
    weekend = _is_weekend(week)
    kinds = day + _DAY * weekend
    of_kind = _medians(values, kinds, 2 * _DAY, towards=np.full(2 * _DAY, middle), pull=_PULL_DAY)
    every = np.arange(_HOURS)
    daily = of_kind[every % _DAY + _DAY * _is_weekend(every)]
    centres = _medians(values, week, _HOURS, towards=daily, pull=_PULL_WEEK)
    left = np.abs(values - of_kind[kinds])
    spread = max(_NORMAL * float(np.median(left)), _LEAST_SPREAD)
    of_hour = _medians(left, day, _DAY, towards=np.full(_DAY, spread / _NORMAL), pull=_PULL_SPREAD) * _NORMAL
    days = (float(at[-1]) - float(at[0]) + HOUR_S) / (HOUR_S * _DAY)
    usual_counts = _medians(seen, day, _DAY, towards=np.full(_DAY, float(np.median(seen))), pull=1.0)
    return Usual(
        is_share=is_share,
        centres=centres,
        spreads=np.maximum(of_hour, _LEAST_SPREAD) * math.sqrt(1 + _WEEK_DAYS / max(days, 1.0)),
        counts=usual_counts,
        tiny=tiny,
    )


@dataclass(slots=True)
class Learning:
    """The history of one rule's figure by label, hour by hour, and what was learnt of it."""

    until: float = 0.0
    """As far as the history is read."""
    history: dict[str, list[tuple[float, float | None, int]]] = field(
        default_factory=dict[str, list[tuple[float, float | None, int]]]
    )
    usual: dict[str, Usual | None] = field(default_factory=dict[str, Usual | None])
    learnt_at: float = -math.inf

    def extend(self, read: Mapping[str, History], *, since: float, until: float) -> None:
        """Take in what was read anew; what is older than `since` is forgotten."""
        for label, rows in read.items():
            self.history.setdefault(label, []).extend(rows)
        for label, rows in list(self.history.items()):
            kept = [row for row in rows if row[0] >= since]
            if kept:
                self.history[label] = kept
            else:
                del self.history[label]
        self.until = until

    def learn(self, now: float, *, is_share: bool, least_count: int) -> None:
        """Learn from all of it."""
        self.usual = {
            label: learn(rows, is_share=is_share, least_count=least_count) for label, rows in self.history.items()
        }
        self.learnt_at = now


def _is_weekend(week: NDArray[np.int64]) -> NDArray[np.int64]:
    """The epoch began on a Thursday: Saturday begins 48 hours later."""
    return ((week >= 2 * _DAY) & (week < 4 * _DAY)).astype(np.int64)


def _medians(values: Floats, keys: NDArray[np.int64], size: int, *, towards: Floats, pull: float) -> Floats:
    """The median of each key's values, drawn towards another value as if `pull` more of that had been seen."""
    order = np.argsort(keys, kind="stable")
    bounds = np.searchsorted(keys[order], np.arange(size + 1))
    drawn = towards.copy()
    for key in range(size):
        own = values[order[bounds[key] : bounds[key + 1]]]
        if own.size:
            drawn[key] += (float(np.median(own)) - drawn[key]) * own.size / (own.size + pull)
    return drawn


def _scaled(values: Floats, *, is_share: bool, tiny: float) -> Floats:
    if is_share:
        return np.arcsin(np.sqrt(np.clip(values, 0.0, 1.0)))
    return np.log(np.maximum(values, tiny))


def _forth(value: float, *, is_share: bool, tiny: float) -> float:
    if is_share:
        return math.asin(math.sqrt(min(max(value, 0.0), 1.0)))
    return math.log(max(value, tiny))


def _back(scaled: float, *, is_share: bool) -> float:
    return math.sin(min(max(scaled, 0.0), math.pi / 2)) ** 2 if is_share else math.exp(scaled)
