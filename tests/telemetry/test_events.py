from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from ken.domain.measures import Recorded
from ken.domain.trace import Scalar, Span, SpanStatus
from ken.telemetry.capture import DAY_S
from ken.telemetry.event_sink import EventSink
from ken.telemetry.events import EventBounds, EventFiles, EventLog
from ken.telemetry.measures import measure
from tests.storage.samples import a_trace

NOON = datetime.fromisoformat("2026-03-01T12:00:00+00:00").timestamp()


class Clock:
    """A wall clock that goes where it is put."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        """Read it."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "events"


@pytest.fixture
def files(folder: Path, clock: Clock) -> Iterator[EventFiles]:
    opened = EventFiles(folder, EventBounds(keep_s=10 * DAY_S, max_bytes=20_000), clock=clock)
    yield opened
    opened.close()


def told(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for path in sorted(folder.iterdir()) for line in path.read_text("utf-8").splitlines()]


def span(name: str, *, status: SpanStatus = "ok", **facts: Scalar) -> Span:
    began = NOON + len(name)
    return Span(
        id=f"{abs(hash((name, *facts.items()))) % 10**16:016d}",
        parent_id=None,
        name=name,
        started_at=began,
        ended_at=began + 0.5,
        status=status,
        attributes=tuple(facts.items()),
    )


def test_a_question_is_told_stage_by_stage(folder: Path, files: EventFiles) -> None:
    """One line an event: each stage with its figures, what the cache decided, each failure, retry and fallback, then the whole."""
    spans = (
        span("recall", decision="miss", entry="somebody's words"),
        span("generate", model="small"),
        span("attempt", status="error", number=1, failure="timeout"),
        span("attempt", number=2, reason="timeout"),
        span("fallback", reason="down", to="other"),
        span("queue", queue_ms=3.0),
    )
    trace = a_trace(1, started_at=NOON, spans=spans, failed_checks=("length",), escalated=True)
    EventSink(EventLog(files)).write(
        [Recorded(trace=trace, measures=measure(trace), capture="full", reasons=("flagged",))]
    )
    events = told(folder)
    kinds = {str(event["type"]) for event in events}
    assert kinds == {
        *("cache.decided", "stage.finished", "attempt.failed", "retry", "fallback"),
        *("check.failed", "escalated", "question.finished"),
    }
    assert {event["trace_id"] for event in events} == {trace.id}
    assert all(datetime.fromisoformat(str(event["time"])).tzinfo is not None for event in events)
    by_kind = {event["type"]: event for event in events}
    assert by_kind["cache.decided"]["decision"] == "miss"
    assert by_kind["attempt.failed"]["failure"] == "timeout"
    whole = events[-1]
    assert (whole["type"], whole["attempts"], whole["retries"], whole["timeouts"]) == ("question.finished", 2, 1, 1)
    assert whole["reasons"] == ["flagged"]
    everything = (folder / "ken-2026-03-01.jsonl").read_text("utf-8")
    assert "Question 1" not in everything
    assert "Thirty days" not in everything
    assert "somebody's words" not in everything


def test_others_tell_events_of_their_own(folder: Path, files: EventFiles) -> None:
    """An alert is one line with its facts, without secrets, though it speaks in other alphabets and of line breaks."""
    log = EventLog(files, policy="personal")
    log.emit(
        "alert.firing",
        rule="p99",
        value=1.23456,
        labels=("a", "b"),
        why="Überlast\npassword: hunter2x! ada@lovelace.org",
    )
    assert told(folder) == [
        {
            "time": told(folder)[0]["time"],
            "type": "alert.firing",
            "rule": "p99",
            "value": 1.235,
            "labels": ["a", "b"],
            "why": "Überlast\npassword: [secret] [e-mail]",
        }
    ]


def test_what_cannot_be_written_is_counted_and_nothing_else(tmp_path: Path, files: EventFiles) -> None:
    """A folder that can't be made, a number that JSON hasn't, a time beyond all calendars: lost, counted, and never raised."""
    (tmp_path / "taken").write_text("a file")
    blocked = EventLog(EventFiles(tmp_path / "taken"))
    blocked.emit("alert.firing")
    log = EventLog(files)
    log.emit("odd", value=math.inf)
    log.emit("odd", at=1e20)
    log.emit("even", value=1)
    assert (blocked.lost, log.lost, log.written) == (1, 2, 1)
    EventLog(None).emit("nobody listens")


def test_files_change_with_the_day_and_grow_no_larger_than_allowed(
    folder: Path, files: EventFiles, clock: Clock
) -> None:
    """A file a day; too old ones go, and of too many bytes the oldest; a clock that is set back writes on and removes nothing."""
    log = EventLog(files, clock=clock)
    log.emit("first")
    clock.now += DAY_S
    for number in range(20):
        log.emit("filler", number=number, text="x" * 150)
    names = sorted(path.name for path in folder.iterdir())
    assert {"ken-2026-03-01.jsonl", "ken-2026-03-02.jsonl", "ken-2026-03-02.1.jsonl"} <= set(names)
    assert files.size() > 4_000
    for number in range(300):
        log.emit("filler", number=number, text="x" * 150)
    assert files.size() <= 20_000
    assert log.lost == 0
    assert "ken-2026-03-01.jsonl" not in {path.name for path in folder.iterdir()}
    kept = len(list(folder.iterdir()))
    clock.now -= 5 * DAY_S
    log.emit("back")
    assert (folder / "ken-2026-02-25.jsonl").exists()
    assert len(list(folder.iterdir())) >= kept  # one may have gone for its size
    clock.now += 100 * DAY_S
    log.emit("later")
    assert [path.name for path in folder.iterdir()] == ["ken-2026-06-05.jsonl"]


def test_two_processes_share_a_file(folder: Path, clock: Clock) -> None:
    """Two writers of one home write whole lines, one after the other."""
    one, other = EventFiles(folder, clock=clock), EventFiles(folder, clock=clock)
    for number in range(50):
        EventLog(one, clock=clock).emit("one", number=number)
        EventLog(other, clock=clock).emit("other", number=number)
    assert [event["type"] for event in told(folder)] == ["one", "other"] * 50
    one.close()
    other.close()
