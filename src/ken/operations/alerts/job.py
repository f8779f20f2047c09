"""Looks at the rules again and again, keeps what comes of it, and has it sent.

Every process that shares a database looks, one at a time: the alerts are read, worked on and put back as one step, so that a restart, or
another replica, goes on where the last one stopped. What happens at a moment (a breaker that opens) is kept and looked at at once.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from typing import Protocol

import anyio
import anyio.to_thread

from ken.domain.alert import Alert, Change, Happening
from ken.domain.budget import Burn
from ken.errors import Conflict, KenError
from ken.gateway.vitals import BreakerChanged
from ken.operations.alerts.delivery.outbox import Outbox
from ken.operations.alerts.detectors import LOOKBACK_S
from ken.operations.alerts.engine import Engine
from ken.operations.alerts.happened import Happened, of_breaker, of_budgets
from ken.operations.alerts.notices import Pace, Recipient, notices_of
from ken.operations.alerts.rule import Rule
from ken.storage.alerts import AlertBook

_DAY_S = 86_400.0
_TRIES = 3
_log = logging.getLogger("ken.alerts")


class Evidence(Protocol):
    """Where traces are looked up that caused an alert."""

    def __call__(self, where: str, *, since: float, until: float, limit: int) -> Sequence[str]:
        """Ids of traces that a filter finds, the newest first."""
        ...


def no_evidence(where: str, *, since: float, until: float, limit: int) -> Sequence[str]:
    """None at all."""
    _ = where, since, until, limit
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Duties:
    """What a job is given beside the engine."""

    recipients: Sequence[Recipient] = ()
    pace: Pace = field(default_factory=Pace)
    keep_days: float = 90.0
    """How long changes and messages are kept."""
    rules: Callable[[], Sequence[Rule]] | None = None
    """Reads the rules anew before each look: those of the API change while Ken runs."""
    evidence: Evidence = no_evidence
    burns: Callable[[], Awaitable[Sequence[Burn]]] | None = None
    """How the budgets stand."""
    release: str = ""
    """What answers are made with now: another one than before is kept as a happening."""


class AlertJob:
    """A job for the scheduler: `run` and `woken`. `tell` may be called from any thread."""

    def __init__(
        self,
        engine: Engine,
        book: AlertBook,
        *,
        outbox: Outbox,
        lock: Callable[[], AbstractAsyncContextManager[None]],
        duties: Duties | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._engine = engine
        self._book = book
        self.outbox = outbox
        self._lock = lock
        self._duties = duties or Duties()
        self._clock = clock
        self._told: list[Happening] = []
        self._news = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pruned_at = 0.0
        self._has_told_release = False

    async def run(self) -> float | None:
        """Look once, and begin to send what comes of it. Raises StorageError, and what the figures raise."""
        self._loop = asyncio.get_running_loop()
        happened, burns = self._engine.happenings, self._duties.burns
        if burns is not None and isinstance(happened, Happened):
            happened.budgets = of_budgets(await burns(), self._clock())
        try:
            async with self._lock():
                await anyio.to_thread.run_sync(self._look)
        except Conflict:  # somebody else looks right now; what was told here, they see, or we do in a moment
            if self._told:
                return self._clock() + 1
        await self.outbox.send()
        return None

    async def woken(self) -> AsyncIterator[None]:
        """Yields when something happened that is to be looked at right now."""
        self._loop = asyncio.get_running_loop()
        if self._told:  # before anybody waited for it
            self._news.set()
        while True:
            await self._news.wait()
            self._news.clear()
            yield

    def tell(self, happening: Happening) -> None:
        """Something happened; from any thread, and it returns at once."""
        self._told.append(happening)
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._news.set)

    def breaker_changed(self, change: BreakerChanged) -> None:
        """A breaker went into another state: a listener of `Vitals`. What another replica saw, that one tells."""
        if not change.is_told:
            self.tell(of_breaker(change))

    async def aclose(self) -> None:
        """Let go of the destinations."""
        await self.outbox.aclose()

    def _look(self) -> None:
        """One look: read, work out, keep. Once more where another process was faster."""
        self._keep_happenings()
        duties, engine = self._duties, self._engine
        if duties.rules is not None:
            try:
                engine.rules = duties.rules()
            except KenError as error:  # a rule that can't be read must not silence the others
                _log.error("the rules can't be read, those from before go on: %s", error)
        for _ in range(_TRIES):
            try:
                now = self._step()
            except Conflict:
                engine.forget_looks()
            else:
                break
        else:
            return  # others look all the time: what there is to find, they find
        if not 0 <= now - self._pruned_at < _DAY_S:
            self._pruned_at = now
            self._book.prune(now - duties.keep_days * _DAY_S)

    def _step(self) -> float:
        """Read, work out, keep; the time at which it was done. Raises Conflict where another process was faster."""
        duties, engine, now = self._duties, self._engine, self._clock()
        before = self._book.standing(now)
        engine.alerts = dict(before.alerts)
        engine.silences = before.silences
        changes = [replace(each, alert=self._with_traces(each)) for each in engine.evaluate(now)]
        for change in changes:
            if change.alert.fingerprint in engine.alerts:
                engine.alerts[change.alert.fingerprint] = change.alert
        notices, after = notices_of(engine.alerts, duties.recipients, pace=duties.pace, now=now)
        self._book.put(before, after, changes=changes, notices=notices)
        return now

    def _keep_happenings(self) -> None:
        taken, self._told = self._told, []
        if self._duties.release and not self._has_told_release:
            now = self._clock()
            known = [each for each in self._book.happenings(now - LOOKBACK_S) if each.kind == "deployed"]
            if not known or known[-1].of != self._duties.release:
                told = f"Release {self._duties.release} is in use."
                taken.append(Happening(kind="deployed", at=now, of=self._duties.release, told=told))
            self._has_told_release = True
        try:
            self._book.note(taken)
        except KenError:
            self._told = taken + self._told
            raise

    def _with_traces(self, change: Change) -> Alert:
        """The alert with ids of some traces that caused it, where it has just begun to fire."""
        alert = change.alert
        if alert.state != "firing" or not alert.where or alert.traces:
            return alert
        window = next((rule.window_s for rule in self._engine.rules if rule.name == alert.rule), 900)
        try:
            found = self._duties.evidence(alert.where, since=change.at - max(window, 900), until=change.at, limit=5)
        except KenError as error:  # a message without examples is better than none
            _log.warning("no traces for %s: %s", alert.name, error)
            return alert
        return replace(alert, traces=tuple(found))
