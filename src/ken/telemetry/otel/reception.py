"""Takes what others send: many requests in one transaction, and no word that a span is kept before it is on the disk."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ken.domain.trace import Span
from ken.errors import InvalidInput, KenError, Overloaded, StorageError
from ken.storage.record import Arrived
from ken.telemetry.otel.bounds import Encoding, Intake
from ken.telemetry.otel.counts import ReceptionStats

if TYPE_CHECKING:
    from ken.telemetry.otel.receiving import Mark, Read

TELEMETRY = "telemetry"
"""The group whose keys may send spans; operators may, too."""
_MOST_AT_ONCE = 256
"""Requests written in one transaction, at most."""
_MOST_BYTES = 8_000_000
"""Of these together, unpacked; the last one may go beyond it."""
_BUSY_S = 1.0
_MOST_KEYS = 10_000

_log = logging.getLogger(__name__)


class SpanStore(Protocol):
    """The part of `ken.storage.record` that is needed here."""

    def append_spans(self, arrived: Sequence[Arrived], *, principal: str, durable: bool = True) -> int:
        """Keep spans, durably; how many were kept. Raises StorageError, InvalidInput."""
        ...


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a request: on the disk, but for what is counted here."""

    rejected: int = 0
    said: str = ""
    """What was not taken as it came, in words; empty where all was."""


@dataclass(slots=True, eq=False)
class _Request:
    body: bytes
    packing: str
    encoding: Encoding
    principal: str
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Taken]
    found: Read | None = None
    outcome: Taken | KenError | None = None


@dataclass(slots=True)
class _Allowance:
    """What a key may still send: so many spans a second, after a burst of twice as many; one request may go beyond it."""

    left: float
    at: float

    def take(self, spans: int, *, per_s: int, now: float) -> float:
        """Seconds to wait; 0: taken."""
        self.left = min(2.0 * per_s, self.left + (now - self.at) * per_s)
        self.at = now
        if self.left <= 0:
            return (1 - self.left) / per_s
        self.left -= spans
        return 0.0


@dataclass(slots=True)
class _Counts:
    requests: int = 0
    spans: int = 0
    rejected: int = 0
    cut: int = 0
    refused: int = 0
    commits: int = 0


