"""The outermost wrapper of a model: the deadline holds for every one, also for one that doesn't look at it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Generic

from ken.errors import DeadlineExceeded
from ken.gateway.seam import D, Dependency, R


class Punctual(Generic[R, D]):
    """The same dependency; a piece that isn't there when the request's time is up is not waited for."""

    def __init__(self, inner: Dependency[R, D]) -> None:
        self.name: str = inner.name
        self._inner = inner

    async def stream(self, request: R) -> AsyncGenerator[D]:
        """As the dependency behind it. Raises DeadlineExceeded."""
        async with aclosing(self._inner.stream(request)) as deltas:
            while (delta := await self._next(deltas, request)) is not None:
                yield delta

    async def _next(self, deltas: AsyncGenerator[D], request: R) -> D | None:
        patience = asyncio.timeout(request.deadline.remaining)
        try:
            async with patience:
                return await anext(deltas, None)
        except TimeoutError as error:
            if not patience.expired():
                raise
            raise DeadlineExceeded(
                f"The time for this question ran out while the model {self.name!r} answered. "
                "Ask again, or raise `deadline_s` in ken.toml."
            ) from error
