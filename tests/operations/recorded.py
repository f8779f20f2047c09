"""Figures of recorded series: what each minute had, seeded; a window has the mean of its minutes, by their observations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ken.domain.alert import Happening
from ken.domain.figures import NO_NARROWING, Point
from ken.errors import InvalidInput

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400
START = 1_767_571_200.0
"""A Monday, 00:00 UTC."""


@dataclass(slots=True)
class Series:
    """A value and its observations for each minute from START; NaN where nothing was counted."""

    values: NDArray[np.float64]
    counts: NDArray[np.float64]

    def over(self, since: float, until: float) -> tuple[float | None, int]:
        """The mean of a window, and the observations in it."""
        first = max(0, int(np.ceil((since - START) / MINUTE_S)))
        last = max(first, int(np.ceil((until - START) / MINUTE_S)))
        counts, values = self.counts[first:last], self.values[first:last]
        count = float(counts.sum())
        return (float(np.nansum(values * counts) / count), int(count)) if count else (None, 0)


@dataclass(slots=True)
class Recorded:
    """`Figures` over them. `asked` counts the readings."""

    series_of: dict[str, dict[str, Series]] = field(default_factory=dict[str, dict[str, Series]])
    asked: int = 0

    def series(
        self,
        metric: str,
        *,
        since: float,
        until: float,
        step_s: int,
        by: str = "",
        where: Mapping[str, str] = NO_NARROWING,
    ) -> Mapping[str, Sequence[Point]]:
        """As promised by `Figures`."""
        _ = by, where
        self.asked += 1
        steps = np.arange(since, until, step_s).tolist()
        return {
            label: [Point(at, *series.over(at, min(at + step_s, until))) for at in steps]
            for label, series in self._of(metric).items()
        }

    def whole(
        self, metric: str, *, since: float, until: float, by: str = "", where: Mapping[str, str] = NO_NARROWING
    ) -> Mapping[str, Point]:
        """As promised by `Figures`."""
        _ = by, where
        self.asked += 1
        found = {label: Point(since, *series.over(since, until)) for label, series in self._of(metric).items()}
        return {label: point for label, point in found.items() if point.count}

    def _of(self, metric: str) -> dict[str, Series]:
        if metric not in self.series_of:
            raise InvalidInput(f"There is no figure {metric!r} on record.")
        return self.series_of[metric]


@dataclass(slots=True)
class Told:
    """`Happenings` in a list."""

    all: list[Happening] = field(default_factory=list[Happening])

    def since(self, at: float) -> Sequence[Happening]:
        """As promised by `Happenings`."""
        return [each for each in self.all if each.at >= at]


def noise(metric: str, value: float, *, minutes: int, a_minute: float = 3.0, seed: int = 1) -> Series:
    """Working hours with many questions and nights with few; a share is drawn, anything else strays by a fifth of itself."""
    dice = np.random.default_rng([seed, *metric.encode()])
    hour = (np.arange(minutes) / 60) % 24
    counts = dice.poisson(a_minute * (0.15 + np.exp(-(((hour - 12) / 4) ** 2)))).astype(np.float64)
    some = np.maximum(counts, 1)
    if metric.endswith("_rate") or ".over_" in metric:
        values = dice.binomial(counts.astype(np.int64), value) / some
    elif value < 1:  # relevance
        values = value + 0.05 * dice.standard_normal(minutes) / np.sqrt(some)
    else:
        values = value * (1 + 0.2 * dice.standard_normal(minutes) / np.sqrt(some))
    return Series(np.where(counts > 0, values, np.nan), counts)


def worse(series: Series, metric: str, *, value: float, at: float, lasts: float = DAY_S, seed: int = 2) -> None:
    """Have the figure be another one from a time on."""
    first, last = int((at - START) // MINUTE_S), int((at + lasts - START) // MINUTE_S)
    other = noise(metric, value, minutes=series.values.size, seed=seed)
    counts = series.counts[first:last]
    values = other.values[first:last].copy()
    if metric.endswith("_rate") or ".over_" in metric:
        dice = np.random.default_rng([seed, 7])
        values = dice.binomial(counts.astype(np.int64), value) / np.maximum(counts, 1)
    series.values[first:last] = np.where(counts > 0, np.nan_to_num(values, nan=value), np.nan)
