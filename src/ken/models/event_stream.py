"""An answer that comes as server-sent events (WHATWG HTML, section 9.2), in whose data a provider puts its pieces.

Each `data:` line is taken as one event, as all such servers send it.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

import aiohttp

from ken.errors import DeadlineExceeded, ModelError, ModelInterrupted
from ken.models.chat import ChatDelta
from ken.models.wire import Call, Reading, Wire

_AFTERWORD_S = 1.0
"""What may come after the finish reason, the usage, comes at once; so long is waited for it where the server stays connected."""
_AFTER_END_S = 0.25
"""The same after the end of the stream was announced, where hardly anything comes."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What one event says."""

    delta: ChatDelta | None = None
    """None where nothing of it is to be passed on."""
    is_alive: bool = False
    """It shows that the model is at work: text, thoughts, a part of a tool call."""
    is_end: bool = False
    """It ends the stream, whatever may follow."""


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
        self._has_begun = False

    async def deltas(self) -> AsyncGenerator[ChatDelta]:
        """Yield the pieces. Raises ModelError and DeadlineExceeded; at an end before the answer's, ModelInterrupted."""
        written = 0
        while (data := await self._data()) is not None:
            piece = self._read(data)
            delta = piece.delta
            if piece.is_alive:
                self._call.came()
            if delta is not None:
                written += (
                    len(delta.text) + len(delta.reasoning) + sum(len(call.arguments) for call in delta.tool_calls)
                )
                if written > self._call.most_bytes:
                    raise self._wire.over_limit(self._call.most_bytes)
                yield delta
            if piece.is_end:
                async with aclosing(self._afterword(_AFTER_END_S if delta is None else _AFTERWORD_S)) as afterword:
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
                return None
            self._waiting.extend(line[5:].strip() for line in lines if line.startswith(b"data:"))
            self._has_begun = self._has_begun or bool(self._waiting)
        return self._waiting.popleft()

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
            if piece is None:
                return
            if piece.delta is not None and piece.delta.usage is not None:
                yield ChatDelta(usage=piece.delta.usage)
            if piece.is_end:
                due = min(due, time.monotonic() + _AFTER_END_S)
