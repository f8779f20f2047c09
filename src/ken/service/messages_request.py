"""What Anthropic's "Create a Message" asks for: as the plain gateway passes it on, and as a question to the assistant."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from ken.domain.answer import Image, Message, ToolCall
from ken.domain.deadline import Deadline
from ken.errors import InvalidInput
from ken.models.chat import ChatOptions, ChatRequest, Tool

_STRICT = ConfigDict(strict=True)
_EFFORTS = ((2_048, "low"), (8_192, "medium"))
"""What a budget of thoughts, in tokens, is called on wires that have words for it; above, `high`."""
_CHOICES = {"auto": "auto", "any": "required", "none": "none"}
_NOT_PASSED_ON = ("mcp_servers", "container", "context_management")
"""What has Anthropic's own servers do something: no other provider has it."""


class TextBlock(BaseModel):
    """Text within a message, or a part of the system prompt."""

    model_config = _STRICT

    type: Literal["text"]
    text: str
    cache_control: JsonValue = None


class ImageSource(BaseModel):
    """Where an image is."""

    model_config = _STRICT

    type: Literal["base64", "url"]
    media_type: str = "image/png"
    data: str = ""
    url: str = ""


class ImageBlock(BaseModel):
    """An image within a message."""

    model_config = _STRICT

    type: Literal["image"]
    source: ImageSource
    cache_control: JsonValue = None

    @property
    def image(self) -> Image:
        """The same, in no provider's shape."""
        source = self.source
        return Image(source.url if source.type == "url" else f"data:{source.media_type};base64,{source.data}")


class ToolUseBlock(BaseModel):
    """A tool call of an earlier answer."""

    model_config = _STRICT

    type: Literal["tool_use"]
    id: str
    name: str
    input: dict[str, JsonValue] = Field(default_factory=dict)
    cache_control: JsonValue = None


class ToolResultBlock(BaseModel):
    """What a tool gave back."""

    model_config = _STRICT

    type: Literal["tool_result"]
    tool_use_id: str
    content: str | list[Annotated[TextBlock | ImageBlock, Field(discriminator="type")]] = ""
    is_error: bool | None = None
    cache_control: JsonValue = None


class ThinkingBlock(BaseModel):
    """Thoughts of an earlier answer, which are not passed on: only the model that had them could read them."""

    model_config = _STRICT

    type: Literal["thinking", "redacted_thinking"]


Block = Annotated[TextBlock | ImageBlock | ToolUseBlock | ToolResultBlock | ThinkingBlock, Field(discriminator="type")]


class Turn(BaseModel):
    """A message of the user or of the model."""

    model_config = _STRICT

    role: Literal["user", "assistant"]
    content: str | list[Block]

    @property
    def blocks(self) -> Sequence[Block]:
        """The content; bare text is a block, too."""
        return [TextBlock(type="text", text=self.content)] if isinstance(self.content, str) else self.content

    def messages(self) -> list[Message]:
        """The same, in no provider's shape: the results of tools are messages of their own, before the rest."""
        told = [_result(block) for block in self.blocks if isinstance(block, ToolResultBlock)]
        # Only Anthropic takes images as results of tools; all take them from the user.
        shown = [
            part.image
            for block in self.blocks
            if isinstance(block, ToolResultBlock) and not isinstance(block.content, str)
            for part in block.content
            if isinstance(part, ImageBlock)
        ]
        parts: list[str | Image] = [*shown]
        for block in self.blocks:
            if isinstance(block, TextBlock):
                parts.append(block.text)
            elif isinstance(block, ImageBlock):
                parts.append(block.image)
        calls = tuple(
            ToolCall(id=block.id, name=block.name, arguments=json.dumps(block.input, ensure_ascii=False))
            for block in self.blocks
            if isinstance(block, ToolUseBlock)
        )
        if parts or calls or not told:
            text = "\n".join(part for part in parts if isinstance(part, str))
            has_images = any(isinstance(part, Image) for part in parts)
            told.append(Message(self.role, text, parts=tuple(parts) if has_images else (), tool_calls=calls))
        return told


class ToolOffered(BaseModel):
    """A tool that may be called."""

    model_config = _STRICT

    type: Literal["custom"] | None = None
    name: str
    description: str = ""
    input_schema: dict[str, JsonValue]
    strict: bool | None = None
    cache_control: JsonValue = None


