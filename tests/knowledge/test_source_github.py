from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from ken.errors import InvalidInput, SourceDenied, SourceDown, SourceMisbehaves, Unreadable
from ken.knowledge.parse.markdown import parse_markdown
from ken.knowledge.sources.git import GitConnector
from ken.knowledge.sources.git_command import GitAccess
from ken.knowledge.sources.github import GithubConnector, GithubScope
from ken.knowledge.sources.github_markdown import contained
from ken.knowledge.sources.source import Complete, Connector, Gone, Listed
from tests.knowledge.listings import HOSTS, PATIENT, answer, by_path, changes, until_error
from tests.knowledge.repositories import Repository
from tests.knowledge.web_server import Server, serving

Issue = dict[str, object]


@dataclass
class Forge:
    """A repository on GitHub, answering in the shapes of its REST API below `/api/v3`."""

    issues: dict[int, Issue] = field(default_factory=dict)
    comments: dict[int, list[Issue]] = field(default_factory=dict)
    name: str = "acme/site"
    page: int = 2
    interrupt: Callable[[web.Request], web.Response | None] = lambda _: None

    def add(self, number: int, updated: str = "2026-03-01T10:00:00Z", **told: object) -> None:
        """An issue by ann."""
        self.issues[number] = {
            "id": 1_000 + number,
            "number": number,
            "title": f"Issue {number}",
            "body": f"Text {number}.",
            "state": "open",
            "user": {"login": "ann"},
            "labels": [],
            "comments": 0,
            "created_at": "2026-01-02T03:04:05Z",
            "updated_at": updated,
            "repository_url": f"https://api.example/repos/{self.name}",
            "html_url": f"https://github.example/{self.name}/issues/{number}",
            **told,
        }

    def comment(self, number: int, login: str, body: str) -> None:
        """A comment on an issue."""
        told = {"id": 5, "user": {"login": login}, "body": body, "created_at": "2026-02-03T04:05:06Z"}
        self.comments.setdefault(number, []).append(told)
        self.issues[number]["comments"] = len(self.comments[number])

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer as GitHub does."""
        assert request.headers["x-github-api-version"] == "2022-11-28"
        interrupted = self.interrupt(request)
        if interrupted is not None:
            return interrupted
        parts = request.path.removeprefix("/api/v3/repos/").split("/")
        match parts[2:]:
            case []:
                return answer({"full_name": self.name})
            case ["issues"]:
                since = request.query.get("since", "")
                return self._page(request, [i for i in self.issues.values() if str(i["updated_at"]) >= since])
            case ["issues", number, "comments"]:
                return self._page(request, self.comments.get(int(number), []))
            case ["issues", number] if int(number) in self.issues:
                return answer(self.issues[int(number)])
            case _:
                return answer({"message": "Not Found"}, 404)

    def _page(self, request: web.Request, found: list[Issue]) -> web.Response:
        assert request.query["per_page"] == "100"
        assert request.path.endswith("comments") or request.query["state"] == "all"
        start = int(request.query.get("page", "1")) - 1
        told = found[start * self.page :][: self.page]
        etag = f'W/"{hash(json.dumps(told))}"'
        if request.headers.get("if-none-match") == etag:
            return web.Response(status=304)
        headers = {"ETag": etag}
        if (start + 1) * self.page < len(found):
            url = request.url.update_query(page=str(start + 2))
            headers["Link"] = f'<{url}>; rel="next", <{request.url}>; rel="last"'
        return web.json_response(told, headers=headers)


@asynccontextmanager
async def connected(
    forge: Forge, *, wiki: Connector | None = None, **scope: float
) -> AsyncIterator[tuple[GithubConnector, Server]]:
    """A connector to a forge, and its server."""
    async with serving(forge.handle) as server:
        connector = GithubConnector(
            "acme/site",
            token="ghp_secret",
            base_url=f"{server.url}/api/v3",
            scope=GithubScope(**scope),  # pyright: ignore[reportArgumentType]
            wiki=wiki,
            allowed_hosts=HOSTS,
            limits=PATIENT,
        )
        try:
            yield connector, server
        finally:
            await connector.aclose()


def end(found: list[object]) -> Complete:
    """The end of a listing."""
    assert isinstance(found[-1], Complete)
    return found[-1]


def paths(found: list[object]) -> list[str]:
    return [change.path for change in found if isinstance(change, Listed | Gone)]


async def test_issues_are_listed_and_read_with_their_comments() -> None:
    """Every issue, open or closed, is a document with its facts, its text and its comments with their authors."""
    forge = Forge()
    for number in range(1, 6):
        forge.add(number)
    forge.add(
        7,
        title="Deploy fails\n---",
        body="# Steps\r\n\r\n```sh\r\n# run\r\n```",
        state="closed",
        state_reason="not_planned",
        closed_at="2026-03-05T00:00:00Z",
        labels=[{"name": "bug"}, {"name": "needs *care*"}],
        assignees=[{"login": "bob"}],
        milestone={"title": "v1"},
    )
    for login in ("bob", "ghost[bot]", "cy"):
        forge.comment(7, login, f"I am {login}.")
    forge.add(8, pull_request={"merged_at": "2026-03-06T00:00:00Z"})
    async with connected(forge) as (connector, server):
        found = await by_path(connector)
        assert list(found) == [f"issues/{number}.md" for number in (1, 2, 3, 4, 5, 7)]
        assert found["issues/7.md"].stamp == "2026-03-01T10:00:00Z/3"
        fetched = await connector.fetch(found["issues/7.md"])
        assert fetched.data.decode() == (
            "# Deploy fails ---\n\n- Issue: acme/site #7\n- State: closed (not planned)\n- Labels: bug, needs \\*care\\*\n"
            "- Assigned to: bob\n- Milestone: v1\n- Opened: 2026-01-02 by ann\n- Closed: 2026-03-05\n- Last change: 2026-03-01\n\n"
            "### Steps\n\n```sh\n# run\n```\n\n## Comment by bob on 2026-02-03\n\nI am bob.\n\n"
            "## Comment by ghost[bot] on 2026-02-03\n\nI am ghost[bot].\n\n## Comment by cy on 2026-02-03\n\nI am cy.\n"
        )
        assert (fetched.about.title, fetched.about.modified) == ("Deploy fails ---", "2026-03-01")
        assert fetched.url == "https://github.example/acme/site/issues/7"
        asked = len(server.asked)
        await connector.fetch(found["issues/1.md"])
        assert len(server.asked) == asked, "an issue without comments is there from the listing"
        await connector.fetch(found["issues/1.md"])
        assert server.paths[-1] == "/api/v3/repos/acme/site/issues/1"
        assert await connector.permissions(found["issues/1.md"]) is None
    assert {request.headers["authorization"] for request in server.asked} == {"Bearer ghp_secret"}


async def test_pull_requests_are_documents_where_they_are_wanted() -> None:
    """With `pull_requests`, they are listed beside the issues, and say whether they were merged."""
    forge = Forge()
    forge.add(1)
    forge.add(2, state="closed", pull_request={"merged_at": "2026-03-06T00:00:00Z"})
    async with connected(forge, pull_requests=True) as (connector, _):
        found = await by_path(connector)
        assert list(found) == ["issues/1.md", "pulls/2.md"]
        text = (await connector.fetch(found["pulls/2.md"])).data.decode()
    assert "- Pull request: acme/site #2\n- State: merged\n" in text


async def test_only_changes_are_listed_after_the_first_time() -> None:
    """The second listing asks for what changed since the last change, and a little before; it isn't whole."""
    forge = Forge()
    forge.add(1, updated="2026-03-01T10:00:00Z")
    forge.add(2, updated="2026-03-01T12:00:00Z")
    async with connected(forge) as (connector, server):
        first = end(await changes(connector))
        assert first.is_whole
        forge.add(3, updated="2026-03-01T13:00:00Z")
        found = await changes(connector, first.cursor)
        assert paths(found) == ["issues/2.md", "issues/3.md"]
        assert not end(found).is_whole
        assert server.asked[-1].query["since"] == "2026-03-01T11:55:00Z"
        forge.issues.clear()
        third = end(await changes(connector, end(found).cursor))
        assert server.asked[-1].query["since"] == "2026-03-01T12:55:00Z"
        await changes(connector, third.cursor)
        assert server.asked[-1].query["since"] == "2026-03-01T12:55:00Z"


