"""The sources that ken.toml names, at work: synced when asked for, when due, and when a watched folder changes."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import anyio.to_thread
from watchfiles import awatch

from ken.connectors.build import connector_of, place_of, policy_of, source_of
from ken.errors import Conflict, InvalidInput, KenError, NotFound
from ken.knowledge.library import Library
from ken.knowledge.sync import Progress, SyncOptions, SyncReport
from ken.scheduler.schedule import Cron, Every, Schedule
from ken.scheduler.scheduler import Job, Scheduler
from ken.settings import Settings, load, settings_file
from ken.source_settings import FolderSettings, SourceSettings
from ken.storage.sources import Source
from ken.wiring import Ken

_log = logging.getLogger("ken.connectors")

_SETTLED_MS = 1_000
"""A watched folder is synced when nothing has changed in it for so long."""
_LOOKED_FOR_EVERY_S = 30.0
"""A watched folder that isn't there, such as one that is mounted later."""
_EMBEDDED_EVERY_S = 30.0
"""Whether documents are to be embedded anew is looked for so often; so often it is tried again."""
_READ_EVERY_S = 2.0
"""ken.toml is looked at so often while the sources are at work."""


@dataclass(frozen=True, slots=True)
class Configured:
    """The `[[sources]]` of a home.

    The file is read again for each sync: who may read what is what it says then, and a table that was taken out is gone.
    """

    settings: Settings
    library: Library
    also: tuple[Job, ...] = ()
    """Jobs of others, which stay whatever ken.toml says."""

    @classmethod
    def of(cls, ken: Ken, *, also: tuple[Job, ...] = ()) -> Configured:
        """Those of an opened home."""
        return cls(ken.settings, ken.library, also)

    def tables(self) -> tuple[SourceSettings, ...]:
        """What ken.toml says now, in its order. Raises InvalidSetting."""
        return load(self.settings.home, secrets=()).sources

    async def sync(
        self, name: str, *, options: SyncOptions | None = None, progress: Progress | None = None
    ) -> SyncReport:
        """Sync a source. Raises NotFound, InvalidSetting and what `Library.sync` raises.

        What keeps a source from being asked at all (a secret that isn't set) is noted with it, so that its status says so.
        """
        settings = await anyio.to_thread.run_sync(self._named, name)
        source = source_of(settings)
        try:
            connector = connector_of(settings, home=self.settings.home, max_bytes=self.settings.max_file_mb * 1_000_000)
        except KenError as error:
            await self._note(source, str(error))
            raise
        async with aclosing(connector):
            source = replace(source, location=connector.location)
            try:
                return await self.library.sync(
                    source, connector, policy=policy_of(settings), options=options, progress=progress
                )
            except InvalidInput as error:  # a folder that isn't there
                await self._note(source, str(error))
                raise

    async def follow(self, scheduler: Scheduler) -> None:
        """Keep a scheduler's jobs as ken.toml says, until cancelled; one that can't be used changes nothing, and is told."""
        seen: tuple[int, int] | None = None
        while True:
            state = await anyio.to_thread.run_sync(_state_of, settings_file(self.settings.home))
            if state != seen:
                seen = state
                try:
                    scheduler.replace(await anyio.to_thread.run_sync(self.jobs))
                except KenError as error:
                    _log.warning("The sources stay as they were. %s", error)
            await asyncio.sleep(_READ_EVERY_S)

    def jobs(self) -> tuple[Job, ...]:
        """A job for each source, for a scheduler: one without a schedule runs when it is asked for. Raises InvalidSetting.

        And one for the documents that are to be embedded anew, whose name no source can have.
        """
        again = Job(name="embedding anew", run=self._embed, schedule=Every(_EMBEDDED_EVERY_S))
        return (
            *self.also,
            again,
            *(
                Job(
                    name=settings.name,
                    version=repr(settings),
                    run=partial(self._run, settings.name),
                    schedule=_schedule(settings),
                    last=partial(self._last, settings.name),
                    woken=partial(_changes, place_of(settings.path, home=self.settings.home))
                    if isinstance(settings, FolderSettings) and settings.watch
                    else None,
                )
                for settings in self.tables()
            ),
        )

    async def _embed(self) -> float | None:
        if await self.library.is_embedded():
            return None
        with suppress(Conflict):  # another process is at it
            report = await self.library.embed_again()
            _log.warning("All documents are embedded with %s: %d of them anew.", report.embedder, report.embedded)
        return None

    async def _run(self, name: str) -> float | None:
        if name not in {each.name for each in await anyio.to_thread.run_sync(self.tables)}:
            return None  # its table was taken out a moment ago
        report = await self.sync(name)
        if report.problem:
            _log.warning("%s was not synced to its end: %s", name, report.problem)
        source = await anyio.to_thread.run_sync(self.library.sources.get, name)
        return source.next_try if source is not None else None

    async def _last(self, name: str) -> float | None:
        source = await anyio.to_thread.run_sync(self.library.sources.get, name)
        return source.synced_at if source is not None else None

    async def _note(self, source: Source, problem: str) -> None:
        known = await anyio.to_thread.run_sync(self.library.sources.get, source.id)
        since = known.problem_since if known is not None and known.problem else time.time()
        noted = replace(known or source, problem=problem, problem_since=since)
        await anyio.to_thread.run_sync(self.library.sources.put, noted)

    def _named(self, name: str) -> SourceSettings:
        tables = self.tables()
        for settings in tables:
            if settings.name == name:
                return settings
        known = ", ".join(each.name for each in tables) or "none"
        raise NotFound(f"ken.toml names no source {name!r}. Known are: {known}.")


def _state_of(file: Path) -> tuple[int, int] | None:
    """What changes when a file is written; None where there is none."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def _schedule(settings: SourceSettings) -> Schedule | None:
    if settings.cron is not None:
        return Cron(settings.cron)
    return Every(settings.interval_s) if settings.interval_s is not None else None


async def _changes(place: Path) -> AsyncIterator[None]:
    """Once when the folder is watched, as nobody knows what happened before; then whenever something changed in it.

    A folder may come later, and again after it went.
    """
    while True:
        while not await anyio.to_thread.run_sync(place.is_dir):  # noqa: ASYNC110 - no event tells of it
            await asyncio.sleep(_LOOKED_FOR_EVERY_S)
        is_known = False
        # The first time-out comes when the watch stands: a change between a sync and the watch would be missed.
        watch = awatch(place, debounce=_SETTLED_MS, rust_timeout=_SETTLED_MS, yield_on_timeout=True)
        with suppress(OSError):
            async for changed in watch:
                if changed or not is_known:
                    is_known = True
                    yield
                if not await anyio.to_thread.run_sync(place.is_dir):
                    break
