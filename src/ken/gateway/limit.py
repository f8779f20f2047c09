"""Limit: no more is asked of a provider at once, or in a minute, than it takes; what has to wait waits its turn.

The queue is fair by principal: one call of each in turn, however many each has waiting; people before work that nobody waits for.
A call that could not be answered in time is refused at once, by the rate at which calls were served lately. A provider that says
429 is asked for less at a time, until it takes more again (additive increase, multiplicative decrease: D.-M. Chiu and R. Jain, 1989).
"""

from __future__ import annotations

import asyncio
import itertools
import math
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Generic
from uuid import uuid4

from ken.domain.deadline import Deadline
from ken.domain.usage import Usage
from ken.errors import BreakerOpen, KenError, Overloaded
from ken.gateway.failures import is_overload, retry_after_s
from ken.gateway.gate import WINDOW_S, Gate, LimitRules, LocalGate
from ken.gateway.seam import D, Dependency, R, Request
from ken.gateway.vitals import QueueReading, percentile

_CHARACTERS_A_TOKEN = 4
"""Of English prose, about; what the call has really used is counted after it."""
_KEPT_WAITS = 512
_LOOK_AGAIN_S = 1.0
"""The first in the queue asks again after so long, should another replica's word that a place is free get lost."""
_MOST_ASKING = 8
"""Calls that ask a shared gate at once; the next ones queue."""
_FORGETS = 0.1
"""Weight of the newest call in the mean time of one."""
_PATIENT_S = 30.0
"""After so long without a 429 a limit that was only learnt from one is dropped."""


_Line = tuple[bool, str]
"""Whether nobody waits for it, and whose it is."""


@dataclass(slots=True, eq=False)
class _Waiting:
    """A call in the queue."""

    lease: str
    tokens: int
    line: _Line
    let_through: asyncio.Future[None]


class _Queue:
    """Calls that wait, a line for each principal, and whose turn it is."""

    def __init__(self) -> None:
        self._lines: dict[_Line, deque[_Waiting]] = {}
        """The first line of each kind is the next to be served."""
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def join(self, waiting: _Waiting) -> None:
        """Stand behind what the same principal has waiting already."""
        self._lines.setdefault(waiting.line, deque()).append(waiting)
        self._length += 1

    def first(self) -> _Waiting | None:
        """Whose turn it is; people go first."""
        line = next((line for line in self._lines if not line[0]), next(iter(self._lines), None))
        return None if line is None else self._lines[line][0]

    def leave(self, waiting: _Waiting, *, is_served: bool = False) -> None:
        """It waits no longer, if it still did. Where it was served, its principal's next turn comes after everybody else's."""
        calls = self._lines.get(waiting.line)
        if calls is None or waiting not in calls:
            return
        calls.remove(waiting)
        self._length -= 1
        if is_served or not calls:
            del self._lines[waiting.line]
        if is_served and calls:
            self._lines[waiting.line] = calls

    def ahead_of(self, line: _Line) -> int:
        """How many of those that wait would be served before one that came now."""
        is_offline = line[0]
        own = len(self._lines.get(line, ()))
        ahead = own
        for other, calls in self._lines.items():
            if other == line or (other[0] and not is_offline):
                continue
            ahead += len(calls) if is_offline and not other[0] else min(len(calls), own + 1)
        return ahead


