"""What OpenAI's chat completion asks for, as the plain gateway passes it on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from ken.domain.answer import Image, Message, ToolCall
from ken.domain.deadline import Deadline
from ken.errors import InvalidInput
from ken.models.chat import ChatOptions, ChatRequest, Tool

_STRICT = ConfigDict(strict=True)
_NOT_PASSED_ON = {"functions": "tools", "function_call": "tool_choice"}
"""OpenAI's former names, and what has replaced them."""


class TextPart(BaseModel):
    """Text within a message."""

    model_config = _STRICT

    type: Literal["text"]
    text: str


class ImageUrl(BaseModel):
    """Where an image is."""

    model_config = _STRICT

    url: str
    detail: str | None = None


class ImagePart(BaseModel):
    """An image within a message."""

    model_config = _STRICT

    type: Literal["image_url"]
    image_url: ImageUrl


class FunctionCalled(BaseModel):
    """What a model wanted to have called."""

    model_config = _STRICT

    name: str
    arguments: str = ""


class ToolCalled(BaseModel):
    """A tool call of an earlier answer."""

    model_config = _STRICT

    id: str
    type: Literal["function"] = "function"
    function: FunctionCalled


class PlainMessage(BaseModel):
    """A message of any role."""

    model_config = _STRICT

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[Annotated[TextPart | ImagePart, Field(discriminator="type")]] | None = None
    tool_calls: list[ToolCalled] | None = None
    tool_call_id: str | None = None

    def message(self) -> Message:
        """The same, in no provider's shape."""
        content = self.content
        parts: tuple[str | Image, ...] = ()
        if isinstance(content, list):
            read = tuple(
                part.text if isinstance(part, TextPart) else Image(part.image_url.url, part.image_url.detail)
                for part in content
            )
            content = "\n".join(part for part in read if isinstance(part, str))
            parts = read if any(isinstance(part, Image) for part in read) else ()
        return Message(
            "system" if self.role == "developer" else self.role,
            content or "",
            parts=parts,
            tool_calls=tuple(
                ToolCall(id=call.id, name=call.function.name, arguments=call.function.arguments)
                for call in self.tool_calls or ()
            ),
            tool_call_id=self.tool_call_id,
        )


class FunctionOffered(BaseModel):
    """A function that may be called."""

    model_config = _STRICT

    name: str
    description: str = ""
    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    strict: bool | None = None


class ToolOffered(BaseModel):
    """A tool that may be called."""

    model_config = _STRICT

    type: Literal["function"]
    function: FunctionOffered


class NamedFunction(BaseModel):
    """The name of a function."""

    model_config = _STRICT

    name: str


class ToolNamed(BaseModel):
    """The one tool that has to be called."""

    model_config = _STRICT

    type: Literal["function"]
    function: NamedFunction


class SchemaWanted(BaseModel):
    """The JSON schema of the answer."""

    model_config = ConfigDict(strict=True, populate_by_name=True)

    name: str = "answer"
    content: dict[str, JsonValue] = Field(default_factory=dict, alias="schema")


class Format(BaseModel):
    """What shape the answer has."""

    model_config = _STRICT

    type: Literal["text", "json_object", "json_schema"]
    json_schema: SchemaWanted | None = None


class StreamOptions(BaseModel):
    """What a stream ends with."""

    model_config = _STRICT

    include_usage: bool = False


class PlainBody(BaseModel):
    """A chat completion's request; parameters that are not named here go to the provider as they are."""

    model_config = ConfigDict(strict=True, extra="allow")

    model: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    messages: Annotated[list[PlainMessage], Field(min_length=1, max_length=10_000)]
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    n: int | None = None
    stop: str | list[str] | None = None
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    logit_bias: dict[str, float] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    tools: list[ToolOffered] | None = None
    tool_choice: Literal["none", "auto", "required"] | ToolNamed | None = None
    parallel_tool_calls: bool | None = None
    response_format: Format | None = None
    reasoning_effort: str | None = None
    service_tier: Literal["auto", "default"] | None = None
    """Not passed on, as it changes the price: what can wait says so in the header `X-Ken-Priority`."""

    @property
    def wants_usage(self) -> bool:
        """Whether a stream ends with a chunk of its usage."""
        return self.stream_options is not None and self.stream_options.include_usage

    def request(self, deadline: Deadline) -> ChatRequest:
        """The same, in no provider's shape. Raises InvalidInput for what the gateway doesn't pass on."""
        if self.n not in {None, 1}:
            raise InvalidInput("`n` can only be 1: send the request as often as you want answers.", param="n")
        extra = {name: value for name, value in (self.model_extra or {}).items() if value is not None}
        for former, present in _NOT_PASSED_ON.items():
            if former in extra:
                raise InvalidInput(f"`{former}` is not passed on: use `{present}`.", param=former)
        messages = tuple(message.message() for message in self.messages)
        return ChatRequest(
            messages=messages,
            question=next((message.content for message in reversed(messages) if message.role == "user"), ""),
            evidence=(),
            deadline=deadline,
            max_tokens=self.max_completion_tokens or self.max_tokens,
            temperature=self.temperature,
            options=self._options(extra),
            holds_sentences=False,
            is_streamed=bool(self.stream),
        )

    def _options(self, extra: Mapping[str, JsonValue]) -> ChatOptions:
        wanted = self.response_format
        schema = None
        if wanted is not None and wanted.type != "text":
            schema = wanted.json_schema.content if wanted.json_schema is not None else {}
        choice = self.tool_choice
        return ChatOptions(
            tools=tuple(
                Tool(
                    name=tool.function.name,
                    description=tool.function.description,
                    parameters=tool.function.parameters,
                    strict=tool.function.strict,
                )
                for tool in self.tools or ()
            ),
            tool_choice=choice.function.name if isinstance(choice, ToolNamed) else choice,
            parallel_tool_calls=self.parallel_tool_calls,
            json_schema=schema,
            schema_name=wanted.json_schema.name if wanted is not None and wanted.json_schema is not None else "",
            top_p=self.top_p,
            top_k=self.top_k,
            stop=(self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ()),
            seed=self.seed,
            frequency_penalty=self.frequency_penalty,
            presence_penalty=self.presence_penalty,
            logit_bias=self.logit_bias,
            logprobs=bool(self.logprobs),
            top_logprobs=self.top_logprobs,
            reasoning_effort=self.reasoning_effort,
            extra=extra,
        )
