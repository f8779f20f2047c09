"""Unit economics: what an expected volume of tasks will cost, by what a task that was done has cost."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import get_args

from ken.domain.answer import TaskType
from ken.domain.figures import Point
from ken.domain.rollup import DAY, HOUR, MINUTE
from ken.errors import InvalidInput
from ken.telemetry.figures import RollupFigures

DAY_S = 86_400.0
LEAST_S = DAY_S
"""A shorter time says nothing of how much is asked on a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Projected:
    """One task type. Money in millionths of the price list's currency; None where a cost is unknown, or no task was done."""

    task_type: str
    questions: int
    """In the window that it is judged by."""
    success_rate: float | None
    cost_per_success: float | None
    expected: float | None
    """Tasks to be done, over the days projected; None where too little is on record to say."""
    cost_micros: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """All task types, the dearest first."""

    since: float
    """When the first question was asked that it is judged by: nothing before it is on record, or it is not looked at."""
    until: float
    days: float
    tasks: tuple[Projected, ...]

    @property
    def on_record_s(self) -> float:
        """The time that it is judged by."""
        return self.until - self.since

    @property
    def is_too_little(self) -> bool:
        """Whether too little is on record to say how much is asked on a day."""
        return self.on_record_s < LEAST_S

    @property
    def cost_micros(self) -> float | None:
        """Of all of them; None where one is unknown."""
        known = [task.cost_micros for task in self.tasks if task.expected != 0]
        return None if None in known else sum(cost for cost in known if cost is not None)


def project(
    figures: RollupFigures,
    *,
    since: float,
    until: float,
    days: float,
    growth: float = 1.0,
    volumes: Mapping[str, float] | None = None,
) -> Projection:
    """What `days` days will cost: for each task type its cost per success times the tasks expected.

    Expected are as many successes a day as from the first question in [since, until) on, times `growth`, unless `volumes` says how
    many over the days projected; with less than LEAST_S on record, unknown. Raises InvalidInput, also for a volume of a task type
    that there is not.
    """
    if days <= 0 or growth < 0 or any(volume < 0 for volume in (volumes or {}).values()):
        raise InvalidInput("A projection needs a number of days above 0, and no growth and no volume below it.")
    names = ("questions", "successes", "success_rate", "cost_per_success")
    began = _first(figures, since, until)
    window = (until - began) / DAY_S
    told = figures.wholes(names, since=since, until=until, by="task_type")
    given = dict(volumes or {})
    _refuse_unknown(given, told["questions"])
    tasks: list[Projected] = []
    for name in sorted({*told["questions"], *given}):
        per_success = _value(told["cost_per_success"].get(name))
        expected = given.get(name)
        if expected is None and until - began >= LEAST_S:
            expected = (_value(told["successes"].get(name)) or 0.0) / window * days * growth
        tasks.append(
            Projected(
                task_type=name,
                questions=int(_value(told["questions"].get(name)) or 0),
                success_rate=_value(told["success_rate"].get(name)),
                cost_per_success=per_success,
                expected=expected,
                cost_micros=_cost(per_success, expected),
            )
        )
    dearest = sorted(tasks, key=lambda task: (task.cost_micros is not None, -(task.cost_micros or 0.0), task.task_type))
    return Projection(since=began, until=until, days=days, tasks=tuple(dearest))


def _first(figures: RollupFigures, since: float, until: float) -> float:
    """When the first question of a time was asked, to the minute; its end where none was."""
    begin, end = since, until
    for step in (DAY, HOUR, MINUTE):
        begin, end = begin // step * step, -(-end // step) * step
        series = figures.series("questions", since=begin, until=end, step_s=step).get("", ())
        first = next((point.at for point in series if point.value), None)
        if first is None:
            return until
        begin, end = first, first + step
    return min(max(begin, since), until)


def _refuse_unknown(volumes: Mapping[str, float], on_record: Collection[str]) -> None:
    known = {*on_record, *get_args(TaskType)}
    unknown = sorted(set(volumes) - known)
    if unknown:
        raise InvalidInput(
            f"There is no task type {unknown[0]!r}. There are: {', '.join(sorted(filter(None, known)))}.",
            param="volume",
        )


def _cost(per_success: float | None, expected: float | None) -> float | None:
    if expected == 0:
        return 0.0
    return None if per_success is None or expected is None else per_success * expected


def _value(point: Point | None) -> float | None:
    return None if point is None else point.value
