"""A small web site for tests: pages by path, with ETags, as a static server gives them."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from aiohttp import web

from ken.knowledge.sources.client import ClientLimits
from ken.knowledge.sources.source import Change, Complete, Connector, Gone, Listed, Unlisted
from ken.knowledge.sources.web import WebConnector
from ken.knowledge.sources.web_listing import WebScope
from tests.knowledge.web_server import QUICK, Server, serving

Answer = tuple[int, Mapping[str, str], bytes]
CRAWL = WebScope(mode="crawl")
PDF: Answer = (200, {"content-type": "application/pdf"}, b"%PDF-1.4 ...")
NOT_FOUND: Answer = (404, {}, b"no such page")
EVERYTHING = WebScope()
UNHURRIED = replace(QUICK, requests_per_s=100_000)
"""As fast as the server answers."""


def page(*links: str, text: str = "words", head: str = "") -> bytes:
    """A page of HTML with navigation."""
    anchors = "".join(f'<a href="{link}">{link}</a>\n' for link in links)
    return (
        f"<!doctype html><html><head>{head}</head><body><nav>{anchors}</nav><main>{text}</main></body></html>".encode()
    )


def text(words: bytes, content_type: str = "text/plain") -> Answer:
    """A file that is no page."""
    return 200, {"content-type": content_type}, words


def robots(*lines: str) -> Answer:
    """A robots.txt."""
    return text("\n".join(lines).encode())


def redirect(to: str, status: int = 301) -> Answer:
    """A redirect."""
    return status, {"location": to}, b""


def sitemap(*paths: str, kind: str = "url") -> Answer:
    """A list of pages, or of lists (kind "sitemap")."""
    root = {"url": "urlset", "sitemap": "sitemapindex"}[kind]
    entries = "".join(f"<{kind}><loc> {{url}}{path} </loc><lastmod>2031-01-01</lastmod></{kind}>\n" for path in paths)
    body = f'<?xml version="1.0"?><{root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</{root}>'
    return text(body.encode(), "application/xml")


@dataclass
class Site:
    """What the server answers with, by path and query; a value in bytes is a page of HTML."""

    answers: dict[str, bytes | Answer]
    has_etags: bool = False
    server: Server = field(default_factory=lambda: Server(""))
    connectors: list[WebConnector] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """As a server of files would."""
        found = self.answers.get(request.raw_path, NOT_FOUND)
        status, headers, body = found if isinstance(found, tuple) else (200, {"content-type": "text/html"}, found)
        headers = {name: value.replace("{url}", self.server.url) for name, value in headers.items()}
        body = body.replace(b"{url}", self.server.url.encode())
        if self.has_etags and status == 200:
            headers["etag"] = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
            if request.headers.get("if-none-match") == headers["etag"]:
                return web.Response(status=304, headers=headers)
        return web.Response(status=status, headers=headers, body=body)

    def source(
        self, *starts: str, scope: WebScope = EVERYTHING, limits: ClientLimits = UNHURRIED, more: Sequence[Server] = ()
    ) -> WebConnector:
        """The site as a source, closed with it."""
        addresses = [f"{self.server.url}{start}" for start in starts or ("/",)]
        hosts = frozenset({self.server.host, *(each.host for each in more)})
        self.connectors.append(WebConnector(addresses, scope=scope, allowed_hosts=hosts, limits=limits))
        return self.connectors[-1]


@asynccontextmanager
async def site(answers: Mapping[str, bytes | Answer], *, has_etags: bool = False) -> AsyncIterator[Site]:
    """Serve `answers`, which a test may change, while the context lasts."""
    running = Site(dict(answers), has_etags)
    async with serving(running.answer) as server:
        running.server = server
        try:
            yield running
        finally:
            for connector in running.connectors:
                await connector.aclose()


@dataclass
class Listing:
    """What a source listed, sorted by what it said."""

    listed: dict[str, Listed] = field(default_factory=dict)
    unlisted: dict[str, Unlisted] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    end: Complete | None = None

    @property
    def paths(self) -> list[str]:
        """Those of the documents, in their order."""
        return list(self.listed)

    @property
    def cursor(self) -> str:
        """Where the next listing begins."""
        assert self.end is not None
        assert self.end.cursor is not None
        return self.end.cursor

    @property
    def is_whole(self) -> bool:
        """Whether it said that this is all."""
        assert self.end is not None
        return self.end.is_whole


async def listing(source: Connector, cursor: str | None = None) -> Listing:
    """List a source to its end, which comes last and once; no path twice."""
    found = Listing()
    async for change in source.changes(cursor):
        assert found.end is None
        _sorted_in(found, change)
    assert found.end is not None
    return found


def _sorted_in(found: Listing, change: Change) -> None:
    match change:
        case Listed():
            assert change.path not in found.listed
            found.listed[change.path] = change
        case Unlisted():
            found.unlisted[change.path] = change
        case Gone():
            found.gone.append(change.path)
        case Complete():
            found.end = change
