"""OpenAI's wire: chat completions, streamed and not, as its reference documents them.

Reasoning goes out as `reasoning_content`, as vLLM and others send it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from ken.mock.behaviour import Behaviour
from ken.mock.chat_wire import CREATED, Wish, event, wrong
from ken.mock.ledger import Entry
from ken.mock.wire_bodies import limit_of, member, messages_of, text_of, told_tool, tools_of
from ken.mock.writing import Answer, Asked, ToolCall

_FINISH = {"stop": "stop", "length": "length", "tools": "tool_calls"}
_ERROR_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
_SALT = "QwErTyUiOpAs"
"""Of OpenAI's `obfuscation`, which makes chunks of like length and no two of them alike."""
_DONE = b"data: [DONE]\n\n"
_FIRST_SERVER_STATUS = 500


def error_body(status: int, message: str) -> dict[str, object]:
    """An error answer."""
    kind = "server_error" if status >= _FIRST_SERVER_STATUS else _ERROR_TYPES.get(status, "invalid_request_error")
    code = "rate_limit_exceeded" if status == 429 else None  # noqa: PLR2004 - HTTP Too Many Requests
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


class OpenAIWire:
    """One chat completion."""

    def __init__(self, model: str, behaviour: Behaviour, *, body: dict[str, object]) -> None:
        """Read a request. Raises InvalidInput."""
        self._model = model
        self._behaviour = behaviour
        self._is_salted = member(body.get("stream_options"), "include_obfuscation") is not False
        self._chunks = 0
        self._has_logprobs = bool(body.get("logprobs"))
        self._states_usage = bool(member(body.get("stream_options"), "include_usage"))
        self.wish = Wish(_asked(body), streamed=bool(body.get("stream")))

    def whole(self, answer: Answer, entry: Entry) -> object:
        """The answer to a request that isn't streamed."""
        text = "".join(answer.pieces)
        message: dict[str, object] = {"role": "assistant", "content": text if not answer.calls else None}
        if answer.thoughts:
            message["reasoning_content"] = "".join(answer.thoughts)
        if answer.calls:
            message["tool_calls"] = [_call(call) for call in answer.calls]
        choice: dict[str, object] = {"index": 0, "message": message, "finish_reason": _FINISH[answer.finish]}
        if self._has_logprobs:
            choice["logprobs"] = _logprobs(answer.pieces)
        told: dict[str, object] = {
            "id": self._id(entry),
            "object": "chat.completion",
            "created": CREATED,
            "model": self._model,
            "choices": [choice],
        }
        return told if self._behaviour.usage == "none" else told | {"usage": self._usage(entry)}

    def opening(self, entry: Entry) -> bytes:
        """What comes before the first token."""
        return self._chunk(entry, {"role": "assistant", "content": ""})

    def thought(self, piece: str, entry: Entry) -> bytes:
        """A token of reasoning."""
        return self._chunk(entry, {"reasoning_content": piece})

    def token(self, piece: str, entry: Entry, *, is_last: bool) -> bytes:
        """A token of the answer."""
        return self._chunk(entry, {"content": piece}, is_last=is_last, logprobs=[piece] if self._has_logprobs else ())

    def call(self, place: int, call: ToolCall) -> bytes:
        """A call of a tool, in two parts as they stream: its name, then its arguments."""
        first = {"index": place, "id": call.id, "type": "function", "function": {"name": call.name, "arguments": ""}}
        second = {"index": place, "function": {"arguments": call.arguments}}
        return self._chunk(None, {"tool_calls": [first]}) + self._chunk(None, {"tool_calls": [second]})

    def ending(self, answer: Answer, entry: Entry) -> bytes:
        """What comes after the last token."""
        shape = self._behaviour.usage
        end = self._chunk(entry, {}, finish=_FINISH[answer.finish])
        nothing: list[object] = []
        usage = event(self._head(entry) | {"choices": nothing, "usage": self._usage(entry)})
        match shape:
            case "final" | "zero" | "wrong":
                return end + (usage if self._states_usage or shape != "final" else b"") + _DONE
            case "late":
                return end + _DONE + usage
            case _:
                return end + _DONE

    def failure(self, status: int, message: str) -> bytes:
        """An error in mid-stream."""
        return event(error_body(status, message))

    def failed(self, status: int, message: str) -> object:
        """An error answer."""
        return error_body(status, message)

    def _chunk(
        self,
        entry: Entry | None,
        delta: object,
        *,
        finish: str | None = None,
        is_last: bool = False,
        logprobs: Sequence[str] = (),
    ) -> bytes:
        choice: dict[str, object] = {"index": 0, "delta": delta, "finish_reason": finish}
        if logprobs:
            choice["logprobs"] = _logprobs(logprobs)
        told = self._head(entry) | {"choices": [choice]}
        if self._is_salted:
            self._chunks += 1
            told["obfuscation"] = _SALT[self._chunks % len(_SALT) :] + str(self._chunks)
        shape = self._behaviour.usage
        if entry is not None and (shape == "each" or (shape == "last" and is_last)):
            told["usage"] = self._usage(entry)
        return event(told)

    def _head(self, entry: Entry | None) -> dict[str, object]:
        return {
            "id": self._id(entry),
            "object": "chat.completion.chunk",
            "created": CREATED,
            "model": self._model,
        }

    @staticmethod
    def _id(entry: Entry | None) -> str:
        return f"chatcmpl-{entry.number if entry else 0}"

    def _usage(self, entry: Entry) -> object:
        asked, answered = wrong(self._behaviour) or (entry.input_tokens, entry.output_tokens)
        usage: dict[str, object] = {"prompt_tokens": asked, "completion_tokens": answered}
        if isinstance(asked, int) and isinstance(answered, int):
            usage["total_tokens"] = asked + answered
            usage["prompt_tokens_details"] = {"cached_tokens": entry.cached_tokens}
            usage["completion_tokens_details"] = {"reasoning_tokens": entry.reasoning_tokens}
        return usage


def _asked(body: dict[str, object]) -> Asked:
    messages = messages_of(body.get("messages"))
    tools = tools_of(member(tool, "function") for tool in cast("list[object]", body.get("tools") or []))
    choice = body.get("tool_choice")
    if name := member(member(choice, "function"), "name"):
        tools = [tool for tool in tools if tool[0] == name]
    form = body.get("response_format")
    schema: object = None
    if member(form, "type") == "json_schema":
        schema = member(member(form, "json_schema"), "schema")
    elif member(form, "type") == "json_object":
        schema = dict[str, object]()
    texts = [text_of(member(message, "content")) for message in messages]
    return Asked(
        texts=[*(text for text, _ in texts), *map(told_tool, tools)],
        images=sum(images for _, images in texts),
        begun=[text for message, (text, _) in zip(messages, texts, strict=True) if message["role"] == "assistant"],
        limit=limit_of(body, "max_completion_tokens", "max_tokens"),
        tools=[] if choice == "none" else tools,
        must_call=choice == "required" or isinstance(choice, dict),
        schema=schema,
    )


def _call(call: ToolCall) -> dict[str, object]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _logprobs(pieces: Sequence[str]) -> object:
    return {
        "content": [
            {"token": piece, "logprob": -0.125, "bytes": list(piece.encode()), "top_logprobs": []} for piece in pieces
        ],
        "refusal": None,
    }
