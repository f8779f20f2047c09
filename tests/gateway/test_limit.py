from __future__ import annotations

import asyncio
import random
import time
from collections import Counter

import pytest

from ken.domain.answer import Answer, Question
from ken.domain.principal import LOCAL_OPERATOR
from ken.errors import BreakerOpen, Overloaded
from ken.gateway.gate import LimitRules, LocalGate
from ken.gateway.limit import Limit, Limiter
from ken.telemetry.tracing import TraceBuilder
from tests.gateway.asking import Turns, Waiting, outcome_of, refused, request, text_of, until


async def test_no_more_calls_are_under_way_than_allowed() -> None:
    """Of ten calls at once two are with the provider, the others wait, and all are answered."""
    model = Waiting()
    limiter = Limiter("m", LimitRules(max_concurrency=2))
    calls = [asyncio.ensure_future(text_of(Limit(model, limiter=limiter), request())) for _ in range(10)]
    assert await until(lambda: limiter.reading().depth == 8)
    assert limiter.reading().in_flight == 2
    model.gate.set()
    assert await asyncio.gather(*calls) == ["anna"] * 10
    assert model.most == 2
    assert (limiter.reading().in_flight, limiter.reading().depth) == (0, 0)


async def test_everybody_has_a_turn_before_anybody_has_a_second() -> None:
    """Who has one call waiting is not kept behind another's many; what nobody waits for comes last."""
    model = Waiting()
    limit = Limit(model, limiter=Limiter("m", LimitRules(max_concurrency=1)))
    asked = [
        request(principal=name, is_offline=name == "nightly")
        for name in ["first", "nightly", *["anna"] * 4, "ben", "cora"]
    ]
    calls = []
    for one in asked:
        calls.append(asyncio.ensure_future(text_of(limit, one)))
        await asyncio.sleep(0)
    model.gate.set()
    await asyncio.gather(*calls)
    assert model.order == ["first", "anna", "ben", "cora", "anna", "anna", "anna", "nightly"]


async def test_hundreds_of_calls_given_up_anywhere_lose_no_place() -> None:
    """Calls that are cancelled at random moments, waiting or under way, leave all places free."""
    luck = random.Random(7)
    limiter = Limiter("m", LimitRules(max_concurrency=3, queue_length=1000))
    limit = Limit(Turns("m", ("a", "b", "c"), pause_s=0.001), limiter=limiter)

    async def given_up() -> str:
        call = asyncio.ensure_future(text_of(limit, request(principal=luck.choice("abc"))))
        if luck.random() < 0.5:
            await asyncio.sleep(luck.random() * 0.05)
            call.cancel()
        try:
            return await call
        except asyncio.CancelledError:
            return "given up"

    outcomes = Counter(await asyncio.gather(*(given_up() for _ in range(400))))
    assert outcomes["given up"] > 50
    assert outcomes["abc"] > 50
    assert (limiter.reading().in_flight, limiter.reading().depth) == (0, 0)
    assert await asyncio.gather(*(text_of(limit, request()) for _ in range(9))) == ["abc"] * 9


async def test_the_queue_has_an_end() -> None:
    """One call too many is refused at once, and told when to come again."""
    model = Waiting()
    limit = Limit(model, limiter=Limiter("m", LimitRules(max_concurrency=1, queue_length=2)))
    calls = [asyncio.ensure_future(text_of(limit, request())) for _ in range(3)]
    await asyncio.sleep(0)
    refusal = await outcome_of(limit, request())
    assert isinstance(refusal, Overloaded)
    assert "2 calls wait for it already" in str(refusal)
    assert refusal.retry_after_s is not None
    model.gate.set()
    await asyncio.gather(*calls)


async def test_a_call_that_would_come_too_late_is_refused_at_once() -> None:
    """Where calls take 0.1 s and five wait for one place, a call with 0.3 s left isn't kept waiting, and one with 5 s is."""
    limiter = Limiter("m", LimitRules(max_concurrency=1))
    limit = Limit(Turns("m", ("a",), pause_s=0.1), limiter=limiter)
    await text_of(limit, request())
    calls = [asyncio.ensure_future(text_of(limit, request())) for _ in range(6)]
    await asyncio.sleep(0)
    began = time.monotonic()
    refusal = await outcome_of(limit, request(seconds=0.3))
    assert isinstance(refusal, Overloaded)
    assert time.monotonic() - began < 0.25
    assert await outcome_of(limit, request(principal="ben", seconds=10)) == "a"
    assert limiter.reading().refused == 1
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)


