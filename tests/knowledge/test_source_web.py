"""A web site as a source, against a real server: what is listed, what stays, and where it ends."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from ken.errors import InvalidInput, SourceDenied, SourceDown, SourceMisbehaves, Unreadable
from ken.knowledge.parse.html import parse_html
from ken.knowledge.sources.source import Listed
from ken.knowledge.sources.web import WebConnector
from ken.knowledge.sources.web_listing import WebScope
from ken.storage.sources import Source
from tests.knowledge.homes import BAKERY, FERRY, found, opened
from tests.knowledge.site import CRAWL, PDF, UNHURRIED, listing, page, redirect, site, text
from tests.knowledge.web_server import serving


async def test_a_site_is_crawled_along_its_links() -> None:
    """Pages and files are found breadth first, each once, with stable paths that say their format."""
    answers = {
        "/": page("guide/", "/about", "https://elsewhere.example/x", "mailto:a@b.example", "#top"),
        "/guide/": page("start.html", "manual.pdf", "../about#team", "notes.md?utm_source=x"),
        "/guide/start.html": page("/"),
        "/guide/manual.pdf": PDF,
        "/guide/notes.md": text(b"# Notes"),
        "/about": page("/guide/index.html"),
    }
    async with site(answers) as running:
        found = await listing(running.source(scope=CRAWL))
        asked = running.server.paths
    assert found.paths == [
        "index.html",
        "guide/index.html",
        "about/index.html",
        "guide/start.html",
        "guide/manual.pdf",
        "guide/notes.md",
    ]
    assert found.is_whole
    assert sorted(asked) == sorted({*answers, "/robots.txt", "/guide/index.html"})


async def test_a_page_is_fetched_as_it_was_listed() -> None:
    """What was read while listing is not asked for again, and carries the address that people open."""
    async with site({"/": page("a"), "/a": page(text="<h1>Leave</h1>Thirty days.")}) as running:
        source = running.source(scope=CRAWL)
        found = await listing(source)
        asked = len(running.server.asked)
        fetched = await source.fetch(found.listed["a/index.html"])
        assert len(running.server.asked) == asked
    assert fetched.url == f"{running.server.url}/a"
    assert parse_html(fetched.data, name="a/index.html").text.strip() == "# Leave\n\nThirty days."


async def test_a_page_that_was_not_kept_is_asked_for_again() -> None:
    """Without room on the disk, or after a restart, the key alone is enough."""
    async with site({"/": page("a"), "/a": page(text="Thirty days.")}) as running:
        first = running.source(scope=replace(CRAWL, spool_bytes=0))
        found = await listing(first)
        later = running.source(scope=CRAWL)
        for source in (first, later):
            assert b"Thirty days." in (await source.fetch(found.listed["a/index.html"])).data
        running.answers["/a"] = (410, {}, b"")
        with pytest.raises(Unreadable, match="answered 410 since it was listed"):
            await later.fetch(found.listed["a/index.html"])
        running.answers["/a"] = PDF
        with pytest.raises(Unreadable, match="became another format"):
            await later.fetch(found.listed["a/index.html"])
        running.answers["/a"] = (403, {}, b"")
        with pytest.raises(Unreadable, match="403"):
            await later.fetch(found.listed["a/index.html"])


async def test_a_stamp_follows_the_content() -> None:
    """The same bytes have the same stamp whatever the server says of times; other bytes another."""
    answers = {"/": page("a"), "/a": (200, {"content-type": "text/html", "last-modified": "now"}, page(text="one"))}
    async with site(answers) as running:
        source = running.source(scope=CRAWL)
        first = await listing(source)
        running.answers["/a"] = (200, {"content-type": "text/html", "last-modified": "later"}, page(text="one"))
        second = await listing(source, first.cursor)
        running.answers["/a"] = (200, {"content-type": "text/html", "last-modified": "later"}, page(text="two"))
        third = await listing(source, second.cursor)
    stamps = [each.listed["a/index.html"].stamp for each in (first, second, third)]
    assert stamps[0] == stamps[1] != stamps[2]


async def test_what_an_etag_shows_unchanged_does_not_come_again() -> None:
    """With the cursor each page is asked "if changed"; unchanged ones keep stamp, key and the way to others."""
    answers = {"/": page("a"), "/a": page("b"), "/b": page(text="one")}
    async with site(answers, has_etags=True) as running:
        first = await listing(running.source(scope=CRAWL))
        running.server.asked.clear()
        running.answers["/b"] = page(text="two")
        second = await listing(running.source(scope=CRAWL), first.cursor)
        conditional = {each.path for each in running.server.asked if "if-none-match" in each.headers}
        unchanged = await running.source(scope=CRAWL).fetch(second.listed["a/index.html"])
    assert conditional == {"/", "/a", "/b"}
    assert second.paths == first.paths
    changed = [path for path in first.paths if first.listed[path].stamp != second.listed[path].stamp]
    assert changed == ["b/index.html"]
    assert b'href="b"' in unchanged.data


@pytest.mark.parametrize("cursor", ["", "x", "eJw=", "🤷", "bm90IHpsaWI="])
async def test_a_cursor_that_can_not_be_read_is_none(cursor: str) -> None:
    """Then everything is listed as at the first time."""
    async with site({"/": page("a"), "/a": page()}, has_etags=True) as running:
        found = await listing(running.source(scope=CRAWL), cursor)
    assert found.paths == ["index.html", "a/index.html"]


async def test_another_scope_remembers_nothing_of_the_last() -> None:
    """A cursor of a smaller scope doesn't hide what the larger one has."""
    async with site({"/": page("a", "b/c"), "/a": page(), "/b/c": page()}, has_etags=True) as running:
        first = await listing(running.source(scope=replace(CRAWL, exclude=("b",))))
        second = await listing(running.source(scope=CRAWL), first.cursor)
    assert first.paths == ["index.html", "a/index.html"]
    assert second.paths == ["index.html", "a/index.html", "b/c/index.html"]


