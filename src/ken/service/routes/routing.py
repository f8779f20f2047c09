"""What would happen to a question, and where questions went."""

from __future__ import annotations

import time
from functools import partial
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Query
from pydantic import BaseModel

from ken.domain.answer import Question
from ken.errors import InvalidInput
from ken.service.context import Asking, Opened
from ken.service.shapes import Shape
from ken.service.turn import model_asked

router = APIRouter(tags=["gateway"])

DAY_S = 24 * 3600.0


class BudgetShape(Shape):
    """How the scarcest budget that binds the asker stands: `normal`, `short`, `exhausted`."""

    state: str
    notice: str


class ContributionShape(Shape):
    """What one feature of the question adds to its difficulty, in log-odds."""

    feature: str
    words: str
    value: float
    points: float


class DifficultyShape(Shape):
    """How difficult the question is for a light model, 0 to 1; `origin`: by rules, or by which training."""

    value: float
    reason: str
    origin: str
    contributions: list[ContributionShape]


class PassedOverShape(Shape):
    """A tier that would have answered, and why it doesn't."""

    tier: str
    reason: str


class DecisionShape(Shape):
    """Which tier answers, and why."""

    tier: str
    reason: str
    threshold: float
    is_lighter: bool
    passed_over: list[PassedOverShape]


class ModelOutlookShape(Shape):
    """A model of the chain; costs in millionths of the price list's currency, null where the price is unknown."""

    name: str
    breaker: str
    window: int
    least_micros: int | None
    most_micros: int | None
    patience_s: dict[str, float]


class TokenPlanShape(Shape):
    """How the window is split, in tokens."""

    window: int
    answer: int
    margin: int
    system: int
    query: int
    passages: int
    history: int
    earlier: int


class OutlookShape(Shape):
    """What would happen; `outcome` is empty where a model would be called."""

    question: str
    standalone: str
    principal: str
    release: str
    task_type: str
    category: str
    stages: dict[str, str]
    """Each that runs before a model is called, with what it finds."""
    outcome: str
    reply: str
    budget: BudgetShape
    notices: list[str]
    passages: int
    prompt_tokens: int
    plan: TokenPlanShape | None
    difficulty: DifficultyShape | None
    decision: DecisionShape | None
    tier: str
    models: list[ModelOutlookShape]
    max_tokens: int | None
    deadline_s: float


class TierShareShape(Shape):
    """What a tier was asked; an escalated question counts for both of its tiers."""

    tier: str
    questions: int
    cost_micros: int | None


class TaskRoutesShape(Shape):
    """The questions of one task type that went to tiers."""

    task_type: str
    questions: int
    escalated: int
    escalation_rate: float
    tiers: list[TierShareShape]


class RoutesShape(BaseModel):
    """Where questions went since then; what the tiers are, and from which difficulty on the strongest answers."""

    since: float
    tiers: dict[str, list[str]]
    threshold: float
    difficulty: str
    tasks: list[TaskRoutesShape]


@router.get("/api/gateway/explain", summary="What would happen to a question, and why")
async def explain(
    ken: Opened,
    principal: Asking,
    question: Annotated[str, Query(description="what would be asked")],
    *,
    model: Annotated[
        str | None, Query(description="a tier or a model; `ken`, or none, leaves the choice to Ken")
    ] = None,
    collection: Annotated[list[str] | None, Query()] = None,
) -> OutlookShape:
    """Run everything but the model: nothing is asked of one, written or recorded."""
    outlook = await ken.explain(
        Question(
            text=question,
            principal=principal,
            model=model_asked(ken, model),
            collections=None if collection is None else frozenset(collection),
        )
    )
    return OutlookShape.model_validate(outlook)


@router.get("/api/gateway/routes", summary="Where questions went")
async def routes(
    ken: Opened,
    principal: Asking,
    *,
    since: Annotated[float | None, Query(description="seconds since the epoch; a week ago without it")] = None,
) -> RoutesShape:
    """Tiers by task type with their cost, and the share of questions that were escalated; operators see everybody's."""
    now = time.time()
    begin = now - 7 * DAY_S if since is None else since
    if not 0 <= begin <= now:
        raise InvalidInput("`since` is a time in the past, in seconds since the epoch.", param="since")
    found = await anyio.to_thread.run_sync(partial(ken.route_record.by_task, principal, since=begin, until=now + 1))
    table = ken.assistant.parts.routes
    return RoutesShape(
        since=begin,
        tiers={name: list(tier.models) for name, tier in table.tiers.items()},
        threshold=table.threshold,
        difficulty=table.estimator.origin,
        tasks=[TaskRoutesShape.model_validate(each) for each in found],
    )
