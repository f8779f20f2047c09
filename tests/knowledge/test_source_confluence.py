from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import unquote

import pytest
from aiohttp import web

from ken.domain.principal import Principal
from ken.errors import SourceDenied, SourceDown, SourceMisbehaves, Unreadable
from ken.knowledge.parse.html import parse_html
from ken.knowledge.sources.confluence import ConfluenceConnector, ConfluenceScope
from ken.knowledge.sources.source import Complete, Listed, Unlisted
from ken.storage.sources import Source
from tests.knowledge.homes import found, opened
from tests.knowledge.listings import HOSTS, PATIENT, answer, by_path, changes, until_error
from tests.knowledge.web_server import Server, serving

PAGE = 2
"""Results on a page of a listing."""


@dataclass
class Wiki:
    """A Confluence of one's own, answering in the shapes of Cloud or Data Center."""

    is_cloud: bool = True
    spaces: list[str] = field(default_factory=lambda: ["ENG"])
    contents: dict[str, dict[str, object]] = field(default_factory=dict)
    restrictions: dict[str, tuple[list[str], list[str]]] = field(default_factory=dict)
    """Users and groups by content."""
    members: dict[str, list[str]] = field(default_factory=dict)
    """Users by group."""
    files: dict[str, bytes] = field(default_factory=dict)
    interrupt: Callable[[web.Request], web.Response | None] = lambda _: None
    is_known: bool = True
    keys: set[str] = field(default_factory=set)

    def add(self, content_id: str, body: str = "<p>text</p>", **told: object) -> None:
        """A page of the first space, unless `told` says something else."""
        given = {"kind": "page", "space": "ENG", "title": f"Page {content_id}", "version": 1, "parent": None}
        self.contents[content_id] = {"id": content_id, "body": body, **given, **told}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer as Confluence does."""
        self.keys.add(request.headers.get("authorization", ""))
        interrupted = self.interrupt(request)
        if interrupted is not None:
            return interrupted
        place = request.path.removeprefix("/wiki")
        if place == "/rest/api/user/current":
            return answer({"type": "known" if self.is_known else "anonymous"})
        if place == "/rest/api/content/search":
            return self._search(request)
        if place.startswith("/rest/api/group/"):
            return self._members(place, request)
        if "/restriction/" in place:
            return self._restriction(place.split("/")[4], request)
        if place.startswith("/download/"):
            return web.Response(body=self.files[place])
        return self._cloud(place, request) if self.is_cloud else self._center(place, request)

    def _members(self, place: str, request: web.Request) -> web.Response:
        end = "/membersByGroupId" if self.is_cloud else "/member"
        assert place.endswith(end)
        name = unquote(place.removeprefix("/rest/api/group/").removesuffix(end)).removeprefix("id-")
        if name not in self.members:
            return answer({"message": "no"}, 403)
        start = int(request.query["start"])
        user = "accountId" if self.is_cloud else "username"
        told = [{"type": "known", user: member} for member in self.members[name][start : start + PAGE]]
        return answer({"results": told, "start": start, "limit": PAGE, "size": len(told)})

    def _search(self, request: web.Request) -> web.Response:
        ids = request.query["cql"].removeprefix("id in (").removesuffix(")").split(",")
        assert request.query["expand"] == "restrictions.read.restrictions.user,restrictions.read.restrictions.group"
        return answer({"results": [{"id": i, "restrictions": {"read": self._subjects(i, 0)}} for i in ids]})

    def _restriction(self, content_id: str, request: web.Request) -> web.Response:
        assert request.path.endswith("/restriction/byOperation/read")
        if content_id not in self.contents:
            return answer({"statusCode": 404, "message": "No content found"}, 404)
        return answer(self._subjects(content_id, int(request.query["start"])))

    def _subjects(self, content_id: str, start: int) -> dict[str, object]:
        users, groups = self.restrictions.get(content_id, ([], []))
        user = "accountId" if self.is_cloud else "username"
        told = {
            "user": [{"type": "known", user: name} for name in users[start : start + 200]],
            "group": [self._group(name) for name in groups[start : start + 200]],
        }
        pages = {
            kind: {"results": found, "start": start, "limit": 200, "size": len(found)} for kind, found in told.items()
        }
        return {"operation": "read", "restrictions": pages}

    def _group(self, name: str) -> dict[str, str]:
        return {"type": "group", "name": name, **({"id": f"id-{name}"} if self.is_cloud else {})}

    def _cloud(self, place: str, request: web.Request) -> web.Response:
        parts = place.removeprefix("/api/v2/").split("/")
        if parts == ["spaces"]:
            keys = request.query.get("keys")
            told = [{"id": f"9{number}", "key": key} for number, key in enumerate(self.spaces)]
            return self._page(request, [space for space in told if keys is None or space["key"] in keys.split(",")])
        if parts[0] == "spaces":
            space = self.spaces[int(parts[1][1:])]
            return self._page(request, [self._told(c) for c in self._of(space, parts[2].removesuffix("s"))])
        if parts == ["attachments"]:
            return self._page(request, [self._told(c) for c in self.contents.values() if c["kind"] == "attachment"])
        if len(parts) == 3:
            return self._page(
                request, [self._told(c) for c in self.contents.values() if c.get("container") == parts[1]]
            )
        found = self.contents.get(parts[1])
        if found is None:
            return answer({"errors": [{"status": 404, "code": "NOT_FOUND"}]}, 404)
        return answer(self._told(found, request.query.get("body-format")))

    def _of(self, space: str, kind: str) -> list[dict[str, object]]:
        return [c for c in self.contents.values() if (c["space"], c["kind"]) == (space, kind)]

    def _told(self, content: dict[str, object], body: str | None = None) -> dict[str, object]:
        told: dict[str, object] = {
            "id": content["id"],
            "status": content.get("status", "current"),
            "title": content["title"],
            "parentId": content["parent"],
            "parentType": "page" if content["parent"] else None,
            "version": {"number": content["version"], "createdAt": "2026-03-04T05:06:07.000Z"},
            "_links": {"webui": f"/spaces/ENG/pages/{content['id']}"},
        }
        if "container" in content:
            told |= {"fileSize": 5, "downloadLink": content.get("file", ""), "pageId": content["container"]}
        return told | ({"body": {body: {"representation": body, "value": content["body"]}}} if body else {})

    def _page(self, request: web.Request, found: list[dict[str, object]]) -> web.Response:
        start = int(request.query.get("cursor", "0"))
        links = {}
        if start + PAGE < len(found):
            links["next"] = f"{request.path}?limit=250&cursor={start + PAGE}"
        return answer({"results": found[start : start + PAGE], "_links": {**links, "base": "ignored"}})

    def _center(self, place: str, request: web.Request) -> web.Response:
        parts = place.removeprefix("/rest/api/").split("/")
        if parts == ["space"]:
            return self._offset(request, place, [{"id": 1, "key": key, "status": "current"} for key in self.spaces])
        if parts == ["content"]:
            found = self._of(request.query["spaceKey"], request.query["type"])
            return self._offset(request, place, [self._center_told(c) for c in found])
        if parts[2:] == ["child", "attachment"]:
            found = [c for c in self.contents.values() if c.get("container") == parts[1]]
            return self._offset(request, place, [self._center_told(c) for c in found])
        content = self.contents.get(parts[1])
        return answer({"message": "none"}, 404) if content is None else answer(self._center_told(content))

    def _center_told(self, content: dict[str, object]) -> dict[str, object]:
        parent = content["parent"]
        has_files = any(other.get("container") == content["id"] for other in self.contents.values())
        return {
            "id": content["id"],
            "type": content["kind"],
            "status": "current",
            "title": content["title"],
            "version": {"number": content["version"], "when": "2026-03-04T05:06:07.000+02:00"},
            "ancestors": [{"id": parent, "type": "page"}] if parent else [],
            "body": {"storage": {"value": content["body"], "representation": "storage"}},
            "childTypes": {"attachment": {"value": has_files}},
            "extensions": {"fileSize": 5},
            "_links": {"webui": f"/display/{content['id']}", "download": content.get("file", "")},
        }

    def _offset(self, request: web.Request, place: str, found: list[dict[str, object]]) -> web.Response:
        """A page by offset, whose next link leaves out the context path, as Data Center's do."""
        start = int(request.query.get("start", "0"))
        links = {"base": "ignored", "context": "/wiki"}
        if start + PAGE < len(found):
            kept = "&".join(f"{name}={value}" for name, value in request.query.items() if name != "start")
            links["next"] = f"{place}?{kept}&start={start + PAGE}"
        return answer({"results": found[start : start + PAGE], "start": start, "limit": PAGE, "_links": links})


