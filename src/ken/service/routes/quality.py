"""The quality report of a collection."""

from __future__ import annotations

from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Query

from ken.knowledge.quality.findings import STALE_AFTER_DAYS
from ken.service.context import Asking, Opened
from ken.service.quality_shapes import QualityShape

router = APIRouter(tags=["documents"])


@router.get("/api/collections/{collection}/quality", summary="Report on the quality of a collection")
async def quality(
    collection: str,
    ken: Opened,
    principal: Asking,
    *,
    stale_after_days: Annotated[
        int, Query(ge=1, description="a document is out of date when it was not changed for so long")
    ] = STALE_AFTER_DAYS,
) -> QualityShape:
    """Of the documents that you may read; what could not be read at all, and groups without a key, for operators only."""
    held = await anyio.to_thread.run_sync(ken.keys.groups)
    report = await ken.library.quality(principal, collection, held_groups=held, stale_after_days=stale_after_days)
    return QualityShape.model_validate(report)
