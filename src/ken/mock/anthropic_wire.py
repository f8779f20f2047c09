"""Anthropic's wire: messages, streamed and not, as its reference documents them.

Its `input_tokens` leave out what came from the prompt cache or went there; those have numbers of their own. A stream
states the input in `message_start` and the output in `message_delta`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast

from ken.errors import InvalidInput
from ken.mock.behaviour import Behaviour
from ken.mock.chat_wire import Wish, event, wrong
from ken.mock.ledger import Entry
from ken.mock.wire_bodies import limit_of, member, messages_of, text_of, told_tool, tools_of
from ken.mock.writing import Answer, Asked, ToolCall

_FINISH = {"stop": "end_turn", "length": "max_tokens", "tools": "tool_use"}
_ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}
_SIGNATURE = "mock-signature"


def error_body(status: int, message: str) -> dict[str, object]:
    """An error answer."""
    return {"type": "error", "error": {"type": _ERROR_TYPES.get(status, "api_error"), "message": message}}


class AnthropicWire:
    """One message."""

    def __init__(self, model: str, behaviour: Behaviour, *, body: dict[str, object]) -> None:
        """Read a request. Raises InvalidInput."""
        self._model = model
        self._behaviour = behaviour
        self.wish = Wish(_asked(body), streamed=bool(body.get("stream")))
        self._block: tuple[int, str] | None = None
        """Number and kind of the content block that is open."""

    def whole(self, answer: Answer, entry: Entry) -> object:
        """The answer to a request that isn't streamed."""
        content: list[object] = []
        if answer.thoughts:
            content.append({"type": "thinking", "thinking": "".join(answer.thoughts), "signature": _SIGNATURE})
        if answer.pieces:
            content.append({"type": "text", "text": "".join(answer.pieces)})
        content += [_call(call) | {"input": json.loads(call.arguments)} for call in answer.calls]
        told = self._message(entry) | {"content": content, "stop_reason": _FINISH[answer.finish]}
        return told if self._behaviour.usage == "none" else told | {"usage": self._input(entry) | self._output(entry)}

    def opening(self, entry: Entry) -> bytes:
        """What comes before the first token."""
        message = self._message(entry)
        if self._behaviour.usage != "none":
            message["usage"] = self._input(entry) | {"output_tokens": 1}
        return event({"type": "message_start", "message": message}, "message_start") + event({"type": "ping"}, "ping")

    def thought(self, piece: str, entry: Entry) -> bytes:
        """A token of reasoning."""
        del entry
        return self._in("thinking", {"thinking": ""}) + self._delta({"type": "thinking_delta", "thinking": piece})

    def token(self, piece: str, entry: Entry, *, is_last: bool) -> bytes:
        """A token of the answer."""
        del entry, is_last
        return self._in("text", {"text": ""}) + self._delta({"type": "text_delta", "text": piece})

    def call(self, place: int, call: ToolCall) -> bytes:
        """A call of a tool."""
        kind = f"tool_use {place}"
        delta = {"type": "input_json_delta", "partial_json": call.arguments}
        return self._in(kind, _call(call)) + self._delta(delta)

    def ending(self, answer: Answer, entry: Entry) -> bytes:
        """What comes after the last token."""
        delta: dict[str, object] = {
            "type": "message_delta",
            "delta": {"stop_reason": _FINISH[answer.finish], "stop_sequence": None},
        }
        if self._behaviour.usage != "none":
            delta["usage"] = self._output(entry)
        return self._closed() + event(delta, "message_delta") + event({"type": "message_stop"}, "message_stop")

    def failure(self, status: int, message: str) -> bytes:
        """An error in mid-stream."""
        return event(error_body(status, message), "error")

    def failed(self, status: int, message: str) -> object:
        """An error answer."""
        return error_body(status, message)

    def _message(self, entry: Entry) -> dict[str, object]:
        return {
            "id": f"msg_{entry.number}",
            "type": "message",
            "role": "assistant",
            "model": self._model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
        }

    def _in(self, kind: str, fields: dict[str, object]) -> bytes:
        """What opens a content block of that kind, where another one is open."""
        if self._block is not None and self._block[1] == kind:
            return b""
        closed = self._closed()
        number = 0 if self._block is None else self._block[0] + 1
        self._block = number, kind
        block = {"type": kind.split(maxsplit=1)[0]} | fields
        return closed + event(
            {"type": "content_block_start", "index": number, "content_block": block}, "content_block_start"
        )

    def _closed(self) -> bytes:
        if self._block is None:
            return b""
        number, kind = self._block
        signed = self._delta({"type": "signature_delta", "signature": _SIGNATURE}) if kind == "thinking" else b""
        return signed + event({"type": "content_block_stop", "index": number}, "content_block_stop")

    def _delta(self, delta: Mapping[str, object]) -> bytes:
        number = self._block[0] if self._block else 0
        return event({"type": "content_block_delta", "index": number, "delta": delta}, "content_block_delta")

    def _input(self, entry: Entry) -> dict[str, object]:
        if stated := wrong(self._behaviour):
            return {"input_tokens": stated[0]}
        return {
            "input_tokens": entry.input_tokens - entry.cached_tokens - entry.written_tokens,
            "cache_read_input_tokens": entry.cached_tokens,
            "cache_creation_input_tokens": entry.written_tokens,
        }

    def _output(self, entry: Entry) -> dict[str, object]:
        stated = wrong(self._behaviour)
        return {"output_tokens": stated[1] if stated else entry.output_tokens}


def _asked(body: dict[str, object]) -> Asked:
    messages = messages_of(body.get("messages"))
    if any(message["role"] not in {"user", "assistant"} for message in messages):
        raise InvalidInput(
            "A message's role is `user` or `assistant`; `system` stands beside `messages`.", param="messages"
        )
    limit = limit_of(body, "max_tokens")
    if limit is None:
        raise InvalidInput("`max_tokens` is missing.", param="max_tokens")
    tools = tools_of(cast("list[object]", body.get("tools") or []))
    choice = body.get("tool_choice")
    if name := member(choice, "name"):
        tools = [tool for tool in tools if tool[0] == name]
    texts = [text_of(member(message, "content")) for message in messages]
    system, _ = text_of(body.get("system"))
    return Asked(
        texts=[*([system] if system else []), *(text for text, _ in texts), *map(told_tool, tools)],
        images=sum(images for _, images in texts),
        begun=[text for message, (text, _) in zip(messages, texts, strict=True) if message["role"] == "assistant"],
        limit=limit,
        tools=[] if member(choice, "type") == "none" else tools,
        must_call=member(choice, "type") in {"any", "tool"},
        schema=member(member(body.get("output_config"), "format"), "schema"),
    )


def _call(call: ToolCall) -> dict[str, object]:
    return {"type": "tool_use", "id": call.id, "name": call.name, "input": {}}