async def test_pages_that_vanished_are_not_listed() -> None:
    """404 and 410 are no failure: the listing is whole without the page."""
    async with site({"/": page("a", "b", "c"), "/a": page()}) as running:
        running.answers["/b"] = (410, {}, b"")
        found = await listing(running.source(scope=CRAWL))
    assert (found.paths, found.unlisted, found.gone) == (["index.html", "a/index.html"], {}, [])
    assert found.is_whole


async def test_a_page_that_fails_stays() -> None:
    """One page's 500 or 403 is reported as its own, and the rest is listed; so is a redirect to the inside."""
    answers = {
        "/": page("broken", "secret", "inside", "loop", "fine"),
        "/broken": (500, {}, b"oops"),
        "/secret": (403, {}, b"members only"),
        "/inside": redirect("http://169.254.169.254/latest/meta-data/"),
        "/loop": redirect("/loop"),
        "/fine": page(),
    }
    async with site(answers) as running:
        found = await listing(running.source(scope=CRAWL))
    assert found.paths == ["index.html", "fine/index.html"]
    reasons = {path: each.reason for path, each in found.unlisted.items()}
    assert "answered 500 (oops)" in reasons["broken/index.html"]
    assert "answered 403 (members only)" in reasons["secret/index.html"]
    assert "169.254.169.254" in reasons["inside/index.html"]
    assert "redirects without end" in reasons["loop/index.html"]
    assert not any(each.is_foreign for each in found.unlisted.values())


async def test_what_lies_behind_a_failing_page_is_not_lost() -> None:
    """Its links are known from the last time; where they never were, the listing isn't whole and deletes nothing."""
    async with site({"/": page("hub"), "/hub": page("leaf"), "/leaf": page()}) as running:
        source = running.source(scope=CRAWL)
        first = await listing(source)
        running.answers["/hub"] = (500, {}, b"")
        second = await listing(source, first.cursor)
        third = await listing(source, second.cursor)
        anew = await listing(source)
    for later in (second, third):
        assert later.paths == ["index.html", "leaf/index.html"]
        assert list(later.unlisted) == ["hub/index.html"]
        assert later.is_whole
    assert anew.paths == ["index.html"]
    assert not anew.is_whole


async def test_what_is_gone_is_said_where_the_listing_is_not_whole() -> None:
    """A page that answers 404 doesn't outlive others' failures."""
    answers = {"/": page("broken", "old"), "/broken": (500, {}, b""), "/old": (404, {}, b"")}
    async with site(answers) as running:
        found = await listing(running.source(scope=CRAWL))
    assert not found.is_whole
    assert found.gone == ["old/index.html"]


