"""Which process this is, and whether another one of this machine still runs."""

from __future__ import annotations

import os
import socket
from functools import cache
from pathlib import Path

_PROC = Path("/proc")
_START = 19
"""Of the fields of /proc/PID/stat behind the command's name: when the process started (proc(5), field 22)."""


@cache
def machine() -> str:
    """Name the machine since its last start, and the part of it whose process ids are told apart, as a container is."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot} {(_PROC / 'self/ns/pid').readlink()}"
    except OSError:
        return socket.gethostname()


def process(pid: int | None = None) -> str:
    """Name a process so that another one which gets its id later has another name; this one where none is given."""
    pid = os.getpid() if pid is None else pid
    try:
        fields = (_PROC / str(pid) / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        return f"{pid} {fields[_START]}"
    except (OSError, IndexError):
        return f"{pid}"


def is_running(name: str) -> bool:
    """Whether the process of this machine with that name is still there."""
    pid = int(name.partition(" ")[0])
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # somebody else's, but there
    return process(pid) == name
