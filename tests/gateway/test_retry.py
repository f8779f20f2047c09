from __future__ import annotations

import time
from collections import Counter

import pytest

from ken.domain.answer import Answer, Question
from ken.domain.principal import LOCAL_OPERATOR
from ken.errors import BreakerOpen, BudgetExceeded, KenError, Overloaded, Unsupported
from ken.gateway.retry import Retry, RetryRules
from ken.gateway.vitals import Vital
from ken.models.chat import ChatDelta
from ken.telemetry.tracing import TraceBuilder
from tests.gateway.asking import CUT, DOWN, Turns, deltas_of, outcome_of, refused, request, text_of

RULES = RetryRules(backoff_s=0.02, longest_s=0.03, least_s=0.01)
GOOD = ("Twenty-eight", " days.")


def retrying(model: Turns, *, rules: RetryRules = RULES, luck: float = 0.5) -> tuple[Retry, Vital]:
    """The model behind the wrapper, and what is counted of it."""
    vital = Vital(model.name)
    return Retry(model, rules=rules, vital=vital, random=lambda: luck), vital


@pytest.mark.parametrize("error", [DOWN, CUT, refused(408), refused(429), refused(500), refused(503), refused(529)])
async def test_what_fails_in_passing_is_tried_again(error: KenError) -> None:
    """Two transient failures before the first word are outlived, and counted by their reason."""
    model = Turns("m", (error,), (error,), GOOD)
    retry, vital = retrying(model)
    assert await text_of(retry, request()) == "".join(GOOD)
    assert len(model.requests) == 3
    assert vital.retries.total() == 2


async def test_three_attempts_are_all() -> None:
    """After two retries the error goes out."""
    model = Turns("m", (DOWN,))
    retry, _ = retrying(model)
    assert await outcome_of(retry, request()) is DOWN
    assert len(model.requests) == 3


@pytest.mark.parametrize(
    "error",
    [
        *map(refused, (400, 401, 403, 404, 409, 413, 422)),
        BreakerOpen("open"),
        Unsupported("no tools"),
        Overloaded("full"),
        BudgetExceeded("used up", resets_at=0.0),
    ],
)
async def test_what_another_try_cannot_change_is_not_tried_again(error: KenError) -> None:
    """Other 4xx, an open breaker, a lack of the model, a full queue and a used-up budget go out at once."""
    model = Turns("m", (error,), GOOD)
    retry, vital = retrying(model)
    assert await outcome_of(retry, request()) is error
    assert (len(model.requests), vital.retries) == (1, Counter())


async def test_nothing_is_tried_again_once_a_piece_went_out() -> None:
    """A cut after the first piece goes out: another attempt would say that piece again."""
    model = Turns("m", ("Twenty", CUT), GOOD)
    retry, _ = retrying(model)
    assert await outcome_of(retry, request()) is CUT
    assert len(model.requests) == 1


async def test_of_a_failed_attempt_nothing_goes_out() -> None:
    """What came before the first piece, as an answer's id, is that of the attempt that answered."""
    model = Turns("m", ("", CUT), GOOD)
    retry, _ = retrying(model)
    assert [delta.text for delta in await deltas_of(retry, request()) if delta != ChatDelta()][:2] == list(GOOD)


@pytest.mark.parametrize(("luck", "least", "most"), [(0.0, 0.0, 0.25), (1.0, 0.3, 2.0)])
async def test_the_wait_is_anything_up_to_a_bound_that_doubles(luck: float, least: float, most: float) -> None:
    """Full jitter: nothing where the draw is 0; 0.1 s and 0.2 s where it is 1."""
    retry, _ = retrying(Turns("m", (DOWN,), (DOWN,), GOOD), rules=RetryRules(backoff_s=0.1, least_s=0.01), luck=luck)
    began = time.monotonic()
    await text_of(retry, request())
    assert least <= time.monotonic() - began < most


async def test_a_provider_that_says_how_long_to_wait_is_heard() -> None:
    """The next attempt comes no sooner than Retry-After asks."""
    retry, _ = retrying(Turns("m", (refused(429, retry_after_s=0.2),), GOOD))
    began = time.monotonic()
    assert await text_of(retry, request()) == "".join(GOOD)
    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize("seconds", [30.0, 3.0])
async def test_a_wait_that_does_not_fit_is_not_begun(seconds: float) -> None:
    """A Retry-After beyond the deadline, or longer than is ever waited for, gives the error at once."""
    error = refused(429, retry_after_s=25.0 if seconds > 25 else 3.0)
    model = Turns("m", (error,), GOOD)
    retry, _ = retrying(model)
    began = time.monotonic()
    assert await outcome_of(retry, request(seconds=seconds)) is error
    assert time.monotonic() - began < 1.0
    assert len(model.requests) == 1


async def test_each_attempt_has_its_span() -> None:
    """A trace shows every attempt with its model, its number, the reason of the retry and the wait before it."""
    trace = TraceBuilder()
    retry, _ = retrying(Turns("m", (refused(503),), (CUT,), GOOD))
    await text_of(retry, request(trace=trace))
    question = Question(text="How many days?", principal=LOCAL_OPERATOR)
    spans = [
        span
        for span in trace.finish(question, Answer(text="", trace_id=trace.trace_id, outcome="answered")).spans
        if span.name == "attempt"
    ]
    told = [dict(span.attributes) for span in spans]
    assert [(one["model"], one["number"], one["reason"]) for one in told] == [
        ("m", 1, ""),
        ("m", 2, "503"),
        ("m", 3, "interrupted"),
    ]
    assert [one["wait_ms"] for one in told] == [0, 10, 15]
    assert [span.status for span in spans] == ["error", "error", "ok"]
