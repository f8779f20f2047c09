"""A chat model behind a real OpenAI-compatible server on loopback, with the manners of good and bad ones."""

from __future__ import annotations

import asyncio
import json

from aiohttp import web

from tests.service.corpus import OPENING

STEADY = [OPENING, " [1]", " On Saturdays it opens", " at 09:00. [1]"]
MODELS = ("steady", "stuck", "broken")


class Endpoint:
    """`steady` answers; `stuck` says a sentence and then nothing more; `broken` drops the connection after one."""

    def __init__(self) -> None:
        self.hung_up = asyncio.Event()
        """Set when Ken has hung up on `stuck`."""
        self._runner: web.AppRunner | None = None

    async def start(self) -> str:
        """Listen; the base URL."""
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._complete)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"

    async def stop(self) -> None:
        """End."""
        assert self._runner is not None
        await self._runner.cleanup()

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        manner = asked["model"]
        try:
            for piece in STEADY if manner == "steady" else [*STEADY[:2], " On"]:
                await _send(response, {"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]})
                await asyncio.sleep(0.02)
            if manner == "stuck":
                await asyncio.sleep(30)
        except (asyncio.CancelledError, ConnectionError):
            self.hung_up.set()
            raise
        if manner == "broken":
            assert request.transport is not None
            request.transport.close()
        else:
            await _send(response, {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
            await _send(response, {"choices": [], "usage": {"prompt_tokens": 200, "completion_tokens": 20}})
            await response.write(b"data: [DONE]\n\n")
        return response


async def _send(response: web.StreamResponse, data: object) -> None:
    await response.write(f"data: {json.dumps(data)}\n\n".encode())
