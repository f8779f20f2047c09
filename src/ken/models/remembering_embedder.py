"""A wrapper of the Embedder seam: what was embedded once is not embedded again, for as long as this lives."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ken.models.protocols import ContextualEmbedder, Embedder, WordEmbedder

Vector = NDArray[np.float32]
Span = tuple[int, int]
Key = TypeVar("Key", bound=Hashable)

_MOST_BYTES = 500_000_000


def remembering(embedder: Embedder, *, most_bytes: int = _MOST_BYTES) -> Embedder:
    """The same embedder with a memory: of questions, and of at most so many bytes for texts and their parts."""
    if isinstance(embedder, WordEmbedder):
        return RememberingWords(embedder, most_bytes)
    if isinstance(embedder, ContextualEmbedder):
        return RememberingInContext(embedder, most_bytes)
    return Remembering(embedder, most_bytes)


class Remembering:
    """An Embedder; raises what the one behind it raises."""

    def __init__(self, embedder: Embedder, most_bytes: int) -> None:
        self.name: str = embedder.name
        self.dimensions: int = embedder.dimensions
        self._embedder = embedder
        self._room = most_bytes
        self._questions: dict[str, Vector] = {}
        self._texts: dict[str, Vector] = {}

    async def embed(self, texts: Sequence[str]) -> Vector:
        """As the embedder behind it."""
        missing = [text for text in dict.fromkeys(texts) if text not in self._texts]
        computed = dict(zip(missing, await self._embedder.embed(missing) if missing else (), strict=True))
        for text, vector in computed.items():
            self._keep(self._texts, text, vector=vector)
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        for index, text in enumerate(texts):
            vectors[index] = self._texts[text] if text in self._texts else computed[text]
        return vectors

    async def embed_question(self, text: str) -> Vector:
        """As the embedder behind it."""
        known = self._questions.get(text)
        if known is None:
            known = await self._embedder.embed_question(text)
            self._questions[text] = known
        return known

    def _keep(self, memory: dict[Key, Vector], key: Key, *, vector: Vector) -> None:
        if vector.nbytes <= self._room:
            self._room -= vector.nbytes
            memory[key] = vector.copy()


class RememberingInContext(Remembering):
    """A ContextualEmbedder; raises what the one behind it raises."""

    def __init__(self, embedder: ContextualEmbedder, most_bytes: int) -> None:
        super().__init__(embedder, most_bytes)
        self._contextual = embedder
        self._windows: dict[tuple[str, tuple[Span, ...]], Vector] = {}
        """For each text with its parts: its own vector, and below it those of the parts."""

    async def embed_parts(self, texts: Sequence[str], parts: Sequence[Sequence[Span]]) -> tuple[Vector, Vector]:
        """As the embedder behind it."""
        keys = [(text, tuple(of_text)) for text, of_text in zip(texts, parts, strict=True)]
        missing = [key for key in dict.fromkeys(keys) if key not in self._windows]
        computed: dict[tuple[str, tuple[Span, ...]], Vector] = {}
        if missing:
            whole, sums = await self._contextual.embed_parts([key[0] for key in missing], [key[1] for key in missing])
            bounds = np.cumsum([0, *(len(key[1]) for key in missing)])
            for index, key in enumerate(missing):
                computed[key] = np.concatenate([whole[index : index + 1], sums[bounds[index] : bounds[index + 1]]])
                self._keep(self._windows, key, vector=computed[key])
        found = [self._windows[key] if key in self._windows else computed[key] for key in keys]
        none = np.empty((0, self.dimensions), np.float32)
        return (
            np.concatenate([none, *(each[:1] for each in found)]),
            np.concatenate([none, *(each[1:] for each in found)]),
        )


class RememberingWords(RememberingInContext):
    """A WordEmbedder; raises what the one behind it raises."""

    def __init__(self, embedder: WordEmbedder, most_bytes: int) -> None:
        super().__init__(embedder, most_bytes)
        self.word_basis: Vector = embedder.word_basis
