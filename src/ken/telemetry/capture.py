"""How much of a trace is kept, and for how long. Pure: the same trace gets the same decision on every replica.

Everything is kept for the grace period, so that late feedback finds it. After that, all of a trace stays where something was
wrong with it, and of the rest a sample; of the others the figures stay.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from ken.domain.trace import CaptureTier, Scalar, Trace

HOUR_S = 3_600.0
DAY_S = 86_400.0

_WHOLE = 1 << 64


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureRules:
    """What is kept. The defaults' reasons stand in docs/guides/tracing.md."""

    grace_s: float = DAY_S
    """All of every trace is kept for so long."""
    sample: float = 0.15
    """The share of traces with which nothing is wrong that is kept whole."""
    samples: Mapping[str, float] = field(default_factory=dict[str, float])
    """The same for a task type, in the place of `sample`."""
    slow_ms: float | None = None
    """What takes longer is slow; None: what takes longer than nearly all of its task type lately."""
    keep_full_s: float = 90 * DAY_S
    keep_figures_s: float = 400 * DAY_S
    """Of every trace."""
    keep_money_s: float = 400 * DAY_S
    """Of single calls in the ledger; budgets and sums count on."""

    def share_of(self, task_type: str) -> float:
        """The share of a task type's traces that is kept whole."""
        return self.samples.get(task_type, self.sample)

    def kept_until(self, capture: CaptureTier, *, started_at: float) -> float:
        """When what is kept beyond the figures goes, or, of the tier `metrics`, the figures; seconds since the epoch."""
        if capture == "metrics":
            return started_at + self.keep_figures_s
        return started_at + min(self.keep_full_s if capture == "full" else self.grace_s, self.keep_figures_s)


@dataclass(frozen=True, slots=True)
class Decision:
    """The tier of a trace, and what it was kept for."""

    capture: CaptureTier
    reasons: tuple[str, ...] = ()
    """`error`, `flagged`, `thumbs_down`, `poor`, `escalated`, `degraded`, `slow`, `sampled`."""


def decide(trace: Trace, rules: CaptureRules, *, slow_ms: float | None = None) -> Decision:
    """What of a trace is kept. `slow_ms`: what its task type's slow ones take; None where that isn't known."""
    limit = rules.slow_ms if rules.slow_ms is not None else slow_ms
    reasons = tuple(name for name, holds in _wrong(trace) if holds)
    if limit is not None and trace.ms > limit:
        reasons += ("slow",)
    if not reasons and is_sampled(trace.id, rules.share_of(trace.task_type)):
        reasons = ("sampled",)
    if reasons:
        return Decision("full", reasons)
    return Decision("grace" if rules.grace_s > 0 else "metrics")


def is_sampled(trace_id: str, share: float) -> bool:
    """Whether a trace is of the share that is kept. Hashed, as callers bring ids of their own that need not be random."""
    drawn = int.from_bytes(hashlib.blake2b(trace_id.encode("utf-8", "replace"), digest_size=8).digest())
    return drawn < share * _WHOLE


POOR = 2.0
"""A judge's score, of 1 to 5, at which an answer is looked into."""


def _wrong(trace: Trace) -> tuple[tuple[str, bool], ...]:
    said = trace.reaction
    scores = [score for score in (said.quality, said.groundedness) if score is not None]
    return (
        ("error", trace.outcome == "failed" or bool(trace.error)),
        ("flagged", bool(trace.failed_checks) or trace.outcome == "refused" or _has_conflict(trace)),
        ("thumbs_down", said.helpful is False),
        ("poor", any(score <= POOR for score in scores)),
        ("escalated", trace.escalated),
        ("degraded", trace.degraded),
    )


def _has_conflict(trace: Trace) -> bool:
    """Whether the documents disagreed about the answer, as the stages tell."""
    facts: list[Scalar] = [value for span in trace.spans for name, value in span.attributes if name == "conflicts"]
    return any(facts)
