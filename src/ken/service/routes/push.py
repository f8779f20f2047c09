"""The push API: programs put documents into a collection, with what they know of them. Operators only."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request

from ken.errors import InvalidInput
from ken.knowledge.parse.formats import BY_MEDIA_TYPE, media_type
from ken.knowledge.pushing import Said
from ken.service.context import Opened, Operating
from ken.service.routes.documents import body_of, groups_of
from ken.service.shapes import DocumentShape
from ken.service.source_shapes import PushedAs

router = APIRouter(tags=["documents"])

_UNTOLD = frozenset({"application/octet-stream", "application/x-www-form-urlencoded"})
"""What clients send that were not told what they send."""


@router.put(
    "/api/collections/{collection}/documents/{name:path}",
    summary="Push a document, or replace it",
    openapi_extra={"requestBody": {"required": True, "content": {"application/octet-stream": {}}}},
)
async def push(
    collection: str,
    name: str,
    request: Request,
    ken: Opened,
    principal: Operating,
    *,
    told: Annotated[PushedAs, Query()],
    content_type: Annotated[str | None, Header()] = None,
) -> DocumentShape:
    """The raw body is the document; its format is that of the name's suffix, else that of `Content-Type`."""
    _ = principal
    data = await body_of(request, ken.settings.max_file_mb * 1_000_000)
    kind = None if media_type(name) else _media_type(content_type, name)
    said = Said(groups=groups_of(told.groups), media_type=kind, **told.model_dump(exclude={"groups"}))
    return DocumentShape.model_validate(await ken.library.put(f"{collection}/{name}", data, said=said))


@router.delete(
    "/api/collections/{collection}/documents/{name:path}", summary="Delete a pushed document", status_code=204
)
async def delete(collection: str, name: str, ken: Opened, principal: Operating) -> None:
    """For ever, with every version and the answers that quote it. Operators only."""
    _ = principal
    await ken.library.delete(f"{collection}/{name}")


def _media_type(content_type: str | None, name: str) -> str:
    told = (content_type or "").partition(";")[0].strip().lower()
    if told in BY_MEDIA_TYPE:
        return told
    what = f"`Content-Type` is {told!r}" if told and told not in _UNTOLD else "there is no `Content-Type` that does"
    raise InvalidInput(
        f"{name!r} has no suffix that says what it is, and {what}. Known are: {', '.join(sorted(BY_MEDIA_TYPE))}."
    )
