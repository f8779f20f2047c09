"""The last step of every change to the corpus: the next index is built, and one transaction makes both current."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio.to_thread

from ken.knowledge.generation import generation_name
from ken.knowledge.index import Indexes
from ken.knowledge.ingest import Ingest
from ken.knowledge.locks import COMMIT, locked
from ken.storage.documents import Documents
from ken.storage.erasure import Erasure
from ken.storage.snapshots import Change, Retention, Snapshots

_COMMIT_WAIT_S = 600.0
"""For the commits of other sources, each of which takes seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Committer:
    """Makes chosen versions current, in every process at once."""

    home: Path
    store: Documents
    snapshots: Snapshots
    ingest: Ingest
    indexes: Indexes
    erasure: Erasure
    retention: Retention

    async def commit(
        self, source: str, chosen: Mapping[str, str], *, spares_s: float = 0.0, drops: frozenset[str] = frozenset()
    ) -> int:
        """Make `chosen` (document id -> version) the documents of a source; return the corpus version in use.

        What this source staged and did not choose is deleted, but for what is at most `spares_s` seconds old. An id that belongs to
        another source by now is left to that one. Raises StorageError, SyncRunning.
        """
        async with locked(self.home, COMMIT, wait_s=_COMMIT_WAIT_S):
            return await anyio.to_thread.run_sync(partial(self._commit, source, chosen, spares_s, drops))

    async def use(self, content: int, *, hold: bool) -> int:
        """Serve a kept content; return the corpus version that stands for it. Raises NotFound, StorageError."""
        async with locked(self.home, COMMIT, wait_s=_COMMIT_WAIT_S):
            return await anyio.to_thread.run_sync(partial(self._use, content, hold=hold))

    def built(self, versions: Mapping[str, str]) -> str:
        """Build the index over these versions, unless it is there; return its name. Raises StorageError."""
        comparable = {name: version for name, version in versions.items() if self.ingest.is_comparable(version)}
        name = generation_name(comparable, self.ingest.configuration)
        self.indexes.build(name, comparable)
        return name

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
        change = Change(
            source=source, chosen=chosen, generation=name, held_generation=held, spares_s=spares_s, drops=drops
        )
        version = self.snapshots.commit(change, self.retention)
        self.indexes.keep(frozenset(self.snapshots.generations()))
        self.erasure.finish(version)
        return version

    def _use(self, content: int, *, hold: bool) -> int:
        name = self.built(self.snapshots.members(content))
        version = self.snapshots.switch(content, generation=name, hold=hold)
        self.snapshots.prune(self.retention)
        self.indexes.keep(frozenset(self.snapshots.generations()))
        self.erasure.finish(version)
        return version
