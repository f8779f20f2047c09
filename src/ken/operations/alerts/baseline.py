"""What a figure usually is at this hour of the week, and how far it strays: medians, which last month's incidents don't move.

A figure is put on a scale on which its noise is alike everywhere: shares by arcsin of the root (whose variance is 1 / 4n), all else
by its logarithm. On that scale, the usual value of an hour of the week is the median of that hour over the last weeks, drawn towards
the median of that hour of the day, and that towards the median of all, the more the less history there is. What is left over gives the
spread: the median absolute deviation (times 1.4826, a standard deviation where the noise is normal), drawn from the hour towards all
hours. Of shares, whose median says nothing where most hours have none, the same is done with sums, the largest twentieth of the hours cut
down; how far one strays is told by the binomial's tail, which is right for three of twelve, too.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Hours = NDArray[np.int64]
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
_PULL_SHARE = 300.0
_KEPT_SHARE = 0.95
_ALWAYS_KEPT = 4.0
"""Of what is rare, so many in an hour are chance and no incident."""
_LEAST_SPREAD = 0.01
_MOST_EXACT = 2000
"""Up to so many observations, a binomial's tail is summed up."""
_FARTHEST = 37.0
"""Deviations that the least number greater than 0 comes to."""
_WEEK_DAYS = 7.0
_NORMAL_CURVE = NormalDist()
_LOG_FACTORIALS = np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, _MOST_EXACT + 1)))))


