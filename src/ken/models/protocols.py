"""The seams: what Ken asks of a chat model and of an embedder."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ken.models.chat import ChatDelta, ChatRequest


class ChatModel(Protocol):
    """Anything that answers a prompt in pieces."""

    @property
    def name(self) -> str:
        """As it stands in traces, prices and `/v1/models`."""
        ...

    def stream(self, request: ChatRequest) -> AsyncGenerator[ChatDelta]:
        """Yield the answer as it comes. Raises ModelError; closing the iterator ends the call."""
        ...


class Embedder(Protocol):
    """Anything that turns texts into vectors of one length."""

    @property
    def name(self) -> str:
        """Identifies the vector space: vectors of different names are never compared."""
        ...

    @property
    def dimensions(self) -> int:
        """The length of a vector."""
        ...

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """L2-normalised float32 vectors of passages or parts of them, shape (len(texts), dimensions). Raises ModelError."""
        ...

    async def embed_question(self, text: str) -> NDArray[np.float32]:
        """The L2-normalised float32 vector of a question, shape (dimensions,): some models want to be told which is which.

        Raises ModelError.
        """
        ...


@runtime_checkable
class ContextualEmbedder(Embedder, Protocol):
    """An embedder of whose token vectors something can be had, so that a sentence is read in its context."""

    async def embed_parts(
        self, texts: Sequence[str], parts: Sequence[Sequence[tuple[int, int]]]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """`embed(texts)`, and a vector for each part of each text, of any length: float32 (all parts, dimensions).

        `parts[i]` are spans of `texts[i]`. A part's vector is read in the context of its text; the sum of two parts'
        vectors is that of both together, and a part in which nothing stands has zeros. Raises ModelError.
        """
        ...


@runtime_checkable
class WordEmbedder(ContextualEmbedder, Protocol):
    """An embedder whose vectors of single words can be compared. It reads questions as it reads passages."""

    @property
    def word_basis(self) -> NDArray[np.float32]:
        """Shape (dimensions, n): a word's vector times this keeps most of what tells words apart, in fewer numbers."""
        ...


class TokenCounter(Protocol):
    """The part of an embedder's tokenizer that chunking and prompt assembly need."""

    def count(self, text: str) -> int:
        """Tokens in `text`, without special ones."""
        ...

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """The character span of each token, in order."""
        ...


@dataclass(frozen=True, slots=True)
class RerankPassage:
    """A passage as a reranker reads it."""

    row: int
    """Its place in the corpus version that is searched, for a reranker that keeps something of each passage there."""
    text: str
    """Title, headings and plain text, as the embedder reads them."""


class Reranker(Protocol):
    """Anything that reads a question and a passage together."""

    @property
    def name(self) -> str:
        """As it stands in traces."""
        ...

    async def score(self, question: str, passages: Sequence[RerankPassage]) -> NDArray[np.float32]:
        """Shape (len(passages),): the higher, the better; comparable within one call alone. Raises ModelError."""
        ...
