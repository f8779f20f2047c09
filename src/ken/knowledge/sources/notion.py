"""Notion as a source: the pages that an integration may see, and the rows of its databases, each a document.

Interface version 2025-09-03, https://developers.notion.com/reference/intro. Two of its ways shape this file:

- Its search is no inventory: it "is not guaranteed to return everything". So the rows of databases are asked for there; the
  first listing also goes through every page to the pages in it; and the cursor remembers what was listed, so that a page
  that the search leaves out later is looked up before it counts as gone.
- `last_edited_time` is cut to the minute. It is a stamp only once that minute is over by the server's own clock; until then a
  page has none, and is read again at the next sync. What Notion itself changes without an edit (copies of synced blocks,
  rollups, names of people) comes with the page's next edit.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from uuid import UUID

from ken.domain.document import Metadata
from ken.errors import InvalidInput, SourceDenied, SourceMisbehaves, Unreadable
from ken.knowledge.sources.client import Client, ClientLimits, Reply
from ken.knowledge.sources.notion_blocks import NotionBlock, page_markdown, page_properties, page_title
from ken.knowledge.sources.paging import Paging
from ken.knowledge.sources.rest import RestServer
from ken.knowledge.sources.shapes import Fields, at, day, fields, listed, promised_list, text
from ken.knowledge.sources.source import Change, Complete, Fetched, Listed

_VERSION = "2025-09-03"
_AT_ONCE = 100
_REQUESTS_PER_S = 3
"""What an integration may ask on average."""
_DEEPEST = 30
_MOST_BLOCKS = 50_000
_KEPT_BLOCKS = 50_000
"""Of pages that were gone through, so that few are read once more."""
_HALF_A_MINUTE = dt.timedelta(seconds=30)
"""How far the servers' clocks may be apart."""
_ID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}(?![0-9a-f])", re.IGNORECASE)
_PLURALS = {"page_id": "pages", "database_id": "databases", "data_source_id": "data_sources", "block_id": "blocks"}
_OWN_DOCUMENTS = {"child_page": "pages", "child_database": "databases"}

Parent = tuple[str, str]
"""The type of a parent, as `page_id`, and its id."""


@dataclass(frozen=True, slots=True)
class _Page:
    """A page as it was listed."""

    id: str
    edited: str
    parent: Parent | None
    database: str
    """Of a row."""


@dataclass(slots=True)
class _Inventory:
    """What one listing has found so far."""

    clock: dt.datetime | None = None
    """The server's, when the listing began."""
    pages: dict[str, _Page] = field(default_factory=dict[str, _Page])
    parents: dict[str, Parent | None] = field(default_factory=dict[str, Parent | None])
    sources: list[str] = field(default_factory=list[str])

    def take(self, found: Fields) -> None:
        """Add a page, a data source or a database that the server told of."""
        found_id = _uuid(text(found, "id"))
        parent = _parent(found)
        self.parents[found_id] = parent
        match text(found, "object"):
            case "page" if not _is_gone(found):
                database = text(found, "parent", "database_id") or text(found, "parent", "data_source_id")
                self.pages[found_id] = _Page(found_id, text(found, "last_edited_time"), parent, database)
            case "data_source" if not _is_gone(found):
                self.sources.append(found_id)
                if parent is not None:
                    self.parents[parent[1]] = _parent(found, "database_parent")
            case "database":
                for source in listed(found, "data_sources"):
                    self.sources.append(_uuid(text(source, "id")))
                    self.parents[self.sources[-1]] = ("database_id", found_id)
            case _:
                pass


