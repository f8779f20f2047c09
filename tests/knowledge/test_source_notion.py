from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from email.utils import format_datetime
from uuid import UUID

import pytest
from aiohttp import web

from ken.errors import InvalidInput, SourceDenied, SourceDown, SourceMisbehaves, Unreadable
from ken.knowledge.sources.notion import NotionConnector
from ken.knowledge.sources.shapes import at, fields
from ken.knowledge.sources.source import Complete, Listed
from tests.knowledge.listings import HOSTS, PATIENT, answer, by_path, changes, until_error
from tests.knowledge.web_server import Server, serving

OLD = "2026-03-01T10:00:00.000Z"
NOW = dt.datetime(2026, 3, 2, 12, 0, 40, tzinfo=dt.UTC)


def uuid(number: int) -> str:
    """An id as Notion writes them."""
    return str(UUID(int=number))


def pages_path(number: int) -> str:
    return f"pages/{UUID(int=number).hex}.md"


def row_path(database: int, number: int) -> str:
    return f"databases/{UUID(int=database).hex}/{UUID(int=number).hex}.md"


def words(text: str) -> list[dict[str, object]]:
    return [{"type": "text", "plain_text": text, "annotations": {"code": False}}]


def paragraph(text: str, **told: object) -> dict[str, object]:
    return {"type": "paragraph", "paragraph": {"rich_text": words(text)}, **told}


