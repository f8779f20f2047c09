"""A web site as a source, against a real server: what is found, what it is called, and how little is asked."""

from __future__ import annotations

import asyncio
import gzip
import time
from dataclasses import replace

import pytest
from aiohttp import web

from ken.errors import InvalidInput, SourceDenied, SourceDown, SourceMisbehaves, Unreadable
from ken.knowledge.parse.html import parse_html
from ken.knowledge.sources.source import Listed
from ken.knowledge.sources.web import WebConnector
from ken.knowledge.sources.web_listing import WebScope
from tests.knowledge.site import Answer, listing, page, site
from tests.knowledge.web_server import QUICK, serving

CRAWL = WebScope(mode="crawl")
PDF: Answer = (200, {"content-type": "application/pdf"}, b"%PDF-1.4 ...")


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
    for found in (second, third):
        assert found.paths == ["index.html", "leaf/index.html"]
        assert list(found.unlisted) == ["hub/index.html"]
        assert found.is_whole
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
        source = WebConnector([server.url], scope=CRAWL, allowed_hosts=frozenset({server.host}), limits=QUICK)
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
        source = WebConnector([server.url], scope=scope, allowed_hosts=frozenset({server.host}), limits=QUICK)
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
            source = WebConnector([server.url], scope=scope, allowed_hosts=frozenset({server.host}), limits=QUICK)
            found = await listing(source)
            await source.aclose()
            assert len(found.listed) < 30
            assert found.is_whole
            assert [words in each.reason and each.is_foreign for each in found.unlisted.values()] == [True]


async def test_formats_are_told_by_type_then_by_name() -> None:
    """The path ends as the format wants, whatever the address ends with; what Ken doesn't read is reported as foreign."""
    answers = {
        "/": page(
            "report", "download?id=7", "view.pdf", "page.php?x=1&y=2", "raw", "data.md", "clip", "photo.png", "v1.2"
        ),
        "/report": PDF,
        "/download?id=7": PDF,
        "/view.pdf": page(text="a viewer"),
        "/page.php?x=1&y=2": page(),
        "/raw": text(b"plain words"),
        "/data.md": text(b"# Data", "application/octet-stream"),
        "/clip": text(b"...", "video/mp4"),
        "/v1.2": page(),
    }
    async with site(answers) as running:
        found = await listing(running.source(scope=CRAWL))
        asked = running.server.paths
    assert found.paths == [
        "index.html",
        "report.pdf",
        "download~id=7.pdf",
        "view.pdf.html",
        "page.php~x=1&y=2.html",
        "raw.txt",
        "data.md",
        "v1.2/index.html",
    ]
    assert [(path, each.is_foreign, "video/mp4" in each.reason) for path, each in found.unlisted.items()] == [
        ("clip/index.html", True, True)
    ]
    assert "/photo.png" not in asked


async def test_paths_are_plain_whatever_the_address() -> None:
    """Encoded, odd, empty and endless parts make paths of plain parts, each address its own."""
    long = "x" * 300
    links = [
        "caf%C3%A9/%7Eann",
        "a%2Fb",
        "b//c",
        "%2e%2e/d",
        "e%00f",
        f"{long}.html",
        f"{long}y.html",
        "?q=%2F..%2F",
        "%FF",
    ]
    async with site({}) as running:
        for link in ("/", *links):
            running.answers["/" + link.lstrip("/")] = page()
        running.answers["/"] = page(*links)
        running.answers["/caf%C3%A9/~ann"] = running.answers["/d"] = running.answers["/?q=/../"] = page()
        found = await listing(running.source(scope=CRAWL))
    assert "café/~ann/index.html" in found.paths
    assert {"a%2Fb/index.html", "b/c/index.html", "d/index.html", "e%00f/index.html", "%FF/index.html"} <= set(
        found.paths
    )
    assert len(found.paths) == 10
    for path in found.paths:
        assert all(part not in {"", ".", ".."} and len(part.encode()) < 200 for part in path.split("/"))
        assert path.isprintable()


async def test_one_page_has_one_path() -> None:
    """Slashes, index files, tracking, sessions, sorted queries, fragments and ports make no further documents."""
    links = ["a", "a/", "a/index.html", "a?utm_source=mail&fbclid=1", "a#part", "{url}/a", "a;jsessionid=1F", "/b/../a"]
    queries = ["s?x=1&y=2", "s?y=2&x=1", "s?y=2&&x=1&gclid=3"]
    answers = {"/": page(*links, *queries), "/a": page(), "/a/": page(), "/a/index.html": page(), "/s?x=1&y=2": page()}
    async with site(answers) as running:
        found = await listing(running.source(scope=CRAWL))
        asked = running.server.paths
    assert found.paths == ["index.html", "a/index.html", "s/index~x=1&y=2.html"]
    assert len(asked) == len(set(asked))


