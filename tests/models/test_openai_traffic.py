"""Traffic of OpenAI, Azure, vLLM, Ollama and llama.cpp, as each documents it: what Ken sends them, and what it reads."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncGenerator
from contextlib import ExitStack
from email.utils import formatdate
from typing import Any

import pytest
from aiohttp import web

from ken.domain.answer import Message
from ken.domain.usage import Usage
from ken.errors import DeadlineExceeded, ModelInterrupted, ModelRefused, ModelTimedOut, ModelUnavailable, Unsupported
from ken.models.capabilities import Capabilities, Feature
from ken.models.chat import ChatRequest
from ken.models.openai import Endpoint, OpenAIChat
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
from tests.models.provider import DONE, ROLE, USAGE, answers, chunk, data, refuses, streams

STOP = data(chunk(finish="stop"))
OPENAI_USAGE = {
    "prompt_tokens": 1200,
    "completion_tokens": 90,
    "total_tokens": 1290,
    "prompt_tokens_details": {"cached_tokens": 1024, "audio_tokens": 0},
    "completion_tokens_details": {
        "reasoning_tokens": 64,
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    },
}
OPENAI_COUNT = Usage(1200, 90, cache_read_tokens=1024, reasoning_tokens=64)


@pytest.fixture
async def provider() -> AsyncGenerator[Server]:
    async with serving() as server:
        yield server


def model_at(provider: Server, **more: Any) -> OpenAIChat:  # noqa: ANN401 - the endpoint's own
    given: dict[str, Any] = {"base_url": provider.url, "model": "m-1", "api_key": KEY, "first_token_s": 5, "stall_s": 5}
    return OpenAIChat("mine", Endpoint(**(given | more)), connections=provider.pool)


def delta(finish: str | None = None, logprobs: object = None, **fields: object) -> dict[str, Any]:
    """A chunk with these fields in its delta."""
    choice = {"index": 0, "delta": fields, "logprobs": logprobs, "finish_reason": finish}
    return {**chunk(), "choices": [choice]}


def completion(finish: str | None = "stop", logprobs: object = None, **message: object) -> dict[str, Any]:
    """A whole chat completion object."""
    choice = {"index": 0, "message": {"role": "assistant", **message}, "logprobs": logprobs, "finish_reason": finish}
    return {"id": "chatcmpl-9", "object": "chat.completion", "created": 1, "model": "m-1-0613", "choices": [choice]}


async def test_a_conversation_with_tools_and_images_goes_out(provider: Server) -> None:
    """Calls, their results and images stand in the documented fields."""
    provider.reply = answers("Noon.")
    await ask(model_at(provider), request(*HISTORY))
    assert provider.bodies[0]["messages"] == [
        {"role": "system", "content": "Answer in one word."},
        {"role": "user", "content": "When is high water here, and there?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "tide", "arguments": '{"berth": "north"}'}},
                {"id": "c2", "type": "function", "function": {"name": "tide", "arguments": '{"berth": "south"}'}},
            ],
        },
        {"role": "tool", "content": "06:40", "tool_call_id": "c1"},
        {"role": "tool", "content": "07:15", "tool_call_id": "c2"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "And in this picture?"},
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}", "detail": "low"}},
            ],
        },
    ]


async def test_every_option_goes_out_by_its_own_name(provider: Server) -> None:
    """What was asked for and nothing else; parameters that Ken doesn't know are passed on as they are."""
    provider.reply = answers("Noon.")
    options = optional(
        tools=(TOOL,),
        tool_choice="tide",
        parallel_tool_calls=False,
        json_schema=SCHEMA,
        schema_name="place",
        top_p=0.9,
        top_k=40,
        stop=("\n\n", "END"),
        seed=7,
        frequency_penalty=0.1,
        presence_penalty=-0.2,
        logit_bias={"50256": -100},
        logprobs=True,
        top_logprobs=2,
        reasoning_effort="low",
        caches_prompt=True,
        extra={"user": "u-1", "min_p": 0.05},
    )
    await ask(model_at(provider), options)
    body = provider.bodies[0]
    for name in ("model", "messages", "stream", "stream_options", "max_tokens", "temperature"):
        del body[name]
    assert body == {
        "tools": [
            {"type": "function", "function": {"name": "tide", "description": TOOL.description, "parameters": SCHEMA}}
        ],
        "tool_choice": {"type": "function", "function": {"name": "tide"}},
        "parallel_tool_calls": False,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "place", "schema": SCHEMA, "strict": True},
        },
        "top_p": 0.9,
        "top_k": 40,
        "stop": ["\n\n", "END"],
        "seed": 7,
        "frequency_penalty": 0.1,
        "presence_penalty": -0.2,
        "logit_bias": {"50256": -100},
        "logprobs": True,
        "top_logprobs": 2,
        "reasoning_effort": "low",
        "user": "u-1",
        "min_p": 0.05,
    }


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"json_schema": {}}, {"response_format": {"type": "json_object"}}),
        (
            {"json_schema": {"type": "object", "properties": {"a": {"type": "string"}}}},
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {
                        "name": "answer",
                        "schema": {"type": "object", "properties": {"a": {"type": "string"}}},
                        "strict": False,
                    },
                }
            },
        ),
        ({"tools": (TOOL,), "tool_choice": "required"}, {"tool_choice": "required"}),
    ],
)
async def test_options_in_their_other_forms(provider: Server, options: dict[str, Any], told: dict[str, object]) -> None:
    """An open schema is not promised to be held to the letter: OpenAI would refuse it as strict."""
    provider.reply = answers("{}")
    await ask(model_at(provider), optional(**options))
    assert provider.bodies[0].items() >= told.items()


