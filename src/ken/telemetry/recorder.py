"""Writes traces behind the questions' back: no question waits for the record, and none fails with it."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ken.domain.measures import Recorded
from ken.domain.rollup import Cell
from ken.domain.trace import Success, Trace
from ken.errors import InvalidInput, KenError, StorageError
from ken.telemetry.capture import decide
from ken.telemetry.preparing import Preparing
from ken.telemetry.sink import Sink
from ken.telemetry.slowness import Slowness
from ken.telemetry.waiting import Bounds, Rank, Waiting

BATCH = 64
"""Traces written in one transaction, at most."""
DELAY_S = 0.2
"""How long a trace waits for company, at most: what a killed process loses."""
_RETRY_S = 0.5

_log = logging.getLogger(__name__)


class Rows(Protocol):
    """The store, as the recorder uses it: `storage.record.Record`."""

    def add(self, batch: Sequence[Recorded], cells: Sequence[Cell] = ()) -> int:
        """Keep traces and what was counted, in one transaction; how many traces were new.

        Raises StorageError, and InvalidInput where one of the traces can't be stored; then nothing is.
        """
        ...


class Aggregates(Protocol):
    """Counts every trace, also one that is not kept; for several threads: `telemetry.rollup.Aggregator`."""

    def fold(self, recorded: Recorded) -> None:
        """Count a trace."""
        ...

    def fold_reaction(self, before: Trace, after: Trace, *, success: tuple[Success, Success] | None = None) -> None:
        """Count what was said of a trace that was counted before."""
        ...

    def take(self) -> Sequence[Cell]:
        """What was counted since the last time."""
        ...


class Losses(Protocol):
    """Where losses are noted for later: `storage.record_state.RecordState`."""

    def note_lost(self, counts: Mapping[str, int], *, at: float | None = None) -> None:
        """Add to what was lost. Raises StorageError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderStats:
    """Counts since the start."""

    accepted: int
    """Taken, with all or with their figures alone."""
    written: int
    known: int
    """Not written, as a trace with that id was there already."""
    thinned: int
    """Taken without texts and spans, as the queue was full."""
    dropped: int
    """Not taken, as the queue was full of figures even, or the recorder closed."""
    lost: int
    """Accepted and given up: unwritable, or still waiting when a failing database was closed."""
    failures: int
    """Attempts at writing that failed."""
    waiting: int
    waiting_bytes: int
    """About how much memory that takes."""
    lag_s: float
    """How long the oldest of them has waited."""
    sinks_lost: Mapping[str, int]
    """Traces that another sink failed to take, by its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlets:
    """What else is told of traces: counted before they are written, handed out after."""

    aggregates: Aggregates | None = None
    sinks: Sequence[Sink] = ()
    losses: Losses | None = None


@dataclass(slots=True)
class _Counts:
    accepted: int = 0
    written: int = 0
    known: int = 0
    refused: int = 0
    lost: int = 0
    failures: int = 0
    sinks: Counter[str] = field(default_factory=Counter[str])
    unwritable: int = 0
    noted: Counter[str] = field(default_factory=Counter[str])
    """What of the losses was noted already."""


class Recorder:
    """A bounded queue and one thread that empties it in batches: redact, measure, decide, count, write, hand out.

    While the database fails, traces wait in the queue and are tried again every half second; the log says once when that begins and
    once when it ends. When too many wait, the detail of those gives way that would have been thinned anyway, then of those that were
    drawn, then of those with which something was wrong, then whole rows in the same order; what was counted of them stays.
    """

    def __init__(
        self,
        rows: Rows,
        *,
        preparing: Preparing | None = None,
        outlets: Outlets | None = None,
        bounds: Bounds | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._rows = rows
        self._preparing = Preparing() if preparing is None else preparing
        self._outlets = Outlets() if outlets is None else outlets
        self._bounds = Bounds() if bounds is None else bounds
        self._clock = clock
        self._slowness = Slowness()
        self._changed = threading.Condition()
        self._cells: Sequence[Cell] = ()
        """Counted, and not written yet."""
        self._stirred = False
        self._waiting = Waiting(self._bounds)
        self._writing = 0
        self._hurried = False
        self._closed = False
        self._failing = False
        self._counts = _Counts()
        self._thread = threading.Thread(target=self._run, name="ken-recorder", daemon=True)
        self._thread.start()

    def record(self, trace: Trace) -> None:
        """Take a trace; returns at once. What a full queue has no room for is counted as dropped."""
        with self._changed:
            if self._closed:
                self._counts.refused += 1
                return
            if self._waiting.put(trace):
                self._took_one()
                return
        self._squeeze_in(trace)

    def recount(self, before: Trace, after: Trace, *, success: tuple[Success, Success]) -> None:
        """Count what was said of a trace that is on record. `success`: whether its task counted as done, and does now."""
        if self._outlets.aggregates is not None:
            self._outlets.aggregates.fold_reaction(before, after, success=success)
            self.stir()

    def stir(self) -> None:
        """Have what was counted besides traces written, soon: nobody asks how busy the processes are when nothing is asked."""
        with self._changed:
            self._stirred = True
            self._changed.notify_all()

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until what was recorded so far is written; False when time ran out or the database failed."""
        with self._changed:
            goal, failures = self._counts.accepted, self._counts.failures
            self._hurried = True
            self._changed.notify_all()
            return (
                self._changed.wait_for(lambda: self._settled() >= goal or self._counts.failures > failures, timeout)
                and self._settled() >= goal
            )

    def close(self) -> None:
        """Write what waits, end the thread and close the sinks. What a failing database doesn't take now is lost, and counted."""
        with self._changed:
            is_first = not self._closed
            self._closed = True
            self._changed.notify_all()
        self._thread.join()
        if is_first:
            for sink in self._outlets.sinks:
                sink.close()

    def stats(self) -> RecorderStats:
        """Count what happened so far."""
        with self._changed:
            counts = self._counts
            return RecorderStats(
                accepted=counts.accepted,
                written=counts.written,
                known=counts.known,
                thinned=self._waiting.dropped["detail"],
                dropped=counts.refused + self._waiting.dropped["row"] + self._waiting.dropped["important"],
                lost=counts.lost,
                failures=counts.failures,
                waiting=len(self._waiting) + self._writing,
                waiting_bytes=self._waiting.bytes,
                lag_s=self._waiting.oldest_s,
                sinks_lost=dict(counts.sinks),
            )

    def _took_one(self) -> None:
        self._counts.accepted += 1
        # The thread waits for nothing else, and to wake it costs the time of whoever records.
        if len(self._waiting) in {1, BATCH}:
            self._changed.notify_all()

    def _squeeze_in(self, trace: Trace) -> None:
        """Take of a trace what there is room for. What it comes to is counted, whatever becomes of it."""
        decision = decide(trace, self._preparing.rules)
        rank: Rank = (
            "plain" if decision.capture != "full" else "sampled" if decision.reasons == ("sampled",) else "important"
        )
        with self._changed:
            if rank != "plain" and self._waiting.put(trace, rank):
                self._took_one()
                return
        figures = self._preparing.figures(trace)
        self._fold([figures])
        with self._changed:
            if self._waiting.put_figures(figures, rank):
                self._took_one()

    def _settled(self) -> int:
        return self._counts.written + self._counts.known + self._counts.lost

    def _run(self) -> None:
        while True:
            batch, is_last = self._next_batch()
            ready = self._prepared(batch)
            self._fold([each for each, was in ready if isinstance(was, Trace)])
            recorded = [each for each, _ in ready]
            is_written = self._write(recorded)
            self._hand_out(recorded)
            while not is_written and not self._given_up(recorded):
                is_written = self._write(recorded)
            self._note_losses()
            if is_last:
                break

    def _next_batch(self) -> tuple[list[Trace | Recorded], bool]:
        """Wait for traces, or for what was counted besides; whether this is the last batch, as the recorder is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed or self._stirred)
            self._changed.wait_for(
                lambda: len(self._waiting) >= BATCH or self._hurried or self._closed, timeout=DELAY_S
            )
            batch = self._waiting.take(BATCH)
            self._stirred = False
            self._hurried = self._hurried and bool(self._waiting)
            self._writing = len(batch)
            return batch, self._closed and not self._waiting

    def _prepared(self, batch: Sequence[Trace | Recorded]) -> list[tuple[Recorded, Trace | Recorded]]:
        """Each with what it was; without those that a fault of ours makes impossible to prepare."""
        ready: list[tuple[Recorded, Trace | Recorded]] = []
        for each in batch:
            try:
                ready.append(
                    (self._preparing.recorded(each, self._slowness) if isinstance(each, Trace) else each, each)
                )
            except Exception:  # noqa: BLE001 - a fault of ours in one trace must not end the record of all others
                trace = each if isinstance(each, Trace) else each.trace
                _log.exception("The trace %s can't be prepared and is given up.", trace.id)
                self._lose(1)
        return ready

    def _fold(self, many: Sequence[Recorded]) -> None:
        if self._outlets.aggregates is not None:
            for each in many:
                self._outlets.aggregates.fold(each)

    def _write(self, recorded: Sequence[Recorded]) -> bool:
        """Have the store keep them, with what was counted; False where it fails for now."""
        if not self._cells and self._outlets.aggregates is not None:
            self._cells = self._outlets.aggregates.take()
        if not recorded and not self._cells:
            return True
        try:
            added = self._rows.add(recorded, self._cells)
        except StorageError as error:
            self._failed(error)
            return False
        except InvalidInput:
            self._write_singly(recorded)
        except Exception:  # noqa: BLE001 - a fault of ours must not end the record of what comes after
            _log.exception("Traces can't be written together.")
            self._write_singly(recorded)
        else:
            self._account(len(recorded), added)
        self._cells = ()
        return True

    def _account(self, many: int, added: int) -> None:
        with self._changed:
            self._writing = 0
            self._counts.written += added
            self._counts.known += many - added
            recovered, self._failing = self._failing, False
            self._changed.notify_all()
        if recovered:
            _log.info("Traces are being written again.")

    def _failed(self, error: StorageError) -> None:
        with self._changed:
            self._counts.failures += 1
            first, self._failing = not self._failing, True
            self._changed.notify_all()
        if first:
            _log.error("Traces can't be written; up to %d are kept waiting. %s", self._bounds.rows, error)

    def _given_up(self, recorded: Sequence[Recorded]) -> bool:
        """Wait for another attempt; after closing, give up what waits."""
        with self._changed:
            if not self._closed:
                self._changed.wait_for(lambda: self._closed, timeout=_RETRY_S)
                return False
            self._writing = 0
            lost = len(recorded) + len(self._waiting)
            self._counts.lost += lost
            self._waiting.take(len(self._waiting))
            self._changed.notify_all()
        if lost:
            _log.error("%d traces are lost, as they could not be written before Ken ended.", lost)
        return True

    def _write_singly(self, recorded: Sequence[Recorded]) -> None:
        """Find the trace that no database takes, and write the others, and what was counted of all."""
        added = lost = 0
        for each in recorded:
            try:
                added += self._rows.add([each])
            except Exception:  # noqa: BLE001 - whatever it is that it has, it's the only one of them that is given up
                lost += 1
                _log.exception("The trace %s can't be written and is given up.", each.trace.id)
        try:
            self._rows.add([], self._cells)
        except Exception:  # noqa: BLE001 - the thread goes on with what comes after
            _log.exception("What was counted of %d traces can't be written and is given up.", len(recorded))
        self._lose(lost)
        self._account(len(recorded) - lost, added)

    def _lose(self, many: int) -> None:
        with self._changed:
            self._counts.lost += many
            self._counts.unwritable += many
            self._changed.notify_all()

    def _hand_out(self, recorded: Sequence[Recorded]) -> None:
        for sink in self._outlets.sinks:
            try:
                sink.write(recorded)
            except (KenError, OSError) as error:
                with self._changed:
                    first = sink.name not in self._counts.sinks
                    self._counts.sinks[sink.name] += len(recorded)
                if first:
                    _log.warning("The sink %s does not take traces, which the record has: %s", sink.name, error)

    def _note_losses(self) -> None:
        """Have the record say what it lost, once it can be written again."""
        with self._changed:
            lost = self._waiting.dropped + Counter(self._counts.sinks)
            lost["unwritable"] += self._counts.unwritable
            new = lost - self._counts.noted
        if not new or self._failing or self._outlets.losses is None:
            return
        try:
            self._outlets.losses.note_lost(new, at=self._clock())
        except StorageError:
            return  # the next batch brings it along
        self._counts.noted = lost
