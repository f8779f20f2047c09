from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from ken.domain.answer import Answer, Question
from ken.domain.principal import LOCAL_OPERATOR
from ken.gateway.hedge import Hedge, HedgeRules
from ken.gateway.vitals import Vital
from ken.mock.serving import running
from ken.models.chat import ChatDelta, ChatRequest
from ken.models.endpoint import Endpoint
from ken.models.openai import OpenAIChat
from ken.models.protocols import ChatModel
from ken.telemetry.tracing import TraceBuilder
from tests.gateway.asking import DOWN, Turns, Waiting, deltas_of, outcome_of, request, text_of, until

RULES = HedgeRules(min_calls=5, most=0.5, least_s=0.02)


async def hedging(
    slow: ChatModel, other: ChatModel, *, rules: HedgeRules = RULES
) -> tuple[Hedge[ChatRequest, ChatDelta], Vital]:
    """A wrapper that knows its model as one that begins at once, which from now on is `slow`."""
    vital = Vital("m")
    model = Changing(Turns("m", ("Good.",)))
    hedge = Hedge(model, rules=rules, vital=vital, other=other)
    for _ in range(rules.min_calls):
        assert await text_of(hedge, request()) == "Good."
    model.now = slow
    return hedge, vital


class Changing:
    """A model that is another one from one call to the next."""

    def __init__(self, now: ChatModel) -> None:
        self.name = "m"
        self.now = now

    def stream(self, asked: ChatRequest) -> object:
        """As the present one."""
        return self.now.stream(asked)


async def test_a_call_that_is_late_is_asked_twice_and_the_first_answer_wins() -> None:
    """The second model's answer comes at once; the first one's call is given up and closed, without anybody waiting for it."""
    slow = Waiting()
    hedge, vital = await hedging(slow, Turns("n", ("Also", " good.")))
    assert await text_of(hedge, request()) == "Also good."
    assert await until(lambda: slow.closed == 1)
    assert slow.begun == 1
    assert (vital.hedges, vital.hedges_won) == (1, 1)


async def test_the_first_may_win_after_all() -> None:
    """Where the first begins before the second does, the second is given up."""
    second = Waiting("n")
    hedge, vital = await hedging(Turns("m", ("Slow", " but first."), pause_s=0.1), second)
    assert await text_of(hedge, request()) == "Slow but first."
    assert await until(lambda: second.closed == 1)
    assert (vital.hedges, vital.hedges_won) == (1, 0)


async def test_a_winner_does_not_wait_for_the_losers_end() -> None:
    """A loser that takes its time to close (its costs are booked there) holds nobody up."""
    closed = asyncio.Event()

    class Lingering(Waiting):
        async def stream(self, asked: ChatRequest) -> object:
            try:
                async with aclosing(super().stream(asked)) as deltas:
                    async for delta in deltas:
                        yield delta
            finally:
                await asyncio.sleep(0.2)
                closed.set()

    hedge, _ = await hedging(Lingering(), Turns("n", ("Also good.",)))
    assert await text_of(hedge, request()) == "Also good."
    assert not closed.is_set()
    async with asyncio.timeout(10):
        await closed.wait()


async def test_a_caller_who_hangs_up_ends_both() -> None:
    """Both calls are closed by the time the caller is gone."""
    slow, other = Waiting(), Waiting("n")
    hedge, _ = await hedging(slow, other)
    call = asyncio.ensure_future(text_of(hedge, request()))
    assert await until(lambda: slow.under_way == other.under_way == 1)
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    assert (slow.under_way, other.under_way) == (0, 0)


async def test_the_losers_connection_is_closed() -> None:
    """The provider sees that the slower call was hung up on."""
    async with running() as mock:
        late, prompt = (
            OpenAIChat(name, Endpoint(base_url=mock.url, model=name)) for name in ("mock-hangtoken", "mock-len3")
        )
        hedge, _ = await hedging(late, prompt)
        assert await text_of(hedge, request())
        assert await until(lambda: [entry.outcome for entry in mock.ledger.entries("mock-hangtoken")] == ["hung up"])
        await late.aclose()
        await prompt.aclose()


async def test_an_error_loses_to_an_answer() -> None:
    """A second call that fails is no reason to give up the first; where both fail, the first one's error goes out."""
    hedge, _ = await hedging(Turns("m", ("Slow.",), pause_s=0.1), Turns("n", (DOWN,)))
    assert await text_of(hedge, request()) == "Slow."
    hedge, _ = await hedging(Turns("m", (DOWN,), pause_s=0.1), Turns("n", (DOWN,)))
    assert await outcome_of(hedge, request()) is DOWN


@pytest.mark.parametrize("why", ["unknown", "offline", "often"])
async def test_not_every_slow_call_is_asked_twice(why: str) -> None:
    """Not before enough is known, not where nobody waits, and never more than a share of all calls."""
    other = Turns("n", ("Also good.",))
    slow = Turns("m", ("Slow.",), pause_s=0.15)
    hedge, vital = await hedging(
        slow, other, rules=HedgeRules(min_calls=0 if why == "unknown" else 5, most=0.1, least_s=0.02)
    )
    if why == "often":
        assert [await text_of(hedge, request()) for _ in range(3)] == ["Also good.", "Slow.", "Slow."]
    else:
        assert await text_of(hedge, request(is_offline=why == "offline")) == "Slow."
    assert vital.hedges == (1 if why == "often" else 0)


async def test_the_trace_tells_of_the_second_call() -> None:
    """A span names the model that was asked the second time, and after how long."""
    trace = TraceBuilder()
    hedge, _ = await hedging(Turns("m", ("Slow.",), pause_s=0.2), Turns("n", ("Also good.",)))
    deltas = await deltas_of(hedge, request(trace=trace))
    assert deltas[-1].finish_reason == "stop"
    told = trace.finish(
        Question(text="x", principal=LOCAL_OPERATOR), Answer(text="", trace_id=trace.trace_id, outcome="answered")
    )
    spans = [dict(span.attributes) for span in told.spans if span.name == "hedge"]
    assert [span["model"] for span in spans] == ["n"]
    assert 20 <= float(str(spans[0]["after_ms"])) < 200