@pytest.mark.parametrize(
    ("more", "path", "header"),
    [
        ({}, "/v1/chat/completions", ("Authorization", f"Bearer {KEY}")),
        (
            {"base_url": "/openai/deployments/gpt", "is_azure": True, "api_version": "2024-10-21"},
            "/openai/deployments/gpt/chat/completions?api-version=2024-10-21",
            ("api-key", KEY),
        ),
        ({"base_url": "/openai/v1/", "is_azure": True}, "/openai/v1/chat/completions", ("api-key", KEY)),
    ],
)
async def test_where_it_goes_and_with_which_key(
    provider: Server, more: dict[str, Any], path: str, header: tuple[str, str]
) -> None:
    """OpenAI's form, Azure's for deployments and Azure's newer one; the key in one header alone."""
    provider.reply = answers("Noon.")
    if "base_url" in more:
        more = {**more, "base_url": provider.url.replace("/v1", more["base_url"])}
    await ask(model_at(provider, **more))
    assert provider.paths == [path]
    assert [(name, value) for name, value in provider.headers[0].items() if KEY in value] == [header]


AZURE_FILTER = {"hate": {"filtered": False, "severity": "safe"}}


@pytest.mark.parametrize(
    ("sent", "text", "thoughts", "usage"),
    [
        pytest.param(
            [
                data({**delta(role="assistant", content="", refusal=None), "obfuscation": "a1"}),
                data({**delta(content="Noon"), "obfuscation": "f3Kq"}),
                data({**delta(content="."), "obfuscation": "9w"}),
                data({**delta("stop"), "usage": None}),
                data({**chunk(), "choices": [], "usage": OPENAI_USAGE}),
                DONE,
            ],
            "Noon.",
            "",
            OPENAI_COUNT,
            id="OpenAI",
        ),
        pytest.param(
            [data({**delta(content="Noon"), "obfuscation": "f3Kq"})] * 2 + [STOP, DONE],
            "Noon",
            "",
            None,
            id="OpenAI, a chunk sent twice",
        ),
        pytest.param([data(delta(content="ha"))] * 2 + [STOP, DONE], "haha", "", None, id="a word that is said twice"),
        pytest.param(
            [
                data({"choices": [], "id": "", "prompt_filter_results": [{"prompt_index": 0}], "usage": None}),
                data(ROLE),
                data({**delta(content="Noon.")} | {"content_filter_results": AZURE_FILTER}),
                data(delta("stop")),
                data({**chunk(), "choices": [], "usage": OPENAI_USAGE}),
                DONE,
            ],
            "Noon.",
            "",
            OPENAI_COUNT,
            id="Azure",
        ),
        pytest.param(
            [
                data({**delta(role="assistant", content=""), "usage": {"prompt_tokens": 9, "completion_tokens": 0}}),
                data({**delta(reasoning="Tides "), "usage": {"prompt_tokens": 9, "completion_tokens": 1}}),
                data({**delta(reasoning="turn."), "usage": {"prompt_tokens": 9, "completion_tokens": 2}}),
                data({**delta(content="Noon"), "usage": {"prompt_tokens": 9, "completion_tokens": 3}}),
                data({**delta(content="Noon"), "usage": {"prompt_tokens": 9, "completion_tokens": 3}}),
                data({**delta(content="."), "usage": {"prompt_tokens": 9, "completion_tokens": 4}}),
                data({**delta("stop", content=""), "usage": {"prompt_tokens": 9, "completion_tokens": 5}}),
                data({**chunk(), "choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 5}}),
                DONE,
            ],
            "Noon.",
            "Tides turn.",
            Usage(9, 5),
            id="vLLM, usage in every chunk, one sent twice",
        ),
        pytest.param(
            [
                data(delta(reasoning_content="Tides turn.", reasoning="Tides turn.")),
                data(delta(content="Noon.")),
                data(delta("stop")),
                DONE,
            ],
            "Noon.",
            "Tides turn.",
            None,
            id="vLLM, thoughts under both names",
        ),
        pytest.param(
            [
                data(
                    {**delta(role="assistant", content="", reasoning="Tides turn."), "system_fingerprint": "fp_ollama"}
                ),
                data(delta(role="assistant", content="Noon.")),
                data({**delta("stop", role="assistant", content=""), "usage": USAGE}),
                DONE,
            ],
            "Noon.",
            "Tides turn.",
            Usage(120, 7),
            id="Ollama",
        ),
        pytest.param(
            [
                data(delta(role="assistant", content=None)),
                data(delta(reasoning_content="Tides turn.")),
                data(delta(content="Noon.")),
                data({**delta("stop"), "timings": {"prompt_n": 120, "predicted_n": 7}}),
                data({**chunk(), "choices": [], "usage": USAGE, "timings": {"prompt_n": 120}}),
                DONE,
            ],
            "Noon.",
            "Tides turn.",
            Usage(120, 7),
            id="llama.cpp",
        ),
        pytest.param(
            [
                data(delta(content="Noon.")),
                data(
                    {**delta("stop"), "usage": {**USAGE, "prompt_cache_hit_tokens": 64, "prompt_cache_miss_tokens": 56}}
                ),
                DONE,
            ],
            "Noon.",
            "",
            Usage(120, 7, cache_read_tokens=64),
            id="DeepSeek",
        ),
        pytest.param(
            [data(delta(refusal="I can't")), data(delta(refusal=" say.")), STOP, DONE],
            "I can't say.",
            "",
            None,
            id="refusal",
        ),
    ],
)
async def test_streams_as_each_server_sends_them(
    provider: Server, sent: list[bytes], text: str, thoughts: str, usage: Usage | None
) -> None:
    """Text, thoughts and usage are read from the fields that each server has for them."""
    provider.reply = streams(*sent)
    deltas = await ask(model_at(provider))
    assert (text_of(deltas), thoughts_of(deltas), usage_of(deltas)) == (text, thoughts, usage)
    assert [each.finish_reason for each in deltas if each.finish_reason] == ["stop"]


def calling(index: int | None, call_id: str | None, name: str | None, arguments: object) -> bytes:
    """A chunk with a piece of a tool call."""
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    piece: dict[str, object] = {"type": "function", "function": function}
    piece |= {key: value for key, value in (("index", index), ("id", call_id)) if value is not None}
    return data(delta(tool_calls=[piece]))


@pytest.mark.parametrize(
    ("sent", "calls"),
    [
        pytest.param(
            [
                calling(0, "call_1", "tide", ""),
                calling(0, None, None, '{"berth"'),
                calling(0, None, None, ': "north"}'),
                calling(1, "call_2", "tide", ""),
                calling(1, None, None, "{}"),
            ],
            [("call_1", "tide", '{"berth": "north"}'), ("call_2", "tide", "{}")],
            id="in pieces, as OpenAI sends them",
        ),
        pytest.param(
            [calling(None, "call_1", "tide", '{"berth": "north"}')],
            [("call_1", "tide", '{"berth": "north"}')],
            id="whole and without an index",
        ),
        pytest.param(
            [calling(0, "call_1", "tide", {"berth": "north"})],
            [("call_1", "tide", '{"berth": "north"}')],
            id="arguments as an object",
        ),
    ],
)
async def test_tool_calls_are_passed_on_in_pieces(
    provider: Server, sent: list[bytes], calls: list[tuple[str, str, str]]
) -> None:
    """Put together they are the calls; the finish reason says that they are to be made."""
    provider.reply = streams(data(ROLE), *sent, data(delta("tool_calls")), DONE)
    deltas = await ask(model_at(provider), optional(tools=(TOOL,)))
    assert calls_of(deltas) == calls
    assert deltas[-1].finish_reason == "tool_calls"


async def test_logprobs_and_whose_answer_it_is_come_along(provider: Server) -> None:
    """The log probabilities of a piece are those that the provider sends; so are its id and the model's full name."""
    of_noon = [{"token": "Noon", "logprob": -0.1, "bytes": [78], "top_logprobs": []}]
    provider.reply = streams(data(delta(content="Noon", logprobs={"content": of_noon})), STOP, DONE)
    first, *_ = await ask(model_at(provider), optional(logprobs=True))
    assert (first.logprobs, first.response_id, first.response_model) == (of_noon, "chatcmpl-1", "m-1")


async def test_a_whole_answer_is_asked_for_at_once(provider: Server) -> None:
    """Where nobody reads along nothing is streamed, and all that a stream would bring is in the one piece that comes."""
    call = {"id": "c1", "type": "function", "function": {"name": "tide", "arguments": "{}"}}
    body = completion(
        "length", {"content": [{"token": "Noon"}]}, content="Noon", reasoning_content="Tides turn.", tool_calls=[call]
    )
    provider.reply = refuses(200, {**body, "usage": OPENAI_USAGE})
    (delta,) = await ask(model_at(provider), request(is_streamed=False))
    assert (provider.bodies[0]["stream"], "stream_options" in provider.bodies[0]) == (False, False)
    assert (delta.text, delta.reasoning, delta.finish_reason, delta.usage) == (
        "Noon",
        "Tides turn.",
        "length",
        OPENAI_COUNT,
    )
    assert calls_of([delta]) == [("c1", "tide", "{}")]
    assert (delta.logprobs, delta.response_id, delta.response_model) == ([{"token": "Noon"}], "chatcmpl-9", "m-1-0613")


@pytest.mark.parametrize(
    ("body", "kind", "wanted"),
    [
        (b"<html>Welcome</html>", ModelInterrupted, "not a chat completion"),
        (b'{"choices": [{"message": {"content": "half', ModelInterrupted, "not a chat completion"),
        ({"choices": []}, ModelInterrupted, "not a chat completion"),
        ({"error": {"message": "no room", "code": 503}}, ModelRefused, "no room"),
        ({"error": "no room"}, ModelInterrupted, "no room"),
    ],
)
async def test_a_whole_answer_that_is_none(
    provider: Server, body: bytes | dict[str, Any], kind: type[Exception], wanted: str
) -> None:
    """What can't be read is an error, and never an empty answer."""
    provider.reply = refuses(200, body)
    error, said = await failure(model_at(provider), request(is_streamed=False))
    assert (type(error), said) == (kind, "")
    assert wanted in str(error)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "0.5"}, 0.5),
        ({"Retry-After": "20", "retry-after-ms": "1500"}, 1.5),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "-3"}, 0.0),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({}, None),
    ],
)
async def test_the_wait_that_a_server_asks_for_is_told(
    provider: Server, headers: dict[str, str], wait: float | None
) -> None:
    """Seconds, milliseconds or a date; the error has them, with its status."""
    provider.reply = refuses(429, {"error": {"message": "Rate limit reached"}}, **headers)
    error, _ = await failure(model_at(provider))
    assert isinstance(error, ModelRefused)
    assert (error.status, error.retry_after_s) == (429, wait)


