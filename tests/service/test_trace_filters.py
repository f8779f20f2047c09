"""`GET /api/traces?where=`: filters over the record, each principal's own and everybody's for operators."""

from __future__ import annotations

import httpx
import pytest

from tests.service.corpus import QUESTION
from tests.service.serving import Served


@pytest.fixture(scope="module")
def asked(served: Served) -> Served:
    """A server that a clerk and nobody in particular have asked something."""
    for key in (served.clerk, served.nobody):
        with served.client(key) as client:
            client.post("/api/ask?stream=false", json={"question": f"{QUESTION} once more?"}).raise_for_status()
    return served


def listed(client: httpx.Client, where: str, **options: str) -> httpx.Response:
    return client.get("/api/traces", params={"where": where, **options})


def test_a_filter_narrows_the_list(asked: Served) -> None:
    """Each trace has what was asked for by name; pages go on where the last one ended; an outcome narrows further."""
    with asked.client(asked.operator) as client:
        first = listed(client, "retrieve.ms >= 0 and kind = question", limit="1").json()
        [trace] = first["traces"]
        assert set(trace["figures"]) == {"retrieve.ms", "kind"}
        assert trace["figures"]["retrieve.ms"] > 0
        second = listed(client, "retrieve.ms >= 0 and kind = question", limit="1", before=first["before"]).json()
        assert second["traces"][0]["id"] != trace["id"]
        answered = listed(client, "retrieve.ms >= 0", outcome="answered", limit="500").json()["traces"]
        same = listed(client, "retrieve.ms >= 0 and outcome = answered", limit="500").json()["traces"]
        assert {each["outcome"] for each in answered} == {"answered"}
        assert [each["id"] for each in answered] == [each["id"] for each in same]
        assert listed(client, "retrieve.ms > 1h").json() == {"traces": [], "before": None}
        assert listed(client, "quality is unknown and ms > 0").json()["traces"]


def test_everybody_finds_their_own_traces_alone(asked: Served) -> None:
    """Somebody else's are not in the list; to ask by principal is for operators."""
    with asked.client(asked.operator) as client:
        everybody = listed(client, "ms >= 0", limit="500").json()["traces"]
        some = everybody[0]["principal"]
        assert {each["principal"] for each in listed(client, f"principal = '{some}'").json()["traces"]} == {some}
    with asked.client(asked.clerk) as client:
        own = {each["principal"] for each in listed(client, "ms >= 0 or kind = sync").json()["traces"]}
        assert len(own) == 1
        assert listed(client, f"principal = '{some}'").status_code == 403


@pytest.mark.parametrize(
    "where",
    [
        "retreive.ms > 500",
        "ms > nan",
        "ms > 5 or 1 = 1 --",
        "task_type = 'x' union select question from trace_details",
        "(" * 500 + "ms > 1",
        "not " * 300 + "escalated",
        "é" * 1_999,
        "x" * 5_000,
    ],
)
def test_what_is_no_filter_is_refused(asked: Served, where: str) -> None:
    """With a plain word and the place, and never a server's error."""
    with asked.client(asked.operator) as client:
        answer = listed(client, where)
        assert answer.status_code in {400, 422}
        assert "Traceback" not in answer.text
