"""Figures out of rollups: by name, over a window of time, as a whole or step by step."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from ken.domain.figures import NO_NARROWING, Point
from ken.domain.rollup import AT, MINUTE
from ken.errors import InvalidInput
from ken.storage.rollups import Row, Wanted
from ken.telemetry.vocabulary import DIMENSIONS, METRICS, OF_TRACE, PARTS, Metric, Pool, metric

WEEK_S = 7 * 86_400
MOST_POINTS = 2_000
"""Steps of one series."""
FEWEST = 50
"""Questions on either side below which no shift is told."""
_SMOOTHING = 0.5
_ALL = ""

Pools = dict[tuple[int, str], Pool]
"""By step and by value of the dimension asked for."""


class Rows(Protocol):
    """Where figures are read: `storage.rollups.Rollups`."""

    def read(self, wanted: Wanted) -> list[Row]:
        """The rows that add up to what is wanted."""
        ...


class _Once:
    """Rows that were read are not read again."""

    def __init__(self, rows: Rows, names: frozenset[str]) -> None:
        self._rows = rows
        self._names = names
        self._read: dict[tuple[object, ...], list[Row]] = {}

    def read(self, wanted: Wanted) -> list[Row]:
        """The rows, with the figures of every metric that was named."""
        where = tuple(sorted((name, tuple(values)) for name, values in wanted.where.items()))
        key = (wanted.dimensions, where, wanted.since, wanted.until, wanted.step_s)
        if key not in self._read:
            self._read[key] = self._rows.read(replace(wanted, names=self._names | frozenset(wanted.names)))
        return self._read[key]


@dataclass(frozen=True, slots=True)
class Line:
    """A figure step by step, and over all of the window."""

    points: tuple[Point, ...]
    whole: Point


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """What questions of one task type and category came to; costs in millionths, None where a part of them is unknown."""

    task_type: str
    category: str
    questions: int
    cost_micros: int
    """What is known of it."""
    unknown_cost_questions: int
    success_rate: float | None
    cost_per_question: float | None
    cost_per_success: float | None


class RollupFigures:
    """`domain.figures.Figures` over the rollups of a database.

    `reference`: where the week begins that shifts are told against, seconds since the epoch; without, it is the one before
    the window.
    """

    def __init__(self, rollups: Rows, *, reference: Callable[[], float | None] = lambda: None) -> None:
        self._rollups = rollups
        self._reference = reference

    def reading_once(self, metrics: Iterable[str]) -> RollupFigures:
        """The same for several questions about the same window: rows that serve several of these figures are read once."""
        needs = frozenset(need for name in metrics for need in metric(name).needs)
        return RollupFigures(_Once(self._rollups, needs), reference=self._reference)

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
        """A figure at each step of [since, until), by the value of a dimension. Raises InvalidInput."""
        [found] = self.many([metric], since=since, until=until, step_s=step_s, by=by, where=where).values()
        return found

    def whole(
        self, metric: str, *, since: float, until: float, by: str = "", where: Mapping[str, str] = NO_NARROWING
    ) -> Mapping[str, Point]:
        """The figure over all of [since, until). Raises InvalidInput."""
        [found] = self.wholes([metric], since=since, until=until, by=by, where=where).values()
        return found

    def many(
        self,
        metrics: Sequence[str],
        *,
        since: float,
        until: float,
        step_s: int,
        by: str = "",
        where: Mapping[str, str] = NO_NARROWING,
    ) -> dict[str, dict[str, list[Point]]]:
        """`series` of several figures by the same dimension, out of one reading."""
        steps = _steps(since, until, step_s)
        return {
            told.name: {
                group: [
                    self._point(told, pools.get((step, group)), since + step * step_s, group=group, pools=pools)
                    for step in range(steps)
                ]
                for group in _groups(pools, by)
            }
            for told, pools in self._pools(metrics, since=since, until=until, step_s=step_s, by=by, where=where)
        }

    def wholes(
        self,
        metrics: Sequence[str],
        *,
        since: float,
        until: float,
        by: str = "",
        where: Mapping[str, str] = NO_NARROWING,
    ) -> dict[str, dict[str, Point]]:
        """`whole` of several figures by the same dimension, out of one reading."""
        return {
            told.name: {
                group: self._point(told, pools.get((0, group)), since, group=group, pools=pools)
                for group in _groups(pools, by)
            }
            for told, pools in self._pools(metrics, since=since, until=until, step_s=None, by=by, where=where)
        }

    def both(
        self,
        metrics: Sequence[str],
        *,
        since: float,
        until: float,
        step_s: int,
        by: str = "",
        where: Mapping[str, str] = NO_NARROWING,
    ) -> dict[str, dict[str, Line]]:
        """Series and whole of several figures, out of one reading: for a view."""
        steps = _steps(since, until, step_s)
        found: dict[str, dict[str, Line]] = {}
        wholes: dict[tuple[int, str], Pool] = {}
        for told, pools in self._pools(metrics, since=since, until=until, step_s=step_s, by=by, where=where):
            of_group: dict[str, Line] = {}
            members: dict[str, list[Pool]] = {}
            for (step, group), pool in pools.items():
                if step >= 0:
                    members.setdefault(group, []).append(pool)
            for group in _groups(pools, by):
                points = tuple(
                    self._point(told, pools.get((step, group)), since + step * step_s, group=group, pools=pools)
                    for step in range(steps)
                )
                together = wholes.get((id(pools), group))
                if together is None:
                    together = wholes[id(pools), group] = Pool.of_many(members.get(group, ()))
                of_group[group] = Line(points, self._point(told, together, since, group=group, pools=pools))
            found[told.name] = of_group
        return found

    def patterns(
        self, *, since: float, until: float, where: Mapping[str, str] = NO_NARROWING, most: int = 10
    ) -> list[Pattern]:
        """The task types and categories that cost most, the dearest first; those of unknown cost by what is known of it."""
        told = [METRICS[name] for name in ("questions", "success_rate", "cost_per_question", "cost_per_success")]
        wanted = Wanted(
            names={name for one in told for name in one.needs},
            dimensions=frozenset({"task_type", "category"}),
            where={"kind": ("question",)} | {name: (value,) for name, value in where.items()},
            since=since,
            until=until,
        )
        pools: dict[tuple[str, str], Pool] = {}
        for row in self._rollups.read(wanted):
            pools.setdefault((row.dimensions.task_type, row.dimensions.category), Pool()).add(row.figures)
        found = [
            Pattern(
                task_type=task,
                category=category,
                questions=pool.of("traces"),
                cost_micros=round(pool.spread("cost_micros").total),
                unknown_cost_questions=pool.of("unknown_cost"),
                success_rate=told[1].work(pool)[0],
                cost_per_question=told[2].work(pool)[0],
                cost_per_success=told[3].work(pool)[0],
            )
            for (task, category), pool in pools.items()
        ]
        return sorted(found, key=lambda one: (-one.cost_micros, one.task_type, one.category))[:most]

    def _point(self, told: Metric, pool: Pool | None, at: float, *, group: str, pools: Pools) -> Point:
        if pool is None:
            return Point(at, None, 0)
        if told.shift_of:
            return Point(at, *_shift(pool, pools.get((_REFERENCE, group))))
        return Point(at, *told.work(pool))

    def _pools(
        self,
        metrics: Sequence[str],
        *,
        since: float,
        until: float,
        step_s: int | None,
        by: str,
        where: Mapping[str, str],
    ) -> Iterator[tuple[Metric, Pools]]:
        """What was counted for each metric; metrics that are read alike are read once."""
        if not math.isfinite(since) or not math.isfinite(until) or since >= until:
            raise InvalidInput("A window of time begins before it ends.", param="since")
        told = [_allowed(metric(name), by, where) for name in metrics]
        alike: dict[tuple[tuple[str, ...], bool], list[Metric]] = {}
        for one in told:
            alike.setdefault((one.kinds, _model_is_part(one)), []).append(one)
        pools: dict[str, Pools] = {}
        for (kinds, _), some in alike.items():
            if plain := [one for one in some if not one.shift_of]:
                asked = _Asked(plain, kinds, by=by, where=where)
                read = asked.read(self._rollups, since=since, until=until, step_s=step_s)
                pools |= dict.fromkeys((one.name for one in plain), read)
            for one in (one for one in some if one.shift_of):
                asked = _Asked([one], kinds, by=by, where=where)
                pools[one.name] = asked.read(self._rollups, since=since, until=until, step_s=step_s)
                begin = self._reference()
                begin = since - WEEK_S if begin is None else begin
                before = asked.read(self._rollups, since=begin, until=begin + WEEK_S, step_s=None)
                pools[one.name] |= {(_REFERENCE, group): pool for (_, group), pool in before.items()}
        yield from ((one, pools[one.name]) for one in told)


_REFERENCE = -1
"""The step under which the reference week stands."""


class _Asked:
    """What is read for figures that are read alike."""

    def __init__(self, metrics: Sequence[Metric], kinds: tuple[str, ...], *, by: str, where: Mapping[str, str]) -> None:
        self._by = by
        self._known: dict[str, tuple[tuple[str, str | None] | None]] = {}
        self._shift = metrics[0].shift_of
        self._names = frozenset(name for one in metrics for name in one.needs)
        parts = {part for name in self._names for part in PARTS.get(name, ())}
        self._of_parts = {name: value for name, value in where.items() if name in parts}
        self._of_rows: dict[str, tuple[str, ...]] = {
            name: (value,) for name, value in where.items() if name not in parts
        }
        if kinds and "kind" not in where and by != "kind":
            self._of_rows["kind"] = kinds
        told_apart = (by if by not in parts else "", self._shift if self._shift in OF_TRACE else "")
        self._dimensions = frozenset(name for name in told_apart if name)

    def read(self, rollups: Rows, *, since: float, until: float, step_s: int | None) -> Pools:
        """What was counted, by step and by value of the dimension asked for."""
        wanted = Wanted(
            names=self._names,
            dimensions=self._dimensions,
            where=self._of_rows,
            since=since,
            until=until,
            step_s=step_s,
        )
        pools: Pools = {}
        for row in rollups.read(wanted):
            step = 0 if step_s is None else int((row.start - since) // step_s)
            self._add(pools, max(0, step), row)
        return pools

    def _add(self, pools: Pools, step: int, row: Row) -> None:
        of_row = getattr(row.dimensions, self._by) if self._by in self._dimensions else _ALL
        figures = row.figures
        for name, times in figures.counts.items():
            if (found := self._belongs(name, of_row)) is not None:
                base, group = found
                counts = pools.setdefault((step, group), Pool()).counts
                key = self._share_of(name, row) if self._shift else base
                counts[key] = counts.get(key, 0) + times
        for name, data in figures.sketches.items():
            if (found := self._belongs(name, of_row)) is not None:
                base, group = found
                pools.setdefault((step, group), Pool()).stored.setdefault(base, []).append(data)
        for name, value in figures.peaks.items():
            if name not in self._names:
                continue
            peaks = pools.setdefault((step, of_row), Pool()).peaks
            peaks[name] = max(value, peaks.get(name, value))

    def _share_of(self, name: str, row: Row) -> str:
        """Which part of a population something counts for."""
        return getattr(row.dimensions, self._shift) if self._shift in OF_TRACE else name.partition(AT)[2]

    def _belongs(self, name: str, group: str) -> tuple[str, str] | None:
        """A figure's name without what it is of, and the group it goes to; None where it isn't asked for."""
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = (self._parsed(name),)
        (found,) = known
        return None if found is None else (found[0], group if found[1] is None else found[1])

    def _parsed(self, name: str) -> tuple[str, str | None] | None:
        """The same, with no group where it is the row's."""
        base, _, rest = name.partition(AT)
        if base not in self._names:
            return None
        if not rest:
            return base, None
        values = dict(zip(PARTS[base], rest.split("|"), strict=False))
        if any(values.get(part, "") != value for part, value in self._of_parts.items()):
            return None
        return base, values.get(self._by)