@asynccontextmanager
async def connected(wiki: Wiki, **scope: object) -> AsyncIterator[tuple[ConfluenceConnector, Server]]:
    """A connector to `wiki`, and its server."""
    async with serving(wiki.handle) as server:
        connector = ConfluenceConnector(
            f"{server.url}/wiki/",
            "secret-token",
            email="ops@example.org" if wiki.is_cloud else None,
            scope=replace(ConfluenceScope(), **scope),  # pyright: ignore[reportArgumentType]
            allowed_hosts=HOSTS,
            limits=PATIENT,
        )
        try:
            yield connector, server
        finally:
            await connector.aclose()


def page(content_id: str, kind: str = "page") -> Listed:
    """A page as an earlier sync listed it."""
    return Listed(path=f"ENG/{content_id}.html", key=f"{kind}|ENG|{content_id}", stamp="storage/1")


@pytest.mark.parametrize("is_cloud", [True, False])
async def test_a_site_is_listed_page_by_page_and_read(is_cloud: bool) -> None:  # noqa: FBT001
    """Pages, blog posts and attachments of all spaces come with their versions; pages come as HTML with their address."""
    wiki = Wiki(is_cloud, spaces=["ENG", "~ann.b", "OPS"])
    for number in range(5):
        wiki.add(str(number), version=number + 1)
    wiki.add("20", kind="blogpost", title="News & more", body="<p>Hello <strong>all</strong>.</p>")
    wiki.add("30", space="~ann.b")
    wiki.add(
        "att7",
        kind="attachment",
        container="3",
        title="Plan.PDF",
        version=4,
        file="/download/attachments/3/Plan.PDF?v=4",
    )
    wiki.add("att8", kind="attachment", container="3", title="photo.png", file="/download/attachments/3/photo.png")
    wiki.files["/download/attachments/3/Plan.PDF"] = b"%PDF"
    async with connected(wiki) as (connector, server):
        found = await changes(connector)
        listed = {change.path: change for change in found if isinstance(change, Listed)}
        assert {path: change.stamp for path, change in listed.items()} == {
            **{f"ENG/{number}.html": f"storage/{number + 1}" for number in range(5)},
            "ENG/blog/20.html": "storage/1",
            "~ann%2Eb/30.html": "storage/1",
            "ENG/3/att7.pdf": "4",
        }
        assert [(c.path, c.is_foreign) for c in found if isinstance(c, Unlisted)] == [("ENG/3/att8", True)]
        assert found[-1] == Complete(cursor=None, is_whole=True)
        post = await connector.fetch(listed["ENG/blog/20.html"])
        parsed = parse_html(post.data, name="20.html")
        assert (parsed.metadata.title, parsed.text) == ("News & more", "Hello all.\n")
        where = "spaces/ENG/pages/20" if is_cloud else "display/20"
        assert (post.url, post.about.modified) == (f"{server.url}/wiki/{where}", "2026-03-04")
        plan = await connector.fetch(listed["ENG/3/att7.pdf"])
        assert (plan.data, plan.about.title) == (b"%PDF", "Plan.PDF")
    basic = f"Basic {base64.b64encode(b'ops@example.org:secret-token').decode()}"
    assert wiki.keys == {basic if is_cloud else "Bearer secret-token"}