async def test_redirects_lead_to_one_document() -> None:
    """A page has the path of the address where it lies; a redirect out of the site is no page of it."""
    answers = {
        "/": page("old", "new", "out"),
        "/old": redirect("/new"),
        "/new": page(),
        "/out": redirect("http://localhost:{port}/"),
    }
    async with site(answers) as running:
        port = running.server.host.partition(":")[2]
        running.answers["/out"] = redirect(f"http://localhost:{port}/x")
        running.answers["/x"] = page()
        source = WebConnector(
            [running.server.url],
            scope=CRAWL,
            allowed_hosts=frozenset({running.server.host, f"localhost:{port}"}),
            limits=QUICK,
        )
        found = await listing(source)
        await source.aclose()
    assert found.paths == ["index.html", "new/index.html"]
    assert found.is_whole


async def test_a_start_may_redirect_to_another_host() -> None:
    """The site is then where the start led: its pages have no folder of their own."""
    async with site({"/": page("a"), "/a": page()}) as running:
        port = running.server.host.partition(":")[2]
        running.answers["/moved"] = redirect(f"http://localhost:{port}/")
        source = WebConnector(
            [f"{running.server.url}/moved"],
            scope=CRAWL,
            allowed_hosts=frozenset({running.server.host, "localhost"}),
            limits=QUICK,
        )
        found = await listing(source)
        await source.aclose()
    assert found.paths == ["index.html", "a/index.html"]


async def test_further_hosts_have_folders_of_their_own() -> None:
    """Only hosts that were named are entered."""
    async with site({"/": page(text="there")}) as other, site({}) as running:
        running.answers["/"] = page(f"{other.server.url}/", text="here")
        alone = await listing(running.source(scope=CRAWL))
        both = await listing(running.source(scope=replace(CRAWL, hosts=(other.server.host,)), more=[other.server]))
    assert alone.paths == ["index.html"]
    assert both.paths == ["index.html", f"{other.server.host.replace(':', '~')}/index.html"]


async def test_signs_for_crawlers_are_obeyed() -> None:
    """noindex, nofollow, none, by tag or header, for everybody or for Ken; a base moves relative links."""
    nofollow = '<META Name="Robots" content="NOFOLLOW">'
    answers = {
        "/": page("hidden", "dead-end", "none", "header", "based", "other", '" rel="nofollow'),
        "/hidden": page("behind", head='<meta name="robots" content="noindex, follow">'),
        "/behind": page(),
        "/dead-end": page("never", head=nofollow),
        "/none": page("never", head='<meta content="none" name="ken">'),
        "/header": (200, {"content-type": "text/html", "x-robots-tag": "otherbot: none, ken: noindex"}, page()),
        "/based": page("moved", head='<base href="/deep/er/">'),
        "/deep/er/moved": page(),
        "/other": (200, {"content-type": "text/html", "x-robots-tag": "otherbot: noindex"}, page()),
        "/never": page(),
    }
    async with site(answers) as running:
        found = await listing(running.source(scope=CRAWL))
        asked = running.server.paths
    assert found.paths == [
        "index.html",
        "dead-end/index.html",
        "based/index.html",
        "other/index.html",
        "behind/index.html",
        "deep/er/moved/index.html",
    ]
    assert "/never" not in asked


async def test_a_page_is_listed_under_the_address_that_it_calls_its_own() -> None:
    """Copies at other addresses are one document; a slip (the home page, another site) is not believed."""
    answers = {
        "/": page("print/a", "a", "b", "c"),
        "/print/a": page(head='<link rel="canonical" href="/a">'),
        "/a": page(head='<link rel=canonical href="{url}/a">'),
        "/b": page(head='<link rel="canonical" href="/">'),
        "/c": (200, {"content-type": "text/html", "link": '<https://elsewhere.example/c>; rel="canonical"'}, page()),
    }
    async with site(answers) as running:
        source = running.source(scope=CRAWL)
        found = await listing(source)
        fetched = await source.fetch(found.listed["a/index.html"])
    assert found.paths == ["index.html", "a/index.html", "b/index.html", "c/index.html"]
    assert fetched.url == f"{running.server.url}/a"