@pytest.mark.parametrize(
    ("status", "error"), [(403, SourceDenied), (401, SourceDenied), (503, SourceDown), (404, SourceMisbehaves)]
)
async def test_a_start_that_fails_is_the_source_that_fails(status: int, error: type[Exception]) -> None:
    """Then nothing is listed, and so nothing deleted."""
    async with site({"/": (status, {}, b"")}) as running:
        with pytest.raises(error, match=str(status)):
            await listing(running.source(scope=CRAWL))


async def test_permission_that_is_lost_half_way_stops_the_listing() -> None:
    """When page after page refuses and the start does too, it is the site that refuses."""
    left = 10
    pages = {f"/{number}": page() for number in range(50)}

    async def closing(_: web.Request) -> web.StreamResponse:
        nonlocal left
        left -= 1
        return web.Response(status=200 if left > 0 else 403, content_type="text/html", body=page(*pages))

    async with serving(closing) as server:
        source = WebConnector([server.url], scope=CRAWL, allowed_hosts=frozenset({server.host}), limits=UNHURRIED)
        with pytest.raises(SourceDenied, match="403"):
            await listing(source)
        await source.aclose()
        assert len(server.asked) < 30


async def test_a_sign_in_page_is_no_page_of_the_site() -> None:
    """Pages that lead to one are kept and reported; where the start does, the source is denied and nothing deleted."""
    answers = {"/": page("a", "b"), "/a": page(), "/b": page(), "/login": page(text="Name and password")}
    async with site(answers) as running:
        source = running.source(scope=CRAWL)
        first = await listing(source)
        running.answers["/a"] = redirect("/login?next=/a", 302)
        second = await listing(source, first.cursor)
        running.answers["/"] = redirect("/login", 302)
        with pytest.raises(SourceDenied, match="/login', where people sign in"):
            await listing(source, second.cursor)
    assert second.paths == ["index.html", "b/index.html"]
    assert "where people sign in" in second.unlisted["a/index.html"].reason


async def test_a_corner_that_is_closed_does_not_stop_the_listing() -> None:
    """Many refused pages in a row are their own business while the start is open."""
    answers = {"/": page(*(f"members/{number}" for number in range(12)), "open"), "/open": page()}
    answers |= {f"/members/{number}": (401, {}, b"") for number in range(12)}
    async with site(answers) as running:
        found = await listing(running.source(scope=CRAWL))
    assert found.paths == ["index.html", "open/index.html"]
    assert len(found.unlisted) == 12


async def test_a_server_that_asks_to_wait_is_left_alone() -> None:
    """429 with a long Retry-After ends the listing with that wait; a short one is waited for."""
    async with site({"/": page("a", "b"), "/a": (429, {"retry-after": "900"}, b""), "/b": page()}) as running:
        with pytest.raises(SourceDown) as caught:
            await listing(running.source(scope=CRAWL))
        assert caught.value.retry_after_s == 900
        assert [each.path for each in running.server.asked].count("/a") == 1


async def test_a_site_that_goes_on_for_ever_is_left_at_the_limit() -> None:
    """A calendar without end stops at `max_pages`, says so, and the listing deletes nothing."""

    async def calendar(request: web.Request) -> web.StreamResponse:
        if request.path == "/robots.txt":
            return web.Response(status=404)
        month = int(request.query.get("month", "0"))
        links = [f"/?month={month + step}" for step in (1, 2, 3)]
        return web.Response(body=page(*links, text=f"Month {month}"), content_type="text/html")

    async with serving(calendar) as server:
        scope = replace(CRAWL, max_pages=30, max_depth=1_000)
        source = WebConnector([server.url], scope=scope, allowed_hosts=frozenset({server.host}), limits=UNHURRIED)
        found = await listing(source)
        await source.aclose()
        assert len(server.asked) == 31
    assert found.paths[:3] == ["index.html", "index~month=1.html", "index~month=2.html"]
    assert len(found.listed) == 30
    assert not found.is_whole
    (report,) = found.unlisted.values()
    assert "goes on after 30 pages" in report.reason
    assert not report.is_foreign


