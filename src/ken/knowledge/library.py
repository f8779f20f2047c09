"""The door to an organisation's documents: sync, upload, delete, read, search."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field, replace
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
from ken.knowledge.parse.formats import SUPPORTED
from ken.knowledge.ranking import Ranked, rank
from ken.knowledge.sources import uploads
from ken.knowledge.sync import Progress, Syncer, SyncReport, exclusively
from ken.storage.documents import Documents, Snapshot, Source
from ken.storage.erasure import Erasure

_REMEMBERED_QUESTIONS = 512
_LONGEST_COLLECTION = 100
_ATTEMPTS = 3
"""To load an index that other processes replace meanwhile."""


@dataclass(slots=True)
class Library:
    """Reads from the current generation of the index; writes by syncs. One home has one library in each process."""

    home: Path
    store: Documents
    ingest: Ingest
    erasure: Erasure
    max_bytes: int
    _generation: Generation | None = None
    _loading: threading.Lock = field(default_factory=threading.Lock)
    _questions: OrderedDict[str, NDArray[np.float32]] = field(default_factory=OrderedDict[str, NDArray[np.float32]])

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
            syncer = self._syncer()
            failures = await syncer.refresh_uploads(self.home / "uploads")
            report = await syncer.folder(place, source, progress=progress)
            report.failures += failures
            return report

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
        default_groups = source.default_groups if groups is None else groups
        version = self.ingest.version(data, default_groups)
        async with exclusively(self.home):
            owner = await anyio.to_thread.run_sync(self.store.source_of, document_id)
            if owner not in {None, source.id}:
                raise Conflict(f"{document_id!r} comes from a synced folder. Change the file there and sync.")
            await anyio.to_thread.run_sync(uploads.check_place, self.home / "uploads", document_id)
            chosen = await anyio.to_thread.run_sync(self.store.versions, source.id)
            if chosen.get(document_id) != version:
                await self.ingest.stage(document_id, data, source=source.id, default_groups=default_groups)
            await anyio.to_thread.run_sync(partial(uploads.keep, self.home / "uploads", document_id, data=data))
            syncer = self._syncer()
            await syncer.commit(source, chosen | {document_id: version})
            await syncer.refresh_uploads(self.home / "uploads")
        return await self._stored(document_id)

    async def delete(self, document_id: str) -> None:
        """Delete an uploaded document for good. Raises NotFound; Conflict where it comes from a synced folder."""
        collection, _ = _parts(document_id)
        source = self._uploads(collection)
        async with exclusively(self.home):
            owner = await anyio.to_thread.run_sync(self.store.source_of, document_id)
            if owner is None:
                raise NotFound(f"There is no document {document_id!r}.")
            if owner != source.id:
                raise Conflict(f"{document_id!r} comes from a synced folder. Delete the file there and sync.")
            await anyio.to_thread.run_sync(uploads.remove, self.home / "uploads", document_id)
            chosen = await anyio.to_thread.run_sync(self.store.versions, source.id)
            chosen.pop(document_id, None)
            await self._syncer().commit(source, chosen)

    async def documents(
        self, principal: Principal, *, collection: str | None = None, after: str | None = None, limit: int = 100
    ) -> tuple[Document, ...]:
        """Documents that `principal` may read, by id, from the first one above `after`."""
        current = await anyio.to_thread.run_sync(self._current)
        readable = (
            current.shown(document, principal)
            for document in current.listed
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
        if document.superseded_by is not None:
            successor = await anyio.to_thread.run_sync(self.store.get, document.superseded_by)
            if successor is None or not principal.may_read(successor.groups):
                return replace(document, superseded_by=None)
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
        for document in (await anyio.to_thread.run_sync(self._current)).listed:
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
        if loaded is not None and (loaded.corpus_version, loaded.name) == self.store.current():
            return loaded
        with self._loading:
            return self._load()

    def _load(self) -> Generation:
        problem = StorageError(
            f"The index in {str(self._index_folder)!r} can't be read. Delete that folder and start again."
        )
        for _ in range(_ATTEMPTS):
            snapshot = self.store.snapshot()
            comparable = {document.id for document in snapshot.documents if self.ingest.is_comparable(document.version)}
            found = generation.load(self._index_folder, snapshot, comparable=comparable)
            if found is not None:
                self._generation = found
                return found
            if self.store.current() != (snapshot.corpus_version, snapshot.generation):
                continue
            try:
                self._rebuild(snapshot, comparable)
            except StorageError as error:  # a sync may have taken away what it was built from: look again
                problem = error
        raise problem

    def _rebuild(self, snapshot: Snapshot, comparable: Collection[str]) -> None:
        """Build the index of a corpus anew: it is missing (after a restore), damaged, or made by another version of Ken."""
        versions = {document.id: document.version for document in snapshot.documents if document.id in comparable}
        name = generation.generation_name(versions, self.ingest.configuration)
        dimensions = self.ingest.embedder.dimensions
        if snapshot.generation == name:
            generation.discard(self._index_folder, name)  # it looks whole and isn't, or it couldn't be loaded at all
        generation.write(self._index_folder, name, versions=versions, store=self.store, dimensions=dimensions)
        if not self.store.repoint(snapshot.corpus_version, generation=name):
            generation.discard(self._index_folder, name)  # it may hold what has been deleted meanwhile

    def _refuse_mixing(self, current: Generation, principal: Principal, collections: frozenset[str] | None) -> None:
        """Vectors of two embedders can't be compared, and a search without some documents would hide that."""
        names = {
            document.collection
            for document in current.left_out
            if principal.may_read(document.groups) and (collections is None or document.collection in collections)
        }
        if names:
            raise StorageError(
                f"These collections were read by another version of Ken or of its embedder: {', '.join(sorted(names))}. "
                "Run `ken sync` on the folder of each, with its `--collection`; any sync reads uploads anew."
            )

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
        current = self._current()
        if current.left_out:
            self._refuse_mixing(current, principal, collections)
        readable = current.readable(principal, collections)
        ranking = rank(current, query, vector=vector, readable=readable, limit=limit)
        ranked = perf_counter()
        result = SearchResult(
            evidence=tuple(self._found(current, found, principal) for found in ranking.passages),
            corpus_version=current.corpus_version,
            candidates=ranking.candidates,
            terms=ranking.terms,
        )
        return result, (("rank", (ranked - started) * 1000), ("load", (perf_counter() - ranked) * 1000))

    @staticmethod
    def _found(current: Generation, found: Ranked, principal: Principal) -> Evidence:
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


def _real(folder: Path) -> Path:
    return Path(os.path.realpath(folder.expanduser()))


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
    if not allowed or not collection or collection.startswith(".") or len(collection.encode()) > _LONGEST_COLLECTION:
        raise InvalidInput(
            f"{collection!r} can't name a collection. Use letters, digits, `-`, `_` and `.`, at most "
            f"{_LONGEST_COLLECTION} bytes, the first no `.`."
        )
