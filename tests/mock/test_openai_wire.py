"""OpenAI's own client against the mock provider: what it sends is what the wire's reference says."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest

from ken.mock.serving import Running

HELLO: list[Any] = [{"role": "user", "content": "Hello there"}]
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}, "size": {"type": "integer", "minimum": 3}}}
TOOLS: Any = [{"type": "function", "function": {"name": "look_up", "parameters": SCHEMA}}]


async def streamed(client: openai.AsyncOpenAI, model: str, **options: Any) -> list[Any]:  # noqa: ANN401 - the client's own
    """Every chunk of a stream."""
    stream = await client.chat.completions.create(model=model, messages=HELLO, stream=True, **options)
    return [chunk async for chunk in stream]


def text_of(chunks: list[Any]) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


async def test_a_stream_says_what_a_whole_answer_says(client: openai.AsyncOpenAI) -> None:
    """The same name gives the same sentences and the same usage, streamed and not."""
    whole = await client.chat.completions.create(model="mock-len30-cite2-seed4", messages=HELLO)
    chunks = await streamed(client, "mock-len30-cite2-seed4", stream_options={"include_usage": True})
    text = whole.choices[0].message.content
    assert text
    assert text_of(chunks) == text
    assert "[1]." in text
    assert text.endswith(".")
    assert whole.usage == chunks[-1].usage
    assert chunks[-1].usage.model_dump(include={"prompt_tokens", "completion_tokens"}) == {
        "prompt_tokens": 9,
        "completion_tokens": 30,
    }


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        ("final", [(9, 3)]),
        ("last", [(9, 3)]),
        ("each", [(9, 0), (9, 1), (9, 2), (9, 3), (9, 3)]),
        ("none", []),
        ("zero", [(0, 0)]),
        ("wrong", [(-1, "many")]),
    ],
)
async def test_usage_takes_the_shape_that_is_asked_for(
    client: openai.AsyncOpenAI, shape: str, told: list[tuple[int, object]]
) -> None:
    """Each shape of stating usage in a stream is sent as it is described."""
    chunks = await streamed(client, f"mock-len3-usage{shape}", stream_options={"include_usage": True})
    assert [(chunk.usage.prompt_tokens, chunk.usage.completion_tokens) for chunk in chunks if chunk.usage] == told


async def test_tools_schema_logprobs_and_reasoning(client: openai.AsyncOpenAI) -> None:
    """What a request asks for comes: a call that fits its tool, JSON that fits its schema, log probabilities, thoughts."""
    chunks = await streamed(client, "mock-tools1", tools=TOOLS)
    calls = [call for chunk in chunks if chunk.choices for call in chunk.choices[0].delta.tool_calls or ()]
    assert calls[0].function.name == "look_up"
    assert json.loads("".join(call.function.arguments for call in calls)) == {"name": "word", "size": 3}
    forced = await client.chat.completions.create(model="mock", messages=HELLO, tools=TOOLS, tool_choice="required")
    assert forced.choices[0].finish_reason == "tool_calls"
    form: Any = {"type": "json_schema", "json_schema": {"name": "thing", "schema": SCHEMA}}
    fitting = await client.chat.completions.create(
        model="mock-think5", messages=HELLO, response_format=form, logprobs=True
    )
    message = fitting.choices[0].message
    assert json.loads(message.content or "") == {"name": "word", "size": 3}
    assert len(getattr(message, "reasoning_content", "").split()) == 4  # the fifth token is the full stop
    assert fitting.usage is not None
    assert fitting.usage.completion_tokens_details is not None
    assert fitting.usage.completion_tokens_details.reasoning_tokens == 5
    assert fitting.choices[0].logprobs is not None
    assert "".join(each.token for each in fitting.choices[0].logprobs.content or ()) == message.content


async def test_an_answer_is_gone_on_with(client: openai.AsyncOpenAI) -> None:
    """What the assistant has begun is continued where it ends, so that both together are the whole answer."""
    whole = (await client.chat.completions.create(model="mock-len40", messages=HELLO)).choices[0].message.content or ""
    begun = whole[: whole.index(".") + 1]
    messages: list[Any] = [*HELLO, {"role": "assistant", "content": begun}]
    rest = (await client.chat.completions.create(model="mock-len40", messages=messages)).choices[0].message.content
    assert begun + (rest or "") == whole


async def test_a_limit_of_tokens_cuts(client: openai.AsyncOpenAI) -> None:
    """`max_tokens` is kept, and the finish reason says that the answer was cut."""
    cut = await client.chat.completions.create(model="mock-len40", messages=HELLO, max_tokens=7)
    assert cut.choices[0].finish_reason == "length"
    assert cut.usage is not None
    assert cut.usage.completion_tokens == 7


async def test_embeddings(client: openai.AsyncOpenAI, mock: Running) -> None:
    """Vectors have the length that is asked for, are normalised, alike for like texts, and metered."""
    told = await client.embeddings.create(model="mock-dim16", input=["open the door", "the door is open", "zebra"])
    first, second, other = (each.embedding for each in told.data)
    assert len(first) == 16
    assert sum(number * number for number in first) == pytest.approx(1, abs=1e-6)
    assert sum(a * b for a, b in zip(first, second, strict=True)) > sum(
        a * b for a, b in zip(first, other, strict=True)
    )
    assert mock.ledger.entries("mock-dim16")[0].input_tokens == told.usage.prompt_tokens == 8


async def test_models_are_listed(client: openai.AsyncOpenAI) -> None:
    """The families are the models that it lists."""
    assert "mock" in [model.id async for model in client.models.list()]
