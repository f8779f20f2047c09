"""What a release id stands for, and a trace's question asked again with another release or model."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from ken.domain.answer import Question
from ken.domain.events import Answered, Failed
from ken.domain.principal import LOCAL_OPERATOR
from ken.settings import ModelSettings, load
from ken.wiring import open_home
from tests.service.corpus import QUESTION, copy
from tests.service.serving import Served, serving


def ask(client: httpx.Client, question: str = QUESTION, **more: object) -> dict[str, object]:
    return client.post("/api/ask?stream=false", json={"question": question, **more}).raise_for_status().json()


async def served_as(home: Path, **settings: object) -> tuple[str, str]:
    """Open a home with other settings and ask one question; the release, and the question's trace."""
    ken = await open_home(load(home, **settings))
    asked = Question(text=QUESTION, principal=LOCAL_OPERATOR)
    events = [event async for event in ken.assistant.answer(asked)]
    await ken.aclose()
    last = events[-1]
    assert isinstance(last, Answered | Failed)
    return ken.assistant.parts.release.id, last.answer.trace_id if isinstance(last, Answered) else str(last.trace_id)


@dataclass(frozen=True, slots=True)
class Before:
    """What an earlier release left behind."""

    release: str
    trace: str
    gone: str
    """A release with a model that is no longer there."""


@pytest.fixture(scope="module")
def before_and_after(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Before, Served]]:
    """A home that was served with one passage, then with a model of its own, then as usual."""
    home = copy(tmp_path_factory.mktemp("releases") / "home")
    release, trace = asyncio.run(served_as(home, passages=1))
    lost = ModelSettings(name="steady", base_url="http://127.0.0.1:9/v1", model="steady")  # pyright: ignore[reportArgumentType]
    gone, _ = asyncio.run(served_as(home, models=(lost,), default_model="steady"))
    with serving(home, models=()) as served:
        yield Before(release, trace, gone), served


def test_releases_say_what_they_were(before_and_after: tuple[Before, Served]) -> None:
    """The last that was served comes first, each with what differs from the one that was new before it and how much it was asked."""
    before, served = before_and_after
    with served.client() as client:
        told = client.get("/api/releases").raise_for_status().json()["releases"]
    present, gone, first = told
    assert [each["id"] for each in told] == [served.ken.assistant.parts.release.id, before.gone, before.release]
    assert (present["is_present"], first["is_present"]) == (True, False)
    assert (first["questions"], first["changes"], first["lacking"]) == (1, ["passages: 4 → 1"], [])
    assert first["fields"]["passages"] == 1
    assert {"passages: 1 → 4", "default model: extractive → steady"} < set(gone["changes"])
    assert present["changes"] == []
    assert any("'steady'" in each for each in gone["lacking"])


def test_releases_are_for_operators(before_and_after: tuple[Before, Served]) -> None:
    """Where models are is nobody else's business."""
    _, served = before_and_after
    with served.client(served.clerk) as clerk:
        assert clerk.get("/api/releases").status_code == 403


def test_a_question_is_asked_again_of_an_earlier_release(before_and_after: tuple[Before, Served]) -> None:
    """With its passages, under its id, as a test that names the first trace; the present one is as it was."""
    before, served = before_and_after
    with served.client() as client:
        then = (
            client.post(f"/api/traces/{before.trace}/rerun", json={"release": before.release}).raise_for_status().json()
        )
        now = client.post(f"/api/traces/{before.trace}/rerun", json={}).raise_for_status().json()
        old, new = (client.get(f"/api/traces/{each['trace_id']}").json() for each in (then, now))
        first = client.get(f"/api/traces/{before.trace}").json()
    assert (then["release"], old["release"], old["kind"], old["rerun_of"]) == (
        before.release,
        before.release,
        "eval",
        before.trace,
    )
    assert (len(old["evidence"]), len(new["evidence"])) == (1, 4)
    assert new["release"] == served.ken.assistant.parts.release.id
    assert then["answer"]["outcome"] == "answered"
    assert [each["id"] for each in first["reruns"]] == [now["trace_id"], then["trace_id"]]


def test_what_a_release_lacks_is_named(before_and_after: tuple[Before, Served]) -> None:
    """One whose model has gone, and one that nobody knows, are refused in words; nothing is asked."""
    before, served = before_and_after
    with served.client() as client:
        gone = client.post(f"/api/traces/{before.trace}/rerun", json={"release": before.gone})
        unknown = client.post(f"/api/traces/{before.trace}/rerun", json={"release": "0" * 12})
    assert (gone.status_code, unknown.status_code) == (409, 404)
    assert "there is no model 'steady' any more" in gone.json()["error"]["message"]
    assert "Nothing was kept" in unknown.json()["error"]["message"]


