"""A model behind an endpoint that takes one JSON object and answers with one: what embedders and rerankers share."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import cast

from ken.domain.deadline import Deadline
from ken.errors import ModelInterrupted
from ken.models.connections import Connections
from ken.models.wire import Address, Call, Patience, Reading, Wire

_CONNECT_S = 10.0
_MAX_BYTES = 64_000_000
"""2,000 vectors of 4,000 numbers in base64 are 43 MB."""
_FOR_EVER_S = 1e6
_REMEDIES = {
    400: "Look at what its model allows",
    413: "Lower `batch_size` or `max_tokens` of its table in ken.toml",
}


class JsonEndpoint:
    """Posts to one endpoint. One try takes at most `timeout_s` seconds."""

    def __init__(self, address: Address, timeout_s: float, *, connections: Connections | None = None) -> None:
        patience = Patience(
            connect_s=_CONNECT_S,
            first_token_s=timeout_s,
            stall_s=_FOR_EVER_S,
            completion_s=_FOR_EVER_S,
            max_answer_bytes=_MAX_BYTES,
        )
        self._timeout_s = timeout_s
        self._wire = Wire(address, patience, connections=connections)
        self.aclose = self._wire.aclose
        self.says = self._wire.says

    async def post(self, path: str, body: Mapping[str, object], *, deadline: Deadline) -> object:
        """The parsed answer. Raises ModelUnavailable, ModelInterrupted (not JSON, or none in time), ModelRefused."""
        call = Call(self._wire, Deadline.after(_FOR_EVER_S), is_streamed=False)
        try:
            async with asyncio.timeout(min(self._timeout_s, deadline.remaining)):
                response = await self._wire.post(path, body, call=call)
                told = await self._wire.refused(response)
                if told is not None:
                    raise self._wire.refusing(told, _REMEDIES)
                async with response:
                    data = await Reading(self._wire, response, call=call).whole()
        except TimeoutError as error:
            raise ModelInterrupted(
                self.says("sent nothing in time", "Try again, or raise `timeout_s` of its table")
            ) from error
        try:
            return cast("object", json.loads(data))
        except (ValueError, RecursionError) as error:
            raise ModelInterrupted(
                self.says(f"did not answer with JSON but with {response.content_type}", "Look at what serves there")
            ) from error
