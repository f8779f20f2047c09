"""Generate: the model's answer in pieces, through the metered call."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from ken.assistant.thoughts import Thoughts
from ken.assistant.turn import Turn
from ken.gateway.call import Metered, PriceOf, call
from ken.models.chat import ChatRequest
from ken.models.protocols import ChatModel, TokenCounter


async def generate(
    turn: Turn, model: ChatModel, *, meter: Metered, tokens: TokenCounter, price_of: PriceOf
) -> AsyncGenerator[str]:
    """Read `standalone`, `prompt`, `deadline` and what is known of the passages; yield pieces. Raises ModelError and DeadlineExceeded."""
    turn.deadline.check("generate")
    request = ChatRequest(
        messages=turn.prompt.messages if turn.prompt is not None else (),
        question=turn.standalone,
        evidence=turn.evidence,
        deadline=turn.deadline,
        task=turn.task,
        answerable=turn.answerable,
        standings=turn.standings,
        period=turn.period,
        disagreements=turn.disagreements,
        max_tokens=turn.question.max_tokens,
    )
    # Closed here, not some time later: when the stage ends the meter is right and the connection gone.
    async with aclosing(call(model, request, meter=meter, tokens=tokens, price_of=price_of)) as pieces:
        thoughts = Thoughts()
        async for piece in pieces:
            if spoken := thoughts.without(piece):
                yield spoken
        if rest := thoughts.rest():
            yield rest
