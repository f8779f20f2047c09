"""What the books take of a call: what is reserved before it goes out, and what it turned out to be."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field

from ken.domain.call import ChargeOutcome, Purpose
from ken.domain.usage import Usage


def new_call_id() -> str:
    """Make up an id: 32 hex digits, in the order of time, so that new rows stand side by side in the table."""
    return f"{time.time_ns() // 1_000:014x}{_DICE.getrandbits(72):018x}"


_DICE = random.Random()  # noqa: S311 - an id is no secret
"""Seeded by the system, once: asking it for each id would let other threads go first each time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """One attempt at a model that is about to begin, and the most that it may cost."""

    call_id: str
    purpose: Purpose
    model: str
    provider: str = ""
    tokens: int = 0
    """The prompt as counted, and as many tokens of answer as may come."""
    micros: int | None = None
    """The price of these; None where it is unknown."""
    currency: str = "USD"
    price_version: str = ""
    started_at: float
    """Seconds since the epoch: decides the day and the month that are charged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What an attempt has come to."""

    usage: Usage = field(default_factory=Usage)
    cost_micros: int | None = 0
    outcome: ChargeOutcome = "ok"
    error: str = ""
    """The class of the error that ended it."""
    response_model: str = ""
    """What the provider says that it was answered by."""
    ended_at: float
    ttft_ms: float | None = None
    """Milliseconds until the first piece of the answer."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at a model that is over, as one looks at how a model does."""

    model: str
    outcome: ChargeOutcome
    error: str
    """The class of the error that ended it."""
    stage: str
    trace_id: str | None
    started_at: float
    """Seconds since the epoch, as `ended_at`."""
    ended_at: float
    ttft_ms: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What the calls with one value of a dimension cost together."""

    of: str
    calls: int
    cost_micros: int
    """Of those with a known price."""
    unknown_calls: int
    """Those without: their cost comes on top."""
    estimated_calls: int
    """Of the calls with a cost: those whose tokens Ken counted, as the provider did not say."""
    usage: Usage
