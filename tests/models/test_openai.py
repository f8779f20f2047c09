"""The OpenAI-compatible provider against a real server: what goes out, every shape of answer, every way to fail."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import AsyncGenerator

import pytest
from aiohttp import web

from ken.domain.usage import Usage
from ken.errors import DeadlineExceeded, ModelInterrupted, ModelRefused, ModelTimedOut, ModelUnavailable
from ken.models.openai import Endpoint, OpenAIChat
from tests.models.asking import KEY, ask, failure, request, text_of, usage_of
from tests.models.provider import DONE, ROLE, USAGE, Provider, Reply, answers, chunk, data, refuses, streams

STOP = data(chunk(finish="stop"))
TEXT = data(chunk("Hello")) + data(chunk(" world."))


@pytest.fixture
async def provider() -> AsyncGenerator[Provider]:
    started = Provider()
    await started.start()
    yield started
    await started.stop()


@pytest.fixture
async def model(provider: Provider) -> AsyncGenerator[OpenAIChat]:
    made = OpenAIChat("mine", Endpoint(base_url=provider.url, model="m-1", api_key=KEY, first_token_s=5, stall_s=5))
    yield made
    await made.aclose()


async def test_what_goes_out(provider: Provider, model: OpenAIChat, caplog: pytest.LogCaptureFixture) -> None:
    """The body is the documented one, the key stands in its header alone, and in no log."""
    provider.reply = answers("Hello world.")
    with caplog.at_level(logging.DEBUG):
        await ask(model, request(max_tokens=50))
    assert provider.bodies == [
        {
            "model": "m-1",
            "messages": [
                {"role": "system", "content": "Passages: [1] Häfen 👋"},
                {"role": "user", "content": "And before?"},
                {"role": "assistant", "content": "Nothing."},
                {"role": "user", "content": "When?"},
            ],
            "stream": True,
            "max_tokens": 50,
            "temperature": 0.0,
            "stream_options": {"include_usage": True},
        }
    ]
    assert provider.headers[0]["Authorization"] == f"Bearer {KEY}"
    assert provider.headers[0]["Content-Type"].startswith("application/json")
    assert KEY not in caplog.text + repr(model)


async def test_the_smaller_limit_of_tokens_counts(provider: Provider) -> None:
    """A question can ask for less than the operator allows, and for no more."""
    provider.reply = answers("Hello.")
    model = OpenAIChat("mine", Endpoint(base_url=f"{provider.url}/", model="m-1", max_tokens=100))
    for asked in (None, 30, 5000):
        await ask(model, request(max_tokens=asked))
    await model.aclose()
    assert [body["max_tokens"] for body in provider.bodies] == [100, 30, 100]
    assert "Authorization" not in provider.headers[0]


@pytest.mark.parametrize(
    ("sent", "usage"),
    [
        pytest.param(
            [TEXT, STOP, data({"choices": [], "usage": USAGE}), DONE], Usage(120, 7), id="usage in the last chunk"
        ),
        pytest.param([TEXT, data(chunk(finish="stop", usage=USAGE)), DONE], Usage(120, 7), id="usage with the reason"),
        pytest.param(
            [
                data(chunk("Hello", usage={**USAGE, "completion_tokens": 1})),
                data(chunk(" world.", usage={**USAGE, "completion_tokens": 3})),
                data(chunk(finish="stop", usage=USAGE)),
                DONE,
            ],
            Usage(120, 7),
            id="usage in each chunk",
        ),
        pytest.param([data(chunk("Hello world.", usage=None)), STOP, DONE], None, id="usage missing"),
        pytest.param([TEXT, STOP, data(chunk(usage={"prompt_tokens": None})), DONE], None, id="usage without numbers"),
        pytest.param(
            [TEXT, STOP, DONE, data({"choices": [], "usage": USAGE})], Usage(120, 7), id="usage after the end"
        ),
        pytest.param([TEXT, STOP], None, id="no [DONE]"),
        pytest.param([TEXT, DONE], None, id="no finish reason"),
        pytest.param([data(ROLE), TEXT, STOP, DONE], None, id="a delta with the role alone"),
        pytest.param([data({"choices": []}), TEXT, STOP, DONE], None, id="empty choices"),
        pytest.param([data({**ROLE, "error": None}), TEXT, STOP, DONE], None, id="an error of null"),
        pytest.param(
            [b": ping\n\nevent: message\nid: 1\n", TEXT, b":\n\n", STOP, DONE], None, id="comments and fields"
        ),
        pytest.param([(TEXT + STOP + DONE).replace(b"\n", b"\r\n")], None, id="CRLF"),
        pytest.param([(TEXT + STOP + DONE).replace(b"data: ", b"data:")], None, id="no blank after the colon"),
        pytest.param([(TEXT + STOP + DONE).replace(b"\n\n", b"\n")], None, id="no blank lines"),
        pytest.param([bytes([byte]) for byte in TEXT[-60:].join([TEXT[:-60], STOP])], None, id="byte by byte"),
        pytest.param(
            [TEXT, STOP, data({"error": {"message": "late"}}), b"data: {\n\n"], None, id="nonsense after the end"
        ),
        pytest.param([TEXT, STOP, "reset"], None, id="a reset after the end"),
    ],
)
async def test_every_shape_of_a_stream_is_read(
    provider: Provider, model: OpenAIChat, sent: list[bytes | str], usage: Usage | None
) -> None:
    """The same text, the usage where it was told, and an end."""
    provider.reply = streams(*sent)
    deltas = await ask(model)
    assert text_of(deltas) == "Hello world."
    assert usage_of(deltas) == usage


async def test_characters_come_whole_over_packets(provider: Provider, model: OpenAIChat) -> None:
    """A character of several bytes that two packets share is one character."""
    sent = data(chunk("Äpfel, 日本, 👋🏽.")) + STOP + DONE
    provider.reply = streams(*(sent[at : at + 3] for at in range(0, len(sent), 3)))
    assert text_of(await ask(model)) == "Äpfel, 日本, 👋🏽."


@pytest.mark.parametrize(
    ("reason", "told"), [("length", "length"), ("stop", "stop"), ("eos", "stop"), ("content_filter", "content_filter")]
)
async def test_the_finish_reason_is_told(provider: Provider, model: OpenAIChat, reason: str, told: str) -> None:
    """An answer that was cut at its greatest length, or by its provider's filter, says so."""
    provider.reply = streams(TEXT, data(chunk(finish=reason)), DONE)
    assert [delta.finish_reason for delta in await ask(model) if delta.finish_reason] == [told]


