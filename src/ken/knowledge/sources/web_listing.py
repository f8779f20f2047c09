"""One listing of a site: page after page in the order of their links, or those that its own lists name."""

from __future__ import annotations

import asyncio
import codecs
import hashlib
from collections import deque
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, field
from typing import Literal

from yarl import URL

from ken.errors import KenError, SourceDenied, SourceDown, SourceError, SourceMisbehaves, Unreadable
from ken.knowledge.sources.client import Reply
from ken.knowledge.sources.patterns import PathPatterns
from ken.knowledge.sources.source import Change, Complete, Gone, Listed, Unlisted
from ken.knowledge.sources.spool import Spool
from ken.knowledge.sources.web_memory import Remembered, SiteMemory, read_memory
from ken.knowledge.sources.web_page import PageSigns, read_signs
from ken.knowledge.sources.web_paths import (
    HTML,
    format_of,
    host_of,
    is_foreign,
    is_trap,
    leads_to_sign_in,
    named_hosts,
    normalised,
    path_of,
    wanted_path,
)
from ken.knowledge.sources.web_site import PoliteSite, is_list

AT_ONCE = 4
"""Requests under way to a site that asks for no delay."""
_FOUND, _UNCHANGED = 200, 304
_VANISHED = frozenset({404, 410})
_FAILURES_IN_A_ROW = 5
_BOM = codecs.BOM_UTF8


