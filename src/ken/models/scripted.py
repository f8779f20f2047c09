"""The scripted model: a real ChatModel whose answers are written beforehand, for tests, demonstrations and dry runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence

from ken.domain.usage import Usage
from ken.errors import ModelError
from ken.models.chat import ChatDelta, ChatRequest

Script = Callable[[ChatRequest], Sequence[str | ModelError]]
"""The pieces of the answer to a request; an error among them is raised at its place."""


class ScriptedModel:
    """Answers by a script, one piece at a time, `pause_s` seconds apart; `requests` keeps what it was asked."""

    def __init__(self, name: str, script: Script, *, pause_s: float = 0.0) -> None:
        self._name = name
        self._script = script
        self._pause_s = pause_s
        self.requests: list[ChatRequest] = []

    @property
    def name(self) -> str:
        """As given."""
        return self._name

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatDelta]:
        """Yield the scripted pieces. Raises the scripted errors."""
        self.requests.append(request)
        words = 0
        for piece in self._script(request):
            await asyncio.sleep(self._pause_s)
            if isinstance(piece, ModelError):
                raise piece
            words += len(piece.split())
            yield ChatDelta(piece)
        asked = sum(len(message.content.split()) for message in request.messages)
        yield ChatDelta(finish_reason="stop", usage=Usage(asked, words, estimated=True))
