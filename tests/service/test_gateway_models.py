"""What there is to ask, as it is configured and as it does; the price list."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ken.budget_settings import PriceSettings
from ken.gateway_settings import BreakerSettings, GatewaySettings, TierSettings
from ken.mock.serving import Running, running_in_thread
from ken.route_settings import RouteSettings
from ken.settings import ModelSettings
from tests.service.serving import Served, serving

SECRET = "sk-very-secret-0123456789"


@pytest.fixture(scope="module")
def mock() -> Iterator[Running]:
    with running_in_thread() as started:
        yield started


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, mock: Running) -> Iterator[Served]:
    """A tier whose first model always fails, another tier, prices of its own for one of three models."""
    told = {
        "failing": {"model": "mock-500-idmodels", "api_key_env": "THEIR_KEY", "max_concurrency": 3},
        "good": {"model": "mock-len5-idmodels", "context_tokens": 16_000, "max_tokens": 700},
        "gpt": {"model": "gpt-4o", "base_url": "https://api.openai.com/v1"},
    }
    home: Path = tmp_path_factory.mktemp("models") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THEIR_KEY", SECRET)
        with serving(
            home,
            models=tuple(
                ModelSettings.model_validate({"name": name, "base_url": mock.url, **table})
                for name, table in told.items()
            ),
            tiers={"tier-1": TierSettings(models=("failing", "good")), "tier-2": TierSettings(models=("gpt",))},
            routes=RouteSettings(tasks={"comparison": "tier-2"}),
            prices={"good": PriceSettings(input=1_000_000, output=4_000_000)},
            gateway=GatewaySettings(backoff_s=0.0, breaker=BreakerSettings(min_calls=4, cooldown_s=30)),
        ) as ken:
            yield ken


def models(client: httpx.Client) -> dict[str, dict[str, dict[str, object]]]:
    """Those told of, by name."""
    told = client.get("/api/gateway/models").raise_for_status().json()
    return {each["name"]: each for each in told["models"]}


def ask(client: httpx.Client) -> httpx.Response:
    """Ask the tier whose first model fails."""
    return client.post(
        "/v1/chat/completions", json={"model": "tier-1", "messages": [{"role": "user", "content": "Hello?"}]}
    )


def test_each_model_is_told_of_as_it_is_configured_and_never_its_key(gateway: Served) -> None:
    """Host, window, limits, patience, places in chains, and that there is a key: the key itself is nowhere in the answer."""
    with gateway.client(gateway.operator) as client:
        answer = client.get("/api/gateway/models").raise_for_status()
    assert SECRET not in answer.text
    told = answer.json()
    by_name = {each["name"]: each for each in told["models"]}
    failing, good, gpt = by_name["failing"], by_name["good"], by_name["gpt"]
    assert (failing["has_key"], failing["key_variable"], good["has_key"]) == (True, "THEIR_KEY", False)
    assert failing["host"].startswith("127.0.0.1:")
    assert (gpt["host"], gpt["kind"], gpt["called"]) == ("api.openai.com", "openai", "gpt-4o")
    assert failing["limits"]["max_concurrency"] == 3
    assert (good["window"], good["max_tokens"]) == (16_000, 700)
    assert gpt["patience_s"]["first_token"] == 3.0
    assert good["places"] == [{"tier": "tier-1", "place": 2}]
    assert by_name["extractive"]["part"] == "reader"
    assert [(tier["name"], tier["models"], tier["stand_ins"], tier["tasks"]) for tier in told["tiers"]] == [
        ("tier-1", ["failing", "good"], ["tier-2"], []),
        ("tier-2", ["gpt"], ["tier-1"], ["comparison"]),
    ]


def test_a_price_says_where_it_comes_from_and_unknown_is_no_zero(gateway: Served) -> None:
    """The list's price has its day, the operator's own says that it is, and a model without one has none at all."""
    with gateway.client(gateway.operator) as client:
        by_name = models(client)
        told = client.get("/api/gateway/prices").raise_for_status().json()
    assert by_name["gpt"]["price"]["output"] == 10_000_000
    assert by_name["gpt"]["price"]["since"] == "2024-10-02"
    assert (by_name["good"]["price"]["is_own"], by_name["good"]["price"]["input"]) == (True, 1_000_000)
    assert by_name["failing"]["price"] is None
    assert told["unpriced"] == ["failing"]
    used = {each["pattern"]: each["used_by"] for each in told["prices"] if each["used_by"]}
    assert used == {"good": ["good"], "gpt-4o": ["gpt"], "extractive": ["extractive"]}
    of_gpt = [(each["output"], each["until"], each["holds"]) for each in told["prices"] if each["pattern"] == "gpt-4o"]
    assert of_gpt == [(15_000_000, "2024-10-02", False), (10_000_000, None, True)]


def test_a_failing_model_shows_its_breaker_why_it_opened_and_its_last_failures(gateway: Served) -> None:
    """After some questions its breaker is open with the reason and the next probe; its failures name kind and trace."""
    with gateway.client(gateway.operator) as client:
        assert [ask(client).status_code for _ in range(3)] == [200, 200, 200]
        by_name = models(client)
        failing, good = by_name["failing"], by_name["good"]
        assert failing["breaker"]["state"] == "open"
        assert failing["breaker"]["probes_at"] > time.time()  # pyright: ignore[reportOperatorIssue]
        assert failing["rules"]["cooldown_s"] == 30
        assert failing["last_change"]["reason"] == "4 of 4 calls failed in 60 s"
        assert (failing["recent"]["calls"], failing["recent"]["failed"]) == (4, 4)
        assert failing["recent"]["p95_ms"] is None
        failures = failing["recent"]["failures"]
        assert isinstance(failures, list)
        assert {each["error"] for each in failures} == {"ModelRefused"}
        for each in failures:
            client.get(f"/api/traces/{each['trace_id']}").raise_for_status()
    assert (good["breaker"]["state"], good["recent"]["calls"], good["recent"]["failed"]) == ("closed", 3, 0)
    assert good["recent"]["p95_ms"] > 0  # pyright: ignore[reportOperatorIssue]


def test_only_operators_see_models_and_prices(gateway: Served) -> None:
    """Whoever holds another key is refused."""
    with gateway.client(gateway.clerk) as client:
        for path in ("/api/gateway/models", "/api/gateway/prices"):
            assert client.get(path).status_code == 403
