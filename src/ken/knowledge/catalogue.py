"""The documents of one corpus version, in memory, and which of them a question may see."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ken.domain.document import Document
from ken.domain.filters import NO_FILTERS, Filters
from ken.domain.principal import Principal

Value = TypeVar("Value", bound=Hashable)

_REMEMBERED = 64
"""Sets of documents that were allowed to somebody; each takes a byte a document."""


@dataclass(frozen=True, slots=True, eq=False)
class Allowed:
    """The documents that a question may see: exact, and settled before anything is ranked or counted."""

    key: Hashable
    """Equal for two of one catalogue exactly when they were asked for in the same way."""
    documents: NDArray[np.bool_]
    """Shape (documents of the catalogue,)."""


@dataclass(frozen=True)
class Catalogue:
    """Documents with passages in an index, ordered by id; and those that are left out of it."""

    documents: tuple[Document, ...]
    left_out: tuple[Document, ...] = ()
    """Documents without passages in the index: their vectors lie in the space of another embedder."""
    _allowed: dict[Hashable, Allowed] = field(default_factory=dict[Hashable, Allowed], compare=False)

    @cached_property
    def listed(self) -> tuple[Document, ...]:
        """Every document of the corpus, ordered by id."""
        if not self.left_out:
            return self.documents
        return tuple(sorted((*self.documents, *self.left_out), key=lambda document: document.id))

    @cached_property
    def _groups(self) -> dict[str, frozenset[str]]:
        return {document.id: document.groups for document in self.listed}

    @cached_property
    def _by_groups(self) -> tuple[tuple[frozenset[str], ...], NDArray[np.int32]]:
        return _coded(self.documents, lambda document: document.groups)

    @cached_property
    def _by_collection(self) -> tuple[tuple[str, ...], NDArray[np.int32]]:
        return _coded(self.documents, lambda document: document.collection)

    @cached_property
    def _by_facts(self) -> tuple[tuple[Document, ...], NDArray[np.int32]]:
        """A document for each set of facts that filters look at, and for each document the number of its set."""
        _, codes = _coded(self.documents, _facts)
        first: list[int] = np.unique(codes, return_index=True)[1].tolist()
        return tuple(self.documents[place] for place in first), codes

    @property
    def collections(self) -> NDArray[np.int32]:
        """Shape (documents,): the number of each document's collection."""
        return self._by_collection[1]

    def allowed(
        self, principal: Principal, collections: frozenset[str] | None, *, filters: Filters = NO_FILTERS
    ) -> Allowed:
        """The documents that this principal may read in these collections, and that the filters let through."""
        key = (principal.scope, collections, filters)
        found = self._allowed.get(key)
        if found is None:
            groups, of_groups = self._by_groups
            mask = np.array([principal.may_read(each) for each in groups], dtype=np.bool_)[of_groups]
            if collections is not None:
                names, of_collection = self._by_collection
                mask &= np.array([name in collections for name in names], dtype=np.bool_)[of_collection]
            if filters != NO_FILTERS:
                examples, of_facts = self._by_facts
                mask &= np.array([filters.lets_through(each) for each in examples], dtype=np.bool_)[of_facts]
            if len(self._allowed) >= _REMEMBERED:
                self._allowed.clear()
            found = self._allowed[key] = Allowed(key, mask)
        return found

    def readable(self, principal: Principal, collections: frozenset[str] | None = None) -> Iterator[Document]:
        """Documents that this principal may read, by id, as they are shown to it."""
        for document in self.listed:
            if principal.may_read(document.groups) and (collections is None or document.collection in collections):
                yield self.shown(document, principal)

    def shown(self, document: Document, principal: Principal) -> Document:
        """A document without the names of a successor and of a predecessor that this principal may not read."""
        successor = document.superseded_by
        if successor is None and document.supersedes is None:
            return document
        closed = {
            name
            for name in (successor, *document.predecessors)
            if name in self._groups and not principal.may_read(self._groups[name])
        }
        return replace(
            document,
            superseded_by=None if successor in closed or successor not in self._groups else successor,
            supersedes=None if closed.intersection(document.predecessors) else document.supersedes,
        )

    def is_superseded(self, place: int, allowed: Allowed) -> bool:
        """Whether the document at a place is superseded by one that is allowed."""
        successor = self.documents[place].superseded_by
        at = None if successor is None else self._place(self.documents, successor)
        return at is not None and bool(allowed.documents[at])

    def get(self, document_id: str) -> Document | None:
        """A document of the corpus by its id, or None."""
        for documents in (self.documents, self.left_out):
            place = self._place(documents, document_id)
            if place is not None:
                return documents[place]
        return None

    @staticmethod
    def _place(documents: tuple[Document, ...], document_id: str) -> int | None:
        place = bisect_left(documents, document_id, key=lambda document: document.id)
        return place if place < len(documents) and documents[place].id == document_id else None


def _facts(document: Document) -> tuple[str | None, ...]:
    return document.owner, document.media_type, document.modified, document.effective


def _coded(
    documents: tuple[Document, ...], value: Callable[[Document], Value]
) -> tuple[tuple[Value, ...], NDArray[np.int32]]:
    """The distinct values, and for each document the number of its own."""
    numbers: dict[Value, int] = {}
    codes = [numbers.setdefault(value(document), len(numbers)) for document in documents]
    return tuple(numbers), np.array(codes, dtype=np.int32)