async def test_links_are_found_as_browsers_find_them() -> None:
    """In comments and scripts there are none; quotes, entities, capitals, areas, frames and refreshes count."""
    body = b"""<!-- <a href=/comment> --><script>'<a href="/script">'</script><TEXTAREA><a href=/area></TEXTAREA>
        <A HREF = '/single'>x</A><a class=y href=/bare>x</a><a title="a > b" href="/q?a=1&amp;b=2">x</a>
        <map><area href="/map"></map><frameset><frame src="/frame"></frameset>
        <meta http-equiv="refresh" content="5; URL='/refresh'"><a href="/unclosed>x</a>"""
    names = ["/single", "/bare", "/q?a=1&b=2", "/map", "/frame", "/refresh"]
    async with site({"/": body, **{name: page() for name in names}}) as running:
        found = await listing(running.source(scope=CRAWL))
        asked = set(running.server.paths)
    assert len(found.listed) == 7
    assert not asked & {"/comment", "/script", "/area"}


@pytest.mark.parametrize(
    "bomb", [b"<!--" * 300_000, b"<a href='" * 100_000, b"<" * 1_000_000, b'<a b="<a c=' * 100_000]
)
async def test_hostile_pages_take_no_time(bomb: bytes) -> None:
    """Markup that never closes is read in a straight line."""
    async with site({"/": page("a") + bomb, "/a": page()}) as running:
        began = time.monotonic()
        found = await listing(running.source(scope=CRAWL))
        assert time.monotonic() - began < 5
    assert "a/index.html" in found.paths


async def test_an_encoding_in_the_header_alone_is_kept() -> None:
    """The words of a Latin-1 page that doesn't say so itself arrive whole."""
    body = b"<html><body><main><p>Caf\xe9 \x80 5</p><a href='/x'>y</a></main></body></html>"
    async with site({"/": (200, {"content-type": "text/html; charset=ISO-8859-1"}, body), "/x": page()}) as running:
        source = running.source(scope=CRAWL)
        found = await listing(source)
        fetched = await source.fetch(found.listed["index.html"])
    assert "Café € 5" in parse_html(fetched.data, name="index.html").text


async def test_navigation_is_no_part_of_the_text() -> None:
    """What is listed and fetched gives its main content when it is parsed."""
    async with site({"/": page("a", "b", text="<p>The words.</p>")}) as running:
        source = running.source(scope=CRAWL)
        fetched = await source.fetch((await listing(source)).listed["index.html"])
    assert parse_html(fetched.data, name="index.html").text.strip() == "The words."


async def test_patterns_choose_paths() -> None:
    """`include` and `exclude` go by address; starts are read for their links all the same."""
    answers = {"/": page("docs/a", "docs/private/b", "blog/c"), "/docs/a": page("/blog/c"), "/docs/private/b": page()}
    async with site(answers) as running:
        found = await listing(running.source(scope=replace(CRAWL, include=("docs/**",), exclude=("docs/private",))))
        asked = running.server.paths
    assert found.paths == ["docs/a/index.html"]
    assert sorted(asked) == ["/", "/docs/a", "/robots.txt"]


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
        source = WebConnector([running.server.url], limits=QUICK)
        with pytest.raises(SourceMisbehaves, match="allowed_hosts"):
            await listing(source)
        await source.aclose()
        assert running.server.asked == []


async def test_robots_are_obeyed() -> None:
    """What robots.txt forbids is neither asked for nor listed; the longest rule counts, Ken's own before all others'."""
    answers = {
        "/robots.txt": robots(
            "\ufeff# rules",
            "User-agent: *",
            "Disallow: /",
            "",
            "User-Agent: otherbot",
            "User-agent: KEN/2.0 # mine",
            "Disallow: /private",
            "Allow: /private/open",
            "Disallow: /*.pdf$",
            "Disallow: /caf%c3%a9",
            "Disallow:",
            "User-agent: ken",
            "Disallow: /later*end",
        ),
        "/": page("private/a", "private/open/b", "c.pdf", "c.pdf.html", "café", "later/the/end", "later", "moved"),
        "/private/open/b": page(),
        "/c.pdf.html": page(),
        "/later": page(),
        "/moved": redirect("/private/a"),
    }
    async with site(answers) as running:
        found = await listing(running.source(scope=CRAWL))
        asked = running.server.paths
    assert found.paths == ["index.html", "private/open/b/index.html", "c.pdf.html", "later/index.html"]
    assert sorted(set(asked) - {"/private/a"}) == sorted(
        ["/", "/robots.txt", "/private/open/b", "/c.pdf.html", "/later", "/moved"]
    )


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("/fish", "/fish.html", True),
        ("/fish", "/Fish", False),
        ("/fish*.php", "/fishheads/catfish.php?id=1", True),
        ("/*.php$", "/a.php?x", False),
        ("/*.php$", "/a.php", True),
        ("/$", "/", True),
        ("/$", "/a", False),
        ("/a%2Fb", "/a/b", False),
        ("/a%3cd", "/a%3Cd", True),
        ("*", "/x", True),
        ("/*a*a*a*a*a*a*a*a*a*a*b", "/" + "a" * 900, False),
    ],
)
async def test_patterns_of_robots_fit_as_the_standard_says(pattern: str, path: str, fits: bool) -> None:  # noqa: FBT001 - a case
    """RFC 9309's own examples and their neighbours, none of which takes long."""
    answers = {"/robots.txt": robots("User-agent: *", f"Disallow: {pattern}", "Allow: /start"), path: page()}
    answers["/start"] = page(path)
    async with site(answers) as running:
        scope = replace(CRAWL, max_pages=2)
        found = await listing(running.source("/start", scope=scope))
    assert (len(found.listed) == 1) == fits


