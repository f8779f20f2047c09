"""Coalescing: the same thing asked by several at the same moment is asked once, and all get the one answer as it comes.

The call runs by itself: it goes on for as long as anybody reads it, whoever asked first. It is charged to the one who asked first;
the others are charged nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from hashlib import sha256
from typing import Generic, TypeVar

from ken.domain.deadline import Deadline
from ken.errors import DeadlineExceeded
from ken.gateway.seam import D, Dependency, R
from ken.models.chat import ChatRequest

T = TypeVar("T")


class Flight(Generic[T]):
    """One call under way, and those who read it."""

    def __init__(self, pieces: AsyncGenerator[T], *, leader: str | None) -> None:
        self.leader = leader
        """The trace id of who asked first."""
        self._pieces: list[T] = []
        self._readers = 0
        self._changed = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._run(pieces))
        self._task.add_done_callback(self._over)

    async def read(self, deadline: Deadline) -> AsyncGenerator[T]:
        """Yield what has come so far, then what comes. Raises what the call raises, and DeadlineExceeded by this reader's own."""
        self._readers += 1
        position = 0
        try:
            while True:
                while position < len(self._pieces):
                    position += 1
                    yield self._pieces[position - 1]
                if self._task.done():
                    await self._task
                    return
                await self._change(deadline)
        finally:
            self._readers -= 1
            if not self._readers:
                self._task.cancel()
                await asyncio.wait({self._task})

    @property
    def is_open(self) -> bool:
        """Whether one who comes now gets all of it."""
        return not self._task.done() and not self._task.cancelling()

    def when_over(self, do: Callable[[], None]) -> None:
        """Call `do` once the call has ended."""
        self._task.add_done_callback(lambda _: do())

    async def _change(self, deadline: Deadline) -> None:
        changed = self._changed
        patience = asyncio.timeout(deadline.remaining)
        try:
            async with patience:
                await changed.wait()
        except TimeoutError as error:
            if not patience.expired():
                raise
            raise DeadlineExceeded(
                "The time for this question ran out while the same question of somebody else was being answered. "
                "Ask again, or raise `deadline_s` in ken.toml."
            ) from error

    async def _run(self, pieces: AsyncGenerator[T]) -> None:
        async with aclosing(pieces):
            async for piece in pieces:
                self._pieces.append(piece)
                self._wake()

    def _over(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            task.exception()  # each reader gets it; without one left it is nobody's
        self._wake()

    def _wake(self) -> None:
        """Each reader waits for the event that was there when it had read everything."""
        self._changed.set()
        self._changed = asyncio.Event()


class Flights(Generic[T]):
    """The calls under way, by what they ask."""

    def __init__(self) -> None:
        self._flights: dict[str, Flight[T]] = {}

    def join(self, key: str) -> Flight[T] | None:
        """The call that asks the same and can still be read whole; None: there is none."""
        flight = self._flights.get(key)
        return flight if flight is not None and flight.is_open else None

    def start(self, key: str, pieces: AsyncGenerator[T], *, leader: str | None = None) -> Flight[T]:
        """Begin a call that others may join. Whoever starts it has to read it."""
        flight = Flight(pieces, leader=leader)
        self._flights[key] = flight

        def land() -> None:
            if self._flights.get(key) is flight:
                del self._flights[key]

        flight.when_over(land)
        return flight


class Coalesce(Generic[R, D]):
    """A Dependency that is asked once for requests of one key at the same moment."""

    def __init__(self, inner: Dependency[R, D], *, key_of: Callable[[R], str | None]) -> None:
        self._inner = inner
        self._key_of = key_of
        self._flights = Flights[D]()

    @property
    def name(self) -> str:
        """The inner one's."""
        return self._inner.name

    async def stream(self, request: R) -> AsyncGenerator[D]:
        """Yield what the inner one does. A request whose key is None is asked by itself."""
        key = self._key_of(request)
        if key is None:
            async with aclosing(self._inner.stream(request)) as deltas:
                async for delta in deltas:
                    yield delta
            return
        purpose = request.context.purpose
        flight = self._flights.join(key)
        is_leader = flight is None
        if flight is None:
            flight = self._flights.start(key, self._inner.stream(request), leader=purpose.trace_id)
        with request.context.tracer.span(
            "coalesce", model=self.name, joined=not is_leader, leader=flight.leader
        ) as span:
            try:
                async with aclosing(flight.read(request.deadline)) as deltas:
                    async for delta in deltas:
                        yield delta
            except GeneratorExit:  # the caller has enough: nothing failed
                span.set("closed", value=True)


def key_of_request(request: ChatRequest, *, scope: str, release: str) -> str | None:
    """What makes two requests one: who may see the same, the release, and all that a model reads. None: never shared.

    A request whose answer is meant to differ from time to time (a temperature above 0) is never shared; neither is one that asks
    for tools, as what is called may have effects.
    """
    if request.temperature is None or request.temperature > 0 or request.options.tools:
        return None
    read = (
        scope,
        release,
        request.messages,
        request.question,
        [(found.passage.id, found.passage.version) for found in request.evidence],
        request.max_tokens,
        request.options,
        request.begun,
        request.holds_sentences,
    )
    return sha256(repr(read).encode()).hexdigest()
