"""The plain gateway at OpenAI's door, through OpenAI's own client, over a provider that behaves as it is told to."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from tests.service.corpus import QUESTION
from tests.service.door import SAY, TIDE_TABLE, WEATHER, WIRES, Door
from tests.service.test_hang_up import eventually

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "gateway.md"
TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": WEATHER, "strict": True}}]


@pytest.fixture(scope="module")
def chat(door: Door) -> Iterator[openai.OpenAI]:
    with door.openai() as client:
        yield client


@pytest.mark.parametrize("wire", WIRES)
def test_a_call_is_passed_on(chat: openai.OpenAI, door: Door, wire: str) -> None:
    """Whatever the provider's own wire: content, usage and cost as the provider has them, on record under the key's name."""
    completion = chat.chat.completions.create(model=f"{wire}small", messages=SAY)
    entry = door.mock.ledger.entries("mock-len12")[-1]
    assert completion.choices[0].message.content
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage is not None
    assert completion.usage.prompt_tokens == entry.input_tokens
    assert completion.usage.completion_tokens == entry.output_tokens == 12
    ken = completion.model_extra["ken"]
    assert ken["model"] == f"{wire}small"
    trace = door.trace(ken["trace_id"])
    assert trace["answer"] == completion.choices[0].message.content
    assert str(trace["principal"]).startswith("key-")


@pytest.mark.parametrize("wire", WIRES)
def test_a_stream_says_the_same_as_a_whole_answer(chat: openai.OpenAI, wire: str) -> None:
    """Text, usage and cost are the same; the role comes first, the usage last and only when asked for."""
    whole = chat.chat.completions.create(model=f"{wire}small", messages=SAY)
    chunks = list(
        chat.chat.completions.create(
            model=f"{wire}small", messages=SAY, stream=True, stream_options={"include_usage": True}
        )
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert chunks[0].choices[0].delta.role == "assistant"
    assert text == whole.choices[0].message.content
    assert chunks[-1].usage == whole.usage
    assert chunks[-2].model_extra["ken"]["cost_micros"] == whole.model_extra["ken"]["cost_micros"]
    without = chat.chat.completions.create(model=f"{wire}small", messages=SAY, stream=True)
    assert all(len(chunk.choices) == 1 and chunk.usage is None for chunk in without)


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("stream", [False, True])
def test_tools_are_called_and_answered(chat: openai.OpenAI, *, wire: str, stream: bool) -> None:
    """The call comes with its name and arguments, streamed or not; its result goes back to the model."""
    model = f"{wire}tooled"
    if stream:
        chunks = list(chat.chat.completions.create(model=model, messages=SAY, tools=TOOLS, stream=True))
        pieces = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or ()]
        name, call_id = pieces[0].function.name, pieces[0].id
        arguments = "".join(piece.function.arguments or "" for piece in pieces)
        assert chunks[-1].choices[0].finish_reason == "tool_calls"
    else:
        choice = chat.chat.completions.create(model=model, messages=SAY, tools=TOOLS).choices[0]
        call = (choice.message.tool_calls or [])[0]
        name, call_id, arguments = call.function.name, call.id, call.function.arguments
        assert choice.finish_reason == "tool_calls"
    assert name == "weather"
    assert set(json.loads(arguments)) == {"place"}
    function = {"name": name, "arguments": arguments}
    history = [
        *SAY,
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": call_id, "type": "function", "function": function}],
        },
        {"role": "tool", "tool_call_id": call_id, "content": "Rain."},
    ]
    after = chat.chat.completions.create(model=f"{wire}small", messages=history, tools=TOOLS)
    assert after.choices[0].message.content


@pytest.mark.parametrize("wire", WIRES)
def test_a_schema_is_kept_to(chat: openai.OpenAI, wire: str) -> None:
    """The answer is JSON of the schema that was asked for."""
    wanted = {"type": "json_schema", "json_schema": {"name": "tide", "schema": TIDE_TABLE, "strict": True}}
    completion = chat.chat.completions.create(model=f"{wire}small", messages=SAY, response_format=wanted)
    assert set(json.loads(completion.choices[0].message.content or "")) == {"port", "metres"}


@pytest.mark.parametrize("wire", WIRES)
def test_thoughts_and_images_go_through(chat: openai.OpenAI, wire: str) -> None:
    """Thoughts come apart from the answer and are counted; an image is billed by the provider, so it has arrived."""
    completion = chat.chat.completions.create(model=f"{wire}thinker", messages=SAY)
    assert completion.choices[0].message.model_extra["reasoning_content"]
    plain = chat.chat.completions.create(model=f"{wire}small", messages=SAY)
    parts = [
        {"type": "text", "text": SAY[0]["content"]},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo=", "detail": "low"}},
    ]
    shown = chat.chat.completions.create(model=f"{wire}small", messages=[{"role": "user", "content": parts}])
    assert plain.usage is not None
    assert shown.usage is not None
    assert shown.usage.prompt_tokens >= plain.usage.prompt_tokens + 50


def test_logprobs_go_through(chat: openai.OpenAI) -> None:
    """Streamed and whole, where the provider has them; one that lacks them is named before the call."""
    whole = chat.chat.completions.create(model="small", messages=SAY, logprobs=True, top_logprobs=2)
    content = whole.choices[0].logprobs.content
    assert content is not None
    chunks = chat.chat.completions.create(model="small", messages=SAY, logprobs=True, top_logprobs=2, stream=True)
    streamed = [each for chunk in chunks if chunk.choices[0].logprobs for each in chunk.choices[0].logprobs.content]
    assert [each.token for each in streamed] == [each.token for each in content]
    with pytest.raises(openai.BadRequestError, match="logprobs") as caught:
        chat.chat.completions.create(model="claude-small", messages=SAY, logprobs=True)
    assert caught.value.param == "logprobs"


@pytest.mark.parametrize(
    ("model", "error", "status"),
    [
        ("limited", openai.RateLimitError, 429),
        ("refusing", openai.BadRequestError, 400),
        ("locked", openai.InternalServerError, 502),
        ("down", openai.InternalServerError, 503),
        ("failing", openai.InternalServerError, 502),
        ("gpt-9", openai.NotFoundError, 404),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_refusals_become_the_clients_own_errors(
    chat: openai.OpenAI, model: str, error: type[openai.APIStatusError], *, status: int, stream: bool
) -> None:
    """Before the first token every failure has its HTTP status, streamed or not; a wrong key of ours is no fault of theirs."""
    with pytest.raises(error) as caught:
        chat.chat.completions.create(model=model, messages=SAY, stream=stream)
    assert caught.value.status_code == status
    assert caught.value.response.headers["content-type"] == "application/json"
    if status == 429:
        assert 1 <= int(caught.value.response.headers["retry-after"]) <= 7
    if status == 404:
        assert caught.value.code == "model_not_found"


def test_an_error_in_mid_stream_is_one_event(chat: openai.OpenAI) -> None:
    """The text so far comes, then the client raises; nothing says that the answer was complete."""
    text, reasons = "", set[object]()
    with pytest.raises(openai.APIError, match="breaking"):  # noqa: PT012 - the stream is the point
        for chunk in chat.chat.completions.create(model="breaking", messages=SAY, stream=True):
            text += chunk.choices[0].delta.content or ""
            reasons.add(chunk.choices[0].finish_reason)
    assert text
    assert reasons == {None}


@pytest.mark.parametrize("stream", [False, True])
def test_a_tier_answers_with_its_next_model(chat: openai.OpenAI, *, stream: bool) -> None:
    """Where its first one fails; the `ken` field says so, in a chunk that every client can read."""
    if not stream:
        ken = chat.chat.completions.create(model="tier-1", messages=SAY).model_extra["ken"]
        assert ken["model"] == "small"
        assert any("failing" in notice and "small" in notice for notice in ken["notices"])
        return
    chunks = list(chat.chat.completions.create(model="tier-1", messages=SAY, stream=True))
    noticed = [chunk for chunk in chunks if (chunk.model_extra or {}).get("ken", {}).get("notices")]
    assert noticed
    assert all(chunk.choices for chunk in noticed)


def test_hanging_up_reaches_the_provider(door: Door, chat: openai.OpenAI) -> None:
    """In mid-stream, and while a whole answer is waited for."""
    with door.served.client(door.served.clerk) as client, pytest.raises(httpx.ReadTimeout):
        client.post("/v1/chat/completions", json={"model": "silent", "messages": SAY}, timeout=0.3)
    with chat.chat.completions.create(model="calm", messages=SAY, stream=True) as stream:
        next(stream)
        next(stream)
    for model in ("mock-hangtoken", "mock-ttft20-itl50-len200"):
        assert eventually(lambda model=model: door.mock.ledger.entries(model)[-1].outcome == "hung up")


def test_a_clients_patience_is_the_deadline(door: Door) -> None:
    """A client that says how long it waits isn't answered for later: the provider's call ends within that time."""
    with door.openai(timeout=0.5) as impatient, pytest.raises(openai.APIError, match=r"within 0|timed out|deadline"):
        impatient.chat.completions.create(model="silent", messages=SAY)
    assert eventually(lambda: door.mock.ledger.entries("mock-hangtoken")[-1].outcome == "hung up")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"n": 2}, "n"),
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"service_tier": "flex"}, "service_tier"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"stream_options": {"include_usage": "yes"}}, "stream_options.include_usage"),
        ({"messages": [{"role": "oracle", "content": "?"}]}, "messages[0].role"),
    ],
)
def test_what_is_not_passed_on_is_refused_by_name(door: Door, body: dict[str, object], param: str) -> None:
    """Nothing that the caller asked for is dropped without a word."""
    with door.served.client(door.served.clerk) as client:
        response = client.post("/v1/chat/completions", json={"model": "small", "messages": SAY} | body)
    assert response.status_code == 400
    assert response.json()["error"]["param"] == param


def test_headers_say_what_was_done(door: Door) -> None:
    """The trace, what it cost, and that no guard has read it; a priority that there isn't is refused."""
    with door.served.client(door.served.clerk) as client:
        body = {"model": "small", "messages": SAY}
        trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
        parent = {"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01", "x-ken-priority": "offline"}
        told = client.post("/v1/chat/completions", json=body, headers=parent)
        assert told.headers["x-ken-trace-id"] == trace_id
        assert told.headers["x-ken-guards"] == "none"
        assert told.headers["x-ken-cost-micros"] == str(told.json()["ken"]["cost_micros"] or "unknown")
        refused = client.post("/v1/chat/completions", json=body, headers={"x-ken-priority": "soon"})
    assert refused.status_code == 400


