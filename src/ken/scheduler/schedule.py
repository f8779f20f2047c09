"""When a job is due: so often, or at the times of a cron expression."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime

from cronsim import CronSim

_SPREAD = 0.1
_MOST_SPREAD_S = 300.0
_CRON_SPREAD_S = 30.0


@dataclass(frozen=True, slots=True)
class Every:
    """A pause between two starts, a tenth of it up or down at random, so that many jobs don't start together."""

    seconds: float

    def next(self, last: float | None, now: float) -> float:
        """When it is due, in seconds since the epoch; `last` is when it last started."""
        spread = min(self.seconds * _SPREAD, _MOST_SPREAD_S)
        pause = self.seconds + random.uniform(-spread, spread)  # noqa: S311 - no secret
        return max(now, last + pause) if last is not None else now + random.uniform(0, spread)  # noqa: S311 - no secret


@dataclass(frozen=True, slots=True)
class Cron:
    """The times of a cron expression in this machine's time zone, up to half a minute later at random."""

    expression: str

    def next(self, last: float | None, now: float) -> float:
        """When it is due, in seconds since the epoch. A time that passed while nobody was there is not made up for."""
        _ = last
        local = datetime.fromtimestamp(now).astimezone()
        due = next(CronSim(self.expression, local)).timestamp()
        return due + random.uniform(0, _CRON_SPREAD_S)  # noqa: S311 - no secret


Schedule = Every | Cron