async def test_the_scope_names_what_is_taken() -> None:
    """Named spaces alone, without blog posts and attachments, in the format that was asked for."""
    wiki = Wiki(spaces=["ENG", "OPS"])
    wiki.add("1")
    wiki.add("2", space="OPS", body="<p>one<p>two")
    wiki.add("3", kind="blogpost", space="OPS")
    wiki.add("4", kind="attachment", space="OPS", container="2", title="a.pdf")
    scope = {"spaces": ("OPS",), "blog_posts": False, "attachments": False, "body": "export_view"}
    async with connected(wiki, **scope) as (connector, server):
        found = await by_path(connector)
        assert list(found) == ["OPS/2.html"]
        assert found["OPS/2.html"].stamp == "export_view/1"
        assert b"<p>one</p>" in (await connector.fetch(found["OPS/2.html"])).data
    assert not [path for path in server.paths if "attachments" in path or "blogposts" in path]


@pytest.mark.parametrize("is_cloud", [True, False])
async def test_restrictions_become_groups(is_cloud: bool) -> None:  # noqa: FBT001
    """Groups and users of a page's restriction may read it; an unrestricted page says nothing; attachments follow their page."""
    wiki = Wiki(is_cloud)
    wiki.add("1")
    wiki.add("2")
    wiki.add("att3", kind="attachment", container="2", title="a.pdf")
    wiki.restrictions["2"] = (["u1"], ["finance", "legal team"])
    async with connected(wiki) as (connector, _):
        found = await by_path(connector)
        readers = frozenset({"user:u1", "finance", "legal team"})
        assert await connector.permissions(found["ENG/1.html"]) is None
        assert await connector.permissions(found["ENG/2.html"]) == readers
        assert await connector.permissions(found["ENG/2/att3.pdf"]) == readers