async def test_robots_that_forbid_the_start_deny_the_source() -> None:
    """A site that lets Ken in nowhere is not a site without pages."""
    async with site({"/robots.txt": robots("user-agent: *", "disallow: /"), "/": page()}) as running:
        with pytest.raises(SourceDenied, match=r"robots\.txt .* doesn't let Ken read"):
            await listing(running.source())


@pytest.mark.parametrize("status", [401, 403, 404, 410])
async def test_a_site_without_rules_has_none(status: int) -> None:
    """4xx for robots.txt allows everything."""
    async with site({"/robots.txt": (status, {}, b"Disallow: /"), "/": page()}) as running:
        assert (await listing(running.source(scope=CRAWL))).paths == ["index.html"]


async def test_rules_that_can_not_be_had_forbid_everything() -> None:
    """5xx for robots.txt is a source that is down: no page is asked for."""
    async with site({"/robots.txt": (503, {}, b""), "/": page()}) as running:
        with pytest.raises(SourceDown, match=r"robots\.txt"):
            await listing(running.source(scope=CRAWL))
        assert {each.path for each in running.server.asked} == {"/robots.txt"}


async def test_a_crawl_delay_is_kept() -> None:
    """Requests to a host that asks for it are that far apart."""
    answers = {"/robots.txt": robots("User-agent: *", "Crawl-delay: 0.05"), "/": page("a", "b", "c")}
    async with site(answers | {f"/{name}": page() for name in "abc"}) as running:
        began = time.monotonic()
        found = await listing(running.source(scope=CRAWL))
        assert time.monotonic() - began >= 0.15
    assert len(found.listed) == 4


async def test_a_sitemap_says_what_there_is() -> None:
    """Lists of lists, compressed and plain ones are read; links aren't followed, other hosts and lastmod not believed."""
    listed = sitemap("/a", "/b/", "/b/?utm_medium=x", "/private/c", "/photo.png")
    answers = {
        "/robots.txt": robots("Sitemap: {url}/lists.xml", "User-agent: *", "Disallow: /private"),
        "/lists.xml": sitemap("/one.xml", "/two.xml.gz", "/three.txt", "/lists.xml", kind="sitemap"),
        "/one.xml": listed,
        "/two.xml.gz": text(gzip.compress(b"<urlset><url><loc>{url}/z</loc></url></urlset>"), "application/gzip"),
        "/three.txt": text(b"{url}/t\nhttps://elsewhere.example/x\n"),
        "/a": page("/unlisted"),
        "/b/": page(),
        "/t": page(),
        "/unlisted": page(),
    }
    async with site(answers) as running:
        body = f"<urlset><url><loc>{running.server.url}/z</loc></url></urlset>".encode()
        running.answers["/two.xml.gz"] = text(gzip.compress(body), "application/gzip")
        running.answers["/z"] = page()
        found = await listing(running.source())
        asked = running.server.paths
    assert found.paths == ["a/index.html", "b/index.html", "z/index.html", "t/index.html"]
    assert found.is_whole
    assert [(path, each.is_foreign) for path, each in found.unlisted.items()] == [("photo.png/index.html", True)]
    assert not set(asked) & {"/unlisted", "/private/c", "/photo.png"}
    assert asked.count("/lists.xml") == 1


