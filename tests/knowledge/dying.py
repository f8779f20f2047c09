"""A change to the corpus in a process of its own that dies, or runs out of disk, at a chosen function.

Usage: python -m tests.knowledge.dying HOME FUNCTION WHAT [ARGUMENT]. FUNCTION is the qualified name at whose call the process
is killed as `kill -9` does it. WHAT is `sync FOLDER`, `use VERSION`, `push ID` (the document comes on stdin), or `two FOLDER`: the folder
and a shelf that lists only changes, at once.

Or: python -m tests.knowledge.dying BYTES FUNCTION ken ARGUMENT..., which is that command of Ken's, unable to write beyond so
many bytes of any file from the call of the function on.
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import anyio

from ken.wiring import Ken
from tests.knowledge.homes import opened
from tests.knowledge.shelf import Shelf, sync_shelf

DELTA = {"crane.md": "# Crane\n\nThe crane lifts twelve tonnes.\n"}


def die() -> None:
    """As `kill -9` does it."""
    os.kill(os.getpid(), signal.SIGKILL)


class Watch:
    """Does something at the first call of a function after it was armed, in whatever thread began after it."""

    def __init__(self, function: str, what: Callable[[], None]) -> None:
        self.is_armed = False
        self._function = function
        self._what = what
        threading.setprofile(self._look)
        sys.setprofile(self._look)

    def _look(self, frame: FrameType, event: str, _: object) -> None:
        if self.is_armed and event == "call" and frame.f_code.co_qualname == self._function:
            self._what()


def delta(kind: str) -> Shelf:
    """A shelf that lists what has changed since it was listed as a whole."""
    return Shelf(
        DELTA if kind == "changes" else {"ferry.md": "# Ferry\n\nThe ferry leaves.\n"}, is_whole=kind == "whole"
    )


async def change(ken: Ken, what: str, argument: str) -> None:
    """Do what was asked for."""
    if what == "use":
        await ken.library.use(int(argument))
    elif what == "push":
        await ken.library.put(argument, sys.stdin.buffer.read())
    else:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: ken.library.sync_folder(Path(argument), collection="papers"))
            if what == "two":
                tasks.start_soon(sync_shelf, ken, delta("changes"))


async def main() -> None:
    """Open the home, then do it."""
    home, function, *asked = sys.argv[1:]
    watch = Watch(function, die)
    async with opened(Path(home)) as ken:
        watch.is_armed = True
        await change(ken, *asked)


def command() -> None:
    """Run Ken's command on a disk that fills up."""
    from ken.cli.main import main as ken  # noqa: PLC0415 - the other use needs no terminal

    size, function, *sys.argv = sys.argv[1:]
    watch = Watch(function, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (int(size), resource.RLIM_INFINITY)))
    watch.is_armed = True
    ken()


if __name__ == "__main__":
    if sys.argv[1].isdigit():
        command()
    else:
        asyncio.run(main())
