"""Runs jobs when they are due, one after the other of each, side by side otherwise.

What a job does is none of the scheduler's business: it calls what it was handed, and a failure is logged and ends there.
That a job runs nowhere else at the same time is up to the job (a sync holds its source's lock).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from ken.errors import Conflict, KenError, NotFound
from ken.scheduler.schedule import Schedule

_LONGEST_SLEEP_S = 60.0
"""A clock that was set forward, or a machine that slept, is noticed after so long."""

_SHORTEST_RETRY_S = 1.0

_log = logging.getLogger("ken.scheduler")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Something to do again and again."""

    name: str
    version: str = ""
    """Another one under the same name takes this one's place."""
    run: Callable[[], Awaitable[float | None]]
    """Does it; where it failed, returns when it wants to be tried again (seconds since the epoch), whatever its schedule."""
    schedule: Schedule | None = None
    """None: only when asked for."""
    last: Callable[[], Awaitable[float | None]] | None = None
    """When it last started, in an earlier process too."""
    woken: Callable[[], AsyncIterator[None]] | None = None
    """Yields whenever there is a reason to run now: a file changed."""


@dataclass(slots=True)
class _State:
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    due: float | None = None
    is_running: bool = False


class Scheduler:
    """The jobs of a process, while `running` holds."""

    def __init__(self, jobs: tuple[Job, ...] = ()) -> None:
        self._jobs = {job.name: job for job in jobs}
        self._states = {job.name: _State() for job in jobs}
        self._tasks: dict[str, list[asyncio.Task[None]]] = {}
        self._ending: list[asyncio.Task[None]] = []
        self._is_running = False

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Run the jobs until the block ends; what is being done then is cancelled."""
        self._is_running = True
        for job in self._jobs.values():
            self._start(job)
        try:
            yield
        finally:
            self._is_running = False
            for name in list(self._tasks):
                self._stop(name)
            await asyncio.gather(*self._ending, return_exceptions=True)

    def replace(self, jobs: tuple[Job, ...]) -> None:
        """Have these jobs from now on: new ones start, those that are gone or have changed are cancelled."""
        wanted = {job.name: job for job in jobs}
        for name, job in list(self._jobs.items()):
            if name not in wanted or wanted[name].version != job.version:
                self._stop(name)
                del self._jobs[name], self._states[name]
        for name, job in wanted.items():
            if name not in self._jobs:
                self._jobs[name], self._states[name] = job, _State()
                if self._is_running:
                    self._start(job)

    def ask(self, name: str) -> None:
        """Have a job run now. Raises NotFound; Conflict where it is running."""
        state = self._states.get(name)
        if state is None:
            raise NotFound(
                f"There is nothing named {name!r} to run. Known are: {', '.join(sorted(self._jobs)) or 'none'}."
            )
        if state.is_running or state.asked.is_set():
            raise Conflict(f"{name!r} is running already.")
        state.asked.set()

    def due(self, name: str) -> float | None:
        """When a job runs next, in seconds since the epoch; None where it doesn't by itself, or runs right now."""
        state = self._states.get(name)
        return None if state is None or state.is_running else state.due

    def _start(self, job: Job) -> None:
        works = [self._keep(job), *([self._wake(job)] if job.woken is not None else [])]
        self._tasks[job.name] = [asyncio.create_task(work, name=f"job {job.name}") for work in works]

    def _stop(self, name: str) -> None:
        self._ending = [task for task in self._ending if not task.done()]
        for task in self._tasks.pop(name, []):
            task.cancel()
            self._ending.append(task)

    async def _keep(self, job: Job) -> None:
        state = self._states[job.name]
        last = await job.last() if job.last is not None else None
        retry: float | None = None
        while True:
            state.due = job.schedule.next(last, time.time()) if job.schedule is not None and retry is None else retry
            await self._until_due(state)
            state.asked.clear()
            state.is_running = True
            last = time.time()
            try:
                retry = None
                wanted = await job.run()
                retry = None if wanted is None else max(wanted, time.time() + _SHORTEST_RETRY_S)
            except KenError as error:
                _log.warning("%s failed: %s", job.name, error)
            except Exception:  # noqa: BLE001 - a job must not end the others, nor its own next run
                _log.exception("%s failed", job.name)
            finally:
                state.is_running = False

    @staticmethod
    async def _until_due(state: _State) -> None:
        while not state.asked.is_set():
            left = _LONGEST_SLEEP_S if state.due is None else state.due - time.time()
            if left <= 0:
                return
            try:
                async with asyncio.timeout(min(left, _LONGEST_SLEEP_S)):
                    await state.asked.wait()
            except TimeoutError:
                continue

    async def _wake(self, job: Job) -> None:
        assert job.woken is not None  # noqa: S101 - the caller looked
        state = self._states[job.name]
        try:
            async for _ in job.woken():
                state.asked.set()
        except Exception:  # noqa: BLE001 - the job still runs when it is due or asked for
            _log.exception("%s is no longer woken", job.name)
