"""The record of the questions: one's own, and everybody's for operators."""

from __future__ import annotations

import time
from functools import partial
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from ken.domain.answer import Outcome
from ken.domain.where import LONGEST, NAMES, Comparison, Kind, OneOf, also, parsed
from ken.service.context import Asking, Opened
from ken.service.shapes import FeedbackShape, FoundTrace, KeepingShape, TracePage, TraceShape
from ken.storage.trace_search import Found
from ken.storage.where_sql import INDEXED
from ken.wiring import Ken

router = APIRouter(tags=["traces"])

_MOST_RERUNS = 20
_LATELY_S = 30 * 86_400.0
_DIMENSIONS = ("task_type", "category", "tier", "model", "release")
_MOST_VALUES = 50


class TraceName(BaseModel):
    """Something that a trace is found by."""

    name: str
    kind: Kind
    values: list[str] = Field(description="all that it can be, or what it was lately")
    is_closed: bool = Field(description="it can be nothing else")
    is_indexed: bool = Field(description="it finds a few traces among a million without reading them all")


class TraceNames(BaseModel):
    """All of them, in the order of the guide."""

    names: list[TraceName]


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


@router.get("/api/trace-names", summary="List what traces are found by")
async def names(ken: Opened, principal: Asking) -> TraceNames:
    """The names that a filter may ask by, with what they are compared with."""
    seen = await anyio.to_thread.run_sync(partial(_seen, ken, is_operator=principal.is_operator))
    return TraceNames(
        names=[
            TraceName(
                name=each.name,
                kind=each.kind,
                values=list(each.values) or seen.get(each.name, []),
                is_closed=bool(each.values),
                is_indexed=each.name in INDEXED,
            )
            for each in NAMES.values()
            if principal.is_operator or not each.nobody_elses
        ]
    )


@router.get("/api/traces/{trace_id}", summary="Read a trace")
async def trace(trace_id: str, ken: Opened, principal: Asking) -> TraceShape:
    """With its spans, the passages that were looked at, the citations, and what was said of it."""
    await anyio.to_thread.run_sync(ken.recorder.flush)
    found = await anyio.to_thread.run_sync(ken.traces.get, trace_id, principal)
    said = await anyio.to_thread.run_sync(ken.feedback.of_trace, trace_id)
    shape = TraceShape.model_validate(found)
    shape.feedback = [FeedbackShape.model_validate(each) for each in said]
    kept = await anyio.to_thread.run_sync(ken.traces.keeping, trace_id)
    shape.keeping = None if kept is None else KeepingShape.model_validate(kept)
    again = Comparison(NAMES["rerun_of"], "=", trace_id)
    reruns = await anyio.to_thread.run_sync(partial(ken.trace_search.find, again, principal, limit=_MOST_RERUNS))
    shape.reruns = [FoundTrace.model_validate(each.trace) for each in reruns.entries]
    return shape


def _seen(ken: Ken, *, is_operator: bool) -> dict[str, list[str]]:
    """The values that names of any text had lately, the most frequent first; for operators, as they are of everybody's questions."""
    if not is_operator:
        return {}
    now = time.time()
    seen: dict[str, list[str]] = {}
    for name in _DIMENSIONS:
        counts = ken.recording.figures.whole("questions", since=now - _LATELY_S, until=now + 60, by=name)
        ordered = sorted(counts.items(), key=lambda each: -(each[1].value or 0))
        seen[name] = [value for value, _ in ordered if value][:_MOST_VALUES]
    return seen


def _found(found: Found) -> FoundTrace:
    shape = FoundTrace.model_validate(found.trace)
    shape.figures = dict(found.figures)
    return shape
