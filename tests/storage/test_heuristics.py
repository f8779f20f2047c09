"""The counts of heuristics and the results of tests, in both stores and under several writers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from ken.domain.checked import CheckRun, RuleCount
from ken.storage.checks_run import ChecksRun
from ken.storage.database import Database
from ken.storage.heuristics import Heuristics
from tests.storage.samples import a_trace, put

DAY_S = 86_400.0


def counted(database: Database) -> dict[str, RuleCount]:
    return {one.name: one for one in Heuristics(database).all()}


def test_traces_are_counted_once(database: Database) -> None:
    """A trace that comes again adds nothing; the last times are those of the questions."""
    first = a_trace(1, started_at=100.0, checked=("hedging", "length"), failed_checks=("length",))
    second = a_trace(2, started_at=200.0, checked=("length",), failed_checks=())
    assert put(database, first, second) == 2
    assert put(database, first) == 0
    rules = counted(database)
    assert (rules["length"].looked, rules["length"].fired, rules["length"].rate) == (2, 1, 0.5)
    assert (rules["length"].last_looked_at, rules["length"].last_fired_at) == (200.0, 100.0)
    assert (rules["hedging"].fired, rules["hedging"].last_fired_at) == (0, None)


def test_a_clock_that_was_put_back_moves_nothing_back(database: Database) -> None:
    """The last time a rule fired is the latest that anybody saw."""
    for number, at in ((1, 500.0), (2, 300.0)):
        put(database, a_trace(number, started_at=at, checked=("length",), failed_checks=("length",)))
    assert counted(database)["length"].last_fired_at == 500.0


def test_several_writers_lose_no_count(database: Database) -> None:
    """Eight writers at once, each with traces of its own: every look and every fault is there."""

    def write(writer: int) -> None:
        for number in range(5):
            rules = ("length", "hedging") if writer % 2 else ("hedging", "length")
            put(database, a_trace(100 * writer + number, checked=rules, failed_checks=("hedging",)))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    rules = counted(database)
    assert (rules["hedging"].looked, rules["hedging"].fired, rules["length"].looked) == (40, 40, 40)


def test_a_rule_is_silent_when_it_was_known_long_enough(database: Database) -> None:
    """A young home lists nothing; after three months those that never fired, or not since."""
    kept = Heuristics(database)
    kept.know(["hedging", "length", "steps"], at=0.0)
    kept.know(["hedging", "length", "steps", "language"], at=80 * DAY_S)
    put(database, a_trace(1, started_at=50 * DAY_S, checked=("length",), failed_checks=("length",)))
    rules = counted(database)

    def silent(day: int) -> set[str]:
        return {name for name, rule in rules.items() if rule.is_silent(at=day * DAY_S, for_s=90 * DAY_S)}

    assert silent(89) == set()
    assert silent(90) == {"hedging", "steps"}
    assert silent(140) == {"hedging", "steps", "length"}
    assert silent(170) == {"hedging", "steps", "length", "language"}


def test_runs_are_kept_by_kind_and_release(database: Database) -> None:
    """The newest of a kind, of a release, before a moment; reports come back as they were."""
    kept = ChecksRun(database)
    report = {"overall": {"fact_coverage": {"value": 0.5}}, "failures": ["a"], "search_only": False}
    for at, release in ((1.0, "r1"), (2.0, "r2"), (3.0, "r1")):
        kept.add(CheckRun(kind="eval", at=at, release=release, passed=None, report=report))
    kept.add(CheckRun(kind="drill", at=4.0, release="r1", passed=True))
    assert [run.at for run in kept.list("eval")] == [3.0, 2.0, 1.0]
    last = kept.last("eval", release="r2")
    assert last is not None
    assert (last.at, last.report, last.passed) == (2.0, report, None)
    assert kept.last("eval", release="r1", before=3.0) == CheckRun(
        kind="eval", at=1.0, release="r1", passed=None, report=report
    )
    assert kept.last("load") is None