async def test_a_connection_is_used_again(provider: Provider, model: OpenAIChat) -> None:
    """A stream is read to its end, so that the next question needs no new connection."""
    provider.reply = answers("Hello.")
    for _ in range(3):
        await ask(model)
    assert len(provider.connections) == 1


async def test_a_server_that_stays_connected_holds_nothing_up(provider: Provider, model: OpenAIChat) -> None:
    """After the answer's end, Ken waits for the usage a moment and no longer."""
    provider.reply = streams(TEXT, STOP, DONE, 30.0)
    started = time.monotonic()
    assert text_of(await ask(model)) == "Hello world."
    assert time.monotonic() - started < 3


async def test_nobody_listens() -> None:
    """A refused connection is ModelUnavailable, and the remedy is to start the server."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    model = OpenAIChat("mine", Endpoint(base_url=f"http://127.0.0.1:{port}/v1", model="m-1", api_key=KEY))
    error, _ = await failure(model)
    await model.aclose()
    assert type(error) is ModelUnavailable
    assert "base_url" in str(error)


@pytest.mark.parametrize(
    ("status", "body", "wanted"),
    [
        (401, {"error": {"message": f"Incorrect API key provided: {KEY}.", "code": "invalid_api_key"}}, "api_key_env"),
        (403, {"error": {"message": "Country not supported", "type": "forbidden"}}, "api_key_env"),
        (404, {"error": {"message": "The model `m-1` does not exist", "code": "model_not_found"}}, "does not exist"),
        (404, b"404 page not found", "page not found"),
        (429, {"error": {"message": "Rate limit reached for m-1", "type": "tokens"}}, "Rate limit reached"),
        (500, {"error": {"message": "The server had an error", "type": "server_error"}}, "The server had an error"),
        (500, b"<html><body>\n<h1>502 Bad\x1b[2J Gateway</h1>\n</body></html>", "Bad\\x1b[2J Gateway"),
        (400, {"object": "error", "message": "maximum context length is 2048 tokens", "code": 400}, "context_tokens"),
        (404, {"error": "model 'm-1' not found, try pulling it first"}, "try pulling it first"),
        (422, {"detail": [{"loc": ["body"], "msg": "field required"}]}, "field required"),
        (503, b"", "(nothing more)"),
        (302, b"", "302"),
        (500, b"x" * 200_000, "answered 500"),
    ],
)
async def test_an_error_answer_is_refused(
    provider: Provider, model: OpenAIChat, status: int, body: bytes, wanted: str
) -> None:
    """ModelRefused with the status and the words, in OpenAI's form and in others, on one line and short."""
    provider.reply = refuses(status, body, location="http://127.0.0.1:9/elsewhere")
    error, _ = await failure(model)
    assert type(error) is ModelRefused
    assert f"answered {status}" in str(error)
    assert wanted in str(error)
    assert len(str(error)) < 700


