"""A real server of a chat model on loopback that says what a test tells it to, byte by byte."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Reply = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Provider:
    """Answers each request by `reply`; `bodies` and `headers` keep what was sent."""

    reply: Reply | None = None
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    connections: set[object] = field(default_factory=set)
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)
    models: list[str] = field(default_factory=list)
    """What its list of models names."""
    looked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Where the list was asked for, and with which headers."""
    url: str = ""
    _runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen."""
        app = web.Application(client_max_size=1 << 24)
        app.router.add_post("/{path:.*}", self._answer)
        app.router.add_get("/{path:.*}/models", self._models)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"

    async def stop(self) -> None:
        """End."""
        assert self._runner is not None
        await self._runner.cleanup()

    async def _models(self, request: web.Request) -> web.Response:
        self.looked.append((request.path_qs, dict(request.headers)))
        return web.json_response({"object": "list", "data": [{"id": name, "object": "model"} for name in self.models]})

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.headers.append(dict(request.headers))
        self.paths.append(request.path_qs)
        self.connections.add(request.transport)
        self.bodies.append(await request.json())
        assert self.reply is not None
        try:
            return await self.reply(request)
        except (asyncio.CancelledError, ConnectionError):
            self.hung_up.set()
            raise


def streams(*pieces: bytes | float | str, content_type: str = "text/event-stream") -> Reply:
    """Send the pieces one by one: bytes as they are, numbers as pauses in seconds, `cut` and `reset` end the connection."""

    async def reply(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": content_type})
        await response.prepare(request)
        for piece in pieces:
            if isinstance(piece, bytes):
                await response.write(piece)
                await asyncio.sleep(0.002)  # so that each piece goes out in a packet of its own
            elif isinstance(piece, str):
                assert request.transport is not None
                (request.transport.abort if piece == "reset" else request.transport.close)()
            else:
                await asyncio.sleep(piece)
        return response

    return reply


def refuses(status: int, body: bytes | dict[str, Any], **headers: str) -> Reply:
    """Answer with an error."""

    async def reply(_: web.Request) -> web.Response:
        if isinstance(body, bytes):
            return web.Response(status=status, body=body, headers=headers)
        return web.json_response(body, status=status, headers=headers)

    return reply


def chunk(content: str | None = None, *, finish: str | None = None, **more: object) -> dict[str, Any]:
    """A chunk object as OpenAI's reference documents it."""
    delta = {} if content is None else {"content": content}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m-1",
        "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}],
        **more,
    }


def data(*objects: object, end: str = "\n\n") -> bytes:
    """The objects as server-sent events."""
    return "".join(f"data: {json.dumps(each, ensure_ascii=False)}{end}" for each in objects).encode()


ROLE = {**chunk(), "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]}
USAGE = {"prompt_tokens": 120, "completion_tokens": 7, "total_tokens": 127}
DONE = b"data: [DONE]\n\n"


def answers(text: str) -> Reply:
    """A whole answer in the documented form."""
    pieces = [data(chunk(text[at : at + 7])) for at in range(0, len(text), 7)]
    return streams(
        data(ROLE), *pieces, data(chunk(finish="stop")), data({**chunk(), "choices": [], "usage": USAGE}), DONE
    )
