from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest

from ken.domain.measures import Recorded
from ken.domain.trace import Feedback, Reaction
from ken.storage.database import Database
from ken.storage.feedback import FeedbackBook
from ken.storage.record import Record
from ken.storage.record_state import RecordState
from ken.storage.rollups import Rollups
from ken.storage.sqlite import SqliteDatabase
from ken.storage.traces import Traces
from ken.telemetry.capture import CaptureRules
from ken.telemetry.events import EventLog
from ken.telemetry.figures import RollupFigures
from ken.telemetry.preparing import Preparing
from ken.telemetry.reactions import Reactions
from ken.telemetry.recorder import Outlets, Recorder
from ken.telemetry.redacting import Redactor
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
    outlets = Outlets(aggregates=Aggregator(), losses=RecordState(database), sinks=sinks)
    preparing = Preparing(rules=CaptureRules(sample=0.0))
    return Recorder(Record(database, CaptureRules()), preparing=preparing, outlets=outlets, bounds=bounds)


class Listener:
    """A sink that remembers what it heard, or fails."""

    def __init__(self, name: str, *, fails: bool = False) -> None:
        self.name = name
        self.heard: list[Recorded] = []
        self.is_closed = False
        self._fails = fails

    def write(self, batch: Sequence[Recorded]) -> None:
        """Hear."""
        if self._fails:
            raise OSError("no such place")
        self.heard += batch

    def close(self) -> None:
        """Note it."""
        self.is_closed = True


def wait_until(holds: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < give_up
        time.sleep(0.01)


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


def test_a_full_queue_gives_up_detail_first_and_what_is_wrong_last(database: Database, impatient: Database) -> None:
    """Traces beyond the queue keep their figures, then fall; failures keep all; each of them is counted, and the losses noted."""
    recorder = recorder_of(impatient, bounds=Bounds(traces=70, rows=100))
    with locked(database):
        recorder.record(a_trace(0))
        recorder.flush()  # the writer has this one in hand from now on, and takes no other
        for number in range(1, 201):
            recorder.record(a_trace(number))
        for number in range(201, 211):
            recorder.record(a_trace(number, outcome="failed", error="ModelUnavailable: gone"))
        waiting = recorder.stats()
        assert (waiting.waiting, waiting.dropped) == (1 + 100 + 10, 100)
    while not recorder.flush():
        pass
    stats = recorder.stats()
    recorder.close()
    assert (stats.written, stats.dropped, stats.lost, stats.waiting) == (111, 100, 0, 0)
    entries = Traces(database).list(OPERATOR, limit=500).entries
    by_number = {int(trace.id, 16): trace for trace in entries}
    assert {number for number, trace in by_number.items() if trace.capture == "metrics"} == set(range(71, 101))
    assert all(by_number[number].capture == "full" for number in range(201, 211))
    assert Traces(database).get(a_trace(1).id, ADA).spans
    assert {each.kind: each.count for each in RecordState(database).lost()} == {"detail": 30, "row": 100}
    counted = RollupFigures(Rollups(database)).whole("questions", since=0, until=4_000)
    assert counted[""].value == 211


def test_a_full_disk_loses_no_figure(database: Database) -> None:
    """While the disk is full nothing is written and nobody is told twice; with room again all is there."""
    recorder = recorder_of(database)
    held = database.path.stat().st_size // 4096
    with database.write() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count={held + 2}")
    for number in range(50):
        recorder.record(a_trace(number, answer="x" * 2_000))
    assert not recorder.flush()
    assert recorder.stats().waiting == 50
    with database.write() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=1000000")
    while not recorder.flush():
        pass
    recorder.close()
    assert recorder.stats().written == 50


def test_other_sinks_neither_hold_the_store_up_nor_fail_it(database: Database) -> None:
    """A sink that raises loses its batch, which is counted and noted under its name; the store and the next sink get theirs."""
    failing, other = Listener("failing", fails=True), Listener("other")
    recorder = recorder_of(database, sinks=(failing, other))
    recorder.record(a_trace(1, question="password: hunter2x!"))
    assert recorder.flush()
    recorder.close()
    assert recorder.stats().sinks_lost == {"failing": 1}
    assert [each.trace.question for each in other.heard] == ["password: [secret]"]
    assert failing.is_closed
    assert {each.kind: each.count for each in RecordState(database).lost()} == {"failing": 1}


def test_sinks_hear_of_traces_while_the_database_fails(database: Database, impatient: Database) -> None:
    """What can't be written yet is handed out all the same, once."""
    listener = Listener("other")
    recorder = recorder_of(impatient, sinks=(listener,))
    with locked(database):
        recorder.record(a_trace(1))
        assert not recorder.flush()
        wait_until(lambda: len(listener.heard) == 1)
    assert recorder.flush()
    recorder.close()
    assert len(listener.heard) == 1


def test_a_clock_that_jumps_breaks_nothing(database: Database) -> None:
    """Questions of hours ago and of hours ahead are kept and counted in their own minutes."""
    recorder = recorder_of(database)
    now = time.time()
    for number, hours in enumerate((0, -30, 30, -5, 0)):
        recorder.record(a_trace(number, started_at=now + hours * 3600))
    assert recorder.flush()
    stats = recorder.stats()
    recorder.close()
    assert (stats.written, stats.lag_s) == (5, 0.0)
    counted = RollupFigures(Rollups(database)).whole("questions", since=now - 40 * 3600, until=now + 40 * 3600)
    assert counted[""].value == 5


def test_a_thumb_down_has_a_trace_kept_and_corrects_what_was_counted(database: Database) -> None:
    """What somebody found unhelpful is kept whole, its task no longer counts as done, and takes the word of the first back last."""
    recorder = recorder_of(database)
    record, book, rollups = Record(database, CaptureRules(sample=0.0)), FeedbackBook(database), Rollups(database)
    reactions = Reactions(record, book, recorder=recorder, redactor=Redactor(), events=EventLog(None))
    recorder.record(a_trace(1))
    assert recorder.flush()
    for who, helpful in (("ada", True), ("ben", False), ("ben", True), ("ben", False)):
        reactions.said(Feedback(trace_id=a_trace(1).id, principal=who, helpful=helpful, reason="pwd=abc123x!", at=1.0))
    reactions.scored(a_trace(1).id, quality=2.0)
    assert recorder.flush()
    recorder.close()
    kept = Traces(database).get(a_trace(1).id, ADA)
    assert (kept.capture, kept.reaction) == ("full", Reaction(quality=2.0, helpful=False))
    assert {each.reason for each in book.of_trace(kept.id)} == {"pwd=[secret]"}
    figures = RollupFigures(rollups)
    assert figures.whole("success_rate", since=0, until=4_000)[""].value == 0.0
    assert figures.whole("quality.mean", since=0, until=4_000)[""].value == pytest.approx(2.0, rel=0.02)
    reactions.said(Feedback(trace_id=kept.id, principal="ben", helpful=True, reason="", at=2.0))
    assert Traces(database).get(kept.id, ADA).reaction.helpful is True


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
