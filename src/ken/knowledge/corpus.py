"""One corpus version as a question or a page reads it, from start to end, whatever syncs do meanwhile."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from time import perf_counter

import anyio.to_thread
import numpy as np
from numpy.typing import NDArray

from ken.domain.document import Document, Evidence, Passage, SearchResult, Sentence
from ken.domain.filters import NO_FILTERS, Filters
from ken.domain.principal import Principal
from ken.domain.reasons import Reasons
from ken.errors import NotFound, StorageError
from ken.knowledge.catalogue import Allowed
from ken.knowledge.confirmed import LOOKED_AT, Quotes, lifted
from ken.knowledge.index import Asked, Index
from ken.knowledge.ingest import space_of
from ken.knowledge.late import NO_WORDS, QuestionWords
from ken.knowledge.options import SearchOptions
from ken.knowledge.pages import Pages
from ken.knowledge.query.compound import dealt
from ken.knowledge.query.feedback import fed_back
from ken.knowledge.query.plan import Plan, plan
from ken.knowledge.query.reading import Reading
from ken.knowledge.ranking import Ranked, Ranking, rank
from ken.knowledge.rerank import Reranking
from ken.models.protocols import Embedder
from ken.text.markup import plain


def _is_no_word(word: str) -> bool:
    _ = word
    return False


def _no_pages(passages: Sequence[Passage]) -> Mapping[str, Pages]:
    _ = passages
    return {}


async def _no_words(question: str) -> QuestionWords:
    _ = question
    return NO_WORDS


@dataclass(frozen=True, slots=True)
class Corpus:
    """The documents of an index, filtered by who asks."""

    index: Index
    embedder: Embedder
    """What its vectors come from."""
    embed: Callable[[str], Awaitable[NDArray[np.float32]]]
    """A question becomes a vector of shape (dimensions,)."""
    options: SearchOptions
    is_word: Callable[[str], bool] = _is_no_word
    """Whether a lower-case word belongs to the language, whatever the documents hold."""
    reranking: Reranking | None = None
    read_words: Callable[[str], Awaitable[QuestionWords]] = _no_words
    """The words of a question, as they are compared with those of passages."""
    confirmed: Callable[[NDArray[np.float32], Principal], Awaitable[Quotes]] | None = None
    """What confirmed answers to a question near this vector cite."""
    pages: Callable[[Sequence[Passage]], Mapping[str, Pages]] = _no_pages
    """Of the documents of some passages, by id."""

    @property
    def corpus_version(self) -> int:
        """Which one it is."""
        return self.index.corpus_version

    @property
    def vectors(self) -> str:
        """Names the space of its vectors, as document versions begin; empty where there are no documents."""
        documents = self.index.catalogue.documents
        return space_of(documents[0].version) if documents else ""

    async def search(
        self,
        query: str,
        principal: Principal,
        *,
        collections: frozenset[str] | None = None,
        filters: Filters = NO_FILTERS,
        limit: int = 8,
    ) -> SearchResult:
        """The passages most likely to hold the answer, among those that `principal` may read, best first."""
        started = perf_counter()
        if self.index.catalogue.left_out:
            self._refuse_mixing(principal, collections)
        allowed = self.index.catalogue.allowed(principal, collections, filters=filters)
        planned = await anyio.to_thread.run_sync(self._plan, query, allowed)
        ready = perf_counter()
        asked = [
            Asked(each.terms, await self.embed(each.text), await self.read_words(each.text))
            for each in (planned.whole, *planned.parts)
        ]
        embedded = perf_counter()
        cited = await self.confirmed(asked[0].vector, principal) if self.confirmed is not None else ()
        most = max(limit, LOOKED_AT) if cited else limit
        rankings, added = await anyio.to_thread.run_sync(partial(self._ranked, asked, allowed, limit=most))
        ranked = perf_counter()
        rankings[0], notice = await self._reread(query, rankings[0])
        reread = perf_counter()
        result = await anyio.to_thread.run_sync(partial(self._result, rankings, allowed, principal, limit=most))
        steps = [("plan", started, ready), ("embed", ready, embedded), ("rank", embedded, ranked)]
        steps += [("rerank", ranked, reread)] if self.reranking is not None else []
        steps.append(("load", reread, perf_counter()))
        return replace(
            lifted(result, cited, limit=limit) if cited else result,
            explained=replace(planned.explained, feedback=added),
            notices=(notice,) if notice else (),
            timings_ms=tuple((name, (end - begin) * 1000) for name, begin, end in steps),
        )

    def documents(
        self, principal: Principal, *, collection: str | None = None, after: str | None = None, limit: int = 100
    ) -> tuple[Document, ...]:
        """Documents that `principal` may read, by id, from the first one above `after`."""
        wanted = None if collection is None else frozenset({collection})
        readable = self.index.catalogue.readable(principal, wanted)
        return tuple(islice((document for document in readable if after is None or document.id > after), limit))

    async def document(self, document_id: str, principal: Principal) -> Document:
        """One document. Raises NotFound where there is none that `principal` may read."""
        catalogue = self.index.catalogue
        document = catalogue.get(document_id)
        if document is None or not principal.may_read(document.groups):
            raise NotFound(f"There is no document {document_id!r} that you may read.")
        return catalogue.shown(document, principal)

    async def collections(self, principal: Principal) -> tuple[tuple[str, int], ...]:
        """Names of collections with the number of documents in each that `principal` may read."""
        counts: dict[str, int] = {}
        for document in self.index.catalogue.listed:
            if principal.may_read(document.groups):
                counts[document.collection] = counts.get(document.collection, 0) + 1
        return tuple(sorted(counts.items()))

    def _plan(self, query: str, allowed: Allowed) -> Plan:
        reading = Reading(self.index.lexicon, self.index.catalogue.documents, allowed.documents, self.is_word)
        return plan(query, reading, options=self.options)

    def _ranked(self, asked: Sequence[Asked], allowed: Allowed, *, limit: int) -> tuple[list[Ranking], tuple[str, ...]]:
        """What is found for a question, and for each of the parts that follow it; and the words that feedback added."""
        most = limit if self.reranking is None else max(limit, self.reranking.candidates)
        rankings = [rank(self.index, each, allowed=allowed, options=self.options, limit=most) for each in asked]
        if not self.options.feedback or not rankings[0].passages:
            return rankings, ()
        best = rankings[0].passages[: self.options.feedback]
        moved, added = fed_back(self.index, asked[0], best=best, allowed=allowed, options=self.options)
        rankings[0] = rank(self.index, moved, allowed=allowed, options=self.options, limit=most)
        return rankings, added

    async def _reread(self, query: str, ranking: Ranking) -> tuple[Ranking, str]:
        """The best passages in the order of the reranker, where there is one; and a notice where it failed."""
        if self.reranking is None or len(ranking.passages) < 2:  # noqa: PLR2004 - an order has two
            return ranking, ""
        best, rest = ranking.passages[: self.reranking.candidates], ranking.passages[self.reranking.candidates :]
        texts = await anyio.to_thread.run_sync(self._readings, best)
        ordered, notice = await self.reranking.reordered(query, best, texts=texts)
        passages = sorted((*ordered, *rest), key=lambda one: -one.relevance)
        return replace(ranking, passages=tuple(passages)), notice

    def _readings(self, found: Sequence[Ranked]) -> list[str]:
        """Passages as a reranker reads them; one that was deleted a moment ago is empty."""
        stored = self.index.passages([one.row for one in found])
        return ["" if each is None else self._reading(one, each[0]) for one, each in zip(found, stored, strict=True)]

    def _reading(self, one: Ranked, passage: Passage) -> str:
        document = self.index.catalogue.documents[one.document]
        above = dict.fromkeys((document.title, *passage.heading_path))
        return f"{'. '.join(above)}. {plain(passage.shown, document.markup)}"

    def _result(
        self, rankings: Sequence[Ranking], allowed: Allowed, principal: Principal, *, limit: int
    ) -> SearchResult:
        passages = dealt([ranking.passages for ranking in rankings], limit=limit)
        return SearchResult(
            evidence=tuple(self._evidence(passages, principal)),
            corpus_version=self.corpus_version,
            candidates=rankings[0].candidates,
            terms=rankings[0].terms,
            readable=int(self.index.catalogue.allowed(principal, None).documents.sum()),
            allowed=int(allowed.documents.sum()),
        )

    def _refuse_mixing(self, principal: Principal, collections: frozenset[str] | None) -> None:
        """Vectors of two embedders can't be compared, and a search without some documents would hide that."""
        names = {
            document.collection
            for document in self.index.catalogue.left_out
            if principal.may_read(document.groups) and (collections is None or document.collection in collections)
        }
        if names:
            raise StorageError(
                f"These collections were read by another version of Ken or of its embedder: {', '.join(sorted(names))}. "
                "Run `ken sync` for each: on its folder with its `--collection`, or by its source's name. Any sync reads "
                "anew what was pushed."
            )

    def _evidence(self, found: Sequence[Ranked], principal: Principal) -> Iterator[Evidence]:
        catalogue = self.index.catalogue
        loaded = self.index.passages([one.row for one in found])
        pages = self.pages([stored[0] for stored in loaded if stored is not None])
        for one, stored in zip(found, loaded, strict=True):
            if stored is None:
                continue
            passage, quotes = stored
            numbered = pages.get(passage.document_id)
            scores = zip(quotes, one.similarities.tolist(), one.coverages.tolist(), strict=True)
            yield Evidence(
                passage=passage,
                document=catalogue.shown(catalogue.documents[one.document], principal),
                relevance=one.relevance,
                lexical=one.lexical,
                dense=one.dense,
                fused=one.fused,
                coverage=one.coverage,
                matched_terms=one.matched_terms,
                reasons=Reasons(
                    sentence=one.sentence,
                    interaction=one.interaction,
                    terms=one.term_scores,
                    ranks=one.ranks,
                    rerank=one.rerank,
                ),
                sentences=tuple(
                    Sentence(
                        start=quote.start,
                        end=quote.end,
                        text=quote.text,
                        is_code=quote.is_code,
                        similarity=similarity,
                        coverage=coverage,
                        page=numbered.at(quote.start) if numbered is not None else passage.page,
                    )
                    for quote, similarity, coverage in scores
                ),
            )
