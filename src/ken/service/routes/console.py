"""The console: HTML, scripts and styles that hold no data. What they show they ask from the API, under its rules.

Vite builds it from `console/` into `FOLDER`, which the wheel carries. Beside each file lie its compressed forms; names below
`/assets/` that hold a hash of what is in them are kept by browsers for good.
"""

from __future__ import annotations

import mimetypes
import re
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, HTMLResponse, Response

from ken.errors import NotFound
from ken.service.pages import ASSETS, PAGES

FOLDER = Path(__file__).parent.parent / "console"

_CODINGS = (("br", ".br"), ("gzip", ".gz"))
_HASHED = re.compile(r"-[\w-]{8}\.\w+$")
_FOR_GOOD = "public, max-age=31536000, immutable"
_NOT_BUILT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Ken: the console isn't built</title></head>
<body><h1>The console isn't built</h1>
<p>This Ken was installed from its sources without its web pages. In the folder of the sources, <code>make up</code> builds them and
serves; so does <code>npm ci --omit=dev &amp;&amp; npx vite build</code> in its folder <code>console</code>. A Ken that was installed by
<code>pip install</code> without <code>-e</code> is then installed once more. Then load this page again.</p>
<p>Everything else works: the API (<a href="/openapi.json">its description</a>) and the <code>ken</code> command.</p>
</body></html>
"""


def pages(folder: Path) -> APIRouter:
    """The same document for each path of the console (which page that is, its scripts tell from the address), and what it loads."""
    router = APIRouter(include_in_schema=False)

    async def page(request: Request) -> Response:
        built = folder / "index.html"
        if not built.is_file():
            return HTMLResponse(_NOT_BUILT, 503)
        return _compressed(built, request.headers.get("accept-encoding", ""), cache="no-cache")

    async def asset(name: str, request: Request) -> Response:
        file = folder / ASSETS.strip("/") / name
        if not file.is_file():
            raise NotFound(f"The console has no file {name!r}. After an update, load the page again.")
        cache = _FOR_GOOD if _HASHED.search(name) else "no-cache"
        return _compressed(file, request.headers.get("accept-encoding", ""), cache=cache)

    for path in PAGES:
        router.add_api_route(path, page, methods=["GET", "HEAD"])
    # A name has no slash in it, and so leads nowhere else.
    router.add_api_route(ASSETS + "{name}", asset, methods=["GET", "HEAD"])
    return router


def _compressed(file: Path, accepted: str, *, cache: str) -> Response:
    headers = {"cache-control": cache, "vary": "accept-encoding"}
    media_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    for coding, suffix in _CODINGS:
        packed = file.with_name(file.name + suffix)
        if _takes(accepted, coding) and packed.is_file():
            return FileResponse(packed, headers={**headers, "content-encoding": coding}, media_type=media_type)
    return FileResponse(file, headers=headers, media_type=media_type)


def _takes(accepted: str, coding: str) -> bool:
    """Whether `Accept-Encoding` names a coding and doesn't refuse it (RFC 9110, section 12.5.3)."""
    for each in accepted.lower().split(","):
        name, _, weight = each.partition(";")
        if name.strip() == coding:
            return weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False
