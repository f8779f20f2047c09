"""Conversations that others are let read, each within what they may read."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from ken.service.context import Asking, Opened
from ken.service.conversation_shapes import SharePage, ShareShape, ShareSummary
from ken.service.shapes import Text

router = APIRouter(tags=["conversations"])


class ShareBody(BaseModel):
    """Who may read a conversation."""

    model_config = ConfigDict(extra="forbid", strict=True)

    conversation_id: Text
    groups: list[Text] = Field(min_length=1, max_length=100)
    """`everyone` stands for everybody with a key."""


@router.post("/api/shares", summary="Share a conversation", status_code=201)
async def share(body: ShareBody, ken: Opened, principal: Asking) -> ShareSummary:
    """As it is now: what is asked in it later is not shared."""
    work = partial(ken.shares.create, body.conversation_id, principal, groups=body.groups)
    return ShareSummary.model_validate(await anyio.to_thread.run_sync(work))


@router.get("/api/shares", summary="List what you have shared")
async def shares(
    ken: Opened,
    principal: Asking,
    *,
    conversation_id: Annotated[Text | None, Query(description="of this conversation alone")] = None,
) -> SharePage:
    """Newest first."""
    found = await anyio.to_thread.run_sync(partial(ken.shares.list, principal, conversation_id=conversation_id))
    return SharePage(shares=[ShareSummary.model_validate(each) for each in found])


@router.get("/api/shares/{share_id}", summary="Read a shared conversation")
async def shared(share_id: str, ken: Opened, principal: Asking) -> ShareShape:
    """Answers that name a document which you may not read are withheld; no turn leads to its trace."""
    await anyio.to_thread.run_sync(ken.recorder.flush)
    return ShareShape.model_validate(await anyio.to_thread.run_sync(ken.shares.get, share_id, principal))


@router.delete("/api/shares/{share_id}", summary="End a share", status_code=204)
async def revoke(share_id: str, ken: Opened, principal: Asking) -> None:
    """At once, for everybody who has the link."""
    await anyio.to_thread.run_sync(ken.shares.revoke, share_id, principal)
