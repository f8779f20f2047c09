from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import pytest

from ken.domain.principal import Principal
from ken.domain.trace import Reaction, Span, Trace
from ken.domain.where import parsed
from ken.errors import DeadlineExceeded, Forbidden, InvalidInput
from ken.storage.database import Database
from ken.storage.record import Record
from ken.storage.trace_search import TraceSearch
from ken.telemetry.capture import CaptureRules
from tests.storage.samples import ADA, BEN, OPERATOR, a_trace, put, recorded, set_corpus

NOW = 100_000.0


def spanned(trace: Trace, **ms: float) -> Trace:
    """A trace whose stages took so long."""
    spans = (
        Span(
            id=f"{number:016x}",
            parent_id=None,
            name=name,
            started_at=trace.started_at,
            ended_at=trace.started_at + took / 1000,
        )
        for number, (name, took) in enumerate(ms.items(), 1)
    )
    return replace(trace, spans=tuple(spans))


def found(database: Database, where: str, principal: Principal = OPERATOR, **options: object) -> list[int]:
    """The numbers of the traces that a filter means."""
    page = TraceSearch(database).find(parsed(where, now=NOW), principal, **options)  # type: ignore[arg-type]
    return [int(each.trace.id, 16) for each in page.entries]


@pytest.fixture
def ten(database: Database) -> Database:
    """Ten traces, of which each differs from the others."""
    put(
        database,
        spanned(a_trace(1, reaction=Reaction(quality=2.0)), retrieve=700, generate=300),
        spanned(a_trace(2, reaction=Reaction(quality=4.0, helpful=True)), retrieve=700),
        spanned(a_trace(3), retrieve=700),
        spanned(a_trace(4, reaction=Reaction(quality=2.5, helpful=False), task_type="how 'to'"), retrieve=100),
        a_trace(5, outcome="failed", error="100% of it_failed", cost_micros=20_000),
        a_trace(6, failed_checks=("hedging", "length"), escalated=True, tier="strong", cost_micros=0),
        a_trace(7, principal="ben", model="gpt-4o:x/y", task_type="summary", ms=50.0),
        a_trace(8, kind="sync", task_type="", started_at=NOW - 3_600),
        a_trace(9, evidence=(), cached=True, degraded=True, ttft_ms=None),
        a_trace(10, started_at=NOW + 10, input_tokens=9_000),
    )
    return database


MEANT: tuple[tuple[str, Sequence[int]], ...] = (
    ("retrieve.ms > 500 and quality < 3", [1]),
    ("retrieve.ms > 500", [3, 2, 1]),
    ("quality is unknown and retrieve.ms > 0.5s", [3]),
    ("quality < 3", [4, 1]),
    ("not (quality < 3) and retrieve.ms >= 600ms", [3, 2]),
    ("quality != 2", [4, 2]),
    ("helpful", [2]),
    ("helpful = false", [4]),
    ("helpful is unknown and retrieve.ms is known and verify.ms is unknown and retrieve.ms > 300", [3, 1]),
    ("task_type = \"how 'to'\"", [4]),
    ("task_type in (summary, \"how 'to'\")", [7, 4]),
    ("task_type not in (lookup, summary)", [8, 4]),
    ("model contains GPT-4O", [7]),
    ("error contains '% of'", [5]),
    ("error contains 'o_it'", []),
    ("error != ''", [5]),
    ("error is known or escalated", [6, 5]),
    ("cost >= $0.02", [5]),
    ("cost = 0", [6]),
    ("cost is unknown and ms < 100", [7]),
    ("checks = hedging", [6]),
    ("checks contains hedg", []),
    ("checks in (nothing, length)", [6]),
    ("checks.failed > 1", [6]),
    ("outcome = failed or kind = sync", [8, 5]),
    ("started > -2h", [10, 8]),
    ("started > -2h and started < -30min", [8]),
    ("time < 1970-01-01T00:16:44Z", [3, 2, 1]),
    ("tokens.input >= 8k", [10]),
    ("relevance is unknown", [9]),
    ("utilisation <= 50% and degraded = false and ms < 100", [7]),
    ("ttft.ms is unknown", [9]),
    ("cached and degraded", [9]),
    ("principal = ben", [7]),
    ("id = 00000000000000000000000000000003", [3]),
    ("ms > 100 and (tier = strong or (retrieve.ms < 200 and not helpful))", [6, 4]),
    ("success = no", [6, 5, 4]),
    ("not success is known and kind = sync", [8]),
)


