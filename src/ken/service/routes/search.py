"""Search without an answer: what the documents hold on a question, and why it was found."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from ken.errors import InvalidInput
from ken.service.context import Asking, Opened
from ken.service.shapes import SearchShape

router = APIRouter(tags=["documents"])


@router.get("/api/search", summary="Search the documents")
async def search(
    ken: Opened,
    principal: Asking,
    q: Annotated[str, Query(description="the question, or a few words")],
    *,
    collection: Annotated[list[str] | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=50)] = 8,
) -> SearchShape:
    """Passages with their scores, best first."""
    if not q.strip():
        raise InvalidInput("`q` is empty: write what to look for.")
    if len(q) > ken.settings.max_question_chars:
        raise InvalidInput(f"`q` has {len(q)} characters; at most {ken.settings.max_question_chars} are taken.")
    collections = None if collection is None else frozenset(collection)
    return SearchShape.of(await ken.library.search(q, principal, collections=collections, limit=limit))
