"""The vector spaces of a home: one of every embedder that its documents were ever embedded with.

Documents are read with the embedder in use until every one of them has been embedded with the one that is wanted. A corpus
version of before is compared with questions of its own embedder, made from what is remembered of it, and with no other's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Protocol, runtime_checkable

from ken.knowledge.index import Indexes
from ken.knowledge.ingest import Ingest
from ken.models.protocols import Embedder
from ken.storage.embedders import EmbedderBook, EmbedderRecord


@dataclass(frozen=True, slots=True)
class Space:
    """What makes vectors of one embedder, and where the indexes over them are."""

    ingest: Ingest
    indexes: Indexes


@runtime_checkable
class Closing(Protocol):
    """Something that holds connections."""

    async def aclose(self) -> None:
        """Close them."""
        ...


@dataclass(frozen=True, slots=True)
class Spaces:
    """The embedders of a home, by name."""

    book: EmbedderBook
    wanted: str
    """The one that ken.toml names."""
    want: Callable[[], Awaitable[Embedder]]
    """Makes it and remembers it. Raises ModelError where it can't be asked for the first time."""
    make: Callable[[EmbedderRecord], Embedder]
    """Makes one that is remembered; one that can't be had any more fails with the reason when it is used."""
    indexes_of: Callable[[int, int | None], Indexes]
    """The indexes over vectors of so many dimensions, so many of which a first pass looks at (None: all)."""
    made: dict[str, Embedder] = field(default_factory=dict[str, Embedder])

    def embedder(self, name: str) -> Embedder | None:
        """A remembered embedder, or None."""
        if name not in self.made:
            record = self.book.get(name)
            if record is None:
                return None
            self.made[name] = self.make(record)
        return self.made[name]

    def known(self) -> Iterable[Embedder]:
        """Every remembered embedder."""
        for record in self.book.all():
            embedder = self.embedder(record.name)
            if embedder is not None:
                yield embedder

    def space(self, like: Ingest, embedder: Embedder) -> Space:
        """The space of an embedder, in which documents are otherwise read as `like` does."""
        return Space(replace(like, embedder=embedder), self.indexes(embedder))

    def indexes(self, embedder: Embedder) -> Indexes:
        """The indexes over vectors of an embedder."""
        record = self.book.get(embedder.name)
        first = record.settings.get("first_pass_dimensions") if record is not None else None
        return self.indexes_of(embedder.dimensions, int(first) if first else None)

    async def aclose(self) -> None:
        """Close the connections of all."""
        for embedder in self.made.values():
            if isinstance(embedder, Closing):
                await embedder.aclose()
