"""What the rules that look at every answer found, and whether this release may go live. Operators only."""

from __future__ import annotations

import time
from functools import partial
from typing import Literal

import anyio.to_thread
from fastapi import APIRouter
from pydantic import Field

from ken.service.context import Opened, Operating
from ken.service.shapes import Shape

router = APIRouter(tags=["operations"])


class HeuristicShape(Shape):
    """A rule that looks at every answer, with what it found since it is known here."""

    name: str
    meaning: str = Field(description="an answer that it finds a fault in ...")
    is_on: bool
    looked: int = Field(description="answers that it had something to say of")
    fired: int = Field(description="of these, the ones with a fault")
    rate: float | None = Field(description="the share of the answers it looked at; null before the first")
    since: float | None = Field(description="since when it is known here, seconds since the epoch")
    last_looked_at: float | None
    last_fired_at: float | None
    is_silent: bool = Field(
        description="it runs, and has found nothing for `silent_days`, though it was known all the while"
    )


class HeuristicsShape(Shape):
    """All rules, in the order in which they run."""

    rules: tuple[HeuristicShape, ...]
    silent: tuple[str, ...] = Field(description="names of those that could go")


class ChecklistAnswerShape(Shape):
    """One question with its answer."""

    name: str
    question: str
    state: Literal["pass", "fail", "unknown"]
    evidence: str = Field(description="the figures, and over which time")
    remedy: str = Field(description="what to do where it is no pass")
    where: str = Field(description="where to look further")


class ChecklistShape(Shape):
    """Whether the present release may go live."""

    release: str
    at: float = Field(description="seconds since the epoch")
    ready: bool = Field(description="every question passes")
    answers: tuple[ChecklistAnswerShape, ...]


@router.get("/api/checks", summary="What have the heuristics found?")
async def checks(ken: Opened, principal: Operating) -> HeuristicsShape:
    """Each rule's counts, its rate and when it last fired; and those that have been silent for too long. Operators only."""
    _ = principal
    audited = await anyio.to_thread.run_sync(partial(ken.audit, at=time.time()))
    return HeuristicsShape(
        rules=tuple(HeuristicShape.model_validate(each) for each in audited),
        silent=tuple(each.name for each in audited if each.is_silent),
    )


@router.get("/api/checklist", summary="May this release go live?")
async def checklist(ken: Opened, principal: Operating) -> ChecklistShape:
    """The deployment checklist, answered from the record: pass, fail or unknown, with the evidence. Operators only."""
    _ = principal
    answered = await anyio.to_thread.run_sync(partial(ken.checklist, at=time.time()))
    return ChecklistShape(
        release=answered.release,
        at=answered.at,
        ready=answered.is_ready,
        answers=tuple(
            ChecklistAnswerShape(
                name=each.question.name,
                question=each.question.asks,
                state=each.found.state,
                evidence=each.found.evidence,
                remedy=each.found.remedy,
                where=each.question.where,
            )
            for each in answered.answers
        ),
    )
