from __future__ import annotations

import asyncio
import logging
import random
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from ken.errors import BreakerOpen, InvalidSetting
from ken.gateway.breaker import Breaker, BreakerRules, Circuit
from ken.gateway.gate import LimitRules
from ken.gateway.limit import Limit, Limiter
from ken.gateway.replicas import Replicas
from ken.gateway.vitals import BreakerChanged
from tests.gateway.asking import DOWN, Turns, Waiting, outcome_of, request, text_of, until
from tests.gateway.redis_rig import redis_server

RULES = BreakerRules(min_calls=2, cooldown_s=0.3, probe_fraction=1.0, successes=1)
LONG = BreakerRules(min_calls=2, cooldown_s=30)


@asynccontextmanager
async def replica(url: str, *, prefix: str) -> AsyncGenerator[Replicas]:
    """One of several Kens at a Redis."""
    made = Replicas(url, prefix=prefix)
    made.start()
    try:
        yield made
    finally:
        await made.aclose()


@pytest.fixture
async def two(redis_url: str) -> AsyncGenerator[tuple[Replicas, Replicas]]:
    """Two replicas that share what no other test does."""
    prefix = uuid4().hex
    async with AsyncExitStack() as stack:
        pair = [await stack.enter_async_context(replica(redis_url, prefix=prefix)) for _ in range(2)]
        async with Redis.from_url(redis_url, decode_responses=True) as redis:
            while (await redis.pubsub_numsub(f"{prefix}:breakers"))[0][1] < 2:  # noqa: ASYNC110 - another process's state
                await asyncio.sleep(0.01)
        yield pair[0], pair[1]


def breaker_at(
    replicas: Replicas, model: Turns, rules: BreakerRules = RULES
) -> tuple[Breaker, Circuit, list[BreakerChanged]]:
    """A model behind a breaker that is shared, and the changes that this replica saw."""
    changes: list[BreakerChanged] = []
    circuit = Circuit("m", rules, listeners=[changes.append])
    replicas.share(circuit)
    return Breaker(model, circuit=circuit), circuit, changes


async def opened(breaker: Breaker) -> None:
    """Let it fail often enough."""
    for _ in range(2):
        await outcome_of(breaker, request())


async def test_an_open_breaker_is_seen_by_every_replica_within_a_second(two: tuple[Replicas, Replicas]) -> None:
    """What one replica found out the other need not find out for itself; it tries again at the same time, and tells in its turn."""
    ours, _, our_changes = breaker_at(two[0], Turns("m", (DOWN,)))
    model = Turns("m", ("Good.",))
    theirs, circuit, changes = breaker_at(two[1], model)
    await opened(ours)
    assert await until(lambda: circuit.state == "open", seconds=1.0)
    assert isinstance(await outcome_of(theirs, request()), BreakerOpen)
    assert model.requests == []
    # Whichever word came first: the one on the channel, or the one that was kept for whoever joins late.
    assert changes[0].is_told
    assert changes[0].reason.startswith("another replica says: ")
    await asyncio.sleep(0.31)
    assert await outcome_of(theirs, request()) == "Good."
    assert await until(lambda: our_changes[-1].new == "closed", seconds=1.0)


async def test_nonsense_on_the_channel_is_left_alone(two: tuple[Replicas, Replicas]) -> None:
    """What isn't a breaker's change, of whatever program, changes nothing and ends nothing."""
    ours, _, _ = breaker_at(two[0], Turns("m", (DOWN,)))
    _, circuit, _ = breaker_at(two[1], Turns("m", ("Good.",)))
    for word in (
        "",
        "x",
        "[]",
        "null",
        '{"name": "m"}',
        '{"name": "m", "origin": "o", "state": "open", "probes_in_s": "x"}',
    ):
        await two[0].redis.publish(two[0].key("breakers"), word)
    await opened(ours)
    assert await until(lambda: circuit.state == "open", seconds=2.0)


async def test_a_replica_that_comes_later_knows_what_is_open(two: tuple[Replicas, Replicas], redis_url: str) -> None:
    """A replica that starts while a breaker is open leaves that model alone, for as long as the others do."""
    ours, circuit, _ = breaker_at(two[0], Turns("m", (DOWN,)), LONG)
    await opened(ours)
    async with Redis.from_url(redis_url) as redis:
        while not await redis.exists(two[0].key("breaker", "m")):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
    late = Replicas(redis_url, prefix=two[0].prefix)
    _, theirs, _ = breaker_at(late, Turns("m", ("Good.",)), LONG)
    late.start()
    assert await until(lambda: theirs.state == "open")
    assert theirs.probes_in_s == pytest.approx(circuit.probes_in_s, abs=2)
    await late.aclose()