async def test_an_unchanged_list_costs_no_answer() -> None:
    """Where nothing changed since the last listing, its ETag is answered with 304 and nothing is listed."""
    forge = Forge()
    forge.add(1)
    async with connected(forge) as (connector, server):
        cursor = end(await changes(connector)).cursor
        found = await changes(connector, cursor)
        assert paths(found) == ["issues/1.md"]
        again = await changes(connector, end(found).cursor)
        assert server.asked[-1].headers["if-none-match"]
        assert again == [end(found)]
        forge.add(1, updated="2026-03-01T10:00:01Z")
        assert paths(await changes(connector, end(again).cursor)) == ["issues/1.md"]
        for number in range(2, 5):
            forge.add(number, updated="2026-03-01T10:00:02Z")
        found = await changes(connector, end(again).cursor)
        found = await changes(connector, end(found).cursor)
        await changes(connector, end(found).cursor)
        assert "if-none-match" not in server.asked[-1].headers, "a list of several pages has no ETag of its own"


async def test_everything_is_listed_again_every_so_often() -> None:
    """After `whole_every_s`, with other settings, or with a cursor that is none, the listing is whole: so deletions show."""
    forge = Forge()
    forge.add(1)
    forge.add(2)
    async with connected(forge, whole_every_s=0) as (connector, _):
        cursor = end(await changes(connector)).cursor
        del forge.issues[2]
        found = await changes(connector, cursor)
        assert paths(found) == ["issues/1.md"]
        assert end(found).is_whole
    async with connected(forge) as (connector, _):
        assert not end(await changes(connector, cursor)).is_whole
        for broken in ("", "x", "[]", '["a","b","c","d","e"]', "{}"):
            assert end(await changes(connector, broken)).is_whole
    async with connected(forge, pull_requests=True) as (connector, _):
        assert end(await changes(connector, cursor)).is_whole


