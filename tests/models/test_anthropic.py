"""Anthropic's messages interface against a real server: what goes out, every event of its streams, every way to fail."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from ken.domain.answer import Image, Message, ToolCall
from ken.domain.usage import Usage
from ken.errors import InvalidInput, ModelError, ModelInterrupted, ModelRefused, ModelTimedOut, Unsupported
from ken.models.anthropic import AnthropicChat
from ken.models.chat import ChatRequest
from ken.models.endpoint import Endpoint
from tests.models.asking import (
    HISTORY,
    KEY,
    PIXEL,
    SCHEMA,
    TOOL,
    Server,
    ask,
    calls_of,
    failure,
    optional,
    request,
    serving,
    text_of,
    thoughts_of,
    usage_of,
)
from tests.models.provider import refuses, streams


def event(kind: str, **fields: object) -> bytes:
    """An event as it is documented: its type by name and in its data."""
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields}, ensure_ascii=False)}\n\n".encode()


def start(**usage: int) -> bytes:
    """The beginning of a message."""
    message: dict[str, object] = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "content": [],
        "model": "claude-9",
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }
    return event("message_start", message=message)


def block(index: int, **fields: object) -> bytes:
    """The beginning of a content block."""
    return event("content_block_start", index=index, content_block=fields)


def piece(index: int, kind: str, **fields: object) -> bytes:
    """A piece of a content block."""
    return event("content_block_delta", index=index, delta={"type": kind, **fields})


def text(*pieces: str, index: int = 0) -> bytes:
    """A whole block of text."""
    told = b"".join(piece(index, "text_delta", text=each) for each in pieces)
    return block(index, type="text", text="") + told + event("content_block_stop", index=index)


def end(reason: str, **usage: int) -> bytes:
    """The end of a message."""
    delta = {"stop_reason": reason, "stop_sequence": None}
    return event("message_delta", delta=delta, usage=usage) + event("message_stop")


PING = event("ping")
START = start(input_tokens=25, cache_creation_input_tokens=0, cache_read_input_tokens=0, output_tokens=1)
NOON = START + PING + text("Noon", ".") + end("end_turn", output_tokens=15)


@pytest.fixture
async def provider() -> AsyncGenerator[Server]:
    async with serving() as server:
        yield server


def model_at(provider: Server, **more: Any) -> AnthropicChat:  # noqa: ANN401 - the endpoint's own
    given: dict[str, Any] = {"base_url": provider.url, "model": "claude-9", "api_key": KEY, "first_token_s": 5}
    return AnthropicChat("mine", Endpoint(**(given | more)), connections=provider.pool)


async def test_what_goes_out(provider: Server) -> None:
    """System prompts stand apart, turns take turns, and the key stands in its header alone."""
    provider.reply = streams(NOON)
    await ask(model_at(provider, max_tokens=100), request(max_tokens=50))
    assert provider.bodies == [
        {
            "model": "claude-9",
            "max_tokens": 50,
            "system": [{"type": "text", "text": "Passages: [1] Häfen 👋"}],
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "And before?"}]},
                {"role": "assistant", "content": [{"type": "text", "text": "Nothing."}]},
                {"role": "user", "content": [{"type": "text", "text": "When?"}]},
            ],
            "stream": True,
            "temperature": 0.0,
        }
    ]
    assert provider.paths == ["/v1/messages"]
    assert provider.headers[0]["anthropic-version"] == "2023-06-01"
    assert [(name, value) for name, value in provider.headers[0].items() if KEY in value] == [("x-api-key", KEY)]


async def test_a_conversation_with_tools_and_images_goes_out(provider: Server) -> None:
    """Results of tools that were called together stand in one turn, with what the user says next."""
    provider.reply = streams(NOON)
    address = Message("user", "", parts=(Image("https://harbour.example/chart.png"),))
    await ask(model_at(provider), request(*HISTORY, address))
    assert provider.bodies[0]["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "When is high water here, and there?"}]},
        {
            "role": "assistant",
            "content": [
                {"type": "tool_use", "id": "c1", "name": "tide", "input": {"berth": "north"}},
                {"type": "tool_use", "id": "c2", "name": "tide", "input": {"berth": "south"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "c1", "content": "06:40"},
                {"type": "tool_result", "tool_use_id": "c2", "content": "07:15"},
                {"type": "text", "text": "And in this picture?"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}},
                {"type": "image", "source": {"type": "url", "url": "https://harbour.example/chart.png"}},
            ],
        },
    ]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"tools": (TOOL,), "tool_choice": "auto"}, {"tool_choice": {"type": "auto"}}),
        ({"tools": (TOOL,), "tool_choice": "required"}, {"tool_choice": {"type": "any"}}),
        ({"tools": (TOOL,), "tool_choice": "none"}, {"tool_choice": {"type": "none"}}),
        (
            {"tools": (TOOL,), "tool_choice": "tide", "parallel_tool_calls": False},
            {"tool_choice": {"type": "tool", "name": "tide", "disable_parallel_tool_use": True}},
        ),
        (
            {"tools": (TOOL,), "parallel_tool_calls": False},
            {
                "tools": [{"name": "tide", "description": TOOL.description, "input_schema": SCHEMA}],
                "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
            },
        ),
        (
            {"json_schema": SCHEMA, "reasoning_effort": "high"},
            {
                "output_config": {"effort": "high", "format": {"type": "json_schema", "schema": SCHEMA}},
                "thinking": {"type": "adaptive"},
            },
        ),
        ({"reasoning_effort": "minimal"}, {"output_config": {"effort": "low"}}),
        ({"reasoning_effort": "none"}, {"thinking": {"type": "disabled"}, "temperature": 0.0}),
        ({"top_p": 0.9, "top_k": 40, "stop": ("END",)}, {"top_p": 0.9, "top_k": 40, "stop_sequences": ["END"]}),
        ({"extra": {"metadata": {"user_id": "u-1"}}}, {"metadata": {"user_id": "u-1"}}),
        (
            {"caches_prompt": True, "tools": (TOOL,)},
            {"system": [{"type": "text", "text": "Passages: [1] Häfen 👋", "cache_control": {"type": "ephemeral"}}]},
        ),
        (
            {"caches_prompt": True},
            {
                "messages": [
                    {"role": "user", "content": [{"type": "text", "text": "And before?"}]},
                    {"role": "assistant", "content": [{"type": "text", "text": "Nothing."}]},
                    {
                        "role": "user",
                        "content": [{"type": "text", "text": "When?", "cache_control": {"type": "ephemeral"}}],
                    },
                ]
            },
        ),
    ],
)
async def test_every_option_in_its_words(provider: Server, options: dict[str, Any], told: dict[str, object]) -> None:
    """Each stands in the field that is documented for it; with thinking, no temperature goes out."""
    provider.reply = streams(NOON)
    await ask(model_at(provider), optional(**options))
    body = provider.bodies[0]
    assert body.items() >= told.items()
    assert ("temperature" in body) == (body.get("thinking", {"type": "disabled"})["type"] == "disabled")
    assert json.dumps(body).count("cache_control") == (2 if options.get("caches_prompt") else 0)


async def test_the_first_system_message_is_the_stable_one(provider: Server) -> None:
    """The hint covers the tools and it; what changes from question to question stands behind."""
    provider.reply = streams(NOON)
    messages = Message("system", "The rules."), Message("system", "Passages."), Message("user", "When?")
    asked = request(*messages, options=optional(caches_prompt=True).options)
    await ask(model_at(provider), asked)
    assert provider.bodies[0]["system"] == [
        {"type": "text", "text": "The rules.", "cache_control": {"type": "ephemeral"}},
        {"type": "text", "text": "Passages."},
    ]


async def test_a_stream_is_read(provider: Server) -> None:
    """The text, the end, and a usage that is the provider's: an estimate until it has said the last word."""
    provider.reply = streams(NOON)
    deltas = await ask(model_at(provider))
    assert text_of(deltas) == "Noon."
    assert [delta.finish_reason for delta in deltas if delta.finish_reason] == ["stop"]
    assert [delta.usage for delta in deltas if delta.usage] == [Usage(25, 1, estimated=True), Usage(25, 15)]
    assert {(delta.response_id, delta.response_model) for delta in deltas} == {("msg_1", "claude-9")}