class Reception:
    """One thread that reads, redacts and writes what has come; whoever sent it waits for the disk, and for nothing else."""

    def __init__(
        self,
        store: SpanStore,
        *,
        redacted: Callable[[Span], Span],
        bounds: Intake | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._redacted = redacted
        self._bounds = bounds or Intake()
        self._clock = clock
        self._changed = threading.Condition()
        self._waiting: deque[_Request] = deque()
        self._waiting_bytes = 0
        self._closed = False
        self._allowances: dict[str, _Allowance] = {}
        self._counts = _Counts()
        self._thread: threading.Thread | None = None

    async def take(self, body: bytes, *, packing: str, encoding: Encoding, principal: str) -> Taken:
        """Keep the spans of a request, and come back when they are durable.

        Raises InvalidInput, TooLarge; Overloaded, with the seconds to wait, where the key sends too fast or the disk is behind;
        StorageError.
        """
        loop = asyncio.get_running_loop()
        request = _Request(body, packing, encoding, principal, loop, loop.create_future())
        with self._changed:
            if self._closed or self._waiting_bytes + len(body) > self._bounds.max_waiting_bytes:
                raise Overloaded(
                    "More spans come than can be written. Send them again a little later.", retry_after_s=_BUSY_S
                )
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="ken-reception", daemon=True)
                self._thread.start()
            self._waiting.append(request)
            self._waiting_bytes += len(body)
            self._changed.notify()
        return await request.answer

    def stats(self) -> ReceptionStats:
        """Count what happened so far."""
        with self._changed:
            return ReceptionStats(**{name: getattr(self._counts, name) for name in _Counts.__slots__})

    def close(self) -> None:
        """Write what waits, and end the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while batch := self._next_batch():
            while batch:
                some = self._some(batch)
                try:
                    self._write([request for request in some if request.outcome is None])
                except Exception:  # noqa: BLE001 - others wait for this thread: nothing may end it
                    _log.exception("Spans were not written.")
                self._answer(some)

    def _some(self, batch: list[_Request]) -> list[_Request]:
        """The first of a batch, read: as many as are not too large together when they are unpacked."""
        some: list[_Request] = []
        size = 0
        while batch and size < _MOST_BYTES:
            request = batch.pop(0)
            some.append(request)
            try:
                size += self._read(request)
            except KenError as error:
                request.outcome = error
            except Exception:  # noqa: BLE001 - others wait for this thread: nothing may end it
                _log.exception("A request for /v1/traces can't be read.")
                request.outcome = InvalidInput("The request can't be read. Ken's log says why.")
        return some

    def _next_batch(self) -> list[_Request]:
        """Whatever waits, up to a bound: what comes while one batch is written is the next one."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            batch: list[_Request] = []
            while self._waiting and len(batch) < _MOST_AT_ONCE:
                batch.append(self._waiting.popleft())
                self._waiting_bytes -= len(batch[-1].body)
            return batch

    def _read(self, request: _Request) -> int:
        """Read a request; its bytes, unpacked."""
        # Protobuf and OTLP's messages take 30 ms to load, and most homes are sent nothing.
        from ken.telemetry.otel.receiving import read, unpacked  # noqa: PLC0415

        data = unpacked(request.body, request.packing, max_bytes=self._bounds.max_bytes)
        request.found = read(data, request.encoding, bounds=self._bounds, now=self._clock())
        self._allow(request.principal, request.found.taken)
        return len(data)

    def _allow(self, principal: str, spans: int) -> None:
        per_s, now = self._bounds.spans_per_s, time.monotonic()
        if len(self._allowances) > _MOST_KEYS:
            self._allowances.clear()
        allowance = self._allowances.setdefault(principal, _Allowance(2.0 * per_s, now))
        wait = allowance.take(spans, per_s=per_s, now=now)
        if wait:
            raise Overloaded(
                f"{principal!r} sends more than {per_s} spans a second. Send them again a little later, or raise "
                "`receive_spans_per_s` of [telemetry].",
                retry_after_s=wait,
            )

    def _write(self, requests: Sequence[_Request]) -> None:
        """One transaction for each sender, as a rule one for all."""
        for principal in dict.fromkeys(request.principal for request in requests):
            theirs = [request for request in requests if request.principal == principal]
            try:
                self._keep(theirs, principal)
            except InvalidInput:
                self._write_singly(theirs, principal)
            except KenError as error:
                for request in theirs:
                    request.outcome = error

    def _write_singly(self, requests: Sequence[_Request], principal: str) -> None:
        """Find the request that no database takes, and write the others."""
        for request in requests:
            try:
                self._keep([request], principal)
            except KenError as error:
                request.outcome = error

    def _keep(self, requests: Sequence[_Request], principal: str) -> None:
        together: dict[Mark, list[Span]] = {}
        for request in requests:
            assert request.found is not None  # noqa: S101 - read before
            for mark, spans in request.found.spans.items():
                together.setdefault(mark, []).extend(self._redacted(span) for span in spans)
        arrived = [Arrived(trace_id, service, tuple(spans)) for (trace_id, service), spans in together.items()]
        sent = sum(len(each.spans) for each in arrived)
        kept = self._store.append_spans(arrived, principal=principal) if arrived else 0
        self._counts.commits += bool(arrived)
        self._counts.spans += kept
        # Of a group it isn't known whose spans had no room; nearly always it is none's.
        left_out = sent - kept
        for request in requests:
            assert request.found is not None  # noqa: S101 - read before
            lost = min(left_out, request.found.taken)
            left_out -= lost
            if lost:
                request.found.rejected["their traces have no room, or their texts are no longer kept"] += lost
            request.outcome = Taken(request.found.rejected.total(), request.found.said)

    def _answer(self, batch: Sequence[_Request]) -> None:
        with self._changed:
            for request in batch:
                self._counts.requests += 1
                self._counts.refused += isinstance(request.outcome, KenError)
                if request.found is not None:
                    self._counts.rejected += request.found.rejected.total()
                    self._counts.cut += request.found.cut
        for loop in {request.loop for request in batch}:
            with suppress(RuntimeError):  # the loop has ended, and with it all who wait there
                loop.call_soon_threadsafe(_settle, [request for request in batch if request.loop is loop])


def _settle(requests: Sequence[_Request]) -> None:
    for request in requests:
        if request.answer.done():  # who sent it has hung up
            continue
        if isinstance(request.outcome, Taken):
            request.answer.set_result(request.outcome)
        else:
            request.answer.set_exception(
                request.outcome or StorageError("The spans were not written. Send them again.")
            )
