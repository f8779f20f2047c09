"""What has changed in the home, told to everybody who listens: one watcher looks, however many they are, while there is anybody.

The database is looked at, not what this process does: a sync on the command line and a question to another replica are seen, too.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

import anyio.to_thread

from ken.domain.principal import Principal
from ken.errors import StorageError
from ken.gateway.vitals import BreakerChanged, Vitals
from ken.storage.sources import SyncRow
from ken.storage.stamps import MOST_SYNCS, Stamped, Stamps

Topic = Literal["syncs", "alerts", "gateway", "traces", "conversations"]

TOPICS: frozenset[Topic] = frozenset({"syncs", "alerts", "gateway", "traces", "conversations"})
OF_OPERATORS: frozenset[Topic] = frozenset({"alerts", "gateway"})

_EVERY_S = 1.0
_LONGEST_S = 4.0
"""Between two looks, after a while in which nothing changed."""
_SLOWER = 1.25

_WRITTEN_LATE_S = 3.0
"""A trace is on record so long after its end, at most."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Changed:
    """Something of a topic is no longer as it was."""

    topic: Topic
    at: float
    """Seconds since the epoch."""
    syncs: tuple[SyncRow, ...] = ()
    """Those that moved, the newest first; for operators."""


@dataclass(slots=True, eq=False)
class _Listener:
    principal: Principal
    topics: frozenset[Topic]
    pending: dict[Topic, Changed] = field(default_factory=dict[Topic, Changed])
    """What it has not taken yet; one a topic, so that one that never reads holds no more than that."""
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, changed: Changed) -> None:
        if changed.topic not in self.topics:
            return
        before = self.pending.get(changed.topic)
        if before is not None and before.syncs:
            merged = {each.id: each for each in before.syncs} | {each.id: each for each in changed.syncs}
            rows = tuple(merged[number] for number in sorted(merged, reverse=True)[:MOST_SYNCS])
            changed = Changed(changed.topic, changed.at, rows)
        self.pending[changed.topic] = changed
        self.woken.set()


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one look has found."""

    stamped: Stamped
    breakers: BreakerChanged | None
    """The last change of any."""
    at: float
    """When it began, in seconds since the epoch."""
    asked: frozenset[str] = frozenset()
    """The principals whose traces ended since the look before."""


class Live:
    """The listeners of a process, and the watcher while there are any. For the event loop's thread."""

    def __init__(self, stamps: Stamps, vitals: Vitals) -> None:
        self._stamps = stamps
        self._vitals = vitals
        self._listeners: set[_Listener] = set()
        self._beginning = asyncio.Lock()
        self._watching: asyncio.Task[None] | None = None
        self._is_over = False

    async def listen(self, principal: Principal, topics: frozenset[Topic]) -> AsyncGenerator[Changed | None]:
        """None first: from then on each change is told. Ends when the server does. Raises StorageError.

        An operator hears of everything; others of their own traces and conversations, and of a new corpus version without a word
        on the syncs that made it.
        """
        listener = _Listener(principal, topics if principal.is_operator else topics - OF_OPERATORS)
        watching = await self._join(listener)
        try:
            yield None
            while watching is not None and not watching.done():
                await listener.woken.wait()
                listener.woken.clear()
                while listener.pending:
                    yield listener.pending.pop(next(iter(listener.pending)))
        finally:
            self._listeners.discard(listener)
            if not self._listeners and self._watching is not None:
                self._watching.cancel()
                self._watching = None

    def end(self) -> None:
        """End every listener's stream, as the server is about to."""
        self._is_over = True
        if self._watching is not None:
            self._watching.cancel()

    @property
    def is_watching(self) -> bool:
        """Whether anybody listens."""
        return self._watching is not None

    async def _join(self, listener: _Listener) -> asyncio.Task[None] | None:
        """Be told from now on, by the watcher that is returned; None where the server ends."""
        async with self._beginning:
            if self._watching is None or self._watching.done():
                baseline = await self._look(None)
                self._watching = None if self._is_over else asyncio.create_task(self._watch(baseline), name="live")
            if self._watching is not None:
                self._listeners.add(listener)
            return self._watching

    async def _watch(self, before: _Seen) -> None:
        wait_s = _EVERY_S
        try:
            while True:
                await asyncio.sleep(wait_s)
                wait_s = min(wait_s * _SLOWER, _LONGEST_S)
                with suppress(StorageError):  # it says so wherever it is used; here it is looked at again
                    now = await self._look(before)
                    if self._tell(before, now):
                        wait_s = _EVERY_S
                    before = now
        except Exception:  # noqa: BLE001 - the listeners' streams end with it, and they come again
            _log.exception("What changes is no longer watched.")
        finally:
            for each in self._listeners:
                each.woken.set()

    async def _look(self, before: _Seen | None) -> _Seen:
        at = time.time()
        stamped = await anyio.to_thread.run_sync(self._stamps.read, None if before is None else before.stamped)
        events = self._vitals.events
        seen = _Seen(stamped, events[-1] if events else None, at)
        if before is None or stamped.counted == before.stamped.counted or not self._is_asked_of_traces:
            return seen
        asked = partial(self._stamps.asked_since, before.at - _WRITTEN_LATE_S, now=at)
        return replace(seen, asked=await anyio.to_thread.run_sync(asked))

    @property
    def _is_asked_of_traces(self) -> bool:
        """Whether anybody wants to hear of their own alone; operators hear of all."""
        return any("traces" in each.topics and not each.principal.is_operator for each in self._listeners)

    def _tell(self, before: _Seen, now: _Seen) -> bool:
        """Tell everybody what they may know; whether there was anything."""
        at = time.time()
        found = tuple(_changed(before, now, at))
        operators = [each for each in self._listeners if each.principal.is_operator]
        for changed in found:
            for each in operators:
                each.tell(changed)
        stamped = now.stamped
        if stamped.spoke or found:
            self._tell_others(before, now, at)
        return bool(found or stamped.spoke)

    def _tell_others(self, before: _Seen, now: _Seen, at: float) -> None:
        is_new_corpus = now.stamped.corpus_version != before.stamped.corpus_version
        asked = now.asked | now.stamped.spoke
        for each in self._listeners:
            if each.principal.id in now.stamped.spoke:
                each.tell(Changed("conversations", at))
            if not each.principal.is_operator:
                if is_new_corpus:
                    each.tell(Changed("syncs", at))
                if each.principal.id in asked:
                    each.tell(Changed("traces", at))


def _changed(before: _Seen, now: _Seen, at: float) -> Iterator[Changed]:
    """What operators are told of."""
    old, new = before.stamped, now.stamped
    if (old.syncs, old.sources, old.corpus_version) != (new.syncs, new.sources, new.corpus_version):
        known = set(old.syncs)
        yield Changed("syncs", at, tuple(each for each in new.syncs if each not in known))
    if old.alerts != new.alerts:
        yield Changed("alerts", at)
    if old.counted != new.counted:
        yield Changed("traces", at)
    if before.breakers is not now.breakers:
        yield Changed("gateway", at)
