"""A Ken that serves in a process of its own, and clients that ask it over loopback."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE_S = 120.0
OPENAI = "/v1/chat/completions"
ASK = "/api/ask?stream=false"


@dataclass(frozen=True, slots=True)
class Server:
    """A serving Ken."""

    port: int
    pid: int
    ready_s: float
    """From the start of the process to the first 200 of /readyz."""

    def resident_mb(self) -> tuple[float, float]:
        """Resident memory in all, and without pages of mapped files; megabytes (10^6 bytes)."""
        lines = Path(f"/proc/{self.pid}/status").read_text("utf-8").splitlines()
        kilobytes = {line.split(":")[0]: float(line.split()[1]) for line in lines if line.startswith(("VmRSS", "RssA"))}
        return kilobytes["VmRSS"] * 1.024e-3, kilobytes["RssAnon"] * 1.024e-3

    def cpu_s(self) -> float:
        """Processor time that the server has used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text("utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Client:
    """One connection, kept open."""

    def __init__(self, server: Server) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_S)

    def get(self, path: str) -> dict[str, Any]:
        """The JSON object there."""
        return self._call("GET", path, None)

    def ask(self, question: str, *, door: str) -> tuple[float, dict[str, Any]]:
        """Ask through a door; the milliseconds until the whole answer is here, and the answer."""
        asked: dict[str, Any] = {"question": question}
        if door == OPENAI:
            asked = {"model": "ken", "messages": [{"role": "user", "content": question}]}
        body = json.dumps(asked).encode()
        started = time.perf_counter()
        answer = self._call("POST", door, body)
        return (time.perf_counter() - started) * 1000, answer

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def _call(self, method: str, path: str, body: bytes | None) -> dict[str, Any]:
        self._connection.request(method, path, body, {"Content-Type": "application/json", "Accept": "application/json"})
        response = self._connection.getresponse()
        data = response.read()
        assert response.status == 200, (path, response.status, data[:300])
        return json.loads(data)


@contextmanager
def serving(home: Path, *, settings: Mapping[str, str] | None = None) -> Generator[Server]:
    """`ken up` on a free port of loopback; ended when the block ends."""
    port = free_port()
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "ken", "--home", str(home), "up", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | dict(settings or {}),
    )
    try:
        while not _is_ready(port):
            assert process.poll() is None, "ken up ended"
            assert time.perf_counter() - started < PATIENCE_S, "ken up is not ready"
            time.sleep(0.01)
        yield Server(port, process.pid, time.perf_counter() - started)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)


@contextmanager
def client(server: Server) -> Generator[Client]:
    """A connection for as long as the block lasts."""
    with closing(Client(server)) as opened:
        yield opened


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