def test_a_filter_finds_what_it_says(ten: Database) -> None:
    """Of every kind of name and comparison, on both stores; a comparison with what isn't known is false."""
    assert {where: found(ten, where) for where, _ in MEANT} == dict(MEANT)


def test_the_newest_come_first_page_by_page(database: Database) -> None:
    """Pages of a filter lose and repeat nothing, also where times are equal, whether an index or time leads to them."""
    many = [
        spanned(a_trace(n, started_at=float(n // 4), tier="strong" if n % 2 else "light"), verify=n) for n in range(60)
    ]
    put(database, *many)
    for where in ("tier = strong", "verify.ms >= 0 and tier = strong", "tier = strong and ms > 1"):
        numbers: list[int] = []
        before = None
        while True:
            page = TraceSearch(database).find(parsed(where, now=0), OPERATOR, limit=7, before=before)
            numbers += [int(each.trace.id, 16) for each in page.entries]
            before = page.before
            if before is None:
                break
        assert numbers == [n for n in range(59, -1, -1) if n % 2]
    with pytest.raises(InvalidInput, match="can't be found"):
        TraceSearch(database).find(parsed("ms > 1", now=0), OPERATOR, before="'; drop table traces")
    with pytest.raises(InvalidInput, match="1 to 500"):
        TraceSearch(database).find(parsed("ms > 1", now=0), OPERATOR, limit=0)


def test_everybody_finds_their_own(ten: Database) -> None:
    """Only operators find others' traces or may ask by principal; what was closed since is withheld here, too."""
    assert found(ten, "ms > 0", BEN) == [7]
    assert 7 not in found(ten, "ms > 0", ADA)
    assert found(ten, "model contains gpt", ADA) == []
    for where in ("principal = ada", "ms > 0 or not (principal = ben)"):
        with pytest.raises(Forbidden, match="Operators alone"):
            found(ten, where, ADA)
    set_corpus(ten, 1, "handbook/leave.md")
    stranger = Principal("ada", frozenset({"nobody"}))
    with_access = TraceSearch(ten).find(parsed("id = 00000000000000000000000000000003", now=0), ADA).entries[0]
    assert with_access.trace.answer == "Thirty days [1]."
    assert with_access.figures == {"id": f"{3:032x}"}
    assert found(ten, "ms > 0", stranger) == found(ten, "ms > 0", ADA)


def test_a_query_that_takes_too_long_is_stopped(database: Database) -> None:
    """The error says how to narrow it; the store serves the next one."""
    put(database, *(a_trace(n, prompt="") for n in range(1_500)))
    slow = " or ".join(f"error contains 'nothing{n}'" for n in range(50))
    with pytest.raises(DeadlineExceeded, match="Narrow it by time"):
        TraceSearch(database, budget_s=0.001).find(parsed(slow, now=0), OPERATOR)
    assert len(found(database, "ms > 0", limit=500)) == 500


def test_rare_and_common_parts_lead_to_the_same(database: Database) -> None:
    """Whichever way is taken, through an index or through time, the same traces are found."""
    put(
        database,
        *(a_trace(n, task_type=f"task-{n % 7}", ms=float(n), escalated=n % 10 == 0) for n in range(300)),
    )
    expected = [n for n in range(299, 99, -1) if n % 70 == 0]
    for few in (0, 20, 100, 1_000):
        page = TraceSearch(database, few=few).find(
            parsed("escalated and task_type = task-0 and ms >= 100", now=NOW), OPERATOR
        )
        assert [int(each.trace.id, 16) for each in page.entries] == expected


def test_ten_thousand_task_types_are_told_apart(database: Database) -> None:
    """A name that callers choose may have any number of values."""
    record = Record(database, CaptureRules())
    for start in range(0, 10_000, 2_500):
        record.add(
            [
                recorded(a_trace(n, task_type=f"task {n} ünique", spans=(), evidence=()), capture="metrics")
                for n in range(start, start + 2_500)
            ]
        )
    began = time.perf_counter()
    assert found(database, "task_type = 'task 7777 ünique'") == [7777]
    assert time.perf_counter() - began < 2


def test_what_is_no_number_is_never_stored(database: Database) -> None:
    """A figure that is not a number is refused, and the rest of the batch can be written."""
    with pytest.raises(InvalidInput):
        put(database, a_trace(1), a_trace(2, ms=float("nan")))
    assert put(database, a_trace(1)) == 1
