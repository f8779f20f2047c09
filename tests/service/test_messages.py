"""Anthropic's wire at Ken's door, through Anthropic's own client, whatever wire the provider behind has."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import anthropic
import pytest

from tests.service.corpus import BEYOND, OPENING, QUESTION
from tests.service.door import SAY, TIDE_TABLE, WEATHER, WIRES, Door
from tests.service.serving import Served
from tests.service.test_hang_up import eventually

TOOLS = [{"name": "weather", "description": "The weather of a place", "input_schema": WEATHER}]


@pytest.fixture(scope="module")
def claude(door: Door) -> Iterator[anthropic.Anthropic]:
    with door.anthropic() as client:
        yield client


@pytest.mark.parametrize("wire", WIRES)
def test_a_message_is_passed_on(claude: anthropic.Anthropic, door: Door, wire: str) -> None:
    """Text, stop reason, usage and cost, on record under the key that `x-api-key` holds."""
    message = claude.messages.create(
        model=f"{wire}small", max_tokens=100, system="Be brief.", messages=SAY, stop_sequences=["###"]
    )
    entry = door.mock.ledger.entries("mock-len12")[-1]
    assert [block.type for block in message.content] == ["text"]
    assert message.stop_reason == "end_turn"
    assert message.usage.input_tokens == entry.input_tokens
    assert message.usage.output_tokens == entry.output_tokens == 12
    trace = door.trace(message.model_extra["ken"]["trace_id"])
    assert trace["answer"] == message.content[0].text
    assert str(trace["principal"]).startswith("key-")


@pytest.mark.parametrize("wire", WIRES)
def test_a_stream_adds_up_to_the_message(claude: anthropic.Anthropic, wire: str) -> None:
    """The client's own accumulator gives the same content, stop reason and usage as the whole message has."""
    asked = {"model": f"{wire}thinker", "max_tokens": 100, "messages": SAY}
    whole = claude.messages.create(**asked)
    with claude.messages.stream(**asked) as stream:
        kinds = [event.type for event in stream]
        streamed = stream.get_final_message()
    assert [block.type for block in streamed.content] == ["thinking", "text"]
    assert [block.to_dict() for block in streamed.content] == [block.to_dict() for block in whole.content]
    assert (streamed.stop_reason, streamed.usage.output_tokens) == (whole.stop_reason, whole.usage.output_tokens)
    assert streamed.usage.input_tokens == whole.usage.input_tokens
    assert kinds[0] == "message_start"
    assert kinds[-1] == "message_stop"
    assert kinds.count("content_block_start") == kinds.count("content_block_stop") == 2


@pytest.mark.parametrize("wire", WIRES)
def test_tools_are_called_and_answered(claude: anthropic.Anthropic, wire: str) -> None:
    """Streamed and whole; the result goes back to the model, with an image in it."""
    asked = {"model": f"{wire}tooled", "max_tokens": 100, "messages": SAY, "tools": TOOLS}
    whole = claude.messages.create(**asked, tool_choice={"type": "tool", "name": "weather"})
    with claude.messages.stream(**asked) as stream:
        streamed = stream.get_final_message()
    for message in (whole, streamed):
        call = message.content[-1]
        assert message.stop_reason == "tool_use"
        assert (call.type, call.name, set(call.input)) == ("tool_use", "weather", {"place"})
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}
    result = {
        "type": "tool_result",
        "tool_use_id": call.id,
        "content": [{"type": "text", "text": "Rain."}, image],
    }
    history = [
        *SAY,
        {"role": "assistant", "content": whole.to_dict()["content"]},
        {"role": "user", "content": [result]},
    ]
    after = claude.messages.create(model=f"{wire}small", max_tokens=100, messages=history, tools=TOOLS)
    assert after.content[0].text
    assert after.usage.input_tokens > 100


@pytest.mark.parametrize("wire", WIRES)
def test_a_schema_is_kept_to(claude: anthropic.Anthropic, wire: str) -> None:
    """The answer is JSON of the schema that was asked for."""
    config = {"format": {"type": "json_schema", "schema": TIDE_TABLE}}
    message = claude.messages.create(model=f"{wire}small", max_tokens=100, messages=SAY, output_config=config)
    assert set(json.loads(message.content[0].text)) == {"port", "metres"}


def test_a_short_answer_says_why_it_ended(claude: anthropic.Anthropic) -> None:
    """`max_tokens` is the provider's bound, and the stop reason."""
    assert claude.messages.create(model="small", max_tokens=3, messages=SAY).stop_reason == "max_tokens"


