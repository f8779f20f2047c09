"""The figures of one step, and of all."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ken.operations.load.asking import OK, Outcome


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Of a number of values, in milliseconds or words."""

    count: int
    mean: float
    p50: float
    p95: float
    p99: float
    most: float


def percentiles(values: Sequence[float]) -> Percentiles | None:
    """None of nothing. By the nearest rank: every figure is one that was measured."""
    if not values:
        return None
    ordered = np.sort(np.asarray(values, dtype=np.float64))

    def at(share: float) -> float:
        return round(float(ordered[min(len(ordered) - 1, max(0, math.ceil(share * len(ordered)) - 1))]), 3)

    return Percentiles(
        len(ordered), round(float(ordered.mean()), 3), at(0.5), at(0.95), at(0.99), round(float(ordered[-1]), 3)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a load: a concurrency, or an arrival rate, that was held for a while."""

    at: float
    """Clients at once; with arrivals: questions due a second."""
    seconds: float
    asked: int
    errors: Mapping[str, int]
    """By kind, those that had none left out."""
    said: Mapping[str, str]
    """By kind, what the first of these errors said."""
    rate: float
    """Answered questions a second."""
    in_flight: float
    """Questions under way at once, on average (Little's law: rate of endings times mean time)."""
    ms: Percentiles | None
    """To the end of the answer, of those that were answered."""
    ttft_ms: Percentiles | None
    """To the first text of those that were answered in a stream."""
    context_words: Percentiles | None
    stages: Mapping[str, Percentiles]
    """Of the sampled traces, in the stages' order; and `queue`, what the calls of models waited for their turn."""
    cached: float
    """Share of those answered. So `abstained`."""
    abstained: float
    client_share: float
    """Of one core, what this client itself took: near to 1, it measures itself."""

    @property
    def error_share(self) -> float:
        """Of the questions asked."""
        return sum(self.errors.values()) / self.asked if self.asked else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a step was measured by."""

    at: float
    outcomes: Sequence[Outcome]
    seconds: float
    client_s: float
    """Processor time of the client in these."""
    stages: Mapping[str, Sequence[float]]


def step_of(measured: Measured) -> Step:
    """The figures."""
    outcomes, seconds = measured.outcomes, max(measured.seconds, 1e-9)
    answered = [outcome for outcome in outcomes if outcome.kind == OK]
    errors = Counter(outcome.kind for outcome in outcomes if outcome.kind != OK)
    many = max(1, len(answered))
    stages = {name: percentiles(values) for name, values in measured.stages.items()}
    return Step(
        at=measured.at,
        seconds=round(seconds, 3),
        asked=len(outcomes),
        errors=dict(sorted(errors.items())),
        said={outcome.kind: outcome.words for outcome in reversed(outcomes) if outcome.words},
        rate=round(len(answered) / seconds, 3),
        in_flight=round(sum(outcome.ms for outcome in outcomes) / 1000 / seconds, 3),
        ms=percentiles([outcome.ms for outcome in answered]),
        ttft_ms=percentiles([outcome.ttft_ms for outcome in answered if outcome.ttft_ms is not None]),
        context_words=percentiles([float(outcome.context_words) for outcome in outcomes if outcome.context_words]),
        stages={name: found for name, found in stages.items() if found is not None},
        cached=round(sum(outcome.is_cached for outcome in answered) / many, 4),
        abstained=round(sum(outcome.is_abstention for outcome in answered) / many, 4),
        client_share=round(measured.client_s / seconds, 3),
    )
