"""The figures that are looked at for a cause, and which of them can have moved which others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["share", "value", "count", "peak"]
"""A share of yes and no; a mean; how many there were; a highest value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One figure."""

    metric: str
    told: str
    """What it is, in words that stand before `rose` or `fell`."""
    kind: Kind = "value"
    worse: Literal["up", "down"] = "up"
    """The way that hurts; the other way is no cause that anybody looks for."""
    by: tuple[str, ...] = ()
    """Dimensions that it is taken apart by."""
    least: float = 0.0
    """A change that is smaller is nothing to anybody, in the figure's own unit."""

    @property
    def name(self) -> str:
        """Without the suffix that says which figure of a distribution it is."""
        return self.metric.partition(".")[0]

    @property
    def added(self) -> str:
        """The figure whose parts add up: of a distribution the mean."""
        return f"{self.name}.mean" if self.metric.endswith(".p50") else self.metric


WATCHED: tuple[Watched, ...] = (
    Watched(metric="breakers_open.max", told="the number of open breakers", kind="peak"),
    Watched(metric="retry_rate", told="the share of attempts that are retries", kind="share", by=("model",)),
    Watched(metric="timeout_rate", told="the share of attempts that time out", kind="share", by=("model",)),
    Watched(metric="fallback_rate", told="the share of fallbacks to another model", kind="share", by=("model",)),
    Watched(metric="error_rate", told="the share of failures", kind="share", by=("model", "task_type")),
    Watched(
        metric="cache_hit_rate", told="the cache's hit rate", kind="share", worse="down", by=("category", "task_type")
    ),
    Watched(metric="relevance.mean", told="the best passage's relevance", worse="down", by=("task_type", "category")),
    Watched(metric="utilisation.mean", told="the share of passages cited", worse="down", by=("task_type",)),
    Watched(metric="context_tokens.mean", told="the prompt's length", by=("task_type", "category")),
    Watched(metric="output_tokens.mean", told="the answers' length in tokens", by=("task_type", "model")),
    Watched(metric="refusal_rate", told="the share of refusals", kind="share", by=("task_type", "category")),
    Watched(metric="abstention_rate", told="the share of abstentions", kind="share", by=("task_type", "category")),
    Watched(
        metric="check_failure_rate",
        told="the share of answers that a check found a fault in",
        kind="share",
        by=("task_type", "category"),
    ),
    Watched(metric="queue_ms.mean", told="the wait for a turn", by=("model",)),
    Watched(metric="queue_depth.max", told="the number of calls that wait", kind="peak"),
    Watched(metric="in_flight.max", told="the number of questions under way", kind="peak"),
    Watched(metric="tokens_per_s.p50", told="the speed of writing", worse="down", by=("model",)),
    Watched(metric="ttft_ms.p50", least=50, told="the time to the first token", by=("model", "task_type")),
    Watched(metric="stage_ms.p50", least=10, told="the time of a stage", by=("stage",)),
    Watched(metric="ms.p50", least=100, told="the time to an answer", by=("model", "task_type")),
    Watched(metric="quality.mean", told="quality as judged", worse="down", by=("task_type", "model")),
    Watched(metric="groundedness.mean", told="groundedness as judged", worse="down", by=("task_type", "model")),
    Watched(metric="unhelpful_rate", told="the share of answers found unhelpful", kind="share", by=("task_type",)),
    Watched(metric="success_rate", told="the share of tasks done", kind="share", worse="down", by=("task_type",)),
    Watched(metric="cost_per_question", told="the cost of a question", by=("task_type", "tier")),
    Watched(metric="questions", told="the number of questions", kind="count"),
)

MIXES = ("tier", "task_type", "category")
"""Dimensions whose shares of the questions are looked at as figures of their own."""

