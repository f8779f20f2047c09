"""Where questions went: figures of the route over a stretch of time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TierShare:
    """What a tier did for the questions of one task type."""

    tier: str
    questions: int
    """Those that it was asked; one that was escalated counts for both tiers."""
    cost_micros: int | None
    """Of their calls, in millionths of the price list's currency; None where the price of one is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRoutes:
    """The questions of one task type that a tier was asked."""

    task_type: str
    questions: int
    escalated: int
    """Those whose first answer could not be shown, and that went on to a stronger tier."""
    tiers: tuple[TierShare, ...]

    @property
    def escalation_rate(self) -> float:
        """The share of the questions that were escalated."""
        return self.escalated / self.questions if self.questions else 0.0


@dataclass(frozen=True, slots=True)
class JudgedTurn:
    """A turn that a light tier answered and that somebody judged, as training reads it."""

    features: dict[str, float]
    """Of the question, as they were when it was routed."""
    is_hard: bool
    """The answer was called unhelpful, or could not be shown."""
