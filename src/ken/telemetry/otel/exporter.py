"""The sink that sends traces to a collector: behind the recorder's back, as the recorder is behind the questions'."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from ken.domain.measures import Recorded
from ken.domain.trace import Trace
from ken.telemetry.otel.counts import ExportStats
from ken.telemetry.otel.destination import Destination
from ken.telemetry.otel.encoding import Encoder, is_shared, resource_of
from ken.telemetry.otel.instruments import Instruments
from ken.telemetry.otel.sending import Delivery, Patience, Post, Signal

CAPACITY = 2_048
"""Traces that may wait to be sent."""
BATCH = 64
"""Traces sent in one request, at most."""
DELAY_S = 1.0
"""How long a trace waits for company, at most."""

_UNFIT = (ValueError, TypeError, OverflowError)

_log = logging.getLogger(__name__)


class OtlpExporter:
    """A Sink: a bounded queue, and one thread that sends what is in it. Metrics go out from the same thread, at intervals."""

    name = "otlp"

    def __init__(
        self,
        destination: Destination,
        *,
        patience: Patience | None = None,
        capacity: int = CAPACITY,
        delay_s: float = DELAY_S,
    ) -> None:
        self._destination = destination
        self._patience = patience or Patience()
        self._capacity = capacity
        self._delay_s = delay_s
        resource = resource_of(destination.service_name, destination.resource)
        self._encoder = Encoder(resource, convention=destination.convention, content=destination.content)
        self._instruments = (
            None if destination.metrics_url is None else Instruments(resource, convention=destination.convention)
        )
        self._changed = threading.Condition()
        self._waiting: deque[Trace] = deque()
        self._sending = 0
        self._hurried = self._closed = False
        self._failing: set[Signal] = set()
        self._stats = ExportStats()
        self._runner = asyncio.Runner()
        self._post: Post | None = None
        self._metrics_due = time.monotonic() + destination.metrics_every_s
        self._thread = threading.Thread(target=self._run, name="ken-otlp", daemon=True)
        self._thread.start()

    def write(self, batch: Sequence[Recorded]) -> None:
        """Take traces to be sent; returns at once. A full queue or a closed exporter drops them and counts."""
        traces = [one.trace for one in batch]
        shared = [trace for trace in traces if is_shared(trace.id, self._destination.share)]
        if self._instruments is not None:
            for trace in traces:
                self._instruments.count(trace)
        with self._changed:
            room = 0 if self._closed else max(0, self._capacity - len(self._waiting))
            self._waiting.extend(shared[:room])
            self._note(accepted=len(shared[:room]), dropped=len(shared[room:]), left_out=len(traces) - len(shared))
            self._changed.notify_all()

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until what was taken so far is sent or lost; False when time ran out."""
        with self._changed:
            self._hurried = True
            self._changed.notify_all()
            return self._changed.wait_for(
                lambda: not self._waiting and not self._sending and not self._hurried, timeout
            )

    def close(self) -> None:
        """Send what waits, for some seconds at most, and end. What is not sent then is lost, and counted."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        with self._changed:
            post = self._post
        if post is not None:
            with suppress(RuntimeError):  # the thread has ended, and its loop with it
                self._runner.get_loop().call_soon_threadsafe(post.close)
        self._thread.join(self._patience.close_s)  # it is a daemon: a request that hangs ends with the process
        with self._changed:
            self._note(lost=len(self._waiting))
            self._waiting.clear()

    def stats(self) -> ExportStats:
        """Count what happened so far."""
        with self._changed:
            return replace(self._stats, waiting=len(self._waiting) + self._sending)

    def _run(self) -> None:
        with self._runner:
            self._runner.run(self._open())
            while self._step():
                pass  # each step waits for its batch
            if self._instruments is not None:
                self._instruments.close()

    async def _open(self) -> None:
        post = Post(self._destination.headers, patience=self._patience)
        with self._changed:
            self._post = post

    def _step(self) -> bool:
        """Send one batch, and the metrics where they are due; False at the end."""
        batch, is_last = self._next_batch()
        try:
            self._send(batch)
            if self._instruments is not None and (is_last or self._hurried or time.monotonic() >= self._metrics_due):
                self._send_metrics(self._instruments)
        except Exception:  # noqa: BLE001 - a fault of ours in one batch must not end the sending of all others
            _log.exception("Traces were not sent.")
            with self._changed:
                self._note(lost=self._sending)
                self._sending = 0
        with self._changed:
            if not self._waiting:
                self._hurried = False
                self._changed.notify_all()
        return not is_last

    def _encoded(self, batch: list[Trace]) -> tuple[bytes, int]:
        """The batch in OTLP, and how many traces that are: one with a figure that OTLP can't hold is lost."""
        try:
            return self._encoder.encode(batch), len(batch)
        except _UNFIT:
            pass
        fit: list[Trace] = []
        for trace in batch:
            try:
                self._encoder.encode([trace])
            except _UNFIT:
                _log.exception("The trace %s can't be put into OTLP and is not sent.", trace.id)
            else:
                fit.append(trace)
        with self._changed:
            self._note(lost=len(batch) - len(fit))
        return self._encoder.encode(fit), len(fit)

    def _send(self, batch: list[Trace]) -> None:
        if batch:
            body, count = self._encoded(batch)
            self._account(count, self._deliver(self._destination.traces_url, body, signal="traces"))

    def _next_batch(self) -> tuple[list[Trace], bool]:
        """Wait for traces, or for the metrics' time; whether these are the last."""
        with self._changed:
            until = max(0.0, self._metrics_due - time.monotonic()) if self._instruments is not None else None
            self._changed.wait_for(lambda: self._waiting or self._closed or self._hurried, timeout=until)
            self._changed.wait_for(
                lambda: len(self._waiting) >= BATCH or self._closed or self._hurried,
                timeout=self._delay_s if self._waiting else 0,
            )
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            self._sending = len(batch)
            return batch, self._closed and not self._waiting

    def _deliver(self, url: str, body: bytes, *, signal: Signal) -> Delivery:
        assert self._post is not None  # noqa: S101 - made before the first step
        if self._closed:
            self._post.close()  # one try each, and no more
        return self._runner.run(self._post.deliver(url, body, signal=signal))

    def _send_metrics(self, instruments: Instruments) -> None:
        self._metrics_due = time.monotonic() + self._destination.metrics_every_s
        body, url = instruments.encode(), self._destination.metrics_url
        if body is None or url is None:
            return
        delivery = self._deliver(url, body, signal="metrics")
        self._tell(delivery, url, signal="metrics")

    def _tell(self, delivery: Delivery, url: str, *, signal: Signal) -> None:
        """Say once that a collector doesn't take something, and once that it does again."""
        arrives = delivery.arrived and not (signal == "metrics" and delivery.rejected)
        if arrives and signal in self._failing:
            self._failing.discard(signal)
            # What is no warning is not in a home's log, and whoever read there that it failed has to read that it is over.
            _log.warning("%s arrive at %s again.", signal.capitalize(), url)
        elif not arrives and signal not in self._failing:
            self._failing.add(signal)
            lost = "what it misses is counted" if signal == "traces" else "the next ones hold these, too"
            _log.warning(
                "%s don't all arrive at %s: %s. Look at the collector; %s.",
                signal.capitalize(),
                url,
                delivery.why,
                lost,
            )

    def _account(self, traces: int, delivery: Delivery) -> None:
        with self._changed:
            self._sending = 0
            failed = delivery.tries - (1 if delivery.arrived else 0)
            self._note(
                sent=traces if delivery.arrived else 0,
                lost=0 if delivery.arrived else traces,
                rejected_spans=delivery.rejected,
                failures=failed,
            )
            self._changed.notify_all()
        where = self._destination.traces_url
        self._tell(delivery, where, signal="traces")
        if delivery.rejected:
            _log.warning("%s took nothing of %d spans: %s", where, delivery.rejected, delivery.why)

    def _note(self, **more: int) -> None:
        self._stats = replace(self._stats, **{name: getattr(self._stats, name) + count for name, count in more.items()})
