"""Unit economics: what an expected volume of tasks will cost, by what a task that was done has cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ken.domain.figures import Point
from ken.errors import InvalidInput
from ken.telemetry.figures import RollupFigures

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Projected:
    """One task type. Money in millionths of the price list's currency; None where a cost is unknown, or no task was done."""

    task_type: str
    questions: int
    """In the window that it is judged by."""
    success_rate: float | None
    cost_per_success: float | None
    expected: float
    """Tasks to be done, over the days projected."""
    cost_micros: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """All task types, the dearest first."""

    since: float
    until: float
    days: float
    tasks: tuple[Projected, ...]

    @property
    def cost_micros(self) -> float | None:
        """Of all of them; None where one is unknown."""
        known = [task.cost_micros for task in self.tasks if task.expected]
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

    Expected are as many successes a day as in [since, until), times `growth`, unless `volumes` says how many over the days
    projected. Raises InvalidInput.
    """
    if days <= 0 or growth < 0 or any(volume < 0 for volume in (volumes or {}).values()):
        raise InvalidInput("A projection needs a number of days above 0, and no growth and no volume below it.")
    names = ("questions", "successes", "success_rate", "cost_per_success")
    told = figures.wholes(names, since=since, until=until, by="task_type")
    window = (until - since) / DAY_S
    given = dict(volumes or {})
    tasks: list[Projected] = []
    for name in sorted({*told["questions"], *given}):
        per_success = _value(told["cost_per_success"].get(name))
        expected = given.get(name, (_value(told["successes"].get(name)) or 0.0) / window * days * growth)
        tasks.append(
            Projected(
                task_type=name,
                questions=int(_value(told["questions"].get(name)) or 0),
                success_rate=_value(told["success_rate"].get(name)),
                cost_per_success=per_success,
                expected=expected,
                cost_micros=0.0 if not expected else None if per_success is None else per_success * expected,
            )
        )
    dearest = sorted(tasks, key=lambda task: (task.cost_micros is not None, -(task.cost_micros or 0.0), task.task_type))
    return Projection(since=since, until=until, days=days, tasks=tuple(dearest))


def _value(point: Point | None) -> float | None:
    return None if point is None else point.value