async def test_a_date_to_come_is_a_wait(provider: Server) -> None:
    """It counts from now."""
    provider.reply = refuses(503, b"", **{"Retry-After": formatdate(time.time() + 60, usegmt=True)})
    error, _ = await failure(model_at(provider))
    assert isinstance(error, ModelRefused)
    assert error.retry_after_s is not None
    assert 50 < error.retry_after_s <= 60


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ({"message": "Rate limit reached", "type": "rate_limit_error", "code": "rate_limit_exceeded"}, 429),
        ({"message": "The server had an error", "type": "server_error", "code": None}, 500),
        ({"message": "out of memory", "type": "InternalServerError", "code": 500}, 500),
        ({"message": "busy", "code": "503"}, 503),
    ],
)
async def test_an_error_in_mid_stream_has_its_status(provider: Server, error: dict[str, object], status: int) -> None:
    """By number or by type, as it would have had it before the first piece."""
    provider.reply = streams(data(delta(content="Noon")), data({"error": error}))
    raised, said = await failure(model_at(provider))
    assert isinstance(raised, ModelRefused)
    assert (raised.status, said) == (status, "Noon")


async def test_an_answer_that_never_ends_is_given_up(provider: Server) -> None:
    """In many pieces, in one line, or whole: over its limit it is an error that no retry repeats, and the connection goes."""
    many = streams(*[data(delta(content="x" * 400))] * 30, 30.0)
    one_line = streams(b"data: " + b"x" * 50_000, 30.0)
    whole = refuses(200, completion(content="x" * 60_000))
    for reply, streamed in ((many, True), (one_line, True), (whole, False)):
        provider.reply = reply
        model = model_at(provider, max_answer_bytes=10_000)
        error, said = await failure(model, request(is_streamed=streamed))
        assert isinstance(error, ModelRefused)
        assert error.status is None
        assert "wrote more than 0.01 MB" in str(error)
        assert len(said) <= 10_000


