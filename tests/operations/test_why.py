"""Hypotheses: what moved first, and where, on incidents whose cause is known; and nothing where nothing moved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from ken.domain.alert import Alert, Change
from ken.domain.figures import Point
from ken.errors import InvalidInput, NotFound
from ken.operations.alerts.rules import rules_of, shipped
from ken.operations.simulate import calendar, traffic
from ken.operations.simulate.columns import Columns
from ken.operations.simulate.happenings import Told
from ken.operations.simulate.incidents import named
from ken.operations.simulate.organisation import DAY_S, HOUR_S, Organisation
from ken.operations.why.asking import Asked, moment
from ken.operations.why.change import OfShares, OfValues, change, usual
from ken.operations.why.hypotheses import Explanation, Window, explain
from ken.operations.why.parts import apart
from ken.operations.why.words import NOTHING, lines, nothing
from ken.storage.alerts import AlertBook
from ken.storage.sqlite import SqliteDatabase
from tests.operations.simulated import BEGINS, MONDAY, figures, struck, told

HAPPENED = {"release": "deployed", "sync": "index_updated"}


@cache
def explained(kind: str) -> Explanation:
    """What is said of the hours around an incident, two hours after it began."""
    until = BEGINS + 2 * HOUR_S
    window = Window(since=BEGINS - 2 * HOUR_S, until=until)
    return explain(figures(kind, now=until), window, happenings=told(kind).between(window.since - HOUR_S, until))


@pytest.mark.parametrize("kind", ["slow_retrieval", "slow_provider", "misrouting", "stale_index"])
def test_the_cause_is_among_the_first_three(kind: str) -> None:
    """By its figure, by the value that it is within, and with the release or the sync that came just before."""
    one, found = struck(kind), explained(kind)
    assert found.hypotheses
    fitting = [
        each
        for each in found.hypotheses[:3]
        if each.moved.metric.replace("mix:tier", "questions") in one.cause.metrics
        and (each.moved.dimension, each.moved.value) == (one.cause.dimension, one.cause.value)
    ]
    assert fitting
    assert abs(fitting[0].moved.change.at - BEGINS) < HOUR_S / 2
    if one.cause.marker is not None:
        marker = fitting[0].marker
        assert marker is not None
        assert one.marker is not None
        assert (marker.kind, marker.of) == (HAPPENED[one.cause.marker], one.marker.name)


def test_where_nothing_moved_nothing_is_said_to_have() -> None:
    """A quiet morning has no hypotheses, and says so."""
    found = explained("")
    assert found.hypotheses == ()
    assert NOTHING in list(lines(found))


def test_without_a_time_before_nothing_is_said_to_have_stayed() -> None:
    """The first hours ever have nothing to be compared with, and a time without questions has nothing at all."""
    first = explain(figures("", now=BEGINS), Window(since=MONDAY, until=MONDAY + 10 * HOUR_S))
    assert (first.hypotheses, first.is_compared, first.hours_before) == ((), False, 0)
    assert "too little to compare this time with" in "\n".join(lines(first))
    assert "in 0 hours" in nothing(first)
    assert nothing(explained("")) == NOTHING
    empty = explain(figures("", now=BEGINS), Window(since=MONDAY - 10 * HOUR_S, until=MONDAY - 8 * HOUR_S))
    assert nothing(empty) == "Nobody asked anything in this time."


@pytest.mark.parametrize("kind", ["slow_retrieval", "slow_provider", "misrouting"])
def test_no_two_explain_each_other(kind: str) -> None:
    """Of two that can be each other's consequence one is told as the cause; the first token slows no stage that it waits for."""
    found = explained(kind).hypotheses
    for each in found:
        for other in found:
            assert not (other.moved in each.follows and each.moved in other.follows)
        if each.moved.metric in {"ttft_ms", "tokens_per_s"}:
            assert all(moved.value != "retrieve" for moved in each.follows)


