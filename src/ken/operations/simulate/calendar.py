"""When questions come: working hours, weekends, holidays, bursts, gaps; and what people do to Ken meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from ken.operations.simulate.organisation import (
    DAY_S,
    HOUR_S,
    OF_THE_HOUR,
    Marker,
    Organisation,
)

_MINUTES = 1440
_SYNC_HOURS = (6, 10, 14, 18)
_MEAN_HOUR = sum(OF_THE_HOUR) / len(OF_THE_HOUR)
FIRST_RELEASE = "release-0"


def arrivals(organisation: Organisation, day: float) -> NDArray[np.float64]:
    """The times of a day's questions, in order; `day` is its first second (UTC)."""
    dice = np.random.default_rng([organisation.seed, int(day // DAY_S), 1])
    weekday = datetime.fromtimestamp(day, UTC).weekday()
    minutes = np.arange(_MINUTES) / 60
    shape = np.interp(minutes, np.arange(25), [*OF_THE_HOUR, OF_THE_HOUR[0]]) / _MEAN_HOUR
    level = organisation.per_day / _MINUTES * organisation.weekdays[weekday] * float(dice.lognormal(0, 0.06))
    if weekday < 5 and dice.random() < organisation.holidays:  # noqa: PLR2004 - Saturday is 5
        level *= 0.12
    rate = level * shape * _swell(dice) * _bursts(dice)
    rate = rate * (1 - _gap(organisation, dice, weekday=weekday))
    counts = dice.poisson(rate)
    at = np.repeat(np.arange(_MINUTES) * 60.0, counts) + dice.random(int(counts.sum())) * 60
    return day + np.sort(at)


def markers(organisation: Organisation, start: float, *, days: int) -> tuple[Marker, ...]:
    """The releases and syncs of so many days: four syncs a day, and a release now and then in working hours."""
    made: list[Marker] = []
    dice = np.random.default_rng([organisation.seed, int(start // DAY_S), 2])
    for number in range(days):
        day = start + number * DAY_S
        made.extend(
            Marker(day + hour * HOUR_S + float(dice.uniform(0, 600)), "sync", "handbook") for hour in _SYNC_HOURS
        )
        weekday = datetime.fromtimestamp(day, UTC).weekday()
        if weekday < 5 and dice.random() < 7 / 5 / organisation.release_every_days:  # noqa: PLR2004 - Saturday is 5
            at = day + float(dice.uniform(9, 16)) * HOUR_S
            made.append(Marker(at, "release", f"release-{int(at // HOUR_S)}"))
    return tuple(sorted(made, key=lambda each: each.at))


def releases(
    at: NDArray[np.float64], made: Sequence[Marker]
) -> tuple[NDArray[np.int16], tuple[str, ...], NDArray[np.float64]]:
    """Of each question which release answered it, the releases' names, and for how many seconds it had been current."""
    known = [each for each in made if each.kind == "release"]
    since = np.array([-np.inf, *(each.at for each in known)])
    which = np.searchsorted(since, at, side="right") - 1
    return which.astype(np.int16), (FIRST_RELEASE, *(each.name for each in known)), at - since[which]


def _swell(dice: np.random.Generator) -> NDArray[np.float64]:
    """What makes one half hour busier than the next: noise that is alike for a while."""
    knots = dice.lognormal(0, 0.18, size=49)
    return np.interp(np.arange(_MINUTES), np.arange(49) * 30, knots)


def _bursts(dice: np.random.Generator) -> NDArray[np.float64]:
    """Somebody announced something: a few minutes with several times the questions, on every third day or so."""
    level = np.ones(_MINUTES)
    for _ in range(int(dice.poisson(0.35))):
        begins, lasts = int(dice.integers(7 * 60, 18 * 60)), int(dice.integers(4, 25))
        level[begins : begins + lasts] *= float(dice.uniform(2, 5))
    return level


def _gap(organisation: Organisation, dice: np.random.Generator, *, weekday: int) -> NDArray[np.float64]:
    """Maintenance: nobody is answered for a while, at night."""
    closed = np.zeros(_MINUTES)
    begins, lasts = int(dice.integers(0, 4 * 60)), int(dice.integers(30, 90))
    if dice.random() < 7 / organisation.gap_every_days and weekday == 6:  # noqa: PLR2004 - on Sundays
        closed[begins : begins + lasts] = 1.0
    return closed