async def test_an_answer_goes_on_where_it_was_cut(provider: Server) -> None:
    """What is there already is the model's own turn; words tell it to go on, or, where it can, it is put into its mouth."""
    provider.reply = answers("and six.")
    asked = request(Message("user", "When?"), begun="At noon. At five ")
    await ask(model_at(provider), asked)
    *_, begun, word = provider.bodies[0]["messages"]
    assert begun == {"role": "assistant", "content": "At noon. At five "}
    assert word["role"] == "user"
    assert "cut off" in word["content"]
    await ask(model_at(provider, prefill=True), asked)
    body = provider.bodies[1]
    assert body["messages"][-1] == begun
    assert (body["continue_final_message"], body["add_generation_prompt"]) == (True, False)


@pytest.mark.parametrize(
    ("lacks", "asked", "words", "param"),
    [
        (["images"], request(*HISTORY[-1:]), "images", "messages"),
        (["tools"], request(*HISTORY[:-1]), "tools", "tools"),
        (["tools"], optional(tools=(TOOL,)), "tools", "tools"),
        (["json_schema"], optional(json_schema=SCHEMA), "a JSON schema", "response_format"),
        (["logprobs"], optional(logprobs=True), "logprobs", "logprobs"),
        ([], optional(extra={"n": 2}), "'n' can't be passed on", "n"),
        ([], optional(extra={"max_completion_tokens": 9}), "can't be passed on", "max_completion_tokens"),
    ],
)
async def test_what_a_model_lacks_is_said_before_the_call(
    provider: Server,
    lacks: list[Feature],
    asked: ChatRequest,
    words: str,
    param: str,
) -> None:
    """The error names what is lacking and the parameter; nothing goes out."""
    with pytest.raises(Unsupported) as raised:
        await ask(model_at(provider, capabilities=Capabilities().without(lacks)), asked)
    assert words in str(raised.value)
    assert raised.value.param == param
    assert provider.bodies == []


