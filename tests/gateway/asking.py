"""Requests to models, and models that fail as a test wants, for tests of the wrappers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace

from ken.domain.answer import Message
from ken.domain.call import CallContext, Purpose
from ken.domain.deadline import Deadline
from ken.errors import KenError, ModelInterrupted, ModelRefused, ModelUnavailable
from ken.gateway.seam import Dependency
from ken.models.chat import ChatDelta, ChatRequest
from ken.telemetry.tracing import TraceBuilder

DOWN = ModelUnavailable("The model can't be reached.")
CUT = ModelInterrupted("The model cut the connection in mid-answer.")


def refused(status: int, *, retry_after_s: float | None = None) -> ModelRefused:
    """An error answer of a provider."""
    return ModelRefused(f"The model answered {status}.", status=status, retry_after_s=retry_after_s)


def request(
    text: str = "How many days of leave are there?",
    *,
    seconds: float = 20.0,
    principal: str = "anna",
    is_offline: bool = False,
    trace: TraceBuilder | None = None,
) -> ChatRequest:
    """A question as a model gets it."""
    purpose = Purpose(principal=principal, is_offline=is_offline, trace_id=trace.trace_id if trace else None)
    context = CallContext(purpose=purpose) if trace is None else CallContext(purpose=purpose, tracer=trace)
    return ChatRequest(
        messages=(Message("user", text),), question=text, evidence=(), deadline=Deadline.after(seconds), context=context
    )


def plainly(asked: ChatRequest) -> ChatRequest:
    """The same as an organisation's other application asks it: each piece is passed on as it comes."""
    return replace(asked, holds_sentences=False)


class Turns:
    """A model with another script for each call; the last one stays. An error of a script is raised at its place."""

    def __init__(self, name: str, *turns: Sequence[str | ChatDelta | KenError], pause_s: float = 0.0) -> None:
        self.name = name
        self.requests: list[ChatRequest] = []
        self._turns = turns
        self._pause_s = pause_s

    async def stream(self, asked: ChatRequest) -> AsyncGenerator[ChatDelta]:
        """Follow the script, and stop."""
        self.requests.append(asked)
        for piece in self._turns[min(len(self.requests), len(self._turns)) - 1]:
            await asyncio.sleep(self._pause_s)
            if isinstance(piece, KenError):
                raise piece
            yield ChatDelta(piece) if isinstance(piece, str) else piece
        yield ChatDelta(finish_reason="stop")


async def deltas_of(model: Dependency[ChatRequest, ChatDelta], asked: ChatRequest) -> list[ChatDelta]:
    """All that a call brings."""
    async with aclosing(model.stream(asked)) as deltas:
        return [delta async for delta in deltas]


async def text_of(model: Dependency[ChatRequest, ChatDelta], asked: ChatRequest) -> str:
    """The answer."""
    return "".join(delta.text for delta in await deltas_of(model, asked))


async def outcome_of(model: Dependency[ChatRequest, ChatDelta], asked: ChatRequest) -> str | KenError:
    """The answer, or the error instead of it."""
    try:
        return await text_of(model, asked)
    except KenError as error:
        return error


async def until(holds: Callable[[], bool], *, seconds: float = 10.0) -> bool:
    """Wait until something holds; False where it didn't in time."""
    due = asyncio.get_running_loop().time() + seconds
    while not holds():
        if asyncio.get_running_loop().time() > due:
            return False
        await asyncio.sleep(0.005)
    return True


class Waiting:
    """A model whose calls last until they are let go; it counts them."""

    def __init__(self, name: str = "slow") -> None:
        self.name = name
        self.gate = asyncio.Event()
        self.under_way = self.most = self.begun = self.closed = 0
        self.order: list[str] = []

    async def stream(self, asked: ChatRequest) -> AsyncGenerator[ChatDelta]:
        """Wait, then answer with the principal's name."""
        self.under_way += 1
        self.begun += 1
        self.order.append(asked.context.purpose.principal)
        self.most = max(self.most, self.under_way)
        try:
            await self.gate.wait()
            yield ChatDelta(asked.context.purpose.principal)
            yield ChatDelta(finish_reason="stop")
        finally:
            self.under_way -= 1
            self.closed += 1
