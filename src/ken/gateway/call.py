"""A chat model whose calls are counted and priced, and nothing more."""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from ken.domain.call import Charge
from ken.domain.usage import Usage
from ken.errors import ModelRefused, ModelUnavailable
from ken.models.chat import ChatDelta, ChatRequest
from ken.models.protocols import ChatModel, TokenCounter

PriceOf = Callable[[str, Usage], int | None]
"""Model name and usage -> millionths of the price list's currency; None where the price is unknown."""


class Counted:
    """The same chat model; each call adds a charge to its request's account."""

    def __init__(self, inner: ChatModel, *, tokens: TokenCounter, price_of: PriceOf) -> None:
        self.name: str = inner.name
        self._inner = inner
        self._tokens = tokens
        self._price_of = price_of

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatDelta]:
        """As the model behind it."""
        told: Usage | None = None
        pieces: list[str] = []
        is_taken = True
        try:
            async with aclosing(self._inner.stream(request)) as deltas:
                async for delta in deltas:
                    told = delta.usage or told
                    pieces.append(delta.written)
                    yield delta
        except (ModelUnavailable, ModelRefused):
            is_taken = any(pieces)
            raise
        finally:
            asked = sum(self._tokens.count(text) for text in request.texts)
            counted = Usage(asked, self._tokens.count("".join(pieces)), estimated=True) if is_taken else Usage()
            usage = told or counted
            cost = self._price_of(self.name, usage) if told or is_taken else 0
            stage = request.context.purpose.stage
            request.context.account.charges.append(
                Charge(call_id=secrets.token_hex(8), model=self.name, stage=stage, usage=usage, cost_micros=cost)
            )
