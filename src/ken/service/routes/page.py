"""The page: HTML, scripts and styles that hold no data. What they show they ask from the API, under its rules."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from starlette.responses import FileResponse

FOLDER = Path(__file__).parent.parent / "page"

router = APIRouter(include_in_schema=False)

_REVALIDATE = {"cache-control": "no-cache"}


@router.api_route("/", methods=["GET", "HEAD"])
async def index() -> FileResponse:
    """Ask, read, look back."""
    return FileResponse(FOLDER / "index.html", headers=_REVALIDATE)


@router.api_route("/documents/{document_id:path}", methods=["GET", "HEAD"])
async def document(document_id: str) -> FileResponse:
    """The same for every id: whether there is such a document is for the API to say."""
    _ = document_id
    return FileResponse(FOLDER / "document.html", headers=_REVALIDATE)


@router.api_route("/docs", methods=["GET", "HEAD"])
async def reference() -> FileResponse:
    """The API's reference, made from /openapi.json."""
    return FileResponse(FOLDER / "reference.html", headers=_REVALIDATE)


@router.api_route("/favicon.ico", methods=["GET", "HEAD"])
async def favicon() -> FileResponse:
    """The mark."""
    return FileResponse(FOLDER / "mark.svg", headers=_REVALIDATE, media_type="image/svg+xml")
