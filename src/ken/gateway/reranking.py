"""Reranking through the gateway: a cross-encoder behind an endpoint, asked once for all passages of a question."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing

import numpy as np
from numpy.typing import NDArray

from ken.errors import ModelInterrupted
from ken.gateway.embedding import caller, due
from ken.gateway.seam import Dependency
from ken.models.protocols import RerankPassage
from ken.models.reranking import RerankDelta, RerankEndpoint, RerankRequest

Scores = Dependency[RerankRequest, RerankDelta]


class GatewayReranker:
    """A Reranker over a dependency. `close` lets go of what is behind it."""

    def __init__(self, scores: Scores, endpoint: RerankEndpoint, *, close: Callable[[], Awaitable[None]]) -> None:
        self.name: str = endpoint.model
        self._scores = scores
        self._endpoint = endpoint
        self._close = close

    async def aclose(self) -> None:
        """Close the connections."""
        await self._close()

    async def score(self, question: str, passages: Sequence[RerankPassage]) -> NDArray[np.float32]:
        """Shape (len(passages),). Raises ModelError, and what the gateway raises besides: BudgetExceeded, Overloaded."""
        if not passages:
            return np.zeros(0, np.float32)
        who = caller()
        request = RerankRequest(
            question=question,
            documents=tuple(passage.text for passage in passages),
            deadline=due(self._endpoint.timeout_s, who),
            context=who.context,
        )
        # Read to its end: a call that is left before it counts as abandoned.
        async with aclosing(self._scores.stream(request)) as deltas:
            found = [delta.scores async for delta in deltas]
        if not found:
            raise ModelInterrupted(
                f"The reranker {self._endpoint.model!r} at {self._endpoint.base_url} gave no answer. Try again."
            )
        return found[0]
