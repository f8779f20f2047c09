"""Hypotheses about an alert or a window of time. Operators only."""

from __future__ import annotations

import time
from functools import partial
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Query
from pydantic import Field

from ken.operations.why.asking import moment
from ken.operations.why.hypotheses import Explanation, Hypothesis, Moved
from ken.operations.why.words import evidence, nothing, title, unit_of
from ken.service.context import Opened, Operating
from ken.service.shapes import Shape
from ken.telemetry.vocabulary import Unit

router = APIRouter(tags=["operations"])


class MovedShape(Shape):
    """A figure that moved."""

    metric: str = Field(description="its name without a suffix; `mix:tier` for how questions spread over tiers")
    dimension: str = Field(description="empty: all of it")
    value: str
    at: float = Field(description="when it began to, seconds since the epoch")
    step_s: int = Field(description="how finely that is known")
    before: float = Field(description="what would have been usual since then")
    after: float
    unit: Unit
    strength: float = Field(description="standard errors between the two")
    count: int = Field(description="the observations since")


class HappenedShape(Shape):
    """What people did."""

    kind: str
    at: float
    of: str
    told: str


class HypothesisShape(Shape):
    """Something that moved first, with what speaks for it."""

    title: str
    evidence: tuple[str, ...]
    moved: MovedShape
    score: float = Field(description="orders hypotheses; it is no probability")
    explains: float = Field(description="the share of all else that moved that it can explain")
    within: float | None = Field(
        description="of the whole change, the share within this value; null where it is of everything"
    )
    mix: float = Field(description="of the whole change, the share that comes from another mix of questions")
    marker: HappenedShape | None = Field(description="what people did just before")


class WhyShape(Shape):
    """Hypotheses, the likeliest first; none where nothing moved. They are no verdict."""

    alert: str | None = Field(description="the alert that it is about")
    since: float
    until: float
    hypotheses: tuple[HypothesisShape, ...]
    nothing: str = Field(
        description="why there are no hypotheses: nothing moved, or there is too little to compare with"
    )
    is_compared: bool = Field(description="whether enough was counted before and within the window to compare them")
    hours_before: int = Field(description="of the eight days before the window, the hours with questions")
    moved: tuple[MovedShape, ...] = Field(description="everything that moved, in the order of time")
    happenings: tuple[HappenedShape, ...] = Field(description="what people did in the window and shortly before")


Moment = Annotated[
    str | None, Query(description="2026-11-20T14:30 (UTC), seconds since the epoch, or 3h for three hours ago")
]


@router.get("/api/why", summary="What may be the cause?")
async def why(
    ken: Opened,
    principal: Operating,
    *,
    alert: Annotated[str | None, Query(description="its rule, or how its fingerprint begins")] = None,
    since: Moment = None,
    until: Moment = None,
) -> WhyShape:
    """About an alert, a window, or without either the alert that fired last, else the last six hours. Operators only."""
    _ = principal
    now = time.time()
    begins, ends = (None if text is None else moment(text, now=now) for text in (since, until))
    work = partial(ken.asked.about, alert, since=begins, until=ends, now=now)
    explanation, about = await anyio.to_thread.run_sync(work)
    return WhyShape(
        alert=None if about is None else about.name,
        since=explanation.window.since,
        until=explanation.window.until,
        hypotheses=tuple(_hypothesis(each, explanation) for each in explanation.hypotheses),
        nothing="" if explanation.hypotheses else nothing(explanation),
        is_compared=explanation.is_compared,
        hours_before=explanation.hours_before,
        moved=tuple(map(_moved, explanation.moved)),
        happenings=tuple(HappenedShape.model_validate(each) for each in explanation.happenings),
    )


def _hypothesis(each: Hypothesis, explanation: Explanation) -> HypothesisShape:
    return HypothesisShape(
        title=title(each),
        evidence=tuple(evidence(each, explanation)),
        moved=_moved(each.moved),
        score=each.score,
        explains=each.explains,
        within=each.within,
        mix=each.mix,
        marker=None if each.marker is None else HappenedShape.model_validate(each.marker),
    )


def _moved(moved: Moved) -> MovedShape:
    change = moved.change
    return MovedShape(
        metric=moved.metric,
        dimension=moved.dimension,
        value=moved.value,
        at=change.at,
        step_s=moved.step_s,
        before=change.before,
        after=change.after,
        unit=unit_of(moved.metric),
        strength=change.strength,
        count=change.count,
    )
