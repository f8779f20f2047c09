"""What an OpenAI-compatible endpoint answers: chunk objects of a stream, and the whole completion.

The fields are those of OpenAI's "chat completion chunk object" and "chat completion object"; thoughts come as
`reasoning_content` (DeepSeek, llama.cpp, older vLLM) or `reasoning` (vLLM, Ollama, OpenRouter).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from ken.domain.usage import Usage
from ken.domain.wire import Json
from ken.models.chat import ChatDelta, FinishReason, ToolCallPiece, readable
from ken.models.refusal import member
from ken.text.normalise import printable

_FINISHED: dict[object, FinishReason] = {
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}
_NOTHING: dict[str, object] = {}
_MOST_TOKENS = 100_000_000
"""Of one call. No model reads or writes as many, and whoever says so doesn't count."""
_LONGEST_NAME = 200
_DECODER = json.JSONDecoder()
"""`json.loads` guesses the encoding of bytes and looks for blanks twice, which is half of its time for a chunk."""


class NoCompletion(Exception):
    """What came is no chat completion."""


class Failed(Exception):
    """An error stands in the place of a completion."""

    def __init__(self, error: object, usage: Usage | None = None) -> None:
        super().__init__()
        self.error = error
        self.usage = usage
        """What the call has used all the same, where that is told with it."""


def read_json(data: bytes) -> dict[str, object]:
    """A JSON object. Raises NoCompletion; Failed for one that is an error."""
    try:
        text = data.decode().lstrip("\ufeff").strip()
        told, end = _DECODER.raw_decode(text)
    except (ValueError, RecursionError) as error:
        raise NoCompletion from error
    if not isinstance(told, dict) or end != len(text):
        raise NoCompletion
    found = cast("dict[str, object]", told)
    if found.get("error"):
        raise Failed(found["error"], read_usage(found.get("usage")))
    return found


def read_piece(chunk: dict[str, object], places: Places) -> tuple[ChatDelta, bool]:
    """A piece of an answer, and whether the model shows with it that it is at work. Raises NoCompletion, Failed."""
    if "choices" not in chunk and "message" in chunk:
        raise Failed(chunk, read_usage(chunk.get("usage")))  # older vLLM, and events that are called `error`
    try:
        choice = _first(chunk.get("choices") or []) or _NOTHING
        piece = cast("dict[str, object]", choice.get("delta") or _NOTHING)
        delta = _delta(chunk, choice, piece, places=places)
        return delta, delta.carries or any(value for name, value in piece.items() if name != "role")
    except (ValueError, AttributeError, TypeError, LookupError) as error:
        raise NoCompletion from error


def read_whole(completion: dict[str, object]) -> ChatDelta:
    """A whole answer in one piece. Raises NoCompletion, Failed."""
    if "choices" not in completion and "message" in completion:
        raise Failed(completion, read_usage(completion.get("usage")))
    try:
        choice = _first(completion["choices"])
        if choice is None:
            raise NoCompletion
        choice = choice | {"finish_reason": choice.get("finish_reason") or "stop"}
        delta = _delta(completion, choice, choice["message"], places=Places())
        return replace(delta, text=readable(delta.text))
    except (ValueError, AttributeError, TypeError, LookupError) as error:
        raise NoCompletion from error


class Places:
    """The place of each tool call among those of one answer, however its server counts them.

    Most count by `index`. Some leave it out, write it as text, or give each whole call the index 0: then a new `id`, or a name without
    one, begins a new call, and what has neither belongs to the last.
    """

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._of: dict[object, int] = {}

    def of(self, index: object, *, call_id: str, name: str) -> int:
        """The place of the call that a piece belongs to."""
        index = int(index) if isinstance(index, str) and index.isdecimal() else index
        place = self._of.get(index) if index is not None else (len(self._ids) - 1 if self._ids else None)
        if index is None and call_id in self._ids and call_id:
            place = self._ids.index(call_id)
        is_other = place is not None and name and (call_id != self._ids[place] if call_id else index is None)
        if place is None or is_other:
            place = len(self._ids)
            self._ids.append(call_id)
        self._of[index] = place
        return place


def _first(choices: object) -> dict[str, object] | None:
    """The choice that was asked for; None where there is none, or others alone."""
    found = cast("list[dict[str, object]]", choices)
    return next((choice for choice in found if not choice.get("index")), None)


def _delta(told: dict[str, object], choice: dict[str, object], piece: object, *, places: Places) -> ChatDelta:
    """A delta of what is told of a choice."""
    pieces = cast("dict[str, object]", piece)
    reason, usage, logprobs = choice.get("finish_reason"), told.get("usage"), choice.get("logprobs")
    return ChatDelta(
        _text(pieces.get("content")) or _text(pieces.get("refusal")),
        finish_reason=_FINISHED.get(reason, "stop") if reason else None,
        usage=None if usage is None else read_usage(usage),
        reasoning=_text(pieces.get("reasoning_content") or pieces.get("reasoning")),
        tool_calls=_tool_calls(pieces["tool_calls"], places) if pieces.get("tool_calls") else (),
        logprobs=None if logprobs is None else cast("Json", member(logprobs, "content")),
        response_id=called(told.get("id")),
        response_model=called(told.get("model")),
    )


def _tool_calls(told: object, places: Places) -> tuple[ToolCallPiece, ...]:
    found: list[ToolCallPiece] = []
    for call in cast("Sequence[dict[str, object]]", told):
        function = call.get("function") or _NOTHING
        arguments, call_id, name = member(function, "arguments"), _text(call.get("id")), _text(member(function, "name"))
        found.append(
            ToolCallPiece(
                index=places.of(call.get("index"), call_id=call_id, name=name),
                id=call_id,
                name=name,
                arguments=json.dumps(arguments) if isinstance(arguments, dict) else _text(arguments),
            )
        )
    return tuple(found)


def read_usage(told: object) -> Usage | None:
    """None where the provider told none, or something else than two numbers: Ken then counts for itself."""
    asked, answered = tokens(told, "prompt_tokens"), tokens(told, "completion_tokens")
    if asked is None or answered is None:
        return None
    read = member(told, "prompt_tokens_details")
    written = member(told, "completion_tokens_details")
    cached = tokens(read, "cached_tokens") or tokens(told, "prompt_cache_hit_tokens") or 0
    thought = tokens(written, "reasoning_tokens") or 0
    if thought and tokens(told, "total_tokens") == asked + answered + thought:
        answered += thought  # xAI and Gemini count thoughts beside the answer, and bill them as one
    return Usage(
        asked,
        answered,
        cache_read_tokens=min(asked, cached),
        cache_write_tokens=min(asked, tokens(read, "cache_write_tokens") or 0),
        reasoning_tokens=min(answered, thought),
    )


def tokens(told: object, name: str) -> int | None:
    """A member that is a number of tokens; None where it can't be one."""
    number = member(told, name)
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    return number if type(number) is int and 0 <= number <= _MOST_TOKENS else None


def called(name: object) -> str:
    """What a server calls something, for the books."""
    return printable(name[:_LONGEST_NAME]) if isinstance(name, str) else ""


def _text(content: object) -> str:
    if isinstance(content, list):  # Mistral writes text in parts
        return "".join(_text(member(part, "text")) for part in cast("list[object]", content))
    if not isinstance(content, str | None):
        raise TypeError("it is text")
    return content or ""
