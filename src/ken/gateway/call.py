"""The metered call: every chat model is called through here, so that its tokens are counted and priced once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from ken.domain.usage import Usage
from ken.errors import DeadlineExceeded, ModelInterrupted, ModelRefused, ModelUnavailable
from ken.models.chat import ChatDelta, ChatRequest, FinishReason
from ken.models.protocols import ChatModel, TokenCounter

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
    """Yield the pieces of the answer and keep `meter` true. Raises what the model raises, and DeadlineExceeded.

    Where the provider doesn't tell its usage (an aborted call among them), Ken counts with its own tokenizer and marks
    the usage as an estimate. A model that was not reached, or refused before its first word, has cost nothing.
    """
    told: Usage | None = None
    pieces: list[str] = []
    is_taken = True
    try:
        async with aclosing(model.stream(request)) as deltas:
            while (delta := await _next(deltas, request, model.name)) is not None:
                told = delta.usage or told
                _note(meter, delta)
                if delta.text:
                    pieces.append(delta.text)
                    yield delta.text
        if meter.finish_reason == "length" and not "".join(pieces).strip():
            raise ModelInterrupted(
                f"The model {model.name!r} used up its tokens before its first word. Raise `max_tokens` in its [[models]] table."
            )
    except (ModelUnavailable, ModelRefused):
        is_taken = bool(pieces)
        raise
    finally:
        meter.usage = told or (_estimate(request, pieces, tokens) if is_taken else Usage())
        meter.cost_micros = price_of(meter.model, meter.usage) if told or is_taken else 0


async def _next(deltas: AsyncGenerator[ChatDelta], request: ChatRequest, name: str) -> ChatDelta | None:
    """The next delta; None at the end. The deadline holds for every model, also for one that doesn't look at it."""
    patience = asyncio.timeout(request.deadline.remaining)
    try:
        async with patience:
            return await anext(deltas, None)
    except TimeoutError as error:
        if not patience.expired():
            raise
        raise DeadlineExceeded(
            f"The time for this question ran out while the model {name!r} answered. "
            "Ask again, or raise `deadline_s` in ken.toml."
        ) from error


def _note(meter: Metered, delta: ChatDelta) -> None:
    if delta.finish_reason is not None:
        meter.finish_reason = delta.finish_reason
    if delta.confidence is not None:
        meter.confidence = delta.confidence


def _estimate(request: ChatRequest, pieces: list[str], tokens: TokenCounter) -> Usage:
    asked = sum(tokens.count(message.content) for message in request.messages)
    return Usage(asked, tokens.count("".join(pieces)), estimated=True)