def test_hypotheses_are_told_with_evidence_and_without_a_verdict() -> None:
    """From what to what, since when, what else it can explain; and that this proves nothing."""
    said = "\n".join(lines(explained("slow_retrieval")))
    assert "The time of the stage retrieve rose from 1" in said
    assert "It can explain" in said
    assert "proves nothing" in said


def test_a_mix_is_told_from_what_got_worse() -> None:
    """Simpson's trap: each half stays as it was, and the whole gets worse as there is more of the worse half."""
    before = {"light": Point(0, 0.9, 800), "strong": Point(0, 0.5, 200)}
    after = {"light": Point(0, 0.9, 200), "strong": Point(0, 0.5, 800)}
    parts = apart(before, after)
    assert parts.total == pytest.approx(-0.24)
    assert parts.within == pytest.approx(0.0)
    assert parts.mix_share == pytest.approx(1.0)
    worse = apart(before, {"light": Point(0, 0.6, 800), "strong": Point(0, 0.5, 200)})
    assert worse.parts[0].value == "light"
    assert worse.share(worse.parts[0]) == pytest.approx(1.0)


def test_a_value_that_is_new_counts_as_mix() -> None:
    """It was nowhere before: nothing got worse within it."""
    parts = apart({"old": Point(0, 1.0, 100)}, {"old": Point(0, 1.0, 50), "new": Point(0, 3.0, 50)})
    assert parts.total == pytest.approx(1.0)
    assert parts.within == pytest.approx(0.0)


def steps(values: list[float | None], *, count: int = 40) -> list[Point]:
    """Steps of five minutes."""
    return [Point(BEGINS + 300.0 * number, value, 0 if value is None else count) for number, value in enumerate(values)]


def test_a_change_is_found_where_it_began() -> None:
    """To the step, through noise, a gap and one wild value before it."""
    dice = np.random.default_rng(1)
    before = steps(dice.normal(100, 5, 100).tolist())
    noisy: list[float | None] = [*dice.normal(100, 5, 12).tolist(), *dice.normal(130, 5, 12).tolist()]
    noisy[3], noisy[5] = None, 400.0
    normal = usual(before)
    assert normal is not None
    found = change(before, steps(noisy), normal=normal, noise=OfValues())
    assert found is not None
    assert found.at == BEGINS + 12 * 300
    assert found.after == pytest.approx(130, rel=0.05)
    assert found.is_up


@pytest.mark.parametrize("seed", range(5))
def test_noise_is_no_change(seed: int) -> None:
    """Neither of values nor of rare shares; and where there is nothing, nothing is said."""
    dice = np.random.default_rng(seed)
    values = steps(dice.lognormal(5, 0.3, 400).tolist())
    shares = steps((dice.binomial(40, 0.015, 400) / 40).tolist())
    for points, noise, is_share in ((values, OfValues(), False), (shares, OfShares(), True)):
        normal = usual(points[:300], is_share=is_share)
        assert normal is not None
        assert change(points[:300], points[300:], normal=normal, noise=noise) is None
    assert usual(steps([None] * 20)) is None


@pytest.fixture
def asked(home: Path) -> Iterator[Asked]:
    """What stands before an answer, two hours after retrieval became slow."""
    database = SqliteDatabase(home)
    yield Asked(
        figures=figures("slow_retrieval", now=BEGINS + 2 * HOUR_S),
        alerts=AlertBook(database),
        happenings=told("slow_retrieval"),
        rules=rules_of([shipped()]),
    )
    database.close()


