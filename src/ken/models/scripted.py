"""The scripted model: a real ChatModel whose answers are written beforehand, for tests, demonstrations and dry runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence

from ken.domain.usage import Usage
from ken.errors import ModelError
from ken.models.capabilities import Capabilities
from ken.models.chat import ChatDelta, ChatRequest

Script = Callable[[ChatRequest], Sequence[str | ChatDelta | ModelError]]
"""The pieces of the answer to a request; an error among them is raised at its place."""


class ScriptedModel:
    """Answers by a script, one piece at a time, `pause_s` seconds apart; `requests` keeps what it was asked.

    What a script can say, it can be asked for: `capabilities` says so where it shall lack something.
    """

    def __init__(
        self, name: str, script: Script, *, pause_s: float = 0.0, capabilities: Capabilities | None = None
    ) -> None:
        self._name = name
        self._script = script
        self._pause_s = pause_s
        self.capabilities: Capabilities = capabilities or Capabilities()
        self.requests: list[ChatRequest] = []

    @property
    def name(self) -> str:
        """As given."""
        return self._name

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatDelta]:
        """Yield the scripted pieces. Raises the scripted errors, and Unsupported."""
        self.capabilities.check(request, self._name)
        self.requests.append(request)
        words = 0
        for piece in self._script(request):
            await asyncio.sleep(self._pause_s)
            if isinstance(piece, ModelError):
                raise piece
            delta = ChatDelta(piece) if isinstance(piece, str) else piece
            words += len(delta.written.split())
            yield delta
            if delta.finish_reason is not None:
                return
        asked = sum(len(message.content.split()) for message in request.messages)
        yield ChatDelta(finish_reason="stop", usage=Usage(asked, words, estimated=True))
