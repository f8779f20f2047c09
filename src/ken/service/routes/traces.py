"""The record of the questions: one's own, and everybody's for operators."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Query

from ken.domain.answer import Outcome
from ken.service.context import Asking, Opened
from ken.service.shapes import FeedbackShape, TracePage, TraceShape, TraceSummary

router = APIRouter(tags=["traces"])


@router.get("/api/traces", summary="List traces, newest first")
async def traces(
    ken: Opened,
    principal: Asking,
    *,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    before: Annotated[str | None, Query(description="`before` of the page that came first")] = None,
    outcome: Annotated[Outcome | None, Query()] = None,
) -> TracePage:
    """Without spans and passages."""
    await anyio.to_thread.run_sync(ken.recorder.flush)
    page = await anyio.to_thread.run_sync(
        partial(ken.traces.list, principal, limit=limit, before=before, outcome=outcome)
    )
    return TracePage(traces=[TraceSummary.model_validate(each) for each in page.entries], before=page.before)


@router.get("/api/traces/{trace_id}", summary="Read a trace")
async def trace(trace_id: str, ken: Opened, principal: Asking) -> TraceShape:
    """With its spans, the passages that were looked at, the citations, and what was said of it."""
    await anyio.to_thread.run_sync(ken.recorder.flush)
    found = await anyio.to_thread.run_sync(ken.traces.get, trace_id, principal)
    said = await anyio.to_thread.run_sync(ken.feedback.of_trace, trace_id)
    shape = TraceShape.model_validate(found)
    shape.feedback = [FeedbackShape.model_validate(each) for each in said]
    return shape