@dataclass
class Workspace:
    """A workspace of Notion that an integration sees, answering in documented shapes."""

    objects: dict[int, dict[str, object]] = field(default_factory=dict)
    blocks: dict[int, list[dict[str, object]]] = field(default_factory=dict)
    """The children of a page or block."""
    unfound: set[int] = field(default_factory=set)
    """What the search leaves out."""
    interrupt: Callable[[web.Request], web.Response | None] = lambda _: None
    page_size: int = 2
    clock: dt.datetime = NOW
    bodies: list[dict[str, object]] = field(default_factory=list)

    def page(self, number: int, parent: dict[str, object] | None = None, **told: object) -> None:
        """A page, at the top of the workspace unless it has a parent."""
        title = {"id": "title", "type": "title", "title": words(f"Page {number}")}
        self.objects[number] = {
            "object": "page",
            "id": uuid(number),
            "last_edited_time": OLD,
            "archived": False,
            "in_trash": False,
            "parent": parent or {"type": "workspace", "workspace": True},
            "properties": {"Name": title},
            "url": f"https://www.notion.so/Page-{number}",
            **told,
        }

    def database(self, number: int, source: int, parent: dict[str, object] | None = None) -> None:
        """A database with one data source."""
        above = parent or {"type": "workspace", "workspace": True}
        sources = [{"id": uuid(source), "name": "All"}]
        self.objects[number] = {"object": "database", "id": uuid(number), "data_sources": sources, "parent": above}
        own = {"type": "database_id", "database_id": uuid(number)}
        self.objects[source] = {"object": "data_source", "id": uuid(source), "parent": own, "database_parent": above}

    def row(self, number: int, database: int, source: int, **properties: object) -> None:
        """A row of a data source."""
        parent = {"type": "data_source_id", "data_source_id": uuid(source), "database_id": uuid(database)}
        self.page(number, parent)
        self.objects[number]["properties"] = {**fields(self.objects[number], "properties"), **properties}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer as Notion does."""
        assert request.headers["authorization"] == "Bearer ntn_secret"
        assert request.headers["notion-version"] == "2025-09-03"
        interrupted = self.interrupt(request)
        if interrupted is not None:
            return interrupted
        parts = request.path.split("/")[2:]
        if parts == ["search"]:
            body = await request.json()
            self.bodies.append(body)
            found = [each for number, each in self.objects.items() if number not in self.unfound]
            return self._list(
                [each for each in found if each["object"] == body["filter"]["value"]], body.get("start_cursor")
            )
        if parts[-1] == "query":
            if UUID(parts[1]).int not in self.objects:
                return answer({"object": "error", "status": 404, "message": "none"}, 404)
            body = await request.json()
            rows = [each for each in self.objects.values() if at(each, "parent", "data_source_id") == parts[1]]
            return self._list(rows, body.get("start_cursor"))
        number = UUID(parts[1]).int
        if parts[-1] == "children" and (number in self.objects or number in self.blocks):
            return self._list(self.blocks.get(number, []), request.query.get("start_cursor"))
        found = self.objects.get(number)
        kinds = {"pages": "page", "databases": "database", "data_sources": "data_source", "blocks": "block"}
        if found is None or kinds[parts[0]] != found["object"]:
            return answer({"object": "error", "status": 404, "code": "object_not_found", "message": "none"}, 404)
        return answer(found)

    def _list(self, found: list[dict[str, object]], cursor: str | None) -> web.Response:
        start = int(cursor or 0)
        more = start + self.page_size < len(found)
        told = {"object": "list", "results": found[start : start + self.page_size], "has_more": more}
        following = str(start + self.page_size) if more else None
        return answer({**told, "next_cursor": following}, Date=format_datetime(self.clock, usegmt=True))


def inside(number: int) -> dict[str, object]:
    return {"type": "page_id", "page_id": uuid(number)}


@asynccontextmanager
async def connected(workspace: Workspace, *roots: str) -> AsyncIterator[tuple[NotionConnector, Server]]:
    """A connector to a workspace, and its server."""
    async with serving(workspace.handle) as server:
        connector = NotionConnector(
            "ntn_secret",
            roots=roots,
            base_url=server.url,
            allowed_hosts=HOSTS,
            limits=replace(PATIENT, requests_per_s=100_000),
        )
        try:
            yield connector, server
        finally:
            await connector.aclose()


def listed(number: int) -> Listed:
    """A page as an earlier sync listed it."""
    return Listed(path=pages_path(number), key=uuid(number))


async def test_a_workspace_is_listed_and_read() -> None:
    """Pages and rows of databases are listed over several pages of results, each read with its title, address and day."""
    workspace = Workspace()
    for number in range(1, 6):
        workspace.page(number)
    workspace.database(10, 11, inside(1))
    price = {"type": "number", "number": 12}
    workspace.row(20, 10, 11, Price=price)
    workspace.blocks = {2: [paragraph(f"p{number}", id=uuid(100 + number)) for number in range(5)]}
    async with connected(workspace) as (connector, _):
        found = await by_path(connector)
        assert set(found) == {*(pages_path(number) for number in range(1, 6)), row_path(10, 20)}
        assert {change.stamp for change in found.values()} == {OLD}
        fetched = await connector.fetch(found[pages_path(2)])
        assert fetched.data.decode() == "# Page 2\n\np0\n\np1\n\np2\n\np3\n\np4\n"
        assert (fetched.about.title, fetched.about.modified) == ("Page 2", "2026-03-01")
        assert fetched.url == "https://www.notion.so/Page-2"
        row = (await connector.fetch(found[row_path(10, 20)])).data.decode()
        assert row == "# Page 20\n\n| Property | Value |\n| --- | --- |\n| Price | 12 |\n"
        assert await connector.permissions(found[row_path(10, 20)]) is None


async def test_blocks_are_read_to_any_depth() -> None:
    """Blocks in blocks are read, copies of synced blocks from their original, pages inside a page not at all."""
    workspace = Workspace()
    workspace.page(1)
    item = {"type": "bulleted_list_item", "bulleted_list_item": {"rich_text": words("a")}}
    copy = {"type": "synced_block", "synced_block": {"synced_from": {"type": "block_id", "block_id": uuid(104)}}}
    foreign = {"type": "synced_block", "synced_block": {"synced_from": {"type": "block_id", "block_id": uuid(999)}}}
    workspace.blocks = {
        1: [
            {**item, "id": uuid(101), "has_children": True},
            {**copy, "id": uuid(103), "has_children": True},
            {**foreign, "id": uuid(105), "has_children": True},
            {"type": "child_page", "child_page": {"title": "Inner"}, "id": uuid(2), "has_children": True},
            paragraph("trashed", id=uuid(106), in_trash=True),
        ],
        101: [{**item, "id": uuid(102), "has_children": True}],
        102: [paragraph("deep", id=uuid(107))],
        104: [paragraph("synced", id=uuid(108))],
    }
    async with connected(workspace) as (connector, server):
        text = (await connector.fetch(listed(1))).data.decode()
    assert text == "# Page 1\n\n- a\n  - a\n\n    deep\n\nsynced\n\nInner\n"
    assert f"/v1/blocks/{uuid(2)}/children?page_size=100" not in server.paths


async def test_a_stamp_is_given_once_its_minute_is_over() -> None:
    """A page that may still change within the minute that its stamp names has none, by the server's clock alone."""
    workspace = Workspace()
    workspace.page(1, last_edited_time="2026-03-02T11:58:00.000Z")
    workspace.page(2, last_edited_time="2026-03-02T11:59:00.000Z")
    workspace.page(3, last_edited_time="2026-03-02T12:00:00.000Z")
    workspace.page(4, last_edited_time="2026-03-02T12:07:00.000Z")
    workspace.page(5, last_edited_time="soon")
    async with connected(workspace) as (connector, _):
        stamps = [change.stamp for _, change in sorted((await by_path(connector)).items())]
        assert stamps == ["2026-03-02T11:58:00.000Z", "2026-03-02T11:59:00.000Z", None, None, None]
        workspace.clock += dt.timedelta(minutes=1)
        stamps = [change.stamp for _, change in sorted((await by_path(connector)).items())]
        assert stamps[2:] == ["2026-03-02T12:00:00.000Z", None, None]


