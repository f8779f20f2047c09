from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as OtlpSpan

from ken.domain.principal import Principal
from ken.domain.trace import Span
from ken.errors import NotFound, StorageError
from ken.storage.database import Database
from ken.storage.record import MOST_BATCHES, Arrived, Record
from ken.storage.sqlite import SqliteDatabase
from ken.storage.traces import Traces
from ken.telemetry.capture import CaptureRules
from ken.telemetry.otel.reception import Reception, Taken
from ken.telemetry.redacting import Redactor
from tests.storage.samples import ADA, OPERATOR, a_trace, put

SENDER = Principal("key-of-a-tool", frozenset({"telemetry"}))


def a_request(trace_id: str, *names: str) -> bytes:
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    for number, name in enumerate(names, 1):
        now = time.time_ns()
        ids = {"trace_id": bytes.fromhex(trace_id), "span_id": number.to_bytes(8)}
        spans.append(OtlpSpan(name=name, start_time_unix_nano=now, end_time_unix_nano=now, **ids))
    return request.SerializeToString()


def take(reception: Reception, *requests: bytes) -> list[Taken | BaseException]:
    """Send requests at the same moment."""

    async def together() -> list[Taken | BaseException]:
        sent = [reception.take(each, packing="", encoding="protobuf", principal=SENDER.id) for each in requests]
        return await asyncio.gather(*sent, return_exceptions=True)

    return asyncio.run(together())


@pytest.fixture
def reception(database: Database) -> Iterator[Reception]:
    opened = Reception(Record(database, CaptureRules()), redacted=Redactor().span)
    yield opened
    opened.close()


def test_a_trace_begun_by_others_is_taken_over_by_kens_own(database: Database, reception: Reception) -> None:
    """Until then whoever sent it may read it; afterwards it is the asker's, with everybody's spans."""
    trace_id = a_trace().id
    assert take(reception, a_request(trace_id, "early")) == [Taken()]
    traces = Traces(database)
    assert traces.get(trace_id, SENDER).kind == "external"
    assert not traces.exists(trace_id)
    assert put(database, a_trace()) == 1
    trace = traces.get(trace_id, ADA)
    assert (trace.kind, trace.question) == ("question", a_trace().question)
    # The span's id is that of Ken's own root, whose place it doesn't take.
    assert [span.name for span in trace.spans] == [span.name for span in a_trace().spans]
    with pytest.raises(NotFound):
        traces.get(trace_id, SENDER)


def test_requests_for_one_trace_that_come_together_are_one_batch(database: Database, reception: Reception) -> None:
    """Several services' worth of small requests don't use up the batches of a trace."""
    trace_id = "ab" * 16
    for round_ in range(3):
        assert set(take(reception, *(a_request(trace_id, "s") for _ in range(50)))) == {Taken()}, round_
    assert reception.stats().spans == 150
    assert reception.stats().commits < 150
    assert len(Traces(database).get(trace_id, OPERATOR).spans) == 1


def test_a_trace_without_room_takes_no_more_and_says_so(database: Database, reception: Reception) -> None:
    """After so many batches a trace's spans are left out; so are those of a trace whose texts are gone."""
    record = Record(database, CaptureRules())
    full, thinned = "cd" * 16, a_trace(7, capture="metrics")
    span = Span(id="0" * 15 + "1", parent_id=None, name="s", started_at=time.time(), ended_at=time.time())
    record.append_spans([Arrived(full, "s", (span,))] * MOST_BATCHES, principal=SENDER.id)
    put(database, thinned)
    for trace_id in (full, thinned.id):
        (taken,) = take(reception, a_request(trace_id, "more"))
        assert isinstance(taken, Taken)
        assert (taken.rejected, "no room" in taken.said) == (1, True)
    assert Traces(database).get(thinned.id, OPERATOR).spans == ()


def test_a_locked_database_is_told_and_what_comes_later_is_kept(sqlite: SqliteDatabase) -> None:
    """While another program holds the write lock, senders get an error that they may try again after; then all is well."""
    impatient = SqliteDatabase(sqlite.home, busy_s=0.05)
    reception = Reception(Record(impatient, CaptureRules()), redacted=Redactor().span)
    locker = sqlite3.connect(sqlite.path, isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    (failed,) = take(reception, a_request("ef" * 16, "s"))
    assert isinstance(failed, StorageError)
    locker.close()
    assert take(reception, a_request("ef" * 16, "s")) == [Taken()]
    reception.close()
    impatient.close()


def test_a_tool_of_kens_own_record_is_linked_when_it_is_read(database: Database) -> None:
    """The link is made from what both spans say, whichever of them came first."""
    call = replace(a_trace().spans[1], id="c" * 16, name="call", attributes=(("tool_calls", "t1,t2"),))
    tool = Span(
        id="d" * 16,
        parent_id=None,
        name="execute_tool",
        started_at=9e8,
        ended_at=9e8,
        attributes=(("gen_ai.tool.call.id", "t2"),),
    )
    put(database, a_trace(3, spans=(*a_trace().spans, call)))
    Record(database, CaptureRules()).append_spans([Arrived(a_trace(3).id, "tools", (tool,))], principal=SENDER.id)
    spans = {span.id: span for span in Traces(database).get(a_trace(3).id, ADA).spans}
    assert [(link.span_id, link.reason) for link in spans["d" * 16].links] == [("c" * 16, "asked for")]
