"""What is sampled rather than counted: questions under way, calls that wait, breakers that are open. One value a minute: its highest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from ken.operations.simulate.incidents import Incident, Knobs
from ken.operations.simulate.traffic import Column, Traffic

MINUTE_S = 60.0


@dataclass(frozen=True, slots=True, eq=False)
class Gauges:
    """The highest value of each minute."""

    start: float
    highest: Mapping[str, Column]

    @classmethod
    def of(cls, traffic: Traffic, incidents: Sequence[Incident] = ()) -> Self:
        """Counted from when each question, and each wait within one, began and ended."""
        if not len(traffic):
            return cls(0.0, {"in_flight": np.zeros(0), "queue_depth": np.zeros(0), "breakers_open": np.zeros(0)})
        start = float(traffic.at[0] // MINUTE_S * MINUTE_S)
        minutes = int((traffic.at[-1] - start) // MINUTE_S) + 1
        waits = traffic.queue_ms > 1
        times: Column = start + 1 + np.arange(minutes, dtype=np.float64) * MINUTE_S
        return cls(
            start,
            {
                "in_flight": _at_once(traffic.at, traffic.ms, start=start, minutes=minutes),
                "queue_depth": _at_once(traffic.at[waits], traffic.queue_ms[waits], start=start, minutes=minutes),
                "breakers_open": Knobs(incidents, times).turned("breakers", np.zeros(minutes)),
            },
        )

    @property
    def names(self) -> frozenset[str]:
        """What is sampled."""
        return frozenset(self.highest)

    def told(
        self, name: str, since: float, *, until: float, step_s: float, count: int
    ) -> tuple[list[float | None], list[int]]:
        """The highest value of each step, and how many minutes it had."""
        column = self.highest[name]
        values: list[float | None] = []
        counts: list[int] = []
        for step in range(count):
            first = max(0, int(np.ceil((since + step * step_s - self.start) / MINUTE_S)))
            last = max(first, int(np.ceil((min(since + (step + 1) * step_s, until) - self.start) / MINUTE_S)))
            part = column[first:last]
            values.append(float(part.max()) if part.size else None)
            counts.append(int(part.size))
        return values, counts


def _at_once(at: Column, ms: Column, *, start: float, minutes: int) -> Column:
    """How many were under way at once, at most, in each minute that one of them began in."""
    ends = np.sort(at + ms / 1000)
    under_way = np.arange(1, at.size + 1) - np.searchsorted(ends, at, side="right")
    highest = np.zeros(minutes)
    np.maximum.at(highest, ((at - start) // MINUTE_S).astype(np.int64), under_way)
    return highest