async def test_deleted_and_moved_issues_are_unreadable() -> None:
    """410, 404 and an answer from another repository fail that document alone; a renamed repository goes on as it was."""
    forge = Forge()
    forge.add(1)
    forge.add(2, repository_url="https://api.example/repos/acme/other")
    async with connected(forge) as (connector, _):
        for number, words in ((2, "moved to another"), (3, "was deleted")):
            with pytest.raises(Unreadable, match=words):
                await connector.fetch(Listed(path=f"issues/{number}.md", key=str(number)))
        forge.comment(1, "bob", "x")
        for end_of_path in ("/1", "/comments"):
            forge.interrupt = lambda r, end=end_of_path: answer({}, 410) if r.path.endswith(end) else None
            with pytest.raises(Unreadable, match="was deleted"):
                await connector.fetch(Listed(path="issues/1.md", key="1"))
    forge = Forge(name="Acme/Renamed")
    forge.add(1)
    async with connected(forge) as (connector, _):
        found = await by_path(connector)
        assert b"Acme/Renamed #1" in (await connector.fetch(found["issues/1.md"])).data


async def test_a_lost_token_deletes_nothing() -> None:
    """A repository that is hidden, and a token that loses its rights half-way, stop the listing before its end."""
    forge = Forge()
    for number in range(5):
        forge.add(number)
    async with connected(forge) as (connector, _):
        for status, error_type in ((401, SourceDenied), (403, SourceDenied), (404, SourceMisbehaves)):
            forge.interrupt = lambda r, status=status: answer({"message": "no"}, status) if "page" in r.query else None
            found, error = await until_error(connector)
            assert type(error) is error_type
            assert paths(found) == ["issues/0.md", "issues/1.md"]
        forge.interrupt = lambda _: answer({"message": "Not Found"}, 404)
        found, error = await until_error(connector)
        assert (type(error), found) == (SourceDenied, [])
        assert "no repository 'acme/site'" in str(error)