class ToolChoice(BaseModel):
    """Whether tools have to be called."""

    model_config = _STRICT

    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class Thinking(BaseModel):
    """Whether to think first."""

    model_config = _STRICT

    type: Literal["enabled", "adaptive", "disabled"]
    budget_tokens: Annotated[int, Field(ge=1)] | None = None


class OutputFormat(BaseModel):
    """What shape the answer has."""

    model_config = ConfigDict(strict=True, populate_by_name=True)

    type: Literal["json_schema"]
    content: dict[str, JsonValue] = Field(alias="schema")


class OutputConfig(BaseModel):
    """What the answer is like."""

    model_config = _STRICT

    effort: str | None = None
    format: OutputFormat | None = None


class MessagesBody(BaseModel):
    """A message's request."""

    model_config = ConfigDict(strict=True, extra="allow")

    model: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    messages: Annotated[list[Turn], Field(min_length=1, max_length=10_000)]
    max_tokens: Annotated[int, Field(ge=1)]
    system: str | list[TextBlock] | None = None
    stream: bool | None = False
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop_sequences: list[str] | None = None
    tools: list[ToolOffered] | None = None
    tool_choice: ToolChoice | None = None
    thinking: Thinking | None = None
    output_config: OutputConfig | None = None
    metadata: dict[str, JsonValue] | None = None
    """Nobody's business but the caller's: it is not passed on."""
    service_tier: Literal["auto", "standard_only"] | None = None
    """Not passed on, as it changes the price."""

    def request(self, deadline: Deadline) -> ChatRequest:
        """The same, in no provider's shape. Raises InvalidInput for what the gateway doesn't pass on."""
        extra = {name: value for name, value in (self.model_extra or {}).items() if value is not None}
        for name in _NOT_PASSED_ON:
            if extra.get(name):
                raise InvalidInput(f"`{name}` is not passed on: it is for Anthropic's own servers.", param=name)
        messages = [Message("system", text) for text in self.system_texts]
        messages += [message for turn in self.messages for message in turn.messages()]
        return ChatRequest(
            messages=tuple(messages),
            question=next((message.content for message in reversed(messages) if message.role == "user"), ""),
            evidence=(),
            deadline=deadline,
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            options=self._options(extra),
            holds_sentences=False,
            is_streamed=bool(self.stream),
        )

    @property
    def system_texts(self) -> list[str]:
        """The blocks of the system prompt."""
        if self.system is None or isinstance(self.system, str):
            return [self.system] if self.system else []
        return [block.text for block in self.system]

    @property
    def _caches(self) -> bool:
        marked: list[Iterable[BaseModel]] = [turn.blocks for turn in self.messages]
        marked += [self.tools or (), self.system if isinstance(self.system, list) else ()]
        return any(getattr(block, "cache_control", None) for blocks in marked for block in blocks)

    @property
    def _effort(self) -> str | None:
        if self.output_config is not None and self.output_config.effort is not None:
            return self.output_config.effort
        if self.thinking is None or self.thinking.type == "disabled":
            return None
        budget = self.thinking.budget_tokens
        if budget is None:
            return "medium"
        return next((effort for most, effort in _EFFORTS if budget <= most), "high")

    def _options(self, extra: dict[str, JsonValue]) -> ChatOptions:
        choice, wanted = self.tool_choice, self.output_config and self.output_config.format
        if choice is not None and choice.type == "tool" and not choice.name:
            raise InvalidInput("`tool_choice.name` is missing: it names the tool to call.", param="tool_choice.name")
        return ChatOptions(
            tools=tuple(
                Tool(name=tool.name, description=tool.description, parameters=tool.input_schema, strict=tool.strict)
                for tool in self.tools or ()
            ),
            tool_choice=None if choice is None else _CHOICES.get(choice.type, choice.name),
            parallel_tool_calls=False if choice is not None and choice.disable_parallel_tool_use else None,
            json_schema=None if wanted is None else wanted.content,
            top_p=self.top_p,
            top_k=self.top_k,
            stop=tuple(self.stop_sequences or ()),
            reasoning_effort=self._effort,
            caches_prompt=self._caches,
            extra=extra,
        )


class CountBody(MessagesBody):
    """The same, of which the tokens are wanted and no answer."""

    max_tokens: Annotated[int, Field(ge=1)] = 1


def _result(block: ToolResultBlock) -> Message:
    content = block.content
    if not isinstance(content, str):
        content = "\n".join(part.text for part in content if isinstance(part, TextBlock))
    return Message("tool", content, tool_call_id=block.tool_use_id)