@pytest.mark.parametrize(
    ("model", "error", "status"),
    [
        ("limited", anthropic.RateLimitError, 429),
        ("refusing", anthropic.BadRequestError, 400),
        ("down", anthropic.InternalServerError, 503),
        ("failing", anthropic.InternalServerError, 502),
        ("gpt-9", anthropic.NotFoundError, 404),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_refusals_become_the_clients_own_errors(
    claude: anthropic.Anthropic, model: str, error: type[anthropic.APIStatusError], *, status: int, stream: bool
) -> None:
    """Before the first token every failure has its HTTP status and Anthropic's shape, streamed or not."""
    with pytest.raises(error) as caught:
        claude.messages.create(model=model, max_tokens=100, messages=SAY, stream=stream)
    assert caught.value.status_code == status
    assert caught.value.body["type"] == "error"
    assert caught.value.body["error"]["message"]
    if status == 429:
        assert caught.value.body["error"]["type"] == "rate_limit_error"
        assert 1 <= int(caught.value.response.headers["retry-after"]) <= 7


def test_an_error_in_mid_stream_is_one_event(claude: anthropic.Anthropic) -> None:
    """The text so far comes, then the client raises."""
    text: list[str] = []
    asked = claude.messages.stream(model="breaking", max_tokens=100, messages=SAY)
    with asked as stream, pytest.raises(anthropic.APIStatusError, match="breaking"):
        text.extend(stream.text_stream)
    assert text


def test_wrong_keys_are_authentication_errors(door: Door) -> None:
    """An unknown key is refused in words that the client knows; so is no key where one is needed."""
    with door.anthropic(key="ken-wrong") as wrong, pytest.raises(anthropic.AuthenticationError) as caught:
        wrong.messages.create(model="small", max_tokens=10, messages=SAY)
    assert caught.value.body["error"]["type"] == "authentication_error"
    with door.served.client() as client:
        asked = {"model": "small", "max_tokens": 10, "messages": SAY}
        proxied = client.post("/v1/messages", json=asked, headers={"x-forwarded-for": "192.0.2.1"})
        assert proxied.status_code == 401
        headers = [("x-api-key", door.served.clerk), ("x-api-key", door.served.operator)]
        assert client.post("/v1/messages", json=asked, headers=headers).status_code == 401


def test_hanging_up_reaches_the_provider(door: Door, claude: anthropic.Anthropic) -> None:
    """A stream that is left is ended at the provider."""
    with claude.messages.stream(model="claude-calm", max_tokens=200, messages=SAY) as stream:
        next(stream.text_stream)
    assert eventually(lambda: door.mock.ledger.entries("mock-ttft20-itl50-len200")[-1].outcome == "hung up")


def test_the_assistant_answers_from_the_documents(claude: anthropic.Anthropic) -> None:
    """Whole and streamed: the text ends with its sources, and the `ken` field has the citations."""
    asked = {"model": "ken/extractive", "max_tokens": 500, "messages": [{"role": "user", "content": QUESTION}]}
    whole = claude.messages.create(**asked, system="Be a pirate.")
    with claude.messages.stream(**asked) as stream:
        streamed = "".join(stream.text_stream)
    for text in (whole.content[0].text, streamed):
        answer, _, sources = text.partition("\n\nSources:\n")
        assert OPENING in answer
        assert "Harbour office" in sources
    ken = whole.model_extra["ken"]
    assert ken["citations"][0]["document_id"] == "harbour/office.md"
    assert any("system prompt" in notice for notice in ken["notices"])


def test_the_assistant_abstains_and_refuses_tools(served: Served) -> None:
    """What the documents don't hold is an abstention; what Ken can't do is a 400 that names it."""
    asked = {"model": "ken", "max_tokens": 500, "messages": [{"role": "user", "content": BEYOND}]}
    with served.client() as client:
        assert client.post("/v1/messages", json=asked).json()["ken"]["outcome"] == "abstained"
        refused = client.post("/v1/messages", json=asked | {"tools": TOOLS})
    assert refused.status_code == 400
    assert "`tools`" in refused.json()["error"]["message"]


def test_tokens_are_estimated(claude: anthropic.Anthropic) -> None:
    """More text is more tokens; nothing is called or billed for it."""
    short = claude.messages.count_tokens(model="small", messages=SAY).input_tokens
    long = claude.messages.count_tokens(model="small", messages=SAY, system="Be brief. " * 50, tools=TOOLS).input_tokens
    assert 0 < short < 20
    assert long > short + 80


def test_models_are_listed_in_anthropics_shape(claude: anthropic.Anthropic) -> None:
    """The same names as OpenAI's clients see."""
    listed = {model.id: model.type for model in claude.models.list()}
    assert {"ken", "small", "tier-1"} <= listed.keys()
    assert set(listed.values()) == {"model"}
    assert claude.models.retrieve("small").display_name == "small"
    with pytest.raises(anthropic.NotFoundError):
        claude.models.retrieve("gpt-9")


def test_the_async_client_may_call_at_once(door: Door) -> None:
    """Eight calls at the same time, each with its own trace."""

    async def main() -> list[str]:
        async with anthropic.AsyncAnthropic(
            base_url=door.served.url,
            api_key=door.served.clerk,
            max_retries=0,
        ) as client:
            calls = (client.messages.create(model="small", max_tokens=50, messages=SAY) for _ in range(8))
            return [message.id for message in await asyncio.gather(*calls)]

    assert len(set(asyncio.run(main()))) == 8