async def test_the_usual_place_of_a_sitemap_is_tried() -> None:
    """/sitemap.xml is used where it is one; a web page there, as many servers give for anything, is none."""
    async with site({"/": page("a"), "/a": page(), "/b": page(), "/sitemap.xml": sitemap("/b")}) as running:
        listed = await listing(running.source())
        running.answers["/sitemap.xml"] = page(text="Oops, we can't find that page.")
        crawled = await listing(running.source())
    assert listed.paths == ["b/index.html"]
    assert crawled.paths == ["index.html", "a/index.html"]


async def test_a_sitemap_may_be_the_start() -> None:
    """Its address alone is enough, in any mode."""
    async with site({"/maps/docs.xml": sitemap("/a"), "/a": page("/b"), "/b": page()}) as running:
        for scope in (WebScope(), WebScope(mode="sitemap"), CRAWL):
            assert (await listing(running.source("/maps/docs.xml", scope=scope))).paths == ["a/index.html"]


@pytest.mark.parametrize(
    "broken",
    [
        sitemap(),
        text(b"<urlset><url><loc>https://elsewhere.example/a</loc></url></urlset>"),
        text(b"<urlset><url><loc>cut"),
        text(b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><urlset><url><loc>&a;</loc></url></urlset>'),
        text(gzip.compress(b"<urlset>")[:-4], "application/gzip"),
        text(gzip.compress(bytes(60_000_000), 1), "application/gzip"),
        (404, {}, b""),
        (403, {}, b""),
        page(text="Sign in"),
    ],
)
async def test_a_sitemap_that_names_nothing_deletes_nothing(broken: Answer | bytes) -> None:
    """Where lists said what there is, empty, foreign, broken, hostile and missing ones are the source's failure."""
    async with site({"/sitemap.xml": sitemap("/a"), "/": page(), "/a": page()}) as running:
        source = running.source()
        first = await listing(source)
        running.answers["/sitemap.xml"] = broken
        with pytest.raises(SourceMisbehaves, match="names no page"):
            await listing(source, first.cursor)
        with pytest.raises(SourceMisbehaves):
            await listing(running.source(scope=WebScope(mode="sitemap")))


async def test_one_list_that_is_missing_leaves_its_pages_as_they_are() -> None:
    """The others are listed, the missing one is reported, and nothing is deleted for it."""
    answers = {"/sitemap.xml": sitemap("/one.xml", "/two.xml", kind="sitemap"), "/one.xml": sitemap("/a"), "/a": page()}
    async with site(answers) as running:
        found = await listing(running.source())
    assert found.paths == ["a/index.html"]
    assert "/two.xml' answered 404" in found.unlisted["sitemap.xml"].reason
    assert not found.is_whole


async def test_lists_without_end_are_left() -> None:
    """A list that names a new list each time is read some hundred times and no more."""

    async def endless(request: web.Request) -> web.StreamResponse:
        if request.path == "/a":
            return web.Response(body=page(), content_type="text/html")
        number = int(request.path.strip("/") or 0) if request.path.strip("/").isdigit() else 0
        base = f"http://{request.host}"
        names = "".join(f"<sitemap><loc>{base}/{number * 40 + step}</loc></sitemap>" for step in range(1, 41))
        if number > 9:
            return web.Response(text=f"<urlset><url><loc>{base}/a</loc></url></urlset>")
        return web.Response(text=f"<sitemapindex>{names}</sitemapindex>", content_type="text/xml")

    async with serving(endless) as server:
        source = WebConnector([f"{server.url}/x.xml"], allowed_hosts=frozenset({server.host}), limits=QUICK)
        found = await listing(source)
        await source.aclose()
        assert len(server.asked) <= 310
    assert found.paths == ["a/index.html"]
    assert "without end" in found.unlisted["sitemap.xml"].reason
    assert not found.is_whole


async def test_a_sitemap_with_entities_is_refused_in_no_time() -> None:
    """A billion laughs are not laughed, in any encoding."""
    entities = "".join(f'<!ENTITY l{level} "{f"&l{level - 1};" * 10}">' for level in range(1, 10))
    bomb = f'<!DOCTYPE urlset [<!ENTITY l0 "ha">{entities}]><urlset><url><loc>http://x/&l9;</loc></url></urlset>'
    for data in (bomb.encode(), bomb.encode("utf-16")):
        async with site({"/sitemap.xml": text(b'<?xml version="1.0"?>' + data if data[0] == 60 else data)}) as running:
            began = time.monotonic()
            with pytest.raises(SourceMisbehaves):
                await listing(running.source(scope=WebScope(mode="sitemap")))
            assert time.monotonic() - began < 2


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
