"""Made-up traffic: the same for a seed, like an organisation's, with incidents that move what they say they move."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from ken.domain.measures import Measures, success_of
from ken.errors import Conflict, InvalidInput
from ken.operations.simulate import traffic
from ken.operations.simulate.columns import Columns
from ken.operations.simulate.filling import Home, Plan, fill
from ken.operations.simulate.incidents import KINDS, named
from ken.operations.simulate.organisation import DAY_S, HOUR_S, Organisation
from ken.operations.simulate.recorded import SIMULATED, recorded
from ken.storage.alerts import AlertBook
from ken.storage.record import Record
from ken.storage.rollups import Rollups
from ken.storage.sqlite import SqliteDatabase
from ken.storage.trace_search import TraceSearch
from ken.telemetry.capture import CaptureRules
from ken.telemetry.figures import RollupFigures
from ken.telemetry.measures import measure
from ken.telemetry.rollup import Aggregator
from tests.operations.simulated import BEGINS, DAYS, MONDAY, SEED, drawn, figures, organisation, struck

WAIT_S = {"quality_drift": 30 * HOUR_S, "prompt_bloat": 4 * HOUR_S}
"""What creeps is looked at later."""


@pytest.fixture
def database(home: Path) -> Iterator[SqliteDatabase]:
    opened = SqliteDatabase(home)
    yield opened
    opened.close()


@pytest.fixture
def filled(database: SqliteDatabase) -> Home:
    return Home(
        record=Record(database, CaptureRules()),
        rollups=Rollups(database),
        search=TraceSearch(database),
        alerts=AlertBook(database),
    )


def test_a_seed_makes_the_same_questions_again() -> None:
    """Down to ids and texts; another seed makes others."""

    def first(seed: int) -> list[object]:
        [day] = traffic.days(Organisation(seed=seed), MONDAY, days=1)
        return list(itertools.islice(recorded(day, seed=seed), 50))

    assert first(3) == first(3)
    assert first(3) != first(4)


def test_days_are_like_those_of_an_organisation() -> None:
    """Nights are quiet, a weekend quieter than a working day, and no two working days alike."""
    at = np.concatenate([day.at for day in traffic.days(organisation(), MONDAY, days=7)])
    by_day = np.bincount(((at - MONDAY) // DAY_S).astype(int), minlength=7)
    by_hour = np.bincount(((at % DAY_S) // HOUR_S).astype(int), minlength=24)
    assert by_day[5:].max() < by_day[:5].min() / 4
    assert by_hour[2] < by_hour[10] / 20
    assert len(set(by_day[:5].tolist())) == 5
    assert np.all(np.diff(at) >= 0)


def test_measures_are_what_a_traces_spans_say() -> None:
    """Of each question that is kept whole, measured anew; and success is decided as it is for real ones."""
    [day] = traffic.days(organisation(), MONDAY, days=1)
    told = [each for each in recorded(day, seed=SEED) if each.trace.started_at < MONDAY + 9 * HOUR_S]
    whole = [each for each in told if each.capture == "full"]
    assert len(whole) > 50
    assert all(each.trace.principal == SIMULATED and each.measures.success == success_of(each.trace) for each in told)
    for each in whole:
        again = measure(each.trace)
        assert dict(again.stage_ms) == pytest.approx(dict(each.measures.stage_ms), abs=0.01)
        assert [one.tokens_per_s is None for one in again.spent] == [
            one.tokens_per_s is None for one in each.measures.spent
        ]
        for field in fields(Measures):
            if field.name not in {"stage_ms", "spent"}:
                there, here = getattr(again, field.name), getattr(each.measures, field.name)
                assert there == (pytest.approx(here, abs=1e-3) if isinstance(here, float) else here), field.name


FIGURES = {"queue_depth": "queue_depth.max", "breakers_open": "breakers_open.max", "questions": "questions"}


@pytest.mark.parametrize("kind", KINDS)
def test_an_incident_moves_what_it_says_and_nothing_before_it(kind: str) -> None:
    """The figure that moves first differs from the same traffic without the incident, from its beginning on."""
    until = BEGINS + WAIT_S.get(kind, HOUR_S)
    quiet, loud = drawn(), drawn(kind)
    before = quiet.at < BEGINS - 60
    assert np.array_equal(quiet.ms[before], loud.ms[before], equal_nan=True)
    cause = struck(kind).cause
    first = cause.metrics[0]
    metric = FIGURES.get(first, first if first.endswith("_rate") else f"{first}.mean")

    def seen(which: str) -> float:
        known = figures(which, now=until)
        points = known.whole(metric, since=until - HOUR_S, until=until, by=cause.dimension)
        return points[cause.value].value or 0.0

    assert abs(seen(kind) - seen("")) > 0.05 * seen("")


def test_scores_are_not_known_before_they_are_given() -> None:
    """Who looks right after a question sees no judge's score of it yet."""
    day = drawn()
    at = float(day.at[~np.isnan(day.quality)][-1])
    judged = figures(now=at).whole("quality.mean", since=at - 1, until=at + 1)
    later = figures(now=at + HOUR_S).whole("quality.mean", since=at - 1, until=at + 1)
    assert judged == {}
    assert later[""].count >= 1


