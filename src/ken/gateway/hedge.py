"""Hedge: where a model is slower to begin than it nearly always is, a second request goes out, and the first answer wins.

After J. Dean and L. A. Barroso, "The Tail at Scale", Communications of the ACM 56 (2), 2013. Off unless the settings ask for it: it
buys the slowest twentieth of the answers with a twentieth more calls.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Generic

from ken.domain.trace import Scalar
from ken.gateway.seam import D, Dependency, R
from ken.gateway.vitals import Vital, percentile

_KEPT = 200
_AHEAD = 32
"""Deltas that a request may be ahead of its reader."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HedgeRules:
    """When a second request goes out."""

    percentile: float = 0.95
    """Of the times to the first piece, of the last calls."""
    min_calls: int = 20
    """Before so many calls nothing is known of them."""
    most: float = 0.1
    """The largest share of the calls that may have a second request: where everything is slow, asking twice makes it slower."""
    least_s: float = 0.05
    """A second request never goes out sooner, in seconds."""


class Hedge(Generic[R, D]):
    """A Dependency whose slow calls are asked twice."""

    def __init__(
        self, inner: Dependency[R, D], *, rules: HedgeRules, vital: Vital, other: Dependency[R, D] | None = None
    ) -> None:
        self._inner = inner
        self._other = other or inner
        self._rules = rules
        self._vital = vital
        self._times: deque[float] = deque(maxlen=_KEPT)
        self._hedged: deque[bool] = deque(maxlen=_KEPT)
        self._losers: set[asyncio.Task[None]] = set()

    @property
    def name(self) -> str:
        """The inner one's."""
        return self._inner.name

    async def stream(self, request: R) -> AsyncGenerator[D]:
        """Yield what the faster of one or two requests does. Raises what the inner one raises, where no other wins."""
        began = time.monotonic()
        patience = self._patience(request)
        first = _Runner(self._inner.stream(request))
        runners = [first]
        try:
            if patience is not None and not await first.begins_within(patience):
                runners.append(_Runner(self._second(request, after_s=patience)))
                self._vital.hedges += 1
            self._hedged.append(len(runners) > 1)
            winner = await _first_of(runners)
            if winner.has_begun and request.is_streamed:
                self._times.append(time.monotonic() - began)
            self._vital.hedges_won += winner is not first
            for loser in runners:
                if loser is not winner:
                    self._let_go(loser)
            runners = [winner]
            async with aclosing(winner.deltas()) as deltas:
                async for delta in deltas:
                    yield delta
        finally:
            for runner in runners:
                await runner.stop()

    async def _second(self, request: R, *, after_s: float) -> AsyncGenerator[D]:
        attributes: dict[str, Scalar] = {"model": self._other.name, "after_ms": round(after_s * 1000)}
        with request.context.tracer.span("hedge", **attributes) as span:
            try:
                async with aclosing(self._other.stream(request)) as deltas:
                    async for delta in deltas:
                        yield delta
            except GeneratorExit:  # the other one was faster, or the caller has enough: nothing failed
                span.set("closed", value=True)

    def _patience(self, request: R) -> float | None:
        """Seconds after which a second request goes out; None: none does."""
        rules = self._rules
        share = sum(self._hedged) / len(self._hedged) if self._hedged else 0.0
        usual = percentile(self._times, rules.percentile) if len(self._times) >= rules.min_calls else None
        if usual is None or share >= rules.most or request.context.purpose.is_offline or not request.is_streamed:
            return None
        patience = max(usual, rules.least_s)
        return patience if patience < request.deadline.remaining else None

    def _let_go(self, loser: _Runner[D]) -> None:
        """Cancel it without waiting: its connection is closed and its costs are booked on its own time."""
        stopping = asyncio.get_running_loop().create_task(loser.stop())
        self._losers.add(stopping)
        stopping.add_done_callback(self._losers.discard)


class _Runner(Generic[D]):
    """A request that runs by itself, from its start to its end in one task, a little ahead of its reader."""

    def __init__(self, deltas: AsyncGenerator[D]) -> None:
        self._read: deque[D] = deque()
        self._changed = asyncio.Event()
        self._has_room = asyncio.Event()
        self.has_begun = False
        """Something that carries a part of the answer has come."""
        self.settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """It has begun, or is over."""
        self._task = asyncio.get_running_loop().create_task(self._run(deltas))
        self._task.add_done_callback(self._over)

    @property
    def has_failed(self) -> bool:
        """It is over without having begun, by an error."""
        return (
            self._task.done() and not self.has_begun and (self._task.cancelled() or self._task.exception() is not None)
        )

    async def begins_within(self, seconds: float) -> bool:
        """Whether it has begun, or is over, by then."""
        done, _ = await asyncio.wait({self.settled}, timeout=seconds)
        return bool(done)

    async def deltas(self) -> AsyncGenerator[D]:
        """Yield what has come and comes. Raises what the request raised."""
        while True:
            while self._read:
                yield self._read.popleft()
                self._has_room.set()
            if self._task.done():
                await self._task
                return
            self._changed.clear()
            await self._changed.wait()

    async def stop(self) -> None:
        """Cancel it and wait until it has cleaned up."""
        self._task.cancel()
        await asyncio.wait({self._task})

    async def _run(self, deltas: AsyncGenerator[D]) -> None:
        async with aclosing(deltas):
            async for delta in deltas:
                self._read.append(delta)
                self._changed.set()
                if delta.carries and not self.has_begun:
                    self.has_begun = True
                    self._settle()
                while len(self._read) >= _AHEAD and self.has_begun:
                    self._has_room.clear()
                    await self._has_room.wait()

    def _over(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            task.exception()  # looked at, so that a loser's is not reported as lost
        self._changed.set()
        self._settle()

    def _settle(self) -> None:
        if not self.settled.done():
            self.settled.set_result(None)


async def _first_of(runners: list[_Runner[D]]) -> _Runner[D]:
    """The first that begins, or ends without an error; where all fail, the first of the list."""
    running = list(runners)
    while running:
        await asyncio.wait([runner.settled for runner in running], return_when=asyncio.FIRST_COMPLETED)
        settled = [runner for runner in running if runner.settled.done()]
        for runner in settled:
            if not runner.has_failed:
                return runner
            running.remove(runner)
    return runners[0]
