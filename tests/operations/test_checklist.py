"""The checklist out of a real record: each question passes, fails, and says when it can't be answered."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ken.domain.checked import CheckRun, RunKind
from ken.domain.wire import Json
from ken.operations.checklist.answering import QUESTIONS, answer
from ken.operations.checklist.facts import DAY_S, Bounds, Facts, Found
from ken.operations.drill.table import expected
from ken.storage.checks_run import ChecksRun
from ken.storage.database import Database
from ken.storage.rollups import Rollups
from ken.storage.sqlite import SqliteDatabase
from ken.telemetry.figures import RollupFigures
from ken.telemetry.rollup import Aggregator
from tests.telemetry.folding import a_recorded

NOW = 1_760_000_000.0
RELEASE, BUILD, INDEX = "r2", "1.4.0", "structural 300"
EVAL: dict[str, Json] = {
    "overall": {
        "citation_precision": {"value": 0.99, "n": 80},
        "fact_coverage": {"value": 0.7, "n": 40},
        "doc_recall@5": {"value": 0.9, "n": 40},
    },
    "cases": 40,
    "build": BUILD,
    "index": INDEX,
    "search_only": False,
    "failures": [],
}
LOAD: dict[str, Json] = {
    "started_at": NOW - DAY_S - 60,
    "steps": [
        {"at": 1.0, "asked": 50, "errors": {}, "ttft_ms": {"p50": 90.0, "p95": 120.0}},
        {"at": 8.0, "asked": 400, "errors": {"429": 2}, "ttft_ms": {"p50": 300.0, "p95": 900.0}},
        {"at": 16.0, "asked": 700, "errors": {"429": 90}, "ttft_ms": {"p50": 900.0, "p95": 4_000.0}},
    ],
}
FAULTS = {row.fault: "passed" for row in expected()}


def drilled(verdicts: dict[str, str]) -> dict[str, Json]:
    """The report of a drill; `redis` is no fault of a model."""
    findings = [{"fault": fault, "verdict": verdict} for fault, verdict in (verdicts | {"redis": "failed"}).items()]
    return {"findings": findings}


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return SqliteDatabase(tmp_path / "home")


def facts(database: Database, **changes: object) -> Facts:
    """A release with one model behind a wire, 8 questions at once expected."""
    usual = Facts(
        at=NOW,
        release=RELEASE,
        build=BUILD,
        index=INDEX,
        figures=RollupFigures(Rollups(database)),
        runs=ChecksRun(database),
        dependencies=("small",),
        documents=100,
        called=lambda _, __: frozenset({"small"}),
        bounds=Bounds(peak_concurrency=8),
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


def put(database: Database, kind: RunKind, report: dict[str, Json], *, days: float = 1.0, **changes: object) -> None:
    ChecksRun(database).add(replace(a_run(kind, report, days=days), **changes))  # type: ignore[arg-type]


def a_run(kind: RunKind, report: dict[str, Json], *, days: float) -> CheckRun:
    return CheckRun(kind=kind, at=NOW - days * DAY_S, release=RELEASE, passed=None, report=report)


def ask(database: Database, *, days: float, many: int = 40, **changes: object) -> None:
    """Questions that were answered so many days ago."""
    counted = Aggregator()
    for number in range(many):
        counted.fold(a_recorded(1 + number, at=NOW - days * DAY_S + number, **changes))
    Rollups(database).add(counted.take())


def found(given: Facts, name: str) -> Found:
    return next(each.found for each in answer(given).answers if each.question.name == name)


def test_an_empty_record_answers_nothing(database: Database) -> None:
    """Every question is unknown, each with a remedy; what is unknown is no pass."""
    checklist = answer(facts(database))
    assert {each.found.state for each in checklist.answers} == {"unknown"}
    assert all(each.found.remedy for each in checklist.answers)
    assert checklist.is_ready is False
    assert len(QUESTIONS) == 12


def test_all_pass_where_all_is_on_record(database: Database) -> None:
    """Two weeks of traffic, an evaluation, a calibration, a load test and a drill."""
    for days in (10, 3):
        ask(database, days=days, cost_micros=1_000, cache="exact", cached=True)
    ask(database, days=2, many=3, retries=(("503", 1),), attempts=2)
    put(database, "eval", EVAL)
    put(database, "load", LOAD)
    put(database, "drill", drilled(FAULTS))
    put(database, "calibration", {"agreement": 0.8}, passed=True)
    checklist = answer(facts(database))
    assert {each.question.name: each.found for each in checklist.answers if each.found.state != "pass"} == {}
    assert checklist.is_ready is True


@pytest.mark.parametrize(
    ("cost", "state"),
    [(1_100, "pass"), (1_500, "fail"), (500, "fail"), (None, "unknown")],
)
def test_the_cost_of_a_successful_task_is_stable(database: Database, cost: int | None, state: str) -> None:
    """Beside the week before; a cost that is partly unknown says nothing."""
    ask(database, days=10, cost_micros=1_000)
    ask(database, days=3, cost_micros=cost)
    assert found(facts(database), "cost").state == state


def test_too_little_traffic_says_nothing(database: Database) -> None:
    """Of a task type with few successes no cost is told, nor a hit rate, nor the length of prompts."""
    for days in (10, 3):
        ask(database, days=days, many=20, cost_micros=1_000)
    checklist = facts(database)
    assert [found(checklist, name).state for name in ("cost", "hit_rate", "context_tokens")] == ["unknown"] * 3


@pytest.mark.parametrize(
    ("bounds", "state"),
    [
        (Bounds(), "pass"),
        (Bounds(hit_rate=0.4), "pass"),
        (Bounds(hit_rate=0.6), "fail"),
        (Bounds(hit_rate_drop=0.01), "fail"),
    ],
)
def test_the_hit_rate_is_as_expected(database: Database, bounds: Bounds, state: str) -> None:
    """As the operator says, or as it was the week before; without a cache, none is expected."""
    for days, hits in ((10, 22), (3, 20)):
        ask(database, days=days, many=hits, cache="exact", cached=True)
        ask(database, days=days - 0.1, many=40 - hits, cache="miss")
    assert found(facts(database, bounds=bounds), "hit_rate").state == state
    assert found(facts(database, bounds=bounds, caches=False), "hit_rate").state == "pass"


@pytest.mark.parametrize(("tokens", "state"), [(800, "pass"), (9_000, "fail"), (10, "fail")])
def test_prompts_are_as_long_as_they_should_be(database: Database, tokens: int, state: str) -> None:
    """Neither without passages nor beyond what models read well."""
    ask(database, days=3, context_tokens=tokens)
    assert found(facts(database), "context_tokens").state == state


@pytest.mark.parametrize(
    ("changes", "name", "state"),
    [
        ({"release": "r1"}, "regression_set", "unknown"),
        ({"report": EVAL | {"build": "1.3.9"}}, "regression_set", "unknown"),
        ({"report": EVAL | {"search_only": True}}, "regression_set", "unknown"),
        ({"report": EVAL | {"cases": 5}}, "regression_set", "fail"),
        ({"report": EVAL | {"failures": ["a-7"]}}, "regression_set", "fail"),
        ({"release": "r1"}, "groundedness", "unknown"),
        ({"report": EVAL | {"overall": {"citation_precision": {"value": 0.99}}}}, "groundedness", "unknown"),
        (
            {"report": EVAL | {"overall": {"citation_precision": {"value": 0.9}, "fact_coverage": {"value": 0.9}}}},
            "groundedness",
            "fail",
        ),
        ({"release": "r1"}, "retrieval", "pass"),
        ({"report": EVAL | {"index": "fixed 200"}}, "retrieval", "fail"),
        ({"report": EVAL | {"overall": {"doc_recall@5": {"value": 0.5}}}}, "retrieval", "fail"),
    ],
)
def test_question_sets_count_for_what_they_were_run_on(
    database: Database, changes: dict[str, object], name: str, state: str
) -> None:
    """Answers for this release, retrieval for this index; too few questions or too low a figure is a failure."""
    ChecksRun(database).add(replace(a_run("eval", EVAL, days=1.0), **changes))  # type: ignore[arg-type]
    assert found(facts(database), name).state == state


def test_a_regression_set_that_failed_blocks(database: Database) -> None:
    """Whatever the figures of the question set are."""
    put(database, "eval", EVAL)
    put(database, "gate", {}, passed=False)
    assert found(facts(database), "regression_set").state == "fail"


@pytest.mark.parametrize(("changed", "state"), [(5, "pass"), (6, "fail")])
def test_retrieval_is_validated_again_when_documents_change(database: Database, changed: int, state: str) -> None:
    """Up to one in twenty may change."""
    put(database, "eval", EVAL)
    assert found(facts(database, changed_since=lambda _: changed), "retrieval").state == state


@pytest.mark.parametrize(("days", "passed", "state"), [(29, True, "pass"), (31, True, "fail"), (1, False, "fail")])
def test_a_judge_is_calibrated_lately(database: Database, days: float, *, passed: bool, state: str) -> None:
    """Within thirty days, and with success."""
    put(database, "calibration", {"agreement": 0.5}, days=days, passed=passed)
    assert found(facts(database), "judge").state == state


@pytest.mark.parametrize(
    ("peak", "ttft", "load"),
    [(1, "pass", "pass"), (8, "pass", "pass"), (12, "fail", "fail"), (40, "unknown", "unknown")],
)
def test_the_expected_load_is_what_counts(database: Database, peak: int, ttft: str, load: str) -> None:
    """The step that reaches it; a test that went less far says nothing."""
    put(database, "load", LOAD)
    given = facts(database, bounds=Bounds(peak_concurrency=peak))
    assert (found(given, "ttft").state, found(given, "load").state) == (ttft, load)


def test_where_people_ask_too_little_tests_count(database: Database) -> None:
    """For the cache and for prompts; their questions are told as such, and a load test's concurrency is nobody's expectation."""
    ask(database, days=3, many=10, cache="miss")
    ask(database, days=2, kind="eval", cache="exact", cached=True)
    ask(database, days=10, kind="eval", cache="exact", cached=True)
    for name in ("hit_rate", "context_tokens"):
        told = found(facts(database), name)
        assert told.state == "pass"
        assert "40" in told.evidence
        assert "of tests" in told.evidence
    ask(database, days=3, many=40, cache="miss")
    told = found(facts(database), "hit_rate")
    assert "0.0% of 50 questions in" in told.evidence


def test_a_load_test_out_of_the_cache_says_nothing_of_models(database: Database) -> None:
    """Where nearly all answers had been given before, the remedy is to ask other questions."""
    steps: list[Json] = [{"at": 8.0, "asked": 400, "errors": {}, "ttft_ms": {"p95": 9.0}, "cached": 0.97}]
    put(database, "load", LOAD | {"steps": steps})
    for name in ("ttft", "load"):
        told = found(facts(database), name)
        assert (told.state, told.evidence[:3]) == ("unknown", "97%")
        assert "--popularity 0" in told.remedy


def test_a_load_test_counts_for_what_it_reached(database: Database) -> None:
    """Of another release, or long ago, it says nothing; a dependency that it never called is named."""
    put(database, "load", LOAD, release="r1")
    assert found(facts(database), "ttft").state == "unknown"
    put(database, "load", LOAD, days=40)
    assert found(facts(database), "ttft").state == "fail"
    put(database, "load", LOAD)
    missing = found(facts(database, dependencies=("small", "embedder")), "load")
    assert missing.state == "unknown"
    assert "no call of embedder" in missing.evidence


def test_drills_show_fallbacks_breakers_and_retries(database: Database) -> None:
    """By the faults that have to show each; one that failed is named, and what isn't behind a wire needs none."""
    put(database, "drill", drilled(FAULTS))
    assert [found(facts(database), name).state for name in ("fallbacks", "breakers", "retries")] == ["pass"] * 3
    put(database, "drill", drilled(FAULTS | {"hangtoken": "failed"}), days=0.5)
    told = found(facts(database), "breakers")
    assert told.state == "fail"
    assert "not hangtoken" in told.evidence
    put(database, "drill", drilled(FAULTS | {"500": "skipped"}), days=0.2)
    part = found(facts(database), "fallbacks")
    assert part.state == "unknown"
    many = len([row for row in expected() if row.calls[1]])
    assert f"{many - 1} of {many} faults that show a fallback were brought about" in part.evidence
    assert part.evidence.endswith("; not 500")
    put(database, "drill", drilled({}), days=0.1)
    assert found(facts(database), "fallbacks").state == "unknown"
    alone = facts(database, dependencies=())
    assert [found(alone, name).state for name in ("fallbacks", "breakers", "retries")] == ["pass"] * 3
    assert found(facts(database, has_fallback=False), "fallbacks").state == "fail"
