"""The heuristics' audit and the checklist over HTTP; and what applications got, held to what they asked for."""

from __future__ import annotations

import httpx
import openai

from ken.domain.principal import LOCAL_OPERATOR
from ken.domain.trace import Trace
from tests.service.door import SAY, TIDE_TABLE, Door
from tests.service.serving import Served

FORMAT = {"type": "json_schema", "json_schema": {"name": "tide", "schema": TIDE_TABLE}}


def called(door: Door, **asked: object) -> Trace:
    """The trace of a call."""
    with door.openai() as client:
        done: openai.types.chat.ChatCompletion = client.chat.completions.create(model="small", messages=SAY, **asked)  # type: ignore[call-overload]
    assert door.served.ken.recorder.flush()
    return door.served.ken.traces.get(done.model_extra["ken"]["trace_id"], LOCAL_OPERATOR)  # type: ignore[index]


def test_an_answer_in_json_is_held_to_its_schema(door: Door) -> None:
    """Whole JSON fits; JSON that is cut at the greatest length is a fault on record, and is passed on as it is."""
    whole = called(door, response_format=FORMAT)
    assert ("json_schema" in whole.checked, whole.failed_checks) == (True, ())
    cut = called(door, response_format=FORMAT, max_tokens=3)
    assert cut.failed_checks == ("json_schema",)
    assert cut.answer == '{"port'
    assert door.trace(cut.id)["failed_checks"] == ["json_schema"]
    plain = called(door)
    assert ("json_schema" in plain.checked, plain.failed_checks) == (False, ())


def test_the_audit_counts_what_was_looked_at(door: Door) -> None:
    """Every rule with its counts and its rate; in a home that is young, none is silent."""
    called(door, response_format=FORMAT, max_tokens=3)
    with door.served.client(door.served.operator) as client:
        told = client.get("/api/checks").raise_for_status().json()
    rules = {one["name"]: one for one in told["rules"]}
    found = rules["json_schema"]
    assert 0 < found["fired"] <= found["looked"]
    assert found["rate"] == found["fired"] / found["looked"]
    assert found["since"] <= found["last_fired_at"]
    assert rules["steps"]["last_fired_at"] is None
    assert all(one["is_on"] for one in rules.values())
    assert told["silent"] == []


def test_the_checklist_is_answered_with_evidence(door: Door) -> None:
    """Every question has a state, its evidence and where to look; what is no pass has a remedy."""
    with door.served.client(door.served.operator) as client:
        told = client.get("/api/checklist").raise_for_status().json()
    assert told["release"] == door.served.ken.assistant.parts.release.id
    assert told["ready"] is False
    assert len({one["name"] for one in told["answers"]}) == len(told["answers"]) == 12
    for one in told["answers"]:
        assert one["question"].endswith("?")
        assert one["evidence"]
        assert one["where"]
        assert bool(one["remedy"]) == (one["state"] != "pass")


def test_both_are_for_operators(served: Served) -> None:
    """A key without the group gets 403, and no figure."""
    for path in ("/api/checks", "/api/checklist"):
        with served.client(served.clerk) as client:
            answer: httpx.Response = client.get(path)
        assert answer.status_code == 403