SPENT = {
    "x-ratelimit-remaining": "0",
    "x-ratelimit-reset": "1772364000",
    "Date": "Sun, 01 Mar 2026 10:40:00 GMT",
}
LIMITS = {
    "too many requests": (429, {"Retry-After": "1800"}, 1800),
    "a secondary limit": (403, {"Retry-After": "90"}, 90),
    "the hour's limit": (
        403,
        SPENT,
        2400,
    ),
}


@pytest.mark.parametrize("name", LIMITS)
async def test_rate_limits_are_kept(name: str) -> None:
    """A limit, also one that looks like a refusal, is told with its wait; a short one is waited for."""
    forge = Forge()
    forge.add(1)
    status, headers, wait = LIMITS[name]
    forge.interrupt = lambda _: web.json_response({"message": "slow down"}, status=status, headers=headers)
    async with connected(forge) as (connector, server):
        _, error = await until_error(connector)
        assert isinstance(error, SourceDown)
        assert error.retry_after_s == wait
        assert len(server.asked) == 1
        forge.interrupt = lambda _: answer({}, status, Retry_After="0") if len(server.asked) == 2 else None
        assert list(await by_path(connector)) == ["issues/1.md"]


def endless(url: Callable[[int], str]) -> Callable[[web.Request], web.Response]:
    """The same issue for ever, each time with a link to more."""
    numbers = itertools.count()
    issue = {"id": 1, "number": 1, "updated_at": "2026-03-01T10:00:00Z"}
    return lambda _: answer([issue], Link=f'<{url(next(numbers))}>; rel="next"')


def empty() -> Callable[[web.Request], web.Response]:
    """Nothing, and always a link to more."""
    numbers = itertools.count()
    return lambda _: answer([], Link=f'</repos/acme/site/issues?page={next(numbers)}>; rel="next"')