def _steps(since: float, until: float, step_s: int) -> int:
    """How many steps a window has. Raises InvalidInput."""
    if step_s < MINUTE or step_s % MINUTE:
        raise InvalidInput(f"A step is whole minutes, in seconds, and not {step_s!r}.", param="step")
    steps = max(0, math.ceil((until - since) / step_s))
    if steps > MOST_POINTS:
        raise InvalidInput(
            f"These would be {steps} points a series, and {MOST_POINTS} are the most. Take longer steps.", param="step"
        )
    return steps


def _groups(pools: Pools, by: str) -> list[str]:
    """The values of the dimension that were seen; where none was asked for, that of all together."""
    return sorted({group for _, group in pools}) or ([] if by else [_ALL])


def _allowed(told: Metric, by: str, where: Mapping[str, str]) -> Metric:
    """The metric, where it may be asked so. Raises InvalidInput."""
    for name in (by, *where):
        if name and name not in told.by:
            known = ", ".join(one for one in DIMENSIONS if one in told.by) or "nothing"
            raise InvalidInput(f"{told.name!r} isn't told apart by {name!r}, but by: {known}.", param="by")
    if told.needs == ("stage_ms",) and by != "stage" and "stage" not in where:
        raise InvalidInput(
            f"{told.name!r} is of one stage: ask for it by stage, or where stage is one of them.", param="by"
        )
    return told


def _model_is_part(told: Metric) -> bool:
    """Whether `model` is who was paid, and not who answered: such figures are read apart from others."""
    return any("model" in PARTS.get(name, ()) for name in told.needs)


def _shift(now: Pool, before: Pool | None) -> tuple[float | None, int]:
    """The population stability index: the sum of (p - q) ln(p / q) over the parts of a population."""
    count = sum(max(0, times) for times in now.counts.values())
    if before is None or min(count, sum(before.counts.values())) < FEWEST:
        return None, count
    parts = sorted(set(now.counts) | set(before.counts))
    here, there = ([max(0, pool.counts.get(part, 0)) + _SMOOTHING for part in parts] for pool in (now, before))
    shares = [(one / sum(here), other / sum(there)) for one, other in zip(here, there, strict=True)]
    return sum((one - other) * math.log(one / other) for one, other in shares), count
