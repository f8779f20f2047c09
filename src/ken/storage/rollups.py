"""Rollups: what traces come to by minute, hour and day, under any number of writers.

A writer adds one row with what its batch came to (`merge`), in the transaction that keeps the traces: that costs as much as
one more trace, and two writers never touch the same row. `Rollups.compact` puts such rows into minutes under the write lock,
and minutes that are over into hours and days. A reader adds what still waits to what is kept, so that figures are right at
any moment. What comes late, such as a score, is a row like any other; where its minute is in hours already, it goes there too.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from ken.domain.rollup import (
    ALL,
    COARSE_ONLY,
    DAY,
    FACETS,
    HOUR,
    MINUTE,
    OTHER,
    RESOLUTIONS,
    Cell,
    Dimensions,
    Extent,
    Stretch,
    Tally,
    facet_for,
    stretches,
)
from ken.storage.database import Database
from ken.storage.rollup_codec import Figures, chosen, packed, packed_cells, unpacked, unpacked_cells
from ken.storage.schema import home, rollup_deltas, rollups
from ken.storage.upsert import upsert

MOST_CELLS = 1_000
"""Rows of one facet and one step of time; what would come on top counts under `other`."""
_AT_ONCE = 128
"""Waiting rows, at most, that go into minutes in one transaction."""
_ROLLED_AT_ONCE_S = 600
"""Minutes that go into hours and days in one transaction."""
_SETTLED_S = 120
"""Minutes as old as this go into hours: most of what is to be said of them has been said."""
_FORGOTTEN_AT_ONCE_S = {MINUTE: DAY, HOUR: 2 * DAY, DAY: 7 * DAY}
_ROLLED = "rollups_rolled"
_WIDE = frozenset({"task_type", "category", "tier", "model", "release"})

Key = tuple[int, str, int, Dimensions]
"""Resolution, facet, start and dimensions of a row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RollupRetention:
    """For how many seconds rows are kept, by resolution; those that tell every dimension apart, which are many, for a shorter time."""

    minutes_s: float = 2 * DAY
    hours_s: float = 62 * DAY
    days_s: float = 800 * DAY
    all_minutes_s: float = 6 * HOUR
    all_hours_s: float = 15 * DAY

    def of(self, facet: str, resolution_s: int) -> float:
        """That of a facet's rows."""
        if resolution_s == MINUTE:
            return self.all_minutes_s if facet == ALL else self.minutes_s
        if resolution_s == HOUR:
            return self.all_hours_s if facet == ALL else self.hours_s
        return self.days_s


