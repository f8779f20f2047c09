"""What every test of a provider asks."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from ken.domain.answer import Image, Message, ToolCall
from ken.domain.deadline import Deadline
from ken.domain.usage import Usage
from ken.errors import DeadlineExceeded, ModelError
from ken.models.chat import ChatDelta, ChatOptions, ChatRequest, Tool, ToolCallPiece
from ken.models.connections import Connections
from ken.models.protocols import ChatModel
from tests.models.provider import Provider

KEY = "sk-planted-0123456789abcdef"
PIXEL = "iVBORw0KGgo="
SCHEMA = {
    "type": "object",
    "properties": {"berth": {"type": "string"}},
    "required": ["berth"],
    "additionalProperties": False,
}
TOOL = Tool(name="tide", description="High water at a place", parameters=SCHEMA)
HISTORY = (
    Message("system", "Answer in one word."),
    Message("user", "When is high water here, and there?"),
    Message(
        "assistant",
        "",
        tool_calls=(
            ToolCall(id="c1", name="tide", arguments='{"berth": "north"}'),
            ToolCall(id="c2", name="tide", arguments='{"berth": "south"}'),
        ),
    ),
    Message("tool", "06:40", tool_call_id="c1"),
    Message("tool", "07:15", tool_call_id="c2"),
    Message(
        "user", "And in this picture?", parts=("And in this picture?", Image(f"data:image/png;base64,{PIXEL}", "low"))
    ),
)


@dataclass(slots=True)
class Server(Provider):
    """A server, and the connections that its test calls it over."""

    pool: Connections = field(default_factory=Connections)


@asynccontextmanager
async def serving() -> AsyncGenerator[Server]:
    """A server that listens."""
    server = Server()
    await server.start()
    yield server
    await server.pool.aclose()
    await server.stop()


def request(
    *messages: Message,
    deadline_s: float = 20,
    **more: Any,  # noqa: ANN401 - the request's own
) -> ChatRequest:
    """A request with a system message, a turn of history and a question, unless messages are given."""
    standard = (
        Message("system", "Passages: [1] Häfen 👋"),
        Message("user", "And before?"),
        Message("assistant", "Nothing."),
        Message("user", "When?"),
    )
    asked = ChatRequest(
        messages=messages or standard, question="When?", evidence=(), deadline=Deadline.after(deadline_s)
    )
    return replace(asked, **more)


def optional(**options: Any) -> ChatRequest:  # noqa: ANN401 - the options' own
    """The standard request with these options."""
    return request(options=ChatOptions(**options))


async def ask(model: ChatModel, asked: ChatRequest | None = None) -> list[ChatDelta]:
    """Every delta of an answer."""
    async with aclosing(model.stream(asked or request())) as deltas:
        return [delta async for delta in deltas]


def text_of(deltas: list[ChatDelta]) -> str:
    """What was written."""
    return "".join(delta.text for delta in deltas)


def thoughts_of(deltas: list[ChatDelta]) -> str:
    """What was thought."""
    return "".join(delta.reasoning for delta in deltas)


def usage_of(deltas: list[ChatDelta]) -> Usage | None:
    """The last word on it."""
    return next((delta.usage for delta in reversed(deltas) if delta.usage), None)


def calls_of(deltas: list[ChatDelta]) -> list[tuple[str, str, str]]:
    """Id, name and arguments of each tool call, put together."""
    pieces: dict[int, list[ToolCallPiece]] = {}
    for delta in deltas:
        for piece in delta.tool_calls:
            pieces.setdefault(piece.index, []).append(piece)
    return [
        (
            "".join(piece.id for piece in of_call),
            "".join(piece.name for piece in of_call),
            "".join(piece.arguments for piece in of_call),
        )
        for _, of_call in sorted(pieces.items())
    ]


async def failure(model: ChatModel, asked: ChatRequest | None = None) -> tuple[ModelError | DeadlineExceeded, str]:
    """The error that an answer ends in, and what was said before; the error names the model, and never the key."""
    said: list[str] = []

    async def listen() -> None:
        async with aclosing(model.stream(asked or request())) as deltas:
            async for delta in deltas:
                said.append(delta.text)  # noqa: PERF401 - what was said before the failure is looked at, too

    with pytest.raises((ModelError, DeadlineExceeded)) as raised:
        await listen()
    message = str(raised.value)
    assert KEY not in message
    assert "\n" not in message
    if isinstance(raised.value, ModelError):
        assert message.startswith(
            (f"The model {model.name!r} at http://127.0.0.1:", f"The model {model.name!r} at https://")
        )
        assert message.rstrip(".").count(". ") >= 1, f"no remedy: {message}"
    return raised.value, "".join(said)
