"""A chat request in OpenAI's words: the body of "Create chat completion"."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import cast

from ken.domain.answer import Image, Message
from ken.domain.wire import Json
from ken.errors import Unsupported
from ken.models.chat import ChatOptions, ChatRequest
from ken.models.continuation import messages_behind
from ken.models.endpoint import Endpoint

_KENS = frozenset(
    {"model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "temperature", "n"}
)
"""Parameters that Ken sets itself; limits and budgets rest on them, so that nobody passes others beside them."""
_CHOICES = {"auto", "none", "required"}


def body(request: ChatRequest, endpoint: Endpoint, *, refused: Container[str]) -> dict[str, object]:
    """What is sent, without what the model's server has refused. Raises Unsupported for a parameter that Ken sets itself."""
    taken = sorted(_KENS.intersection(request.options.extra))
    if taken:
        raise Unsupported(
            f"The parameter {taken[0]!r} can't be passed on to a model: Ken sets it itself. Leave it out.",
            param=taken[0],
        )
    limit = min(endpoint.max_tokens, request.max_tokens) if request.max_tokens else endpoint.max_tokens
    told: dict[str, object] = {
        **request.options.extra,
        "model": endpoint.model,
        "messages": [_message(message) for message in messages_behind(request, prefill=endpoint.prefill)],
        "stream": request.is_streamed,
        "max_completion_tokens" if "max_tokens" in refused else "max_tokens": limit,
    }
    if request.temperature is not None and "temperature" not in refused:
        told["temperature"] = request.temperature
    if request.is_streamed and "stream_options" not in refused:
        told["stream_options"] = {"include_usage": True}
    if request.begun and endpoint.prefill:
        told |= {"continue_final_message": True, "add_generation_prompt": False}
    return told if request.options == _NO_OPTIONS else told | _options(request.options)


_NO_OPTIONS = ChatOptions()


def _options(options: ChatOptions) -> dict[str, object]:
    told: dict[str, object] = {
        "parallel_tool_calls": options.parallel_tool_calls,
        "top_p": options.top_p,
        "top_k": options.top_k,
        "stop": list(options.stop) or None,
        "seed": options.seed,
        "frequency_penalty": options.frequency_penalty,
        "presence_penalty": options.presence_penalty,
        "logit_bias": options.logit_bias or None,
        "logprobs": options.logprobs or None,
        "top_logprobs": options.top_logprobs,
        "reasoning_effort": options.reasoning_effort,
        "tools": [
            {
                "type": "function",
                "function": {"name": tool.name, "parameters": tool.parameters}
                | ({"description": tool.description} if tool.description else {})
                | ({} if tool.strict is None else {"strict": tool.strict}),
            }
            for tool in options.tools
        ]
        or None,
    }
    if options.tool_choice is not None:
        named = {"type": "function", "function": {"name": options.tool_choice}}
        told["tool_choice"] = options.tool_choice if options.tool_choice in _CHOICES else named
    if options.json_schema is not None:
        told["response_format"] = _format(options.json_schema, options.schema_name)
    return {name: value for name, value in told.items() if value is not None}


def _format(schema: Mapping[str, Json], name: str) -> dict[str, object]:
    if not schema:
        return {"type": "json_object"}
    of_schema = {"name": name or "answer", "schema": schema, "strict": _is_strict(schema)}
    return {"type": "json_schema", "json_schema": of_schema}


def _is_strict(schema: Json) -> bool:
    """Whether a schema is in the form that OpenAI guarantees: each object closed, and all of its properties required."""
    if isinstance(schema, str) or not isinstance(schema, Mapping | Sequence):
        return True
    if isinstance(schema, Mapping):
        properties = schema.get("properties")
        if isinstance(properties, Mapping) and (
            schema.get("additionalProperties") is not False
            or set(cast("Sequence[str]", schema.get("required") or ())) != set(properties)
        ):
            return False
        return all(_is_strict(each) for each in schema.values())
    return all(_is_strict(each) for each in schema)


def _message(message: Message) -> dict[str, object]:
    told: dict[str, object] = {"role": message.role, "content": message.content}
    if message.parts:
        told["content"] = [_part(part) for part in message.parts]
    if message.tool_calls:
        told["content"] = told["content"] or None
        told["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    if message.tool_call_id is not None:
        told["tool_call_id"] = message.tool_call_id
    return told


def _part(part: str | Image) -> dict[str, object]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    detail = {} if part.detail is None else {"detail": part.detail}
    return {"type": "image_url", "image_url": {"url": part.url, **detail}}
