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
from ken.errors import KenError, NotFound
from ken.knowledge.library import Library
from ken.knowledge.sync import Progress, SyncOptions, SyncReport
from ken.scheduler.schedule import Cron, Every, Schedule
from ken.scheduler.scheduler import Job
from ken.settings import Settings
from ken.source_settings import FolderSettings, SourceSettings
from ken.storage.sources import Source
from ken.wiring import Ken

_log = logging.getLogger("ken.connectors")

_SETTLED_MS = 1_000
"""A watched folder is synced when nothing has changed in it for so long."""
_LOOKED_FOR_EVERY_S = 30.0
"""A watched folder that isn't there, such as one that is mounted later."""


@dataclass(frozen=True, slots=True)
class Configured:
    """The `[[sources]]` of a home."""

    settings: Settings
    library: Library

    @classmethod
    def of(cls, ken: Ken) -> Configured:
        """Those of an opened home."""
        return cls(ken.settings, ken.library)

    @property
    def names(self) -> tuple[str, ...]:
        """In the order of the file."""
        return tuple(each.name for each in self.settings.sources)

    async def sync(
        self, name: str, *, options: SyncOptions | None = None, progress: Progress | None = None
    ) -> SyncReport:
        """Sync a source. Raises NotFound, InvalidSetting and what `Library.sync` raises.

        What keeps a source from being asked at all (a secret that isn't set) is noted with it, so that its status says so.
        """
        settings = self._named(name)
        source = source_of(settings)
        try:
            connector = connector_of(settings, home=self.settings.home, max_bytes=self.settings.max_file_mb * 1_000_000)
        except KenError as error:
            await self._note(source, str(error))
            raise
        async with aclosing(connector):
            source = replace(source, location=connector.location)
            return await self.library.sync(
                source, connector, policy=policy_of(settings), options=options, progress=progress
            )

    def jobs(self) -> tuple[Job, ...]:
        """A job for each source, for a scheduler: one without a schedule runs when it is asked for."""
        return tuple(
            Job(
                name=settings.name,
                run=partial(self._run, settings.name),
                schedule=_schedule(settings),
                last=partial(self._last, settings.name),
                woken=partial(_changes, place_of(settings.path, home=self.settings.home))
                if isinstance(settings, FolderSettings) and settings.watch
                else None,
            )
            for settings in self.settings.sources
        )

    async def _run(self, name: str) -> float | None:
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
        for settings in self.settings.sources:
            if settings.name == name:
                return settings
        known = ", ".join(self.names) or "none"
        raise NotFound(f"ken.toml names no source {name!r}. Known are: {known}.")


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
