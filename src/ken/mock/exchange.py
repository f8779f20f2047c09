"""One request and its answer over ASGI: the body in, pieces out at their time, and the client's hanging up noticed."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import cast

Scope = Mapping[str, object]
Message = dict[str, object]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

JSON_HEADERS = [(b"content-type", b"application/json")]
STREAM_HEADERS = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache")]


class HungUp(Exception):
    """The client has gone."""


class Exchange:
    """One request and its answer."""

    def __init__(self, scope: Scope, *, receive: Receive, send: Send) -> None:
        self.method = str(scope["method"])
        self.path = str(scope["path"])
        self.query = cast("bytes", scope.get("query_string") or b"")
        self._headers = cast("list[tuple[bytes, bytes]]", scope["headers"])
        self._receive = receive
        self._send = send
        self._leaving: asyncio.Task[None] | None = None
        self._due: float | None = None

    def header(self, name: bytes) -> str:
        """The first header of that name, in lower case; "" without one."""
        return next((value.decode("latin-1") for key, value in self._headers if key == name), "")

    async def body(self) -> bytes:
        """The whole request. Raises HungUp where it doesn't come to its end."""
        parts: list[bytes] = []
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise HungUp
            parts.append(cast("bytes", message.get("body", b"")))
            if not message.get("more_body"):
                return b"".join(parts)

    async def begin(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        """Send the head of the answer."""
        await self._out({"type": "http.response.start", "status": status, "headers": headers})

    async def write(self, data: bytes) -> None:
        """Send a part of the answer. Raises HungUp."""
        await self._out({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self, data: bytes = b"") -> None:
        """Send the last part. An answer whose end is never sent is cut by the server."""
        await self._out({"type": "http.response.body", "body": data})

    async def answer(self, status: int, told: object, *, headers: list[tuple[bytes, bytes]] | None = None) -> None:
        """Send a whole answer of JSON."""
        data = json.dumps(told, separators=(",", ":")).encode()
        length = (b"content-length", str(len(data)).encode())
        await self.begin(status, [*JSON_HEADERS, length, *(headers or [])])
        await self.end(data)

    async def pause(self, milliseconds: float) -> None:
        """Wait until so long after the last pause should have ended. Raises HungUp as soon as the client goes."""
        if not milliseconds:
            return
        self._due = (self._due or time.monotonic()) + milliseconds / 1000
        left = self._due - time.monotonic()
        if left > 0 and await self._has_gone(left):
            raise HungUp

    async def silence(self) -> None:
        """Say nothing until the client goes. Raises HungUp then."""
        await self._has_gone(None)
        raise HungUp

    def close(self) -> None:
        """Let go of what watched the client."""
        if self._leaving is not None:
            self._leaving.cancel()

    async def _has_gone(self, seconds: float | None) -> bool:
        if self._leaving is None:
            self._leaving = asyncio.ensure_future(self._gone())
        done, _ = await asyncio.wait((self._leaving,), timeout=seconds)
        return bool(done)

    async def _gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _out(self, message: Message) -> None:
        try:
            await self._send(message)
        except OSError as error:
            raise HungUp from error