async def test_traps_are_left_alone() -> None:
    """Links that lead ever deeper into themselves, or further than `max_depth`, are counted and not followed."""

    async def deeper(request: web.Request) -> web.StreamResponse:
        if request.path == "/robots.txt":
            return web.Response(status=404)
        return web.Response(body=page("more/", "more/again/"), content_type="text/html")

    async with serving(deeper) as server:
        for depth, words in ((1_000, "ever deeper into itself"), (2, "`max_depth`")):
            scope = replace(CRAWL, max_depth=depth)
            source = WebConnector([server.url], scope=scope, allowed_hosts=frozenset({server.host}), limits=UNHURRIED)
            found = await listing(source)
            await source.aclose()
            assert len(found.listed) < 30
            assert found.is_whole
            assert [words in each.reason and each.is_foreign for each in found.unlisted.values()] == [True]


@pytest.mark.parametrize("starts", [[], ["docs.example.org"], ["ftp://docs.example.org/"], ["https://a.example", ""]])
def test_a_site_needs_addresses(starts: list[str]) -> None:
    """A start that is no web address is said at once."""
    with pytest.raises(InvalidInput, match="start from"):
        WebConnector(starts)


@pytest.mark.parametrize(
    "scope",
    [WebScope(include=("/a",)), WebScope(exclude=("",)), WebScope(hosts=("https://x",)), WebScope(hosts=("a b",))],
)
def test_a_scope_that_can_be_none_is_refused(scope: WebScope) -> None:
    """Patterns and hosts are looked at before anything is asked."""
    with pytest.raises(InvalidInput):
        WebConnector(["https://docs.example.org"], scope=scope)


async def test_what_is_known_without_asking() -> None:
    """Location without query, pages for everybody, a few at once."""
    source = WebConnector(["https://docs.example.org/guide?key=1"])
    assert source.location == "https://docs.example.org/guide"
    assert await source.permissions(Listed(path="index.html")) is None
    assert source.concurrency >= 1
    await source.aclose()


async def test_an_inside_site_has_to_be_allowed_by_name() -> None:
    """Without `allowed_hosts` a site on this machine or in its network is not read."""
    async with site({"/": page()}) as running:
        source = WebConnector([running.server.url], limits=UNHURRIED)
        with pytest.raises(SourceMisbehaves, match="allow_hosts"):
            await listing(source)
        await source.aclose()
        assert running.server.asked == []


async def test_a_listing_can_be_left_in_the_middle() -> None:
    """Whoever stops listening leaves no request under way, and the source can be used again."""
    answers = {"/": page(*(f"/{number}" for number in range(20))), **{f"/{number}": page() for number in range(20)}}
    async with site(answers) as running:
        source = running.source(scope=CRAWL)
        changes = source.changes(None)
        assert isinstance(await anext(changes), Listed)
        await changes.aclose()  # type: ignore[attr-defined]
        await asyncio.sleep(0.02)
        asked = len(running.server.asked)
        await asyncio.sleep(0.02)
        assert len(running.server.asked) == asked
        assert len((await listing(source)).listed) == 21


async def test_a_site_is_synced_asked_and_forgotten(home: Path) -> None:
    """Through the library: pages answer questions, a second sync reads none of them, what vanished is deleted."""
    source = Source(id="site", kind="web", location="", collection="site", default_groups=frozenset({"everyone"}))
    answers = {"/": page("ferry", "bakery"), "/ferry": page(text=FERRY), "/bakery": page(text=BAKERY)}
    async with site(answers, has_etags=True) as running, opened(home) as ken:
        first = await ken.library.sync(source, running.source(scope=CRAWL))
        assert (await found(ken, "When does the ferry leave?"))[0] == "ferry/index.html"
        second = await ken.library.sync(source, running.source(scope=CRAWL))
        running.answers["/ferry"] = (404, {}, b"")
        third = await ken.library.sync(source, running.source(scope=CRAWL))
        assert "ferry/index.html" not in await found(ken, "When does the ferry leave?")
    assert (first.added, first.failures, first.problem) == (3, [], "")
    assert (second.unchanged, second.changed) == (3, 0)
    assert (third.unchanged, third.deleted) == (2, 1)