@dataclass(frozen=True, slots=True)
class Row:
    """A row as read: of which step, of what, and the figures asked for. Dimensions that its facet doesn't tell apart are empty."""

    start: int
    resolution_s: int
    dimensions: Dimensions
    figures: Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is read: figures by name, told apart by dimensions, of rows where dimensions have values."""

    names: Collection[str]
    dimensions: frozenset[str]
    where: Mapping[str, Collection[str]] = field(default_factory=dict[str, Collection[str]])
    """Dimension to the values that will do."""
    since: float
    until: float
    step_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compacted:
    """What a compaction did, in rows."""

    taken: int
    written: int
    deleted: int
    other: int
    """Rows that would have been too many and count under `other`."""


def merge(connection: sa.Connection, cells: Sequence[Cell]) -> None:
    """Add what traces came to, in the transaction that keeps them."""
    if cells:
        connection.execute(sa.insert(rollup_deltas).values(cells=packed_cells(cells)))


class Rollups:
    """All rollups of a database."""

    def __init__(
        self, database: Database, retention: RollupRetention | None = None, *, most_cells: int = MOST_CELLS
    ) -> None:
        self._database = database
        self._retention = retention or RollupRetention()
        self._most = most_cells

    def add(self, cells: Sequence[Cell]) -> None:
        """Add what was counted apart from traces, such as gauges, or later than they."""
        if cells:
            with self._database.write(durable=False) as connection:
                merge(connection, cells)

    def read(self, wanted: Wanted) -> list[Row]:
        """The rows that add up to what is wanted, those that still wait among them, in no order."""
        named = wanted.dimensions | frozenset(wanted.where)
        with self._database.read() as connection:
            rolled, kept = _rolled(connection), self._kept(named)
            extent = Extent(rolled=rolled, kept=kept)
            found: list[Row] = []
            for stretch in stretches(extent, since=wanted.since, until=wanted.until, step_s=wanted.step_s):
                found += _rows(connection, stretch, wanted, facet=facet_for(named, stretch.resolution_s))
            waiting = connection.execute(sa.select(rollup_deltas.c.cells).order_by(rollup_deltas.c.id)).all()
        found += _waiting((row.cells for row in waiting), wanted)
        return found

    def finest(self, since: float, dimensions: Collection[str]) -> int:
        """The seconds of the finest rows that are still kept of a time on, and tell these dimensions apart."""
        kept = self._kept(frozenset(dimensions))
        return next((resolution for resolution in (MINUTE, HOUR) if since >= kept[resolution]), DAY)

    def waiting(self) -> int:
        """Rows that wait to be put into minutes."""
        with self._database.read() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(rollup_deltas)) or 0

    def compact(self, now: float | None = None) -> Compacted:
        """Put what waits into minutes, minutes that are over into hours and days, and delete what is too old.

        In transactions of some hundredths of a second each, for a job that runs every quarter of a minute or so.
        """
        at = time.time() if now is None else now
        taken = written = deleted = other = 0
        more = self.waiting() > 0
        while more:
            with self._database.write(durable=False) as connection:
                step = self._take(connection, at)
            taken, written, other = taken + step.taken, written + step.written, other + step.other
            more = step.taken == _AT_ONCE
        with self._database.read() as connection:
            due = _due(at) > _rolled(connection)
        while due:
            with self._database.write(durable=False) as connection:
                rolled = self._roll(connection, at)
            if rolled is None:
                for resolution in RESOLUTIONS:
                    deleted += sum(self._forget(resolution, facet, at) for facet in FACETS)
                break
            written, other = written + rolled.written, other + rolled.other
        return Compacted(taken=taken, written=written, deleted=deleted, other=other)

    def _kept(self, named: frozenset[str]) -> dict[int, float]:
        """From when on rows are kept that tell these dimensions apart; on a border of the next resolution."""
        now = time.time()
        return {
            resolution: (now - self._retention.of(facet_for(named, resolution), resolution)) // coarser * coarser
            for resolution, coarser in ((MINUTE, HOUR), (HOUR, DAY))
        }

    def _take(self, connection: sa.Connection, now: float) -> Compacted:
        """Put the oldest waiting rows into minutes, and what comes late into hours and days too."""
        oldest = sa.select(rollup_deltas).order_by(rollup_deltas.c.id).limit(_AT_ONCE)
        waiting = connection.execute(oldest).all()
        if not waiting:
            return Compacted(taken=0, written=0, deleted=0, other=0)
        cells = [cell for row in waiting for cell in unpacked_cells(row.cells)]
        rolled = _rolled(connection)
        late = [cell for cell in cells if cell.start < rolled]
        rows = {
            key: tally
            for key, tally in _facets(cells, MINUTE).items()
            if key[2] >= min(rolled, now - self._retention.of(key[1], MINUTE))
        }
        for resolution in (HOUR, DAY):
            rows |= _facets(late, resolution)
        written, other = self._put(connection, rows)
        connection.execute(sa.delete(rollup_deltas).where(rollup_deltas.c.id <= waiting[-1].id))
        return Compacted(taken=len(waiting), written=written, deleted=0, other=other)

    def _roll(self, connection: sa.Connection, now: float) -> Compacted | None:
        """Put the next minutes that are over into hours and days; None where there is nothing to do."""
        rolled = _rolled(connection)
        until = _due(now)
        row = rollups.c
        first = connection.scalar(
            sa.select(sa.func.min(row.start)).where(
                row.resolution_s == MINUTE, row.facet == ALL, row.start >= int(rolled), row.start < until
            )
        )
        if first is None:
            if until > rolled:
                upsert(connection, home, rows=[{"key": _ROLLED, "value": str(until)}])
            return None
        begin = first // _ROLLED_AT_ONCE_S * _ROLLED_AT_ONCE_S
        found = connection.execute(
            sa.select(rollups).where(
                row.resolution_s == MINUTE, row.facet == ALL, row.start >= first, row.start < begin + _ROLLED_AT_ONCE_S
            )
        )
        cells = [Cell(each.start, _dimensions(each), unpacked(each.figures)) for each in found]
        written, other = self._put(connection, _facets(cells, HOUR) | _facets(cells, DAY))
        upsert(connection, home, rows=[{"key": _ROLLED, "value": str(begin + _ROLLED_AT_ONCE_S)}])
        return Compacted(taken=0, written=written, deleted=0, other=other)

    def _put(self, connection: sa.Connection, rows: Mapping[Key, Tally]) -> tuple[int, int]:
        """Add rows to those that are there; how many were written, and how many came under `other`."""
        of_step: dict[tuple[int, int], dict[tuple[str, Dimensions], Tally]] = {}
        for (resolution, facet, start, dimensions), tally in rows.items():
            of_step.setdefault((resolution, start), {})[facet, dimensions] = tally
        written = other = 0
        for (resolution, start), added in of_step.items():
            there = connection.execute(
                sa.select(rollups).where(
                    rollups.c.resolution_s == resolution,
                    rollups.c.start == start,
                    rollups.c.facet.in_(sorted({facet for facet, _ in added})),
                )
            )
            known = {(each.facet, _dimensions(each)): each.figures for each in there}
            fitting, surplus = self._fitting(added, known)
            other += surplus
            changed: list[dict[str, object]] = []
            for (facet, dimensions), tally in fitting.items():
                before = known.get((facet, dimensions))
                if before is not None:
                    whole = unpacked(before)
                    whole.merge(tally)
                    tally = whole  # noqa: PLW2901 # what is written
                row: dict[str, object] = {"resolution_s": resolution, "facet": facet, "start": start}
                changed.append(row | dimensions._asdict() | {"figures": packed(tally.without_nothing())})
            upsert(connection, rollups, rows=changed)
            written += len(changed)
        return written, other

    def _fitting(
        self, added: Mapping[tuple[str, Dimensions], Tally], known: Collection[tuple[str, Dimensions]]
    ) -> tuple[dict[tuple[str, Dimensions], Tally], int]:
        """The same with what is too much under `other`; how many rows that were."""
        room = dict.fromkeys(FACETS, self._most)
        for facet, _ in known:
            room[facet] -= 1
        fitting: dict[tuple[str, Dimensions], Tally] = {}
        surplus = 0
        for (facet, dimensions), tally in added.items():
            key = (facet, dimensions)
            if key not in known:
                if room[facet] <= 0:
                    surplus += 1
                    key = (facet, _as_other(dimensions, FACETS[facet]))
                room[facet] -= 1
            fitting.setdefault(key, Tally()).merge(tally)
        return fitting, surplus

    def _forget(self, resolution_s: int, facet: str, now: float) -> int:
        """Delete the oldest rows of a facet that are kept no longer: a step at a time, so that a clock that is wrong does little."""
        coarser = DAY if resolution_s == HOUR else HOUR
        horizon = int((now - self._retention.of(facet, resolution_s)) // coarser * coarser)
        row = rollups.c
        of_facet = sa.and_(row.resolution_s == resolution_s, row.facet == facet, row.start < horizon)
        with self._database.read() as connection:
            first = connection.scalar(sa.select(sa.func.min(row.start)).where(of_facet))
        if first is None:
            return 0
        until = min(horizon, first + _FORGOTTEN_AT_ONCE_S[resolution_s])
        with self._database.write(durable=False) as connection:
            return connection.execute(sa.delete(rollups).where(of_facet, row.start < until)).rowcount


def _rolled(connection: sa.Connection) -> float:
    """Minutes before this are in hours and days."""
    return float(connection.scalar(sa.select(home.c.value).where(home.c.key == _ROLLED)) or 0)


def _due(now: float) -> int:
    """Minutes before this may go into hours."""
    return int((now - _SETTLED_S) // _ROLLED_AT_ONCE_S * _ROLLED_AT_ONCE_S)


def _rows(connection: sa.Connection, stretch: Stretch, wanted: Wanted, *, facet: str) -> list[Row]:
    row = rollups.c
    query = sa.select(row.start, *(row[name] for name in Dimensions._fields), row.figures).where(
        row.resolution_s == stretch.resolution_s,
        row.facet == facet,
        row.start >= stretch.since,
        row.start < stretch.until,
        *(row[name].in_(sorted(values)) for name, values in wanted.where.items()),
    )
    return [
        Row(each[0], stretch.resolution_s, Dimensions(*each[1:-1]), chosen(each[-1], wanted.names))
        for each in connection.execute(query)
    ]


def _waiting(packs: Iterable[bytes], wanted: Wanted) -> list[Row]:
    """What waits, as rows of minutes."""
    found: list[Row] = []
    for pack in packs:
        for cell in unpacked_cells(pack):
            values = cell.dimensions._asdict()
            if wanted.since <= cell.start < wanted.until and all(
                values[name] in allowed for name, allowed in wanted.where.items()
            ):
                found.append(Row(cell.start, MINUTE, cell.dimensions, chosen(packed(cell.tally), wanted.names)))
    return found


def _facets(cells: Iterable[Cell], resolution_s: int) -> dict[Key, Tally]:
    """The rows of a resolution that cells add to, of every facet."""
    whole: dict[tuple[int, Dimensions], Tally] = {}
    for cell in cells:
        key = (cell.start // resolution_s * resolution_s, cell.dimensions)
        whole.setdefault(key, Tally()).merge(cell.tally)
    rows: dict[Key, Tally] = {}
    for facet, names in FACETS.items():
        if resolution_s == MINUTE and facet in COARSE_ONLY:
            continue
        for (start, dimensions), tally in whole.items():
            rows.setdefault((resolution_s, facet, start, dimensions.only(names)), Tally()).merge(tally)
    return rows


def _as_other(dimensions: Dimensions, told_apart: frozenset[str]) -> Dimensions:
    return dimensions._replace(**dict.fromkeys(_WIDE & told_apart, OTHER))


def _dimensions(row: sa.Row[tuple[object, ...]]) -> Dimensions:
    return Dimensions(*(getattr(row, name) for name in Dimensions._fields))
