"""Anthropic's wire of the mock provider, read event by event."""

from __future__ import annotations

import json
from typing import Any

import httpx

from ken.mock.serving import Running

HELLO = {"max_tokens": 100, "system": "Be kind.", "messages": [{"role": "user", "content": "Hello there"}]}


async def post(mock: Running, body: dict[str, Any]) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.post(f"{mock.url}/messages", json=HELLO | body)


async def test_a_stream_has_the_documented_events(mock: Running) -> None:
    """Blocks of thinking and text open, fill and close in order; the usage is split over start and end."""
    response = await post(mock, {"model": "mock-len4-think2-cached3-written1", "stream": True})
    events = [json.loads(line[6:]) for line in response.text.splitlines() if line.startswith("data: ")]
    names = [line[7:] for line in response.text.splitlines() if line.startswith("event: ")]
    assert names == [event["type"] for event in events]
    assert [name for name in names if not name.endswith("delta")] == [
        *("message_start", "ping", "content_block_start", "content_block_stop"),
        *("content_block_start", "content_block_stop", "message_stop"),
    ]
    usage = events[0]["message"]["usage"]
    assert (usage["input_tokens"], usage["cache_read_input_tokens"], usage["cache_creation_input_tokens"]) == (12, 3, 1)
    assert events[-2]["usage"] == {"output_tokens": 6}
    assert events[-2]["delta"]["stop_reason"] == "end_turn"
    whole = (await post(mock, {"model": "mock-len4-think2-cached3-written1"})).json()
    assert whole["usage"] == usage | {"output_tokens": 6}
    streamed = "".join(event["delta"].get("text", "") for event in events if event["type"] == "content_block_delta")
    assert streamed == whole["content"][1]["text"]


async def test_tools_are_called(mock: Running) -> None:
    """A tool call is a block of its own, whole or in parts of JSON."""
    schema = {"type": "object", "properties": {"on": {"type": "boolean"}}}
    body = {"model": "mock-tools1", "tools": [{"name": "switch", "input_schema": schema}]}
    whole = (await post(mock, body)).json()
    assert whole["content"] == [{"type": "tool_use", "id": "call_1", "name": "switch", "input": {"on": True}}]
    assert whole["stop_reason"] == "tool_use"
    streamed = (await post(mock, body | {"stream": True})).text
    assert '"partial_json":"{\\"on\\": true}"' in streamed


async def test_errors_have_its_form(mock: Running) -> None:
    """An error status and an error in mid-stream are told in Anthropic's words."""
    refused = await post(mock, {"model": "mock-529x1-error2"})
    assert (refused.status_code, refused.json()["error"]["type"]) == (529, "overloaded_error")
    assert refused.headers["retry-after"] == "1"
    broken = await post(mock, {"model": "mock-529x1-error2", "stream": True})
    assert broken.text.rstrip().splitlines()[-2] == "event: error"
