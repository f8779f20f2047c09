"""The figures of one trace: what filters, rollups and alerts count."""

from __future__ import annotations

from dataclasses import dataclass

from ken.domain.trace import CaptureTier, Success, Trace
from ken.errors import Conflict, Forbidden, InvalidInput, NotAuthorised, NotFound, TooLarge, Unsupported

CALLERS_FAULTS = frozenset(
    error.__name__ for error in (InvalidInput, Unsupported, NotAuthorised, Forbidden, NotFound, Conflict, TooLarge)
)
"""Errors that say that what was asked for can't be had: trying it with the same Ken and another request may work. A setting that
can't be used is the operator's, and a budget that is used up is neither's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """One attempt at a model, an embedder or a reranker, as its trace tells it."""

    stage: str
    model: str
    input_tokens: int
    output_tokens: int
    cost_micros: int | None
    """Millionths of the price list's currency; None where the price is unknown."""
    estimated: bool
    ms: float
    ttft_ms: float | None
    failed: bool

    @property
    def tokens_per_s(self) -> float | None:
        """How fast it wrote, after its first token; None where nothing can be said."""
        if self.failed or self.ttft_ms is None or self.output_tokens <= 1 or self.ms <= self.ttft_ms:
            return None
        return (self.output_tokens - 1) * 1000 / (self.ms - self.ttft_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """What a trace comes to. Times in milliseconds, tokens in integers, money in millionths."""

    stage_ms: tuple[tuple[str, float], ...]
    """Of each stage that ran, and of the steps that are counted on their own (`embed`); a stage that ran twice, both together."""
    spent: tuple[Spent, ...]
    context_tokens: int
    """Of the assembled prompt: instructions, passages, conversation, question."""
    attempts: int
    retries: tuple[tuple[str, int], ...]
    """By reason."""
    fallbacks: tuple[tuple[str, int], ...]
    """Models that another one took over from, by reason."""
    timeouts: int
    hedges: int
    queue_ms: float
    """Waited for a turn at a limit, over all attempts."""
    cache: str
    """What the cache decided; empty where it was not asked."""
    passages: int
    relevance: float | None
    """Of the best passage, calibrated, 0 to 1; None where none was given to a model."""
    mean_relevance: float | None
    least_relevance: float | None
    utilisation: float | None
    success: Success
    difficulty: float | None = None
    """Of the question, 0 to 1, as the route saw it; None where it was not estimated."""

    def stage(self, name: str) -> float | None:
        """The milliseconds of a stage; None where it didn't run."""
        return next((ms for stage, ms in self.stage_ms if stage == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A trace as it goes on record: redacted, measured, and with the decision how much of it is kept."""

    trace: Trace
    measures: Measures
    capture: CaptureTier
    reasons: tuple[str, ...] = ()
    """Why all of it is kept: `error`, `flagged`, `thumbs_down`, `escalated`, `slow`, `sampled`."""


def is_callers_fault(error: str) -> bool:
    """Whether a trace's error (`Trace.error`, which begins with the name of its class) is a mistake of whoever asked."""
    return error.partition(":")[0] in CALLERS_FAULTS


def success_of(trace: Trace) -> Success:
    """Whether a task was done, as far as it is known without a judge.

    `yes`: answered, every sentence cited and verified, no check failed, nobody found it unhelpful. `no`: it failed, was not
    answered, or one of those says otherwise. `unknown`: nothing was verified, as with an application's call of a model, small
    talk, or a question back; where people found such an answer unhelpful, that counts. So is a request that could not be met
    as it was, such as one for a model that there is not: it tells nothing of Ken.
    """
    if trace.reaction.helpful is False:
        return "no"
    if trace.outcome == "failed":
        return "unknown" if is_callers_fault(trace.error) else "no"
    if trace.kind != "question" or trace.task_type == "smalltalk" or trace.outcome in {"asked_back", "refused"}:
        return "unknown"
    if trace.outcome != "answered" or trace.failed_checks or trace.citations == "[]":
        return "no"
    return "yes"
