"""A small HTTP/1.1 server for one ASGI app on asyncio alone: fast, and able to cut a connection in mid-answer.

The wire: RFC 9112. Kept connections, one request at a time on each; bodies by `Content-Length`; answers without one are
chunked. An app that returns before its answer's end has its connection closed after what it sent, as ASGI servers do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import cast
from urllib.parse import unquote

from ken.mock.exchange import Message, Receive, Scope, Send

App = Callable[[Scope, Receive, Send], Awaitable[None]]

_MOST_HEAD = 65_536
_MOST_BODY = 64_000_000
_REASONS = {status.value: status.phrase for status in HTTPStatus}
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Connection(asyncio.Protocol):
    """One connection of a client."""

    def __init__(self, app: App, connections: set[Connection]) -> None:
        self._app = app
        self._all = connections
        self._buffer = bytearray()
        self._request: _Request | None = None
        self._task: asyncio.Task[None] | None = None
        self.transport: asyncio.Transport | None = None
        self.is_lost = False
        self._room: asyncio.Event = asyncio.Event()
        self._room.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to listen."""
        self.transport = cast("asyncio.Transport", transport)
        self._all.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever answers."""
        del exc
        self.is_lost = True
        self._room.set()
        self._all.discard(self)
        if self._request is not None:
            self._request.lose()

    def pause_writing(self) -> None:
        """The client doesn't read as fast as it is written to."""
        self._room.clear()

    def resume_writing(self) -> None:
        """It has caught up."""
        self._room.set()

    def data_received(self, data: bytes) -> None:
        """Take in what came, and answer once a request is whole."""
        self._buffer += data
        if self._request is None:
            self._next()

    def abort(self) -> None:
        """Drop the connection."""
        if self.transport is not None:
            self.transport.abort()

    def write(self, data: bytes) -> None:
        """Send. Raises ConnectionResetError once the client has gone."""
        if self.is_lost or self.transport is None or self.transport.is_closing():
            raise ConnectionResetError
        self.transport.write(data)

    async def drain(self) -> None:
        """Wait until the client has taken most of what was sent."""
        if not self._room.is_set():
            await self._room.wait()

    def _next(self) -> None:
        """Begin with the next request, where all of it is here."""
        if not self._buffer[:1].isalpha():
            self._refuse(400)  # a TLS handshake, for one
            return
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > _MOST_HEAD:
                self._refuse(431)
            return
        try:
            request = _Request(bytes(self._buffer[:end]), self)
        except (ValueError, LookupError):
            self._refuse(400)
            return
        if request.length is None or request.length > _MOST_BODY:
            self._refuse(411 if request.length is None else 413)
            return
        if len(self._buffer) < end + 4 + request.length:
            if request.expects and not request.was_told:
                request.was_told = True
                self.write(_CONTINUE)
                del self._buffer[:end]
                self._buffer[:0] = request.head_without_expectation()
            return
        request.body = bytes(self._buffer[end + 4 : end + 4 + request.length])
        del self._buffer[: end + 4 + request.length]
        self._request = request
        self._task = asyncio.get_running_loop().create_task(self._answer(request))

    async def _answer(self, request: _Request) -> None:
        try:
            await self._app(request.scope, request.receive, request.send)
        finally:
            self._request = None
            if self.transport is not None and not (request.is_complete and request.keeps):
                self.transport.close()
        if self._buffer and not self.is_lost:
            self._next()

    def _refuse(self, status: int) -> None:
        if self.transport is not None:
            self.transport.write(
                f"HTTP/1.1 {status} {_REASONS[status]}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n".encode()
            )
            self.transport.close()


class _Request:
    """One request, as ASGI hands it over."""

    def __init__(self, head: bytes, connection: Connection) -> None:
        """Read a head. Raises ValueError or LookupError where it is none."""
        line, *fields = head.split(b"\r\n")
        method, target, version = line.split(b" ")
        if not version.startswith(b"HTTP/1."):
            raise ValueError(version)
        self._head = head
        headers: list[tuple[bytes, bytes]] = []
        for field in fields:
            name, _, value = field.partition(b":")
            headers.append((name.lower(), value.strip()))
        found = dict(headers)
        path, _, query = target.partition(b"?")
        is_chunked = b"chunked" in found.get(b"transfer-encoding", b"")
        self.length = None if is_chunked else int(found.get(b"content-length", b"0"))
        self.expects = found.get(b"expect", b"").lower() == b"100-continue"
        self.was_told = False
        wish = found.get(b"connection", b"").lower()
        self.keeps = wish != b"close" if version == b"HTTP/1.1" else False
        self.scope: dict[str, object] = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": method.decode(),
            "scheme": "http",
            "path": unquote(path.decode()),
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "headers": headers,
        }
        self.body = b""
        self.is_complete = False
        self._connection = connection
        self._was_read = False
        self._is_chunked = False
        self._head_out = b""
        self._lost: asyncio.Event | None = None

    def head_without_expectation(self) -> bytes:
        """The head, as if it had not asked whether to go on."""
        lines = self._head.split(b"\r\n")
        return b"\r\n".join(line for line in lines if not line.lower().startswith(b"expect:"))

    def lose(self) -> None:
        """The connection has gone."""
        if self._lost is not None:
            self._lost.set()

    async def receive(self) -> Message:
        """The body, once; then nothing until the client goes."""
        if not self._was_read:
            self._was_read = True
            return {"type": "http.request", "body": self.body, "more_body": False}
        if not self._connection.is_lost:
            self._lost = self._lost or asyncio.Event()
            await self._lost.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Write a part of the answer. Raises ConnectionResetError."""
        if message["type"] == "http.response.start":
            # A stream's head goes out at once; that of a whole answer goes out with it, in one packet.
            self._head_out = self._head_of(message)
            if self._is_chunked:
                self._connection.write(self._taken_head())
            return
        data = cast("bytes", message.get("body", b""))
        is_last = not message.get("more_body")
        if self._is_chunked:
            data = (b"%x\r\n%b\r\n" % (len(data), data) if data else b"") + (b"0\r\n\r\n" if is_last else b"")
        self._connection.write(self._taken_head() + data)
        self.is_complete = is_last
        await self._connection.drain()

    def _taken_head(self) -> bytes:
        head, self._head_out = self._head_out, b""
        return head

    def _head_of(self, message: Message) -> bytes:
        status = cast("int", message["status"])
        headers = cast("list[tuple[bytes, bytes]]", message["headers"])
        self._is_chunked = all(name != b"content-length" for name, _ in headers)
        lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Overloaded')}".encode()]
        lines += [b"%b: %b" % pair for pair in headers]
        if self._is_chunked:
            lines.append(b"transfer-encoding: chunked")
        if not self.keeps:
            lines.append(b"connection: close")
        return b"\r\n".join(lines) + b"\r\n\r\n"
