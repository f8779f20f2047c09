"""A running `ken up`."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.cli.terminal import Terminal


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


@contextmanager
def up(terminal: Terminal, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running `ken up` and its address."""
    command = terminal.command("up", "--port", str(free_port()), *arguments)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=terminal.environment()
    ) as process:
        assert process.stdout is not None
        try:
            address = process.stdout.readline().strip().removeprefix("Ken is at ")
            assert address.startswith("http://"), process.communicate()
            wait_for(address)
            yield process, address
        finally:
            if process.poll() is None:
                process.kill()


def wait_for(address: str) -> None:
    for _ in range(200):
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=5) as response:  # noqa: S310 - our own server
                assert json.load(response) == {"status": "ok"}
                return
        except OSError:
            time.sleep(0.05)
    pytest.fail(f"nothing answers at {address}")