@pytest.mark.parametrize("is_listed", [True, False])
@pytest.mark.parametrize("is_cloud", [True, False])
async def test_restrictions_above_a_page_hold_for_it(is_cloud: bool, is_listed: bool) -> None:  # noqa: FBT001
    """A reader has to be named by each restriction from the top down, also where the pages above were not listed before."""
    wiki = Wiki(is_cloud)
    wiki.add("1")
    wiki.add("2", parent="1")
    wiki.add("3", parent="2")
    wiki.restrictions = {"1": (["u1", "u2"], ["staff"]), "3": (["u2", "u3"], ["staff", "guests"])}
    async with connected(wiki) as (connector, _):
        if is_listed:
            await changes(connector)
        assert await connector.permissions(page("2")) == {"user:u1", "user:u2", "staff"}
        assert await connector.permissions(page("3")) == {"user:u2", "staff"}
        wiki.restrictions["3"] = ([], ["guests"])
        await changes(connector)
        assert await connector.permissions(page("3")) == frozenset()


@pytest.mark.parametrize("is_cloud", [True, False])
async def test_a_user_may_be_named_through_a_group(is_cloud: bool) -> None:  # noqa: FBT001
    """A user whom one restriction names and another's group holds may read; groups without a name in common share users."""
    wiki = Wiki(is_cloud, members={"hr team": ["u1", "u2", "u3"], "board": ["u3", "u4"]})
    wiki.add("1")
    wiki.add("2", parent="1")
    async with connected(wiki) as (connector, server):

        async def readers(
            above: tuple[list[str], list[str]], below: tuple[list[str], list[str]]
        ) -> frozenset[str] | None:
            wiki.restrictions = {"1": above, "2": below}
            await changes(connector)
            return await connector.permissions(page("2"))

        assert await readers(([], ["hr team"]), (["u1", "u3", "u9"], [])) == {"user:u1", "user:u3"}
        assert await readers((["u4", "u1"], []), ([], ["board"])) == {"user:u4"}
        assert await readers(([], ["hr team"]), (["u2"], ["hr team"])) == {"user:u2", "hr team"}
        assert await readers(([], ["hr team"]), ([], ["board"])) == {"user:u3"}
        assert await readers(([], ["hr team"]), ([], ["secret"])) == frozenset()
        asked = len(server.asked)
        assert await readers((["u1"], ["hr team"]), (["u1"], ["hr team"])) == {"user:u1", "hr team"}
        assert not [path for path in server.paths[asked:] if "group/" in path]


