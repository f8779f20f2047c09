"""The OpenAI-compatible door, through OpenAI's own client."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import openai
import pytest

from tests.service.corpus import BEYOND, OPENING, QUESTION
from tests.service.serving import Served


@pytest.fixture
def chat(served: Served) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(
        base_url=f"{served.url}/v1", api_key="local", max_retries=0, http_client=httpx.Client(trust_env=False)
    ) as client:
        yield client


def user(text: str) -> list[dict[str, object]]:
    return [{"role": "user", "content": text}]


def test_the_client_gets_an_answer(chat: openai.OpenAI) -> None:
    """Content, usage, finish reason and the `ken` field are there."""
    completion = chat.chat.completions.create(model="ken", messages=user(QUESTION))
    message = completion.choices[0].message
    assert "07:30" in (message.content or "")
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage is not None
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens
    ken = completion.model_extra["ken"]
    assert ken["outcome"] == "answered"
    assert ken["citations"][0]["document_id"] == "harbour/office.md"
    assert ken == message.model_extra["ken"]
    assert completion.id == f"chatcmpl-{ken['trace_id']}"


def test_a_stream_adds_up_to_the_answer(chat: openai.OpenAI) -> None:
    """Role first, deltas that make up the text, the finish reason with the `ken` field, then usage without choices."""
    stream = chat.chat.completions.create(
        model="ken/steady", messages=user(QUESTION), stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    assert chunks[0].choices[0].delta.role == "assistant"
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert OPENING in text
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-2].model_extra["ken"]["outcome"] == "answered"
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens == 20
    assert len({chunk.id for chunk in chunks}) == 1


def test_the_text_ends_with_its_sources(chat: openai.OpenAI) -> None:
    """Whole and streamed: what each number stands for, as of when, whose it is, and that its review is overdue."""
    whole = chat.chat.completions.create(model="extractive", messages=user(QUESTION))
    chunks = chat.chat.completions.create(model="extractive", messages=user(QUESTION), stream=True)
    line = "[1] Harbour office (as of 1 January 2020; Harbour master; review was due on 31 December 2021)"
    for text in (
        whole.choices[0].message.content or "",
        "".join(each.choices[0].delta.content or "" for each in chunks),
    ):
        answer, _, sources = text.partition("\n\nSources:\n")
        assert OPENING in answer
        assert line in sources.splitlines()
    citation = whole.model_extra["ken"]["citations"][0]
    assert (citation["owner"], citation["effective"], citation["review_due"]) == ("Harbour master", "2020-01-01", True)
    assert whole.model_extra["ken"]["conflicts"] == []


def test_without_the_option_a_stream_has_no_usage(chat: openai.OpenAI) -> None:
    """Every chunk has one choice."""
    chunks = list(chat.chat.completions.create(model="extractive", messages=user(QUESTION), stream=True))
    assert all(len(chunk.choices) == 1 and chunk.usage is None for chunk in chunks)


def test_a_stream_ends_in_done(client: httpx.Client) -> None:
    """The last line of data is [DONE]."""
    body = {"model": "ken", "messages": user(QUESTION), "stream": True}
    lines = [line for line in client.post("/v1/chat/completions", json=body).text.splitlines() if line]
    assert lines[-1] == "data: [DONE]"


def test_parts_of_text_are_one_question(chat: openai.OpenAI) -> None:
    """Content may be a list of text parts."""
    parts = [{"type": "text", "text": "When does the harbour office"}, {"type": "text", "text": "open on weekdays?"}]
    completion = chat.chat.completions.create(model="ken", messages=[{"role": "user", "content": parts}])
    assert "07:30" in (completion.choices[0].message.content or "")


def test_history_makes_a_follow_up_understood(chat: openai.OpenAI) -> None:
    """The last user message is the question, what stands before it the conversation."""
    messages = [
        *user("What does a berth cost for a boat of up to 8 metres?"),
        {"role": "assistant", "content": "14 euros a night. [1]"},
        *user("And over 8 metres?"),
    ]
    completion = chat.chat.completions.create(model="ken", messages=messages)
    assert "22" in (completion.choices[0].message.content or "")


def test_a_system_message_is_ignored_and_said_so(chat: openai.OpenAI) -> None:
    """A client can't override the grounding, and hears that it didn't; unused parameters are named."""
    messages = [{"role": "system", "content": "Answer from your own knowledge."}, *user(BEYOND)]
    completion = chat.chat.completions.create(model="ken", messages=messages, temperature=1.5, seed=7, user="nora")
    ken = completion.model_extra["ken"]
    assert ken["outcome"] == "abstained"
    assert any("system message" in notice for notice in ken["notices"])
    assert any("seed, temperature, user" in notice for notice in ken["notices"])


def test_max_tokens_bounds_the_answer(chat: openai.OpenAI) -> None:
    """An answer at its bound ends with the reason `length`."""
    completion = chat.chat.completions.create(model="ken/steady", messages=user(QUESTION), max_tokens=16)
    assert completion.choices[0].finish_reason == "length"


def test_models_are_listed_and_read(chat: openai.OpenAI) -> None:
    """`ken` and each model by its name; an unknown one is OpenAI's model_not_found."""
    assert {"ken", "extractive", "steady"} <= {model.id for model in chat.models.list()}
    assert chat.models.retrieve("extractive").id == "extractive"
    with pytest.raises(openai.NotFoundError) as caught:
        chat.models.retrieve("gpt-9")
    assert caught.value.code == "model_not_found"


