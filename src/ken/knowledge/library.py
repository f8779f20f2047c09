"""The door to an organisation's documents: sync, upload, delete, read, search."""

from __future__ import annotations

import os
import tempfile
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from time import perf_counter

import anyio.to_thread
import numpy as np
from numpy.typing import NDArray

from ken.domain.document import Document, Evidence, Passage, SearchResult, Sentence
from ken.domain.principal import EVERYONE, Principal
from ken.errors import Conflict, InvalidInput, NotFound, StorageError, TooLarge
from ken.knowledge import generation
from ken.knowledge.generation import Generation
from ken.knowledge.ingest import Ingest
from ken.knowledge.parse.parser import SUPPORTED
from ken.knowledge.ranking import Ranked, Ranking, rank
from ken.knowledge.sync import Progress, Syncer, SyncReport, exclusively
from ken.storage.documents import Documents, Source
from ken.storage.erasure import Erasure
from ken.text.markup import plain

_REMEMBERED_QUESTIONS = 512
_REMEMBERED_PASSAGES = 4096


@dataclass(slots=True)
class Library:
    """Reads from the current generation of the index; writes by syncs. One home has one library in each process."""

    home: Path
    store: Documents
    ingest: Ingest
    erasure: Erasure
    max_bytes: int
    _generation: Generation | None = None
    _questions: OrderedDict[str, NDArray[np.float32]] = field(default_factory=OrderedDict[str, NDArray[np.float32]])
    _quotes: OrderedDict[tuple[str, str, int], tuple[str, ...]] = field(
        default_factory=OrderedDict[tuple[str, str, int], tuple[str, ...]]
    )

    @property
    def corpus_version(self) -> int:
        """The committed corpus that a search would look at."""
        return self._current().corpus_version

    async def search(
        self, query: str, principal: Principal, *, collections: frozenset[str] | None = None, limit: int = 8
    ) -> SearchResult:
        """The passages most likely to hold the answer, among those that `principal` may read, best first."""
        started = perf_counter()
        vector = self._questions.get(query)
        if vector is None:
            vector = (await self.ingest.embedder.embed([query]))[0]
            self._questions[query] = vector
            if len(self._questions) > _REMEMBERED_QUESTIONS:
                self._questions.popitem(last=False)
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

    async def sync_folder(
        self,
        folder: Path,
        *,
        collection: str,
        default_groups: frozenset[str] = frozenset({EVERYONE}),
        progress: Progress | None = None,
    ) -> SyncReport:
        """Bring a collection up to date with a folder. Raises SyncRunning, InvalidInput, StorageError, ModelError."""
        _check_collection(collection)
        place = await anyio.to_thread.run_sync(_real, folder)
        source = Source(
            id=f"folder:{collection}:{place}",
            kind="folder",
            location=str(place),
            collection=collection,
            default_groups=default_groups,
        )
        async with exclusively(self.home):
            return await self._syncer().folder(place, source, progress)

    async def put(self, document_id: str, data: bytes, *, groups: frozenset[str] | None = None) -> Document:
        """Upload a document, or replace one that was uploaded; `document_id` is `collection/path.suffix`.

        Raises InvalidInput, TooLarge, Unreadable, Conflict (it comes from another source), SyncRunning.
        """
        collection, path = _parts(document_id)
        if len(data) > self.max_bytes:
            raise TooLarge(
                f"{document_id!r} is {len(data) / 1e6:.0f} MB; at most {self.max_bytes / 1e6:.0f} MB are taken."
            )
        if PurePosixPath(path).suffix.lower() not in SUPPORTED:
            raise InvalidInput(f"{document_id!r} has no known suffix. Known are: {', '.join(sorted(SUPPORTED))}.")
        source = self._uploads(collection)
        default_groups = groups or source.default_groups
        async with exclusively(self.home):
            owner = await anyio.to_thread.run_sync(self.store.source_of, document_id)
            if owner not in {None, source.id}:
                raise Conflict(f"{document_id!r} comes from a synced folder. Change the file there and sync.")
            document, _ = await self.ingest.stage(document_id, data, source=source.id, default_groups=default_groups)
            await anyio.to_thread.run_sync(_keep_file, self.home / "uploads" / collection / path, data)
            chosen = await anyio.to_thread.run_sync(self.store.versions, source.id)
            await self._syncer().commit(source, chosen | {document_id: document.version})
        return await self._stored(document_id)

    async def delete(self, document_id: str) -> None:
        """Delete an uploaded document for good. Raises NotFound; Conflict where it comes from a synced folder."""
        collection, path = _parts(document_id)
        source = self._uploads(collection)
        async with exclusively(self.home):
            owner = await anyio.to_thread.run_sync(self.store.source_of, document_id)
            if owner is None:
                raise NotFound(f"There is no document {document_id!r}.")
            if owner != source.id:
                raise Conflict(f"{document_id!r} comes from a synced folder. Delete the file there and sync.")
            (self.home / "uploads" / collection / path).unlink(missing_ok=True)
            chosen = await anyio.to_thread.run_sync(self.store.versions, source.id)
            chosen.pop(document_id, None)
            await self._syncer().commit(source, chosen)

    async def documents(
        self, principal: Principal, *, collection: str | None = None, after: str | None = None, limit: int = 100
    ) -> tuple[Document, ...]:
        """Documents that `principal` may read, by id, from the first one above `after`."""
        readable = (
            document
            for document in (await anyio.to_thread.run_sync(self._current)).documents
            if principal.may_read(document.groups)
            and (collection is None or document.collection == collection)
            and (after is None or document.id > after)
        )
        return tuple(document for document, _ in zip(readable, range(limit), strict=False))

    async def document(self, document_id: str, principal: Principal) -> Document:
        """One document. Raises NotFound where there is none that `principal` may read."""
        document = await anyio.to_thread.run_sync(self.store.get, document_id)
        if document is None or not principal.may_read(document.groups):
            raise NotFound(f"There is no document {document_id!r} that you may read.")
        return document

    async def text(self, document_id: str, principal: Principal) -> str:
        """The parsed text of a document. Raises NotFound."""
        await self.document(document_id, principal)
        return await anyio.to_thread.run_sync(self.store.text, document_id)

    async def passages(self, document_id: str, principal: Principal) -> tuple[Passage, ...]:
        """The passages of a document, in order. Raises NotFound."""
        await self.document(document_id, principal)
        return await anyio.to_thread.run_sync(self.store.passages_of, document_id)

    async def collections(self, principal: Principal) -> tuple[tuple[str, int], ...]:
        """Names of collections with the number of documents in each that `principal` may read."""
        counts: dict[str, int] = {}
        for document in (await anyio.to_thread.run_sync(self._current)).documents:
            if principal.may_read(document.groups):
                counts[document.collection] = counts.get(document.collection, 0) + 1
        return tuple(sorted(counts.items()))

    async def status(self) -> tuple[Source, ...]:
        """Every source with what its last sync could not take."""
        return await anyio.to_thread.run_sync(self.store.sources)

    async def open(self) -> None:
        """Load the index, and build it anew where it is missing (after a restore, or made by another version)."""
        await anyio.to_thread.run_sync(self._current)

    def close(self) -> None:
        """End the parser's worker process."""
        self.ingest.parser.close()

    def _syncer(self) -> Syncer:
        return Syncer(self.store, self.ingest, self.erasure, self._index_folder, self.max_bytes)

    @property
    def _index_folder(self) -> Path:
        return self.home / "index"

    def _uploads(self, collection: str) -> Source:
        return Source(
            id=f"uploads:{collection}",
            kind="uploads",
            location=str(self.home / "uploads" / collection),
            collection=collection,
            default_groups=frozenset({EVERYONE}),
        )

    async def _stored(self, document_id: str) -> Document:
        document = await anyio.to_thread.run_sync(self.store.get, document_id)
        if document is None:
            raise StorageError(
                f"{document_id!r} was deleted by another process while it was uploaded. Upload it again."
            )
        return document

    def _current(self) -> Generation:
        """The generation that the database points to; another process may have moved the pointer."""
        loaded = self._generation
        if loaded is not None and loaded.name == self.store.generation():
            return loaded
        for _ in range(3):
            snapshot = self.store.snapshot()
            name = snapshot.generation or self._rebuild()
            found = generation.load(self._index_folder, name, snapshot.corpus_version, snapshot.documents)
            if found is not None:
                self._generation = found
                self._quotes.clear()
                return found
            if self.store.generation() == snapshot.generation:
                self._rebuild()
        raise StorageError(
            f"The index in {str(self._index_folder)!r} can't be read. Delete that folder and start again."
        )

    def _rebuild(self) -> str:
        versions = self.store.all_versions()
        name = generation.generation_name(versions, self.ingest.configuration)
        generation.write(self._index_folder, name, versions, self.store, dimensions=self.ingest.embedder.dimensions)
        self.store.set_generation(name)
        return name

    def _search(
        self,
        query: str,
        vector: NDArray[np.float32],
        principal: Principal,
        *,
        collections: frozenset[str] | None,
        limit: int,
    ) -> tuple[SearchResult, tuple[tuple[str, float], ...]]:
        while True:
            started = perf_counter()
            current = self._current()
            readable = current.readable(principal, collections)
            ranking = rank(current, query, vector, readable, limit=limit)
            ranked = perf_counter()
            evidence = self._evidence(current, ranking)
            if evidence is None and self.store.generation() != current.name:
                continue  # a sync took these passages away while we looked; look again at what is there now
            result = SearchResult(
                evidence=evidence or (),
                corpus_version=current.corpus_version,
                candidates=ranking.candidates,
                terms=ranking.terms,
            )
            return result, (("rank", (ranked - started) * 1000), ("load", (perf_counter() - ranked) * 1000))

    def _evidence(self, current: Generation, ranking: Ranking) -> tuple[Evidence, ...] | None:
        """The passages of a ranking; None where one of them is no longer stored."""
        names = [_name(current, found) for found in ranking.passages]
        stored = self.store.passages(names)
        if len(stored) < len(names):
            return None
        return tuple(
            self._found(current, found, stored[name]) for found, name in zip(ranking.passages, names, strict=True)
        )

    def _found(self, current: Generation, found: Ranked, passage: Passage) -> Evidence:
        document = current.documents[int(current.document[found.row])]
        first, last = int(current.sentence_bounds[found.row]), int(current.sentence_bounds[found.row + 1])
        spans = current.sentence_spans[first:last].tolist()
        texts = self._texts(document, passage, spans)
        scores = zip(spans, texts, found.similarities.tolist(), found.coverages.tolist(), strict=True)
        return Evidence(
            passage=passage,
            document=document,
            relevance=found.relevance,
            lexical=found.lexical,
            dense=found.dense,
            fused=found.fused,
            coverage=found.coverage,
            sentences=tuple(
                Sentence(start=start, end=end, text=text, is_code=bool(code), similarity=similarity, coverage=coverage)
                for (start, end, code), text, similarity, coverage in scores
            ),
        )

    def _texts(self, document: Document, passage: Passage, spans: list[list[int]]) -> tuple[str, ...]:
        """The sentences of a passage without marks; taking the marks off costs more than remembering."""
        key = (passage.document_id, passage.version, passage.ordinal)
        texts = self._quotes.get(key)
        if texts is None:
            texts = tuple(
                plain(passage.text[start - passage.start : end - passage.start], "plain" if code else document.markup)
                for start, end, code in spans
            )
            self._quotes[key] = texts
            if len(self._quotes) > _REMEMBERED_PASSAGES:
                self._quotes.popitem(last=False)
        return texts