@pytest.mark.parametrize("is_cloud", [True, False])
async def test_every_reader_counts_beyond_two_hundred(is_cloud: bool) -> None:  # noqa: FBT001
    """A restriction that names more readers than one answer holds is read to its end."""
    wiki = Wiki(is_cloud)
    wiki.add("1")
    wiki.restrictions["1"] = ([f"u{number}" for number in range(650)], [f"g{number}" for number in range(201)])
    async with connected(wiki) as (connector, _):
        found = await by_path(connector)
        readers = await connector.permissions(found["ENG/1.html"])
        assert readers == {f"user:u{number}" for number in range(650)} | {f"g{number}" for number in range(201)}


async def test_groups_of_confluence_have_no_meaning_of_ours() -> None:
    """A group that is called as everybody, as operators or as a user is called in Ken opens nothing to these."""
    wiki = Wiki()
    wiki.add("1")
    wiki.restrictions["1"] = ([], ["everyone", "operators", "user:u1", "group:a", "staff"])
    async with connected(wiki) as (connector, _):
        readers = {"group:everyone", "group:operators", "group:user:u1", "group:group:a", "staff"}
        assert await connector.permissions(page("1")) == readers


async def test_restricted_pages_are_found_by_their_readers_alone(home: Path) -> None:
    """Synced into a home, a page and its attachment are found by those whom the restrictions above it name, and no others."""
    wiki = Wiki(spaces=["~ann.b"])
    wiki.add("1", space="~ann.b", body="<p>The harbour opens at six.</p>")
    wiki.add("2", space="~ann.b", parent="1", title="Wages", body="<p>The harbour master earns a lot.</p>")
    wiki.add("3", space="~ann.b", parent="2", body="<p>The harbour pilot earns more.</p>")
    wiki.add("att4", kind="attachment", container="3", title="harbour.md", file="/download/harbour.md")
    wiki.files["/download/harbour.md"] = b"# Harbour\n\nThe harbour cook earns little.\n"
    wiki.restrictions = {"2": (["u1"], ["finance"]), "3": (["u1", "u2"], [])}
    source = Source(
        id="wiki", kind="confluence", location="", collection="wiki", default_groups=frozenset({"everyone"})
    )
    told = {"everybody": Principal("a"), "finance": Principal("f", frozenset({"finance"}))}
    told |= {name: Principal(name, frozenset({f"user:{name}"})) for name in ("u1", "u2")}
    async with connected(wiki) as (connector, _), opened(home) as ken:
        report = await ken.library.sync(source, connector)
        assert (report.added, report.problem, report.failures) == (4, "", [])
        seen = {name: set(await found(ken, "harbour", principal)) for name, principal in told.items()}
        top, wages, pilot = (f"~ann%2Eb/{number}.html" for number in (1, 2, 3))
        cook = "~ann%2Eb/3/att4.md"
        assert seen == {"everybody": {top}, "finance": {top, wages}, "u1": {top, wages, pilot, cook}, "u2": {top}}
        wiki.restrictions = {"1": ([], ["finance"])}
        report = await ken.library.sync(source, connector)
        assert (report.changed, report.unchanged) == (4, 0)
        assert set(await found(ken, "harbour", told["u1"])) == set()
        assert len(await found(ken, "harbour", told["finance"])) == 4


@pytest.mark.parametrize("is_cloud", [True, False])
async def test_attachments_of_a_named_space_are_those_of_its_pages(is_cloud: bool) -> None:  # noqa: FBT001
    """They are the same as in a listing of the whole site, without what other spaces hold; and are asked for where there are any."""
    wiki = Wiki(is_cloud, spaces=["ENG", "OPS"])
    for number in range(3):
        wiki.add(str(number))
        wiki.add(f"att{number}", kind="attachment", container="1", title=f"{number}.pdf")
    wiki.add("5", space="OPS")
    wiki.add("att5", kind="attachment", container="5", title="5.pdf")
    async with connected(wiki) as (connector, _):
        everything = await by_path(connector)
    async with connected(wiki, spaces=("ENG",)) as (connector, server):
        named = await by_path(connector)
    assert {path for path in everything if "att" in path} == {f"ENG/1/att{n}.pdf" for n in range(3)} | {
        "OPS/5/att5.pdf"
    }
    assert named == {path: listed for path, listed in everything.items() if path.startswith("ENG/")}
    assert len({request.path for request in server.asked if "attachment" in request.path}) == (3 if is_cloud else 1)