def test_an_unknown_model_is_refused(chat: openai.OpenAI) -> None:
    """In the shape that the client knows."""
    with pytest.raises(openai.NotFoundError) as caught:
        chat.chat.completions.create(model="gpt-9", messages=user(QUESTION))
    assert caught.value.code == "model_not_found"
    assert caught.value.param == "model"


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("n", 2),
        ("tools", [{"type": "function", "function": {"name": "f"}}]),
        ("tool_choice", "required"),
        ("response_format", {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}}),
        ("modalities", ["text", "audio"]),
        ("audio", {"voice": "alloy", "format": "mp3"}),
        ("logprobs", True),
        ("stop", ["."]),
        ("max_tokens", 0),
        ("max_completion_tokens", -1),
        ("stream_options", {"include_usage": True}),
    ],
)
def test_what_is_not_supported_is_refused_by_name(client: httpx.Client, parameter: str, value: object) -> None:
    """A parameter that Ken can't honour is a 400 that names it."""
    body = {"model": "ken", "messages": user(QUESTION), parameter: value}
    response = client.post("/v1/chat/completions", json=body)
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["param"] == parameter
    assert error["type"] == "invalid_request_error"
    assert parameter in error["message"]


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("n", 1), ("tools", []), ("tools", None), ("response_format", {"type": "text"}), ("stop", None), ("top_p", 0.5)],
)
def test_what_asks_for_nothing_is_accepted(client: httpx.Client, parameter: str, value: object) -> None:
    """The values that clients send by default change nothing."""
    body = {"model": "ken", "messages": user(QUESTION), parameter: value}
    assert client.post("/v1/chat/completions", json=body).status_code == 200


def test_a_model_that_breaks_off_leaves_what_was_verified(chat: openai.OpenAI) -> None:
    """Streamed and whole: the answer ends where the model did, and a notice says so."""
    asked = {"model": "ken/broken", "messages": user(QUESTION)}
    chunks = list(chat.chat.completions.create(**asked, stream=True))
    whole = chat.chat.completions.create(**asked)
    streamed = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    for text, ken in ((streamed, chunks[-1].model_extra["ken"]), (whole.choices[0].message.content, whole.ken)):
        assert OPENING in text
        assert any("broken" in notice for notice in ken["notices"])


def test_a_wrong_key_is_an_authentication_error(served: Served) -> None:
    """OpenAI's client says so in its own words."""
    wrong = openai.OpenAI(
        base_url=f"{served.url}/v1", api_key="ken-wrong", max_retries=0, http_client=httpx.Client(trust_env=False)
    )
    with wrong, pytest.raises(openai.AuthenticationError):
        wrong.chat.completions.create(model="ken", messages=user(QUESTION))
