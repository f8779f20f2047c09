"""Figures out of rollups, held to a second way of working them out: exactly, from the questions themselves."""

from __future__ import annotations

import pytest

from ken.domain.rollup import DAY, HOUR
from ken.errors import InvalidInput
from ken.operations.simulate.columns import Columns
from ken.operations.simulate.organisation import Organisation
from ken.operations.simulate.recorded import recorded
from ken.operations.simulate.traffic import Traffic, days
from ken.storage.database import Database
from ken.storage.rollups import Rollups
from ken.telemetry.figures import RollupFigures
from ken.telemetry.rollup import Aggregator
from ken.telemetry.vocabulary import METRICS
from tests.telemetry.folding import a_recorded

MONDAY = 1_757_894_400.0
ASKED = (
    ("questions", "", {}),
    ("questions", "task_type", {}),
    ("error_rate", "", {}),
    ("success_rate", "task_type", {}),
    ("abstention_rate", "release", {}),
    ("cache_hit_rate", "category", {}),
    ("judged_share", "", {}),
    ("check_failure_rate", "", {}),
    ("cost_per_success", "task_type", {}),
    ("cost_per_question", "tier", {}),
    ("ms.p50", "", {}),
    ("ms.p95", "task_type", {}),
    ("ms.p99", "", {"task_type": "lookup", "tier": "light"}),
    ("ttft_ms.p95", "", {"category": "policies"}),
    ("stage_ms.p95", "stage", {}),
    ("context_tokens.mean", "task_type", {}),
    ("relevance.mean", "task_type", {}),
    ("quality.mean", "", {}),
    ("groundedness.mean", "", {"outcome": "answered"}),
)


@pytest.fixture(scope="module")
def traffic() -> Traffic:
    [day] = days(Organisation(seed=11, per_day=400.0, holidays=0.0), MONDAY, days=1)
    return day


@pytest.fixture
def figures(database: Database, traffic: Traffic) -> RollupFigures:
    """Half of them compacted, the other half still waiting."""
    kept, aggregator = Rollups(database), Aggregator()
    many = list(recorded(traffic, seed=1))
    kept.compact(MONDAY + 2 * DAY)
    for part in (many[::2], many[1::2]):
        for one in part:
            aggregator.fold(one)
        if kept.waiting():
            kept.compact(MONDAY + 2 * DAY)
        kept.add(aggregator.take())
    assert kept.waiting() == 1
    return RollupFigures(kept)


def test_every_figure_is_that_of_the_questions(figures: RollupFigures, traffic: Traffic) -> None:
    """Counts and rates exactly, quantiles within the sketches' hundredth, by any dimension and under any filter."""
    exact = Columns(traffic, now=lambda: MONDAY + 400 * DAY)
    for name, by, where in ASKED:
        told = figures.whole(name, since=MONDAY, until=MONDAY + DAY, by=by, where=where)
        other = exact.whole(name, since=MONDAY, until=MONDAY + DAY, by=by, where=where)
        seen = {group: point for group, point in other.items() if point.value is not None}
        assert {group for group, point in told.items() if point.value is not None} == set(seen), (name, by)
        for group, point in seen.items():
            # Of a few values, the one of a rank and what lies between two of them are far apart.
            few = name.partition(".")[2] in {"p50", "p95", "p99"} and point.count < 60
            assert few or told[group].value == pytest.approx(point.value, rel=0.035, abs=1e-9), (name, by, group)


def test_a_window_is_its_parts(figures: RollupFigures) -> None:
    """The hours of a day add up to the day; the whole of a view is that of its window."""
    both = figures.both(["questions", "ms.p95"], since=MONDAY, until=MONDAY + DAY, step_s=HOUR, by="task_type")
    whole = figures.wholes(["questions", "ms.p95"], since=MONDAY, until=MONDAY + DAY, by="task_type")
    for group, line in both["questions"].items():
        assert sum(point.value or 0 for point in line.points) == line.whole.value == whole["questions"][group].value
        assert both["ms.p95"][group].whole.value == whole["ms.p95"][group].value


def test_a_mistake_of_whoever_asked_is_no_failure_of_kens(database: Database) -> None:
    """It counts apart: it is no error, no task that wasn't done, and no question that the rates are of."""
    kept, aggregator = Rollups(database), Aggregator()
    errors = ("NotFound: There is no model 'reader'.", "TooLarge: At most 8,000.", "ModelUnavailable: It is away.", "")
    for number, error in enumerate(errors, start=1):
        aggregator.fold(a_recorded(number, at=MONDAY, outcome="failed" if error else "answered", error=error))
    kept.add(aggregator.take())
    names = ("questions", "errors", "caller_errors", "error_rate", "success_rate", "known_share")
    told = RollupFigures(kept).wholes(names, since=MONDAY, until=MONDAY + HOUR)
    assert [told[name][""].value for name in names] == [4, 1, 2, 0.5, 0.5, 0.5]
    assert told["error_rate"][""].count == 2