SLOW = frozenset({"ms", "ttft_ms", "stage_ms", "in_flight"})
INFLUENCES: Mapping[str, frozenset[str]] = {
    "relevance": frozenset(
        {"utilisation", "abstention_rate", "quality", "groundedness", "success_rate", "unhelpful_rate"}
        | {"check_failure_rate", "context_tokens", "cost_per_question", "cost_per_success", "output_tokens"}
    ),
    "retry_rate": SLOW | {"error_rate", "timeout_rate", "fallback_rate", "breakers_open", "queue_ms", "success_rate"},
    "timeout_rate": SLOW | {"error_rate", "fallback_rate", "breakers_open", "success_rate"},
    "breakers_open": SLOW | {"fallback_rate", "retry_rate", "error_rate", "mix:model", "tokens_per_s", "output_tokens"},
    "fallback_rate": SLOW | {"mix:model", "cost_per_question", "tokens_per_s", "output_tokens"},
    "error_rate": frozenset({"success_rate", "unhelpful_rate", "cost_per_success"}),
    "cache_hit_rate": SLOW
    | {
        "cost_per_question",
        "cost_per_success",
        "mix:tier",
        "queue_ms",
        "queue_depth",
        "abstention_rate",
        "tokens_per_s",
    },
    "context_tokens": SLOW | {"cost_per_question", "cost_per_success", "quality", "groundedness"},
    "output_tokens": SLOW | {"cost_per_question", "cost_per_success"},
    "mix:tier": SLOW
    | {
        "cost_per_question",
        "cost_per_success",
        "tokens_per_s",
        "mix:model",
        "output_tokens",
        "quality",
        "groundedness",
    },
    "mix:task_type": SLOW
    | {"cost_per_question", "cost_per_success", "context_tokens", "output_tokens", "relevance", "quality", "mix:tier"}
    | {"cache_hit_rate", "tokens_per_s", "groundedness", "mix:category"},
    "mix:category": frozenset({"cache_hit_rate", "relevance", "context_tokens"}),
    "questions": frozenset({"in_flight", "queue_ms", "queue_depth", "ms", "ttft_ms", "error_rate"}),
    "queue_ms": SLOW | {"queue_depth"},
    "queue_depth": SLOW,
    "tokens_per_s": frozenset({"stage_ms", "ms", "in_flight", "queue_ms", "queue_depth"}),
    "ttft_ms": frozenset({"ms", "stage_ms", "in_flight", "queue_ms", "queue_depth"}),
    "stage_ms": frozenset({"ms", "ttft_ms", "in_flight", "queue_ms", "queue_depth"}),
    "refusal_rate": frozenset({"success_rate", "unhelpful_rate", "mix:tier", "cost_per_success"}),
    "abstention_rate": frozenset({"success_rate", "unhelpful_rate", "cost_per_success", "output_tokens"}),
    "check_failure_rate": frozenset({"success_rate", "cost_per_success", "unhelpful_rate"}),
    "quality": frozenset({"unhelpful_rate", "success_rate", "groundedness"}),
    "groundedness": frozenset({"unhelpful_rate", "success_rate", "quality"}),
    "ms": frozenset({"in_flight"}),
}
"""What can move what: a figure's name to those that it can explain. `mix:DIMENSION`: how questions spread over its values."""

BEFORE_FIRST_TOKEN = frozenset({"intake", "screen", "classify", "recall", "retrieve", "embed", "assemble", "route"})
"""Stages that the first token waits for, and that nothing of a model's writing can slow."""
_OF_WRITING = frozenset({"ttft_ms", "tokens_per_s"})


def can_move(cause: str, effect: str, *, cause_value: str = "", effect_value: str = "") -> bool:
    """Whether a figure can have moved another. Of two stages neither is; their values say which of them come before the first token."""
    if effect not in INFLUENCES.get(cause, frozenset()):
        return False
    if cause == "stage_ms" and effect == "ttft_ms":
        return cause_value in BEFORE_FIRST_TOKEN
    return not (effect == "stage_ms" and cause in _OF_WRITING and effect_value in BEFORE_FIRST_TOKEN)


AFTER_SYNC = frozenset(
    {"relevance", "utilisation", "abstention_rate", "check_failure_rate", "cache_hit_rate", "quality", "groundedness"}
    | {"context_tokens", "stage_ms"}
)
"""What a change of documents or of their index can move; a release can move anything but how many questions come."""
