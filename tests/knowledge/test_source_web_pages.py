"""What a web site's pages are called, which addresses are one page, and where their links lead."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from ken.knowledge.parse.html import parse_html
from ken.knowledge.sources.web import WebConnector
from tests.knowledge.site import CRAWL, PDF, UNHURRIED, listing, page, redirect, site, text


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
            limits=UNHURRIED,
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
            limits=UNHURRIED,
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
