"""Any OpenAI-compatible chat endpoint (OpenAI, Azure, vLLM, Ollama, llama.cpp): wire mapping only.

The wire: OpenAI's "Create chat completion", with `stream: true` answered by server-sent events whose data are chunk
objects, closed by `[DONE]`. Azure has it at `.../openai/deployments/NAME?api-version=...` and at `.../openai/v1`, with the
key in the header `api-key`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from urllib.parse import urlsplit

import aiohttp

from ken.errors import ModelInterrupted
from ken.models.capabilities import Capabilities
from ken.models.chat import ChatDelta, ChatRequest
from ken.models.connections import Connections
from ken.models.endpoint import Endpoint
from ken.models.event_stream import END, NOTHING, EventStream, Piece, Read
from ken.models.openai_answer import Failed, NoCompletion, Places, read_json, read_piece, read_whole
from ken.models.openai_request import body
from ken.models.refusal import in_mid_stream
from ken.models.wire import Address, Call, Reading, Wire

__all__ = ["Endpoint", "OpenAIChat"]

_OPENAI = "api.openai.com"
"""It and Azure have no `top_k`, which all others take."""
_OPTIONAL = ("max_tokens", "temperature", "stream_options")
"""Parameters that some models refuse: they are then left out, the first under its newer name."""
_PATH = "/chat/completions"


class OpenAIChat:
    """A ChatModel behind an OpenAI-compatible endpoint. `connections` are shared where given, and then closed by their owner."""

    def __init__(self, name: str, endpoint: Endpoint, *, connections: Connections | None = None) -> None:
        self.name: str = name
        is_their_own = endpoint.is_azure or urlsplit(endpoint.base_url).hostname == _OPENAI
        self.capabilities: Capabilities = endpoint.capabilities.without(["top_k"] if is_their_own else [])
        self._endpoint = endpoint
        address = Address(
            what=f"The model {name!r}",
            base_url=endpoint.base_url,
            api_key=endpoint.api_key,
            key_header="api-key" if endpoint.is_azure else "Authorization",
            api_version=endpoint.api_version,
        )
        self._wire = Wire(address, endpoint.patience, connections=connections)
        self._refused: set[str] = set()
        """Of _OPTIONAL, what this model's server does not take."""

    async def aclose(self) -> None:
        """Close the connections."""
        await self._wire.aclose()

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatDelta]:
        """Yield the answer as it comes; in one piece where it isn't streamed. One attempt.

        Raises Unsupported (before the call), ModelUnavailable (no connection), ModelRefused (an error answer, also in
        mid-stream, or no end of it), ModelInterrupted (nothing in time, cut or stalled in mid-answer, or not understood),
        DeadlineExceeded.
        """
        self.capabilities.check(request, self.name)
        most = min(self._endpoint.max_tokens, request.max_tokens or self._endpoint.max_tokens)
        call = Call(self._wire, request.deadline, is_streamed=request.is_streamed, most_tokens=most)
        async with await self._sent(request, call) as response:
            if self._wire.is_streaming(response, is_asked=request.is_streamed):
                stream = EventStream(self._wire, response, call=call, read=self._read())
                async with aclosing(stream.deltas()) as deltas:
                    async for delta in deltas:
                        yield delta
            else:
                piece = await self._whole(response, call)
                if piece.delta is not None:
                    yield piece.delta
                if piece.error is not None:
                    raise piece.error

    async def _sent(self, request: ChatRequest, call: Call) -> aiohttp.ClientResponse:
        """The answer to the request, its head read; sent again without what the model refuses."""
        while True:
            response = await self._wire.post(_PATH, body(request, self._endpoint, refused=self._refused), call=call)
            told = await self._wire.refused(response)
            if told is None:
                return response
            if told.param not in _OPTIONAL or told.param in self._refused:
                raise self._wire.refusing(told)
            self._refused.add(told.param)

    async def _whole(self, response: aiohttp.ClientResponse, call: Call) -> Piece:
        data = await Reading(self._wire, response, call=call).whole()
        try:
            delta = read_whole(read_json(data))
        except (NoCompletion, Failed) as error:
            return self._wrong(error, f"an answer of {response.content_type}")
        if len(delta.written) > call.most_bytes:
            raise self._wire.over_limit(call.most_bytes)
        return Piece(delta)

    def _read(self) -> Read:
        """What reads the chunks of one stream."""
        last, places = b"", Places()

        def read(data: bytes) -> Piece:
            nonlocal last
            if data == b"[DONE]":
                return END
            try:
                delta, is_alive = read_piece(read_json(data), places)
            except (NoCompletion, Failed) as error:
                return self._wrong(error, "a chunk")
            # No two chunks are alike that count tokens or are salted: this one has been sent twice.
            if data == last and is_alive and (delta.usage is not None or b'"obfuscation"' in data):
                return NOTHING
            last = data
            says_something = delta.carries or delta.usage is not None or delta.finish_reason is not None
            return Piece(delta if says_something else None, is_alive=is_alive, is_end=delta.finish_reason is not None)

        return read

    def _wrong(self, error: NoCompletion | Failed, what: str) -> Piece:
        """What is made of an error, or of something else that is no piece of an answer."""
        if isinstance(error, Failed):
            used = None if error.usage is None else ChatDelta(usage=error.usage)
            return Piece(used, error=self._wire.failed_in_mid_answer(in_mid_stream(error.error)))
        told = self._wire.says(f"sent {what} that is not a chat completion", "Look at what serves there")
        return Piece(error=ModelInterrupted(told))
