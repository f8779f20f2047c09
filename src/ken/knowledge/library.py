"""The door to an organisation's documents: sync, upload, delete, read, search."""

from __future__ import annotations

import logging
import os
import shutil
import threading
from collections import OrderedDict
from collections.abc import Collection
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import anyio.to_thread
import numpy as np
from numpy.typing import NDArray

from ken.domain.document import Document, Passage, SearchResult
from ken.domain.filters import NO_FILTERS, Filters
from ken.domain.principal import Principal
from ken.errors import NotFound, StorageError
from ken.knowledge.commit import Committer
from ken.knowledge.confirmed import ConfirmedQuestions
from ken.knowledge.corpus import Corpus
from ken.knowledge.generation import arrays_of, generation_name
from ken.knowledge.index import Index
from ken.knowledge.ingest import Ingest, of_any_space
from ken.knowledge.late import NO_WORDS, QuestionWords, read_question
from ken.knowledge.options import SearchOptions
from ken.knowledge.original import OriginalFiles
from ken.knowledge.pages import pages_of
from ken.knowledge.permissions import Policy
from ken.knowledge.pushing import PUSHED, Pushed, Said, check_collection
from ken.knowledge.quality.findings import STALE_AFTER_DAYS, QualityReport
from ken.knowledge.quality.report import Asked, report
from ken.knowledge.reembed import EmbeddingProgress, EmbeddingReport, Reembedding
from ken.knowledge.rerank import Reranking
from ken.knowledge.sources.folder import FolderConnector
from ken.knowledge.sources.source import Connector
from ken.knowledge.sources.uploads import Originals
from ken.knowledge.spaces import Space
from ken.knowledge.sync import Progress, Syncer, SyncOptions, SyncReport
from ken.knowledge.sync_trace import traced
from ken.models.protocols import Embedder, WordEmbedder
from ken.storage.documents import Documents, Snapshot
from ken.storage.embedders import EmbeddingState
from ken.storage.snapshots import SnapshotRow
from ken.storage.sources import Listing, Source, Sources, SyncRow
from ken.telemetry.recorder import Recorder

_log = logging.getLogger("ken.knowledge")
_REMEMBERED_QUESTIONS = 512
_ATTEMPTS = 3
"""To load an index that other processes replace meanwhile."""


