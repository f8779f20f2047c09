"""What a person says of an answer."""

from __future__ import annotations

import time
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, StringConstraints

from ken.domain.trace import Feedback
from ken.service.context import Asking, Opened
from ken.service.shapes import Text

router = APIRouter(tags=["traces"])


class FeedbackBody(BaseModel):
    """A thumb up or down, with a reason if there is one."""

    model_config = ConfigDict(extra="forbid", strict=True)

    trace_id: Text
    helpful: bool
    reason: Annotated[Text, StringConstraints(max_length=2000)] = ""


@router.post("/api/feedback", summary="Say whether an answer helped", status_code=204)
async def feedback(body: FeedbackBody, ken: Opened, principal: Asking) -> None:
    """Keep one word of this principal on this trace; a second one replaces the first."""
    await anyio.to_thread.run_sync(ken.recorder.flush)
    await anyio.to_thread.run_sync(ken.traces.get, body.trace_id, principal)
    given = Feedback(
        trace_id=body.trace_id, principal=principal.id, helpful=body.helpful, reason=body.reason, at=time.time()
    )
    await anyio.to_thread.run_sync(ken.recording.reactions.said, given)