def _real(folder: Path) -> Path:
    return Path(os.path.realpath(folder.expanduser()))


def _name(current: Generation, found: Ranked) -> tuple[str, str, int]:
    document = current.documents[int(current.document[found.row])]
    return document.id, document.version, int(current.ordinal[found.row])


def _parts(document_id: str) -> tuple[str, str]:
    collection, _, path = document_id.partition("/")
    parts = PurePosixPath(path).parts
    if not path or ".." in parts or path.startswith("/") or "\x00" in path or path != "/".join(parts):
        raise InvalidInput(
            f"{document_id!r} is not a document id. Give `collection/path.suffix`, as in 'handbook/leave.md'."
        )
    _check_collection(collection)
    return collection, path


def _check_collection(collection: str) -> None:
    allowed = all(character.isalnum() or character in "-_." for character in collection)
    if not allowed or not collection or collection.startswith(".") or len(collection) > 100:  # noqa: PLR2004
        raise InvalidInput(
            f"{collection!r} can't name a collection. Use letters, digits, `-`, `_` and `.`, at most 100."
        )


def _keep_file(place: Path, data: bytes) -> None:
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=place.parent, delete=False) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(place)
    except OSError as error:
        raise StorageError(f"The upload can't be kept at {str(place)!r}: {error.strerror}.") from error
