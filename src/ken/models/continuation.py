"""How a model is asked to go on behind what another one has begun."""

from __future__ import annotations

from ken.domain.answer import Message
from ken.models.chat import ChatRequest

_GO_ON = (
    "Your reply was cut off behind the last character above. Go on with it from exactly there, under the same instructions. "
    "Repeat nothing that stands there already, say nothing about the break, and begin with the next word. "
    "If the reply is complete as it stands, write nothing."
)


def messages_behind(request: ChatRequest, *, prefill: bool) -> tuple[Message, ...]:
    """The messages to send: where an answer has begun, with it, and with what makes the model go on.

    With `prefill` it is the last message, and the model's own reply so far; else a word to go on stands behind it.
    """
    if not request.begun:
        return request.messages
    begun = Message("assistant", request.begun)
    return (*request.messages, begun) if prefill else (*request.messages, begun, Message("user", _GO_ON))
