"""What was on record before stands in the new tables: the texts, the spans, the figures, and what answers name."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa

from ken.domain.trace import Feedback, Span, Trace
from ken.domain.where import parsed
from ken.storage.answer_json import dump_citations
from ken.storage.database import Database
from ken.storage.feedback import FeedbackBook
from ken.storage.forgetting import WITHDRAWN, Forgetting, of_documents
from ken.storage.migrations.downgrade import downgrade
from ken.storage.record import Arrived, Record
from ken.storage.schema import traces
from ken.storage.trace_search import TraceSearch
from ken.storage.traces import Traces
from ken.telemetry.capture import CaptureRules
from ken.telemetry.measures import measure
from tests.storage.samples import OPERATOR, a_citation, a_trace, put, rows


def stages(began: float) -> tuple[Span, ...]:
    """What an escalated question with a retry, a time-out and a wait for its turn leaves."""
    told = (
        ("question", 0.0, 2.0, ()),
        ("classify", 0.0, 0.01, (("category", "leave"),)),
        ("recall", 0.01, 0.02, (("decision", "miss"),)),
        ("retrieve", 0.02, 0.62, (("embed_ms", 12.5),)),
        ("assemble", 0.62, 0.63, (("prompt_tokens", 800),)),
        ("route", 0.63, 0.64, (("tier", "light"),)),
        ("generate", 0.64, 1.9, ()),
        ("attempt", 0.64, 1.0, (("number", 1), ("failure", "timeout"))),
        ("queue", 0.64, 0.66, (("queue_ms", 20.0),)),
        ("attempt", 1.0, 1.9, (("number", 2), ("reason", "timeout"))),
        ("route", 1.0, 1.01, (("tier", "strong"), ("escalated", True))),
        ("verify", 1.0, 1.95, (("checking_ms", 7.5),)),
    )
    return tuple(
        Span(
            id=f"{number:016x}",
            parent_id=None if number == 1 else f"{1:016x}",
            name=name,
            started_at=began + start,
            ended_at=began + end,
            attributes=attributes,
        )
        for number, (name, start, end, attributes) in enumerate(told, 1)
    )


def figures(database: Database, trace: Trace) -> dict[str, object]:
    """The row of a trace."""
    with database.read() as connection:
        return dict(connection.execute(sa.select(traces).where(traces.c.id == trace.id)).mappings().one())


@pytest.fixture
def old() -> list[Trace]:
    """Traces of every kind that an older Ken wrote."""
    return [
        a_trace(1, spans=stages(1001.0)),
        a_trace(
            2, spans=(), evidence=(), cached=True, outcome="abstained", answer="Nothing but “Leave”.", citations="[]"
        ),
        a_trace(3, evidence=(), citations=dump_citations([a_citation("handbook/pay.md")]), cached=True),
        a_trace(4, evidence=(), citations="not JSON", error="Ärger"),
        *(a_trace(n) for n in range(5, 215)),
    ]


def test_older_traces_are_read_as_they_were(
    database: Database, again: Callable[[], Database], old: list[Trace]
) -> None:
    """Texts, spans, passages and feedback are what they were; figures are read off them; no text waits to be thinned."""
    put(database, *old)
    FeedbackBook(database).put(Feedback(trace_id=old[0].id, principal="ada", helpful=False, reason="no", at=1.0))
    before = figures(database, old[0])
    with database.write() as connection:
        downgrade(connection, "0005", name=database.name, lose=True)
        spans = sa.table("spans", sa.column("trace_id"), sa.column("name"), sa.column("position"))
        written = sa.select(spans.c.name).where(spans.c.trace_id == old[0].id).order_by(spans.c.position)
        assert list(connection.scalars(written)) == [span.name for span in old[0].spans]
        told = sa.table("traces", sa.column("id"), sa.column("answer"))
        assert connection.scalar(sa.select(told.c.answer).where(told.c.id == old[1].id)) == old[1].answer
    migrated = again()
    read = Traces(migrated)
    kept = [read.get(trace.id, OPERATOR) for trace in old]
    first, *others = kept
    assert others == [replace(trace, capture="full") for trace in old[1:]]
    assert first == replace(
        old[0],
        capture="full",
        category="leave",
        tier="strong",
        escalated=True,
        reaction=replace(old[0].reaction, helpful=False),
    )
    after = figures(migrated, old[0])
    told_now = {"kept_until", "capture", "category", "tier", "escalated", "helpful", "success"}
    assert {name: value for name, value in after.items() if name not in told_now} == pytest.approx(
        {name: value for name, value in before.items() if name not in told_now}
    )
    assert (after["retries"], after["timeouts"], after["success"]) == (1, 1, "no")
    assert Forgetting(migrated, CaptureRules()).thin(time.time()).thinned == 0
    search = TraceSearch(migrated)
    found = search.find(parsed("retrieve.ms > 500 and helpful = false", now=0.0), OPERATOR)
    assert [each.trace.id for each in found.entries] == [old[0].id]
    assert of_documents(migrated, {"handbook/pay.md"}) == 1
    assert read.get(old[2].id, OPERATOR).answer == WITHDRAWN
    migrated.close()


def test_what_the_older_schema_has_no_place_for_is_told(database: Database, old: list[Trace]) -> None:
    """Others' spans go down among Ken's own, prompts don't; both are counted, and a thinned trace comes up empty."""
    put(database, replace(old[0], prompt="[]"), a_trace(500, capture="metrics"))
    record = Record(database, CaptureRules())
    theirs = Span(id="a" * 16, parent_id=None, name="tool", started_at=1001.0, ended_at=1002.0)
    assert record.append_spans([Arrived(old[0].id, "tools", (theirs,))], principal="key") == 1
    with database.write() as connection:
        losses = downgrade(connection, "0005", name=database.name, lose=True)
        assert rows(connection, "spans") == len(old[0].spans) + 1
        assert rows(connection, "traces") == 2
    assert losses == {"marks of the services that sent spans": 1, "prompts of traces": 1}


def test_figures_are_those_of_the_recorder(database: Database, old: list[Trace]) -> None:
    """The row has what is measured of a trace: stages that ran, attempts, waits, the best passage."""
    put(database, old[0])
    row, measured = figures(database, old[0]), measure(old[0])
    assert row["retrieve_ms"] == measured.stage("retrieve") == pytest.approx(600)
    assert (row["embed_ms"], row["verify_ms"], row["screen_ms"]) == (12.5, 7.5, None)
    assert (row["queue_ms"], row["context_tokens"], row["retries"], row["cache"]) == (20.0, 800, 1, "miss")
    assert (row["relevance"], row["utilisation"]) == (0.9, 0.5)