class NotionConnector:
    """The pages of a Notion workspace that an integration was connected with. Every listing is whole.

    `roots` are pages or databases, by id or address: with them, only what lies below is taken. Notion doesn't say who may
    read a page, so a document has the groups of its collection or of rules by path: rows lie in `databases/<id>/`, other
    pages in `pages/`. Raises InvalidInput for a root without an id.
    """

    def __init__(
        self,
        token: str,
        *,
        roots: tuple[str, ...] = (),
        base_url: str = "https://api.notion.com",
        allowed_hosts: frozenset[str] = frozenset(),
        limits: ClientLimits | None = None,
    ) -> None:
        self._roots = tuple(_root(root) for root in roots)
        limits = limits or ClientLimits()
        self._client = Client(
            allowed_hosts=allowed_hosts,
            headers={"authorization": f"Bearer {token}", "notion-version": _VERSION},
            limits=replace(limits, requests_per_s=limits.requests_per_s or _REQUESTS_PER_S),
        )
        self._server = RestServer(base_url, client=self._client)
        self._kept: dict[str, tuple[NotionBlock, ...]] = {}

    @property
    def location(self) -> str:
        """The address, with the number of roots where there are any."""
        below = f" below {', '.join(self._roots)}" if self._roots else ""
        return f"{self._server.location}{below}"

    @property
    def concurrency(self) -> int:
        """Three, as many as Notion wants to be asked in a second."""
        return 3

    async def changes(self, cursor: str | None) -> AsyncIterator[Change]:
        """List all pages. Raises SourceDenied where none of those that there were can be seen: then it is the integration."""
        known, told = _remembered(cursor), set[str]()
        inventory = await self._inventory()
        self._kept.clear()
        if not known:
            async for page in self._gone_through(inventory):
                told.add(page.id)
                yield _listed(page, inventory)
        seen = len(inventory.pages)
        for missing in sorted(known - inventory.pages.keys()):
            if found := fields(await self._server.get(f"/v1/pages/{missing}")):
                inventory.take(found)
                seen += 1
        if known and not seen:
            raise SourceDenied(
                "Notion shows this integration none of the pages that it showed before. Nothing was deleted. Connect the "
                "integration with its pages again, or remove the source if they are really gone."
            )
        for page_id in list(inventory.pages):
            await self._is_below(page_id, "page_id", inventory)  # which takes the pages on the way that nobody told of
        pages = [page for page in inventory.pages.values() if await self._is_below(page.id, "page_id", inventory)]
        for page in sorted(pages, key=lambda page: page.id):
            if page.id not in told:
                yield _listed(page, inventory)
        yield Complete(cursor=_remember(page.id for page in pages))

    async def _inventory(self) -> _Inventory:
        """What the search tells of, the roots, and the rows of every database among them."""
        inventory = _Inventory()
        for kind in ("page", "data_source"):
            async for found in self._search(kind, inventory):
                inventory.take(found)
        for root in self._roots:
            await self._take_root(root, inventory)
        parents = [page.parent for page in inventory.pages.values() if page.parent is not None]
        sources = [*inventory.sources, *(parent for kind, parent in parents if kind == "data_source_id")]
        for source in dict.fromkeys(sources):
            if await self._is_below(source, "data_source_id", inventory):
                async for row in self._rows(source):
                    inventory.take(row)
        return inventory

    async def _gone_through(self, inventory: _Inventory) -> AsyncIterator[_Page]:
        """Each page that is taken, once the pages and databases in it that nobody told of are added."""
        waiting, done, budget = list(inventory.pages), set[str](), _KEPT_BLOCKS
        while waiting:
            page, before = waiting.pop(), set(inventory.pages)
            if page in done or not await self._is_below(page, "page_id", inventory):
                continue
            done.add(page)
            try:
                blocks = await self._blocks(page, budget=[_MOST_BLOCKS], depth=0)
            except Unreadable:
                pass  # which is told when it is fetched
            else:
                budget -= len(inner := list(_inner(blocks)))
                if budget > 0:
                    self._kept[page] = blocks
                for block in inner:
                    await self._take_inner(block, inventory)
            waiting += inventory.pages.keys() - before
            yield inventory.pages[page]

    async def _take_inner(self, block: NotionBlock, inventory: _Inventory) -> None:
        """Add what a block stands for, if it stands for a page or database."""
        plural = _OWN_DOCUMENTS.get(block.kind)
        if plural is None or not block.id or _uuid(block.id) in inventory.parents:
            return
        found = fields(await self._server.get(f"/v1/{plural}/{block.id}"))
        if found:
            inventory.take(found)
        for source in listed(found, "data_sources"):
            async for row in self._rows(_uuid(text(source, "id"))):
                inventory.take(row)

    async def _search(self, kind: str, inventory: _Inventory) -> AsyncIterator[Fields]:
        asked: dict[str, object] = {
            "filter": {"property": "object", "value": kind},
            "sort": {"direction": "ascending", "timestamp": "last_edited_time"},
        }
        async for reply, results in self._posted("/v1/search", asked):
            inventory.clock = inventory.clock or _clock(reply)
            for found in results:
                yield found

    async def _rows(self, source: str) -> AsyncIterator[Fields]:
        """The rows of a data source; none where only single rows of it are shared with us, which the search tells of."""
        async for _, results in self._posted(f"/v1/data_sources/{source}/query", {}, is_needed=False):
            for found in results:
                yield found

    async def _posted(
        self, place: str, asked: dict[str, object], *, is_needed: bool = True
    ) -> AsyncIterator[tuple[Reply, list[Fields]]]:
        paging, sent = Paging(repr(self._server.address(place))), {**asked, "page_size": _AT_ONCE}
        while True:
            reply = await self._server.post_reply(place, json=sent)
            if reply is None and not is_needed:
                return
            reply = self._server.there(reply, place)
            answer = reply.json()
            results = promised_list(answer, "results", url=reply.url)
            yield reply, results
            following = _following(answer, reply.url)
            if following is None:
                return
            paging.turn(following, [text(result, "id") for result in results])
            sent = {**sent, "start_cursor": following}

    async def _take_root(self, root: str, inventory: _Inventory) -> None:
        """Make sure of a root: the search may leave it out."""
        if root in inventory.parents:
            return
        for plural in ("pages", "databases", "data_sources"):
            if found := fields(await self._server.get(f"/v1/{plural}/{root}")):
                inventory.take(found)
                return
        raise SourceDenied(
            f"Notion shows this integration nothing with the id {root!r}. Connect the integration with that page or database "
            "(its menu, Connections), or mend `roots`. Nothing was deleted."
        )

    async def _is_below(self, found_id: str, kind: str, inventory: _Inventory) -> bool:
        """Whether it is a root or lies in one, through whatever pages, databases and blocks."""
        place: Parent | None = (kind, found_id)
        for _ in range(_DEEPEST if self._roots else 0):
            if place is None or place[1] in self._roots:
                break
            kind, current = place
            if current not in inventory.parents:
                answer = await self._server.get(f"/v1/{_PLURALS[kind]}/{current}") if kind in _PLURALS else None
                inventory.parents[current] = None
                if fields(answer):
                    inventory.take(fields(answer))
            place = inventory.parents[current]
        return not self._roots or (place is not None and place[1] in self._roots)

    async def fetch(self, listed: Listed) -> Fetched:
        """Read one page with all its blocks, as Markdown."""
        page = fields(await self._server.get(f"/v1/pages/{listed.key}"))
        if not page or _is_gone(page):
            raise Unreadable(f"{listed.path!r} is no longer in Notion, or not shared with the integration. Sync again.")
        title = " ".join(page_title(page).split())
        is_row = text(page, "parent", "type") in {"database_id", "data_source_id"}
        blocks = self._kept.pop(listed.key, None)
        if blocks is None:
            blocks = await self._blocks(listed.key, budget=[_MOST_BLOCKS], depth=0)
        written = page_markdown(title, properties=page_properties(page) if is_row else (), blocks=blocks)
        url = text(page, "url")
        return Fetched(
            data=written.encode(errors="replace"),
            about=Metadata(title=title or None, modified=day(page, "last_edited_time")),
            url=url if url.startswith("https://") else None,
        )

    async def _blocks(self, parent: str, *, budget: list[int], depth: int) -> tuple[NotionBlock, ...]:
        """The blocks in a page or block. `budget` is how many may still come. Raises Unreadable where there are too many."""
        if depth > _DEEPEST:
            raise Unreadable(f"The page nests blocks deeper than {_DEEPEST} levels. Flatten it, or split it.")
        blocks: list[NotionBlock] = []
        async for found in self._children(parent):
            budget[0] -= 1
            if budget[0] < 0:
                raise Unreadable(f"The page has more than {_MOST_BLOCKS:,} blocks. Split it.")
            kind = text(found, "type")
            original = text(found, kind, "synced_from", "block_id")
            inside = original or text(found, "id")
            is_read = (at(found, "has_children") is True or bool(original)) and kind not in _OWN_DOCUMENTS
            children = await self._blocks(inside, budget=budget, depth=depth + 1) if is_read else ()
            blocks.append(NotionBlock(kind, fields(found, kind), children, text(found, "id")))
        return tuple(blocks)

    async def _children(self, parent: str) -> AsyncIterator[Fields]:
        """The blocks of one level; none where they aren't shared with us, as the originals of some synced blocks."""
        place, params = f"/v1/blocks/{_uuid(parent)}/children", {"page_size": str(_AT_ONCE)}
        paging = Paging(repr(self._server.address(place)))
        while (answer := await self._server.get(place, params=params)) is not None:
            results = promised_list(answer, "results", url=self._server.address(place))
            for found in results:
                if not _is_gone(found):
                    yield found
            following = _following(answer, place)
            if following is None:
                return
            paging.turn(following, [text(result, "id") for result in results])
            params["start_cursor"] = following

    async def permissions(self, listed: Listed) -> frozenset[str] | None:
        """None: Notion doesn't say who may read a page."""
        del listed
        return None

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _inner(blocks: Iterable[NotionBlock]) -> Iterator[NotionBlock]:
    """Blocks and the blocks in them."""
    for block in blocks:
        yield block
        yield from _inner(block.children)


