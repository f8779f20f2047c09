"""A chat request in Anthropic's words: the body of "Create a Message"."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterable
from typing import cast

from ken.domain.answer import Image, Message, ToolCall
from ken.errors import InvalidInput, Unsupported
from ken.models.chat import ChatOptions, ChatRequest
from ken.models.continuation import messages_behind
from ken.models.endpoint import Endpoint

Block = dict[str, object]

_KENS = frozenset({"model", "messages", "system", "stream", "max_tokens", "temperature"})
"""Parameters that Ken sets itself; limits and budgets rest on them, so that nobody passes others beside them."""
_DATA = re.compile(r"data:(?P<type>[\w.+-]+/[\w.+-]+);base64,(?P<data>.+)", re.DOTALL)
_CHOICES = {"auto": "auto", "none": "none", "required": "any"}
_EFFORTS = {"minimal": "low"}
"""OpenAI's least effort has no counterpart."""
_HOTTEST = 1.0
_CACHED: Block = {"type": "ephemeral"}


def body(request: ChatRequest, endpoint: Endpoint, *, refused: Container[str]) -> dict[str, object]:
    """What is sent, without what the model's server has refused.

    Raises Unsupported for a parameter that Ken sets itself and for a temperature over 1, InvalidInput for a tool call in the
    history whose arguments are no JSON object.
    """
    options = request.options
    taken = sorted(_KENS.intersection(options.extra))
    if taken:
        raise Unsupported(
            f"The parameter {taken[0]!r} can't be passed on to a model: Ken sets it itself. Leave it out.",
            param=taken[0],
        )
    limit = min(endpoint.max_tokens, request.max_tokens) if request.max_tokens else endpoint.max_tokens
    # A beginning in the model's mouth goes with neither a schema nor thinking.
    prefill = endpoint.prefill and options.json_schema is None and not options.reasoning_effort
    messages = messages_behind(request, prefill=prefill)
    told: dict[str, object] = {
        **options.extra,
        "model": endpoint.model,
        "max_tokens": limit,
        "messages": _turns(message for message in messages if message.role != "system"),
        "stream": request.is_streamed,
    }
    if request.begun and prefill:
        _without_end_blanks(cast("list[Block]", told["messages"]))
    tools, system = _tools(options), _system(messages)
    if options.caches_prompt:
        _mark(system, tools, cast("list[Block]", told["messages"]))
    told |= {name: value for name, value in (("system", system), ("tools", tools)) if value}
    told |= _options(options)
    if request.temperature is not None and "temperature" not in refused and not _thinks(told):
        if request.temperature > _HOTTEST:
            raise Unsupported(
                f"A temperature of {request.temperature:g} is more than Anthropic's models take. Ask with one from 0 to 1.",
                param="temperature",
            )
        told["temperature"] = request.temperature
    return told


def _options(options: ChatOptions) -> dict[str, object]:
    told: dict[str, object] = {
        "top_p": options.top_p,
        "top_k": options.top_k,
        "stop_sequences": list(options.stop) or None,
    }
    choice: Block = {}
    if options.tool_choice is not None and options.tools:
        known = _CHOICES.get(options.tool_choice)
        choice = {"type": known} if known else {"type": "tool", "name": options.tool_choice}
    if options.parallel_tool_calls is False and options.tools:
        choice = (choice or {"type": "auto"}) | {"disable_parallel_tool_use": True}
    told["tool_choice"] = choice or None
    output: Block = {}
    if options.reasoning_effort == "none":
        told["thinking"] = {"type": "disabled"}
    elif options.reasoning_effort:
        output["effort"] = _EFFORTS.get(options.reasoning_effort, options.reasoning_effort)
        told["thinking"] = options.extra.get("thinking", {"type": "adaptive"})
    if options.json_schema is not None:
        output["format"] = {"type": "json_schema", "schema": options.json_schema}
    told["output_config"] = output or None
    return {name: value for name, value in told.items() if value is not None}


def _thinks(told: dict[str, object]) -> bool:
    thinking = told.get("thinking")
    return isinstance(thinking, dict) and cast("Block", thinking).get("type") != "disabled"


def _tools(options: ChatOptions) -> list[Block]:
    told: list[Block] = []
    for tool in options.tools:
        block: Block = {"name": tool.name, "input_schema": tool.parameters or {"type": "object"}}
        if tool.description:
            block["description"] = tool.description
        if tool.strict is not None:
            block["strict"] = tool.strict
        told.append(block)
    return told


def _system(messages: Iterable[Message]) -> list[Block]:
    """The system prompt stands apart; each system message is a block of it."""
    return [{"type": "text", "text": each.content} for each in messages if each.role == "system" and each.content]


def _turns(messages: Iterable[Message]) -> list[Block]:
    """Turns of user and assistant by turns: what follows in the same role is one turn, the results of several tools above all."""
    turns: list[Block] = []
    for message in messages:
        role = "assistant" if message.role == "assistant" else "user"
        blocks = _blocks(message)
        if not blocks:
            continue
        if turns and turns[-1]["role"] == role:
            cast("list[Block]", turns[-1]["content"]).extend(blocks)
        else:
            turns.append({"role": role, "content": blocks})
    return turns


def _blocks(message: Message) -> list[Block]:
    if message.tool_call_id is not None:
        return [{"type": "tool_result", "tool_use_id": message.tool_call_id, "content": message.content}]
    parts = message.parts or ((message.content,) if message.content else ())
    blocks: list[Block] = [{"type": "text", "text": part} if isinstance(part, str) else _image(part) for part in parts]
    return blocks + [_tool_use(call) for call in message.tool_calls]


def _image(image: Image) -> Block:
    match = _DATA.fullmatch(image.url)
    if match is None:
        return {"type": "image", "source": {"type": "url", "url": image.url}}
    return {"type": "image", "source": {"type": "base64", "media_type": match["type"], "data": match["data"]}}


def _tool_use(call: ToolCall) -> Block:
    try:
        arguments = cast("object", json.loads(call.arguments or "{}"))
    except ValueError:
        arguments = None
    if not isinstance(arguments, dict):
        raise InvalidInput(
            f"The arguments of the call of {call.name!r} in an earlier message are no JSON object. Send them as the model "
            "wrote them.",
            param="messages",
        )
    return {"type": "tool_use", "id": call.id, "name": call.name, "input": cast("Block", arguments)}


def _mark(system: list[Block], tools: list[Block], turns: list[Block]) -> None:
    """Say up to where the prompt comes again: behind the first system message, and in a conversation behind what was said last.

    What is marked covers all that stands before it, the tools first of all.
    """
    if system or tools:
        (system or tools)[0 if system else -1]["cache_control"] = _CACHED
    asked = [turn for turn in turns if turn["role"] == "user"]
    if len(asked) > 1:
        cast("list[Block]", asked[-1]["content"])[-1]["cache_control"] = _CACHED


def _without_end_blanks(turns: list[Block]) -> None:
    """A turn that the model goes on with must not end in blanks."""
    last = cast("list[Block]", turns[-1]["content"])[-1]
    last["text"] = str(last["text"]).rstrip()