async def test_what_the_search_forgets_is_not_gone() -> None:
    """A page that was listed before is looked up when the search leaves it out; trashed and unshared ones are gone."""
    workspace = Workspace()
    for number in range(1, 7):
        workspace.page(number)
    async with connected(workspace) as (connector, _):
        cursor = (await changes(connector))[-1]
        assert isinstance(cursor, Complete)
        assert cursor.is_whole
        workspace.unfound = {2, 3, 4}
        workspace.objects[3]["in_trash"] = True
        del workspace.objects[4]
        workspace.objects[5]["archived"] = True
        assert sorted(await by_path(connector, cursor.cursor)) == [pages_path(1), pages_path(2), pages_path(6)]
        assert sorted(await by_path(connector, "no cursor of ours")) == [pages_path(1), pages_path(6)]


async def test_the_first_listing_goes_through_every_page() -> None:
    """Pages and databases that the search never told of are found in the pages that hold them, at any depth, and read once."""
    workspace = Workspace()
    workspace.page(1)
    workspace.page(2, inside(1))
    workspace.database(10, 11, inside(2))
    workspace.row(20, 10, 11)
    workspace.page(3, inside(20))
    workspace.page(9)
    workspace.unfound = {2, 3, 10, 11, 20}
    child = {"type": "child_page", "child_page": {"title": "x"}, "has_children": True}
    table = {"type": "child_database", "child_database": {"title": "x"}}
    toggle = {"type": "toggle", "toggle": {"rich_text": words("more")}, "has_children": True}
    workspace.blocks = {
        1: [{**toggle, "id": uuid(101)}],
        101: [{**child, "id": uuid(2)}, {**child, "id": uuid(77)}],
        2: [{**table, "id": uuid(10)}, {**table, "id": uuid(78)}],
        20: [{**child, "id": uuid(3)}, {**child, "id": uuid(1)}],
    }
    async with connected(workspace) as (connector, server):
        first = await changes(connector)
        found = {change.path: change for change in first if isinstance(change, Listed)}
        assert set(found) == {*(pages_path(number) for number in (1, 2, 3, 9)), row_path(10, 20)}
        asked = len(server.asked)
        assert (await connector.fetch(found[pages_path(1)])).data == b"# Page 1\n\nmore\n\nx\n\nx\n"
        assert len(server.asked) == asked + 1
        asked = len(server.asked)
        assert isinstance(first[-1], Complete)
        assert set(await by_path(connector, first[-1].cursor)) == set(found)
        assert not [path for path in server.paths[asked:] if "blocks" in path]
    async with connected(workspace, uuid(1)) as (connector, _):
        assert set(await by_path(connector)) == set(found) - {pages_path(9)}


async def test_rows_that_the_search_forgets_are_found_in_their_database() -> None:
    """Rows come from their data source, whether the search knows of that or of one of its rows."""
    workspace = Workspace()
    workspace.database(10, 11)
    for number in range(20, 25):
        workspace.row(number, 10, 11)
        workspace.unfound.add(number)
    async with connected(workspace) as (connector, _):
        rows = {row_path(10, number) for number in range(20, 25)}
        assert set(await by_path(connector)) == rows
        workspace.unfound = {10, 11, *range(21, 25)}
        assert set(await by_path(connector)) == rows
        del workspace.objects[11]
        assert set(await by_path(connector)) == {row_path(10, 20)}


async def test_roots_bound_what_is_taken() -> None:
    """With roots, only they and what lies in them is listed: through pages, databases, and blocks; also roots unknown to the search."""
    workspace = Workspace()
    workspace.page(1)
    workspace.page(2, inside(1))
    workspace.objects[50] = {"object": "block", "id": uuid(50), "parent": inside(2)}
    workspace.page(3, {"type": "block_id", "block_id": uuid(50)})
    workspace.page(4)
    workspace.database(10, 11, inside(3))
    workspace.row(20, 10, 11)
    workspace.page(21, inside(20))
    workspace.database(12, 13)
    workspace.row(22, 12, 13)
    workspace.unfound = {2, 11, 13}
    below = {pages_path(2), pages_path(3), pages_path(21), row_path(10, 20)}
    async with connected(workspace, f"https://www.notion.so/acme/Page-Two-{UUID(int=2).hex}?pvs=4") as (connector, _):
        assert set(await by_path(connector)) == below
    async with connected(workspace, uuid(1)) as (connector, _):
        assert set(await by_path(connector)) == {*below, pages_path(1)}
    async with connected(workspace, uuid(12)) as (connector, _):
        assert set(await by_path(connector)) == {row_path(12, 22)}


