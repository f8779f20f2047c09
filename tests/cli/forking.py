"""A process that has loaded Ken once and splits off a copy of itself for each command: to load takes longer than most commands.

What is split off is a process of its own, with the arguments, environment, folder, input and outputs that it is given, and it ends
as any Python process does. Commands whose environment changes how Python itself starts are started anew (`can_fork`).
"""

from __future__ import annotations

import array
import atexit
import contextlib
import gc
import importlib
import json
import os
import random
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

_STARTUP = ("PYTHON", "LC_", "LANG", "TZ", "LD_", "OMP_", "OPENBLAS_")
_LENGTH = struct.Struct("!I")
_STATUS = struct.Struct("!ii")


def can_fork(environment: Mapping[str, str]) -> bool:
    """Whether these variables are, as far as Python's start reads them, those that the loaded process has."""
    return _startup(environment) == _started_with()


def run(
    arguments: Sequence[str], environment: Mapping[str, str], *, stdin: bytes, timeout_s: float
) -> tuple[int, bytes, bytes]:
    """Exit code, output and errors of `ken ARGUMENTS`. Raises subprocess.TimeoutExpired, after ending it."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as told:
        given.write(stdin)
        given.seek(0)
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(_loaded()))
            asked = json.dumps(
                {"arguments": list(arguments), "environment": dict(environment), "folder": str(Path.cwd())}
            ).encode()
            fds = array.array("i", [given.fileno(), out.fileno(), told.fileno()])
            connection.sendmsg([_LENGTH.pack(len(asked))], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
            connection.sendall(asked)
            pid, _ = _STATUS.unpack(_exactly(connection, _STATUS.size))
            connection.settimeout(timeout_s)
            try:
                _, code = _STATUS.unpack(_exactly(connection, _STATUS.size))
            except TimeoutError as error:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired(["ken", *arguments], timeout_s) from error
        out.seek(0)
        told.seek(0)
        return code, out.read(), told.read()


def _startup(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(_STARTUP)}


@cache
def _started_with() -> dict[str, str]:
    return _startup({**os.environ, "PYTHONWARNINGS": "error"})


@cache
def _loaded() -> Path:
    """The socket of this test process's loaded Ken, which ends with it."""
    folder = tempfile.mkdtemp(prefix="ken-forking-")
    address = Path(folder) / "socket"
    process = subprocess.Popen(
        [sys.executable, __file__, str(address)], env={**os.environ, **_started_with()}, stdin=subprocess.PIPE
    )
    atexit.register(process.wait, 10)
    atexit.register(process.stdin.close if process.stdin is not None else process.terminate)
    for _ in range(600):
        if address.exists():
            return address
        assert process.poll() is None, "Ken could not be loaded"
        time.sleep(0.05)
    raise TimeoutError("Ken was not loaded within 30 s")


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            raise EOFError("the loaded Ken hung up")
        data += piece
    return data


def _serve(address: Path) -> None:
    """Take commands until standard input ends; return in a process that was split off, ready to run one."""
    listener = socket.socket(socket.AF_UNIX)
    made = address.with_name("made")
    listener.bind(str(made))
    listener.listen(16)
    made.rename(address)  # only now can it be connected to
    while True:
        ready, _, _ = select.select([listener, sys.stdin], [], [])
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if sys.stdin in ready:
            os._exit(0)
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            if _split(connection):
                return
        connection.close()


def _split(connection: socket.socket) -> bool:
    """In the process that is to run the command: take on what it was given, and return True. Its parent waits and reports."""
    length, fds, _, _ = socket.recv_fds(connection, _LENGTH.size, 3)
    asked = json.loads(_exactly(connection, _LENGTH.unpack(length)[0]))
    pid = os.fork()
    if pid:
        connection.sendall(_STATUS.pack(pid, 0))
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        with contextlib.suppress(OSError):
            connection.sendall(_STATUS.pack(pid, code))
        os._exit(0)
    connection.close()
    for number, fd in enumerate(fds):
        os.dup2(fd, number)
        os.close(fd)
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["folder"])
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - of the process
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False, buffering=1)  # noqa: SIM115
    sys.argv = ["ken", *asked["arguments"]]
    random.seed()
    return True


if __name__ == "__main__":
    importlib.import_module("ken.service.app")  # and with it all that a command may need
    from ken.cli.main import main

    sys.path[0] = ""
    warnings.simplefilter("error")
    _serve(Path(sys.argv[1]))
    try:
        main()
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    else:
        status = 0
    # As Python ends, but for the destructors of C++ libraries: these would join threads that stayed behind in the loaded process.
    threading._shutdown()
    atexit._run_exitfuncs()
    gc.collect()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
