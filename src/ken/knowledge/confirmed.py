"""Confirmed answers: a question near one whose answer was found helpful has that answer's passages lifted.

Lifted are passages that the search found by itself for this asker, and that still hold what was quoted: nothing is added
to what may be read, and a confirmation is gone with its passage.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import anyio.to_thread
import numpy as np
from numpy.typing import NDArray

from ken.domain.confirmed import Confirmed
from ken.domain.document import Evidence, SearchResult
from ken.domain.principal import Principal
from ken.models.protocols import Embedder
from ken.text.markup import plain

LOOKED_AT = 50
"""Passages among which those of a confirmed answer are looked for."""
NEAR = 0.8
"""Cosine of two questions that ask the same: below it, wrong lifts begin (experiments/LOG.md)."""

Quotes = tuple[tuple[str, str], ...]
"""Document ids, each with a quote."""


class Book(Protocol):
    """Where confirmed answers are kept."""

    def stamp(self) -> Hashable:
        """Another value whenever `all` may have changed."""
        ...

    def all(self) -> tuple[Confirmed, ...]:
        """The confirmed answers that count."""
        ...


@dataclass(slots=True)
class ConfirmedQuestions:
    """Confirmed questions with their vectors, read anew when somebody said something."""

    book: Book
    _stamp: Hashable = None
    _known: tuple[Confirmed, ...] = ()
    _vectors: dict[tuple[str, str], NDArray[np.float32]] = field(
        default_factory=dict[tuple[str, str], NDArray[np.float32]]
    )
    _reading: threading.Lock = field(default_factory=threading.Lock)

    async def near(self, vector: NDArray[np.float32], principal: Principal, *, embedder: Embedder) -> Quotes:
        """What the answers to the nearest question of this scope cite; empty where none is near. Raises ModelError."""
        known = [one for one in await anyio.to_thread.run_sync(self._current) if one.scope == principal.scope]
        if not known:
            return ()
        await self._embed(embedder, known)
        matrix = np.stack([self._vectors[embedder.name, one.question] for one in known])
        similarities = matrix @ vector
        best = int(similarities.argmax())
        return known[best].quotes if similarities[best] >= NEAR else ()

    def _current(self) -> tuple[Confirmed, ...]:
        stamp = self.book.stamp()
        with self._reading:
            if stamp != self._stamp:
                self._known, self._stamp = self.book.all(), stamp
            return self._known

    async def _embed(self, embedder: Embedder, known: Sequence[Confirmed]) -> None:
        missing = [one.question for one in known if (embedder.name, one.question) not in self._vectors]
        for question in dict.fromkeys(missing):
            self._vectors[embedder.name, question] = await embedder.embed_question(question)
        if len(self._vectors) > 2 * max(len(self._known), LOOKED_AT):
            kept = {(embedder.name, one.question) for one in self._known}
            self._vectors = {key: vector for key, vector in self._vectors.items() if key in kept}


def lifted(result: SearchResult, quotes: Quotes, *, limit: int) -> SearchResult:
    """The passages that hold these quotes first, in the quotes' order, then the others; relevance falls as it did."""
    front: list[Evidence] = []
    for document_id, quote in quotes:
        for item in result.evidence:
            is_it = item.document.id == document_id and quote in plain(item.passage.shown, item.document.markup)
            if is_it and item not in front:
                front.append(item)
                break
    if not front:
        return replace(result, evidence=result.evidence[:limit])
    ordered = [*front, *(item for item in result.evidence if item not in front)]
    relevance = [item.relevance for item in result.evidence]
    raised = [replace(item, relevance=value) for item, value in zip(ordered, relevance, strict=True)]
    return replace(result, evidence=tuple(raised[:limit]))
