"""Locks between processes and tasks: never two syncs of one source at once, and one commit at a time.

Of a home they are the kernel's (flock), of a shared database the server's: they go with the process that held them,
however that ended.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol

import anyio.to_thread

from ken.errors import StorageError, SyncRunning
from ken.storage.advisory import AdvisoryLocks

COMMIT = "commit"
EMBEDDING = "embedding"
_POLL_S = 0.02
_POLL_SERVER_S = 0.1
_PID_WIDTH = 20


class Locks(Protocol):
    """Locks by name, which all who share a store see."""

    def hold(self, name: str, *, wait_s: float = 0.0) -> AbstractAsyncContextManager[None]:
        """Hold a lock. Raises SyncRunning where somebody else holds it, after `wait_s` seconds; StorageError."""
        ...

    def is_held(self, name: str) -> bool:
        """Whether somebody holds a lock right now."""
        ...


class FileLocks:
    """The locks of a home, for the processes of one machine: files in its folder `locks`."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "locks"

    @asynccontextmanager
    async def hold(self, name: str, *, wait_s: float = 0.0) -> AsyncGenerator[None]:
        """As promised by `Locks`."""
        descriptor = self._opened(self._place(name))
        try:
            give_up = time.monotonic() + wait_s
            while not _taken(descriptor):
                if time.monotonic() >= give_up:
                    holder = os.pread(descriptor, _PID_WIDTH, 0).decode(errors="replace").strip() or "unknown"
                    raise _refusal(name, f"process {holder}")
                await anyio.sleep(_POLL_S)
            os.pwrite(descriptor, str(os.getpid()).ljust(_PID_WIDTH).encode(), 0)
            yield
        finally:
            os.close(descriptor)

    def is_held(self, name: str) -> bool:
        """As promised by `Locks`."""
        try:
            descriptor = os.open(self._place(name), os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            return not _taken(descriptor)
        finally:
            os.close(descriptor)

    def _place(self, name: str) -> Path:
        return self._folder / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.lock"

    def _opened(self, place: Path) -> int:
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            return os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StorageError(
                f"{str(place)!r} can't be written: {error.strerror}. Give this user the right to write it."
            ) from error


class ServerLocks:
    """The locks of a shared database, for the processes of all machines."""

    def __init__(self, kept: AdvisoryLocks) -> None:
        self._kept = kept

    @asynccontextmanager
    async def hold(self, name: str, *, wait_s: float = 0.0) -> AsyncGenerator[None]:
        """As promised by `Locks`."""
        lock = self._kept.lock(name)
        try:
            give_up = time.monotonic() + wait_s
            while not await anyio.to_thread.run_sync(lock.take):
                if time.monotonic() >= give_up:
                    holder = await anyio.to_thread.run_sync(self._kept.holder, name)
                    raise _refusal(name, holder or "which has just ended")
                await anyio.sleep(_POLL_SERVER_S)
            yield
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(lock.release)

    def is_held(self, name: str) -> bool:
        """As promised by `Locks`."""
        return self._kept.holder(name) is not None


def _refusal(name: str, holder: str) -> SyncRunning:
    special = {COMMIT: "Another change to the documents", EMBEDDING: "Embedding the documents anew"}
    what = special.get(name, f"Another sync of {name!r}")
    return SyncRunning(f"{what} is running ({holder}). Wait for it to end, then try again.")


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
