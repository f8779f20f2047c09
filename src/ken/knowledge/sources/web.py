"""A web site as a source: what its sitemap names, or what its links lead to, by the rules of its robots.txt."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace

from ken.errors import InvalidInput, SourceDenied, SourceMisbehaves, Unreadable
from ken.knowledge.parse.formats import media_type
from ken.knowledge.sources.addresses import parsed, shown
from ken.knowledge.sources.client import Client, ClientLimits
from ken.knowledge.sources.source import Change, Fetched, Listed
from ken.knowledge.sources.spool import Spool
from ken.knowledge.sources.web_listing import AT_ONCE, WebListing, WebScope, body_of, patterns_of
from ken.knowledge.sources.web_paths import HTML, format_of, named_hosts, normalised
from ken.knowledge.sources.web_site import PoliteSite

_FOUND = 200
_POLITE_PER_S = 5.0
_PATIENCE = ClientLimits()
_EVERYTHING = WebScope()


class WebConnector:
    """The pages of a site, and its files in formats that Ken reads.

    Paths follow from addresses (web_paths.py); a stamp is the digest of what came. To list is to read: pages wait on the
    disk until they are fetched, and those that a server's ETag shows unchanged don't come again. Where `limits` name no
    pace, it is five requests a second. A listing that stops at a limit, or misses a page whose links nobody knows, is not
    whole. Raises InvalidInput where `starts` is empty, and for what is no web address, no host or no pattern.
    """

    def __init__(
        self,
        starts: Sequence[str],
        *,
        scope: WebScope = _EVERYTHING,
        allowed_hosts: frozenset[str] = frozenset(),
        limits: ClientLimits = _PATIENCE,
    ) -> None:
        self._starts = tuple(url for start in starts if (url := normalised(start)) is not None)
        if not starts or len(self._starts) < len(starts):
            raise InvalidInput(
                "A web site needs addresses to start from, as in 'https://docs.example.org/'.", param="url"
            )
        patterns_of(scope)  # raises now what the first listing would
        named_hosts(scope.hosts)
        self._scope = scope
        pace = limits.requests_per_s or _POLITE_PER_S
        self._client = Client(allowed_hosts=allowed_hosts, limits=replace(limits, requests_per_s=pace))
        self._spool = Spool(max_bytes=scope.spool_bytes)
        self._site = PoliteSite(self._client)

    @property
    def location(self) -> str:
        """The first start."""
        return shown(self._starts[0])

    @property
    def concurrency(self) -> int:
        """As many as are asked for at once while listing."""
        return AT_ONCE

    async def changes(self, cursor: str | None) -> AsyncIterator[Change]:
        """List the site; the cursor saves sending pages that didn't change."""
        await self._site.aclose()
        self._site = PoliteSite(self._client)
        self._spool.clear()
        listing = WebListing(self._starts, cursor, scope=self._scope, site=self._site, spool=self._spool)
        async with aclosing(listing.changes()) as changes:
            async for change in changes:
                yield change

    async def fetch(self, listed: Listed) -> Fetched:
        """A page as it was listed, or as it is now where it wasn't kept."""
        data = await asyncio.to_thread(self._spool.take, listed.key)
        url = listed.key.rpartition(" ")[2]
        return Fetched(data=await self._asked_again(listed) if data is None else data, url=url)

    async def permissions(self, listed: Listed) -> frozenset[str] | None:  # noqa: ARG002 - the seam's
        """None: what Ken reads without a key, everybody can read."""
        return None

    async def aclose(self) -> None:
        """Close the connections and let go of the pages that were kept."""
        await self._site.aclose()
        await self._client.aclose()
        self._spool.clear()

    async def _asked_again(self, listed: Listed) -> bytes:
        try:
            reply = await self._site.get(parsed(listed.key.partition(" ")[0]))
        except (SourceDenied, SourceMisbehaves) as error:
            raise Unreadable(f"{listed.path!r}: {error}") from error
        if reply.status != _FOUND:
            raise Unreadable(f"{listed.path!r} answered {reply.status} since it was listed. Sync again.")
        kind = format_of(parsed(reply.url), reply.headers.get("content-type", "")) or HTML
        if kind != media_type(listed.path):
            raise Unreadable(f"{listed.path!r} became another format since it was listed. Sync again.")
        return body_of(reply, kind)
