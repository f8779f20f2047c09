"""A client that goes away: the work ends, the record says so."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx
import pytest

from ken.domain.principal import LOCAL_OPERATOR
from tests.service.corpus import OPENING, QUESTION
from tests.service.serving import Served


@pytest.mark.parametrize("door", ["/api/ask", "/v1/chat/completions"])
def test_hanging_up_ends_the_answer(served: Served, door: str) -> None:
    """The model's call is ended within a second, and the trace is on record as failed, with what was shown."""
    served.loop.call_soon_threadsafe(served.endpoint.hung_up.clear)
    body = (
        {"question": QUESTION, "model": "stuck"}
        if door == "/api/ask"
        else {"model": "ken/stuck", "stream": True, "messages": [{"role": "user", "content": QUESTION}]}
    )
    with served.client() as client:
        with client.stream("POST", door, json=body) as response:
            assert any(OPENING[:20] in line for line in response.iter_lines())
        assert eventually(served.endpoint.hung_up.is_set)
        assert eventually(
            lambda: client.get("/api/traces", params={"limit": 1}).json()["traces"][0]["outcome"] == "failed"
        )
        trace = client.get("/api/traces", params={"limit": 1}).json()["traces"][0]
        assert trace["model"] == "stuck"
        assert "hung up" in trace["error"]
        assert client.get("/api/conversations", params={"limit": 500}).status_code == 200


def test_a_question_that_is_stopped_before_its_answer_begins_is_kept(served: Served) -> None:
    """Its conversation stays, with the question and what became of it; the next question isn't answered with it."""
    with served.client() as client:
        with client.stream("POST", "/api/ask", json={"question": QUESTION, "model": "stuck"}) as response:
            id_ = response.headers["x-ken-conversation-id"]
            next(response.iter_lines())
        assert eventually(lambda: client.get(f"/api/conversations/{id_}").json()["turns"] != [])
        kept = client.get(f"/api/conversations/{id_}").json()
        assert kept["title"] == QUESTION
        assert [turn["content"] for turn in kept["turns"]] == [QUESTION, ""]
        assert kept["turns"][1]["answer"]["outcome"] == "failed"
        assert served.ken.conversations.recent(id_, LOCAL_OPERATOR, messages=10) == ()


def test_hanging_up_without_a_stream_ends_the_answer(served: Served) -> None:
    """A call that waits for the whole answer is ended, too."""
    served.loop.call_soon_threadsafe(served.endpoint.hung_up.clear)
    with served.client() as client, pytest.raises(httpx.ReadTimeout):
        client.post("/api/ask?stream=false", json={"question": QUESTION, "model": "stuck"}, timeout=1.0)
    assert eventually(served.endpoint.hung_up.is_set)


def eventually(is_so: Callable[[], bool], within_s: float = 3.0) -> bool:
    """Whether it becomes so in time."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if is_so():
            return True
        time.sleep(0.02)
    return False
