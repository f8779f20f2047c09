"""Server-sent events, and the end of work that nobody waits for any more."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import aclosing
from typing import TypeVar, cast

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ken.errors import KenError
from ken.service.unforeseen import told

T = TypeVar("T")

_ENCODER = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"))
KEEP_ALIVE_S = 15.0
"""A comment goes out after so long a silence: proxies tend to cut at 30 to 60 seconds."""


def frame(data: str, event: str | None = None) -> bytes:
    """One event (HTML living standard, section 9.2.6); `data` must be one line."""
    name = f"event: {event}\n" if event else ""
    return f"{name}data: {data}\n\n".encode()


def json_frame(data: object, event: str | None = None) -> bytes:
    """One event whose data is JSON on one line."""
    name = f"event: {event}\n".encode() if event else b""
    return b"%bdata: %b\n\n" % (name, json_bytes(data))


def json_bytes(data: object) -> bytes:
    """JSON on one line. A lone surrogate, which a model may well write and UTF-8 doesn't know, becomes a question mark."""
    return _ENCODER.encode(data).encode("utf-8", "replace")


class EventStream(Response):
    """Sends frames as they come, comments while none come, and closes the generator at once when the client hangs up.

    The generator runs in one task from its first frame to its end, and is closed in that task: what it holds open (an answer
    in the making) sees either its own end, a cancellation, or GeneratorExit.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        frames: AsyncGenerator[bytes],
        *,
        failed: Callable[[KenError], bytes],
        keep_alive_s: float = KEEP_ALIVE_S,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(headers={"cache-control": "no-store", "x-accel-buffering": "no", **(headers or {})})
        del self.headers["content-length"]
        self._frames = frames
        self._failed = failed
        self._keep_alive_s = keep_alive_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response."""
        await until_hang_up(receive, self._send_all(scope, send))

    async def _send_all(self, scope: Scope, send: Send) -> None:
        async with aclosing(self._frames):
            first = await anext(self._frames)
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            pulse = asyncio.create_task(self._pulse(send))
            try:
                await _send_frame(first, send)
                async for each in self._frames:
                    await _send_frame(each, send)
            except Exception as error:  # noqa: BLE001 - the status is out: whatever it is, the client hears of it here
                await _send_frame(self._failed(told(error, scope)), send)
            finally:
                await _cancel(pulse)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _pulse(self, send: Send) -> None:
        while True:
            await asyncio.sleep(self._keep_alive_s)
            await _send_frame(b": still here\n\n", send)


async def _send_frame(data: bytes, send: Send) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": True})


async def until_hang_up(receive: Receive, work: Coroutine[None, None, T]) -> T | None:
    """Do the work, in this task; cancel it, and return None, when the client hangs up before it is done."""
    task = cast("asyncio.Task[object]", asyncio.current_task())
    has_hung_up = False

    async def watch() -> None:
        nonlocal has_hung_up
        await _hung_up(receive)
        has_hung_up = True
        task.cancel()

    watching = asyncio.create_task(watch())
    try:
        return await work
    except asyncio.CancelledError:
        # Whoever else has cancelled this task has to see it end so.
        if has_hung_up and task.uncancel() == 0:
            return None
        raise
    finally:
        watching.cancel()


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _cancel(task: asyncio.Task[T]) -> None:
    """Cancel and wait for the end; a finished task is left as it is."""
    if not task.done():
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