@dataclass(frozen=True, slots=True, kw_only=True)
class WebScope:
    """Which part of the web is a source."""

    mode: Literal["auto", "sitemap", "crawl"] = "auto"
    """`sitemap`: what the site's own lists name; `crawl`: what its links lead to; `auto`: the first where there is one."""
    max_depth: int = 20
    """Links from a start; no page further away is asked for."""
    max_pages: int = 10_000
    """Addresses asked for at most."""
    hosts: tuple[str, ...] = ()
    """Further hosts that belong to it, as in `docs.example.org` or `localhost:8080`; those of the starts always do."""
    include: tuple[str, ...] = ()
    """Patterns (patterns.py) of the paths of addresses; nothing means everything. Starts are read for their links anyway."""
    exclude: tuple[str, ...] = ()
    spool_bytes: int = 1_000_000_000
    """Disk for pages that were listed and not yet fetched; what has no room is asked for twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Visit:
    """What came of one address."""

    url: URL
    """As it was asked for."""
    depth: int
    trouble: KenError | None = None
    is_forbidden: bool = False
    """By robots.txt."""
    reply: Reply | None = None
    final: URL | None = None
    """Where it led."""
    kind: str | None = None
    """Media type."""
    signs: PageSigns = field(default_factory=PageSigns)


class WebListing:
    """Lists a site once. What it reads waits in `spool` by `Listed.key`: the address, and the page's own where they differ."""

    def __init__(
        self, starts: tuple[URL, ...], cursor: str | None, *, scope: WebScope, site: PoliteSite, spool: Spool
    ) -> None:
        self._starts = starts
        self._scope = scope
        self._site = site
        self._spool = spool
        self._patterns = patterns_of(scope)
        self._home = host_of(starts[0])
        self._hosts = {host_of(url) for url in (*starts, *named_hosts(scope.hosts))}
        fingerprint = hashlib.sha256(repr((starts, scope)).encode()).hexdigest()
        known = read_memory(cursor)
        self._before = known if known.scope == fingerprint else SiteMemory()
        self._after = SiteMemory(scope=fingerprint)
        self._queue: deque[tuple[URL, int]] = deque()
        self._seen: set[URL] = set()
        self._paths: set[str] = set()
        self._vanished: set[str] = set()
        self._beyond: URL | None = None
        self._left_out: dict[str, dict[URL, None]] = {}
        self._failures = 0
        self._is_whole = True

    async def changes(self) -> AsyncGenerator[Change]:
        """What there is. Raises SourceDown, SourceDenied, SourceMisbehaves where a start can't be read, or nothing more."""
        for change in await self._begin():
            yield change
        visits = self._visits()
        try:
            async for visit in visits:
                for change in self._taken(visit):
                    yield change
                if self._failures >= _FAILURES_IN_A_ROW:
                    await self._probe()
        finally:
            await visits.aclose()
        for change in self._end():
            yield change

    async def _begin(self) -> list[Change]:
        """Fill the queue. Returns what is wrong with starts and the site's lists."""
        allowed = [start for start in self._starts if await self._site.allows(start)]
        closed = [Unlisted(self._guessed_path(start), _closed(start)) for start in self._starts if start not in allowed]
        if not allowed:
            raise SourceDenied(_closed(self._starts[0]))
        lists = [start for start in allowed if is_list(start)]
        if self._scope.mode != "crawl" or lists:
            candidates = allowed if self._scope.mode != "crawl" else lists
            named = [address for start in candidates for address in await self._site.named_lists(start)]
            pages, troubles = await self._site.read_lists(dict.fromkeys(named))
            if pages or self._scope.mode == "sitemap" or lists or self._before.by_sitemap:
                return [*closed, *self._begin_with(pages, troubles)]
        for start in allowed:
            self._queue_up(start, 0)
        return [*closed]

    def _begin_with(self, pages: list[str], troubles: list[SourceError]) -> list[Change]:
        self._after.by_sitemap = True
        found = [url for page in pages if (url := normalised(page)) is not None and host_of(url) in self._hosts]
        if not found:
            trouble = f" ({troubles[0]})" if troubles else ""
            raise SourceMisbehaves(
                f"The sitemap of {self._home!r} names no page of {', '.join(sorted(self._hosts))}{trouble}. "
                'Name the hosts of its pages in `hosts`, or set `mode = "crawl"`.'
            )
        for url in found:
            if is_foreign(url):
                self._leave_out(url, "address ends like no format that Ken reads")
            elif self._patterns.admit(wanted_path(url)):
                self._queue_up(url, 0)
        self._is_whole = not troubles
        return [Unlisted("sitemap.xml", str(trouble)) for trouble in troubles]

    async def _visits(self) -> AsyncGenerator[_Visit]:
        """Visit what is queued, some at once, in the order of the queue."""
        under_way: deque[asyncio.Task[_Visit]] = deque()
        asked = 0
        try:
            while self._queue or under_way:
                while self._queue and len(under_way) < AT_ONCE and asked < self._scope.max_pages:
                    under_way.append(asyncio.create_task(self._visit(*self._queue.popleft())))
                    asked += 1
                if not under_way:
                    self._beyond = self._queue[0][0]
                    return
                yield await under_way.popleft()
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    async def _visit(self, url: URL, depth: int) -> _Visit:
        known = self._before.pages.get(str(url))
        try:
            if not await self._site.allows(url):
                return _Visit(url=url, depth=depth, is_forbidden=True)
            reply = await self._site.get(url, etag=known.etag if known else "")
            final = normalised(reply.url)
            if final is None or (leads_to_sign_in(final) and not leads_to_sign_in(url)):
                raise _led_astray(url, reply.url)
            if final != url and host_of(final) in self._hosts and not await self._site.allows(final):
                return _Visit(url=url, depth=depth, is_forbidden=True)
        except (SourceDown, SourceDenied, SourceMisbehaves, Unreadable) as error:
            return _Visit(url=url, depth=depth, trouble=error)
        kind = format_of(final, reply.headers.get("content-type", ""))
        signs = await asyncio.to_thread(_signs, reply, kind)
        return _Visit(url=url, depth=depth, reply=reply, final=final, kind=kind, signs=signs)

    def _taken(self, visit: _Visit) -> Iterator[Change]:
        """What a visit means for the collection, and for where to go next."""
        known = self._before.pages.get(str(visit.url))
        if visit.is_forbidden:
            return
        if visit.reply is None or visit.final is None:
            yield self._failed(visit, known)
            return
        self._failures = 0
        status = visit.reply.status
        if status == _UNCHANGED and known is not None:
            yield from self._unchanged(visit, known)
        elif status in _VANISHED and not self._is_start(visit):
            self._vanished.add(known.path if known else self._guessed_path(visit.url))
        elif status != _FOUND:
            trouble = SourceMisbehaves(f"{str(visit.url)!r} answered {status}. Look at it in a browser.")
            yield self._failed(_Visit(url=visit.url, depth=visit.depth, trouble=trouble), known)
        elif self._is_new(visit, visit.final):
            yield from self._read(visit, visit.final, visit.reply)

    def _is_start(self, visit: _Visit) -> bool:
        return visit.depth == 0 and not self._after.by_sitemap

    def _failed(self, visit: _Visit, known: Remembered | None) -> Change:
        """Report a page that can't be read; what it led to when it could is looked at nevertheless."""
        trouble = visit.trouble or KenError()
        is_asked_to_wait = isinstance(trouble, SourceDown) and trouble.retry_after_s is not None
        if is_asked_to_wait or self._is_start(visit):
            raise trouble
        self._failures += isinstance(trouble, SourceDown | SourceDenied)
        if known is not None:
            self._after.pages[str(visit.url)] = known
            self._follow(known.links, visit.depth)
        elif self._before.is_empty and not self._after.by_sitemap:
            self._is_whole = False  # what it leads to may be in the collection
        return Unlisted(known.path if known and known.path else self._guessed_path(visit.url), str(trouble))

    def _unchanged(self, visit: _Visit, known: Remembered) -> Iterator[Change]:
        self._after.pages[str(visit.url)] = known
        self._follow(known.links, visit.depth)
        if known.path and known.path not in self._paths:
            self._paths.add(known.path)
            yield Listed(path=known.path, key=known.key, stamp=known.stamp)

    def _is_new(self, visit: _Visit, final: URL) -> bool:
        """Whether a page belongs to the site and wasn't met at another address before."""
        if final == visit.url:
            return True
        if host_of(final) not in self._hosts:
            if not self._is_start(visit):
                return False
            self._hosts.add(host_of(final))
            if visit.url == self._starts[0]:
                self._home = host_of(final)
        is_met = final in self._seen
        self._seen.add(final)
        return not is_met

    def _read(self, visit: _Visit, final: URL, reply: Reply) -> Iterator[Change]:
        if visit.kind is None:
            said = reply.headers.get("content-type", "")[:100] or "nothing about its format"
            yield Unlisted(self._guessed_path(final), f"Ken doesn't read what it is: {said}.", is_foreign=True)
            return
        links = self._onward(visit.signs, final)
        self._follow(links, visit.depth)
        address = self._own_address(visit.signs, final)
        path = path_of(address, visit.kind, home=self._home)
        is_listed = visit.signs.is_indexed and self._patterns.admit(wanted_path(address))
        data = body_of(reply, visit.kind)
        stamp = hashlib.sha256(data).hexdigest()
        key = " ".join(dict.fromkeys((str(final), str(address))))
        self._after.pages[str(visit.url)] = Remembered(
            etag=reply.headers.get("etag", ""),
            stamp=stamp,
            path=path if is_listed else "",
            key=key,
            links=links,
        )
        if is_listed and path not in self._paths:
            self._paths.add(path)
            self._spool.keep(key, data)
            yield Listed(path=path, key=key, stamp=stamp, is_digest=True, size=len(data))

    def _own_address(self, signs: PageSigns, final: URL) -> URL:
        """The address that a page calls its own. Of another host, or of the home page from elsewhere, it is a slip."""
        own = normalised(signs.canonical, relative_to=final) if signs.canonical else None
        if own is None or host_of(own) not in self._hosts or is_trap(own) or own.raw_path == "/" != final.raw_path:
            return final
        return own

    def _onward(self, signs: PageSigns, final: URL) -> tuple[str, ...]:
        """The addresses of the site that a page leads to, each once."""
        base = (normalised(signs.base, relative_to=final) if signs.base else None) or final
        found = (normalised(link, relative_to=base) for link in signs.links)
        return tuple(dict.fromkeys(str(url) for url in found if url is not None and host_of(url) in self._hosts))

    def _follow(self, links: tuple[str, ...], depth: int) -> None:
        if self._after.by_sitemap:
            return
        for link in links:
            url = URL(link, encoded=True)
            if url in self._seen or is_foreign(url) or not self._patterns.admit(wanted_path(url)):
                continue
            if is_trap(url):
                self._leave_out(url, "address looks made by a page that leads ever deeper into itself")
            elif depth >= self._scope.max_depth:
                self._leave_out(url, "address lies further from the start than `max_depth`")
            else:
                self._queue_up(url, depth + 1)

    def _leave_out(self, url: URL, reason: str) -> None:
        urls = self._left_out.setdefault(reason, {})
        if len(urls) < self._scope.max_pages:
            urls[url] = None

    def _queue_up(self, url: URL, depth: int) -> None:
        """Queue an address; beyond the limit none needs to be known."""
        if len(self._seen) > self._scope.max_pages:
            self._beyond = self._beyond or url
        elif url not in self._seen:
            self._seen.add(url)
            self._queue.append((url, depth))

    def _guessed_path(self, url: URL) -> str:
        return path_of(url, format_of(url, "") or HTML, home=self._home)

    async def _probe(self) -> None:
        """Ask for a start again: where that fails too, it is the site that fails, and not its pages. Raises as get does."""
        await self._site.get(self._starts[0])
        self._failures = 0

    def _end(self) -> Iterator[Change]:
        if self._beyond is not None:
            self._is_whole = False
            yield Unlisted(
                self._guessed_path(self._beyond),
                f"The site goes on after {self._scope.max_pages} pages, where Ken stopped: raise `max_pages`, "
                "or name what is wanted in `include`. Nothing is deleted until it is listed whole.",
            )
        for reason, urls in self._left_out.items():
            count = f"This {reason}" if len(urls) == 1 else f"This and {len(urls) - 1} more: the {reason}"
            yield Unlisted(self._guessed_path(next(iter(urls))), f"{count}. Nothing was asked there.", is_foreign=True)
        if not self._is_whole:
            yield from (Gone(path) for path in sorted(self._vanished - self._paths))
        yield Complete(cursor=self._after.written(), is_whole=self._is_whole)