async def test_a_refusal_that_never_ends(provider: Provider, model: OpenAIChat) -> None:
    """An error answer whose body doesn't come is still an error answer."""

    async def reply(asked: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=500)
        await response.prepare(asked)
        await response.write(b'{"error": {"message": "cut')
        await asyncio.sleep(30)
        return response

    provider.reply = reply
    error, _ = await failure(model)
    assert type(error) is ModelRefused


@pytest.mark.parametrize("parameter", ["max_tokens", "temperature", "stream_options"])
async def test_a_parameter_that_a_model_refuses_is_left_out(
    provider: Provider, model: OpenAIChat, parameter: str
) -> None:
    """Models that think take `max_completion_tokens` and no temperature; Ken asks again so, and remembers it."""
    body = {
        "error": {
            "message": f"Unsupported parameter: '{parameter}'",
            "param": parameter,
            "type": "invalid_request_error",
        }
    }

    async def reply(asked: web.Request) -> web.StreamResponse:
        sent = await asked.json()
        return await (refuses(400, body) if parameter in sent else answers("Hello world."))(asked)

    provider.reply = reply
    for _ in range(2):
        assert text_of(await ask(model)) == "Hello world."
    assert [parameter in sent for sent in provider.bodies] == [True, False, False]
    assert provider.bodies[1].get("max_completion_tokens") == (800 if parameter == "max_tokens" else None)


async def test_a_parameter_refused_again_is_an_error(provider: Provider, model: OpenAIChat) -> None:
    """A server that goes on about the same parameter is asked twice, and no more."""
    provider.reply = refuses(400, {"error": {"message": "no", "param": "temperature"}})
    error, _ = await failure(model)
    assert type(error) is ModelRefused
    assert len(provider.bodies) == 2


@pytest.mark.parametrize(
    ("sent", "wanted"),
    [
        pytest.param([TEXT, "cut"], "mid-answer", id="the connection is closed"),
        pytest.param([TEXT, 0.05, "reset"], "cut the connection", id="the connection is reset"),
        pytest.param([TEXT], "ended its stream", id="an end without a finish"),
        pytest.param([TEXT, b"data: {nonsense\n\n"], "not a chat completion", id="a chunk that is no JSON"),
        pytest.param([TEXT, b"data: [1, 2]\n\n"], "not a chat completion", id="a chunk that is a list"),
        pytest.param([TEXT, b'data: {"choices": "x"}\n\n'], "not a chat completion", id="choices that are none"),
        pytest.param(
            [TEXT, b'data: {"choices": [{"delta": {"content": 7}}]}\n\n'], "not a chat", id="content that is no text"
        ),
        pytest.param([TEXT, b"data: \xff\xfe\n\n"], "not a chat completion", id="bytes that are no text"),
        pytest.param(
            [TEXT, data({"error": {"message": f"out of memory {KEY}"}})], "out of memory", id="an error object"
        ),
        pytest.param([TEXT, data({"error": "overloaded"})], "overloaded", id="an error in words"),
    ],
)
async def test_an_answer_that_breaks_off(
    provider: Provider, model: OpenAIChat, sent: list[bytes | float | str], wanted: str
) -> None:
    """ModelInterrupted; what came before was given out."""
    provider.reply = streams(*sent)
    error, said = await failure(model)
    assert type(error) is ModelInterrupted
    assert wanted in str(error)
    assert said == "Hello world."


