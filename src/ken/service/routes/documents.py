"""Documents: list, read, upload, replace, delete."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request

from ken.domain.document import Document
from ken.knowledge.pushing import Said
from ken.service.context import Asking, Opened, Operating
from ken.service.limits import check_length, too_large
from ken.service.shapes import CollectionShape, DocumentPage, DocumentShape, LineageShape, OpenedDocument, PassageShape

router = APIRouter(tags=["documents"])


@router.get("/api/collections", summary="List the collections")
async def collections(ken: Opened, principal: Asking) -> list[CollectionShape]:
    """With the number of documents that you may read."""
    return [CollectionShape(name=name, documents=count) for name, count in await ken.library.collections(principal)]


@router.get("/api/documents", summary="List documents, ordered by id")
async def documents(
    ken: Opened,
    principal: Asking,
    *,
    collection: Annotated[str | None, Query()] = None,
    after: Annotated[str | None, Query(description="`next` of the page that came first")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> DocumentPage:
    """Only those that you may read."""
    found = await ken.library.documents(principal, collection=collection, after=after, limit=limit)
    return DocumentPage(
        documents=[DocumentShape.model_validate(each) for each in found],
        next=found[-1].id if len(found) == limit else None,
    )


@router.get("/api/documents/{document_id:path}", summary="Read a document")
async def document(document_id: str, ken: Opened, principal: Asking) -> OpenedDocument:
    """Its metadata, parsed text and passages, with what made them."""
    found = await ken.library.document(document_id, principal)
    passages = await ken.library.passages(document_id, principal)
    return OpenedDocument(
        document=DocumentShape.model_validate(found),
        text=await ken.library.text(document_id, principal),
        passages=[PassageShape.model_validate(each) for each in passages],
        source=found.source,
        lineage=LineageShape.model_validate(found.lineage),
        warnings=list(found.warnings),
    )


@router.put(
    "/api/documents/{document_id:path}",
    summary="Upload or replace a document",
    openapi_extra={"requestBody": {"required": True, "content": {"application/octet-stream": {}}}},
)
async def put(
    document_id: str,
    request: Request,
    ken: Opened,
    principal: Operating,
    *,
    groups: Annotated[str | None, Query(description="who may read it, comma-separated")] = None,
    x_ken_groups: Annotated[str | None, Header()] = None,
) -> DocumentShape:
    """The raw body is the file; the suffix of the id (`collection/path.ext`) says its format. Operators only."""
    _ = principal
    data = await body_of(request, ken.settings.max_file_mb * 1_000_000)
    named = groups if groups is not None else x_ken_groups
    put_document: Document = await ken.library.put(document_id, data, said=Said(groups=groups_of(named)))
    return DocumentShape.model_validate(put_document)


@router.delete("/api/documents/{document_id:path}", summary="Delete an uploaded document", status_code=204)
async def delete(document_id: str, ken: Opened, principal: Operating) -> None:
    """For ever, with every version and the answers that quote it. Operators only."""
    _ = principal
    await ken.library.delete(document_id)


async def body_of(request: Request, max_bytes: int) -> bytes:
    """The body, read no further than the limit. Raises TooLarge."""
    check_length(request.headers, max_bytes)
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > max_bytes:
            raise too_large(max_bytes)
    return bytes(data)


def groups_of(listed: str | None) -> frozenset[str] | None:
    """None leaves the choice to the collection; an empty list leaves the document to operators."""
    return None if listed is None else frozenset(group.strip() for group in listed.split(",") if group.strip())
