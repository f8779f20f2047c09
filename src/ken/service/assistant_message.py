"""The assistant at Anthropic's wire: a message asks a question, and the answer's events come back as a message."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from ken.domain.answer import Answer, Message
from ken.domain.events import Answered, Event, Failed, TokenShown
from ken.domain.usage import Usage
from ken.errors import InvalidInput
from ken.models.chat import ChatDelta
from ken.service.errors import named
from ken.service.ken_field import ken_field, sources_below
from ken.service.messages_answer import Blocks, ending, failed, message_shape, opening
from ken.service.messages_request import MessagesBody, TextBlock

_UNSUPPORTED = ("tools", "thinking", "stop_sequences", "output_config")
_UNUSED = ("temperature", "top_p", "top_k", "tool_choice")


def conversation(body: MessagesBody) -> tuple[str, tuple[Message, ...]]:
    """The question and the messages before it. Raises InvalidInput for what Ken can't do."""
    for name in _UNSUPPORTED:
        value = getattr(body, name)
        if value and not (name == "thinking" and body.thinking is not None and body.thinking.type == "disabled"):
            raise InvalidInput(
                f"`{name}` is not supported here: Ken gives one answer in text. Leave it out, or name a model.",
                param=name,
            )
    if body.messages[-1].role != "user":
        raise InvalidInput("The last of `messages` is the question, so its role must be 'user'.", param="messages")
    told: list[Message] = []
    for place, turn in enumerate(body.messages):
        if not all(isinstance(block, TextBlock) for block in turn.blocks):
            raise InvalidInput(
                f"`messages[{place}].content` holds more than text, and Ken reads nothing else. Leave it out, or name a model.",
                param=f"messages[{place}].content",
            )
        text = "\n".join(block.text for block in turn.blocks if isinstance(block, TextBlock))
        told.append(Message(turn.role, text))
    if not told[-1].content.strip():
        raise InvalidInput("The last of `messages` is empty: it is the question.", param="messages")
    return told[-1].content, tuple(message for message in told[:-1] if message.content)


def unused(body: MessagesBody) -> list[str]:
    """One sentence for each thing of the request that had no effect."""
    notices: list[str] = []
    if body.system:
        notices.append("The system prompt was not used: Ken answers from its documents, by its own instructions.")
    extras = [name for name in _UNUSED if getattr(body, name) is not None]
    extras += sorted(name for name, value in (body.model_extra or {}).items() if value is not None)
    if extras:
        notices.append(f"Parameters without effect here: {', '.join(extras)}.")
    return notices


@dataclass(frozen=True, slots=True)
class AssistantMessage:
    """The JSON of one message."""

    body: MessagesBody
    trace_id: str

    def whole(self, answer: Answer) -> dict[str, object]:
        """A `message`."""
        text = f"{answer.text}{sources_below(answer)}"
        content: list[dict[str, object]] = [{"type": "text", "text": text}]
        return message_shape(
            answer.trace_id, self.body.model, content=content, stop_reason=self._stop(answer), usage=answer.usage
        ) | {"ken": ken_field(answer, unused(self.body))}

    async def frames(self, events: AsyncGenerator[Event]) -> AsyncGenerator[bytes]:
        """The events of a message: the text as it is verified, then its sources."""
        blocks = Blocks()
        yield opening(self.trace_id, self.body.model, usage=Usage())
        async with aclosing(events):
            async for event in events:
                if isinstance(event, TokenShown):
                    yield blocks.of(ChatDelta(event.text))
                elif isinstance(event, Failed):
                    yield failed(named(event.kind, event.message, retry_after_s=event.retry_after_s))
                elif isinstance(event, Answered):
                    answer = event.answer
                    if sources := sources_below(answer):
                        yield blocks.of(ChatDelta(sources))
                    ken = ken_field(answer, unused(self.body))
                    yield blocks.closed() + ending(self._stop(answer), usage=answer.usage, ken=ken)

    def _stop(self, answer: Answer) -> str:
        return "max_tokens" if answer.usage.output_tokens >= self.body.max_tokens else "end_turn"
