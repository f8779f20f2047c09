"""How good what was found was: today, and in the week before."""

from __future__ import annotations

import time
from functools import partial
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Query
from pydantic import BaseModel

from ken.errors import InvalidInput
from ken.service.context import Asking, Opened
from ken.service.shapes import Shape

router = APIRouter(tags=["traces"])

DAY_S = 24 * 3600.0
BEFORE_S = 7 * DAY_S


class TaskRetrievalShape(Shape):
    """The questions of one task type; `utilisation` is null where none was answered."""

    task_type: str
    questions: int
    mean_relevance: float
    least_relevance: float
    utilisation: float | None


class RetrievalShape(BaseModel):
    """Figures from `since` until now, and of the seven days before: what falls here will be heard of in the answers."""

    since: float
    tasks: list[TaskRetrievalShape]
    before: list[TaskRetrievalShape]


@router.get("/api/retrieval", summary="How good what was found was, by task type")
async def retrieval(
    ken: Opened,
    principal: Asking,
    *,
    since: Annotated[float | None, Query(description="seconds since the epoch; a day ago without it")] = None,
) -> RetrievalShape:
    """Mean and least relevance of the passages given to the models, and the share of them that the answers cite."""
    now = time.time()
    begin = now - DAY_S if since is None else since
    if not 0 <= begin <= now:
        raise InvalidInput("`since` is a time in the past, in seconds since the epoch.", param="since")
    await anyio.to_thread.run_sync(ken.recorder.flush)
    spans = ((begin, now + 1), (begin - BEFORE_S, begin))
    tasks, before = [
        await anyio.to_thread.run_sync(partial(ken.retrieval.by_task, principal, since=first, until=last))
        for first, last in spans
    ]
    return RetrievalShape(
        since=begin,
        tasks=[TaskRetrievalShape.model_validate(each) for each in tasks],
        before=[TaskRetrievalShape.model_validate(each) for each in before],
    )
