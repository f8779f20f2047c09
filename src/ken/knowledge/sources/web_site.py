"""A site asked politely: by the rules of its robots.txt, no faster than it wants, and not again for what it sent before."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

from yarl import URL

from ken.errors import SourceDenied, SourceError, SourceMisbehaves, Unreadable
from ken.knowledge.sources.client import Client, Reply
from ken.knowledge.sources.robots import Robots
from ken.knowledge.sources.sitemap import Sitemap, read_sitemap

_FOUND = 200
_MOST_LISTS = 300
_LIST_SUFFIXES = (".xml", ".xml.gz")


class PoliteSite:
    """Reads pages of one or more hosts during one listing, each by its own robots.txt."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._robots: dict[URL, asyncio.Task[Robots]] = {}
        self._next_turn: dict[URL, float] = {}

    async def robots(self, url: URL) -> Robots:
        """The rules for an address, read once. Raises SourceDown where the site can't say them: then nothing is allowed."""
        origin = url.origin()
        if origin not in self._robots:
            self._robots[origin] = asyncio.create_task(self._read_robots(origin))
        return await asyncio.shield(self._robots[origin])

    async def allows(self, url: URL) -> bool:
        """Whether the rules let Ken ask for an address. Raises as `robots` does."""
        return (await self.robots(url)).allows(url.raw_path_qs)

    async def get(self, url: URL, *, etag: str = "") -> Reply:
        """Ask for a page, or whether it is another than the one with `etag` (then 304). Raises as Client.get does."""
        delay = (await self.robots(url)).delay_s
        if delay:
            turn = max(self._next_turn.get(url.origin(), 0.0), time.monotonic())
            self._next_turn[url.origin()] = turn + delay
            await asyncio.sleep(turn - time.monotonic())
        return await self._client.get(str(url), headers={"if-none-match": etag} if etag else None)

    async def named_lists(self, start: URL) -> list[str]:
        """Where the site's lists of its pages are: the start itself, what robots.txt names, or the usual place."""
        if is_list(start):
            return [str(start)]
        return (await self.robots(start)).sitemaps or [str(start.origin() / "sitemap.xml")]

    async def read_lists(self, addresses: Iterable[str]) -> tuple[list[str], list[SourceError]]:
        """The pages that lists and the lists in them name, and what was wrong with those that can't be read.

        Raises SourceDown: a list that can't be had for now says nothing of its pages.
        """
        waiting = list(addresses)
        seen = set(waiting)
        pages: list[str] = []
        troubles: list[SourceError] = []
        for address in waiting:
            try:
                found = await self._read_list(address)
            except (SourceDenied, SourceMisbehaves) as error:
                troubles.append(error)
                continue
            pages += found.pages
            more = [each for each in dict.fromkeys(found.lists) if each not in seen]
            if len(seen) + len(more) > _MOST_LISTS:
                troubles.append(
                    SourceMisbehaves(f"{address!r} names lists without end; the first {_MOST_LISTS} are read.")
                )
                more = more[: max(0, _MOST_LISTS - len(seen))]
            seen.update(more)
            waiting += more
        return pages, troubles

    async def aclose(self) -> None:
        """Stop what is still asked."""
        for task in self._robots.values():
            task.cancel()
        await asyncio.gather(*self._robots.values(), return_exceptions=True)

    async def _read_robots(self, origin: URL) -> Robots:
        try:
            reply = await self._client.get(str(origin / "robots.txt"))
        except (SourceDenied, SourceMisbehaves):
            return Robots()  # RFC 9309, section 2.3.1.3: a site that keeps its rules to itself has none
        except Unreadable as error:
            raise SourceMisbehaves(str(error)) from error
        return Robots(reply.body if reply.status == _FOUND else b"")

    async def _read_list(self, address: str) -> Sitemap:
        try:
            reply = await self._client.get(address)
        except Unreadable as error:
            raise SourceMisbehaves(str(error)) from error
        if reply.status != _FOUND:
            raise SourceMisbehaves(f"The sitemap {address!r} answered {reply.status}. Mend its address, or set `mode`.")
        return await asyncio.to_thread(read_sitemap, reply.body, place=address)


def is_list(url: URL) -> bool:
    """Whether an address is that of a sitemap rather than of a page."""
    return url.raw_path.lower().endswith(_LIST_SUFFIXES)