_Question = tuple[NDArray[np.float32], QuestionWords]
"""Its vector, of shape (dimensions,), and its words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Document ids by what became of them."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]


@dataclass(slots=True)
class Library:
    """Reads from the current index; writes by syncs. One home has one library in each process."""

    home: Path
    store: Documents
    sources: Sources
    committer: Committer
    originals: Originals
    max_bytes: int
    options: SearchOptions = field(default_factory=SearchOptions)
    reranking: Reranking | None = None
    confirmed: ConfirmedQuestions | None = None
    recorder: Recorder | None = None
    """Where the traces of syncs go; None: nowhere."""
    _index: Index | None = None
    _loading: threading.Lock = field(default_factory=threading.Lock)
    _embedders: dict[str, Embedder] = field(default_factory=dict[str, Embedder])
    """By the name of an index: what its vectors come from."""
    _questions: OrderedDict[tuple[str, str], _Question] = field(default_factory=OrderedDict[tuple[str, str], _Question])

    @property
    def ingest(self) -> Ingest:
        """What makes passages of documents."""
        return self.committer.ingest

    @property
    def syncer(self) -> Syncer:
        """What brings the corpus up to date with a source."""
        return Syncer(store=self.store, sources=self.sources, ingest=self.ingest, committer=self.committer)

    @property
    def pushed(self) -> Pushed:
        """Documents that were sent here."""
        return Pushed(
            originals=self.originals, sources=self.sources, committer=self.committer, max_bytes=self.max_bytes
        )

    @property
    def corpus_version(self) -> int:
        """The committed corpus that a search would look at."""
        return self._current().corpus_version

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
        corpus = await self.corpus()
        return await corpus.search(query, principal, collections=collections, filters=filters, limit=limit)

    async def corpus(self) -> Corpus:
        """The corpus version in use, to be read as it is now for as long as one likes. Raises StorageError."""
        index, embedder = await anyio.to_thread.run_sync(self._served)
        return Corpus(
            index,
            embedder,
            partial(self._embedded, embedder),
            self.options,
            self._is_word,
            self.reranking,
            partial(self._read, embedder),
            None if self.confirmed is None else partial(self.confirmed.near, embedder=embedder),
            partial(pages_of, self.store),
        )

    async def sync(
        self,
        source: Source,
        connector: Connector,
        *,
        policy: Policy | None = None,
        options: SyncOptions | None = None,
        progress: Progress | None = None,
    ) -> SyncReport:
        """Bring a collection up to date with a source.

        Raises SyncRunning (somebody syncs this source right now), InvalidInput, StorageError, ModelError. What goes wrong
        with the source itself stands in the report's `problem`.
        """
        check_collection(source.collection)
        rules = policy or Policy(source.default_groups)
        await anyio.to_thread.run_sync(self._follow)
        async with self.committer.locks.hold(source.id):
            failures = await self.pushed.refresh()
            with traced(self.recorder, source) as trace:
                report = await self.syncer.run(
                    source, connector, policy=rules, options=options or SyncOptions(), progress=progress, trace=trace
                )
            report.failures += failures
            return report

    async def sync_folder(
        self,
        folder: Path,
        *,
        collection: str,
        policy: Policy | None = None,
        options: SyncOptions | None = None,
        progress: Progress | None = None,
    ) -> SyncReport:
        """Bring a collection up to date with a folder; raises as `sync` does.

        A folder that was moved is known again: where the collection's documents come from a folder that is no longer
        there, it is taken for the same one.
        """
        check_collection(collection)
        place = await anyio.to_thread.run_sync(_real, folder)
        source = Source(
            id=f"folder:{collection}:{place}",
            kind="folder",
            location=str(place),
            collection=collection,
            default_groups=(policy or Policy()).default_groups,
        )
        await anyio.to_thread.run_sync(self._take_over, source)
        async with aclosing(FolderConnector(place, max_bytes=self.max_bytes)) as connector:
            return await self.sync(source, connector, policy=policy, options=options, progress=progress)

    async def remove_source(self, source_id: str) -> int:
        """Delete a source with all its documents; how many there were. Raises NotFound, SyncRunning, StorageError."""
        source = await anyio.to_thread.run_sync(self.sources.get, source_id)
        if source is None:
            raise NotFound(f"There is no source {source_id!r}. `ken sync --status` lists them.")
        async with self.committer.locks.hold(source_id):
            held = await anyio.to_thread.run_sync(self.store.versions, source_id)
            await self.committer.commit(source_id, {})
            if source.kind == PUSHED:
                await anyio.to_thread.run_sync(self.pushed.remove_all, source.collection)
            await anyio.to_thread.run_sync(self.sources.forget, source_id)
            await anyio.to_thread.run_sync(self.committer.erasure.clear_log)
            # What a connector keeps for itself: a clone holds what was deleted.
            clone = self.home / "clones" / source_id
            if clone.parent == self.home / "clones":
                await anyio.to_thread.run_sync(partial(shutil.rmtree, clone, ignore_errors=True))
        return len(held)

    async def put(self, document_id: str, data: bytes, *, said: Said | None = None) -> Document:
        """Push a document, or replace one that was pushed; `document_id` is `collection/path`.

        Raises InvalidInput, TooLarge, Unreadable, Conflict (it comes from another source), SyncRunning.
        """
        await anyio.to_thread.run_sync(self._follow)
        await self.pushed.put(document_id, data, said=said or Said())
        return await self._stored(document_id)

    async def delete(self, document_id: str) -> None:
        """Delete a pushed document for good. Raises NotFound; Conflict where it comes from a synced source."""
        await self.pushed.delete(document_id)

    async def snapshots(self) -> tuple[SnapshotRow, ...]:
        """The corpus versions that can be used, the newest first."""
        return await anyio.to_thread.run_sync(self.committer.snapshots.listed)

    async def use(self, corpus_version: int | None) -> SnapshotRow:
        """Serve a kept corpus version, and hold it while syncs go on; None serves the newest one again, and what comes.

        Raises NotFound, StorageError.
        """
        snapshots = self.committer.snapshots
        head = (await anyio.to_thread.run_sync(snapshots.use)).head
        content = head
        if corpus_version is not None:
            content = (await anyio.to_thread.run_sync(snapshots.get, corpus_version)).content
        number = await self.committer.use(content, hold=content != head)
        return await anyio.to_thread.run_sync(snapshots.get, number)

    async def is_held(self) -> bool:
        """Whether an operator holds an older corpus version, so that what syncs take is not served."""
        return (await anyio.to_thread.run_sync(self.committer.snapshots.use)).is_held

    async def behind(self) -> tuple[str, ...]:
        """Collections whose passages are not cut as the settings say by now: the next sync of each cuts it anew."""
        documents = (await self.corpus()).index.catalogue.listed
        return tuple(sorted({each.collection for each in documents if not self.ingest.is_cut_alike(each.version)}))

    async def embed_again(self, progress: EmbeddingProgress | None = None) -> EmbeddingReport:
        """Embed every document with the embedder that the settings name, then serve that; what is served stays until then.

        Raises SyncRunning (another process is at it), ModelError, StorageError; what was done until then is kept.
        """
        report = await Reembedding(committer=self.committer).run(progress)
        await anyio.to_thread.run_sync(self._follow)
        return report

    async def is_embedded(self) -> bool:
        """Whether the newest documents have vectors of the embedder that the settings name."""
        spaces = self.committer.spaces
        return await anyio.to_thread.run_sync(spaces.book.in_use) == spaces.wanted

    async def embedding(self) -> EmbeddingState | None:
        """How far the documents are on their way to another embedder; None where they are not on their way."""
        return await anyio.to_thread.run_sync(self.committer.spaces.book.state)

    async def difference(self, old: int, new: int) -> Difference:
        """What changed from one corpus version to another. Raises NotFound."""
        snapshots = self.committer.snapshots
        contents = [(await anyio.to_thread.run_sync(snapshots.get, number)).content for number in (old, new)]
        before, after = [await anyio.to_thread.run_sync(snapshots.members, content) for content in contents]
        return Difference(
            added=tuple(sorted(after.keys() - before.keys())),
            changed=tuple(
                sorted(name for name in after.keys() & before.keys() if not _are_alike(after[name], before[name]))
            ),
            removed=tuple(sorted(before.keys() - after.keys())),
        )

    async def text_in(self, corpus_version: int, document_id: str) -> str | None:
        """The parsed text that a document has in a corpus version; None where that has no such document. Raises NotFound."""
        snapshots = self.committer.snapshots
        content = (await anyio.to_thread.run_sync(snapshots.get, corpus_version)).content
        return await anyio.to_thread.run_sync(partial(self.store.text_of_content, document_id, content=content))

    async def documents(
        self, principal: Principal, *, collection: str | None = None, after: str | None = None, limit: int = 100
    ) -> tuple[Document, ...]:
        """Documents that `principal` may read, by id, from the first one above `after`."""
        corpus = await self.corpus()
        return corpus.documents(principal, collection=collection, after=after, limit=limit)

    async def document(self, document_id: str, principal: Principal) -> Document:
        """One document. Raises NotFound where there is none that `principal` may read."""
        return await (await self.corpus()).document(document_id, principal)

    async def text(self, document_id: str, principal: Principal) -> str:
        """The parsed text of a document. Raises NotFound."""
        await self.document(document_id, principal)
        return await anyio.to_thread.run_sync(self.store.text, document_id)

    async def original(self, document_id: str, principal: Principal) -> tuple[Document, bytes]:
        """A document and the file that it was read from. Raises NotFound, also where that file can't be had any more."""
        found = await self.document(document_id, principal)
        files = OriginalFiles(
            sources=self.sources, originals=self.originals, ingest=self.ingest, max_bytes=self.max_bytes
        )
        return found, await anyio.to_thread.run_sync(files.read, found)

    async def passages(self, document_id: str, principal: Principal) -> tuple[Passage, ...]:
        """The passages of a document, in order. Raises NotFound."""
        await self.document(document_id, principal)
        return await anyio.to_thread.run_sync(self.store.passages_of, document_id)

    async def collections(self, principal: Principal) -> tuple[tuple[str, int], ...]:
        """Names of collections with the number of documents in each that `principal` may read."""
        return await (await self.corpus()).collections(principal)

    async def quality(
        self,
        principal: Principal,
        collection: str,
        *,
        held_groups: frozenset[str] | None = None,
        stale_after_days: int = STALE_AFTER_DAYS,
    ) -> QualityReport:
        """What is wrong with the documents of a collection that `principal` may read.

        `held_groups` are those that a key has. Raises NotFound where there is no such collection for this principal.
        """
        current = await anyio.to_thread.run_sync(self._current)
        own = [source for source in await self.status() if source.collection == collection]
        is_known = any(name == collection for name, _ in await self.collections(principal))
        if not is_known and not (principal.is_operator and own):
            raise NotFound(f"There is no collection {collection!r} that you may read.")
        listings = [listing for source in own for listing in await self.listings(source.id)]
        asked = Asked(
            collection=collection,
            principal=principal,
            listings=listings,
            held_groups=held_groups,
            stale_after_days=stale_after_days,
        )
        return await anyio.to_thread.run_sync(self._report, current, asked)

    async def status(self) -> tuple[Source, ...]:
        """Every source with what its last sync could not take."""
        return await anyio.to_thread.run_sync(self.sources.all)

    async def listings(self, source_id: str) -> tuple[Listing, ...]:
        """The state of each document of a source, by path."""
        return tuple((await anyio.to_thread.run_sync(self.sources.listings, source_id)).values())

    async def syncs(self, *, source: str | None = None, limit: int = 50) -> tuple[SyncRow, ...]:
        """The last syncs, the newest first; one whose process ended in the middle of it reads `interrupted`."""
        return await anyio.to_thread.run_sync(self._syncs, source, limit)

    async def open(self) -> None:
        """Load the index, and build it anew where it is missing (after a restore, or made by another version)."""
        await anyio.to_thread.run_sync(self._current)

    def _syncs(self, source: str | None, limit: int) -> tuple[SyncRow, ...]:
        return tuple(
            replace(each, state="interrupted")
            if each.state == "running" and not self.committer.locks.is_held(each.source)
            else each
            for each in self.sources.syncs(source=source, limit=limit)
        )

    def close(self) -> None:
        """End the parser's worker process."""
        self.ingest.parser.close()

    def _report(self, current: Index, asked: Asked) -> QualityReport:
        dimensions = self._embedders[current.name].dimensions
        with arrays_of(current, asked.collection, store=self.store, dimensions=dimensions) as arrays:
            return report(self.store, arrays, asked=asked)

    def _take_over(self, source: Source) -> None:
        """Hand the documents of a folder that is gone over to the one that has its collection and most of its files now.

        A folder may also be gone because its disk isn't mounted: another one with other files is another source.
        """
        if self.sources.get(source.id) is not None:
            return
        for known in self.sources.all():
            is_folder = known.kind == "folder" and known.collection == source.collection
            if is_folder and not Path(known.location).exists():
                paths = [document_id.partition("/")[2] for document_id in self.store.versions(known.id)]
                if 2 * sum((Path(source.location) / path).is_file() for path in paths) > len(paths):
                    self.sources.adopt(known.id, by=source.id)
                    return

    async def _stored(self, document_id: str) -> Document:
        document = (await anyio.to_thread.run_sync(self._current)).catalogue.get(document_id)
        if document is None:  # an older corpus version is held
            document = await anyio.to_thread.run_sync(self.store.newest, document_id)
        if document is None:
            raise StorageError(f"{document_id!r} was deleted by another process while it was pushed. Push it again.")
        return document

    def _current(self) -> Index:
        """The index that the database points to; another process may have moved the pointer."""
        loaded = self._index
        if loaded is not None and (loaded.corpus_version, loaded.name) == self.store.served():
            return loaded
        with self._loading:
            return self._load()

    def _served(self) -> tuple[Index, Embedder]:
        """The index in use, and the embedder that questions are compared with it by."""
        current = self._current()
        return current, self._embedders[current.name]

    def _load(self) -> Index:
        problem = StorageError("The index can't be read, although it was just built. Start again.")
        for _ in range(_ATTEMPTS):
            self.committer = self.committer.now()
            snapshot = self.store.snapshot()
            space = self.committer.space_of(document.version for document in snapshot.documents)
            comparable = frozenset(
                document.id for document in snapshot.documents if space.ingest.is_comparable(document.version)
            )
            found = space.indexes.load(snapshot, comparable=comparable)
            if found is not None:
                self._index, self._embedders = found, {**self._embedders, found.name: space.ingest.embedder}
                return found
            if self.store.served() != (snapshot.corpus_version, snapshot.generation):
                continue
            try:
                self._rebuild(snapshot, space, comparable)
            except StorageError as error:  # a sync may have taken away what it was built from: look again
                problem = error
        raise problem

    def _rebuild(self, snapshot: Snapshot, space: Space, comparable: Collection[str]) -> None:
        """Build the index of a corpus anew: it is missing (after a restore), damaged, or made by another version of Ken."""
        versions = {document.id: document.version for document in snapshot.documents if document.id in comparable}
        name = generation_name(versions, space.ingest.configuration)
        if snapshot.generation == name:
            _log.warning(
                "The index %s is missing or damaged. It is built anew from the database; nothing is lost.", name
            )
            space.indexes.discard(name)  # it looks whole and isn't, or it couldn't be loaded at all
        self.committer.built(versions)
        if not self.committer.snapshots.repoint(snapshot.corpus_version, generation=name):
            space.indexes.discard(name)  # it may hold what has been deleted meanwhile

    def _follow(self) -> None:
        """Go on with the embedder that is in use: another process may have changed it."""
        self.committer = self.committer.now()

    def _is_word(self, word: str) -> bool:
        """Whether the embedder's tokenizer knows a word as a whole."""
        return self.ingest.tokens.count(word) == 1

    async def _embedded(self, embedder: Embedder, query: str) -> NDArray[np.float32]:
        return (await self._question(embedder, query))[0]

    async def _read(self, embedder: Embedder, query: str) -> QuestionWords:
        return (await self._question(embedder, query))[1]

    async def _question(self, embedder: Embedder, query: str) -> _Question:
        key = (embedder.name, query)
        found = self._questions.get(key)
        if found is None:
            if isinstance(embedder, WordEmbedder):
                found = await read_question(embedder, query)
            else:
                found = (await embedder.embed_question(query), NO_WORDS)
            self._questions[key] = found
            if len(self._questions) > _REMEMBERED_QUESTIONS:
                self._questions.popitem(last=False)
        return found


def _are_alike(version: str, other: str) -> bool:
    """Whether two versions of a document differ in nothing but their vectors."""
    return of_any_space(version) == of_any_space(other)


def _real(folder: Path) -> Path:
    return Path(os.path.realpath(folder.expanduser()))
