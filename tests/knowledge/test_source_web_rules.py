"""What a web site asks of its readers: robots.txt, a pace, and its own lists of pages."""

from __future__ import annotations

import gzip
import time
from dataclasses import replace

import pytest
from aiohttp import web

from ken.errors import SourceDenied, SourceDown, SourceMisbehaves
from ken.knowledge.sources.web import WebConnector
from ken.knowledge.sources.web_listing import WebScope
from tests.knowledge.site import CRAWL, UNHURRIED, Answer, listing, page, redirect, robots, site, sitemap, text
from tests.knowledge.web_server import QUICK, serving


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


async def test_one_start_that_is_forbidden_is_reported() -> None:
    """The others are read."""
    answers = {"/robots.txt": robots("user-agent: *", "disallow: /closed"), "/closed": page(), "/open": page()}
    async with site(answers) as running:
        found = await listing(running.source("/closed", "/open", scope=CRAWL))
    assert found.paths == ["open/index.html"]
    assert "doesn't let Ken read" in found.unlisted["closed/index.html"].reason


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


async def test_a_site_is_asked_at_a_human_pace() -> None:
    """Without a pace of its own a source asks five times a second."""
    async with site({"/": page("a"), "/a": page()}) as running:
        began = time.monotonic()
        await listing(running.source(scope=CRAWL, limits=QUICK))
        assert time.monotonic() - began >= 2 / 5  # three requests: robots.txt and two pages


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
        source = WebConnector([f"{server.url}/x.xml"], allowed_hosts=frozenset({server.host}), limits=UNHURRIED)
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