@pytest.mark.parametrize(
    ("first", "last", "usage"),
    [
        (
            {
                "input_tokens": 4,
                "cache_creation_input_tokens": 100,
                "cache_read_input_tokens": 1000,
                "output_tokens": 2,
            },
            {"output_tokens": 30},
            Usage(1104, 30, cache_read_tokens=1000, cache_write_tokens=100),
        ),
        ({"input_tokens": 4, "output_tokens": 1}, {"input_tokens": 40, "output_tokens": 30}, Usage(40, 30)),
        ({"input_tokens": 4, "output_tokens": 1}, {}, Usage(4, 1)),
        ({}, {"output_tokens": 30}, None),
        ({}, {}, None),
    ],
)
async def test_usage_is_put_together(
    provider: Server, first: dict[str, int], last: dict[str, int], usage: Usage | None
) -> None:
    """What the cache held is part of the input; the last number of each kind counts."""
    provider.reply = streams(start(**first) + text("Noon.") + end("end_turn", **last))
    assert usage_of(await ask(model_at(provider))) == usage


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("refusal", "content_filter"),
        ("tool_use", "tool_calls"),
    ],
)
async def test_why_it_ended_is_told(provider: Server, reason: str, told: str) -> None:
    """Each stop reason by the name that all providers share, streamed or whole."""
    provider.reply = streams(START + text("Noon") + end(reason, output_tokens=2))
    assert (await ask(model_at(provider)))[-1].finish_reason == told
    provider.reply = refuses(200, {"content": [{"type": "text", "text": "Noon"}], "stop_reason": reason})
    assert (await ask(model_at(provider), request(is_streamed=False)))[-1].finish_reason == told


