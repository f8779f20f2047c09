"""A load test against a Ken that people ask, too: it says that it is one, and people's figures leave it out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ken.errors import InvalidInput
from ken.operations.load.asking import Target
from ken.operations.load.mix import Mix
from ken.operations.load.report import conclusions
from ken.operations.load.run import LoadReport, Plan, load
from ken.operations.load.sources import from_record
from ken.upkeep import Gauges
from tests.service.corpus import QUESTION, copy
from tests.service.serving import Served, serving

TEST = {"x-ken-purpose": "test"}
ASK = {"question": QUESTION}
CHAT = {"model": "ken", "messages": [{"role": "user", "content": QUESTION}]}


@pytest.fixture(scope="module")
def tested(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A Ken that nobody else asks, and which keeps answers."""
    with serving(copy(tmp_path_factory.mktemp("purpose") / "home"), cache=True) as served:
        yield served


@pytest.fixture
def client(tested: Served) -> Iterator[httpx.Client]:
    """The local operator."""
    with tested.client() as opened:
        yield opened


def kinds(client: httpx.Client) -> dict[str, float]:
    """How many traces of each kind the figures count."""
    told = client.get("/api/figures", params={"metric": "questions", "by": "kind", "window": 3_600}).json()
    return {name: line["whole"]["value"] for name, line in told["lines"].items()}


def questions(client: httpx.Client) -> float:
    """How many questions the figures count where nobody asks for a kind."""
    told = client.get("/api/figures", params={"metric": "questions", "window": 3_600}).json()
    return told["lines"][""]["whole"]["value"] or 0


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/ask?stream=false", ASK),
        ("/v1/chat/completions", CHAT),
        ("/v1/messages", CHAT | {"max_tokens": 200}),
        ("/v1/chat/completions", CHAT | {"model": "steady"}),
        ("/v1/embeddings", {"model": "ken", "input": "tides"}),
    ],
)
def test_what_is_asked_as_a_test_is_none_of_peoples(
    tested: Served, client: httpx.Client, path: str, body: dict[str, object]
) -> None:
    """At every door: its trace is there, of the kind `eval`, and questions are as many as before."""
    client.post("/api/ask?stream=false", json=ASK)
    before, tests = questions(client), kinds(client).get("eval", 0)
    with tested.client(tested.operator) as keyed:
        assert keyed.post(path, json=body, headers=TEST).status_code == 200
    assert tested.ken.recorder.flush()
    assert (questions(client), kinds(client)["eval"]) == (before, tests + 1)


def test_only_operators_may_test(tested: Served) -> None:
    """A clerk's question is not asked, and the refusal says what it takes; a purpose that there isn't is refused, too."""
    with tested.client(tested.clerk) as clerk:
        refused = clerk.post("/v1/chat/completions", json=CHAT, headers=TEST)
        assert clerk.post("/v1/chat/completions", json=CHAT).status_code == 200
    assert refused.status_code == 403
    assert "group 'operators'" in refused.json()["error"]["message"]
    with tested.client(tested.operator) as operator:
        wrong = operator.post("/api/ask", json=ASK, headers={"x-ken-purpose": "fun"})
    assert wrong.status_code == 400
    assert "'fun'" in wrong.json()["error"]["message"]


def test_a_load_test_leaves_peoples_figures_as_they_were(tested: Served, client: httpx.Client) -> None:
    """Neither its questions nor its concurrency count as people's, its report has its traces, and it doesn't replay itself."""
    client.post("/api/ask?stream=false", json=ASK)
    gauges = Gauges(tested.ken)
    gauges.values()
    before, found = questions(client), client.get("/api/retrieval").json()["tasks"]
    report = loaded(tested, Target(tested.url), steps=(4,))
    assert report.release == tested.ken.assistant.parts.release.id
    assert "settle" in report.steps[0].stages
    assert questions(client) == before
    assert client.get("/api/retrieval").json()["tasks"] == found
    assert kinds(client)["eval"] >= 8
    assert gauges.values()["in_flight"] == 0
    assert tested.run(from_record(Target(tested.url))) == (QUESTION,)
    alone = loaded(
        tested, Target(tested.url)
    )  # one after the other: each question but the first of its kind is answered before
    assert any("came from the answer cache" in each and "--no-cache" in each for each in conclusions(alone))
    assert any(each.startswith("One step has no knee") for each in conclusions(report))


def test_a_load_test_may_count(tested: Served, client: httpx.Client) -> None:
    """Of a key that is no operator's, every question is refused as a test; where they are to count, they are asked."""
    refused = loaded(tested, Target(tested.url, key=tested.clerk))
    assert refused.steps[0].errors == {"403": 8}
    assert "as a test" in refused.steps[0].said["403"]
    before = questions(client)
    assert loaded(tested, Target(tested.url, key=tested.clerk, is_test=False)).steps[0].errors == {}
    assert questions(client) == before + 8


def test_a_record_of_tests_alone_is_not_replayed(tmp_path: Path) -> None:
    """Nobody has asked anything there."""
    with serving(copy(tmp_path / "home")) as served:
        assert loaded(served, Target(served.url)).steps[0].errors == {}
        with pytest.raises(InvalidInput, match="no questions on record"):
            served.run(from_record(Target(served.url)))


def loaded(served: Served, target: Target, *, steps: tuple[float, ...] = (1,)) -> LoadReport:
    """Eight questions a step, of two."""
    plan = Plan(steps=steps, seconds=20, most=8, warm_up_s=0)
    told = load(target, (QUESTION, "When is diesel sold?"), plan=plan, mix=Mix(follow_ups=0), told=lambda _: None)
    return served.run(told)
