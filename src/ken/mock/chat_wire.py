"""What a chat wire says, for the part that decides when it says it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Protocol

from ken.mock.behaviour import Behaviour
from ken.mock.ledger import Entry
from ken.mock.writing import Answer, Asked, ToolCall

CREATED = 1_750_000_000
"""Everything that the mock says is the same in each run, the time of writing too."""
MALFORMED = b'data: {"choices": [{"delta": {"content": "half a\n\n'


@dataclass(frozen=True, slots=True)
class Wish:
    """A chat request as far as both wires have it in common."""

    asked: Asked
    streamed: bool


class ChatWire(Protocol):
    """One chat request on one wire."""

    wish: Wish

    def whole(self, answer: Answer, entry: Entry) -> object:
        """The answer to a request that isn't streamed."""
        ...

    def opening(self, entry: Entry) -> bytes:
        """What comes before the first token."""
        ...

    def thought(self, piece: str, entry: Entry) -> bytes:
        """A token of reasoning."""
        ...

    def token(self, piece: str, entry: Entry, *, is_last: bool) -> bytes:
        """A token of the answer."""
        ...

    def call(self, place: int, call: ToolCall) -> bytes:
        """A call of a tool."""
        ...

    def ending(self, answer: Answer, entry: Entry) -> bytes:
        """What comes after the last token."""
        ...

    def failure(self, status: int, message: str) -> bytes:
        """An error in mid-stream."""
        ...

    def failed(self, status: int, message: str) -> object:
        """An error answer."""
        ...


def event(data: object, name: str | None = None) -> bytes:
    """A server-sent event (WHATWG HTML, section 9.2)."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


def wrong(behaviour: Behaviour) -> tuple[object, object] | None:
    """Input and output tokens as a server states them that counts wrong; None for one that counts right."""
    match behaviour.usage:
        case "zero":
            return 0, 0
        case "wrong":
            return -1, "many"
        case _:
            return None