@dataclass(frozen=True, slots=True)
class Usual:
    """What was learnt of one series."""

    is_share: bool
    centres: Floats
    """By hour of the week, on the scale of the noise."""
    spreads: Floats
    """By hour of the day; of shares, beyond what the chance of a draw explains."""
    counts: Floats
    """Observations in a usual hour, by hour of the day."""
    tiny: float

    def over(self, now: float, *, window_s: int) -> float:
        """The usual value over a window that ends at a time: in its middle, or the mean of its hours."""
        if window_s <= HOUR_S:
            return _back(self._centre(now - window_s / 2), is_share=self.is_share)
        hours = max(1, window_s // HOUR_S)
        middles = [self._centre(now - (hour + 0.5) * HOUR_S) for hour in range(min(hours, _HOURS))]
        return _back(sum(middles) / len(middles), is_share=self.is_share)

    def deviations(self, value: float, at: float, *, expected: float, count: int) -> float:
        """How many standard deviations a value lies above an expected one; negative: below. Of few observations, more is granted.

        `at` says of which hour of the day the spread is.
        """
        hour = int(at // HOUR_S) % _DAY
        count = max(count, 1)
        usual_count = max(float(self.counts[hour]), 1.0)
        spread, centre = float(self.spreads[hour]), _forth(expected, is_share=self.is_share, tiny=self.tiny)
        strays = _forth(value, is_share=self.is_share, tiny=self.tiny) - centre
        if not self.is_share:
            return strays / max(spread * math.sqrt(max(1.0, usual_count / count)), _LEAST_SPREAD)
        if count > _MOST_EXACT:
            return strays / math.hypot(spread, 0.5 / math.sqrt(count))
        # What the share varies by on its own is granted to it first.
        granted = centre + math.copysign(min(spread, abs(strays)), strays)
        return _of_draw(value, count, share=_back(granted, is_share=True))

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
    week = (at // HOUR_S).astype(np.int64) % _HOURS
    day = week % _DAY
    days = max((float(at[-1]) - float(at[0]) + HOUR_S) / (HOUR_S * _DAY), 1.0)
    tiny = max(float(np.median(np.abs(raw))) * 1e-3, 1e-9)
    centres, spreads = (
        _of_shares(raw, seen, week=week)
        if is_share
        else _of_values(np.log(np.maximum(raw, tiny)), week=week, widen=math.sqrt(1 + _WEEK_DAYS / days))
    )
    usual_counts = _medians(seen, day, _DAY, towards=np.full(_DAY, float(np.median(seen))), pull=1.0)
    return Usual(is_share=is_share, centres=centres, spreads=spreads, counts=usual_counts, tiny=tiny)


def _of_values(values: Floats, *, week: Hours, widen: float) -> tuple[Floats, Floats]:
    """Centres by hour of the week and spreads by hour of the day."""
    day, every = week % _DAY, np.arange(_HOURS)
    middle = float(np.median(values))
    kinds = day + _DAY * _is_weekend(week)
    of_kind = _medians(values, kinds, 2 * _DAY, towards=np.full(2 * _DAY, middle), pull=_PULL_DAY)
    centres = _medians(values, week, _HOURS, towards=of_kind[every % _DAY + _DAY * _is_weekend(every)], pull=_PULL_WEEK)
    left = np.abs(values - of_kind[kinds])
    spread = max(_NORMAL * float(np.median(left)), _LEAST_SPREAD)
    of_hour = _medians(left, day, _DAY, towards=np.full(_DAY, spread / _NORMAL), pull=_PULL_SPREAD) * _NORMAL
    return centres, np.maximum(of_hour, _LEAST_SPREAD) * widen


def _of_shares(shares: Floats, seen: Floats, *, week: Hours) -> tuple[Floats, Floats]:
    """The same of shares of `seen` observations each."""
    kept = np.minimum(shares, np.maximum(np.quantile(shares, _KEPT_SHARE), _ALWAYS_KEPT / seen))
    chosen = kept * seen
    middle = float(chosen.sum() / seen.sum())
    day, every = week % _DAY, np.arange(_HOURS)
    of_day = np.bincount(day, seen, _DAY)
    daily = (np.bincount(day, chosen, _DAY) + _PULL_SHARE * middle) / (of_day + _PULL_SHARE)
    weekly = (np.bincount(week, chosen, _HOURS) + _PULL_SHARE * daily[every % _DAY]) / (
        np.bincount(week, seen, _HOURS) + _PULL_SHARE
    )
    drawn = (np.arcsin(np.sqrt(kept)) - np.arcsin(np.sqrt(daily[day]))) ** 2 * 4 * seen
    excess = max(0.0, float(np.mean(drawn)) - 1) * 0.25 / float(np.median(seen))
    return np.arcsin(np.sqrt(weekly)), np.sqrt(excess + 0.25 / (of_day + _PULL_SHARE))


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


def _is_weekend(week: Hours) -> Hours:
    """The epoch began on a Thursday: Saturday begins 48 hours later."""
    return ((week >= 2 * _DAY) & (week < 4 * _DAY)).astype(np.int64)


def _medians(values: Floats, keys: Hours, size: int, *, towards: Floats, pull: float) -> Floats:
    """The median of each key's values, drawn towards another value as if `pull` more of that had been seen."""
    order = np.argsort(keys, kind="stable")
    bounds = np.searchsorted(keys[order], np.arange(size + 1))
    drawn = towards.copy()
    for key in range(size):
        own = values[order[bounds[key] : bounds[key + 1]]]
        if own.size:
            drawn[key] += (float(np.median(own)) - drawn[key]) * own.size / (own.size + pull)
    return drawn


def _of_draw(value: float, count: int, *, share: float) -> float:
    """How far `value` of `count` draws is from a share, as the deviations of a normal with the same tail."""
    chosen = round(value * count)
    share = min(max(share, 1e-4), 1 - 1e-4)
    up = chosen >= share * count
    least, most = (chosen, count) if up else (0, chosen)
    k = np.arange(least, most + 1)
    logs = _LOG_FACTORIALS[count] - _LOG_FACTORIALS[k] - _LOG_FACTORIALS[count - k]
    tail = float(np.exp(logs + k * math.log(share) + (count - k) * math.log1p(-share)).sum())
    strays = _FARTHEST if tail <= sys.float_info.min else max(0.0, -_NORMAL_CURVE.inv_cdf(min(tail, 0.5)))
    return strays if up else -strays


def _forth(value: float, *, is_share: bool, tiny: float) -> float:
    if is_share:
        return math.asin(math.sqrt(min(max(value, 0.0), 1.0)))
    return math.log(max(value, tiny))


def _back(scaled: float, *, is_share: bool) -> float:
    return math.sin(min(max(scaled, 0.0), math.pi / 2)) ** 2 if is_share else math.exp(scaled)