def test_an_alert_is_asked_about_by_its_rule_or_by_nothing(asked: Asked) -> None:
    """Its window reaches back to before it began; without a name it is the one that fired last; an unknown one is named."""
    now = BEGINS + 2 * HOUR_S
    alert = Alert(
        rule="retrieval_p99",
        severity="hard",
        state="firing",
        began_at=BEGINS + 300,
        since=BEGINS + 420,
        fired_at=BEGINS + 420,
        seen_at=now,
    )
    asked.alerts.put(
        asked.alerts.standing(now),
        {alert.fingerprint: alert},
        changes=[Change(at=BEGINS + 420, alert=alert, old="pending")],
        notices=[],
    )
    for name in (None, alert.fingerprint[:8]):
        found, about = asked.about(name, since=None, until=None, now=now)
        assert about is not None
        assert about.fingerprint == alert.fingerprint
        assert found.window.since < BEGINS
        assert found.window.about == frozenset({"stage_ms"})
        assert found.hypotheses[0].moved.value == "retrieve"
    # A newer one of the same rule that only waits is not what people ask about.
    waits = replace(alert, labels=(("stage", "rerank"),), state="pending", began_at=now - 60, fired_at=None)
    both = {each.fingerprint: each for each in (alert, waits)}
    asked.alerts.put(asked.alerts.standing(now), both, changes=[], notices=[])
    assert asked.about("retrieval_p99", since=None, until=None, now=now)[1] == alert
    with pytest.raises(NotFound, match="retrieval_p99"):
        asked.about("nonsense", since=None, until=None, now=now)
    with pytest.raises(InvalidInput, match="begins before it ends"):
        asked.about(None, since=now, until=now - 60, now=now)


def demo_week(weekday: int, *, hour: float) -> tuple[Columns, Told, float]:
    """The week that `make up DEMO=1` makes on such a day at such an hour."""
    until = MONDAY + (28 + weekday) * DAY_S + hour * HOUR_S
    start = until // DAY_S * DAY_S - 6 * DAY_S
    organisation = Organisation(seed=1, per_day=2_500, weekdays=(1.0,) * 7, holidays=0.0)
    planted = ("quality_drift@day4+9h", "slow_provider@day5+9h", "provider_errors@day5+14h")
    incidents = [named(text, start=start, until=until, seed=1 + place) for place, text in enumerate(planted)]
    made = calendar.markers(organisation, start, days=7)
    drawn = traffic.joined(list(traffic.days(organisation, start, days=7, incidents=incidents, made=made)))
    return Columns(drawn, incidents=incidents, now=lambda: until), Told(made, incidents=incidents), until


@pytest.mark.parametrize("weekday", [0, 6])
def test_the_demo_weeks_story_is_found_in_every_window_of_the_console(home: Path, weekday: int) -> None:
    """Of a day, of the whole week with nothing before it, and of more than there is: both failing models are named among the first five."""
    week, happened, now = demo_week(weekday, hour=0.3)
    database = SqliteDatabase(home)
    asked = Asked(figures=week, alerts=AlertBook(database), happenings=happened, rules=())
    for days in (1, 7, 14):
        found, _ = asked.about(None, since=now - days * DAY_S, until=None, now=now)
        first = {(each.moved.metric, each.moved.value) for each in found.hypotheses[:5]}
        assert ("retry_rate", "light-a") in first
        assert first & {("tokens_per_s", "strong-b"), ("ttft_ms", "strong-b")}
        # A day is compared with the days before it; a window as long as the record begins where two of its days are before it.
        assert found.window.since == pytest.approx(now - DAY_S if days == 1 else now - 4.2 * DAY_S, abs=DAY_S / 4)
    database.close()


def test_times_are_read_as_people_write_them() -> None:
    """A day, a moment with or without a zone, so long ago; anything else is refused with the form."""
    assert moment("1970-01-02", now=0) == 86_400
    assert moment("1970-01-02T01:00+01:00", now=0) == 86_400
    assert [moment(text, now=10_000) for text in ("2h", "-2h", "2h ago", "120 min")] == [2_800] * 4
    for text in ("", "soon", "2 fortnights", "2026-13-01"):
        with pytest.raises(InvalidInput, match="2026-11-20T14:30"):
            moment(text, now=0)
