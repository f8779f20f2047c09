"""A sync: what a source holds becomes what the corpus holds, in one committed step.

Each changed file is staged in a transaction of its own, so that a sync that was killed is taken up where it stopped;
then the next index generation is built beside the present one; then one transaction makes both current.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Protocol

import anyio.to_thread

from ken.errors import Conflict, KenError, ModelError, StorageError, SyncRunning
from ken.knowledge import generation
from ken.knowledge.ingest import Ingest
from ken.knowledge.parse.formats import SUPPORTED
from ken.knowledge.sources.folder import FolderFile, list_files, read_file
from ken.storage.documents import Documents, Source
from ken.storage.erasure import Erasure


class Progress(Protocol):
    """Called after each file."""

    def __call__(self, done: int, total: int, path: str, bytes_done: int) -> None:
        """`done` of `total` files are dealt with, `path` the last of them; `bytes_done` counts their bytes."""
        ...


@dataclass(frozen=True, slots=True)
class SyncFailure:
    """A file, and what is wrong with it in plain words."""

    path: str
    reason: str


@dataclass(slots=True)
class SyncReport:
    """What a sync did. `failures` weren't taken (an earlier version of them stays); `warnings` were, with a remark."""

    collection: str
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    deleted: int = 0
    passages: int = 0
    seconds: float = 0.0
    corpus_version: int = 0
    failures: list[SyncFailure] = field(default_factory=list)
    warnings: list[SyncFailure] = field(default_factory=list)


