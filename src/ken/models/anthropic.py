"""Anthropic's messages endpoint: wire mapping only.

The wire: "Create a Message" (`POST /v1/messages`, the key in `x-api-key`, the version of the interface in
`anthropic-version`), with `stream: true` answered by server-sent events, from `message_start` to `message_stop`.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing

import aiohttp

from ken.errors import ModelError, ModelInterrupted
from ken.models.anthropic_answer import Events, read_whole
from ken.models.anthropic_request import body
from ken.models.capabilities import Capabilities
from ken.models.chat import ChatDelta, ChatRequest
from ken.models.connections import Connections
from ken.models.endpoint import Endpoint
from ken.models.event_stream import EventStream, Piece, Read
from ken.models.openai_answer import Failed, NoCompletion, read_json
from ken.models.refusal import in_mid_stream
from ken.models.wire import Address, Call, Reading, Wire

ANTHROPIC = Capabilities().without(["json_object", "logprobs", "seed", "penalties", "logit_bias"])
"""What the messages interface has."""

_VERSION = "2023-06-01"
_PATH = "/messages"
_MALFORMED = 400
_OPTIONAL = re.compile(r"\btemperature\b")
"""Newer models refuse it, in words alone: it is then left out."""


class AnthropicChat:
    """A ChatModel behind Anthropic's interface. `connections` are shared where given, and then closed by their owner."""

    def __init__(self, name: str, endpoint: Endpoint, *, connections: Connections | None = None) -> None:
        self.name: str = name
        self.capabilities: Capabilities = Capabilities(endpoint.capabilities.features & ANTHROPIC.features)
        self._endpoint = endpoint
        address = Address(
            what=f"The model {name!r}",
            base_url=endpoint.base_url,
            api_key=endpoint.api_key,
            key_header="x-api-key",
            headers={"anthropic-version": _VERSION},
        )
        self._wire = Wire(address, endpoint.patience, connections=connections)
        self._refused: set[str] = set()
        """Of what is optional, what this model doesn't take."""

    async def aclose(self) -> None:
        """Close the connections."""
        await self._wire.aclose()

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatDelta]:
        """Yield the answer as it comes; in one piece where it isn't streamed. One attempt.

        The first usage of a stream is marked as an estimate: its input is the provider's number, its output isn't all.
        Raises Unsupported and InvalidInput (before the call), ModelUnavailable, ModelRefused (also in mid-stream),
        ModelInterrupted, DeadlineExceeded.
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
                yield await self._whole(response, call)

    async def _sent(self, request: ChatRequest, call: Call) -> aiohttp.ClientResponse:
        """The answer to the request, its head read; sent again without what the model refuses."""
        while True:
            sent = body(request, self._endpoint, refused=self._refused)
            response = await self._wire.post(_PATH, sent, call=call)
            told = await self._wire.refused(response)
            if told is None:
                return response
            if told.status != _MALFORMED or "temperature" not in sent or not _OPTIONAL.search(told.words):
                raise self._wire.refusing(told)
            self._refused.add("temperature")

    async def _whole(self, response: aiohttp.ClientResponse, call: Call) -> ChatDelta:
        data = await Reading(self._wire, response, call=call).whole()
        try:
            delta = read_whole(read_json(data))
        except (NoCompletion, Failed) as error:
            raise self._not_understood(error, f"an answer of {response.content_type}") from error
        if len(delta.written) > call.most_bytes:
            raise self._wire.over_limit(call.most_bytes)
        return delta

    def _read(self) -> Read:
        """What reads the events of one stream."""
        events = Events()

        def read(data: bytes) -> Piece:
            try:
                return events.read(read_json(data))
            except (NoCompletion, Failed) as error:
                raise self._not_understood(error, "an event") from error

        return read

    def _not_understood(self, error: NoCompletion | Failed, what: str) -> ModelError:
        if isinstance(error, Failed):
            return self._wire.failed_in_mid_answer(in_mid_stream(error.error))
        return ModelInterrupted(
            self._wire.says(f"sent {what} that is no message of Anthropic's", "Look at what serves there")
        )