async def test_a_turn_that_does_not_come_is_not_waited_for_longer_than_the_queue_lasts() -> None:
    """After `queue_s` the call is refused, and waits no more."""
    model = Waiting()
    limiter = Limiter("m", LimitRules(max_concurrency=1, queue_s=0.05))
    limit = Limit(model, limiter=limiter)
    first = asyncio.ensure_future(text_of(limit, request()))
    await asyncio.sleep(0)
    assert isinstance(await outcome_of(limit, request()), Overloaded)
    assert limiter.reading().depth == 0
    model.gate.set()
    assert await first == "anna"


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


async def test_requests_and_tokens_are_limited_in_any_minute() -> None:
    """A third request waits until the first is a minute old, tokens until enough of them are."""
    clock = Clock()
    gate = LocalGate(LimitRules(requests_per_minute=2), clock)
    assert [await gate.take("a", tokens=0), await gate.take("b", tokens=0)] == [0, 0]
    clock.now = 20
    assert await gate.take("c", tokens=0) == 40
    clock.now = 60
    assert await gate.take("c", tokens=0) == 0
    gate = LocalGate(LimitRules(tokens_per_minute=100), clock)
    assert await gate.take("a", tokens=60) == 0
    assert await gate.take("b", tokens=60) == 60
    gate.give_back("a", tokens=30)
    assert await gate.take("b", tokens=60) == 0, "what was not used is given back"
    assert await gate.take("c", tokens=500) == 60, "a call larger than the limit goes alone"
    clock.now = 120
    assert await gate.take("c", tokens=500) == 0


async def test_a_call_that_never_went_out_counts_for_no_limit() -> None:
    """While a breaker is open, refused calls don't use up the minute."""
    limiter = Limiter("m", LimitRules(requests_per_minute=2))
    limit = Limit(Turns("m", *[(BreakerOpen("open"),)] * 5, ("a",)), limiter=limiter)
    for _ in range(5):
        assert isinstance(await outcome_of(limit, request()), BreakerOpen)
    assert [await text_of(limit, request()) for _ in range(2)] == ["a", "a"]


async def test_a_provider_that_says_429_is_asked_for_less() -> None:
    """After a 429 the next call waits as long as was asked for, and half as many go at once; they become more again."""
    model = Waiting()
    limiter = Limiter("m", LimitRules())
    calls = [asyncio.ensure_future(text_of(Limit(model, limiter=limiter), request())) for _ in range(7)]
    await asyncio.sleep(0)
    await outcome_of(Limit(Turns("m", (refused(429, retry_after_s=0.15),)), limiter=limiter), request())
    assert limiter.reading().concurrency == 4
    model.gate.set()
    await asyncio.gather(*calls)
    began = time.monotonic()
    await text_of(Limit(Turns("m", ("a",)), limiter=limiter), request())
    assert 0.1 < time.monotonic() - began < 5
    assert limiter.reading().concurrency == 5


async def test_the_wait_is_told_in_the_trace_and_in_the_figures() -> None:
    """A call that had to wait has a span with `queue_ms`; the health page has the waits of all."""
    trace, model = TraceBuilder(), Waiting()
    limiter = Limiter("m", LimitRules(max_concurrency=1))
    limit = Limit(model, limiter=limiter)
    calls = [asyncio.ensure_future(text_of(limit, one)) for one in (request(), request(trace=trace))]
    await asyncio.sleep(0.05)
    model.gate.set()
    await asyncio.gather(*calls)
    told = trace.finish(
        Question(text="x", principal=LOCAL_OPERATOR), Answer(text="", trace_id=trace.trace_id, outcome="answered")
    )
    spans = {span.name: dict(span.attributes) for span in told.spans}
    waited = spans["queue"]["queue_ms"]
    assert isinstance(waited, float)
    assert waited >= 40
    assert limiter.reading().wait_p95_ms == pytest.approx(waited, rel=0.1)
    assert limiter.reading().wait_p50_ms is not None