def _following(answer: object, url: str) -> str | None:
    """The cursor of the next page, None at the end."""
    if at(answer, "has_more") is not True:
        return None
    following = text(answer, "next_cursor")
    if not following:
        raise SourceMisbehaves(f"{url!r} says that there is more, and not where. Nothing was deleted; sync again.")
    return following


def _is_gone(found: Fields) -> bool:
    return at(found, "archived") is True or at(found, "in_trash") is True


def _parent(found: Fields, key: str = "parent") -> Parent | None:
    kind = text(found, key, "type")
    above = text(found, key, kind)
    return (kind, _uuid(above)) if kind in _PLURALS and above else None


def _path(page: _Page) -> str:
    name = f"{UUID(page.id).hex}.md"
    is_row = page.parent is not None and page.parent[0] in {"database_id", "data_source_id"}
    return f"databases/{UUID(_uuid(page.database)).hex}/{name}" if is_row else f"pages/{name}"


def _listed(page: _Page, inventory: _Inventory) -> Listed:
    return Listed(path=_path(page), key=page.id, stamp=_stamp(page.edited, inventory.clock))


def _stamp(edited: str, clock: dt.datetime | None) -> str | None:
    try:
        over = dt.datetime.fromisoformat(edited) + dt.timedelta(minutes=1) + _HALF_A_MINUTE
    except ValueError:
        return None
    return edited if clock is not None and over.tzinfo is not None and over <= clock else None