async def test_openai_itself_and_azure_know_no_top_k() -> None:
    """All others do; these would refuse it."""
    for endpoint in (
        Endpoint(base_url="https://api.openai.com/v1", model="m-1"),
        Endpoint(base_url="https://harbour.openai.azure.com/openai/v1", model="m-1", is_azure=True),
    ):
        with pytest.raises(Unsupported, match="top_k"):
            await ask(OpenAIChat("mine", endpoint), optional(top_k=40))


async def silent(_: web.Request) -> web.StreamResponse:
    """Take the request and say nothing at all."""
    await asyncio.sleep(30)
    raise AssertionError("nobody waits so long")


async def test_four_time_outs_have_four_errors(provider: Server) -> None:
    """Connection, first token, stall and completion: each says what was waited for, how long, and which setting decides."""
    noon = data(delta(content="Noon"))
    cases: list[tuple[Any, dict[str, Any], dict[str, Any], str, str]] = [
        (silent, {"first_token_s": 0.3}, {}, "sent nothing for 0.3 s", "`first_token_s`"),
        (streams(data(ROLE), 30.0), {"first_token_s": 0.3}, {}, "sent nothing for 0.3 s", "`first_token_s`"),
        (
            streams(noon, 30.0),
            {"stall_s": 0.3},
            {},
            "fell silent in mid-answer: it sent nothing for 0.3 s",
            "`stall_s`",
        ),
        (streams(*[noon, 0.05] * 100), {"completion_s": 0.4}, {}, "complete its answer within 0.4 s", "`completion_s`"),
        (silent, {"completion_s": 0.3}, {"is_streamed": False}, "complete its answer within 0.3 s", "`completion_s`"),
        (silent, {}, {"is_streamed": False, "deadline_s": 0.6}, "complete its answer within 0.", "`completion_s`"),
        (
            streams(b'{"id":', 30.0, content_type="application/json"),
            {"stall_s": 0.3},
            {"is_streamed": False},
            "fell silent",
            "`stall_s`",
        ),
    ]
    for reply, patience, more, words, setting in cases:
        provider.reply = reply
        provider.hung_up.clear()
        model = model_at(provider, **patience)
        error, _ = await failure(model, request(**more))
        assert type(error) is ModelTimedOut
        assert words in str(error)
        assert setting in str(error)
        await asyncio.wait_for(provider.hung_up.wait(), 3)


