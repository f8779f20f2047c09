"""Rollups: what traces come to, added up over steps of time and by what they have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ken.domain.sketch import Sketch

MINUTE, HOUR, DAY = 60, 3_600, 86_400
RESOLUTIONS = (MINUTE, HOUR, DAY)
"""Seconds of the steps that rollups are kept in, the finest first."""
ALL = "all"
"""The facet that tells every dimension apart."""
OTHER = "other"
"""Stands for values of a dimension that came after there were too many."""
AT = "@"
"""Between a figure's name and what it is of: `stage_ms@retrieve`, `tokens_in@generate|small-model`."""


class Dimensions(NamedTuple):
    """What traces of one cell have in common; empty where they have none, or where it isn't told apart."""

    kind: str = ""
    task_type: str = ""
    category: str = ""
    tier: str = ""
    model: str = ""
    release: str = ""
    outcome: str = ""

    def only(self, names: frozenset[str]) -> Dimensions:
        """Told apart by these dimensions alone."""
        return Dimensions(*(value if name in names else "" for name, value in zip(self._fields, self, strict=True)))


@dataclass(slots=True)
class Tally:
    """What was counted: numbers by name, distributions by name, greatest values by name."""

    counts: dict[str, int] = field(default_factory=dict[str, int])
    sketches: dict[str, Sketch] = field(default_factory=dict[str, Sketch])
    peaks: dict[str, float] = field(default_factory=dict[str, float])

    def count(self, name: str, times: int = 1) -> None:
        """Add to a number."""
        self.counts[name] = self.counts.get(name, 0) + times

    def see(self, name: str, value: float) -> None:
        """Add a value to a distribution."""
        sketch = self.sketches.get(name)
        if sketch is None:
            sketch = self.sketches[name] = Sketch()
        sketch.add(value)

    def peak(self, name: str, value: float) -> None:
        """Keep a value where it is the greatest."""
        self.peaks[name] = max(value, self.peaks.get(name, value))

    def merge(self, other: Tally, times: int = 1) -> None:
        """Add what another one counted; with -1, take it away. Greatest values stay."""
        for name, count in other.counts.items():
            self.counts[name] = self.counts.get(name, 0) + count * times
        for name, sketch in other.sketches.items():
            own = self.sketches.get(name)
            if own is None:
                own = self.sketches[name] = Sketch()
            own.merge(sketch, times)
        for name, value in other.peaks.items():
            self.peak(name, value)

    def without_nothing(self) -> Tally:
        """The same without what comes to nothing."""
        return Tally(
            {name: count for name, count in self.counts.items() if count},
            {name: sketch for name, sketch in self.sketches.items() if sketch},
            dict(self.peaks),
        )

    def __bool__(self) -> bool:
        return bool(self.counts or self.sketches or self.peaks)


@dataclass(frozen=True, slots=True)
class Cell:
    """What a minute came to, for traces that have all dimensions in common. Counts are negative where something is taken back."""

    start: int
    """Where the minute begins, seconds since the epoch."""
    dimensions: Dimensions
    tally: Tally


FACETS: Mapping[str, frozenset[str]] = {
    "kind": frozenset({"kind"}),
    "task_type": frozenset({"kind", "task_type"}),
    "category": frozenset({"kind", "category"}),
    "tier": frozenset({"kind", "tier"}),
    "model": frozenset({"kind", "model"}),
    "release": frozenset({"kind", "release"}),
    "outcome": frozenset({"kind", "outcome"}),
    "task_type category": frozenset({"kind", "task_type", "category"}),
    "task_type tier": frozenset({"kind", "task_type", "tier"}),
    "task_type release": frozenset({"kind", "task_type", "release"}),
    "category release": frozenset({"kind", "category", "release"}),
    ALL: frozenset(Dimensions._fields),
}
"""Which dimensions rows tell apart; the less they do, the fewer rows a figure is read from. The first that serves is taken."""
COARSE_ONLY = frozenset({"task_type category", "task_type tier", "task_type release", "category release"})
"""Of these facets there are no minutes."""


def facet_for(names: frozenset[str], resolution_s: int) -> str:
    """The facet with the fewest rows that tells these dimensions apart."""
    return next(
        name
        for name, known in FACETS.items()
        if names <= known and not (resolution_s == MINUTE and name in COARSE_ONLY)
    )


@dataclass(frozen=True, slots=True)
class Stretch:
    """Rows of one resolution that begin from `since` up to `until`."""

    resolution_s: int
    since: float
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """Which rows there are: coarse ones hold the minutes before `rolled`; of a resolution, none begins before `kept[resolution]`."""

    rolled: float = 0.0
    kept: Mapping[int, float] = field(default_factory=dict[int, float])


def stretches(extent: Extent, *, since: float, until: float, step_s: int | None = None) -> list[Stretch]:
    """The fewest rows that add up to [since, until), or to each step of it, as far as they are still kept.

    A row counts where it begins. Where minutes are no longer kept, hours stand for them, and days for hours: the ends of
    the time are then as coarse as they are.
    """
    usable = [one for one in RESOLUTIONS if step_s is None or (step_s % one == 0 and since % one == 0)]
    found = _covered(extent, since, until, resolutions=usable or [MINUTE])
    return sorted(found, key=lambda one: one.since)


def _covered(extent: Extent, since: float, until: float, *, resolutions: list[int]) -> list[Stretch]:
    if since >= until:
        return []
    if resolutions == [MINUTE]:
        return _kept(extent, since, until)
    *finer, coarse = resolutions
    begin = -(-since // coarse) * coarse
    end = -(-extent.rolled // coarse) * coarse if until >= extent.rolled else until // coarse * coarse
    if begin >= min(end, max(extent.rolled, 0)):
        return _covered(extent, since, until, resolutions=finer)
    return [
        *_covered(extent, since, begin, resolutions=finer),
        Stretch(coarse, begin, end),
        *_covered(extent, max(since, min(end, extent.rolled)), until, resolutions=finer),
    ]


def _kept(extent: Extent, since: float, until: float) -> list[Stretch]:
    """Minutes, and what stands for those that are gone."""
    found: list[Stretch] = []
    for resolution, coarser in ((MINUTE, HOUR), (HOUR, DAY)):
        horizon = extent.kept.get(resolution, 0.0)
        if until > horizon:
            found.append(Stretch(resolution, max(since, horizon), until))
        if since >= horizon:
            return found
        until = min(until, horizon)
        if coarser == DAY:
            found.append(Stretch(DAY, since, until))
    return found
