"""What the plain gateway answers in Anthropic's shape: the deltas of a model as a message, whole or as events.

The events are those of Anthropic's "Streaming Messages". Input is told in `message_start` as far as it is known by then,
and again, with the output, in `message_delta`, whose numbers are the sums.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import cast

from ken.domain.usage import Usage
from ken.errors import KenError
from ken.gateway.plain import Passed
from ken.models.chat import ChatDelta
from ken.service.errors import anthropic_body
from ken.service.event_stream import json_frame
from ken.service.plain_completion import Gathered, plain_field

STOP_REASONS = {
    "stop": "end_turn",
    "abstain": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
}


@dataclass(slots=True)
class PlainMessage:
    """The JSON of one message."""

    model: str
    """As it was asked for."""
    passed: Passed

    async def whole(self, deltas: AsyncGenerator[ChatDelta]) -> dict[str, object]:
        """A `message`."""
        gathered = Gathered()
        async with aclosing(deltas):
            async for delta in deltas:
                gathered.add(delta)
        content: list[dict[str, object]] = []
        if gathered.reasoning:
            content.append({"type": "thinking", "thinking": "".join(gathered.reasoning), "signature": ""})
        if text := gathered.content:
            content.append({"type": "text", "text": text})
        content.extend(
            {"type": "tool_use", "id": call.id, "name": call.name, "input": _input(call.arguments)}
            for call in gathered.calls.values()
        )
        return message_shape(
            self.passed.trace_id,
            self.model,
            content=content,
            stop_reason=_stop_reason(gathered.last),
            usage=self.passed.usage,
        ) | {"ken": plain_field(self.passed)}

    async def frames(self, deltas: AsyncGenerator[ChatDelta]) -> AsyncGenerator[bytes]:
        """`message_start`, content blocks, `message_delta`, `message_stop`.

        Nothing is yielded before the model has said something: until then an error still has an HTTP status.
        """
        blocks = Blocks()
        last: ChatDelta | None = None
        told = 0
        is_first = True
        async with aclosing(deltas):
            async for delta in deltas:
                if is_first:
                    is_first = False
                    yield opening(self.passed.trace_id, self.model, usage=delta.usage or Usage())
                if delta.carries:
                    new = self.passed.notices[told:]
                    told += len(new)
                    yield blocks.of(delta, ken={"notices": new} if new else None)
                if delta.finish_reason is not None:
                    last = delta
        if is_first:
            yield opening(self.passed.trace_id, self.model, usage=Usage())
        yield blocks.closed() + ending(_stop_reason(last), usage=self.passed.usage, ken=plain_field(self.passed))


class Blocks:
    """The content blocks of a stream: one is open at a time."""

    def __init__(self) -> None:
        self._number = -1
        self._open: object = None

    def of(self, delta: ChatDelta, *, ken: Mapping[str, object] | None = None) -> bytes:
        """The events of a delta; `ken` goes with the first piece."""
        frames: list[bytes] = []
        if delta.reasoning:
            frames.append(self._in("thinking", {"type": "thinking", "thinking": "", "signature": ""}))
            frames.append(self._delta({"type": "thinking_delta", "thinking": delta.reasoning}, ken))
        if delta.text:
            frames.append(self._in("text", {"type": "text", "text": ""}))
            frames.append(self._delta({"type": "text_delta", "text": delta.text}, None if frames[1:] else ken))
        for call in delta.tool_calls:
            empty: dict[str, object] = {}
            frames.append(self._in(call.index, {"type": "tool_use", "id": call.id, "name": call.name, "input": empty}))
            if call.arguments:
                frames.append(self._delta({"type": "input_json_delta", "partial_json": call.arguments}))
        return b"".join(frames)

    def closed(self) -> bytes:
        """The end of the block that is open, if one is."""
        if self._open is None:
            return b""
        self._open = None
        return json_frame({"type": "content_block_stop", "index": self._number}, "content_block_stop")

    def _in(self, kind: object, block: dict[str, object]) -> bytes:
        """What opens a block, where another one is open."""
        if self._open == kind:
            return b""
        closed = self.closed()
        self._open = kind
        self._number += 1
        started = {"type": "content_block_start", "index": self._number, "content_block": block}
        return closed + json_frame(started, "content_block_start")

    def _delta(self, delta: Mapping[str, object], ken: Mapping[str, object] | None = None) -> bytes:
        told: dict[str, object] = {"type": "content_block_delta", "index": self._number, "delta": delta}
        return json_frame(told if ken is None else told | {"ken": ken}, "content_block_delta")


def opening(trace_id: str, model: str, *, usage: Usage) -> bytes:
    """`message_start`."""
    nothing: list[dict[str, object]] = []
    message = message_shape(trace_id, model, content=nothing, stop_reason=None, usage=usage)
    return json_frame({"type": "message_start", "message": message}, "message_start")


def ending(stop_reason: str, *, usage: Usage, ken: Mapping[str, object]) -> bytes:
    """`message_delta` and `message_stop`."""
    delta = {"stop_reason": stop_reason, "stop_sequence": None}
    told = {"type": "message_delta", "delta": delta, "usage": usage_shape(usage), "ken": ken}
    return json_frame(told, "message_delta") + json_frame({"type": "message_stop"}, "message_stop")


def message_shape(
    trace_id: str, model: str, *, content: list[dict[str, object]], stop_reason: str | None, usage: Usage
) -> dict[str, object]:
    """Anthropic's message."""
    return {
        "id": f"msg_{trace_id}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": usage_shape(usage),
    }


def usage_shape(usage: Usage) -> dict[str, object]:
    """Anthropic's `usage`: what came from the prompt cache or went there is not part of the input but stands beside it."""
    return {
        "input_tokens": max(0, usage.input_tokens - usage.cache_read_tokens - usage.cache_write_tokens),
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "cache_read_input_tokens": usage.cache_read_tokens,
        "output_tokens": usage.output_tokens,
    }


def failed(error: KenError) -> bytes:
    """An error in mid-stream."""
    return json_frame(anthropic_body(error, None), "error")


def _stop_reason(last: ChatDelta | None) -> str:
    return STOP_REASONS[(last.finish_reason if last is not None else None) or "stop"]


def _input(arguments: str) -> dict[str, object]:
    """The arguments of a call; what is no JSON object, as an answer that was cut short isn't, is told as text."""
    try:
        told = cast("object", json.loads(arguments or "{}"))
    except ValueError:
        told = None
    return cast("dict[str, object]", told) if isinstance(told, dict) else {"_text": arguments}