async def test_few_requests_tell_the_restrictions_of_many_pages() -> None:
    """The restrictions of a hundred pages take two requests, not a hundred."""
    wiki = Wiki()
    for number in range(100):
        wiki.add(str(number), parent=str(number - 1) if number % 10 else None)
    async with connected(wiki, attachments=False) as (connector, server):
        for listed in (await by_path(connector)).values():
            await connector.permissions(listed)
    assert len([path for path in server.paths if "restriction" in path]) == 2


async def test_readers_of_a_space_hold_beside_restrictions() -> None:
    """`space_groups` are the readers of unrestricted pages, and bound those of restricted ones."""
    wiki = Wiki()
    wiki.add("1")
    wiki.add("2")
    wiki.restrictions["2"] = (["u1"], ["guests"])
    groups = {"ENG": frozenset({"staff", "user:u1"}), "OPS": frozenset({"x"})}
    async with connected(wiki, space_groups=groups) as (connector, _):
        found = await by_path(connector)
        assert await connector.permissions(found["ENG/1.html"]) == {"staff", "user:u1"}
        assert await connector.permissions(found["ENG/2.html"]) == {"user:u1"}


CLOSED = {
    "refused": lambda _: answer({"message": "no"}, 403),
    "missing": lambda _: answer({"message": "none"}, 404),
    "without its lists": lambda _: answer({"operation": "read", "restrictions": {"user": {"results": []}}}),
    "nobody that has a name": lambda _: answer(
        {"restrictions": {"user": {"results": [{"type": "unknown"}], "limit": 200}, "group": {"results": []}}}
    ),
    "hidden readers": lambda _: answer(
        {"restrictions": {"user": {"results": [], "size": 3}, "group": {"results": [], "size": 0}}}
    ),
}


@pytest.mark.parametrize("name", CLOSED)
async def test_restrictions_that_cannot_be_read_close_the_page(name: str) -> None:
    """Where nobody can say who may read a page, nobody but operators may."""
    wiki = Wiki()
    wiki.add("1")
    wiki.interrupt = lambda request: (
        CLOSED[name](request) if "restriction" in request.path or "search" in request.path else None
    )
    async with connected(wiki) as (connector, _):
        found = await by_path(connector)
        assert await connector.permissions(found["ENG/1.html"]) == frozenset()


async def test_a_page_whose_parents_cannot_be_followed_is_closed() -> None:
    """Parents that are hidden, of an unknown kind or in a circle may be restricted, so nobody may read below them."""
    wiki = Wiki()
    wiki.add("1", parent="hidden")
    wiki.add("2", parent="3")
    wiki.add("3", parent="2")
    async with connected(wiki) as (connector, _):
        found = await by_path(connector)
        for path in found:
            assert await connector.permissions(found[path]) == frozenset()
        assert await connector.permissions(page("4", "shelf")) == frozenset()


async def test_a_key_that_is_lost_is_no_answer_about_a_page() -> None:
    """A refusal is an error, and closes no page, where the server has forgotten the token altogether."""
    wiki = Wiki()
    wiki.add("1")
    async with connected(wiki) as (connector, _):
        wiki.interrupt = lambda request: answer({}, 401) if "restriction" in request.path else None
        wiki.is_known = False
        with pytest.raises(SourceDenied, match="anonymous visitor"):
            await connector.permissions(page("1"))


async def test_a_token_that_expires_half_way_deletes_nothing() -> None:
    """A listing whose token loses its rights is never complete, neither by a refusal nor by being shown nothing more."""
    wiki = Wiki()
    for number in range(5):
        wiki.add(str(number))

    def refuse(request: web.Request) -> web.Response | None:
        return answer({"message": "Unauthorized"}, 401) if "cursor" in request.query else None

    def forget(request: web.Request) -> web.Response | None:
        if "cursor" in request.query:
            wiki.is_known = False
        return None if wiki.is_known or "user" in request.path else answer({"results": [], "_links": {}})

    for interrupt in (refuse, forget):
        wiki.interrupt = interrupt
        async with connected(wiki) as (connector, _):
            found, error = await until_error(connector)
        assert isinstance(error, SourceDenied)
        assert not any(isinstance(change, Complete) for change in found)


