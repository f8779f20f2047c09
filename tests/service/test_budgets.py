"""Budgets and costs at the door, through OpenAI's own client, against the provider's own books."""

from __future__ import annotations

import time
from collections.abc import Iterator

import openai
import pytest

from ken.budget_settings import BudgetSettings, PriceSettings
from ken.mock.behaviour import FAMILIES
from ken.mock.serving import running_in_thread
from ken.settings import ModelSettings
from tests.service.corpus import copy
from tests.service.door import SAY, Door
from tests.service.serving import serving

LIMIT = 900
BUDGETS = (
    BudgetSettings(name="all together", money="9.00"),
    BudgetSettings(name="the office", group="office", per="day", money=f"0.{LIMIT:06d}"),
    BudgetSettings(name="each key", principal="*", tokens=1_000_000, soft=0.5, hard=False),
)
PRICE = PriceSettings(input=FAMILIES["mock"].input, output=FAMILIES["mock"].output)


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    home = copy(tmp_path_factory.mktemp("budgets") / "home")
    with running_in_thread() as mock:
        tables = [
            ModelSettings.model_validate({"name": name, "model": f"mock-len12-id{name}", "base_url": mock.url})
            for name in ("priced", "unpriced")
        ]
        told = {"models": tuple(tables), "budgets": BUDGETS, "prices": {"priced": PRICE}}
        with serving(home, **told) as served:
            yield Door(served, mock)


def ask(door: Door, key: str, *, model: str = "priced", times: int = 1) -> None:
    """Call the plain gateway, with room for forty tokens of answer."""
    with door.openai(key=key) as client:
        for _ in range(times):
            client.chat.completions.create(model=model, messages=SAY, max_tokens=40)


def test_a_hard_budget_is_never_overspent_and_says_when_to_come_back(door: Door) -> None:
    """A clerk asks until 429: the provider's invoice stays within the limit, and the refused call never reached it."""
    with pytest.raises(openai.RateLimitError) as refused:
        ask(door, door.served.clerk, times=100)
    headers = refused.value.response.headers
    assert 0 < int(headers["retry-after"]) <= 86_400
    assert headers["x-should-retry"] == "false"
    assert "The budget 'the office' has $0.0" in str(refused.value)
    entries = door.mock.ledger.entries("mock-len12-idpriced")
    invoice = sum(entry.cost_micros for entry in entries)
    assert LIMIT / 2 < invoice <= LIMIT
    with door.served.client(door.served.operator) as client:
        burns = {burn["name"]: burn for burn in client.get("/api/gateway/budgets").json()["budgets"]}
    assert (burns["the office"]["used"], burns["the office"]["reserved"]) == (invoice, 0)
    assert burns["the office"]["state"] == "short"
    assert burns["the office"]["calls"] == len(entries)


def test_a_model_without_a_price_is_refused_under_a_budget_of_money(door: Door) -> None:
    """With the remedy, and as something that trying again won't mend."""
    with pytest.raises(openai.PermissionDeniedError, match=r"'unpriced' has no price.*\[prices\]"):
        ask(door, door.served.nobody, model="unpriced")
    assert door.mock.ledger.entries("mock-len12-idunpriced") == []


def test_everybody_sees_the_budgets_that_bind_them(door: Door) -> None:
    """An operator all of them, a clerk those of the office too, and whoever has no group neither."""
    ask(door, door.served.nobody)
    seen: dict[str, list[str]] = {}
    for who, key in (("operator", door.served.operator), ("clerk", door.served.clerk), ("nobody", door.served.nobody)):
        with door.served.client(key) as client:
            told = client.get("/api/gateway/budgets").json()
        assert told["currency"] == "USD"
        seen[who] = sorted(burn["name"] for burn in told["budgets"])
        assert all(burn["resets_at"] > time.time() for burn in told["budgets"])
    assert seen["clerk"] == ["all together", "each key", "the office"]
    assert seen["nobody"] == ["all together", "each key"]
    assert set(seen["operator"]) == {"all together", "each key", "the office"}


def test_costs_are_what_the_provider_invoices_and_for_operators_only(door: Door) -> None:
    """By model, principal and stage the sums are the same, and those of the provider's books; a clerk is refused."""
    ask(door, door.served.nobody)
    invoice = sum(entry.cost_micros for entry in door.mock.ledger.entries())
    with door.served.client(door.served.operator) as client:
        for by in ("model", "principal", "stage", "day", "tier"):
            told = client.get("/api/gateway/costs", params={"by": by, "days": 1}).json()
            assert (by, sum(cost["cost_micros"] for cost in told["costs"])) == (by, invoice)
        by_model = client.get("/api/gateway/costs", params={"by": "model"}).json()["costs"]
        assert client.get("/api/gateway/costs", params={"by": "weather"}).status_code == 400
    (priced,) = [cost for cost in by_model if cost["of"] == "priced"]
    assert priced["calls"] == len(door.mock.ledger.entries())
    assert priced["output_tokens"] == 12 * priced["calls"]
    assert (priced["unknown_calls"], priced["estimated_calls"]) == (0, 0)
    with door.served.client(door.served.clerk) as client:
        assert client.get("/api/gateway/costs").status_code == 403


def test_a_budget_tells_its_pace_and_its_days(door: Door) -> None:
    """The days since the month began add up to what is used; the even pace is the limit's share of the time that is over."""
    ask(door, door.served.nobody)
    door.served.run(door.served.ken.providers.stacks.books.flush())
    with door.served.client(door.served.operator) as client:
        burns = {burn["name"]: burn for burn in client.get("/api/gateway/budgets").json()["budgets"]}
        burn = burns["all together"]
        told = client.get("/api/gateway/budgets/days", params={"name": "all together"}).raise_for_status().json()
        by_day = client.get("/api/gateway/budgets/days", params={"name": "each key", "of": burns["each key"]["of"]})
        assert by_day.raise_for_status().json()["is_money"] is False
        assert client.get("/api/gateway/budgets/days", params={"name": "no such"}).status_code == 404
    assert sum(day["used"] for day in told["days"]) == burn["used"] > 0
    today = time.strftime("%Y-%m-%d", time.gmtime())
    assert (told["days"][0]["day"], told["days"][-1]["day"]) == (f"{today[:7]}-01", today)
    assert len(told["days"]) == int(today[8:])
    assert burn["even"] == pytest.approx(burn["limit"] * burn["elapsed"], abs=1)
    assert burn["elapsed"] == pytest.approx(
        (time.time() - burn["began_at"]) / (burn["resets_at"] - burn["began_at"]), abs=0.001
    )


def test_a_budget_s_days_are_for_those_whom_it_binds(door: Door) -> None:
    """A key sees its own days, and neither another key's nor those of a group that it isn't in."""
    path, own = "/api/gateway/budgets/days", dict[str, str]()
    for who, key in (("clerk", door.served.clerk), ("nobody", door.served.nobody)):
        with door.served.client(key) as client:
            burns = client.get("/api/gateway/budgets").json()["budgets"]
        own[who] = next(burn["of"] for burn in burns if burn["name"] == "each key")
    assert own["clerk"] != own["nobody"]
    with door.served.client(door.served.nobody) as client:
        assert client.get(path, params={"name": "each key", "of": own["nobody"]}).status_code == 200
        assert client.get(path, params={"name": "each key", "of": own["clerk"]}).status_code == 404
        assert client.get(path, params={"name": "the office", "of": "office"}).status_code == 404
