"""The record as a back-test reads it: each stretch once, then out of memory, so that forty thousand looks ask no database."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ken.domain.alert import Happening, Happenings
from ken.domain.rollup import MINUTE
from ken.storage.rollups import Row, Wanted
from ken.telemetry.figures import Rows

_MOST_STEPPED = 8
"""Series are read again and again for the same time only by a rule that looks more often than its time moves on."""

_Key = tuple[frozenset[str], frozenset[str], tuple[tuple[str, tuple[str, ...]], ...]]


@dataclass(slots=True)
class _Stretch:
    since: float
    rows: list[Row]
    starts: list[int]


@dataclass(slots=True)
class HeldRows:
    """`telemetry.figures.Rows` that reads rows up to `until` once and hands out what belongs to a window."""

    rows: Rows
    until: float
    coarse_until: float = 0.0
    """Before this, windows were read from rows longer than a minute, as no finer ones are kept; 0: there were none."""
    _held: dict[_Key, _Stretch] = field(default_factory=dict[_Key, _Stretch])
    _stepped: dict[tuple[_Key, float, float, int], list[Row]] = field(
        default_factory=dict[tuple[_Key, float, float, int], list[Row]]
    )

    def read(self, wanted: Wanted) -> list[Row]:
        """As promised by `Rows`."""
        key = _key(wanted)
        if wanted.step_s is not None:
            return self._series(key, wanted, wanted.step_s)
        held = self._held.get(key)
        if held is None or wanted.since < held.since:
            held = self._held[key] = self._read(wanted)
        if wanted.until > self.until:
            return self.rows.read(wanted)
        return held.rows[bisect_left(held.starts, wanted.since) : bisect_left(held.starts, wanted.until)]

    def _read(self, wanted: Wanted) -> _Stretch:
        """The minutes from a time on; what stands for them where they are no longer kept."""
        since = wanted.since // MINUTE * MINUTE
        found = self.rows.read(replace(wanted, since=since, until=max(self.until, wanted.until), step_s=MINUTE))
        found.sort(key=lambda row: row.start)
        coarse = max((row.start + row.resolution_s for row in found if row.resolution_s > MINUTE), default=0)
        self.coarse_until = max(self.coarse_until, float(coarse))
        return _Stretch(since, found, [row.start for row in found])

    def _series(self, key: _Key, wanted: Wanted, step_s: int) -> list[Row]:
        of = (key, wanted.since, wanted.until, step_s)
        if of not in self._stepped:
            if len(self._stepped) >= _MOST_STEPPED:
                self._stepped.clear()
            self._stepped[of] = self.rows.read(wanted)
        return self._stepped[of]


def _key(wanted: Wanted) -> _Key:
    where = tuple(sorted((name, tuple(sorted(values))) for name, values in wanted.where.items()))
    return frozenset(wanted.names), wanted.dimensions, where


@dataclass(frozen=True, slots=True)
class HeldHappenings:
    """`Happenings` as they were read once."""

    all: Sequence[Happening]

    @classmethod
    def of(cls, happenings: Happenings, *, since: float) -> HeldHappenings:
        """Those from a time on. Raises what reading them raises."""
        return cls(tuple(happenings.since(since)))

    def since(self, at: float) -> Sequence[Happening]:
        """As promised by `Happenings`."""
        return [each for each in self.all if each.at >= at]
