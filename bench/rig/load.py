"""A load generator: one connection a client, kept open, as little of its own work as asyncio allows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

_OK = b"HTTP/1.1 200"
_END_OF_CHUNKS = b"0\r\n\r\n"


@dataclass(slots=True)
class Outcome:
    """What came of a load."""

    seconds: float = 0.0
    ms: list[float] = field(default_factory=list[float])
    """Of each call that was answered with 200 and a whole body."""
    failures: int = 0
    """Of all others."""

    @property
    def rate(self) -> float:
        """Answered calls a second."""
        return len(self.ms) / self.seconds if self.seconds else 0.0

    def percentile(self, q: float) -> float:
        """Milliseconds; NaN where nothing was answered."""
        return float(np.percentile(self.ms, q)) if self.ms else float("nan")


def request(port: int, path: str, *, body: bytes, headers: Mapping[str, str]) -> bytes:
    """The bytes of a POST."""
    told = {
        "Host": f"127.0.0.1:{port}",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        **headers,
    }
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in told.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class _Client(asyncio.Protocol):
    """One connection. An answer has a length, or comes in chunks, the last of which ends what was received last."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[bool] | None = None
        self._seen = bytearray()
        self._whole = -1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._seen += data
        if self._whole < 0:
            head = self._seen.find(b"\r\n\r\n")
            if head < 0:
                return
            length = [
                line for line in bytes(self._seen[:head]).lower().split(b"\r\n") if line.startswith(b"content-length:")
            ]
            self._whole = head + 4 + int(length[0].partition(b":")[2]) if length else 0
        is_over = len(self._seen) >= self._whole if self._whole else self._seen.endswith(_END_OF_CHUNKS)
        if is_over:
            self._end(is_ok=self._seen.startswith(_OK) and b'data: {"error"' not in self._seen)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._end(is_ok=False)

    def _end(self, *, is_ok: bool) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(is_ok)

    async def call(self, data: bytes) -> bool:
        """Send; whether the answer was a good one."""
        assert self.transport is not None
        if self.transport.is_closing():
            return False
        self._seen.clear()
        self._whole = -1
        self._waiter = asyncio.get_running_loop().create_future()
        self.transport.write(data)
        return await self._waiter


async def load(port: int, data: bytes, *, clients: int, calls: int = 0, seconds: float = 0.0) -> Outcome:
    """So many clients that call one after the other, for so many calls in all or so many seconds."""
    outcome = Outcome()
    left = calls or 1 << 62
    loop = asyncio.get_running_loop()
    opened = [(await loop.create_connection(_Client, "127.0.0.1", port))[1] for _ in range(clients)]
    began = time.perf_counter()
    until = began + (seconds or 3600.0)

    async def work(client: _Client) -> None:
        nonlocal left
        while left > 0 and time.perf_counter() < until:
            left -= 1
            started = time.perf_counter()
            if await client.call(data):
                outcome.ms.append((time.perf_counter() - started) * 1000)
                continue
            outcome.failures += 1
            if client.transport is None or client.transport.is_closing():
                client = (await loop.create_connection(_Client, "127.0.0.1", port))[1]

    await asyncio.gather(*(work(client) for client in opened))
    outcome.seconds = time.perf_counter() - began
    for client in opened:
        if client.transport is not None:
            client.transport.close()
    return outcome
