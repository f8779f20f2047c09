"""What an OpenAI-compatible endpoint answers: chunk objects of a stream, and the whole completion.

The fields are those of OpenAI's "chat completion chunk object" and "chat completion object"; thoughts come as
`reasoning_content` (DeepSeek, llama.cpp, older vLLM) or `reasoning` (vLLM, Ollama, OpenRouter).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import cast

from ken.domain.usage import Usage
from ken.domain.wire import Json
from ken.models.chat import ChatDelta, FinishReason, ToolCallPiece
from ken.models.refusal import member

_FINISHED: dict[object, FinishReason] = {
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}
_NOTHING: dict[str, object] = {}
_DECODER = json.JSONDecoder()
"""`json.loads` guesses the encoding of bytes and looks for blanks twice, which is half of its time for a chunk."""


class NoCompletion(Exception):
    """What came is no chat completion."""


class Failed(Exception):
    """An error stands in the place of a completion."""

    def __init__(self, error: object) -> None:
        super().__init__()
        self.error = error


def read_json(data: bytes) -> dict[str, object]:
    """A JSON object. Raises NoCompletion; Failed for one that is an error."""
    try:
        text = data.decode().strip()
        told, end = _DECODER.raw_decode(text)
    except ValueError as error:
        raise NoCompletion from error
    if not isinstance(told, dict) or end != len(text):
        raise NoCompletion
    found = cast("dict[str, object]", told)
    if found.get("error"):
        raise Failed(found["error"])
    return found


def read_piece(chunk: dict[str, object]) -> tuple[ChatDelta, bool]:
    """A piece of an answer, and whether the model shows with it that it is at work. Raises NoCompletion."""
    try:
        choices = cast("list[dict[str, object]]", chunk.get("choices") or [])
        choice = choices[0] if choices else _NOTHING
        piece = cast("dict[str, object]", choice.get("delta") or _NOTHING)
        delta = _delta(chunk, choice, piece)
        return delta, delta.carries or any(value for name, value in piece.items() if name != "role")
    except (ValueError, AttributeError, TypeError, LookupError) as error:
        raise NoCompletion from error


def read_whole(completion: dict[str, object]) -> ChatDelta:
    """A whole answer in one piece. Raises NoCompletion."""
    try:
        choice = cast("list[dict[str, object]]", completion["choices"])[0]
        return _delta(completion, choice | {"finish_reason": choice.get("finish_reason") or "stop"}, choice["message"])
    except (ValueError, AttributeError, TypeError, LookupError) as error:
        raise NoCompletion from error


def _delta(told: dict[str, object], choice: dict[str, object], piece: object) -> ChatDelta:
    """A delta of what is told of a choice."""
    pieces = cast("dict[str, object]", piece)
    reason, usage, logprobs = choice.get("finish_reason"), told.get("usage"), choice.get("logprobs")
    return ChatDelta(
        _text(pieces.get("content")) or _text(pieces.get("refusal")),
        finish_reason=None if reason is None else _FINISHED.get(reason, "stop"),
        usage=None if usage is None else read_usage(usage),
        reasoning=_text(pieces.get("reasoning_content") or pieces.get("reasoning")),
        tool_calls=_tool_calls(pieces["tool_calls"]) if pieces.get("tool_calls") else (),
        logprobs=None if logprobs is None else cast("Json", member(logprobs, "content")),
        response_id=str(told.get("id") or ""),
        response_model=str(told.get("model") or ""),
    )


def _tool_calls(told: object) -> tuple[ToolCallPiece, ...]:
    found: list[ToolCallPiece] = []
    for place, call in enumerate(cast("Sequence[dict[str, object]]", told)):
        function = call.get("function") or _NOTHING
        index, arguments = call.get("index"), member(function, "arguments")
        found.append(
            ToolCallPiece(
                index=index if isinstance(index, int) else place,
                id=_text(call.get("id")),
                name=_text(member(function, "name")),
                arguments=json.dumps(arguments) if isinstance(arguments, dict) else _text(arguments),
            )
        )
    return tuple(found)


def read_usage(told: object) -> Usage | None:
    """None where the provider told none, or something else than two numbers: Ken then counts for itself."""
    asked, answered = _tokens(told, "prompt_tokens"), _tokens(told, "completion_tokens")
    if asked is None or answered is None:
        return None
    read = member(told, "prompt_tokens_details")
    written = member(told, "completion_tokens_details")
    cached = _tokens(read, "cached_tokens") or _tokens(told, "prompt_cache_hit_tokens") or 0
    return Usage(
        asked,
        answered,
        cache_read_tokens=min(asked, cached),
        cache_write_tokens=min(asked, _tokens(read, "cache_write_tokens") or 0),
        reasoning_tokens=min(answered, _tokens(written, "reasoning_tokens") or 0),
    )


def _tokens(told: object, name: str) -> int | None:
    number = member(told, name)
    return number if isinstance(number, int) and number >= 0 else None


def _text(content: object) -> str:
    if not isinstance(content, str | None):
        raise TypeError("it is text")
    return content or ""
