"""Rollups under any number of writers, compacted and corrected: figures stay what the traces come to."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
import sqlalchemy as sa

from ken.domain.measures import Recorded, success_of
from ken.domain.rollup import DAY, HOUR, MINUTE
from ken.domain.trace import Reaction
from ken.storage.database import Database
from ken.storage.rollups import RollupRetention, Rollups
from ken.storage.schema import rollups
from ken.telemetry.figures import RollupFigures
from ken.telemetry.rollup import Aggregator
from tests.telemetry.folding import a_recorded

NOW = time.time() // HOUR * HOUR + 30 * MINUTE
TASKS = ("lookup", "comparison", "procedure")


def asked(many: int, *, since: float, until: float, seed: int = 1) -> list[Recorded]:
    dice = random.Random(seed)
    return [
        a_recorded(
            number,
            at=dice.uniform(since, until),
            task_type=dice.choice(TASKS),
            category=dice.choice(("pay", "leave")),
            release=dice.choice(("r1", "r2")),
            tier=dice.choice(("light", "strong")),
            outcome=dice.choices(("answered", "failed"), (9, 1))[0],
            ms=dice.lognormvariate(6, 1),
        )
        for number in range(1, many + 1)
    ]


def add(kept: Rollups, many: Sequence[Recorded], *, at_once: int = 50) -> None:
    counted = Aggregator()
    for start in range(0, len(many), at_once):
        for each in many[start : start + at_once]:
            counted.fold(each)
        kept.add(counted.take())


def rows(database: Database, **where: object) -> int:
    with database.read() as connection:
        query = sa.select(sa.func.count()).select_from(rollups)
        return connection.scalar(query.where(*(rollups.c[name] == value for name, value in where.items()))) or 0


def test_figures_are_the_same_before_and_after_compaction(database: Database) -> None:
    """Waiting, in minutes, in hours and in days, over any filter: every figure is that of the traces."""
    begin = NOW // DAY * DAY - 3 * DAY
    many = asked(60, since=begin, until=NOW)
    kept = Rollups(database)
    figures = RollupFigures(kept)
    add(kept, many)
    cases = [
        ({}, many),
        ({"task_type": "lookup"}, [each for each in many if each.trace.task_type == "lookup"]),
        (
            {"category": "pay", "release": "r2"},
            [each for each in many if (each.trace.category, each.trace.release) == ("pay", "r2")],
        ),
        (
            {"task_type": "procedure", "tier": "light", "release": "r1", "category": "leave"},
            [
                each
                for each in many
                if (each.trace.task_type, each.trace.tier, each.trace.release, each.trace.category)
                == ("procedure", "light", "r1", "leave")
            ],
        ),
    ]
    for compacted in (False, True):
        for where, of in cases:
            told = figures.wholes(["questions", "errors", "ms.p95"], since=begin, until=NOW + MINUTE, where=where)
            ordered = sorted(each.trace.ms for each in of)
            assert told["questions"][""].value == len(of), (compacted, where)
            assert told["errors"].get("").value == sum(each.trace.outcome == "failed" for each in of)  # type: ignore[union-attr]
            assert told["ms.p95"][""].value == pytest.approx(ordered[int(0.95 * (len(ordered) - 1))], rel=0.0101)
        kept.compact(NOW + 10 * MINUTE)
    assert kept.waiting() == 0
    assert rows(database, resolution_s=DAY, facet="kind") == len({each.trace.started_at // DAY for each in many})


def test_each_step_has_what_began_in_it(database: Database) -> None:
    """Hours and quarters of an hour, across what waits and what is compacted, add up to the traces of each."""
    many = asked(60, since=NOW - 5 * HOUR, until=NOW)
    kept = Rollups(database)
    figures = RollupFigures(kept)
    add(kept, many[:40])
    kept.compact(NOW - HOUR)
    add(kept, many[40:])
    for step, since in ((HOUR, NOW - 6.5 * HOUR), (900, NOW - 5 * HOUR + 7 * MINUTE), (DAY, NOW // DAY * DAY - DAY)):
        until = NOW + MINUTE
        told = figures.series("questions", since=since, until=until, step_s=step, by="task_type")
        for task in TASKS:
            for point in told[task]:
                end = min(point.at + step, until)
                exact = sum(
                    point.at <= each.trace.started_at // 60 * 60 < end for each in many if each.trace.task_type == task
                )
                assert (point.value or 0) == exact
                assert (point.value is None) == (exact == 0)


def test_several_writers_lose_nothing(database: Database, again: Callable[[], Database]) -> None:
    """Replicas add and compact at the same time; each question counts once."""
    others = [again() for _ in range(2)]
    failed: list[BaseException] = []

    def write(place: Database, seed: int) -> None:
        try:
            kept = Rollups(place)
            for batch in range(5):
                add(kept, asked(8, since=NOW - 2 * HOUR, until=NOW, seed=seed * 100 + batch))
                kept.compact(NOW + HOUR)
        except BaseException as error:  # noqa: BLE001 - the test fails with it, in its own thread
            failed.append(error)

    threads = [threading.Thread(target=write, args=(place, seed)) for seed, place in enumerate((database, *others))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(50)
    for place in others:
        place.close()
    assert failed == []
    figures = RollupFigures(Rollups(database))
    assert figures.whole("questions", since=NOW - DAY, until=NOW + DAY)[""].value == 120
    assert figures.whole("cost", since=NOW - 3 * HOUR, until=NOW)[""].value == 120 * 1_000


def test_what_is_said_late_changes_the_minute_of_the_question(database: Database) -> None:
    """A score or a thumbs-down counts where the question was asked, also when that is in hours and days already."""
    asked_at = NOW - DAY  # well within the time that minutes are kept, however late this runs
    before = a_recorded(at=asked_at).trace
    kept, counted = Rollups(database), Aggregator()
    figures = RollupFigures(kept)
    add(kept, [a_recorded(number, at=asked_at) for number in (1, 2)])
    kept.compact(NOW)
    after = replace(before, reaction=Reaction(quality=2.0, groundedness=3.0, helpful=False))
    counted.fold_reaction(before, after)
    kept.add(counted.take())
    for _ in ("waiting", "compacted"):
        for since, until in (
            (asked_at // 60 * 60, asked_at + 60),
            (asked_at // DAY * DAY, asked_at // DAY * DAY + DAY),
        ):
            told = figures.wholes(
                ["success_rate", "quality.mean", "judged_share", "unhelpful_rate", "questions"],
                since=since,
                until=until,
            )
            assert [told[name][""].value for name in told] == [0.5, pytest.approx(2.0), 0.5, 1.0, 2]
        kept.compact(NOW)
    corrected = replace(before, reaction=Reaction(quality=5.0, helpful=True))
    counted.fold_reaction(after, corrected, success=(success_of(after), success_of(corrected)))
    kept.add(counted.take())
    kept.compact(NOW)
    told = figures.wholes(
        ["success_rate", "quality.p50", "groundedness.mean"], since=asked_at - 60, until=asked_at + 60
    )
    assert told["success_rate"][""].value == 1.0
    assert told["quality.p50"][""].value == pytest.approx(5.0, rel=0.01)
    assert told["groundedness.mean"][""].value is None


def test_old_rows_go_and_coarse_ones_stand_for_them(database: Database) -> None:
    """Minutes go after their time; hours then say as much of the same window, and days after them."""
    retention = RollupRetention(minutes_s=6 * HOUR, all_minutes_s=HOUR, hours_s=3 * DAY, all_hours_s=2 * DAY)
    kept = Rollups(database, retention)
    many = asked(30, since=NOW - 10 * DAY, until=NOW)
    add(kept, many)
    now = time.time()
    deleted = sum(kept.compact(now + step * 10 * MINUTE).deleted for step in range(12))
    assert deleted > 0
    for resolution, kept_s in ((MINUTE, 6 * HOUR), (HOUR, 3 * DAY)):
        with database.read() as connection:
            oldest = connection.scalar(
                sa.select(sa.func.min(rollups.c.start)).where(rollups.c.resolution_s == resolution)
            )
        assert oldest is None or oldest >= now - kept_s - DAY - HOUR
    figures = RollupFigures(kept)
    since = NOW // DAY * DAY - 11 * DAY
    assert figures.whole("questions", since=since, until=NOW + HOUR)[""].value == 30
    assert figures.whole("questions", since=since, until=NOW + HOUR, where={"tier": "light", "category": "pay"})[
        ""
    ].value == sum((each.trace.tier, each.trace.category) == ("light", "pay") for each in many)


def test_ten_thousand_task_types_cost_a_bounded_number_of_rows(database: Database) -> None:
    """What is too many to be told apart counts under `other`, and that is counted; nothing is lost."""
    counted, kept = Aggregator(), Rollups(database, most_cells=60)
    for number in range(10_000):
        counted.fold(a_recorded(number + 1, at=NOW, task_type=f"task {number}"))
    assert counted.other == 10_000 - 200
    kept.add(counted.take())
    done = kept.compact(NOW)
    assert done.other > 0
    assert rows(database, resolution_s=MINUTE, facet="task_type") <= 61
    figures = RollupFigures(kept)
    told = figures.whole("questions", since=NOW - HOUR, until=NOW + HOUR, by="task_type")
    assert sum(point.value or 0 for point in told.values()) == 10_000
    assert (told["other"].value or 0) > 9_800


def test_a_clock_that_jumps_harms_no_other_time(database: Database) -> None:
    """Questions stamped decades off stand where they say; compaction and today's figures go on."""
    kept = Rollups(database)
    add(kept, [a_recorded(number, at=at) for number, at in enumerate((10.0, NOW, NOW + 20 * 365 * DAY), start=1)])
    kept.compact(NOW + 30 * 365 * DAY)
    add(kept, [a_recorded(4, at=NOW)])
    kept.compact(NOW)
    assert RollupFigures(kept).whole("questions", since=NOW - HOUR, until=NOW + HOUR)[""].value == 2
