from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from redis import Redis

from ken.gateway_settings import BreakerSettings, GatewaySettings, TierSettings
from ken.mock.serving import Running, running_in_thread
from ken.settings import ModelSettings
from tests.service.serving import Served, serving

FAILING, GOOD = "mock-500", "mock-len5"


@pytest.fixture
def mock() -> Iterator[Running]:
    with running_in_thread() as started:
        yield started


@pytest.fixture
def gateway(tmp_path: Path, mock: Running, redis_url: str) -> Iterator[Served]:
    """A Ken with a model that always fails, a good one behind it, and a Redis."""
    names = {"failing": FAILING, "good": GOOD}
    with serving(
        tmp_path / "home",
        models=tuple(ModelSettings(name=name, base_url=mock.url, model=model) for name, model in names.items()),
        tiers={"tier-1": TierSettings(models=("failing", "good"))},
        gateway=GatewaySettings(backoff_s=0.0, breaker=BreakerSettings(min_calls=4, cooldown_s=30)),
        redis_url=SecretStr(redis_url),
    ) as ken:
        yield ken


def ask(client: httpx.Client) -> httpx.Response:
    """Ask the tier."""
    return client.post(
        "/v1/chat/completions", json={"model": "tier-1", "messages": [{"role": "user", "content": "Hello?"}]}
    )


def test_the_state_of_every_model_is_told(gateway: Served, mock: Running, redis_url: str) -> None:
    """After two questions the failing model's breaker is open, here and in Redis; what was retried and who stood in is counted."""
    began = time.time()
    with gateway.client(gateway.operator) as client:
        assert [ask(client).status_code for _ in range(3)] == [200, 200, 200]
        told = client.get("/api/gateway/health").raise_for_status().json()
    by_name = {one["name"]: one for one in told["dependencies"]}
    failing, good = by_name["failing"], by_name["good"]
    assert failing["breaker"]["state"] == "open"
    assert (failing["breaker"]["calls"], failing["breaker"]["error_rate"]) == (4, 1.0)
    assert began <= failing["breaker"]["since"] <= time.time()
    assert failing["breaker"]["probes_at"] > time.time()
    assert failing["retries"] == {"500": 3}
    assert failing["fallbacks"] == {"500": 1, "breaker_open": 2}
    assert (good["breaker"]["state"], good["breaker"]["calls"], good["queue"]["in_flight"]) == ("closed", 3, 0)
    assert good["queue"]["wait_p50_ms"] == 0.0
    assert [(event["dependency"], event["old"], event["new"]) for event in told["events"]] == [
        ("failing", "closed", "open")
    ]
    assert told["sharing"] == "redis"
    assert len(mock.ledger.entries(FAILING)) == 4, "an open breaker spares the provider"
    with Redis.from_url(redis_url) as redis:
        assert len(list(redis.scan_iter(match="ken:*:breaker:failing"))) == 1


def test_only_operators_see_it(served: Served) -> None:
    """Whoever holds another key is told that it takes an operator's."""
    with served.client(served.clerk) as client:
        assert client.get("/api/gateway/health").status_code == 403
