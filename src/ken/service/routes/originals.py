"""The files that documents were read from, to be kept or drawn by a script; never a page of this origin."""

from __future__ import annotations

from pathlib import PurePosixPath
from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response

from ken.service.context import Asking, Opened

router = APIRouter(tags=["documents"])

_INERT = frozenset({"application/pdf", "text/plain", "text/csv", "application/json"})
"""Types that no browser reads as a page with scripts; everything else is bytes."""

_HEADERS = {"content-security-policy": "default-src 'none'; sandbox; frame-ancestors 'none'"}


@router.get(
    "/api/originals/{document_id:path}",
    summary="Get the file that a document was read from",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}, "description": "The file's bytes, as an attachment"}},
)
async def original(document_id: str, ken: Opened, principal: Asking) -> Response:
    """Of pushed documents and those of a folder on Ken's machine, as long as the file is exactly the one that was read; else 404."""
    document, data = await ken.library.original(document_id, principal)
    media_type = document.media_type if document.media_type in _INERT else "application/octet-stream"
    return Response(data, media_type=media_type, headers=_HEADERS | {"content-disposition": _attached(document.path)})


def _attached(path: str) -> str:
    """As a file to be kept, under its own name (RFC 6266; the plain form for clients that know no other)."""
    name = PurePosixPath(path).name
    plain = "".join(each if each.isascii() and each.isprintable() and each not in '"\\%' else "_" for each in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
