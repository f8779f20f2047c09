"""A back-test says what the engine said: on the same record, of the same rules, at the same times."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ken.operations.alerts.backtest import MOST_POINTS, Backtest, Record, Span, backtest
from ken.operations.alerts.engine import Engine, NothingHappens
from ken.operations.alerts.expression import parse
from ken.operations.alerts.held import HeldRows
from ken.operations.alerts.rule import Rule, Threshold
from ken.operations.alerts.rules import Source, rules_of, shipped
from ken.storage.database import Database
from ken.storage.rollups import Rollups
from ken.storage.sqlite import SqliteDatabase
from ken.telemetry.figures import RollupFigures
from ken.telemetry.rollup import Aggregator
from tests.operations import simulated
from tests.operations.recorded import HOUR_S, START, Recorded, Told, noise, worse
from tests.telemetry.folding import a_recorded

RULES: dict[str, Rule] = {rule.name: rule for rule in rules_of([shipped()])}
NOON = START + 12 * HOUR_S
TABLE: dict[str, object] = {"name": "retries", "when": "retry_rate > 0.2", "window": "5m", "for": "2m", "at_least": 1}


def rule(**changes: object) -> Rule:
    (made,) = rules_of([Source("here", [TABLE | changes])])
    return made


def trouble(*spans: tuple[float, float]) -> Recorded:
    """A day whose retries are many within these spans of minutes after noon, and none elsewhere."""
    series = noise("retry_rate", 0.0, minutes=1440, a_minute=20)
    for begins, ends in spans:
        worse(series, "retry_rate", value=0.9, at=NOON + begins * 60, lasts=(ends - begins) * 60)
    return Recorded({"retry_rate": {"": series}})


def looked_back(figures: Recorded, since: float, until: float, **changes: object) -> Backtest:
    record = Record(figures=figures, happenings=NothingHappens())
    return backtest(rule(**changes), record, span=Span(NOON + since * 60, NOON + until * 60))


@pytest.mark.parametrize("name", ["e2e_p95", "retrieval_unusual", "ttft_burn", "relevance_low", "checks_after_index"])
def test_it_says_what_the_live_engine_said(name: str) -> None:
    """A day with slow retrieval, looked at minute by minute by the engine with every rule: one rule's back-test has the same changes."""
    figures, told = simulated.figures("slow_retrieval"), simulated.told("slow_retrieval")
    since, until = simulated.BEGINS - 2 * HOUR_S, simulated.BEGINS + 4 * HOUR_S
    one = RULES[name]
    step = max(60, one.every_s)
    warm = -(-one.for_s // step) * step
    live = Engine([one, RULES["retry_rate"]], figures, happenings=told)
    said = [
        (change.at, change.new, change.alert.labels, change.alert.value, change.alert.expected)
        for at in range(int(since - warm), int(until) + 1, step)
        for change in live.evaluate(float(at))
        if change.alert.rule == name and at >= since
    ]
    found = backtest(one, Record(figures=figures, happenings=told), span=Span(since, until))
    assert said == [(one.at, one.new, one.alert.labels, one.alert.value, one.alert.expected) for one in found.changes]
    if name == "retrieval_unusual":
        assert "firing" in {new for _, new, *_ in said}


def test_what_would_have_fired_is_told_with_its_times_and_messages() -> None:
    """Twenty minutes of trouble are one stay of waiting, one of firing, and two messages: it fires, it is over."""
    found = looked_back(trouble((30, 50)), 0, 120)
    (line,) = found.lines
    waiting, firing = line.stays
    assert (waiting.state, firing.state, firing.is_over) == ("pending", "firing", True)
    assert waiting.span.until == firing.span.since == waiting.span.since + 120
    assert (found.firings, found.messages, found.is_whole) == (1, 2, True)
    assert found.firing_s == firing.span.until - firing.span.since
    assert 20 * 60 <= found.firing_s <= 35 * 60
    at = next(look for look in line.looks if look.at == firing.span.since)
    assert (at.expected, at.holds, at.state) == (0.2, True, "firing")


def test_trouble_that_was_there_before_fires_from_the_beginning() -> None:
    """Where it had held for long enough when the span began, the engine would not have waited again."""
    found = looked_back(trouble((0, 60)), 20, 40)
    (line,) = found.lines
    assert [(stay.state, stay.span.since, stay.is_over) for stay in line.stays] == [("firing", NOON + 1200, False)]
    assert (found.firings, found.messages) == (1, 1)


def test_where_the_record_is_too_thin_it_says_so() -> None:
    """An hour without a question is a gap in which nothing can be said, and neither trouble nor its absence."""
    figures = trouble()
    figures.series_of["retry_rate"][""].counts[13 * 60 : 14 * 60] = 0
    (line,) = looked_back(figures, 0, 180).lines
    (thin,) = line.thin
    assert NOON + 60 * 60 <= thin.since <= NOON + 66 * 60
    assert NOON + 120 * 60 <= thin.until <= NOON + 122 * 60
    assert {look.holds for look in line.looks if thin.since <= look.at < thin.until} == {None}


def test_many_looks_are_told_in_few_points_and_lose_no_firing() -> None:
    """A day of looks comes to 720 points at most, and two minutes that fired are among them."""
    found = looked_back(trouble((300, 302)), -700, 700, window="1m", **{"for": "0s", "keep": "0s"})
    (line,) = found.lines
    assert len(line.looks) <= MOST_POINTS
    assert any(look.holds for look in line.looks)
    assert found.firings == 1


def test_it_ends_when_it_is_told_to() -> None:
    """Stopped after ten looks, it tells how far it came."""
    left = iter(range(10))
    record = Record(figures=trouble(), happenings=Told())
    found = backtest(
        rule(**{"for": "0s"}), record, span=Span(NOON, NOON + 7200), is_over=lambda: next(left, None) is None
    )
    assert not found.is_whole
    assert found.span == Span(NOON, NOON + 9 * 60)


@pytest.fixture
def database(home: Path) -> Iterator[Database]:
    home.mkdir(mode=0o700)
    opened = SqliteDatabase(home)
    yield opened
    opened.close()


def test_the_record_read_once_says_what_the_record_says(database: Database) -> None:
    """Hours of three days in a database, with no minutes where those are gone: every look has the same value, and the same comes of it."""
    now = time.time() // HOUR_S * HOUR_S
    kept, aggregator, dice = Rollups(database), Aggregator(), random.Random(3)
    bad = (now - 20 * HOUR_S, now - 19 * HOUR_S)
    for number in range(1, 300):
        at = now - (dice.choice((51, 50, 46, 21, 20, 19)) - dice.random()) * HOUR_S
        slow = 30.0 if bad[0] <= at < bad[1] else 1.0
        task = dice.choice(("lookup", "comparison"))
        aggregator.fold(a_recorded(number, at=at, task_type=task, ms=slow * dice.lognormvariate(6, 0.5)))
    kept.add(aggregator.take())
    kept.compact(now)
    looked = Rule(
        name="slow",
        test=Threshold(parse("ms.p95 > limit and questions > 2"), 5000.0),
        by="task_type",
        window_s=1800,
        at_least=3,
        every_s=600,
    )
    figures, span = RollupFigures(kept), Span(now - 54 * HOUR_S, now - 16 * HOUR_S)
    rows = HeldRows(kept, until=now)
    plain = backtest(looked, Record(figures=figures, happenings=NothingHappens()), span=span)
    held = backtest(looked, Record(figures=RollupFigures(rows), happenings=NothingHappens()), span=span)
    assert held == plain
    assert plain.firings >= 1
    assert now - 50 * HOUR_S <= rows.coarse_until <= now - 47 * HOUR_S
