"""What has changed, as it changes."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field
from starlette.responses import Response

from ken.domain.principal import OPERATORS, Principal
from ken.errors import Forbidden
from ken.service.context import Asking
from ken.service.errors import api_body
from ken.service.event_stream import EventStream, json_frame
from ken.service.live import OF_OPERATORS, TOPICS, Changed, Live, Topic
from ken.service.shapes import Shape, object_of
from ken.service.source_shapes import SyncShape

router = APIRouter(tags=["operations"])


class ChangedShape(Shape):
    """The data of an event: `ready` comes first and names what will be told, `changed` tells that something of a topic has changed."""

    topic: Topic
    at: float
    syncs: tuple[SyncShape, ...] = Field(description="those that moved, the newest first; for operators")


class Events(Response):
    """For the API's description, which wants to make one without frames."""

    media_type = "text/event-stream"


async def live_of(request: Request) -> Live:
    """What tells of changes in this process."""
    return cast("Live", request.app.state.live)


Living = Annotated[Live, Depends(live_of)]


@router.get(
    "/api/live",
    summary="Hear of what changes",
    response_class=Events,
    responses={200: {"model": ChangedShape, "description": "Events"}},
)
async def live(
    request: Request,
    changes: Living,
    principal: Asking,
    *,
    topic: Annotated[list[Topic] | None, Query(description="what to hear of; all of it where none is named")] = None,
) -> EventStream:
    """An event `changed` for each topic in which something did, within about a second; operators hear of everybody's."""
    asked = TOPICS if topic is None else frozenset(topic)
    closed = sorted(asked & OF_OPERATORS)
    if topic is not None and closed and not principal.is_operator:
        raise Forbidden(f"{principal.id!r} may not hear of {', '.join(closed)}: it takes a key with {OPERATORS!r}.")
    trace_id = cast("str", request.state.trace_id)
    return EventStream(
        _frames(changes, principal, asked), failed=lambda error: json_frame(api_body(error, trace_id), "error")
    )


async def _frames(changes: Live, principal: Principal, topics: frozenset[Topic]) -> AsyncGenerator[bytes]:
    async with aclosing(changes.listen(principal, topics)) as told:
        async for each in told:
            yield _ready(principal, topics) if each is None else _frame(each)


def _ready(principal: Principal, topics: frozenset[Topic]) -> bytes:
    heard = topics if principal.is_operator else topics - OF_OPERATORS
    return json_frame({"topics": sorted(heard), "at": time.time()}, "ready")


def _frame(changed: Changed) -> bytes:
    shape = ChangedShape.model_validate(changed)
    return json_frame(object_of(shape), "changed")
