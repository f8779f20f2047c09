"""What rollups are asked for: figures by name, over windows of time, as a whole or as a series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

NO_NARROWING: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Point:
    """A figure over one step of time."""

    at: float
    """Where the step begins, seconds since the epoch."""
    value: float | None
    """None where nothing was counted: a gap, and not 0."""
    count: int
    """The observations behind it."""


class Figures(Protocol):
    """The door to the rollups. What may be asked for, and by which dimensions, stands in `telemetry.vocabulary`."""

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
        """A figure at each step of [since, until), oldest first, by the value of the dimension `by` ("": one series under "").

        Raises InvalidInput for an unknown metric or dimension.
        """
        ...

    def whole(
        self, metric: str, *, since: float, until: float, by: str = "", where: Mapping[str, str] = NO_NARROWING
    ) -> Mapping[str, Point]:
        """The figure over all of [since, until): a quantile of the whole window is not one of its steps' quantiles."""
        ...