async def test_thoughts_and_tool_calls_are_read(provider: Server) -> None:
    """Thoughts apart from the text, signatures left out, and the arguments of each call in pieces."""
    provider.reply = streams(
        START,
        block(0, type="thinking", thinking="", signature=""),
        piece(0, "thinking_delta", thinking="Tides "),
        piece(0, "thinking_delta", thinking="turn."),
        piece(0, "signature_delta", signature="EqQB"),
        event("content_block_stop", index=0),
        text("Let me look.", index=1),
        block(2, type="tool_use", id="toolu_1", name="tide", input={}),
        piece(2, "input_json_delta", partial_json=""),
        piece(2, "input_json_delta", partial_json='{"berth":'),
        piece(2, "input_json_delta", partial_json=' "north"}'),
        event("content_block_stop", index=2),
        block(3, type="tool_use", id="toolu_2", name="tide", input={}),
        piece(3, "input_json_delta", partial_json="{}"),
        event("content_block_stop", index=3),
        event("something_new", at=1),
        end("tool_use", output_tokens=89),
    )
    deltas = await ask(model_at(provider), optional(tools=(TOOL,)))
    assert (text_of(deltas), thoughts_of(deltas)) == ("Let me look.", "Tides turn.")
    assert calls_of(deltas) == [("toolu_1", "tide", '{"berth": "north"}'), ("toolu_2", "tide", "{}")]


async def test_a_whole_answer_is_asked_for_at_once(provider: Server) -> None:
    """Where nobody reads along nothing is streamed; thoughts, text and calls come in one piece."""
    content = [
        {"type": "thinking", "thinking": "Tides turn.", "signature": "EqQB"},
        {"type": "text", "text": "Let me look."},
        {"type": "tool_use", "id": "toolu_1", "name": "tide", "input": {"berth": "north"}},
    ]
    usage = {"input_tokens": 25, "output_tokens": 40, "output_tokens_details": {"thinking_tokens": 9}}
    provider.reply = refuses(
        200, {"id": "msg_1", "model": "claude-9", "content": content, "stop_reason": "tool_use", "usage": usage}
    )
    (delta,) = await ask(model_at(provider), request(is_streamed=False))
    assert provider.bodies[0]["stream"] is False
    assert (delta.text, delta.reasoning, delta.finish_reason) == ("Let me look.", "Tides turn.", "tool_calls")
    assert (delta.usage, delta.response_id) == (Usage(25, 40, reasoning_tokens=9), "msg_1")
    assert calls_of([delta]) == [("toolu_1", "tide", '{"berth": "north"}')]


@pytest.mark.parametrize(
    ("status", "kind", "words", "wanted"),
    [
        (401, "authentication_error", f"invalid x-api-key {KEY}", "api_key_env"),
        (400, "invalid_request_error", "max_tokens: too large", "max_tokens: too large"),
        (413, "request_too_large", "Request exceeds the maximum size", "less text"),
        (429, "rate_limit_error", "This request would exceed your limit", "Wait a little"),
        (529, "overloaded_error", "Overloaded", "Wait a little"),
    ],
)
async def test_an_error_is_told_before_and_in_mid_stream(
    provider: Server, status: int, kind: str, words: str, wanted: str
) -> None:
    """As an answer and as an event it has the same status."""
    told = {"type": "error", "error": {"type": kind, "message": words}, "request_id": "req_1"}
    provider.reply = refuses(status, told, **{"retry-after": "3"})
    error, _ = await failure(model_at(provider))
    assert isinstance(error, ModelRefused)
    assert (error.status, error.retry_after_s) == (status, 3.0)
    assert wanted in str(error)
    provider.reply = streams(START, text("Noon"), event("error", error=told["error"]))
    error, said = await failure(model_at(provider))
    assert isinstance(error, ModelRefused)
    assert (error.status, said) == (status, "Noon")


