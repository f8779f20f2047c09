from __future__ import annotations

import time

import pytest

from ken.storage.database import Database
from ken.storage.forgetting import Forgetting
from ken.storage.ledger import Ledger
from ken.storage.record import Record
from ken.storage.record_overview import RecordOverview
from ken.storage.record_state import RecordState
from ken.storage.traces import Traces
from ken.telemetry.capture import DAY_S, HOUR_S, CaptureRules
from ken.telemetry.preparing import Preparing
from ken.telemetry.retention import Retention, Thinned
from tests.storage.samples import OPERATOR, a_trace

RULES = CaptureRules(sample=0.0)


class Clocks:
    """A wall clock and a steady one, moved by hand."""

    def __init__(self) -> None:
        self.wall = time.time()
        self.steady = 0.0

    def pass_(self, seconds: float) -> None:
        """Let time pass, for both."""
        self.wall += seconds
        self.steady += seconds


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def retention(database: Database, clocks: Clocks) -> Retention:
    return Retention(
        Forgetting(database, RULES),
        Ledger(database),
        state=RecordState(database),
        rules=RULES,
        clock=lambda: clocks.wall,
        monotonic=lambda: clocks.steady,
    )


def keep(database: Database, *, at: float, failed: int, fine: int) -> None:
    preparing = Preparing(rules=RULES)
    changes = [{"outcome": "failed"}] * failed + [{}] * fine
    batch = [preparing.recorded(a_trace(number, started_at=at, **change)) for number, change in enumerate(changes)]
    Record(database, RULES).add(batch)


def tiers(database: Database) -> dict[str, int]:
    return {str(tier): count for tier, count in RecordOverview(database).read().traces.items()}


async def test_texts_go_after_the_grace_period_and_figures_much_later(
    database: Database, retention: Retention, clocks: Clocks
) -> None:
    """After a day the texts of what was fine are gone, after ninety those of failures, after four hundred all of it."""
    keep(database, at=clocks.wall, failed=2, fine=700)
    clocks.pass_(DAY_S - 60)
    assert await retention.thin() == Thinned()
    clocks.pass_(120)
    assert await retention.thin() == Thinned(thinned=700)
    assert tiers(database) == {"full": 2, "metrics": 700}
    assert RecordState(database).last_thinned() == clocks.wall
    clocks.pass_(90 * DAY_S)
    assert await retention.thin() == Thinned(thinned=2)
    clocks.pass_(310 * DAY_S)
    assert await retention.thin() == Thinned(deleted=702)
    assert Traces(database).list(OPERATOR).entries == ()


async def test_a_clock_that_leaps_forward_deletes_nothing(
    database: Database, retention: Retention, clocks: Clocks
) -> None:
    """A wall clock that is set to next year holds deletion for a day; set right again, everything is still there."""
    keep(database, at=clocks.wall, failed=1, fine=1)
    clocks.pass_(HOUR_S)
    assert await retention.thin() == Thinned()
    clocks.wall += 500 * DAY_S
    clocks.pass_(HOUR_S)
    assert await retention.thin() == Thinned(held=True)
    clocks.pass_(HOUR_S)
    assert await retention.thin() == Thinned(held=True)
    clocks.wall -= 500 * DAY_S
    clocks.pass_(HOUR_S)
    assert await retention.thin() == Thinned()
    assert tiers(database) == {"full": 1, "grace": 1}
    clocks.wall += 30 * DAY_S
    assert await retention.thin() == Thinned(held=True)
    clocks.pass_(25 * HOUR_S)
    assert await retention.thin() == Thinned(thinned=1)
