"""A principal's own conversations."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, StringConstraints

from ken.service.context import Asking, Opened
from ken.service.conversation_shapes import ConversationPage, ConversationShape, FoundConversation
from ken.service.shapes import Text

router = APIRouter(tags=["conversations"])


class TitleBody(BaseModel):
    """A conversation's title."""

    model_config = ConfigDict(extra="forbid", strict=True)

    title: Annotated[Text, StringConstraints(min_length=1, max_length=1000)]


@router.get("/api/conversations", summary="List your conversations, or search in them")
async def conversations(
    ken: Opened,
    principal: Asking,
    *,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    before: Annotated[str | None, Query(description="`before` of the page that came first")] = None,
    q: Annotated[Text, Query(description="words that the title or one of the turns has", max_length=200)] = "",
) -> ConversationPage:
    """The last used first, without their turns."""
    read = partial(ken.conversations.list, principal, limit=limit, before=before, words=q)
    page = await anyio.to_thread.run_sync(read)
    return ConversationPage(
        conversations=[FoundConversation.model_validate(each) for each in page.entries], before=page.before
    )


@router.post("/api/conversations", summary="Begin a conversation", status_code=201)
async def create(body: TitleBody, ken: Opened, principal: Asking) -> ConversationShape:
    """An empty one; `/api/ask` makes one by itself, too."""
    made = await anyio.to_thread.run_sync(ken.conversations.create, principal, body.title)
    return ConversationShape.model_validate(made)


@router.get("/api/conversations/{conversation_id}", summary="Read a conversation")
async def conversation(conversation_id: str, ken: Opened, principal: Asking) -> ConversationShape:
    """With its turns, oldest first, and all that was shown with each answer."""
    found = await anyio.to_thread.run_sync(ken.conversations.get, conversation_id, principal)
    return ConversationShape.model_validate(found)


@router.patch("/api/conversations/{conversation_id}", summary="Rename a conversation")
async def rename(conversation_id: str, body: TitleBody, ken: Opened, principal: Asking) -> ConversationShape:
    """Give it another title."""
    change = partial(ken.conversations.rename, conversation_id, principal, title=body.title)
    await anyio.to_thread.run_sync(change)
    return await conversation(conversation_id, ken, principal)


@router.delete("/api/conversations/{conversation_id}", summary="Delete a conversation", status_code=204)
async def delete(conversation_id: str, ken: Opened, principal: Asking) -> None:
    """For ever, with its turns and shares."""
    await anyio.to_thread.run_sync(ken.conversations.delete, conversation_id, principal)