def test_the_assistant_is_one_name_among_the_models(chat: openai.OpenAI) -> None:
    """`ken` answers from the documents, `ken/NAME` with that model; a model's name alone has none of them."""
    assert "Sources:" in (
        chat.chat.completions.create(model="ken/extractive", messages=[{"role": "user", "content": QUESTION}])
        .choices[0]
        .message.content
        or ""
    )
    plain = chat.chat.completions.create(model="small", messages=[{"role": "user", "content": QUESTION}])
    assert "citations" not in plain.model_extra["ken"]
    assert {"ken", "small", "tier-1", "extractive"} <= {model.id for model in chat.models.list()}


def test_the_async_client_may_call_at_once(door: Door) -> None:
    """Sixteen calls at the same time, each with its own answer and trace."""

    async def main() -> list[str]:
        async with openai.AsyncOpenAI(
            base_url=f"{door.served.url}/v1",
            api_key=door.served.clerk,
            max_retries=0,
            http_client=httpx.AsyncClient(trust_env=False),
        ) as client:
            calls = (client.chat.completions.create(model="small", messages=SAY) for _ in range(16))
            return [completion.id for completion in await asyncio.gather(*calls)]

    assert len(set(asyncio.run(main()))) == 16


def test_the_guides_examples_run(door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    """Both clients, what can wait, and embeddings, as the guide writes them."""
    examples = re.findall(r"```python\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    assert len(examples) == 4
    names: dict[str, Any] = {}
    with ExitStack() as stack:
        for example in examples:
            here = example.replace("http://127.0.0.1:8000", door.served.url).replace("ken-...", door.served.clerk)
            exec(here.replace('"gpt"', '"small"'), names)  # noqa: S102 - our own page
            stack.callback(names["client"].close)
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert len(names["found"].data) == 1
