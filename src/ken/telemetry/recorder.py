"""Writes traces behind the questions' back: no question waits for the record, and none fails with it."""

from __future__ import annotations

import logging
import threading
from collections import deque
from dataclasses import dataclass

from ken.domain.trace import Trace
from ken.errors import InvalidInput, StorageError
from ken.storage.traces import Traces

CAPACITY = 2_048
"""Traces that may wait to be written."""
BATCH = 64
"""Traces written in one transaction, at most."""
DELAY_S = 0.2
"""How long a trace waits for company, at most."""
_RETRY_S = 0.5

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderStats:
    """Counts since the start."""

    accepted: int
    written: int
    known: int
    """Not written, as a trace with that id was there already."""
    dropped: int
    """Not accepted: the queue was full, or the recorder closed."""
    lost: int
    """Accepted and given up: unwritable, or still waiting when a failing database was closed."""
    failures: int
    """Attempts at writing that failed."""
    waiting: int


class Recorder:
    """A bounded queue and one thread that empties it in batches.

    While the database fails, traces wait in the queue and are tried again every half second; the log says once when that
    begins and once when it ends.
    """

    def __init__(self, traces: Traces, *, capacity: int = CAPACITY) -> None:
        self._traces = traces
        self._capacity = capacity
        self._changed = threading.Condition()
        self._waiting: deque[Trace] = deque()
        self._writing = 0
        self._hurried = False
        self._closed = False
        self._accepted = self._written = self._known = self._dropped = self._lost = self._failures = 0
        self._failing = False
        self._thread = threading.Thread(target=self._run, name="ken-recorder", daemon=True)
        self._thread.start()

    def record(self, trace: Trace) -> None:
        """Take a trace; returns at once. A full queue or a closed recorder drops it and counts."""
        with self._changed:
            if self._closed or len(self._waiting) >= self._capacity:
                self._dropped += 1
                return
            self._accepted += 1
            self._waiting.append(trace)
            if len(self._waiting) in {
                1,
                BATCH,
            }:  # the thread waits for nothing else, and to wake it costs this one's time
                self._changed.notify_all()

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until what was recorded so far is written; False when time ran out or the database failed."""
        with self._changed:
            goal, failures = self._accepted, self._failures
            self._hurried = True
            self._changed.notify_all()
            return (
                self._changed.wait_for(lambda: self._settled() >= goal or self._failures > failures, timeout)
                and self._settled() >= goal
            )

    def close(self) -> None:
        """Write what waits and end the thread. What a failing database doesn't take now is lost, and counted."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def stats(self) -> RecorderStats:
        """Count what happened so far."""
        with self._changed:
            return RecorderStats(
                accepted=self._accepted,
                written=self._written,
                known=self._known,
                dropped=self._dropped,
                lost=self._lost,
                failures=self._failures,
                waiting=len(self._waiting) + self._writing,
            )

    def _settled(self) -> int:
        return self._written + self._known + self._lost

    def _run(self) -> None:
        while batch := self._next_batch():
            try:
                added = self._traces.add(batch)
            except StorageError as error:
                self._put_back(batch, error)
            except InvalidInput:
                self._write_singly(batch)
            else:
                self._account(batch, added)

    def _next_batch(self) -> list[Trace]:
        """Wait for traces; an empty list once the recorder is closed and nothing waits."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            self._changed.wait_for(
                lambda: len(self._waiting) >= BATCH or self._hurried or self._closed, timeout=DELAY_S
            )
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            self._hurried = self._hurried and bool(self._waiting)
            self._writing = len(batch)
            return batch

    def _account(self, batch: list[Trace], added: int) -> None:
        with self._changed:
            self._writing = 0
            self._written += added
            self._known += len(batch) - added
            recovered, self._failing = self._failing, False
            self._changed.notify_all()
        if recovered:
            _log.info("Traces are being written again.")

    def _put_back(self, batch: list[Trace], error: StorageError) -> None:
        """Keep the traces for another attempt, in their order, unless this was the last one."""
        with self._changed:
            self._writing = 0
            self._failures += 1
            first, self._failing = not self._failing, True
            if self._closed:
                self._lost += len(batch) + len(self._waiting)
                self._waiting.clear()
            else:
                self._waiting.extendleft(reversed(batch))
            self._changed.notify_all()
        if first:
            _log.error("Traces can't be written; up to %d are kept waiting. %s", self._capacity, error)
        with self._changed:
            self._changed.wait_for(lambda: self._closed, timeout=_RETRY_S)

    def _write_singly(self, batch: list[Trace]) -> None:
        """Find the trace that no database takes, and write the others."""
        added = lost = 0
        for trace in batch:
            try:
                added += self._traces.add([trace])
            except (InvalidInput, StorageError):
                lost += 1
                _log.exception("The trace %s can't be written and is given up.", trace.id)
        with self._changed:
            self._writing = 0
            self._written += added
            self._known += len(batch) - added - lost
            self._lost += lost
            self._changed.notify_all()
