"""Locks between processes and tasks: never two syncs of one source at once, and one commit at a time.

They are the kernel's (flock): they go with the process that held them, however that ended.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from ken.errors import StorageError, SyncRunning

COMMIT = "commit"
_POLL_S = 0.02
_PID_WIDTH = 20


@asynccontextmanager
async def locked(home: Path, name: str, *, wait_s: float = 0.0) -> AsyncGenerator[None]:
    """Hold a lock of the home. Raises SyncRunning where somebody else holds it, after `wait_s` seconds; StorageError."""
    place = home / "locks" / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.lock"
    try:
        place.parent.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StorageError(
            f"{str(place)!r} can't be written: {error.strerror}. Give this user the right to write it."
        ) from error
    try:
        give_up = time.monotonic() + wait_s
        while not _taken(descriptor):
            if time.monotonic() >= give_up:
                holder = os.pread(descriptor, _PID_WIDTH, 0).decode(errors="replace").strip() or "unknown"
                what = "Another change to the documents" if name == COMMIT else f"Another sync of {name!r}"
                raise SyncRunning(f"{what} is running (process {holder}). Wait for it to end, then try again.")
            await anyio.sleep(_POLL_S)
        os.pwrite(descriptor, str(os.getpid()).ljust(_PID_WIDTH).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def is_locked(home: Path, name: str) -> bool:
    """Whether somebody holds a lock right now."""
    place = home / "locks" / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.lock"
    try:
        descriptor = os.open(place, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return not _taken(descriptor)
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
