"""Embedding through the gateway: an embedder behind an endpoint, whose every batch is one metered call.

Whoever embeds doesn't know for whom: a stage of a question says so with `within`, and what is embedded outside of any is
a sync's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import aclosing, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import anyio
import numpy as np
from numpy.typing import NDArray

from ken.domain.call import CallContext, Purpose
from ken.domain.deadline import Deadline
from ken.errors import EmbedderChanged, ModelInterrupted
from ken.gateway.seam import Dependency
from ken.models.embedding import EmbedDelta, EmbedderEndpoint, EmbedRequest
from ken.models.protocols import TokenCounter
from ken.text.normalise import printable

Embeddings = Dependency[EmbedRequest, EmbedDelta]

_AT_ONCE = 4
"""Requests of one call that are under way together."""
_WHOLE = 0.9
"""Of the endpoint's window: its tokenizer is another one than the one that texts are measured with here."""
_SYNC = Purpose(stage="sync", is_offline=True)


@dataclass(frozen=True, slots=True)
class Calling:
    """For whom embedders and rerankers are called."""

    context: CallContext
    deadline: Deadline | None = None
    """Theirs, where it ends before what the endpoint's table allows."""


calling: ContextVar[Calling | None] = ContextVar("calling", default=None)


@contextmanager
def within(context: CallContext, deadline: Deadline | None = None) -> Generator[None]:
    """What is embedded or reranked inside is for this context, and over at this deadline."""
    token = calling.set(Calling(context, deadline))
    try:
        yield
    finally:
        calling.reset(token)


def caller() -> Calling:
    """For whom a call is; a sync where nobody said."""
    # A new context each time: the charges of one that lives for ever would never be let go.
    return calling.get() or Calling(CallContext(purpose=_SYNC))


def due(seconds: float, who: Calling) -> Deadline:
    """The deadline of a call that may take so long."""
    own = Deadline.after(seconds)
    return own if who.deadline is None else min(own, who.deadline, key=lambda deadline: deadline.at)


class GatewayEmbedder:
    """An Embedder over a dependency. It gives no vectors of single tokens and therefore none of parts of a text.

    `dimensions` is the length of its vectors, as `measured` found it. `tokens` measures texts for the endpoint's window: an
    estimate, since the endpoint has a tokenizer of its own. `close` lets go of what is behind the dependency.
    """

    def __init__(
        self,
        embeddings: Embeddings,
        endpoint: EmbedderEndpoint,
        *,
        dimensions: int,
        tokens: TokenCounter,
        close: Callable[[], Awaitable[None]],
    ) -> None:
        self.name: str = endpoint.name
        self.dimensions: int = dimensions
        self._embeddings = embeddings
        self._endpoint = endpoint
        self._tokens = tokens
        self._close = close

    async def aclose(self) -> None:
        """Close the connections."""
        await self._close()

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """L2-normalised vectors of passages: float32 (len(texts), dimensions).

        Raises ModelError, of which EmbedderChanged means vectors of another length, and what the gateway raises besides:
        BudgetExceeded, Overloaded.
        """
        endpoint = self._endpoint
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        limit = anyio.CapacityLimiter(_AT_ONCE)

        async def take(first: int) -> None:
            batch = [self._fitted(text, endpoint.passage_prefix) for text in texts[first : first + endpoint.batch_size]]
            async with limit:
                found = await embedded(self._embeddings, batch, endpoint=endpoint, seconds=endpoint.patience_s)
            vectors[first : first + len(batch)] = self._checked(found)

        try:
            async with anyio.create_task_group() as tasks:
                for first in range(0, len(texts), endpoint.batch_size):
                    tasks.start_soon(take, first)
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None  # the others follow from it, or are like it
        return vectors

    async def embed_question(self, text: str) -> NDArray[np.float32]:
        """The L2-normalised vector of a question: float32 (dimensions,). Raises as `embed` does."""
        endpoint = self._endpoint
        asked = [self._fitted(text, endpoint.query_prefix)]
        return self._checked(await embedded(self._embeddings, asked, endpoint=endpoint, seconds=endpoint.question_s))[0]

    def _fitted(self, text: str, prefix: str) -> str:
        """A text with its prefix, cut to the endpoint's window; an empty one, which some refuse, becomes a blank."""
        whole = f"{prefix}{text}".encode("utf-8", "replace").decode("utf-8") or " "
        room = max(1, int(self._endpoint.max_tokens * _WHOLE))
        if len(whole) <= room:
            return whole
        offsets = self._tokens.offsets(whole)
        return whole if len(offsets) <= room else whole[: offsets[room - 1][1]]

    def _checked(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        if vectors.shape[1] != self.dimensions:
            what = f"gives vectors of {vectors.shape[1]} numbers, where those of the documents have {self.dimensions}"
            raise EmbedderChanged(
                printable(
                    f"The embedder {self._endpoint.model!r} at {self._endpoint.base_url} {what}. Put the former model back, "
                    "or name the new one: another `model` or `revision` in [embedder]."
                )
            )
        return vectors


async def embedded(
    embeddings: Embeddings, texts: Sequence[str], *, endpoint: EmbedderEndpoint, seconds: float
) -> NDArray[np.float32]:
    """The vectors of texts, in one call of the gateway: float32 (len(texts), whatever the endpoint gives). Raises as it does."""
    who = caller()
    request = EmbedRequest(
        texts=tuple(texts), deadline=due(seconds, who), context=who.context, dimensions=endpoint.dimensions
    )
    # Read to its end: a call that is left before it counts as abandoned.
    async with aclosing(embeddings.stream(request)) as deltas:
        found = [delta.vectors async for delta in deltas]
    if not found:
        raise ModelInterrupted(f"The embedder {endpoint.model!r} at {endpoint.base_url} gave no answer. Try again.")
    return found[0]


async def measured(embeddings: Embeddings, endpoint: EmbedderEndpoint, *, text: str) -> NDArray[np.float32]:
    """The vector of a passage, which shows how long vectors are: float32 (dimensions,). Raises as the gateway does.

    Whoever happens to ask when it is due doesn't pay for it.
    """
    asked = [f"{endpoint.passage_prefix}{text}"]
    with within(CallContext(purpose=_SYNC), caller().deadline):
        return (await embedded(embeddings, asked, endpoint=endpoint, seconds=endpoint.question_s))[0]
