"""The views of the console: which figures stand together on one axis of time, and how they are told apart."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ken.domain.figures import NO_NARROWING
from ken.domain.rollup import DAY, HOUR, MINUTE
from ken.errors import InvalidInput
from ken.telemetry.figures import Line, RollupFigures
from ken.telemetry.vocabulary import METRICS

ViewName = Literal["overview", "health", "cost", "quality", "latency"]
FILTERS = ("task_type", "category", "release", "tier")
_LONGEST_S = 400 * DAY


@dataclass(frozen=True, slots=True)
class Panel:
    """Figures that are told apart alike."""

    metrics: tuple[str, ...]
    by: str = ""


VIEWS: Mapping[ViewName, tuple[Panel, ...]] = {
    "overview": (
        Panel(("questions", "error_rate", "abstention_rate", "success_rate", "degraded_rate", "cache_hit_rate")),
        Panel(("fallback_rate", "retry_rate", "timeout_rate")),
        Panel(("cost_per_success", "cost_per_question", "context_tokens.mean")),
        Panel(("cost", "tokens", "unknown_cost_calls")),
        Panel(("quality.mean", "groundedness.mean", "relevance.mean", "judged_share")),
        Panel(("refusal_rate", "check_failure_rate", "unhelpful_rate")),
        Panel(("ms.p50", "ms.p95", "ms.p99", "ttft_ms.p50", "ttft_ms.p95", "queue_ms.p95")),
    ),
    "health": (
        Panel(("questions", "error_rate", "abstention_rate", "refusal_rate", "success_rate", "degraded_rate")),
        Panel(("questions", "error_rate"), by="task_type"),
        Panel(("cache_hit_rate", "questions"), by="category"),
        Panel(("fallback_rate", "retry_rate", "timeout_rate")),
        Panel(("in_flight.max", "queue_depth.max", "breakers_open.max")),
    ),
    "cost": (
        Panel(("cost_per_success", "cost_per_question", "success_rate", "cache_hit_rate", "context_tokens.mean")),
        Panel(("cost_per_success", "success_rate", "known_share", "judged_share"), by="task_type"),
        Panel(("cost", "tokens_in", "tokens_out", "unknown_cost_calls"), by="stage"),
        Panel(("cost", "tokens"), by="model"),
        Panel(("cache_hit_rate",), by="category"),
    ),
    "quality": (
        Panel(("quality.mean", "groundedness.mean", "relevance.mean", "least_relevance.mean", "utilisation.mean")),
        Panel(
            ("success_rate", "refusal_rate", "abstention_rate", "check_failure_rate", "judged_share", "unhelpful_rate")
        ),
        Panel(("quality.mean", "groundedness.mean", "relevance.mean", "success_rate"), by="task_type"),
        Panel(("failed_checks",), by="check"),
        Panel(("category_shift", "topic_shift")),
    ),
    "latency": (
        Panel(("ms.p50", "ms.p95", "ms.p99", "ttft_ms.p50", "ttft_ms.p95", "queue_ms.p95")),
        Panel(("ms.p50", "ms.p95", "ms.p99"), by="task_type"),
        Panel(("stage_ms.mean", "stage_ms.p50", "stage_ms.p95", "stage_ms.p99"), by="stage"),
        Panel(("tokens_per_s.p50",), by="model"),
        Panel(("retry_rate", "fallback_rate", "timeout_rate")),
    ),
}
"""By name: the figures that tell how things stand, then request health, cost, quality, latency, each in full. All of them have the same
axis for the same window."""


@dataclass(frozen=True, slots=True)
class Axis:
    """The steps that every panel of every view shares: the k-th begins at `since` + k * `step_s`."""

    since: float
    until: float
    step_s: int

    @property
    def times(self) -> list[float]:
        """Where each step begins."""
        return [self.since + step * self.step_s for step in range(int(-(-(self.until - self.since) // self.step_s)))]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A panel with its figures: by metric, by value of its dimension."""

    panel: Panel
    lines: Mapping[str, Mapping[str, Line]]


def axis(window_s: float, *, until: float | None = None, finest_s: int = MINUTE) -> Axis:
    """The axis of a window that ends at a time, now where none is named. Raises InvalidInput.

    Steps are of a minute up to two hours, five up to six, an hour up to three days, three up to a fortnight, then days; they begin on
    borders of the clock, so that two views over the same window have the same. None is shorter than `finest_s`.
    """
    end = time.time() if until is None else until
    if not MINUTE <= window_s <= _LONGEST_S:
        raise InvalidInput("A window is between a minute and 400 days.", param="window")
    steps = ((2 * HOUR, MINUTE), (6 * HOUR, 5 * MINUTE), (3 * DAY, HOUR), (14 * DAY, 3 * HOUR))
    step = max(finest_s, next((step for most, step in steps if window_s <= most), DAY))
    last = -(-end // step) * step
    first = last - -(-window_s // step) * step
    if until is not None:  # a window between two moments has both of them within
        first = min(first, (end - window_s) // step * step)
    return Axis(first, last, step)


def view(
    figures: RollupFigures, name: ViewName, *, on: Axis, where: Mapping[str, str] = NO_NARROWING
) -> Sequence[Drawn]:
    """The panels of a view. A filter narrows every figure that can be told apart by it; gauges can't. Raises InvalidInput."""
    for dimension in where:
        if dimension not in FILTERS:
            raise InvalidInput(
                f"Views can't be narrowed by {dimension!r}, but by: {', '.join(FILTERS)}.", param="where"
            )
    drawn: list[Drawn] = []
    figures = figures.reading_once(one for panel in VIEWS[name] for one in panel.metrics)
    for panel in VIEWS[name]:
        known = METRICS[panel.metrics[0]].by
        narrowed = {dimension: value for dimension, value in where.items() if dimension in known}
        lines = figures.both(
            panel.metrics, since=on.since, until=on.until, step_s=on.step_s, by=panel.by, where=narrowed
        )
        drawn.append(Drawn(panel, lines))
    return drawn