def _clock(reply: Reply) -> dt.datetime | None:
    try:
        clock = parsedate_to_datetime(reply.headers.get("date", ""))
    except ValueError:
        return None
    return clock if clock.tzinfo is not None else clock.replace(tzinfo=dt.UTC)


def _uuid(written: str) -> str:
    """An id in its usual spelling. Raises SourceMisbehaves."""
    try:
        return str(UUID(written))
    except ValueError:
        raise SourceMisbehaves(
            f"Notion gives {written[:80]!r} for an id, which is none of its documented kind."
        ) from None


def _root(written: str) -> str:
    # Of an address, the path's last id is the page's; what follows `?` is a view.
    found = _ID.findall(written.partition("?")[0])
    if not found:
        raise InvalidInput(
            f"{written!r} is no page or database of Notion: copy its address from its menu.", param="roots"
        )
    return str(UUID(found[-1]))


def _remember(ids: Iterable[str]) -> str:
    """A cursor: the ids, 16 bytes each."""
    return base64.b64encode(b"".join(UUID(page_id).bytes for page_id in ids)).decode()


def _remembered(cursor: str | None) -> set[str]:
    try:
        ids = base64.b64decode(cursor or "", validate=True)
        return {str(UUID(bytes=ids[start : start + 16])) for start in range(0, len(ids), 16)}
    except (binascii.Error, ValueError):
        return set()