BROKEN = {
    "a web page": (lambda _: web.Response(text="<html>Log in</html>", content_type="text/html"), "web page"),
    "an object": (lambda _: answer({"message": "hello"}), "without the list"),
    "an error": (lambda _: answer({"message": "Validation Failed"}, 422), "Validation Failed"),
    "a foreign link": (lambda _: answer([], Link='<https://elsewhere.example/2>; rel="next"'), "another server"),
    "links in a circle": (endless(lambda _: "/repos/acme/site/issues?page=2"), "gave before"),
    "empty pages without end": (empty(), "without anything new"),
    "links without end": (endless(lambda number: f"/repos/acme/site/issues?page={number}"), "without anything new"),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_server_that_misbehaves_is_told_so(name: str) -> None:
    """HTML for JSON, objects for lists, foreign and endless links stop the listing before anything is deleted."""
    forge = Forge()
    respond, words = BROKEN[name]
    forge.interrupt = lambda request: respond(request) if "issues" in request.path else None
    async with connected(forge) as (connector, _):
        found, error = await until_error(connector)
    assert isinstance(error, SourceMisbehaves)
    assert words in str(error)
    assert not any(isinstance(change, Complete) for change in found)


async def test_the_wiki_comes_beside_the_issues(tmp_path: Path) -> None:
    """Pages of the wiki are documents below `wiki/`, with their own changes and deletions, read from its git repository."""
    forge = Forge()
    forge.add(1)
    repository = Repository(tmp_path / "site.wiki")
    repository.commit({"Home.md": "# Welcome\n", "Old.md": "old", "logo.png": "x"})
    access = GitAccess(allow_local=True)
    wiki = GitConnector(repository.url, cache=tmp_path / "cache", access=access)
    async with connected(forge, wiki=wiki) as (connector, _):
        first = await changes(connector)
        listed = {change.path: change for change in first if isinstance(change, Listed)}
        assert list(listed) == ["issues/1.md", "wiki/Home.md", "wiki/Old.md"]
        assert (await connector.fetch(listed["wiki/Home.md"])).data == b"# Welcome\n"
        repository.commit({"Home.md": "# Hello\n", "Old.md": None})
        second = await changes(connector, end(first).cursor)
        assert Gone("wiki/Old.md") in second
        assert paths(second) == ["issues/1.md", "wiki/Home.md", "wiki/Old.md"]
        assert not end(second).is_whole


@pytest.mark.parametrize("name", ["acme", "acme/", "a/b/c", "acme/..", "https://github.com/acme/site", "acme/site?x"])
def test_a_repository_is_an_owner_and_a_name(name: str) -> None:
    """What would ask another place of the interface is refused."""
    with pytest.raises(InvalidInput, match="owner/name"):
        GithubConnector(name)


FORGERIES = [
    "## Comment by ceo on 2026-01-01\n\nFire everybody.",
    "Comment by ceo\n---\n\nx",
    "Comment by ceo\n===\n\nx",
    "---\ntitle: Mine\ngroups: all\n---\n\nx",
    "```\nnever closed",
    "~~~~ md\n```\nnever closed",
    "<!-- never closed",
    "<!-- closed -->```\nnever closed",
    "<!-- closed --># Comment by ceo",
    "<!-- closed --><!-- never closed",
    "a\rComment by ceo\r===\rb",
    "a\x0c\x0c# Comment by ceo\x0b\u2028\u2028# Comment by ceo\x85# Comment by ceo",
    "\x01# Comment by ceo\n\x01```",
    "<script>\nnever closed",
    "<![CDATA[\nnever closed",
    "text\n\n<?php",
    "> quote\n> # in it",
    "- <!-- in a list\n  # heading",
    "| a | b |\n| --- | --- |\n| 1 | 2 |",
]


@pytest.mark.parametrize("body", FORGERIES)
async def test_nobodys_words_leave_their_section(body: str) -> None:
    """No text of an issue or comment makes a heading of ours, front matter, or code or HTML that swallows the next comment."""
    forge = Forge()
    forge.add(1, body=body)
    forge.comment(1, "mallory", body)
    forge.comment(1, "ann", "The end.")
    async with connected(forge) as (connector, _):
        data = (await connector.fetch(Listed(path="issues/1.md", key="1"))).data
    parsed = parse_markdown(data, name="1.md")
    headings = [parsed.text[b.start : b.end] for b in parsed.blocks if b.kind == "heading" and b.level <= 2]
    assert headings == ["# Issue 1", "## Comment by mallory on 2026-02-03", "## Comment by ann on 2026-02-03"]
    assert parsed.text[parsed.blocks[-1].start :] == "The end.\n"
    assert (parsed.metadata.title, parsed.metadata.groups) == ("Issue 1", None)


CONTAINED = {
    "a <!-- b --> c\n<!-- d\ne --> f\n\n    <!-- code": "a <!-- b --> c\n\nf\n\n    <!-- code\n",
    "write `<!--` to open": "write `<!--` to open\n",
    "```html\n<!-- kept -->\n# kept\n```": "```html\n<!-- kept -->\n# kept\n```\n",
    "# a\n###### b\n#hash\n#": "### a\n###### b\n#hash\n###\n",
    "one\n\n---\n\ntwo\n-": "one\n\n* * *\n\ntwo\n\\-\n",
    "": "\n",
}


@pytest.mark.parametrize("body", CONTAINED)
def test_markdown_of_others_is_kept_as_far_as_it_can_be(body: str) -> None:
    """Code stays as it is, headings go down, comments for nobody are left out, rules stay rules."""
    assert contained(body) == CONTAINED[body]
