from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from ken.storage.database import Database
from ken.storage.record import Record
from ken.storage.record_state import RecordState
from ken.storage.rollups import Rollups
from ken.storage.sqlite import SqliteDatabase
from ken.storage.traces import Traces
from ken.telemetry.capture import CaptureRules
from ken.telemetry.recorder import Outlets, Recorder
from ken.telemetry.rollup import Aggregator
from ken.telemetry.sink import Sink
from ken.telemetry.waiting import Bounds
from tests.storage.samples import ADA, OPERATOR, a_trace


@pytest.fixture
def impatient(database: Database) -> Iterator[Database]:
    """The same database, opened by somebody who doesn't wait for other writers."""
    opened = SqliteDatabase(database.home, busy_s=0.05)
    yield opened
    opened.close()


def recorder_of(database: Database, *, bounds: Bounds | None = None, sinks: Sequence[Sink] = ()) -> Recorder:
    """A recorder as a home has it."""
    outlets = Outlets(aggregates=Aggregator(Rollups(database)), losses=RecordState(database), sinks=sinks)
    return Recorder(Record(database, CaptureRules()), outlets=outlets, bounds=bounds)


@contextmanager
def locked(database: Database) -> Iterator[None]:
    """A time in which another program holds the write lock."""
    connection = sqlite3.connect(database.path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    yield
    connection.close()


def test_a_recorded_trace_is_there_after_a_flush(database: Database) -> None:
    """Recording returns at once; after a flush the trace is read as it was recorded."""
    recorder = recorder_of(database)
    recorder.record(a_trace())
    assert recorder.flush()
    assert Traces(database).get(a_trace().id, ADA) == a_trace()
    assert recorder.flush()
    recorder.close()


def test_a_trace_is_written_without_being_asked_for(database: Database) -> None:
    """Within a moment a lone trace is in the database, though nobody flushed."""
    recorder = recorder_of(database)
    recorder.record(a_trace())
    give_up = time.monotonic() + 5
    while not Traces(database).exists(a_trace().id):
        assert time.monotonic() < give_up
        time.sleep(0.02)
    recorder.close()


def test_closing_writes_what_waits(database: Database) -> None:
    """Traces of many threads are all there after closing, and later ones are dropped and counted."""
    recorder = recorder_of(database)

    def ask(thread: int) -> None:
        for number in range(100):
            recorder.record(a_trace(thread * 1000 + number))

    threads = [threading.Thread(target=ask, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    recorder.close()
    recorder.close()
    recorder.record(a_trace(9999))
    stats = recorder.stats()
    assert (stats.accepted, stats.written, stats.dropped, stats.waiting) == (400, 400, 1, 0)
    assert len(Traces(database).list(OPERATOR, limit=500).entries) == 400


def test_a_failing_database_is_told_once_and_loses_nothing(
    database: Database, impatient: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """Questions go on, the log says once what is wrong and once that it is over, and the traces get written."""
    caplog.set_level(logging.INFO, "ken.telemetry.recorder")
    recorder = recorder_of(impatient)
    with locked(database):
        recorder.record(a_trace(1))
        assert not recorder.flush()
        recorder.record(a_trace(2))
        assert not recorder.flush()
        assert recorder.stats().waiting == 2
    assert recorder.flush()
    recorder.close()
    stats = recorder.stats()
    assert (stats.written, stats.lost, stats.dropped) == (2, 0, 0)
    assert stats.failures >= 2
    assert [entry.levelname for entry in caplog.records] == ["ERROR", "INFO"]
    assert "ken.db" in caplog.messages[0]
    assert "another process" in caplog.messages[0]
    assert all(entry.exc_info is None for entry in caplog.records)


def test_a_full_queue_drops_and_counts(database: Database, impatient: Database) -> None:
    """While nothing can be written, no more traces wait than the queue holds; the oldest are kept."""
    recorder = recorder_of(impatient, bounds=Bounds(traces=10, rows=15))
    with locked(database):
        for number in range(30):
            recorder.record(a_trace(number))
        assert not recorder.flush()
        assert recorder.stats().dropped > 0
    assert recorder.flush()
    stats = recorder.stats()
    assert stats.written + stats.dropped == 30
    assert 10 <= stats.written <= 20
    assert Traces(database).exists(a_trace(0).id)
    recorder.close()


def test_closing_over_a_failing_database_counts_the_lost(database: Database, impatient: Database) -> None:
    """Closing does not wait for a database that can't be written; what waited is counted as lost."""
    recorder = recorder_of(impatient)
    with locked(database):
        recorder.record(a_trace(1))
        recorder.flush()
        began = time.monotonic()
        recorder.close()
        assert time.monotonic() - began < 5
    stats = recorder.stats()
    assert (stats.lost, stats.written, stats.waiting) == (1, 0, 0)


def test_a_trace_that_cannot_be_stored_takes_no_other_along(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """Of a batch with impossible traces the others are written; the impossible ones are logged by id and counted."""
    recorder = recorder_of(database)
    for trace in (
        a_trace(1),
        a_trace(2, question="\ud800"),
        a_trace(3, input_tokens=2**70),
        a_trace(4, spans=a_trace().spans * 2),
        a_trace(5),
    ):
        recorder.record(trace)
    assert recorder.flush()
    recorder.record(a_trace(6))
    assert recorder.flush()
    recorder.close()
    stats = recorder.stats()
    assert (stats.written, stats.lost) == (3, 3)
    assert [int(trace.id, 16) for trace in Traces(database).list(ADA).entries] == [6, 5, 1]
    assert [a_trace(number).id in message for number, message in zip((2, 3, 4), caplog.messages, strict=True)] == [
        True
    ] * 3


def test_a_known_trace_is_counted_as_known(database: Database) -> None:
    """A second trace under one id is neither written nor lost."""
    recorder = recorder_of(database)
    recorder.record(a_trace(1))
    recorder.record(a_trace(1, answer="another"))
    assert recorder.flush()
    recorder.close()
    stats = recorder.stats()
    assert (stats.accepted, stats.written, stats.known, stats.lost) == (2, 1, 1, 0)
