"""The metered call: every chat model is called through here, so that its tokens are counted and priced once."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from ken.domain.usage import Usage
from ken.models.protocols import ChatDelta, ChatModel, ChatRequest, FinishReason, TokenCounter

PriceOf = Callable[[str, Usage], int | None]
"""Model name and usage -> millionths of the price list's currency; None where the price is unknown."""


@dataclass(slots=True)
class Metered:
    """A call and what it spent; complete when its stream has ended, however it ended."""

    model: str
    usage: Usage
    cost_micros: int | None = 0
    finish_reason: FinishReason | None = None
    confidence: float | None = None


async def call(
    model: ChatModel, request: ChatRequest, *, meter: Metered, tokens: TokenCounter, price_of: PriceOf
) -> AsyncGenerator[str]:
    """Yield the pieces of the answer and keep `meter` true. Raises what the model raises.

    Where the provider doesn't tell its usage (an aborted call among them), Ken counts with its own tokenizer and marks
    the usage as an estimate.
    """
    told: Usage | None = None
    pieces: list[str] = []
    try:
        async with aclosing(model.stream(request)) as deltas:  # pyright: ignore[reportArgumentType] - providers are async generators
            async for delta in deltas:
                told = delta.usage or told
                _note(meter, delta)
                if delta.text:
                    pieces.append(delta.text)
                    yield delta.text
    finally:
        meter.usage = told or _estimate(request, pieces, tokens)
        meter.cost_micros = price_of(meter.model, meter.usage)


def _note(meter: Metered, delta: ChatDelta) -> None:
    if delta.finish_reason is not None:
        meter.finish_reason = delta.finish_reason
    if delta.confidence is not None:
        meter.confidence = delta.confidence


def _estimate(request: ChatRequest, pieces: list[str], tokens: TokenCounter) -> Usage:
    asked = sum(tokens.count(message.content) for message in request.messages)
    return Usage(asked, tokens.count("".join(pieces)), estimated=True)