async def test_replicas_together_keep_a_models_limit(two: tuple[Replicas, Replicas]) -> None:
    """Twenty calls of two replicas at a model that takes three at once: three are under way, and all are answered."""
    model = Waiting()
    rules = LimitRules(max_concurrency=3)
    limits = [Limit(model, limiter=Limiter("m", rules, gate=each.gate("m", rules))) for each in two]
    calls = [asyncio.ensure_future(text_of(limits[number % 2], request())) for number in range(20)]
    assert await until(lambda: model.under_way == 3)
    model.gate.set()
    assert await asyncio.gather(*calls) == ["anna"] * 20
    assert model.most == 3


async def test_given_up_calls_lose_no_place_that_is_shared(two: tuple[Replicas, Replicas]) -> None:
    """Hundreds of calls that are cancelled anywhere, also while Redis is asked, leave all places free in the end."""
    luck = random.Random(3)
    rules = LimitRules(max_concurrency=4, requests_per_minute=100_000, tokens_per_minute=10_000_000, queue_length=1000)
    limits = [
        Limit(Turns("m", ("a",), pause_s=0.001), limiter=Limiter("m", rules, gate=each.gate("m", rules)))
        for each in two
    ]

    async def given_up(number: int) -> str:
        call = asyncio.ensure_future(text_of(limits[number % 2], request(principal=luck.choice("abc"))))
        if luck.random() < 0.5:
            await asyncio.sleep(luck.random() * 0.05)
            call.cancel()
        try:
            return await call
        except asyncio.CancelledError:
            return "given up"

    outcomes = Counter(await asyncio.gather(*map(given_up, range(300))))
    assert min(outcomes["given up"], outcomes["a"]) > 20
    assert await until(lambda: not any(each.is_busy for each in two))
    async with asyncio.timeout(20):
        while await two[0].redis.zcard(two[0].key("limit", "{m}", "open")):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
    total = int(await two[0].redis.get(two[0].key("limit", "{m}", "sum")))
    tokens = await two[0].redis.hvals(two[0].key("limit", "{m}", "tokens"))
    assert total == sum(map(int, tokens)), "the sum of the window's tokens is that of its calls"


async def test_rates_are_shared(two: tuple[Replicas, Replicas]) -> None:
    """A minute's requests and tokens are those of all replicas; what was not used and what never went out is given back."""
    rules = LimitRules(requests_per_minute=3, tokens_per_minute=100)
    ours, theirs = (each.gate("m", rules) for each in two)
    assert await ours.take("a", tokens=60) == 0
    assert 55 < await theirs.take("b", tokens=60) <= 60
    ours.give_back("a", tokens=20)
    while await theirs.take("b", tokens=60):  # noqa: ASYNC110 - as above
        await asyncio.sleep(0.01)
    assert await ours.take("c", tokens=10) == 0
    assert 55 < await theirs.take("d", tokens=1) <= 60, "three requests"
    ours.give_back("c", tokens=None)
    while await theirs.take("d", tokens=1):  # noqa: ASYNC110 - as above
        await asyncio.sleep(0.01)


async def test_without_redis_each_replica_goes_by_itself(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Calls are answered and limited while Redis is away, which is logged once; when it is back, breakers are shared again."""
    rules = LimitRules(max_concurrency=1)
    with redis_server(tmp_path) as server:
        async with replica(server.url, prefix="x") as one, replica(server.url, prefix="x") as other:
            limiter = Limiter("m", rules, gate=one.gate("m", rules))
            assert await text_of(Limit(Turns("m", ("a",)), limiter=limiter), request()) == "a"
            server.stop()
            assert await until(lambda: one.is_away and other.is_away)
            assert [await text_of(Limit(Turns("m", ("a",)), limiter=limiter), request()) for _ in range(3)] == ["a"] * 3
            ours, circuit, _ = breaker_at(one, Turns("m", (DOWN,)), LONG)
            _, theirs, _ = breaker_at(other, Turns("m", ("Good.",)), LONG)
            await opened(ours)
            assert (circuit.state, theirs.state) == ("open", "closed")
            server.start()
            assert await until(lambda: theirs.state == "open")
    told = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(told) == 2, "one line a replica"
    assert "Redis can't be reached" in told[0].getMessage()


def test_an_address_that_is_none_is_refused() -> None:
    """The message names the variable and the form, and never what was given."""
    with pytest.raises(InvalidSetting, match=r"KEN_REDIS_URL is no address of a Redis") as refusal:
        Replicas("secret@host")
    assert "secret" not in str(refusal.value)


def test_without_the_library_the_extra_is_named() -> None:
    """A Ken that is told of a Redis and has no client for it says what to install."""
    code = "import sys; sys.modules['redis'] = None; from ken.gateway.replicas import Replicas; Replicas('redis://x')"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stderr
    assert "InvalidSetting" in told
    assert "pip install 'ken[redis]'" in told