async def test_a_space_that_is_not_shown_keeps_its_documents() -> None:
    """A named space that the server leaves out is reported and not taken for an empty one."""
    wiki = Wiki()
    wiki.add("1")
    async with connected(wiki, spaces=("ENG", "HR")) as (connector, _):
        found = await changes(connector)
    assert [(change.path, change.is_foreign) for change in found if isinstance(change, Unlisted)] == [("HR", False)]
    assert isinstance(found[-1], Complete)


async def test_a_busy_server_is_waited_for() -> None:
    """429 with Retry-After is tried again; a wait of an hour is left to the next sync."""
    wiki = Wiki()
    wiki.add("1")
    refused: list[str] = []

    def busy(request: web.Request) -> web.Response | None:
        if request.path.endswith("/pages") and not refused:
            refused.append(request.path)
            return answer({}, 429, Retry_After="0")
        return None

    wiki.interrupt = busy
    async with connected(wiki) as (connector, _):
        assert list(await by_path(connector)) == ["ENG/1.html"]
        assert refused
        wiki.interrupt = lambda _: answer({}, 429, Retry_After="3600")
        _, error = await until_error(connector)
        assert isinstance(error, SourceDown)
        assert error.retry_after_s == 3600


BROKEN = {
    "a sign-in page": (lambda _: web.Response(text="<html>Log in</html>", content_type="text/html"), "web page"),
    "no list": (lambda _: answer({"message": "hello"}), "without the list"),
    "an error": (lambda _: answer({"message": "odd query"}, 400), "odd query"),
    "another server's page": (
        lambda _: answer({"results": [], "_links": {"next": "https://elsewhere.example/wiki/api/v2/spaces?cursor=1"}}),
        "another server",
    ),
    "the same page for ever": (lambda r: answer({"results": [], "_links": {"next": str(r.rel_url)}}), "gave before"),
    "new pages of the same for ever": (
        lambda r: answer(
            {"results": [], "_links": {"next": f"/wiki/api/v2/spaces?cursor={r.query.get('cursor', '')}1"}}
        ),
        "without anything new",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_server_that_misbehaves_is_told_so(name: str) -> None:
    """HTML for JSON, missing lists, foreign links and pages without end stop the listing before anything is deleted."""
    wiki = Wiki()
    respond, words = BROKEN[name]
    wiki.interrupt = lambda request: respond(request) if "spaces" in request.path else None
    async with connected(wiki) as (connector, _):
        found, error = await until_error(connector)
    assert isinstance(error, SourceMisbehaves)
    assert words in str(error)
    assert found == []


@pytest.mark.parametrize("written", ["../../etc", "1 or 2", ""])
async def test_an_id_that_is_none_is_refused(written: str) -> None:
    """What the server calls an id never becomes a path or a query of its own making."""
    wiki = Wiki()
    wiki.add(written)
    async with connected(wiki) as (connector, _):
        _, error = await until_error(connector)
    assert isinstance(error, SourceMisbehaves)


async def test_what_is_gone_cannot_be_fetched() -> None:
    """A page that was deleted, came without a body, or lost its file is unreadable; a page in the trash isn't listed."""
    wiki = Wiki()
    wiki.add("1")
    wiki.add("2", status="trashed")
    wiki.add("att3", kind="attachment", container="1", title="a.pdf", file="")
    async with connected(wiki) as (connector, _):
        assert list(await by_path(connector)) == ["ENG/1.html", "ENG/1/att3.pdf"]
        for listed in (page("9"), page("2"), page("att3", "attachment")):
            with pytest.raises(Unreadable):
                await connector.fetch(listed)
        wiki.interrupt = lambda _: answer({"id": "1", "title": "x"})
        with pytest.raises(Unreadable, match="without its body"):
            await connector.fetch(page("1"))