async def test_an_answer_that_is_no_stream(provider: Provider, model: OpenAIChat) -> None:
    """A server that answers with something else is named for it."""
    provider.reply = streams(b"<html>Welcome</html>", content_type="text/html")
    error, _ = await failure(model)
    assert type(error) is ModelInterrupted
    assert "text/html" in str(error)


async def silent(_: web.Request) -> web.StreamResponse:
    """Take the request and say nothing at all."""
    await asyncio.sleep(30)
    raise AssertionError("nobody waits so long")


@pytest.mark.parametrize(
    ("reply", "wanted"),
    [
        pytest.param(silent, "sent nothing for 0.6 s", id="no head"),
        pytest.param(streams(data(ROLE), 30.0), "sent nothing for 0.6 s", id="no first token"),
        pytest.param(streams(*[b": ping\n\n", 0.05] * 100), "sent nothing for 0.6 s", id="comments alone"),
    ],
)
async def test_a_server_that_falls_silent(provider: Provider, reply: Reply, wanted: str) -> None:
    """After the time-out it is ModelTimedOut, and the settings that decide about it are named."""
    provider.reply = reply
    endpoint = Endpoint(base_url=provider.url, model="m-1", api_key=KEY, first_token_s=0.6, stall_s=5)
    model = OpenAIChat("mine", endpoint)
    error, _ = await failure(model)
    await model.aclose()
    assert type(error) is ModelTimedOut
    assert wanted in str(error)
    assert "first_token_s" in str(error)
    await asyncio.wait_for(provider.hung_up.wait(), 3)


async def test_thinking_is_no_silence(provider: Provider) -> None:
    """A model that sends its thoughts before its answer is at work; its thoughts are no part of the answer."""
    thought = {**chunk(), "choices": [{"index": 0, "delta": {"reasoning_content": "Hm."}, "finish_reason": None}]}
    provider.reply = streams(*[data(thought), 0.1] * 10, TEXT, STOP, DONE)
    model = OpenAIChat("mine", Endpoint(base_url=provider.url, model="m-1", first_token_s=0.8, stall_s=0.8))
    assert text_of(await ask(model)) == "Hello world."
    await model.aclose()


@pytest.mark.parametrize("reply", [silent, streams(TEXT, 30.0)])
async def test_the_deadline_ends_a_call(provider: Provider, model: OpenAIChat, reply: Reply) -> None:
    """When the question's time is up the call ends, whatever the endpoint's own time-outs are."""
    provider.reply = reply
    started = time.monotonic()
    error, _ = await failure(model, request(deadline_s=0.5))
    assert type(error) is DeadlineExceeded
    assert time.monotonic() - started < 4  # the endpoint's are 5 s
    await asyncio.wait_for(provider.hung_up.wait(), 3)


async def test_closing_the_stream_ends_the_call(provider: Provider, model: OpenAIChat) -> None:
    """The server sees the connection go."""
    provider.reply = streams(TEXT, 30.0)
    stream = model.stream(request())
    assert (await anext(stream)).text == "Hello"
    await stream.aclose()
    await asyncio.wait_for(provider.hung_up.wait(), 3)


async def test_cancelling_the_task_ends_the_call(provider: Provider, model: OpenAIChat) -> None:
    """A cancelled task takes its connection with it."""
    provider.reply = streams(TEXT, 30.0)
    task = asyncio.create_task(ask(model))
    await asyncio.sleep(0.5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(provider.hung_up.wait(), 3)


async def test_questions_do_not_wait_for_each_other(provider: Provider, model: OpenAIChat) -> None:
    """Several streams run at the same time."""
    provider.reply = streams(TEXT, 0.5, STOP, DONE)
    started = time.monotonic()
    answered = await asyncio.gather(*(ask(model) for _ in range(8)))
    assert [text_of(deltas) for deltas in answered] == ["Hello world."] * 8
    assert time.monotonic() - started < 3  # one after the other, they take 4 s
