"""One corpus version as a question or a page reads it, from start to end, whatever syncs do meanwhile."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from time import perf_counter

import anyio.to_thread
import numpy as np
from numpy.typing import NDArray

from ken.domain.document import Document, Evidence, SearchResult, Sentence
from ken.domain.principal import Principal
from ken.errors import NotFound, StorageError
from ken.knowledge.generation import Generation
from ken.knowledge.ranking import Ranked, rank


@dataclass(frozen=True, slots=True)
class Corpus:
    """The documents of a generation, filtered by who asks."""

    generation: Generation
    embed: Callable[[str], Awaitable[NDArray[np.float32]]]
    """A question becomes a vector of shape (dimensions,)."""

    @property
    def corpus_version(self) -> int:
        """Which one it is."""
        return self.generation.corpus_version

    async def search(
        self, query: str, principal: Principal, *, collections: frozenset[str] | None = None, limit: int = 8
    ) -> SearchResult:
        """The passages most likely to hold the answer, among those that `principal` may read, best first."""
        started = perf_counter()
        vector = await self.embed(query)
        embedded = perf_counter()
        search = partial(self._search, query, vector, principal, collections=collections, limit=limit)
        result, timings = await anyio.to_thread.run_sync(search)
        return SearchResult(
            evidence=result.evidence,
            corpus_version=result.corpus_version,
            candidates=result.candidates,
            terms=result.terms,
            timings_ms=(("embed", (embedded - started) * 1000), *timings),
        )

    def documents(
        self, principal: Principal, *, collection: str | None = None, after: str | None = None, limit: int = 100
    ) -> tuple[Document, ...]:
        """Documents that `principal` may read, by id, from the first one above `after`."""
        readable = (
            self.generation.shown(document, principal)
            for document in self.generation.listed
            if principal.may_read(document.groups)
            and (collection is None or document.collection == collection)
            and (after is None or document.id > after)
        )
        return tuple(document for document, _ in zip(readable, range(limit), strict=False))

    async def document(self, document_id: str, principal: Principal) -> Document:
        """One document. Raises NotFound where there is none that `principal` may read."""
        document = self.generation.get(document_id)
        if document is None or not principal.may_read(document.groups):
            raise NotFound(f"There is no document {document_id!r} that you may read.")
        return self.generation.shown(document, principal)

    async def collections(self, principal: Principal) -> tuple[tuple[str, int], ...]:
        """Names of collections with the number of documents in each that `principal` may read."""
        counts: dict[str, int] = {}
        for document in self.generation.listed:
            if principal.may_read(document.groups):
                counts[document.collection] = counts.get(document.collection, 0) + 1
        return tuple(sorted(counts.items()))

    def _search(
        self,
        query: str,
        vector: NDArray[np.float32],
        principal: Principal,
        *,
        collections: frozenset[str] | None,
        limit: int,
    ) -> tuple[SearchResult, tuple[tuple[str, float], ...]]:
        started = perf_counter()
        if self.generation.left_out:
            self._refuse_mixing(principal, collections)
        readable = self.generation.readable(principal, collections)
        ranking = rank(self.generation, query, vector=vector, readable=readable, limit=limit)
        ranked = perf_counter()
        result = SearchResult(
            evidence=tuple(self._found(found, principal) for found in ranking.passages),
            corpus_version=self.corpus_version,
            candidates=ranking.candidates,
            terms=ranking.terms,
        )
        return result, (("rank", (ranked - started) * 1000), ("load", (perf_counter() - ranked) * 1000))

    def _refuse_mixing(self, principal: Principal, collections: frozenset[str] | None) -> None:
        """Vectors of two embedders can't be compared, and a search without some documents would hide that."""
        names = {
            document.collection
            for document in self.generation.left_out
            if principal.may_read(document.groups) and (collections is None or document.collection in collections)
        }
        if names:
            raise StorageError(
                f"These collections were read by another version of Ken or of its embedder: {', '.join(sorted(names))}. "
                "Run `ken sync` for each: on its folder with its `--collection`, or by its source's name. Any sync reads "
                "anew what was pushed."
            )

    def _found(self, found: Ranked, principal: Principal) -> Evidence:
        current = self.generation
        document = current.documents[int(current.document[found.row])]
        first, last = int(current.sentence_bounds[found.row]), int(current.sentence_bounds[found.row + 1])
        spans = current.sentence_spans[first:last].tolist()
        texts = [current.quote(sentence) for sentence in range(first, last)]
        scores = zip(spans, texts, found.similarities.tolist(), found.coverages.tolist(), strict=True)
        return Evidence(
            passage=current.passage(found.row),
            document=current.shown(document, principal),
            relevance=found.relevance,
            lexical=found.lexical,
            dense=found.dense,
            fused=found.fused,
            coverage=found.coverage,
            matched_terms=found.matched_terms,
            sentences=tuple(
                Sentence(start=start, end=end, text=text, is_code=bool(code), similarity=similarity, coverage=coverage)
                for (start, end, code), text, similarity, coverage in scores
            ),
        )