async def test_a_connection_that_is_not_taken(provider: Server) -> None:
    """Where nobody takes the connection, that is what the error says, and no first token is waited for."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, ExitStack() as waiting:
        for _ in range(4):  # its queue is full: the kernel lets further ones wait
            client = waiting.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(full.getsockname())
        model = model_at(provider, base_url=f"http://127.0.0.1:{full.getsockname()[1]}/v1", connect_s=0.3)
        error, _ = await failure(model)
    assert type(error) is ModelUnavailable
    assert "did not take the connection within 0.3 s" in str(error)


async def test_a_server_that_speaks_no_tls(provider: Server) -> None:
    """A handshake that fails is a connection that can't be had; so is a head that is no HTTP."""
    error, _ = await failure(model_at(provider, base_url=provider.url.replace("http:", "https:")))
    assert type(error) is ModelUnavailable
    assert "can't be reached" in str(error)

    async def babble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"+OK ready\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(babble, "127.0.0.1", 0) as other:
        port = other.sockets[0].getsockname()[1]
        error, _ = await failure(model_at(provider, base_url=f"http://127.0.0.1:{port}/v1"))
    assert type(error) is ModelUnavailable


async def test_a_whole_answer_keeps_to_the_deadline(provider: Server) -> None:
    """The question's time counts, whatever the table allows."""
    provider.reply = silent
    error, _ = await failure(model_at(provider, completion_s=60), request(deadline_s=0.3, is_streamed=False))
    assert type(error) is DeadlineExceeded
    await asyncio.wait_for(provider.hung_up.wait(), 3)
