from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from itertools import cycle

import pytest

from ken.errors import BreakerOpen, KenError
from ken.gateway.breaker import Breaker, BreakerRules, Circuit
from ken.gateway.vitals import BreakerChanged, Vitals
from ken.models.chat import ChatDelta, ChatRequest
from tests.gateway.asking import CUT, DOWN, Turns, Waiting, outcome_of, refused, request, text_of

RULES = BreakerRules(
    window_s=10, min_calls=4, error_rate=0.5, slow_s=0.5, cooldown_s=5, probe_fraction=0.25, successes=2
)
GOOD = ("Twenty-eight days.",)


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


class Slow:
    """A model that lets 0.6 s pass before it begins."""

    def __init__(self, clock: Clock) -> None:
        self.name = "m"
        self._clock = clock

    async def stream(self, asked: ChatRequest) -> AsyncGenerator[ChatDelta]:
        """Answer in one piece."""
        _ = asked
        self._clock.now += 0.6
        yield ChatDelta(GOOD[0], finish_reason="stop")


def a_circuit(
    clock: Clock, *, rules: BreakerRules = RULES, luck: list[float] | None = None
) -> tuple[Circuit, list[BreakerChanged]]:
    """A circuit, and the list of its changes."""
    changes: list[BreakerChanged] = []
    draws = cycle(luck or [0.99])
    return Circuit("m", rules, random=lambda: next(draws), clock=clock, listeners=[changes.append]), changes


@pytest.mark.parametrize("error", [DOWN, CUT, refused(429), refused(500), refused(503), refused(529), refused(408)])
async def test_a_model_that_fails_too_often_is_left_alone(error: KenError) -> None:
    """Once half of enough calls failed in passing, the next is refused without asking the model, and told when it will be asked."""
    circuit, changes = a_circuit(Clock())
    model = Turns("m", GOOD, GOOD, (error,))
    breaker = Breaker(model, circuit=circuit)
    outcomes = [await outcome_of(breaker, request()) for _ in range(5)]
    assert outcomes[:2] == [GOOD[0]] * 2
    assert isinstance(outcomes[4], BreakerOpen)
    assert "tried again in 5.0 s" in str(outcomes[4])
    assert outcomes[4].retry_after_s == 5.0
    assert len(model.requests) == 4
    assert [(change.old, change.new, change.reason) for change in changes] == [
        ("closed", "open", "2 of 4 calls failed in 10 s")
    ]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
async def test_the_callers_own_faults_open_nothing(status: int) -> None:
    """A refusal that is the request's or the key's fault is passed on, however often."""
    circuit, changes = a_circuit(Clock())
    breaker = Breaker(Turns("m", (refused(status),)), circuit=circuit)
    outcomes = [await outcome_of(breaker, request()) for _ in range(8)]
    assert not any(isinstance(outcome, BreakerOpen) for outcome in outcomes)
    assert changes == []


async def test_a_caller_who_hangs_up_is_no_failure() -> None:
    """Calls that their callers gave up, before and in the middle of the answer, count for nothing."""
    circuit, changes = a_circuit(Clock())
    waiting = Waiting("m")
    calls = [asyncio.ensure_future(text_of(Breaker(waiting, circuit=circuit), request())) for _ in range(6)]
    await asyncio.sleep(0)
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    for _ in range(6):
        async with aclosing(Breaker(Turns("m", ("a", "b")), circuit=circuit).stream(request())) as deltas:
            await anext(deltas)
    assert changes == []
    assert circuit.reading().calls == 0
    assert waiting.under_way == 0


async def test_a_model_that_is_slow_too_often_is_left_alone() -> None:
    """Calls whose first piece takes longer than `slow_s` open the breaker though all of them succeed."""
    clock = Clock()
    circuit, changes = a_circuit(clock)

    breaker = Breaker(Slow(clock), circuit=circuit)
    for _ in range(4):
        await text_of(breaker, request())
    assert [change.reason for change in changes] == ["4 of 4 calls were slow: over 0.5 s to begin"]
    assert circuit.reading().slow_rate == 1.0


async def test_an_answer_that_comes_as_a_whole_may_take_longer() -> None:
    """Where nothing is streamed, the time of the first piece is that of all, and is held to another bound."""
    clock = Clock()
    circuit, changes = a_circuit(clock)
    breaker = Breaker(Slow(clock), circuit=circuit)
    for _ in range(4):
        await text_of(breaker, replace(request(), is_streamed=False))
    assert changes == []


async def test_old_failures_are_forgotten() -> None:
    """What failed before the window's beginning doesn't count."""
    clock = Clock()
    circuit, changes = a_circuit(clock)
    breaker = Breaker(Turns("m", *[(DOWN,)] * 3, GOOD), circuit=circuit)
    for _ in range(3):
        await outcome_of(breaker, request())
    clock.now += 12
    for _ in range(3):
        await outcome_of(breaker, request())
    assert changes == []
    assert circuit.reading().calls == 3


async def test_a_part_of_the_calls_probes_and_enough_good_ones_close_it() -> None:
    """After the cooldown the first call and a quarter of the rest go through; two good ones in a row close the breaker."""
    clock = Clock()
    circuit, changes = a_circuit(clock, luck=[0.9, 0.3, 0.5, 0.1])
    breaker = Breaker(Turns("m", *[(DOWN,)] * 4, GOOD), circuit=circuit)
    for _ in range(4):
        await outcome_of(breaker, request())
    clock.now += 4.9
    assert isinstance(await outcome_of(breaker, request()), BreakerOpen)
    clock.now += 0.2
    outcomes = [await outcome_of(breaker, request()) for _ in range(6)]
    assert [isinstance(outcome, BreakerOpen) for outcome in outcomes] == [False, True, True, True, False, False]
    assert [change.new for change in changes] == ["open", "half-open", "closed"]
    assert circuit.reading().calls == 1, "a closed breaker starts anew"


async def test_a_bad_probe_opens_it_again() -> None:
    """One failed probe, and the cooldown starts anew."""
    clock = Clock()
    circuit, changes = a_circuit(clock)
    breaker = Breaker(Turns("m", (DOWN,)), circuit=circuit)
    for _ in range(4):
        await outcome_of(breaker, request())
    clock.now += 5.1
    assert await outcome_of(breaker, request()) is DOWN
    assert isinstance(await outcome_of(breaker, request()), BreakerOpen)
    assert [change.new for change in changes] == ["open", "half-open", "open"]
    assert circuit.probes_in_s == 5.0


async def test_rare_calls_are_probes_too() -> None:
    """Where calls come more rarely than the cooldown lasts, each is a probe: a fraction of them would take for ever."""
    clock = Clock()
    circuit, changes = a_circuit(clock)
    breaker = Breaker(Turns("m", *[(DOWN,)] * 4, GOOD), circuit=circuit)
    for _ in range(4):
        await outcome_of(breaker, request())
    for _ in range(2):
        clock.now += 6
        assert await outcome_of(breaker, request()) == GOOD[0]
    assert changes[-1].new == "closed"


async def test_changes_are_kept_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Each change of a breaker stands in the log and among the last events, with its reason."""
    vitals = Vitals()
    circuit = Circuit("m", RULES, listeners=[vitals.changed])
    breaker = Breaker(Turns("m", (DOWN,)), circuit=circuit)
    with caplog.at_level(logging.INFO):
        for _ in range(4):
            await outcome_of(breaker, request())
    assert [(event.dependency, event.new) for event in vitals.events] == [("m", "open")]
    assert "breaker of 'm': closed -> open (4 of 4 calls failed in 10 s)" in caplog.text