def test_a_question_is_asked_again_as_who_asks_now(served: Served) -> None:
    """A clerk's own trace finds what the clerk may read; somebody else's isn't there."""
    wages = "What does the crane driver earn a month?"
    with served.client(served.clerk) as clerk, served.client(served.nobody) as nobody, served.client() as operator:
        mine = ask(clerk, wages)["trace_id"]
        assert nobody.post(f"/api/traces/{mine}/rerun", json={}).status_code == 404
        again = clerk.post(f"/api/traces/{mine}/rerun", json={}).raise_for_status().json()
        assert "3,400" in again["answer"]["text"]
        theirs = ask(nobody, wages)["trace_id"]
        seen = operator.post(f"/api/traces/{theirs}/rerun", json={}).raise_for_status().json()
    assert "3,400" in seen["answer"]["text"]
    with served.client(served.nobody) as nobody:
        assert nobody.get(f"/api/traces/{seen['trace_id']}").status_code == 404


def test_a_follow_up_is_asked_again_after_what_was_said_before(served: Served) -> None:
    """By its owner out of the conversation, by an operator out of the prompt that is on record."""
    with served.client(served.clerk) as clerk, served.client() as operator:
        first = ask(clerk, "When is the harbour office open on weekdays?", model="steady")
        second = ask(clerk, "And on Saturdays?", conversation_id=first["conversation_id"], model="steady")
        own = clerk.post(f"/api/traces/{second['trace_id']}/rerun", json={"model": "steady"}).json()
        theirs = operator.post(f"/api/traces/{second['trace_id']}/rerun", json={"model": "steady"}).json()
        prompts = [operator.get(f"/api/traces/{each['trace_id']}").json()["prompt"] for each in (second, own, theirs)]
    assert (own["history"], theirs["history"]) == ("conversation", "prompt")
    assert [len(each) for each in prompts] == [4, 4, 4]


def test_collections_are_asked_for_again(served: Served) -> None:
    """A question that was narrowed to a collection stays so."""
    with served.client() as client:
        first = ask(client, collections=["nowhere"])
        again = client.post(f"/api/traces/{first['trace_id']}/rerun", json={}).json()
    assert again["answer"]["outcome"] == first["outcome"] == "abstained"


def test_what_nobody_asked_is_not_asked_again(served: Served) -> None:
    """An application's call has no question."""
    body = {"model": "steady", "messages": [{"role": "user", "content": "hello"}]}
    with served.client() as client:
        client.post("/v1/chat/completions", json=body).raise_for_status()
        assert served.ken.recorder.flush()
        call = client.get("/api/traces", params={"where": "kind = call"}).json()["traces"][0]
        refused = client.post(f"/api/traces/{call['id']}/rerun", json={})
    assert refused.status_code == 409
    assert "'call'" in refused.json()["error"]["message"]


def test_a_trace_says_what_its_prompt_was_and_how_its_room_was_used(served: Served) -> None:
    """For operators: messages and the token plan with what each part took; for others the plan alone."""
    with served.client(served.clerk) as clerk, served.client() as operator:
        trace_id = ask(clerk, model="steady")["trace_id"]
        seen, own = (each.get(f"/api/traces/{trace_id}").json() for each in (operator, clerk))
    assert [each["role"] for each in seen["prompt"]] == ["system", "user"]
    assert own["prompt"] == []
    plan = next(span["attributes"] for span in own["spans"] if span["name"] == "assemble")
    assert plan["passages_tokens"] <= plan["plan_passages_tokens"]
    assert plan["plan_system_tokens"] + plan["plan_query_tokens"] + plan["passages_tokens"] == plan["prompt_tokens"]
    assert seen["keeping"]["kept_until"] > seen["started_at"]


def test_names_of_filters_come_with_their_kinds_and_values(served: Served) -> None:
    """A name that finds other people's questions is told to operators alone."""
    with served.client() as operator, served.client(served.clerk) as clerk:
        ask(operator)
        seen, own = (
            {each["name"]: each for each in client.get("/api/trace-names").json()["names"]}
            for client in (operator, clerk)
        )
    assert seen["outcome"]["values"][0] == "answered"
    assert (seen["retrieve.ms"]["kind"], seen["retrieve.ms"]["is_indexed"]) == ("duration", True)
    assert "lookup" in seen["task_type"]["values"]
    assert "principal" in seen
    assert "principal" not in own
