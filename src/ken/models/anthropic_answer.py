"""What Anthropic's messages endpoint answers: the events of a stream, and the whole message.

Input that came from the prompt cache or went there is not part of `input_tokens` but stands beside it. A stream tells its
input in `message_start` and its output, summed up, in `message_delta`.
"""

from __future__ import annotations

import json
from typing import cast

from ken.domain.usage import Usage
from ken.models.chat import ChatDelta, FinishReason, ToolCallPiece, readable
from ken.models.event_stream import END, NOTHING, Piece
from ken.models.openai_answer import NoCompletion, called, tokens
from ken.models.refusal import member

_FINISHED: dict[object, FinishReason] = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


class Events:
    """Reads the events of one stream, in their order."""

    def __init__(self) -> None:
        self._usage: dict[str, object] = {}
        """As told so far; later numbers replace earlier ones, but for a 0 as input: some servers fill in what they told before."""
        self._response = "", ""
        self._calls: dict[object, int] = {}
        """Of the content blocks that are tool calls: the place of each among them."""
        self._open: object = None

    def read(self, event: dict[str, object]) -> Piece:
        """What an event says. Raises NoCompletion."""
        try:
            return self._read(event)
        except (ValueError, AttributeError, TypeError, LookupError) as error:
            raise NoCompletion from error

    def _read(self, event: dict[str, object]) -> Piece:
        match event.get("type"):
            case "content_block_delta":
                return self._piece(event["index"], cast("dict[str, object]", event["delta"]))
            case "content_block_start":
                return self._started(event["index"], cast("dict[str, object]", event["content_block"]))
            case "message_start":
                return self._opened(event["message"])
            case "message_delta":
                return self._finished(event)
            case "message_stop":
                return END
            case str():
                return NOTHING  # ping, content_block_stop, and what may come to be
            case _:
                raise NoCompletion

    def _opened(self, message: object) -> Piece:
        if self._response[0]:
            raise NoCompletion  # a second beginning
        self._response = called(member(message, "id")) or "message", called(member(message, "model"))
        told = self._counted(member(message, "usage"), is_last=False)
        return NOTHING if told is None else Piece(self._delta(usage=told))

    def _started(self, index: object, block: dict[str, object]) -> Piece:
        if index == self._open:
            raise NoCompletion  # a second beginning
        self._open = index
        match block.get("type"):
            case "tool_use":
                self._calls[index] = len(self._calls)
                piece = ToolCallPiece(
                    index=self._calls[index], id=cast("str", block["id"]), name=cast("str", block["name"])
                )
                return Piece(self._delta(tool_calls=(piece,)), is_alive=True)
            case "text" if block.get("text"):
                return Piece(self._delta(_text(block["text"])), is_alive=True)
            case _:
                return NOTHING

    def _piece(self, index: object, delta: dict[str, object]) -> Piece:
        match delta.get("type"):
            case "text_delta":
                return Piece(self._delta(_text(delta["text"])), is_alive=True)
            case "thinking_delta":
                return Piece(self._delta(reasoning=_text(delta["thinking"])), is_alive=True)
            case "input_json_delta" if index in self._calls:
                piece = ToolCallPiece(index=self._calls[index], arguments=_text(delta["partial_json"]))
                return Piece(self._delta(tool_calls=(piece,)), is_alive=True)
            case _:
                return Piece(is_alive=True)  # signatures, citations

    def _finished(self, event: dict[str, object]) -> Piece:
        reason = member(event.get("delta"), "stop_reason")
        usage = self._counted(event.get("usage"), is_last=reason is not None)
        if reason is None:
            return Piece(self._delta(usage=usage) if usage is not None else None)
        return Piece(self._delta(usage=usage, finish_reason=_FINISHED.get(reason, "stop")), is_end=True)

    def _counted(self, told: object, *, is_last: bool) -> Usage | None:
        if isinstance(told, dict):
            numbers = cast("dict[str, object]", told).items()
            filled = self._usage.keys() - {"output_tokens"}
            self._usage |= {name: value for name, value in numbers if value or (value == 0 and name not in filled)}
        return read_usage(self._usage, is_last=is_last and isinstance(told, dict))

    def _delta(
        self,
        text: str = "",
        *,
        reasoning: str = "",
        tool_calls: tuple[ToolCallPiece, ...] = (),
        usage: Usage | None = None,
        finish_reason: FinishReason | None = None,
    ) -> ChatDelta:
        return ChatDelta(
            text,
            finish_reason=finish_reason,
            usage=usage,
            reasoning=reasoning,
            tool_calls=tool_calls,
            response_id=self._response[0],
            response_model=self._response[1],
        )


def read_whole(message: dict[str, object]) -> ChatDelta:
    """A whole answer in one piece. Raises NoCompletion."""
    try:
        blocks = cast("list[dict[str, object]]", message["content"])
        calls = [block for block in blocks if block["type"] == "tool_use"]
        return ChatDelta(
            readable("".join(_text(block["text"]) for block in blocks if block["type"] == "text")),
            finish_reason=_FINISHED.get(message.get("stop_reason"), "stop"),
            usage=read_usage(message.get("usage"), is_last=True),
            reasoning="".join(_text(block["thinking"]) for block in blocks if block["type"] == "thinking"),
            tool_calls=tuple(
                ToolCallPiece(
                    index=place,
                    id=_text(call["id"]),
                    name=_text(call["name"]),
                    arguments=json.dumps(call["input"], ensure_ascii=False),
                )
                for place, call in enumerate(calls)
            ),
            response_id=called(message.get("id")),
            response_model=called(message.get("model")),
        )
    except (ValueError, AttributeError, TypeError, LookupError) as error:
        raise NoCompletion from error


def read_usage(told: object, *, is_last: bool) -> Usage | None:
    """None where it isn't told in numbers. What is told before the answer's end says the input, and of the output too little."""
    asked, answered = tokens(told, "input_tokens"), tokens(told, "output_tokens")
    if asked is None or answered is None:
        return None
    read, written = tokens(told, "cache_read_input_tokens") or 0, tokens(told, "cache_creation_input_tokens") or 0
    thought = tokens(member(told, "output_tokens_details"), "thinking_tokens") or 0
    return Usage(
        asked + read + written,
        answered,
        estimated=not is_last,
        cache_read_tokens=read,
        cache_write_tokens=written,
        reasoning_tokens=min(answered, thought),
    )


def _text(content: object) -> str:
    if not isinstance(content, str):
        raise TypeError("it is text")
    return content
