"""Routing over HTTP: what would happen to a question, where questions went, and what judged turns teach."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from ken.mock.serving import running_in_thread
from ken.settings import ModelSettings
from tests.service.corpus import QUESTION, copy
from tests.service.events import ask
from tests.service.serving import Served, serving

HARD = "Why does the crane rest when the wind is strong, and who inspects it if the driver is away?"


@pytest.fixture(scope="module")
def tiered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A Ken whose light model writes what no passage supports, and whose strong one quotes."""
    home = copy(tmp_path_factory.mktemp("tiered") / "home")
    with running_in_thread() as mock:
        tables = [
            {"name": name, "base_url": mock.url, "model": model}
            for name, model in (("light", "mocksmall-len20"), ("strong", "mocklarge-quote2"))
        ]
        written = ["[[models]]\n" + "\n".join(f'{key} = "{value}"' for key, value in table.items()) for table in tables]
        chains = '[tiers.tier-1]\nmodels = ["light"]\n[tiers.tier-2]\nmodels = ["strong"]\n[tiers.local]\nmodels = ["extractive"]'
        (home / "ken.toml").write_text("\n".join([*written, chains, '[routes.tasks]\nprocedure = "local"\n']), "utf-8")
        with serving(home, models=tuple(ModelSettings.model_validate(table) for table in tables)) as ken:
            yield ken


def routes(served: Served, key: str) -> dict[str, dict[str, Any]]:
    with served.client(key) as client:
        return {each["task_type"]: each for each in client.get("/api/gateway/routes").json()["tasks"]}


def test_figures_tell_where_questions_went(tiered: Served) -> None:
    """By task type and tier, with the share that was escalated; everyone sees their own questions, operators all."""
    with tiered.client(tiered.clerk) as client:
        events = ask(client, QUESTION)
        answer = events[-1][1]
        assert next(data["kind"] for name, data in events if name == "notice") == "escalated"
        assert answer["model"] == "strong"
        assert "a stronger model was asked instead" in answer["notices"][0]
        hard = ask(client, HARD)[-1][1]
        assert hard["model"] == "strong"
        assert ask(client, "How do I report a lost key?")[-1][1]["model"] == "extractive"
        for one, helpful in ((hard, True), (answer, True)):
            assert (
                client.post("/api/feedback", json={"trace_id": one["trace_id"], "helpful": helpful}).status_code < 300
            )
    told = routes(tiered, tiered.operator)
    assert routes(tiered, tiered.clerk) == told
    assert routes(tiered, tiered.nobody) == {}
    lookup = told["lookup"]
    assert (lookup["questions"], lookup["escalated"], lookup["escalation_rate"]) == (2, 1, 0.5)
    tiers = {each["tier"]: each["questions"] for each in lookup["tiers"]}
    assert tiers == {"tier-1": 1, "tier-2": 2}
    assert told["procedure"]["tiers"] == [{"tier": "local", "questions": 1, "cost_micros": 0}]
    judged = tiered.ken.route_record.judged(("tier-1",))
    assert [turn.is_hard for turn in judged] == [True]
    assert judged[0].features["flatness"] > 0
    assert [turn.is_hard for turn in tiered.ken.route_record.judged(("tier-2",))] == [False]


def test_a_question_is_explained_without_being_asked(tiered: Served) -> None:
    """Tier, chain, breakers, plan and reasons, as the asker would find them; no trace is left of it."""
    with tiered.client(tiered.clerk) as client:
        before = len(client.get("/api/traces").json()["traces"])
        told = client.get("/api/gateway/explain", params={"question": HARD}).json()
        assert (told["tier"], told["outcome"]) == ("tier-2", "")
        assert told["decision"]["passed_over"] == []
        assert [(model["name"], model["breaker"]) for model in told["models"]] == [("strong", "closed")]
        assert told["plan"]["window"] == 8192
        assert {each["feature"] for each in told["difficulty"]["contributions"]} > {"judgement", "parts"}
        assert told["budget"] == {"state": "normal", "notice": ""}
        named = client.get("/api/gateway/explain", params={"question": HARD, "model": "ken/light"}).json()
        assert (named["tier"], named["decision"]) == ("", None)
        assert [model["name"] for model in named["models"]] == ["light"]
        assert client.get("/api/gateway/explain", params={"question": HARD, "model": "huge"}).status_code == 404
        assert client.get("/api/gateway/explain", params={"question": " "}).status_code == 400
        assert len(client.get("/api/traces").json()["traces"]) == before


def test_only_a_caller_who_is_let_in_is_told(tiered: Served) -> None:
    """What a question would find is a matter of who may read it."""
    with httpx.Client(base_url=tiered.url, headers={"authorization": "Bearer nobody"}, trust_env=False) as client:
        assert client.get("/api/gateway/explain", params={"question": HARD}).status_code == 401
    with tiered.client(tiered.nobody) as client:
        stranger = client.get("/api/gateway/explain", params={"question": "What does the crane driver earn?"}).json()
        assert "wages" not in stranger["stages"]["retrieve"]
