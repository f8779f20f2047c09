"""Changing the embedder: every document is embedded anew from what is stored of it, while the old vectors are served.

Each document is staged in a transaction of its own beside its current version, so that a process that was killed is taken
up where it stopped; one transaction puts all of them in the places of the old ones. No source is asked for anything.
Syncs go on meanwhile, with the old embedder, and what they change is embedded anew as well.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import anyio
import anyio.to_thread

from ken.errors import Conflict, KenError, NotFound
from ken.knowledge.commit import Committer
from ken.knowledge.locks import EMBEDDING
from ken.knowledge.spaces import Space

_AT_ONCE = 4
"""Documents: an endpoint is waited for more than it is worked for."""
_ROUNDS = 20


class EmbeddingProgress(Protocol):
    """Called after each document."""

    def __call__(self, done: int, total: int, path: str) -> None:
        """`done` of `total` documents have vectors of the new embedder, `path` the last of them."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingReport:
    """What changing the embedder did."""

    embedder: str
    """In use now."""
    embedded: int
    """Documents embedded anew; those that were at hand are not counted."""
    corpus_version: int
    """In use now."""
    seconds: float
    has_changed: bool
    """False where the embedder in use was the wanted one already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reembedding:
    """One change of the embedder."""

    committer: Committer

    async def run(self, progress: EmbeddingProgress | None = None) -> EmbeddingReport:
        """Embed what is not yet embedded with the wanted embedder, then serve it.

        Raises SyncRunning (another process is at it), ModelError, StorageError; what was embedded until then is kept.
        """
        started = time.monotonic()
        committer, spaces = self.committer, self.committer.spaces
        embedded = 0
        async with committer.locks.hold(EMBEDDING):
            before = await anyio.to_thread.run_sync(spaces.book.in_use)
            if before != spaces.wanted:
                try:
                    embedded = await self._changed(progress)
                except KenError as error:
                    await anyio.to_thread.run_sync(spaces.book.fail, str(error))
                    raise
        use = await anyio.to_thread.run_sync(committer.snapshots.use)
        return EmbeddingReport(
            embedder=spaces.wanted,
            embedded=embedded,
            corpus_version=use.corpus_version,
            seconds=time.monotonic() - started,
            has_changed=before != spaces.wanted,
        )

    async def _changed(self, progress: EmbeddingProgress | None) -> int:
        committer, spaces = self.committer, self.committer.spaces
        begun = await anyio.to_thread.run_sync(spaces.book.state)
        if begun is None or begun.name != spaces.wanted:
            await anyio.to_thread.run_sync(spaces.book.begin, spaces.wanted)
        space = spaces.space(committer.ingest, await spaces.want())
        await anyio.to_thread.run_sync(spaces.book.begin, spaces.wanted, space.ingest.space)
        embedded = 0
        for _ in range(_ROUNDS):
            missing, total = await anyio.to_thread.run_sync(self._missing, space)
            if not missing and await committer.exchange(space):
                return embedded
            embedded += await _embed(space, missing, total=total, progress=progress)
        raise Conflict(
            "Documents change faster than they are embedded anew. Run `ken index embed` again when fewer syncs run."
        )

    def _missing(self, space: Space) -> tuple[dict[str, str], int]:
        """The current versions whose counterparts are still to be made, and how many current ones there are."""
        committer = self.committer.now()
        current = committer.store.all_versions()
        mine = {name: version for name, version in current.items() if committer.ingest.is_comparable(version)}
        made = committer.store.beginning_with(space.ingest.space)
        left = {
            name: version for name, version in mine.items() if (name, space.ingest.counterpart(version)) not in made
        }
        return left, len(mine)


async def _embed(space: Space, missing: dict[str, str], *, total: int, progress: EmbeddingProgress | None) -> int:
    """Embed documents anew, several at a time; how many there were."""
    done = total - len(missing)
    waiting: Iterator[tuple[str, str]] = iter(missing.items())

    async def work() -> None:
        nonlocal done
        for name, version in waiting:
            try:
                await space.ingest.embed_again(name, version)
            except NotFound:  # deleted, or replaced and no longer kept: the next round sees what is there then
                continue
            done += 1
            if progress is not None:
                progress(done, total, name)

    try:
        async with anyio.create_task_group() as tasks:
            for _ in range(_AT_ONCE):
                tasks.start_soon(work)
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None  # the others follow from it, an interrupt from the keyboard above all
    return done - (total - len(missing))