@asynccontextmanager
async def exclusively(home: Path) -> AsyncGenerator[None]:
    """Hold the home's sync lock. Raises SyncRunning at once where another process or task holds it.

    The lock is the kernel's (flock): it goes with the process that held it, however that ended.
    """
    place = home / "sync.lock"
    try:
        descriptor = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StorageError(
            f"{str(place)!r} can't be written: {error.strerror}. Give this user the right to write it."
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
            raise SyncRunning(
                f"Another sync of {str(home)!r} is running (process {holder}). Wait for it to end, then try again."
            ) from None
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class Syncer:
    """Brings the corpus up to date with a source."""

    store: Documents
    ingest: Ingest
    erasure: Erasure
    index_folder: Path
    max_bytes: int

    async def folder(self, folder: Path, source: Source, *, progress: Progress | None) -> SyncReport:
        """Sync a folder; the home's lock is held by the caller. One file's failure never stops the rest."""
        started = time.monotonic()
        report = SyncReport(source.collection)
        before = await anyio.to_thread.run_sync(self.store.versions, source.id)
        found = await anyio.to_thread.run_sync(list_files, folder, SUPPORTED)
        files = [entry for entry in found if isinstance(entry, FolderFile)]
        report.failures += [SyncFailure(*entry) for entry in found if not isinstance(entry, FolderFile)]
        chosen: dict[str, str] = {}
        bytes_done = 0
        for number, file in enumerate(files, start=1):
            await self._file(file, source, before, chosen, report)
            bytes_done += file.size
            if progress is not None:
                progress(number, len(files), file.path, bytes_done)
        _keep_unlisted(report, before, chosen)
        report.deleted = len(before.keys() - chosen.keys())
        failures = tuple((failure.path, failure.reason) for failure in report.failures)
        report.corpus_version = await self.commit(replace(source, failures=failures), chosen)
        report.seconds = time.monotonic() - started
        return report

    async def commit(self, source: Source, chosen: dict[str, str]) -> int:
        """Build the index of the corpus as it will be, and make both current; return the corpus version."""
        everything = await anyio.to_thread.run_sync(self.store.all_versions)
        own = await anyio.to_thread.run_sync(self.store.versions, source.id)
        versions = {name: version for name, version in everything.items() if name not in own} | chosen
        versions = {name: version for name, version in versions.items() if self.ingest.is_comparable(version)}
        name = generation.generation_name(versions, self.ingest.configuration)
        dimensions = self.ingest.embedder.dimensions
        build = partial(
            generation.write, self.index_folder, name, versions=versions, store=self.store, dimensions=dimensions
        )
        await anyio.to_thread.run_sync(build)
        await anyio.to_thread.run_sync(self.erasure.withdraw, own.keys() - chosen.keys())
        version = await anyio.to_thread.run_sync(partial(self.store.commit, source, chosen, generation=name))
        await anyio.to_thread.run_sync(generation.remove_others, self.index_folder, name)
        await anyio.to_thread.run_sync(self.erasure.finish, version)
        return version

    async def refresh_uploads(self, uploads: Path) -> list[SyncFailure]:
        """Read uploads anew that another index configuration made: no folder's sync ever would."""
        failures: list[SyncFailure] = []
        for source in await anyio.to_thread.run_sync(self.store.sources):
            if source.kind != "uploads":
                continue
            chosen = await anyio.to_thread.run_sync(self.store.versions, source.id)
            outdated = [name for name, version in chosen.items() if not self.ingest.is_up_to_date(version)]
            for document_id in outdated:
                try:
                    chosen[document_id] = await self._refreshed(document_id, source, uploads / document_id)
                except (StorageError, ModelError):
                    raise
                except KenError as error:
                    failures.append(SyncFailure(document_id, f"{error} Upload it again."))
            if outdated:
                await self.commit(source, chosen)
        return failures

    async def _refreshed(self, document_id: str, source: Source, place: Path) -> str:
        """Stage the version that this index configuration makes of an upload; return it."""
        document = await anyio.to_thread.run_sync(self.store.get, document_id)
        assert document is not None  # noqa: S101 - current, and the lock is held
        file = FolderFile(document_id, place, 0)
        data = await anyio.to_thread.run_sync(partial(read_file, file, max_bytes=self.max_bytes))
        version = self.ingest.version(data, document.groups)
        if not await anyio.to_thread.run_sync(partial(self.store.is_staged, document_id, version, source=source.id)):
            await self.ingest.stage(document_id, data, source=source.id, default_groups=document.groups)
        return version

    async def _file(
        self, file: FolderFile, source: Source, before: dict[str, str], chosen: dict[str, str], report: SyncReport
    ) -> None:
        document_id = f"{source.collection}/{file.path}"
        try:
            data = await anyio.to_thread.run_sync(partial(read_file, file, max_bytes=self.max_bytes))
            version = self.ingest.version(data, source.default_groups)
            if document_id in chosen:
                raise Conflict(
                    f"Another file's name reads {file.path!r}, too, without its odd bytes. Rename one of them."
                )
            if before.get(document_id) == version:
                report.unchanged += 1
                chosen[document_id] = version
                return
            if not await anyio.to_thread.run_sync(
                partial(self.store.is_staged, document_id, version, source=source.id)
            ):
                await self._refuse_foreign(document_id, source)
                document, warnings = await self.ingest.stage(
                    document_id, data, source=source.id, default_groups=source.default_groups
                )
                report.passages += document.passages
                report.warnings += [SyncFailure(file.path, warning) for warning in warnings]
        except (StorageError, ModelError):
            raise
        except KenError as error:
            report.failures.append(SyncFailure(file.path, str(error)))
            return
        chosen[document_id] = version
        if document_id in before:
            report.changed += 1
        else:
            report.added += 1

    async def _refuse_foreign(self, document_id: str, source: Source) -> None:
        owner = await anyio.to_thread.run_sync(self.store.source_of, document_id)
        if owner not in {None, source.id}:
            raise Conflict(f"{document_id!r} already comes from {owner!r}. Sync this folder under another collection.")


def _keep_unlisted(report: SyncReport, before: dict[str, str], chosen: dict[str, str]) -> None:
    """What can't be read today was not deleted: neither a file that failed, nor what lies in a folder that did."""
    failed = {f"{report.collection}/{failure.path}" for failure in report.failures}
    for name, version in before.items():
        folders = accumulate(name.split("/"), "{}/{}".format)
        if name not in chosen and not failed.isdisjoint(folders):
            chosen[name] = version