def test_figures_in_memory_are_those_of_the_rollups(filled: Home) -> None:
    """The same questions folded into rollups: counts and shares are equal, distributions within the sketch's percent."""
    [day] = traffic.days(Organisation(seed=5, per_day=300), MONDAY, days=1)
    aggregator = Aggregator()
    for each in recorded(day, seed=5):
        aggregator.fold(each)
    filled.rollups.add(aggregator.take())
    kept, exact = RollupFigures(filled.rollups), Columns(day, now=lambda: MONDAY + 2 * DAY_S)
    times = {"since": MONDAY, "until": MONDAY + DAY_S}
    shares = ("questions", "error_rate", "retry_rate", "cache_hit_rate", "success_rate", "check_failure_rate")
    spreads = ("ms.p95", "ttft_ms.p50", "context_tokens.mean", "relevance.mean", "quality.mean", "queue_ms.p95")
    by_task, whole = kept.wholes(shares, by="task_type", **times), kept.wholes([*shares, *spreads], **times)
    for metric in shares:
        counts = {name: point.count for name, point in by_task[metric].items() if point.count}
        assert {name: point.count for name, point in exact.whole(metric, by="task_type", **times).items()} == counts
    for metric in (*shares, *spreads):
        assert exact.whole(metric, **times)[""].value == pytest.approx(whole[metric][""].value, rel=0.03), metric
    stages = {name: point.value for name, point in exact.whole("stage_ms.p50", by="stage", **times).items()}
    sketched = kept.whole("stage_ms.p50", by="stage", **times)
    assert stages == pytest.approx({name: point.value for name, point in sketched.items()}, rel=0.03)


def test_a_home_is_filled_up_to_now_and_not_twice(filled: Home) -> None:
    """Traces, rollups and what people did are there; nothing lies ahead; the same seed is refused."""
    until = time.time()
    start = until // DAY_S * DAY_S - DAY_S
    plan = Plan(organisation=Organisation(seed=9, per_day=60), start=start, until=until)
    count = fill(filled, plan)
    kept = RollupFigures(filled.rollups)
    assert kept.whole("questions", since=start, until=until)[""].count == count
    assert kept.whole("questions", since=until, until=until + DAY_S)[""].count == 0
    assert filled.alerts.happenings(start)
    with pytest.raises(Conflict, match="seed 9"):
        fill(filled, plan)


def test_what_was_asked_within_a_day_has_its_text() -> None:
    """As a real question has in its first day; of older ones a sample has it, and those with which something was wrong."""
    until = MONDAY + DAY_S
    [day] = traffic.days(organisation(), MONDAY, days=1)
    told = list(recorded(day, seed=SEED, until=until + 12 * HOUR_S))
    young = [each for each in told if each.trace.started_at > until - 12 * HOUR_S]
    old = told[: len(told) - len(young)]
    assert {each.capture for each in young} == {"full", "grace"}
    assert all(each.trace.spans for each in young)
    assert {each.capture for each in old} == {"full", "metrics"}


def test_a_home_with_questions_of_people_is_refused(filled: Home) -> None:
    """Unless it is forced: simulated questions would change their figures."""
    [day] = traffic.days(Organisation(seed=2, per_day=50), MONDAY, days=1)
    real = next(recorded(day, seed=2))
    filled.record.add([replace(real, trace=replace(real.trace, principal="somebody"))])
    until = MONDAY + 2 * DAY_S
    plan = Plan(organisation=Organisation(seed=3, per_day=20), start=MONDAY, until=until)
    with pytest.raises(Conflict, match="--force"):
        fill(filled, plan)
    assert fill(filled, plan, force=True) > 5


@pytest.mark.parametrize("text", ["", "flood@day1", "slow_retrieval", "slow_retrieval@day-1", "slow_retrieval@day1+h"])
def test_what_names_no_incident_is_told_what_would(text: str) -> None:
    """The message has the form, or the kinds."""
    with pytest.raises(InvalidInput, match="slow_retrieval"):
        named(text, start=MONDAY, until=MONDAY + 9 * DAY_S, seed=1)


def test_an_incident_begins_when_it_is_said_to() -> None:
    """Days count from the first; without hours it is ten in the morning."""
    assert (
        named("misrouting@day3", start=MONDAY, until=MONDAY + 9 * DAY_S, seed=1).begins
        == MONDAY + 3 * DAY_S + 10 * HOUR_S
    )
    assert named("misrouting@day0+1.5h", start=MONDAY, until=MONDAY + 9 * DAY_S, seed=1).begins == MONDAY + 1.5 * HOUR_S
    assert DAYS > 9


@pytest.mark.parametrize("text", ["slow_retrieval@day9", "slow_retrieval@day1+13h"])
def test_an_incident_after_the_days_that_are_made_is_refused(text: str) -> None:
    """It would move nothing; the message says which days there are."""
    with pytest.raises(InvalidInput, match=r"day 0 to day 1 up to 12 h"):
        named(text, start=MONDAY, until=MONDAY + 1.5 * DAY_S, seed=1)
