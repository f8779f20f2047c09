"""The answer cache at the HTTP doors: what a hit says, who shares it, and what operators see of it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from ken.budget_settings import PriceSettings
from ken.cache_settings import AnswerCacheSettings
from ken.mock.serving import running_in_thread
from ken.settings import ModelSettings
from tests.service.corpus import copy
from tests.service.events import ask
from tests.service.serving import Served, serving

QUESTION = "When does the harbour office open on weekdays?"
AGAIN = "At what time does the harbour office open on weekdays?"
WAGE = "What does the crane driver earn a month?"


@pytest.fixture(scope="module")
def caching(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    never = AnswerCacheSettings(shadow_share=0.0)
    with serving(copy(tmp_path_factory.mktemp("caching") / "home"), cache=True, answer_cache=never) as ken:
        yield ken


def one(client: httpx.Client, question: str) -> dict[str, object]:
    """The answer as one object."""
    return client.post("/api/ask?stream=false", json={"question": question}).raise_for_status().json()


def test_a_hit_says_so_at_every_door(caching: Served) -> None:
    """It is marked and names the trace that it was made in; it streams in the pieces of the first time, with a notice."""
    with caching.client() as client:
        first, again = ask(client, QUESTION), ask(client, QUESTION)
        answer = again[-1][1]
        assert (first[-1][1]["cached"], answer["cached"]) == (False, True)
        assert answer["original_trace_id"] == first[-1][1]["trace_id"]
        assert [data for name, data in again if name == "token"] == [data for name, data in first if name == "token"]
        assert [data["kind"] for name, data in again if name == "notice"] == ["cached"]
        other = one(client, AGAIN)
        assert (other["cached"], other["original_trace_id"]) == (True, answer["original_trace_id"])
        spans = client.get(f"/api/traces/{other['trace_id']}").json()["spans"]
        recall = next(span for span in spans if span["name"] == "recall")["attributes"]
        assert recall["decision"] == "similar"
        chat = client.post(
            "/v1/chat/completions", json={"model": "ken", "messages": [{"role": "user", "content": AGAIN}]}
        )
        assert chat.json()["choices"][0]["message"]["content"].startswith(str(answer["text"])[:20])
        assert chat.json()["ken"]["original_trace_id"] == answer["original_trace_id"]


def test_an_answer_stays_within_its_groups(caching: Served) -> None:
    """Who may not read what it was made from is answered without it, in whatever words they ask."""
    with caching.client(caching.clerk) as clerk, caching.client(caching.nobody) as nobody:
        first = one(clerk, WAGE)
        assert "3,400" in str(first["text"])
        assert one(clerk, WAGE)["cached"]
        for text in (WAGE, "How much does the crane driver earn a month?"):
            refused = one(nobody, text)
            assert "3,400" not in str(refused["text"])
            assert refused["original_trace_id"] != first["trace_id"]


def test_operators_see_and_drop_what_is_held(caching: Served) -> None:
    """Figures by category, each entry with what it rests on; a dropped one is given to nobody."""
    with caching.client(caching.operator) as operator, caching.client(caching.clerk) as clerk:
        one(operator, "What is a berth for a boat of up to 8 metres a night?")
        figures = operator.get("/api/gateway/cache").raise_for_status().json()
        assert figures["all"]["entries"] >= 1
        assert figures["categories"]["general"]["lookups"] >= figures["all"]["exact"]
        assert figures["all"]["false_hits"] == {"compared": 0, "different": 0, "share": None, "low": 0.0, "high": 1.0}
        held = operator.get("/api/gateway/cache/entries", params={"category": "general"}).json()
        opened = operator.get(f"/api/gateway/cache/entries/{held[0]['id']}").raise_for_status().json()
        assert opened["question"] == held[0]["question"]
        assert any(rests["cited"] for rests in opened["rests_on"])
        assert held[0]["documents"] == [rests["document_id"] for rests in opened["rests_on"] if rests["cited"]]
        found = operator.get("/api/gateway/cache/entries", params={"q": "BERTH boat"}).json()
        assert [each["question"] for each in found] == ["What is a berth for a boat of up to 8 metres a night?"]
        assert operator.get("/api/gateway/cache/entries", params={"q": "berth %"}).json() == []
        assert opened["text"]
        every = "/api/gateway/cache/entries"
        where = f"{every}/{held[0]['id']}"
        tried = [clerk.get(where), clerk.get(every), clerk.delete(where), clerk.delete(every)]
        assert {reply.status_code for reply in tried} == {403}
        assert operator.delete(where).json() == {"dropped": 1}
        assert operator.delete(where).status_code == operator.get(where).status_code == 404
        assert (
            operator.delete("/api/gateway/cache/entries", params={"category": "general"}).json()["dropped"]
            == len(held) - 1
        )
        assert operator.get("/api/gateway/cache/entries").json() == []


def test_a_thumb_down_ends_an_answer(caching: Served) -> None:
    """It is not given again to anybody."""
    question = "When does the fuel station sell diesel?"
    with caching.client() as client:
        one(client, question)
        again = one(client, question)
        assert again["cached"]
        client.post("/api/feedback", json={"trace_id": again["trace_id"], "helpful": False}).raise_for_status()
        assert [one(client, question)["cached"] for _ in range(2)] == [False, False]


def test_what_hits_have_saved_is_what_the_first_answer_cost(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A question answered by a model of a known price and asked twice more has saved twice that; without a price it is unknown."""
    with running_in_thread() as mock:
        table = {"name": "writer", "model": "mock-quote2-idsaving", "base_url": mock.url}
        price = {"writer": PriceSettings(input=1_000_000, output=4_000_000)}
        told = {"models": (ModelSettings.model_validate(table),), "default_model": "writer", "cache": True}
        for prices in (price, {}):
            home = copy(tmp_path_factory.mktemp("saving") / "home")
            with serving(home, **told, prices=prices) as ken, ken.client(ken.operator) as operator:
                before = operator.get("/api/gateway/cache").json()["all"]
                operator.delete("/api/gateway/cache/entries")
                answers = [one(operator, QUESTION) for _ in range(3)]
                assert [answer["cached"] for answer in answers] == [False, True, True]
                ken.ken.recorder.flush()
                figures = operator.get("/api/gateway/cache").json()["all"]
                if prices:
                    assert before["saved_micros"] == 0
                    cost = answers[0]["cost_micros"]
                    assert isinstance(cost, int)
                    assert cost > 0
                    assert figures["saved_micros"] == 2 * cost
                else:
                    assert figures["saved_micros"] is None
