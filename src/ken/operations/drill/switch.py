"""What faults are made with: a mock provider whose behaviour is switched while it serves, and a line that can be cut."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import cast

from ken.mock.app import MockProvider
from ken.mock.exchange import Message, Receive, Scope, Send
from ken.mock.ledger import Entry
from ken.mock.server import Connection

HEALTHY = "mock-quote2"
"""Quotes the first sentence of two passages that it is given, and cites them: an answer that passes verification."""
SWITCHED = "switched"
"""The name of the model that behaves as the switch stands; every other one behaves as it is called."""
_PIECE = 65_536


class Switch:
    """A mock provider on a port of its own."""

    def __init__(self) -> None:
        self.words = HEALTHY
        self._provider = MockProvider()
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """For OpenAI's clients."""
        return f"http://127.0.0.1:{self._port}/v1"

    def entries(self) -> Sequence[Entry]:
        """What it would invoice, call by call."""
        return self._provider.ledger.entries()

    async def serve(self) -> None:
        """Listen, at the port of the last time."""
        loop = asyncio.get_running_loop()
        made = lambda: Connection(self, self._connections)  # noqa: E731 - asyncio wants a factory
        self._server = await loop.create_server(made, "127.0.0.1", self._port)
        self._port = int(self._server.sockets[0].getsockname()[1])

    async def vanish(self) -> None:
        """Cut every connection and listen no more."""
        if self._server is not None:
            self._server.close()
            for connection in list(self._connections):
                connection.abort()
            await self._server.wait_closed()
            self._server = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as the switch stands."""
        body = bytearray()
        more = scope["type"] == "http"
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += cast("bytes", message.get("body", b""))
            more = bool(message.get("more_body"))
        data = self._switched(bytes(body))
        is_read = False

        async def again() -> Message:
            nonlocal is_read
            if is_read:
                return await receive()
            is_read = True
            return {"type": "http.request", "body": data, "more_body": False}

        await self._provider(scope, again if scope["type"] == "http" else receive, send)

    def _switched(self, body: bytes) -> bytes:
        try:
            told = cast("object", json.loads(body))
        except ValueError:
            return body
        if not isinstance(told, dict) or cast("dict[str, object]", told).get("model") != SWITCHED:
            return body
        return json.dumps({**cast("dict[str, object]", told), "model": self.words}).encode()


@asynccontextmanager
async def switch() -> AsyncGenerator[Switch]:
    """Serve until the end of the block."""
    made = Switch()
    await made.serve()
    try:
        yield made
    finally:
        await made.vanish()


class Line:
    """A TCP line to a server that can be cut and mended; `socket` is a Unix socket's path instead of host and port."""

    def __init__(self, host: str, port: int, *, socket: str | None = None) -> None:
        self._to = (host, port)
        self._socket = socket
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def mend(self) -> None:
        """Listen, at the port of the last time."""
        self._server = await asyncio.start_server(self._through, "127.0.0.1", self.port)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def cut(self) -> None:
        """Break what is open, and refuse what comes."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._open):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _through(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            if self._socket is not None:
                inner, outer = await asyncio.open_unix_connection(self._socket)
            else:
                inner, outer = await asyncio.open_connection(*self._to)
        except OSError:
            writer.transport.abort()
            self._open.discard(writer)
            return
        self._open.add(outer)
        ways = {asyncio.ensure_future(_copied(reader, outer)), asyncio.ensure_future(_copied(inner, writer))}
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        for end in (writer, outer):
            self._open.discard(end)
            end.transport.abort()


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(_PIECE):
            writer.write(piece)
            await writer.drain()


@asynccontextmanager
async def line(host: str, port: int, *, socket: str | None = None) -> AsyncGenerator[Line]:
    """Keep a line until the end of the block."""
    made = Line(host, port, socket=socket)
    await made.mend()
    try:
        yield made
    finally:
        await made.cut()