class Limiter:
    """What is under way at one provider's model, and what waits; several wrappers may share it. For one event loop."""

    def __init__(
        self, name: str, rules: LimitRules, *, gate: Gate | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._name = name
        self._rules = rules
        self._gate = gate or LocalGate(rules, clock)
        self._gate.when_freed(self._wake)
        self._clock = clock
        self._queue = _Queue()
        self._numbers = itertools.count()
        self._prefix = uuid4().hex[:12]
        self._freed = asyncio.Event()
        self._server: asyncio.Task[None] | None = None
        self._in_flight = 0
        self._asking = 0
        self._service_s = 0.0
        self._waits: deque[float] = deque(maxlen=_KEPT_WAITS)
        self._refused = 0
        self._learnt: float | None = None
        """How many at once, as learnt from 429s."""
        self._cut_at = -math.inf
        self._paused_until = -math.inf
        self._frees_at = -math.inf
        """When the gate last said that it has room again."""

    async def enter(self, request: Request) -> str:
        """Wait for a turn and return its lease. Raises Overloaded, at once where waiting would be of no use.

        Every lease has to be left again.
        """
        lease, tokens = f"{self._prefix}-{next(self._numbers)}", self._expected_tokens(request)
        if not len(self._queue) and self._asking < _MOST_ASKING and not await self._take(lease, tokens):
            self._waits.append(0.0)
            return lease
        purpose = request.context.purpose
        line = (purpose.is_offline, purpose.principal)
        self._refuse_early(request.deadline, line)
        began = self._clock()
        with request.context.tracer.span("queue", model=self._name, ahead=self._queue.ahead_of(line)) as span:
            try:
                await self._wait(
                    _Waiting(lease, tokens, line, asyncio.get_running_loop().create_future()), request.deadline
                )
            finally:
                waited = self._clock() - began
                self._waits.append(waited)
                span.set("queue_ms", round(waited * 1000, 3))
        return lease

    def leave(self, lease: str, *, tokens: int, held_s: float, error: KenError | None = None) -> None:
        """The call is over: it took so long, used so many tokens, and failed or didn't."""
        self._gate.give_back(lease, tokens=None if isinstance(error, BreakerOpen) else tokens)
        self._in_flight -= 1
        if error is None:
            self._service_s += (held_s - self._service_s) * (_FORGETS if self._service_s else 1.0)
            self._take_more()
        elif is_overload(error):
            self._take_less(error, began=self._clock() - held_s)
        self._freed.set()

    def reading(self) -> QueueReading:
        """As it stands now."""
        p50, p95 = percentile(self._waits, 0.5), percentile(self._waits, 0.95)
        bounds = [bound for bound in (self._rules.max_concurrency, self._learnt) if bound is not None]
        return QueueReading(
            in_flight=self._in_flight,
            depth=len(self._queue),
            wait_p50_ms=None if p50 is None else p50 * 1000,
            wait_p95_ms=None if p95 is None else p95 * 1000,
            refused=self._refused,
            concurrency=int(min(bounds)) if bounds else None,
        )

    def _wake(self) -> None:
        self._freed.set()

    async def _take(self, lease: str, tokens: int) -> float:
        """0 where the call may go, else the seconds after which to ask again."""
        wait = self._paused_until - self._clock()
        if wait > 0:
            return wait
        if self._learnt is not None and self._in_flight >= int(self._learnt):
            return math.inf
        self._in_flight += 1  # before anything is awaited: two must not both see the last place
        self._asking += 1
        wait = math.inf
        try:
            wait = await self._gate.take(lease, tokens=tokens)
        except BaseException:
            self._gate.give_back(lease, tokens=None)
            raise
        finally:
            self._asking -= 1
            if wait:
                self._in_flight -= 1
        self._frees_at = self._clock() + (wait if math.isfinite(wait) else 0.0)
        return wait

    async def _wait(self, waiting: _Waiting, deadline: Deadline) -> None:
        self._queue.join(waiting)
        if self._server is None or self._server.done():
            self._server = asyncio.get_running_loop().create_task(self._serve())
        longest = min(self._rules.queue_s, deadline.remaining)
        patience = asyncio.timeout(longest)
        try:
            async with patience:
                await waiting.let_through
        except BaseException as error:
            if waiting.let_through.done() and not waiting.let_through.cancelled():
                # Its turn came in the very moment in which it gave up.
                self._gate.give_back(waiting.lease, tokens=None)
                self._in_flight -= 1
            else:
                self._queue.leave(waiting)
            self._freed.set()
            if isinstance(error, TimeoutError) and patience.expired():
                raise self._overloaded(f"its turn did not come within {longest:.1f} s", 1.0) from error
            raise

    async def _serve(self) -> None:
        """Let those who wait through, one after the other, until nobody waits."""
        while (first := self._queue.first()) is not None:
            if first.let_through.done():  # it gave up, and could not leave yet
                self._queue.leave(first)
                continue
            self._freed.clear()
            wait = await self._take(first.lease, first.tokens)
            if wait:
                with suppress(TimeoutError):
                    async with asyncio.timeout(min(wait, _LOOK_AGAIN_S)):
                        await self._freed.wait()
            elif first.let_through.done():  # it gave up meanwhile
                self._queue.leave(first)
                self._gate.give_back(first.lease, tokens=None)
                self._in_flight -= 1
            else:
                self._queue.leave(first, is_served=True)
                first.let_through.set_result(None)

    def _refuse_early(self, deadline: Deadline, line: _Line) -> None:
        """Raise Overloaded where the queue is full, or the answer would come too late by what calls took lately."""
        if len(self._queue) >= self._rules.queue_length:
            raise self._overloaded(f"{len(self._queue)} calls wait for it already", self._expected_wait(line))
        wait = self._expected_wait(line)
        if wait > self._rules.queue_s or wait + self._service_s > deadline.remaining:
            raise self._overloaded(
                f"its turn would come in about {wait:.1f} s and a call takes {self._service_s:.1f} s, which is too late",
                wait,
            )

    def _expected_wait(self, line: _Line) -> float:
        """Seconds, at least, until one that came now has its turn."""
        ahead = self._queue.ahead_of(line)
        waits = [self._paused_until - self._clock(), self._frees_at - self._clock(), 0.0]
        bounds = [bound for bound in (self._rules.max_concurrency, self._learnt) if bound is not None]
        if bounds and self._in_flight >= int(min(bounds)):
            waits.append((ahead + 1) * self._service_s / min(bounds))
        if self._rules.requests_per_minute is not None:
            waits.append(ahead * 60 / self._rules.requests_per_minute)
        return max(waits)

    def _overloaded(self, why: str, wait: float) -> Overloaded:
        self._refused += 1
        again = max(1.0, wait)
        return Overloaded(
            f"Too much is asked of the model {self._name!r}: {why}. Ask again in {again:.0f} s, or raise its limits in ken.toml.",
            retry_after_s=again,
        )

    def _take_less(self, error: KenError, *, began: float) -> None:
        if began >= self._cut_at:  # those that were under way when it was cut say nothing new
            under_way = self._in_flight + 1
            self._learnt = max(1.0, min(self._learnt or math.inf, under_way) / 2)
            self._cut_at = self._clock()
        wait = min(retry_after_s(error) or 0.0, WINDOW_S)
        self._paused_until = max(self._paused_until, self._clock() + wait)

    def _take_more(self) -> None:
        if self._learnt is None:
            return
        self._learnt += 1 / self._learnt
        most = self._rules.max_concurrency
        is_past = most is None and self._clock() - self._cut_at > _PATIENT_S
        if is_past or (most is not None and self._learnt >= most):
            self._learnt = None

    def _expected_tokens(self, request: Request) -> int:
        if self._rules.tokens_per_minute is None:
            return 0
        asked = sum(map(len, request.texts)) // _CHARACTERS_A_TOKEN
        return asked + (request.most_output_tokens or 0)


class Limit(Generic[R, D]):
    """A Dependency of which no more is asked than its limiter lets through."""

    def __init__(self, inner: Dependency[R, D], *, limiter: Limiter) -> None:
        self._inner = inner
        self._limiter = limiter

    @property
    def name(self) -> str:
        """The inner one's."""
        return self._inner.name

    async def stream(self, request: R) -> AsyncGenerator[D]:
        """Yield what the inner one does, once its turn has come. Raises what it raises, and Overloaded."""
        lease = await self._limiter.enter(request)
        began = time.monotonic()
        usage: Usage | None = None
        written, failed = 0, None
        try:
            async with aclosing(self._inner.stream(request)) as deltas:
                async for delta in deltas:
                    usage = delta.usage or usage
                    written += len(delta.written)
                    yield delta
        except KenError as error:
            failed = error
            raise
        finally:
            tokens = 0
            if usage is not None:
                tokens = usage.input_tokens + usage.output_tokens
            elif written or failed is None:
                tokens = (sum(map(len, request.texts)) + written) // _CHARACTERS_A_TOKEN
            self._limiter.leave(lease, tokens=tokens, held_s=time.monotonic() - began, error=failed)
