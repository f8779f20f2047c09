"""What a chat completion may ask for: what Ken does, what it names as unused, and what it refuses by name."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from ken.domain.answer import Message
from ken.errors import InvalidInput
from ken.service.narrowing import is_read
from ken.service.shapes import Text

_UNSUPPORTED: dict[str, tuple[JsonValue, ...]] = {
    "n": (1,),
    "tools": ([],),
    "tool_choice": ("none", "auto"),
    "functions": ([],),
    "function_call": ("none", "auto"),
    "response_format": ({"type": "text"},),
    "modalities": (["text"],),
    "audio": (),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "stop": ([], ""),
    "prediction": (),
    "web_search_options": (),
}
"""Parameters that change what an answer is, with the values that ask for nothing; null always asks for nothing."""


class TextPart(BaseModel):
    """A part of a message's content."""

    model_config = ConfigDict(strict=True)

    type: Literal["text"]
    text: Text


class ChatMessage(BaseModel):
    """A message."""

    model_config = ConfigDict(strict=True)

    role: Literal["system", "developer", "user", "assistant"]
    content: Text | list[TextPart] | None = None

    @property
    def text(self) -> str:
        """The content's text, parts joined."""
        if self.content is None or isinstance(self.content, str):
            return self.content or ""
        return "\n".join(part.text for part in self.content)


class StreamOptions(BaseModel):
    """What a stream ends with."""

    model_config = ConfigDict(strict=True)

    include_usage: bool = False


Positive = Annotated[int, Field(ge=1)]


class ChatBody(BaseModel):
    """A chat completion's request. What is not named here is taken as an extra and looked at by `unused`."""

    model_config = ConfigDict(strict=True, extra="allow")

    messages: Annotated[list[ChatMessage], Field(min_length=1, max_length=2000)]
    model: Annotated[str, StringConstraints(max_length=200)] | None = None
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    max_tokens: Positive | None = None
    max_completion_tokens: Positive | None = None
    metadata: dict[str, Text] | None = None
    """`ken_collection`, `ken_owner`, `ken_type`, `ken_modified_from`, ...: see `narrowing.of_metadata`."""


def conversation(body: ChatBody) -> tuple[str, tuple[Message, ...]]:
    """The question and the messages before it. Raises InvalidInput for what Ken can't do."""
    _refuse_unsupported(body)
    last = next((at for at in range(len(body.messages) - 1, -1, -1) if body.messages[at].role == "user"), None)
    if last is None:
        raise InvalidInput(
            "`messages` holds no message with the role 'user': the last of these is the question.", param="messages"
        )
    question = body.messages[last].text
    if not question.strip():
        raise InvalidInput(
            f"`messages[{last}].content` is empty: it is the question.", param=f"messages[{last}].content"
        )
    history = tuple(
        Message(each.role, each.text)
        for each in body.messages[:last]
        if (each.role == "user" or each.role == "assistant") and each.text  # noqa: PLR1714 - tells the type checker
    )
    return question, history


def unused(body: ChatBody) -> list[str]:
    """One sentence for each thing of the request that had no effect."""
    notices: list[str] = []
    if any(message.role in {"system", "developer"} for message in body.messages):
        notices.append("The system message was not used: Ken answers from its documents, by its own instructions.")
    extras = sorted(
        name for name, value in (body.model_extra or {}).items() if value is not None and name not in _UNSUPPORTED
    )
    extras += sorted(f"metadata.{name}" for name in body.metadata or {} if not is_read(name))
    if extras:
        notices.append(f"Parameters without effect here: {', '.join(extras)}.")
    return notices


def _refuse_unsupported(body: ChatBody) -> None:
    if body.stream_options is not None and not body.stream:
        raise InvalidInput("`stream_options` goes with `stream: true` only.", param="stream_options")
    for name, harmless in _UNSUPPORTED.items():
        value = (body.model_extra or {}).get(name)
        if value is not None and value not in harmless:
            raise InvalidInput(
                f"`{name}` is not supported here: Ken gives one answer in text. Leave it out.", param=name
            )