def patterns_of(scope: WebScope) -> PathPatterns:
    """Which paths are wanted. Raises InvalidInput."""
    return PathPatterns(scope.include, scope.exclude)


def body_of(reply: Reply, kind: str) -> bytes:
    """The body, in UTF-8 with a mark where the server names another encoding: a page by itself couldn't tell."""
    if not kind.startswith("text/") or reply.body.startswith((_BOM, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return reply.body
    try:
        charset = codecs.lookup(_charset(reply)).name
        return reply.body if charset == "utf-8" else _BOM + reply.body.decode(charset).encode()
    except (LookupError, UnicodeError, ValueError):
        return reply.body


def _charset(reply: Reply) -> str:
    _, _, named = reply.headers.get("content-type", "").lower().partition("charset=")
    named = named.partition(";")[0].strip(" \"'")
    # As browsers do: Latin-1 is read as the Windows code page that contains it.
    return "cp1252" if named in {"iso-8859-1", "latin-1", "latin1", "us-ascii", "ascii"} else named or "utf-8"


def _closed(start: URL) -> str:
    return (
        f"The robots.txt of {host_of(start)!r} doesn't let Ken read {str(start.with_query(None))!r}. "
        "Ask for a rule for the user agent 'Ken', or for another way to the documents."
    )


def _led_astray(url: URL, place: str) -> SourceError:
    final = normalised(place)
    if final is None:
        return SourceMisbehaves(f"{str(url)!r} leads to an address that can't be used.")
    return SourceDenied(
        f"{str(url)!r} leads to {str(final.with_query(None))!r}, where people sign in, which Ken can't do. "
        "Open the page to Ken's machine, or connect what is behind it as a source of its own kind."
    )


def _signs(reply: Reply, kind: str | None) -> PageSigns:
    headers = reply.headers
    text = body_of(reply, HTML).decode("utf-8", errors="replace") if kind == HTML else ""
    return read_signs(text, robots_header=headers.get("x-robots-tag", ""), link_header=headers.get("link", ""))
