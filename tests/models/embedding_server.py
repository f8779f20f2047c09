"""A real server on loopback that embeds and reranks: by words, so that what it gives means something."""

from __future__ import annotations

import asyncio
import base64
import re
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from aiohttp import web

Reply = Callable[[web.Request], Awaitable[web.StreamResponse]]


def vector_of(text: str, dimensions: int, seed: int) -> np.ndarray:
    """A vector of a text: each of its words points somewhere, the same words always to the same place."""
    total = np.zeros(dimensions)
    for word in re.findall(r"\w+", text.lower()):
        total += np.random.default_rng([seed, zlib.crc32(word.encode())]).standard_normal(dimensions)
    return total


@dataclass(slots=True)
class EmbeddingServer:
    """Answers as documented, until a test says otherwise; `bodies` and `headers` keep what was sent."""

    dimensions: int = 48
    seed: int = 0
    """Another one is another model."""
    is_base64: bool = True
    """Whether it knows `encoding_format`."""
    replies: list[Reply] = field(default_factory=list)
    """Taken one by one before the ordinary answer."""
    always: Reply | None = None
    """In place of the ordinary answer."""
    pause_s: float = 0.0
    holds: str = ""
    """A text with this in it is answered when `let_go` is set."""
    holding: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when such a text has come."""
    let_go: asyncio.Event = field(default_factory=asyncio.Event)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    url: str = ""
    _runner: web.AppRunner | None = None
    _port: int = 0

    async def start(self) -> None:
        """Listen, on the same port after a stop."""
        app = web.Application(client_max_size=1 << 24)
        app.router.add_post("/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True).start()
        self._port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self._port}/v1"

    async def stop(self) -> None:
        """End."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @property
    def texts(self) -> list[str]:
        """Every text that was sent to be embedded."""
        return [text for body in self.bodies for text in body.get("input", ())]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.paths.append(request.path_qs)
        self.headers.append(dict(request.headers))
        body = await request.json()
        self.bodies.append(body)
        await asyncio.sleep(self.pause_s)
        if self.holds and any(self.holds in text for text in body.get("input", ())):
            self.holding.set()
            await self.let_go.wait()
        if self.replies:
            return await self.replies.pop(0)(request)
        if self.always is not None:
            return await self.always(request)
        return web.json_response(scored(body) if request.path.endswith("/rerank") else self.embedded(body))

    def embedded(self, body: dict[str, Any]) -> dict[str, Any]:
        """The documented answer, its vectors not normalised and last first."""
        wanted = body.get("dimensions", self.dimensions)
        vectors = [vector_of(text, wanted, self.seed) for text in body["input"]]
        as_text = body.get("encoding_format") == "base64" and self.is_base64
        data = [
            {
                "object": "embedding",
                "index": index,
                "embedding": base64.b64encode(vector.astype("<f4").tobytes()).decode() if as_text else vector.tolist(),
            }
            for index, vector in enumerate(vectors)
        ]
        return {"object": "list", "data": data[::-1], "model": body["model"], "usage": {"prompt_tokens": 1}}


def scored(body: dict[str, Any]) -> dict[str, Any]:
    """The documented answer of a reranker: the later a document comes, the better it is."""
    count = len(body["documents"])
    return {"results": [{"index": index, "relevance_score": index / count} for index in reversed(range(count))]}


def answers(body: object, status: int = 200, **headers: str) -> Reply:
    """Answer with this: JSON, or bytes as they are."""

    async def reply(_: web.Request) -> web.Response:
        if isinstance(body, bytes):
            return web.Response(status=status, body=body, headers=headers)
        return web.json_response(body, status=status, headers=headers)

    return reply


def cuts_off() -> Reply:
    """Close the connection without an answer."""

    async def reply(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        await asyncio.sleep(0)
        return web.Response()

    return reply