@pytest.mark.parametrize(
    ("sent", "kind", "wanted"),
    [
        pytest.param([START, text("Noon")], ModelInterrupted, "ended its stream", id="no end"),
        pytest.param([START, text("Noon"), b"data: {half\n\n"], ModelInterrupted, "no message", id="no JSON"),
        pytest.param([START, text("Noon"), b"data: {}\n\n"], ModelInterrupted, "no message", id="no type"),
        pytest.param([START, text("Noon"), START], ModelInterrupted, "no message", id="a second beginning"),
        pytest.param([START, text("Noon"), text("Noon")], ModelInterrupted, "no message", id="a block twice"),
        pytest.param(
            [START, text("Noon"), piece(0, "text_delta", text=7)],
            ModelInterrupted,
            "no message",
            id="text that is none",
        ),
        pytest.param([START, text("Noon"), "reset"], ModelInterrupted, "cut the connection", id="a reset"),
        pytest.param([b"<html>hello</html>"], ModelInterrupted, "event stream", id="no stream"),
        pytest.param(
            [START, text("Noon"), 0.02, *[piece(1, "text_delta", text="x" * 400)] * 40],
            ModelRefused,
            "more than 0.01 MB",
            id="no end of it",
        ),
    ],
)
async def test_an_answer_that_breaks_off(
    provider: Server, sent: list[Any], kind: type[ModelError], wanted: str
) -> None:
    """What is no message, or none that ends, is an error; what came before was given out."""
    provider.reply = streams(*sent)
    error, said = await failure(model_at(provider, max_answer_bytes=10_000))
    assert type(error) is kind
    assert wanted in str(error)
    assert said.startswith("Noon") or kind is not ModelInterrupted or sent[0] != START


async def test_silence_is_noticed_in_spite_of_pings(provider: Server) -> None:
    """Neither a ping nor the beginning of a message is a token; the connection goes."""
    provider.reply = streams(START, *[PING, 0.05] * 100)
    error, _ = await failure(model_at(provider, first_token_s=0.4))
    assert type(error) is ModelTimedOut
    assert "sent nothing for 0.4 s" in str(error)
    await asyncio.wait_for(provider.hung_up.wait(), 3)


async def test_closing_the_stream_ends_the_call(provider: Server) -> None:
    """The server sees the connection go."""
    provider.reply = streams(START, text("Noon"), 30.0)
    stream = model_at(provider).stream(request())
    assert [(await anext(stream)).text for _ in range(2)] == ["", "Noon"]
    await stream.aclose()
    await asyncio.wait_for(provider.hung_up.wait(), 3)


async def test_a_temperature_that_a_model_refuses_is_left_out(provider: Server) -> None:
    """Newer models take none; Ken asks again without, and remembers it."""

    async def reply(asked: Any) -> Any:  # noqa: ANN401 - aiohttp's own
        sent = await asked.json()
        words = {"type": "error", "error": {"type": "invalid_request_error", "message": "`temperature` is deprecated"}}
        return await (refuses(400, words) if "temperature" in sent else streams(NOON))(asked)

    provider.reply = reply
    model = model_at(provider)
    for _ in range(2):
        assert text_of(await ask(model)) == "Noon."
    assert ["temperature" in sent for sent in provider.bodies] == [True, False, False]


async def test_an_answer_goes_on_where_it_was_cut(provider: Server) -> None:
    """With words that tell it to; or put into its mouth, without the blanks at its end, where the model takes that."""
    provider.reply = streams(NOON)
    asked = request(Message("user", "When?"), begun="At noon. ")
    await ask(model_at(provider), asked)
    assert [turn["role"] for turn in provider.bodies[0]["messages"]] == ["user", "assistant", "user"]
    await ask(model_at(provider, prefill=True), asked)
    begun = {"role": "assistant", "content": [{"type": "text", "text": "At noon."}]}
    assert provider.bodies[1]["messages"][-1] == begun
    schema = request(*asked.messages, begun="{", options=optional(json_schema=SCHEMA).options)
    await ask(model_at(provider, prefill=True), schema)
    assert provider.bodies[2]["messages"][-1]["role"] == "user"


@pytest.mark.parametrize(
    ("asked", "kind", "words"),
    [
        (optional(logprobs=True), Unsupported, "logprobs"),
        (optional(seed=7), Unsupported, "a seed"),
        (optional(frequency_penalty=0.5), Unsupported, "penalties"),
        (optional(logit_bias={"1": 1.0}), Unsupported, "logit bias"),
        (optional(json_schema={}), Unsupported, "JSON without a schema"),
        (optional(extra={"system": "You are free."}), Unsupported, "'system' can't be passed on"),
        (request(temperature=1.5), Unsupported, "temperature of 1.5"),
        (
            request(Message("assistant", "", tool_calls=(ToolCall(id="c1", name="tide", arguments="[1"),))),
            InvalidInput,
            "'tide'",
        ),
    ],
)
async def test_what_it_lacks_is_said_before_the_call(
    provider: Server, asked: ChatRequest, kind: type[Exception], words: str
) -> None:
    """Nothing goes out."""
    with pytest.raises(kind, match=words):
        await ask(model_at(provider), asked)
    assert provider.bodies == []
