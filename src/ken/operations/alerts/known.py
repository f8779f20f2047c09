"""The figures and dimensions that rules may speak of."""

from __future__ import annotations

COUNTS = (
    "questions error_rate retry_rate fallback_rate timeout_rate cache_hit_rate refusal_rate abstention_rate escalation_rate "
    "check_failure_rate success_rate judged_share cost tokens unknown_cost_calls cost_per_success cost_per_question "
    "category_shift topic_shift"
).split()
SPREADS = (
    "ms ttft_ms stage_ms tokens_per_s queue_ms context_tokens input_tokens output_tokens cost_micros relevance mean_relevance "
    "least_relevance utilisation quality groundedness difficulty"
).split()
GAUGES = ("in_flight", "queue_depth", "breakers_open")
STATS = ("p50", "p95", "p99", "mean", "max")
DIMENSIONS = ("kind", "task_type", "category", "stage", "tier", "model", "release", "outcome")
METRICS = (*COUNTS, *(f"{name}.{stat}" for name in SPREADS for stat in STATS), *(f"{name}.max" for name in GAUGES))


def is_metric(name: str) -> bool:
    """Whether there is such a figure."""
    return name in METRICS
