"""A sync in a process of its own that can be made to die at a chosen point: run by test_interrupted_syncs.py.

Usage: python -m tests.knowledge.syncing HOME FOLDER POINT. A POINT is `progress N` (after the N-th file), `wait` (after
the first, until something comes on stdin), or an event of the interpreter and a part of its first argument.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from tests.knowledge.homes import opened


def die() -> None:
    """As `kill -9` does it."""
    os.kill(os.getpid(), signal.SIGKILL)


def progress(done: int, total: int, path: str, bytes_done: int) -> None:
    """Die or wait at the point that was asked for."""
    _ = total, path, bytes_done
    if sys.argv[3:] == ["progress", str(done)]:
        die()
    if sys.argv[3:] == ["wait"] and done == 1:
        print("waiting", flush=True)  # noqa: T201 - the test reads it
        sys.stdin.readline()


def watch(event: str, arguments: tuple[object, ...]) -> None:
    """Die at an event whose first argument holds a word."""
    if event == sys.argv[3] and sys.argv[4] in str(arguments[0]):
        die()


async def main() -> None:
    """Sync."""
    async with opened(Path(sys.argv[1])) as ken:
        if len(sys.argv) > 4 and sys.argv[3] != "progress":
            sys.addaudithook(watch)
        await ken.library.sync_folder(Path(sys.argv[2]), collection="papers", progress=progress)


if __name__ == "__main__":
    asyncio.run(main())
