"""Documents that are pushed here, by upload or by a program: the only ones of which Ken keeps the files.

Each collection has one such source. Several pushes at once share a commit: whoever comes while one is made waits and is
taken by the next, so that many small documents cost few indexes.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from weakref import WeakKeyDictionary

import anyio.to_thread

from ken.domain.document import Metadata
from ken.domain.principal import EVERYONE
from ken.errors import Conflict, InvalidInput, KenError, ModelError, NotFound, StorageError, TooLarge
from ken.knowledge.commit import Committer
from ken.knowledge.ingest import Arrival
from ken.knowledge.parse.formats import BY_MEDIA_TYPE, media_type, usual_suffixes
from ken.knowledge.permissions import Policy
from ken.knowledge.sources.uploads import Originals, check_length
from ken.knowledge.sync import SyncFailure
from ken.storage.sources import Listing, Source, Sources

PUSHED = "uploads"
"""The kind of these sources."""

_LONGEST_COLLECTION = 100
_WAIT_S = 600.0
_STAGED_S = 3_600.0
"""What was staged and not committed for so long is left over from a process that ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What is said of a document that is pushed."""

    groups: frozenset[str] | None = None
    """Who may read it; None leaves that to the document and the collection, an empty set to operators."""
    media_type: str | None = None
    """What it is, where its name has no suffix that says so."""
    title: str | None = None
    owner: str | None = None
    url: str | None = None
    modified: str | None = None
    effective: str | None = None
    review_by: str | None = None

    @property
    def about(self) -> Metadata:
        """What of it is metadata."""
        return Metadata(
            title=self.title,
            owner=self.owner,
            modified=self.modified,
            effective=self.effective,
            review_by=self.review_by,
        )


@dataclass(slots=True)
class _Turn:
    """The staged pushes that the next commit takes."""

    waiting: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    """Source -> document id -> version."""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Path, _Turn]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """The pushed documents of a home."""

    originals: Originals
    sources: Sources
    committer: Committer
    max_bytes: int

    async def put(self, document_id: str, data: bytes, *, said: Said) -> None:
        """Take a document. Raises InvalidInput, TooLarge, Unreadable, Conflict, SyncRunning."""
        self._check(document_id, data, said)
        source = self._source(document_id)
        arrival = self._arrival(document_id, data, said)
        store, ingest = self.committer.store, self.committer.ingest
        version = ingest.version(arrival)
        await self._refuse_foreign(document_id, source, "Change the document there and sync.")
        check_length(document_id)
        await anyio.to_thread.run_sync(self.originals.check, document_id)
        current = await anyio.to_thread.run_sync(store.versions, source.id)
        if current.get(document_id) != version:
            at_hand = partial(store.is_at_hand, document_id, version, source=source.id)
            if not await anyio.to_thread.run_sync(at_hand):
                await ingest.stage(arrival)
        # The file is written before it is served: a crash in between leaves a file that the next push replaces.
        await anyio.to_thread.run_sync(partial(self.originals.keep, document_id, data=data))
        listing = Listing(
            path=arrival.path,
            state="current",
            since=time.time(),
            version=version,
            groups=said.groups,
            about=_told(said),
            fetched_at=time.time(),
        )
        await anyio.to_thread.run_sync(self.sources.note, source.id, [listing])
        await self._together(source, document_id, version)

    async def delete(self, document_id: str) -> None:
        """Delete a document for good. Raises NotFound, Conflict, SyncRunning."""
        source = self._source(document_id)
        if not await anyio.to_thread.run_sync(self._is_there, document_id):
            raise NotFound(f"There is no document {document_id!r}.")
        await self._refuse_foreign(document_id, source, "Delete the document there and sync.")
        async with self.committer.locks.hold(source.id, wait_s=_WAIT_S):
            await anyio.to_thread.run_sync(self.originals.remove, document_id)
            path = document_id.partition("/")[2]
            # Before the commit, which clears the disk of what was deleted.
            await anyio.to_thread.run_sync(partial(self.sources.note, source.id, [], gone=[path]))
            chosen = await anyio.to_thread.run_sync(self.committer.store.versions, source.id)
            chosen.pop(document_id, None)
            await self.committer.commit(source.id, chosen, spares_s=_STAGED_S, drops=frozenset({document_id}))

    def _is_there(self, document_id: str) -> bool:
        """Whether anything of a document is here: a push that was killed leaves its file, and what it staged."""
        if self.committer.store.with_content(document_id, "", but="") is not None:
            return True
        return self.originals.holds(document_id)

    def remove_all(self, collection: str) -> None:
        """Delete the files of a collection. Raises StorageError."""
        self.originals.remove_all(collection)

    async def refresh(self) -> list[SyncFailure]:
        """Read anew what another index configuration made: no sync ever would."""
        failures: list[SyncFailure] = []
        for source in await anyio.to_thread.run_sync(self.sources.all):
            if source.kind != PUSHED:
                continue
            chosen = await anyio.to_thread.run_sync(self.committer.store.versions, source.id)
            outdated = [name for name, version in chosen.items() if not self.committer.ingest.is_up_to_date(version)]
            if not outdated:
                continue
            listings = await anyio.to_thread.run_sync(self.sources.listings, source.id)
            async with self.committer.locks.hold(source.id, wait_s=_WAIT_S):
                for document_id in outdated:
                    try:
                        chosen[document_id] = await self._refreshed(document_id, source, listings)
                    except (StorageError, ModelError):
                        raise
                    except KenError as error:
                        failures.append(SyncFailure(document_id, f"{error} Push it again."))
                await self.committer.commit(source.id, chosen, spares_s=_STAGED_S)
        return failures

    async def _together(self, source: Source, document_id: str, version: str) -> None:
        """Commit what was staged, with everything else that waits for it."""
        turn = _turns.setdefault(asyncio.get_running_loop(), {}).setdefault(self.committer.home, _Turn())
        turn.waiting.setdefault(source.id, {})[document_id] = version
        async with turn.lock, self.committer.locks.hold(source.id, wait_s=_WAIT_S):
            chosen = await anyio.to_thread.run_sync(self.committer.store.versions, source.id)
            if chosen.get(document_id) != version:  # else the commit before this one took it
                if await anyio.to_thread.run_sync(self.sources.get, source.id) is None:
                    await anyio.to_thread.run_sync(self.sources.put, source)
                waiting = turn.waiting.pop(source.id, {})
                chosen |= waiting | {document_id: version}
                await self.committer.commit(source.id, chosen, spares_s=_STAGED_S)
        await self.refresh()

    async def _refreshed(self, document_id: str, source: Source, listings: dict[str, Listing]) -> str:
        """Stage the version that this index configuration makes of a document; return it."""
        data = await anyio.to_thread.run_sync(partial(self.originals.read, document_id, max_bytes=self.max_bytes))
        known = listings.get(document_id.partition("/")[2])
        groups = known.groups if known is not None else None
        if known is None:  # pushed before what was said of it was kept
            document = await anyio.to_thread.run_sync(self.committer.store.newest, document_id)
            groups = document.groups if document is not None else frozenset()
        arrival = self._arrival(document_id, data, Said(groups=groups, **(known.about or {} if known else {})))
        version = self.committer.ingest.version(arrival)
        at_hand = partial(self.committer.store.is_at_hand, document_id, version, source=source.id)
        if not await anyio.to_thread.run_sync(at_hand):
            await self.committer.ingest.stage(arrival)
        return version

    async def _refuse_foreign(self, document_id: str, source: Source, remedy: str) -> None:
        owner = await anyio.to_thread.run_sync(self.committer.store.owner, document_id)
        if owner not in {None, source.id}:
            raise Conflict(f"{document_id!r} comes from a synced source, {owner!r}. {remedy}")

    def _check(self, document_id: str, data: bytes, said: Said) -> None:
        if len(data) > self.max_bytes:
            raise TooLarge(
                f"{document_id!r} is {len(data) / 1e6:.0f} MB; at most {self.max_bytes / 1e6:.0f} MB are taken."
            )
        if said.media_type is not None and said.media_type not in BY_MEDIA_TYPE:
            raise InvalidInput(f"Ken does not read {said.media_type!r}. Known are: {', '.join(sorted(BY_MEDIA_TYPE))}.")
        if said.media_type is None and media_type(_parts(document_id)[1]) is None:
            raise InvalidInput(f"{document_id!r} has no known suffix. Ken reads {usual_suffixes()}.")

    def _arrival(self, document_id: str, data: bytes, said: Said) -> Arrival:
        return Arrival(
            document_id=document_id,
            data=data,
            source=self._source(document_id).id,
            said=said.groups,
            about=said.about,
            url=said.url,
            kind=said.media_type,
        )

    def _source(self, document_id: str) -> Source:
        collection, _ = _parts(document_id)
        return Source(
            id=f"{PUSHED}:{collection}",
            kind=PUSHED,
            location=self.originals.place(collection),
            collection=collection,
            default_groups=frozenset({EVERYONE}),
            policy=Policy().name,
        )


def _told(said: Said) -> dict[str, str]:
    return {name: value for name, value in asdict(said).items() if name != "groups" and value is not None}


def _parts(document_id: str) -> tuple[str, str]:
    collection, _, path = document_id.partition("/")
    parts = PurePosixPath(path).parts
    if not path or ".." in parts or path.startswith("/") or "\x00" in path or path != "/".join(parts):
        raise InvalidInput(f"{document_id!r} is not a document id. Give `collection/path`, as in 'handbook/leave.md'.")
    check_collection(collection)
    return collection, path


def check_collection(collection: str) -> None:
    """Raise InvalidInput where this can't name a collection."""
    allowed = all(character.isalnum() or character in "-_." for character in collection)
    if not allowed or not collection or collection.startswith(".") or len(collection.encode()) > _LONGEST_COLLECTION:
        raise InvalidInput(
            f"{collection!r} can't name a collection. Use letters, digits, `-`, `_` and `.`, at most "
            f"{_LONGEST_COLLECTION} bytes, the first no `.`."
        )