def test_an_unknown_cost_is_in_no_average(database: Database) -> None:
    """One question without a price makes the cost of a success unknown, and calls without one are counted."""
    kept, aggregator = Rollups(database), Aggregator()
    figures = RollupFigures(kept)
    for number, cost in enumerate((1_000, 3_000), start=1):
        aggregator.fold(a_recorded(number, at=MONDAY, cost_micros=cost))
    kept.add(aggregator.take())
    window = {"since": MONDAY, "until": MONDAY + HOUR}
    assert figures.whole("cost_per_success", **window)[""].value == 2_000
    aggregator.fold(a_recorded(3, at=MONDAY, cost_micros=None))
    kept.add(aggregator.take())
    assert figures.whole("cost_per_success", **window)[""].value is None
    assert figures.whole("unknown_cost_questions", **window)[""].value == 1
    assert figures.whole("success_rate", **window)[""].value == 1.0


def test_the_end_of_small_talk_is_unknown_and_no_success(database: Database) -> None:
    """It is in neither part of the success rate; how much is known stands beside it."""
    kept, aggregator = Rollups(database), Aggregator()
    for number, task in enumerate(("lookup", "smalltalk", "smalltalk"), start=1):
        aggregator.fold(a_recorded(number, at=MONDAY, task_type=task))
    kept.add(aggregator.take())
    told = RollupFigures(kept).wholes(["success_rate", "known_share"], since=MONDAY, until=MONDAY + HOUR)
    assert told["success_rate"][""].value == 1.0
    assert told["known_share"][""].value == pytest.approx(1 / 3)


def test_gauges_keep_the_most_that_was_seen(database: Database) -> None:
    """Looked at now and then by several processes; one question at once in one of them is not hidden by another's rest."""
    kept, aggregator = Rollups(database), Aggregator()
    for at, depth in ((MONDAY, 0.0), (MONDAY + 10, 7.0), (MONDAY + 20, 2.0)):
        aggregator.sample(at, {"in_flight": depth + 1, "queue_depth": depth})
        kept.add(aggregator.take())
    kept.compact(MONDAY + DAY)
    figures = RollupFigures(kept)
    assert figures.whole("queue_depth.max", since=MONDAY, until=MONDAY + HOUR)[""].value == 7
    assert figures.whole("in_flight.max", since=MONDAY, until=MONDAY + HOUR)[""].value == 8
    assert figures.whole("breakers_open.max", since=MONDAY, until=MONDAY + HOUR)[""].value is None


def test_other_questions_than_a_week_ago_are_told(database: Database) -> None:
    """The same mix has an index near 0, another one a high one, and a handful of questions none."""
    kept, aggregator = Rollups(database), Aggregator()
    mixes = {0: ("pay", "leave"), 7: ("pay", "leave"), 14: ("pay", "visas", "visas", "visas")}
    for day, mix in mixes.items():
        for number in range(200):
            aggregator.fold(a_recorded(number + 1, at=MONDAY + day * DAY + number, category=mix[number % len(mix)]))
    kept.add(aggregator.take())
    figures = RollupFigures(kept)
    told = [
        figures.whole("category_shift", since=MONDAY + day * DAY, until=MONDAY + (day + 1) * DAY)[""].value
        for day in (7, 14)
    ]
    assert told[0] == pytest.approx(0.0, abs=0.01)
    assert (told[1] or 0) > 0.25
    assert (
        figures.whole("category_shift", since=MONDAY + 14 * DAY, until=MONDAY + 14 * DAY + HOUR)[""].value is not None
    )
    assert figures.whole("category_shift", since=MONDAY, until=MONDAY + HOUR)[""].value is None
    pinned = RollupFigures(kept, reference=lambda: MONDAY)
    assert (pinned.whole("category_shift", since=MONDAY + 14 * DAY, until=MONDAY + 15 * DAY)[""].value or 0) > 0.25


@pytest.mark.parametrize(
    ("name", "by", "where"),
    [
        ("ms.p96", "", {}),
        ("ms.p95", "stage", {}),
        ("cost", "planet", {}),
        ("questions", "", {"planet": "mars"}),
        ("stage_ms.p95", "", {}),
    ],
)
def test_what_is_not_counted_so_is_refused(database: Database, name: str, by: str, where: dict[str, str]) -> None:
    """Rather than a figure of something else; the message names what there is."""
    with pytest.raises(InvalidInput, match=r"There are|isn't told apart|of one stage"):
        RollupFigures(Rollups(database)).whole(name, since=MONDAY, until=MONDAY + DAY, by=by, where=where)


def test_every_figure_can_be_asked(figures: RollupFigures) -> None:
    """Each name of the vocabulary has an answer over an empty window and over a full one."""
    staged = [name for name, metric in METRICS.items() if metric.needs == ("stage_ms",)]
    others = [name for name in METRICS if name not in staged]
    for since in (MONDAY, MONDAY - 900 * DAY):
        told = figures.wholes(others, since=since, until=since + DAY)
        told |= figures.wholes(staged, since=since, until=since + DAY, where={"stage": "retrieve"})
        assert set(told) == set(METRICS)
        if since < MONDAY:
            assert {point.value for lines in told.values() for point in lines.values()} <= {None}
