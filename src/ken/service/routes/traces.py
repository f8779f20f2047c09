"""The record of the questions: one's own, and everybody's for operators."""

from __future__ import annotations

import time
from functools import partial
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Query

from ken.domain.answer import Outcome
from ken.domain.where import LONGEST, NAMES, OneOf, also, parsed
from ken.service.context import Asking, Opened
from ken.service.shapes import FeedbackShape, FoundTrace, TracePage, TraceShape
from ken.storage.trace_search import Found

router = APIRouter(tags=["traces"])


@router.get("/api/traces", summary="List traces, newest first")
async def traces(
    ken: Opened,
    principal: Asking,
    *,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    before: Annotated[str | None, Query(description="`before` of the page that came first")] = None,
    outcome: Annotated[Outcome | None, Query()] = None,
    where: Annotated[str, Query(description="a filter: docs/guides/tracing.md", max_length=LONGEST)] = "",
) -> TracePage:
    """Without spans and passages. `figures` has what a filter asks for by name."""
    await anyio.to_thread.run_sync(ken.recorder.flush)
    if where:
        asked = parsed(where, now=time.time())
        if outcome is not None:
            asked = also(asked, OneOf(NAMES["outcome"], (outcome,)))
        found = await anyio.to_thread.run_sync(
            partial(ken.trace_search.find, asked, principal, limit=limit, before=before)
        )
        return TracePage(traces=[_found(each) for each in found.entries], before=found.before)
    page = await anyio.to_thread.run_sync(
        partial(ken.traces.list, principal, limit=limit, before=before, outcome=outcome)
    )
    return TracePage(traces=[FoundTrace.model_validate(each) for each in page.entries], before=page.before)


@router.get("/api/traces/{trace_id}", summary="Read a trace")
async def trace(trace_id: str, ken: Opened, principal: Asking) -> TraceShape:
    """With its spans, the passages that were looked at, the citations, and what was said of it."""
    await anyio.to_thread.run_sync(ken.recorder.flush)
    found = await anyio.to_thread.run_sync(ken.traces.get, trace_id, principal)
    said = await anyio.to_thread.run_sync(ken.feedback.of_trace, trace_id)
    shape = TraceShape.model_validate(found)
    shape.feedback = [FeedbackShape.model_validate(each) for each in said]
    return shape


def _found(found: Found) -> FoundTrace:
    shape = FoundTrace.model_validate(found.trace)
    shape.figures = dict(found.figures)
    return shape
