"""What the plain gateway answers in OpenAI's shape: the deltas of a model as a chat completion, whole or in chunks."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field

from ken.domain.usage import Usage
from ken.domain.wire import Json
from ken.gateway.plain import Passed
from ken.models.chat import ChatDelta, ToolCallPiece
from ken.service.event_stream import frame, json_frame

_REASONS = {"abstain": "stop"}


@dataclass(slots=True)
class PlainCompletion:
    """The JSON of one completion."""

    model: str
    """As it was asked for."""
    passed: Passed
    wants_usage: bool = False
    _created: int = field(default_factory=lambda: int(time.time()))
    _told: int = 0

    async def whole(self, deltas: AsyncGenerator[ChatDelta]) -> dict[str, object]:
        """A `chat.completion`."""
        gathered = Gathered()
        async with aclosing(deltas):
            async for delta in deltas:
                gathered.add(delta)
        message: dict[str, object] = {"role": "assistant", "content": gathered.content, "refusal": None}
        if gathered.reasoning:
            message["reasoning_content"] = "".join(gathered.reasoning)
        if gathered.calls:
            message["tool_calls"] = [_called(call) for call in gathered.calls.values()]
        choice = {
            "index": 0,
            "message": message,
            "finish_reason": _reason(gathered.last),
            "logprobs": {"content": gathered.logprobs} if gathered.logprobs else None,
        }
        return {
            **self._head("chat.completion"),
            "choices": [choice],
            "usage": self._usage(),
            "ken": plain_field(self.passed),
        }

    async def frames(self, deltas: AsyncGenerator[ChatDelta]) -> AsyncGenerator[bytes]:
        """`chat.completion.chunk`s: the role, what comes, the finish reason, and the usage when asked for.

        Nothing is yielded before the model has said something: until then an error still has an HTTP status.
        """
        last: ChatDelta | None = None
        is_first = True
        async with aclosing(deltas):
            async for delta in deltas:
                if is_first:
                    is_first = False
                    yield self._chunk({"role": "assistant", "content": ""})
                if piece := self._piece(delta):
                    yield piece
                if delta.finish_reason is not None:
                    last = delta
        yield self._chunk({}, reason=_reason(last), ken=plain_field(self.passed))
        if self.wants_usage:
            yield json_frame({**self._head("chat.completion.chunk"), "choices": list[object](), "usage": self._usage()})
        yield frame("[DONE]")

    def _piece(self, delta: ChatDelta) -> bytes | None:
        if not (delta.carries or delta.logprobs):
            return None
        piece: dict[str, object] = {}
        if delta.text:
            piece["content"] = delta.text
        if delta.reasoning:
            piece["reasoning_content"] = delta.reasoning
        if delta.tool_calls:
            piece["tool_calls"] = [_calling(call) for call in delta.tool_calls]
        new = self.passed.notices[self._told :]
        self._told += len(new)
        return self._chunk(piece, logprobs=delta.logprobs, ken={"notices": new} if new else None)

    def _chunk(
        self,
        delta: dict[str, object],
        *,
        reason: str | None = None,
        logprobs: Json = None,
        ken: Mapping[str, object] | None = None,
    ) -> bytes:
        choice = {
            "index": 0,
            "delta": delta,
            "finish_reason": reason,
            "logprobs": {"content": logprobs} if logprobs else None,
        }
        chunk = {**self._head("chat.completion.chunk"), "choices": [choice]}
        return json_frame(chunk if ken is None else {**chunk, "ken": ken})

    def _head(self, kind: str) -> dict[str, object]:
        return {
            "id": f"chatcmpl-{self.passed.trace_id}",
            "object": kind,
            "created": self._created,
            "model": self.model,
            "system_fingerprint": None,
        }

    def _usage(self) -> dict[str, object]:
        return usage_shape(self.passed.usage)


@dataclass(slots=True)
class Gathered:
    """The deltas of an answer, put together."""

    text: list[str] = field(default_factory=list[str])
    reasoning: list[str] = field(default_factory=list[str])
    calls: dict[int, ToolCallPiece] = field(default_factory=dict[int, ToolCallPiece])
    """Whole tool calls, by their index."""
    logprobs: list[Json] = field(default_factory=list[Json])
    last: ChatDelta | None = None
    """The delta with the finish reason."""

    @property
    def content(self) -> str | None:
        """The text; None where there are tool calls and no text, as OpenAI has it."""
        return "".join(self.text) or (None if self.calls else "")

    def add(self, delta: ChatDelta) -> None:
        """Take in the next delta."""
        self.text.append(delta.text)
        if delta.reasoning:
            self.reasoning.append(delta.reasoning)
        if isinstance(delta.logprobs, list):
            self.logprobs += delta.logprobs
        for call in delta.tool_calls:
            known = self.calls.get(call.index, ToolCallPiece(index=call.index))
            self.calls[call.index] = ToolCallPiece(
                index=call.index,
                id=known.id or call.id,
                name=known.name or call.name,
                arguments=known.arguments + call.arguments,
            )
        if delta.finish_reason is not None:
            self.last = delta


def plain_field(passed: Passed) -> dict[str, object]:
    """The `ken` field: what the client's own wire has no word for."""
    charges = passed.account.charges
    return {
        "trace_id": passed.trace_id,
        "model": charges[-1].model if charges else passed.model,
        "cost_micros": passed.account.cost_micros,
        "notices": passed.notices,
    }


def usage_shape(usage: Usage) -> dict[str, object]:
    """OpenAI's `usage`."""
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cache_read_tokens},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }


def _reason(last: ChatDelta | None) -> str:
    reason = last.finish_reason if last is not None else None
    return _REASONS.get(reason or "stop", reason or "stop")


def _called(call: ToolCallPiece) -> dict[str, object]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _calling(call: ToolCallPiece) -> dict[str, object]:
    function = {"arguments": call.arguments, **({"name": call.name} if call.name else {})}
    first = {"id": call.id, "type": "function"} if call.id else {}
    return {"index": call.index, **first, "function": function}
