"""An answer that comes as server-sent events (WHATWG HTML, section 9.2), in whose data a provider puts its pieces.

A `data:` line that is one JSON object is taken as an event at once, as nearly all such servers send it; any other is read together
with the lines behind it, up to the next empty one.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace

import aiohttp

from ken.errors import DeadlineExceeded, ModelError, ModelInterrupted
from ken.models.chat import ChatDelta, readable
from ken.models.wire import Call, Reading, Wire

_AFTERWORD_S = 1.0
"""What may come after the finish reason, the usage, comes at once; so long is waited for it where the server stays connected."""
_AFTER_END_S = 0.25
"""The same once the end of the stream was announced and the usage is known: hardly anything comes."""
_MARK = b"\xef\xbb\xbf"
"""A byte order mark, which may stand before the first line."""
_HALVES = "\ud800", "\udbff"
"""The first halves of characters that JSON writes as two."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What one event says."""

    delta: ChatDelta | None = None
    """None where nothing of it is to be passed on."""
    is_alive: bool = False
    """It shows that the model is at work: text, thoughts, a part of a tool call."""
    is_end: bool = False
    """It ends the stream, whatever may follow."""
    error: ModelError | None = None
    """What is to be raised once the delta was passed on."""


Read = Callable[[bytes], Piece]
"""Reads the data of an event. Raises ModelError."""

NOTHING = Piece()
END = Piece(is_end=True)


class EventStream:
    """The answer of a response. The caller closes the response."""

    def __init__(self, wire: Wire, response: aiohttp.ClientResponse, *, call: Call, read: Read) -> None:
        self._wire = wire
        self._content_type = response.content_type
        self._reading = Reading(wire, response, call=call)
        self._call = call
        self._read = read
        self._waiting: deque[bytes] = deque()
        self._parts: list[bytes] = []
        """Of an event whose lines are still coming."""
        self._half = ""
        """Of a character that was cut in two."""
        self._has_begun = self._is_told = False

    async def deltas(self) -> AsyncGenerator[ChatDelta]:
        """Yield the pieces. Raises ModelError and DeadlineExceeded; at an end before the answer's, ModelInterrupted."""
        written = 0
        while (data := await self._data()) is not None:
            piece = self._read(data)
            delta = None if piece.delta is None else self._readable(piece.delta)
            if piece.is_alive:
                self._call.came()
            if delta is not None:
                written += (
                    len(delta.text) + len(delta.reasoning) + sum(len(call.arguments) for call in delta.tool_calls)
                )
                if written > self._call.most_bytes:
                    raise self._wire.over_limit(self._call.most_bytes)
                self._is_told = self._is_told or delta.usage is not None
                yield delta
            if piece.error is not None:
                raise piece.error
            if piece.is_end:
                is_over = delta is None and self._is_told
                async with aclosing(self._afterword(_AFTER_END_S if is_over else _AFTERWORD_S)) as afterword:
                    async for delta in afterword:
                        yield delta
                return
        if not self._has_begun:
            what = f"did not answer with an event stream but with {self._content_type}"
            raise ModelInterrupted(self._wire.says(what, "Look at what serves there"))
        raise ModelInterrupted(self._wire.says("ended its stream in mid-answer", "Ask again"))

    async def _data(self) -> bytes | None:
        """The data of the next event; None at the end of the stream."""
        while not self._waiting:
            lines = await self._reading.lines()
            if lines is None:
                if not self._parts:
                    return None
                lines = [b""]
            if not self._has_begun:
                lines[0] = lines[0].removeprefix(_MARK)
            for line in lines:
                self._take(line)
        return self._waiting.popleft()

    def _take(self, line: bytes) -> None:
        """Take in a line: a part of an event, or its end."""
        if line.startswith(b"data:"):
            self._has_begun = True
            data = line[5:].strip()
            if not self._parts and data.startswith(b"{") and data.count(b"{") == data.count(b"}"):
                self._waiting.append(data)
            elif data:
                self._parts.append(data)
        elif self._parts and not line.strip():
            self._waiting.append(b"\n".join(self._parts))
            self._parts = []

    def _readable(self, delta: ChatDelta) -> ChatDelta:
        """With whole characters: some servers cut one that JSON writes as two between two pieces."""
        if delta.text.isascii() and not (self._half and delta.text):
            return delta
        text, self._half = self._half + delta.text, ""
        if _HALVES[0] <= text[-1] <= _HALVES[1]:
            text, self._half = text[:-1], text[-1]
        return replace(delta, text=readable(text))

    async def _afterword(self, wait_s: float) -> AsyncGenerator[ChatDelta]:
        """What follows a complete answer: its usage, and the stream's end, so that the connection can be used again.

        Nothing that goes wrong here can harm the answer.
        """
        due = time.monotonic() + wait_s
        while True:
            try:
                async with asyncio.timeout(max(0.0, due - time.monotonic())):
                    data = await self._data()
                piece = self._read(data) if data is not None else None
            except (TimeoutError, ModelError, DeadlineExceeded):
                return
            if piece is None or piece.error is not None:
                return
            if piece.delta is not None and (piece.delta.usage is not None or piece.delta.text):
                self._is_told = self._is_told or piece.delta.usage is not None
                yield ChatDelta(self._readable(piece.delta).text, usage=piece.delta.usage)
            if piece.is_end and self._is_told:
                due = min(due, time.monotonic() + _AFTER_END_S)
