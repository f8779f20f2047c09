"""Traces with their measures, as the recorder hands them to the rollups."""

from __future__ import annotations

from dataclasses import fields

from ken.domain.measures import Measures, Recorded, Spent, success_of
from ken.domain.trace import Trace
from tests.storage.samples import a_trace

MINUTE_S = 60.0
_TRACE = {field.name for field in fields(Trace)}


def a_recorded(number: int = 1, *, at: float, **changes: object) -> Recorded:
    """A question that was answered at a time; changes of its trace and of its measures."""
    of_trace = {"cost_micros": 1_000} | {name: value for name, value in changes.items() if name in _TRACE}
    trace = a_trace(number, started_at=at, **of_trace)
    figures: dict[str, object] = {
        "stage_ms": (("retrieve", 40.0), ("generate", trace.ms - 40.0)),
        "spent": (
            a_spent("retrieve", "embedder", 20, 0, cost_micros=10),
            a_spent("generate", "small", 900, 100, cost_micros=990),
        ),
        "context_tokens": 800,
        "attempts": 2,
        "retries": (),
        "fallbacks": (),
        "timeouts": 0,
        "hedges": 0,
        "queue_ms": 0.0,
        "cache": "miss",
        "passages": 2,
        "relevance": 0.9,
        "mean_relevance": 0.7,
        "least_relevance": 0.5,
        "utilisation": 0.5,
        "success": success_of(trace),
    } | {name: value for name, value in changes.items() if name not in _TRACE}
    return Recorded(trace=trace, measures=Measures(**figures), capture="metrics")  # type: ignore[arg-type]


def a_spent(stage: str, model: str, read: int, written: int, *, cost_micros: int | None) -> Spent:
    """A call that took a second, and wrote its first token after a fifth of it."""
    return Spent(
        stage=stage,
        model=model,
        input_tokens=read,
        output_tokens=written,
        cost_micros=cost_micros,
        estimated=False,
        ms=1_000.0,
        ttft_ms=200.0,
        failed=False,
    )