@pytest.mark.parametrize("root", ["", "https://www.notion.so/acme", "My page"])
def test_a_root_without_an_id_is_refused(root: str) -> None:
    """The address of a workspace or a title names no page."""
    with pytest.raises(InvalidInput, match="no page or database"):
        NotionConnector("t", roots=(root,))


async def test_a_lost_integration_deletes_nothing() -> None:
    """A revoked token, a missing root and a workspace that shows nothing any more stop the listing."""
    workspace = Workspace()
    for number in range(1, 6):
        workspace.page(number)
    async with connected(workspace, uuid(1)) as (connector, _):
        del workspace.objects[1]
        found, error = await until_error(connector)
        assert isinstance(error, SourceDenied)
        assert found == []
    async with connected(workspace) as (connector, server):
        end = (await changes(connector))[-1]
        assert isinstance(end, Complete)
        asked = len(server.asked)
        workspace.interrupt = lambda _: answer({"code": "unauthorized"}, 401) if len(server.asked) > asked + 1 else None
        found, error = await until_error(connector, end.cursor)
        assert (type(error), found) == (SourceDenied, [])
        workspace.interrupt = lambda _: None
        workspace.objects.clear()
        found, error = await until_error(connector, end.cursor)
        assert (type(error), found) == (SourceDenied, [])
        assert "none of the pages" in str(error)


async def test_a_workspace_whose_last_page_was_trashed_is_empty() -> None:
    """Pages that are shown in the trash are gone for sure, even the last of them."""
    workspace = Workspace()
    workspace.page(1)
    async with connected(workspace) as (connector, _):
        end = (await changes(connector))[-1]
        assert isinstance(end, Complete)
        workspace.objects[1]["in_trash"] = True
        assert await changes(connector, end.cursor) == [Complete(cursor="", is_whole=True)]


def endless() -> Callable[[web.Request], web.Response]:
    """One result again and again, and always more."""
    numbers = itertools.count()
    result = {"object": "page", "id": uuid(1), "parent": {"type": "workspace"}, "last_edited_time": OLD}
    return lambda _: answer({"results": [result], "has_more": True, "next_cursor": str(next(numbers))})


BROKEN = {
    "a cursor that leads back": (
        lambda _: answer({"results": [], "has_more": True, "next_cursor": "1"}),
        "gave before",
    ),
    "cursors without end": (endless(), "without anything new"),
    "more without a cursor": (lambda _: answer({"results": [], "has_more": True, "next_cursor": None}), "not where"),
    "a web page": (lambda _: web.Response(text="<!doctype html><p>x", content_type="text/html"), "web page"),
    "broken JSON": (lambda _: web.Response(text='{"results": [', content_type="application/json"), "broken JSON"),
    "no list": (lambda _: answer({"object": "list"}), "without the list"),
    "an error": (lambda _: answer({"code": "validation_error", "message": "odd filter"}, 400), "odd filter"),
    "an odd id": (lambda _: answer({"results": [{"object": "page", "id": "../x"}], "has_more": False}), "no"),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_server_that_misbehaves_is_told_so(name: str) -> None:
    """Endless cursors, HTML for JSON and odd answers stop the listing before anything is deleted."""
    workspace = Workspace()
    respond, told = BROKEN[name]
    workspace.interrupt = respond
    async with connected(workspace) as (connector, _):
        found, error = await until_error(connector)
    assert isinstance(error, SourceMisbehaves)
    assert told in str(error)
    assert found == []


async def test_a_busy_server_is_waited_for() -> None:
    """429 with Retry-After is tried again; a wait of an hour is left to the next sync."""
    workspace = Workspace()
    workspace.page(1)
    refused: list[str] = []

    def busy(request: web.Request) -> web.Response | None:
        if refused:
            return None
        refused.append(request.path)
        return answer({"code": "rate_limited"}, 429, Retry_After="0")

    workspace.interrupt = busy
    async with connected(workspace) as (connector, _):
        assert list(await by_path(connector)) == [pages_path(1)]
        assert refused == ["/v1/search"]
        workspace.interrupt = lambda _: answer({"code": "rate_limited"}, 429, Retry_After="3600")
        _, error = await until_error(connector)
        assert isinstance(error, SourceDown)
        assert error.retry_after_s == 3600


async def test_pages_that_cannot_be_had_are_unreadable() -> None:
    """Deleted and trashed pages, and blocks that nest without end, fail alone."""
    workspace = Workspace()
    workspace.page(1, in_trash=True)
    workspace.page(2)
    workspace.blocks = {2: [paragraph("again", id=uuid(2), has_children=True)]}
    async with connected(workspace) as (connector, _):
        for number in (1, 9):
            with pytest.raises(Unreadable, match="no longer in Notion"):
                await connector.fetch(listed(number))
        with pytest.raises(Unreadable, match="deeper than"):
            await connector.fetch(listed(2))
