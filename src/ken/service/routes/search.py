"""Search without an answer: what the documents hold on a question, and why it was found."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from ken.guard.legible import legible
from ken.service.context import Asking, Opened
from ken.service.narrowing import Narrowed
from ken.service.search_shapes import SearchShape

router = APIRouter(tags=["documents"])


@router.get("/api/search", summary="Search the documents")
async def search(
    ken: Opened,
    principal: Asking,
    q: Annotated[str, Query(description="the question, or a few words")],
    filters: Narrowed,
    *,
    collection: Annotated[list[str] | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=50)] = 8,
    explain: Annotated[bool, Query(description="say why each passage stands where it does")] = False,
) -> SearchShape:
    """Passages with their scores, best first."""
    text = legible(q, max_chars=ken.settings.max_question_chars)
    collections = None if collection is None else frozenset(collection)
    result = await ken.library.search(text, principal, collections=collections, filters=filters, limit=limit)
    return SearchShape.of(result, collections=collections, explain=explain)
