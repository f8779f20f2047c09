"""The daily digest. Operators only."""

from __future__ import annotations

import time
from functools import partial
from typing import Annotated, Literal

import anyio.to_thread
from fastapi import APIRouter, Query, Response

from ken.operations.digest.day import day_of
from ken.operations.digest.markdown import markdown
from ken.operations.digest.page import page
from ken.service.context import Opened, Operating

router = APIRouter(tags=["operations"])

_CONTENT: dict[str, dict[str, str]] = {"text/markdown": {}, "text/html": {}}


@router.get(
    "/api/digest",
    summary="Read a day's digest",
    response_class=Response,
    responses={200: {"content": _CONTENT, "description": "The day as one story"}},
)
async def digest(
    ken: Opened,
    principal: Operating,
    *,
    day: Annotated[str | None, Query(description="2026-11-20, today or yesterday; without it, yesterday; UTC")] = None,
    form: Annotated[Literal["markdown", "html"], Query(description="html: a page that loads nothing")] = "markdown",
) -> Response:
    """What moved first, what followed, alerts, health, quality, latency, cost. Operators only."""
    _ = principal
    now = time.time()
    told = await anyio.to_thread.run_sync(partial(ken.day, day_of(day, now=now), now=now))
    if form == "html":
        policy = {"content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"}
        return Response(page(told), media_type="text/html", headers=policy)
    return Response(markdown(told), media_type="text/markdown")
