"""How good what was found was, on record."""

from __future__ import annotations

import time

import httpx
import pytest

from ken.domain.trace import Trace, TracedPassage
from tests.service.corpus import BEYOND, QUESTION
from tests.service.events import ask
from tests.service.serving import Served


def test_a_trace_tells_relevance_and_utilisation(client: httpx.Client) -> None:
    """The mean and the least of the passages given to the model, and the share of them that the answer cites."""
    answer = ask(client, QUESTION)[-1][1]
    trace = client.get(f"/api/traces/{answer['trace_id']}").json()
    relevance = [each["relevance"] for each in trace["evidence"]]
    retrieved = trace["retrieved"]
    assert retrieved["passages"] == len(relevance)
    assert retrieved["mean_relevance"] == pytest.approx(sum(relevance) / len(relevance))
    assert retrieved["least_relevance"] == min(relevance)
    cited = {each["passage_id"] for each in answer["citations"]}
    assert retrieved["utilisation"] == pytest.approx(len(cited) / len(relevance))


def test_an_abstention_has_no_utilisation(client: httpx.Client) -> None:
    """Nothing was to be cited."""
    answer = ask(client, BEYOND)[-1][1]
    assert client.get(f"/api/traces/{answer['trace_id']}").json()["retrieved"]["utilisation"] is None


def test_a_day_stands_beside_the_week_before(served: Served) -> None:
    """By task type, over the questions that one may see; a question without passages doesn't count."""
    now = time.time()
    for trace in (
        *(_trace(f"{at:032x}", when=now - 600, relevance=(0.9, 0.5)) for at in range(1, 4)),
        _trace(f"{9:032x}", when=now - 3 * 86_400, relevance=(0.2, 0.4)),
        _trace(f"{8:032x}", when=now - 600, relevance=()),
        _trace(f"{7:032x}", when=now - 30 * 86_400, relevance=(0.1,)),
    ):
        served.ken.recorder.record(trace)
    assert served.ken.recorder.flush()
    with served.client(served.operator) as client:
        told = client.get("/api/retrieval").json()
        assert client.get("/api/retrieval", params={"since": now + 100}).status_code == 400
    with served.client(served.nobody) as client:
        seen = client.get("/api/retrieval").json()["tasks"]
        assert "charting" not in {each["task_type"] for each in seen}
    [today] = [each for each in told["tasks"] if each["task_type"] == "charting"]
    [before] = [each for each in told["before"] if each["task_type"] == "charting"]
    assert (today["questions"], before["questions"]) == (3, 1)
    assert today["mean_relevance"] == pytest.approx(0.7)
    assert today["least_relevance"] == pytest.approx(0.5)
    assert today["utilisation"] == pytest.approx(0.5)
    assert before["mean_relevance"] == pytest.approx(0.3)


def _trace(trace_id: str, *, when: float, relevance: tuple[float, ...]) -> Trace:
    seen = tuple(
        TracedPassage(
            passage_id=f"harbour/office.md#p{at}",
            document_id="harbour/office.md",
            version="v",
            relevance=value,
            lexical=1.0,
            dense=0.5,
            cited=at == 0,
        )
        for at, value in enumerate(relevance)
    )
    return Trace(
        id=trace_id,
        principal="key:somebody",
        conversation_id=None,
        question="Where?",
        answer="There.",
        outcome="answered",
        task_type="charting",
        release="r",
        corpus_version=1,
        model="m",
        input_tokens=0,
        output_tokens=0,
        cost_micros=0,
        confidence=0.5,
        cached=False,
        error="",
        started_at=when,
        ms=1.0,
        ttft_ms=None,
        evidence=seen,
    )
