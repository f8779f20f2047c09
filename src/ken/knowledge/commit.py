"""The last step of every change to the corpus: the next index is built, and one transaction makes both current."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import anyio.to_thread

from ken.knowledge.generation import generation_name
from ken.knowledge.index import Indexes
from ken.knowledge.ingest import Ingest
from ken.knowledge.locks import COMMIT, Locks
from ken.knowledge.retiring import judge
from ken.knowledge.spaces import Space, Spaces
from ken.storage.answers import CachedAnswers, Retiring
from ken.storage.documents import Documents
from ken.storage.erasure import Erasure
from ken.storage.snapshots import Change, Exchange, Retention, Snapshots

_COMMIT_WAIT_S = 600.0
"""For the commits of other sources, each of which takes seconds."""


def _nothing() -> None:
    """Nothing lies elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Committer:
    """Makes chosen versions current, in every process at once."""

    home: Path
    locks: Locks
    store: Documents
    snapshots: Snapshots
    ingest: Ingest
    indexes: Indexes
    erasure: Erasure
    retention: Retention
    spaces: Spaces
    answers: CachedAnswers
    """Given before, and retired in the step in which what they rest on changes."""
    forget: Callable[[], None] = _nothing
    """Deletes what was retired wherever it lies besides the database."""

    async def commit(
        self, source: str, chosen: Mapping[str, str], *, spares_s: float = 0.0, drops: frozenset[str] = frozenset()
    ) -> int:
        """Make `chosen` (document id -> version) the documents of a source; return the corpus version in use.

        What this source staged and did not choose is deleted, but for what is at most `spares_s` seconds old. An id that belongs to
        another source by now is left to that one. Raises StorageError, SyncRunning.
        """
        while True:
            async with self.locks.hold(COMMIT, wait_s=_COMMIT_WAIT_S):
                now = await anyio.to_thread.run_sync(self.now)
                if now is self:
                    return await anyio.to_thread.run_sync(partial(self._commit, source, chosen, spares_s, drops))
            # The embedder was changed while this source was read: what was read goes on in the new space.
            mine = [(name, version) for name, version in chosen.items() if self.ingest.is_comparable(version)]
            chosen = {**chosen, **{name: await now.ingest.embed_again(name, version) for name, version in mine}}
            self = now  # noqa: PLW0642 - as if the sync had begun with the other embedder

    async def exchange(self, space: Space) -> bool:
        """Serve what has been embedded anew in a space; False where something is missing by now. Raises StorageError."""
        async with self.locks.hold(COMMIT, wait_s=_COMMIT_WAIT_S):
            return await anyio.to_thread.run_sync(self._exchange, space)

    def now(self) -> Committer:
        """Itself, or one for the embedder that is in use by now. Raises StorageError."""
        own, name = self.ingest.embedder.name, self.spaces.book.in_use()
        embedder = self.spaces.embedder(name) if name != own and self.spaces.embedder(own) is not None else None
        if embedder is None:
            return self
        space = self.spaces.space(self.ingest, embedder)
        return replace(self, ingest=space.ingest, indexes=space.indexes)

    def space_of(self, versions: Iterable[str]) -> Space:
        """The space that document versions lie in: the one in use where one of them does, or else none that is known."""
        own = Space(self.ingest, self.indexes)
        begun = {version[: len(self.ingest.space)] for version in versions}
        if not begun or self.ingest.space in begun:
            return own
        spaces = (self.spaces.space(self.ingest, embedder) for embedder in self.spaces.known())
        return next((space for space in spaces if space.ingest.space in begun), own)

    async def use(self, content: int, *, hold: bool) -> int:
        """Serve a kept content; return the corpus version that stands for it. Raises NotFound, StorageError."""
        async with self.locks.hold(COMMIT, wait_s=_COMMIT_WAIT_S):
            return await anyio.to_thread.run_sync(partial(self._use, content, hold=hold))

    def built(self, versions: Mapping[str, str]) -> str:
        """Build the index over these versions, unless it is there; return its name. Raises StorageError."""
        space = self.space_of(versions.values())
        comparable = {name: version for name, version in versions.items() if space.ingest.is_comparable(version)}
        name = generation_name(comparable, space.ingest.configuration)
        space.indexes.build(name, comparable)
        return name

    def _exchange(self, space: Space) -> bool:
        now = self.now()
        everything = self.store.all_versions()
        made = self.store.beginning_with(space.ingest.space)
        for name, version in everything.items():
            if now.ingest.is_comparable(version):
                everything[name] = space.ingest.counterpart(version)
                if (name, everything[name]) not in made:
                    return False
        exchange = Exchange(
            old=now.ingest.space,
            new=space.ingest.space,
            embedder=space.ingest.embedder.name,
            generation=replace(self, ingest=space.ingest, indexes=space.indexes).built(everything),
        )
        version = self.snapshots.exchange(exchange, self.retention)
        self.indexes.keep(frozenset(self.snapshots.generations()))
        self.forget()
        self.erasure.finish()
        return True

    def _commit(self, source: str, chosen: Mapping[str, str], spares_s: float, drops: frozenset[str]) -> int:
        owners, everything = self.store.owners(), self.store.all_versions()
        own = {name for name, owner in owners.items() if owner == source}
        chosen = {name: version for name, version in chosen.items() if owners.get(name, source) == source}
        gone = own - chosen.keys()
        name = self.built({key: version for key, version in everything.items() if key not in own} | dict(chosen))
        in_use = self.snapshots.use()
        held = ""
        if in_use.is_held and gone:
            members = self.snapshots.members(in_use.content)
            if not gone.isdisjoint(members):
                held = self.built({key: version for key, version in members.items() if key not in gone})
        self.erasure.withdraw(gone | drops)
        arriving = {key: version for key, version in chosen.items() if everything.get(key) != version}
        change = Change(
            source=source,
            chosen=chosen,
            generation=name,
            held_generation=held,
            spares_s=spares_s,
            drops=drops,
            # While another content is served, what arrives is seen by nobody.
            retiring=Retiring() if in_use.is_held else judge(self.answers, self.store, arriving=arriving),
        )
        version = self.snapshots.commit(change, self.retention)
        self.indexes.keep(frozenset(self.snapshots.generations()))
        self.forget()
        self.erasure.finish()
        return version

    def _use(self, content: int, *, hold: bool) -> int:
        served, members = self.snapshots.members(self.snapshots.use().content), self.snapshots.members(content)
        name = self.built(members)
        arriving = {key: version for key, version in members.items() if served.get(key) != version}
        retiring = judge(self.answers, self.store, arriving=arriving)
        version = self.snapshots.switch(content, generation=name, hold=hold, retiring=retiring)
        self.snapshots.prune(self.retention)
        self.indexes.keep(frozenset(self.snapshots.generations()))
        self.forget()
        self.erasure.finish()
        return version
