"""What is kept of questions, as operators see it and delete from it over the API."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ken.domain.principal import LOCAL_OPERATOR
from tests.service.corpus import QUESTION, copy
from tests.service.serving import Served, serving


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A Ken whose record nobody else writes to, and which keeps no personal data."""
    home = copy(tmp_path_factory.mktemp("record") / "home")
    with serving(home, cache=True, capture={"redact": "personal", "sample": 0.0}) as served:
        yield served


@pytest.fixture(scope="module")
def operator(own: Served) -> Iterator[httpx.Client]:
    with own.client(own.operator) as client:
        yield client


def ask(client: httpx.Client, question: str) -> str:
    return str(client.post("/api/ask?stream=false", json={"question": question}).json()["trace_id"])


def trace(client: httpx.Client, trace_id: str) -> dict[str, object]:
    return dict(client.get(f"/api/traces/{trace_id}").json())


def capture(own: Served, trace_id: str) -> str:
    own.ken.recorder.flush()
    return own.ken.traces.get(trace_id, LOCAL_OPERATOR).capture


def events(own: Served, trace_id: str) -> list[str]:
    """The types of a trace's events, as soon as its last one is there."""
    give_up = time.monotonic() + 10
    while True:
        files = (own.ken.settings.home / "events").iterdir()
        told = [json.loads(line) for file in files for line in file.read_text().splitlines()]
        kinds = [str(event["type"]) for event in told if event.get("trace_id") == trace_id]
        if "question.finished" in kinds or time.monotonic() > give_up:
            return kinds
        time.sleep(0.02)


def everywhere(home: Path, text: str) -> list[str]:
    return [path.name for path in home.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def test_secrets_and_personal_data_reach_neither_disk_nor_log(own: Served, operator: httpx.Client) -> None:
    """What a person types in by mistake is in no trace, event, cached answer or log; only their own conversation has it."""
    asked = f"{QUESTION} Write to quentin@lovelace.org, password: hunter2x!"
    trace_id = ask(operator, asked)
    assert trace(operator, trace_id)["question"] == f"{QUESTION} Write to [e-mail], password: [secret]"
    conversation = operator.get("/api/conversations").json()["conversations"][0]["id"]
    assert asked in operator.get(f"/api/conversations/{conversation}").text.replace("\\u00a0", " ")
    operator.delete(f"/api/conversations/{conversation}")
    own.ken.store.database.scrub()
    assert everywhere(own.ken.settings.home, "hunter2x") == []
    assert everywhere(own.ken.settings.home, "quentin@") == []


def test_a_thumb_down_keeps_a_trace_whole(own: Served, operator: httpx.Client) -> None:
    """What nobody found fault with is kept for the grace period; a thumb down has all of it kept, and the reason is redacted."""
    trace_id = ask(operator, QUESTION)
    assert capture(own, trace_id) == "grace"
    said = {"trace_id": trace_id, "helpful": False, "reason": "call me: +49 30 1234567"}
    assert operator.post("/api/feedback", json=said).status_code == 204
    assert capture(own, trace_id) == "full"
    assert trace(operator, trace_id)["feedback"][0]["reason"] == "call me: [phone]"  # type: ignore[index]


def test_events_are_one_line_each(own: Served, operator: httpx.Client) -> None:
    """A question leaves its stages and its end among the events of the day, under its trace id."""
    trace_id = ask(operator, QUESTION)
    kinds = events(own, trace_id)
    assert kinds[-1] == "question.finished"
    assert kinds.count("stage.finished") >= 5


def test_operators_see_what_is_kept_and_delete_it(own: Served, operator: httpx.Client) -> None:
    """A count first, then the deletion: everything of one person goes, also the answers kept of their questions, and of nobody else."""
    with own.client(own.clerk) as clerk, own.client(own.nobody) as nobody:
        mine = ask(clerk, "What does the crane driver earn a month?")
        others = ask(nobody, "When does the harbour office open on Saturdays?")
        principal = trace(clerk, mine)["principal"]
        assert clerk.get("/api/record").status_code == 403
        assert clerk.post("/api/record/delete", json={"principal": principal}).status_code == 403
        before = operator.get("/api/record").json()
        assert sum(before["traces"].values()) >= 2
        assert before["writer"]["lost"] == 0
        told = operator.post("/api/record/delete", json={"principal": principal, "count_only": True}).json()
        assert told["traces"] >= 1
        assert trace(clerk, mine)["id"] == mine
        gone = operator.post("/api/record/delete", json={"principal": principal}).json()
        assert gone["traces"] == told["traces"]
        assert clerk.get(f"/api/traces/{mine}").status_code == 404
        assert trace(nobody, others)["id"] == others
    cached = [each.question for each in own.ken.cache.answers.listed()]
    assert "What does the crane driver earn a month?" not in cached


def test_an_answer_is_withdrawn_from_the_record_by_document(operator: httpx.Client) -> None:
    """Deleting by document takes the answers that name it, and leaves the question and its figures."""
    trace_id = ask(operator, QUESTION)
    document = trace(operator, trace_id)["citations"][0]["document_id"]  # type: ignore[index]
    assert operator.post("/api/record/delete", json={"document": document}).json()["traces"] >= 1
    left = trace(operator, trace_id)
    assert left["citations"] == []
    assert str(left["answer"]).startswith("(withdrawn")
    assert left["question"] == QUESTION


def test_the_old_goes_by_age_and_a_choice_is_one_thing(operator: httpx.Client) -> None:
    """Nothing here is a day old; two choices at once, or none, are refused."""
    assert operator.post("/api/record/delete", json={"older_than_days": 1}).json()["traces"] == 0
    for body in ({}, {"principal": "ada", "document": "x"}, {"older_than_days": -1}):
        assert operator.post("/api/record/delete", json=body).status_code == 400
