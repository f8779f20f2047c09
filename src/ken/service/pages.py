"""The addresses of the console's pages, as its router knows them too (console/src/app/router.tsx)."""

from __future__ import annotations

PAGES = (
    "/",
    "/c/{conversation_id}",
    "/shared/{share_id}",
    "/documents/{document_id:path}",
    "/knowledge",
    "/search",
    "/traces",
    "/traces/{trace_id}",
    "/views",
    "/gateway",
    "/alerts",
    "/settings",
    "/docs",
)

ASSETS = "/assets/"

_WHOLE = frozenset(path for path in PAGES if "{" not in path)
_BEGINNINGS = tuple(path.partition("{")[0] for path in PAGES if "{" in path)


def is_page(path: str) -> bool:
    """Whether a path belongs to the console and not to the API; such a path holds nobody's data."""
    return path in _WHOLE or path.startswith((ASSETS, *_BEGINNINGS))
