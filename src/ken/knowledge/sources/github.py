"""The issues of a GitHub repository as a source, and its wiki beside them.

REST API of version 2022-11-28, https://docs.github.com/en/rest/issues/issues. Lists of what changed since a moment never
show what was deleted or moved to another repository, so every so often everything is listed. GitHub Enterprise Server
answers at its own `base_url`, `https://HOST/api/v3`.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from ken.domain.document import Metadata
from ken.errors import InvalidInput, SourceDenied, Unreadable
from ken.knowledge.sources.client import Client, ClientLimits, Reply
from ken.knowledge.sources.github_markdown import issue_markdown
from ken.knowledge.sources.paging import Paging
from ken.knowledge.sources.rest import RestServer
from ken.knowledge.sources.shapes import Fields, at, day, fields, number, promised_list, text
from ken.knowledge.sources.source import Change, Complete, Connector, Fetched, Gone, Listed, Unlisted

_API = "https://api.github.com"
_WIKI = "wiki/"
_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]+/(?!\.{1,2}$)[A-Za-z0-9_.-]+")
_LINK = re.compile(r"<([^<>]*)>((?:\s*;\s*[^,;<>]*)*)")
_NEXT = re.compile(r";\s*rel\s*=\s*\"?next\"?", re.IGNORECASE)
_NOT_MODIFIED = 304
_KEPT_CHARACTERS = 10_000_000
"""Of what the list told of issues, so that few are asked for once more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GithubScope:
    """Which issues, and how they are kept up with."""

    pull_requests: bool = False
    """Whether pull requests are documents too, with the comments of their conversation."""
    whole_every_s: float = 86_400
    """Seconds after which everything is listed again: issues that were deleted or moved stay that long at most."""
    overlap_s: float = 300
    """Seconds that are asked for twice, since lists lag behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cursor:
    """What the next listing needs to know of those before."""

    about: str = ""
    """The settings that it was made with."""
    since: str = ""
    """The moment up to which all is known: ISO 8601, UTC."""
    etag: str = ""
    """Of the list of changes since then, where it was a single page."""
    whole_at: float = 0
    """When everything was listed, in seconds since the epoch."""
    wiki: str = ""

    def written(self) -> str:
        """As text."""
        return json.dumps([self.about, self.since, self.etag, self.whole_at, self.wiki])


class GithubConnector:
    """The issues of `repository` ("owner/name"), each with its comments, and the pages of its wiki below `wiki/`.

    `token` may be left out for public repositories, which are then asked 60 times an hour at most. `wiki` is a connector
    for the wiki's own git repository, `https://HOST/owner/name.wiki.git`. GitHub has no readers of single issues, so documents have
    the groups of their collection or of rules by path. Raises InvalidInput for a repository that is none.
    """

    def __init__(
        self,
        repository: str,
        *,
        token: str | None = None,
        base_url: str = _API,
        scope: GithubScope = GithubScope(),
        wiki: Connector | None = None,
        allowed_hosts: frozenset[str] = frozenset(),
        limits: ClientLimits | None = None,
    ) -> None:
        self._repository = _checked(repository)
        headers = {"accept": "application/vnd.github+json", "x-github-api-version": "2022-11-28"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        self._client = Client(allowed_hosts=allowed_hosts, headers=headers, limits=limits or ClientLimits())
        self._server = RestServer(base_url, client=self._client)
        self._scope = scope
        self._wiki = wiki
        self._name = ""
        self._kept: dict[str, Fields] = {}

    @property
    def location(self) -> str:
        """The address of the interface, and the repository."""
        return f"{self._server.location} {self._repository}"

    @property
    def concurrency(self) -> int:
        """One: GitHub slows down whoever asks several things at once."""
        return 1

    async def changes(self, cursor: str | None) -> AsyncIterator[Change]:
        """List all issues, or those that changed since the last time."""
        before = _read(cursor)
        about = f"{self._repository} {self._scope.pull_requests} {self._wiki is not None}"
        age = time.time() - before.whole_at
        is_whole = before.about != about or not before.since or not 0 <= age < self._scope.whole_every_s
        if is_whole:
            before = _Cursor(about=about, whole_at=time.time())
        self._kept.clear()
        self._name = await self._full_name()
        after = before
        async for change in self._issues(before):
            if isinstance(change, _Cursor):
                after = change
            else:
                yield change
        if self._wiki is not None:
            async for change in self._wiki.changes(before.wiki or None):
                if isinstance(change, Complete):
                    after = replace(after, wiki=change.cursor or "")
                else:
                    yield _below_wiki(change)
        yield Complete(cursor=after.written(), is_whole=is_whole)

    async def _full_name(self) -> str:
        """The repository's name as GitHub has it now: addresses of the old one lead on."""
        found = await self._server.get(f"/repos/{self._repository}")
        if found is None:
            raise SourceDenied(
                f"GitHub shows no repository {self._repository!r}. Look at its name, and at whether the token may read its "
                "issues. Nothing was deleted."
            )
        return text(found, "full_name") or self._repository

    async def _issues(self, before: _Cursor) -> AsyncIterator[Listed | _Cursor]:
        """The issues, oldest first, so that one that changes meanwhile moves none out of the pages to come; then the cursor."""
        params = {"state": "all", "sort": "created", "direction": "asc", "per_page": "100"}
        if before.since:
            params["since"] = before.since
        place, newest, budget = f"/repos/{self._repository}/issues", "", _KEPT_CHARACTERS
        headers = {"if-none-match": before.etag} if before.etag else None
        reply = await self._server.page_reply(place, params=params, headers=headers)
        if reply.status == _NOT_MODIFIED:
            yield before
            return
        etag = "" if _next_page(reply) else reply.headers.get("etag", "")
        async for issue in self._pages(reply, place):
            newest = max(newest, text(issue, "updated_at"))
            is_pull = at(issue, "pull_request") is not None
            if is_pull and not self._scope.pull_requests:
                continue
            name, changed = text(issue, "number"), text(issue, "updated_at")
            budget -= len(text(issue, "body"))
            if budget > 0:
                self._kept[name] = issue
            yield Listed(
                path=f"{'pulls' if is_pull else 'issues'}/{name}.md",
                key=name,
                stamp=f"{changed}/{number(issue, 'comments')}" if changed else None,
            )
        since = max(before.since, _earlier(newest, self._scope.overlap_s))
        yield replace(before, since=since, etag=etag if since == before.since else "")

    async def _pages(self, reply: Reply, place: str) -> AsyncIterator[Fields]:
        """What a list holds, from its first page to its last."""
        paging = Paging(repr(self._server.address(place)))
        while True:
            results = promised_list(reply.json(), url=self._server.address(place))
            for result in results:
                yield result
            following = _next_page(reply)
            if following is None:
                return
            paging.turn(following, [text(result, "id") for result in results])
            reply = await self._server.page_reply(following)

    async def fetch(self, listed: Listed) -> Fetched:
        """One issue with all its comments, or one page of the wiki."""
        if self._wiki is not None and listed.path.startswith(_WIKI):
            return await self._wiki.fetch(_of_wiki(listed))
        self._name = self._name or await self._full_name()
        place = f"/repos/{self._repository}/issues/{listed.key}"
        issue = self._kept.pop(listed.key, None) or fields(await self._server.get(place))
        if not issue:
            raise Unreadable(f"{listed.path!r} was deleted, or the token may not read it. Sync again.")
        if not text(issue, "repository_url").casefold().endswith(f"/repos/{self._name}".casefold()):
            raise Unreadable(
                f"{listed.path!r} was moved to another repository. It is dropped when everything is listed."
            )
        comments: list[Fields] = []
        if number(issue, "comments") != 0:
            reply = await self._server.reply(f"{place}/comments", params={"per_page": "100"})
            if reply is None:
                raise Unreadable(
                    f"The comments on {listed.path!r} are not there: it was deleted meanwhile. Sync again."
                )
            comments = [comment async for comment in self._pages(reply, place)]
        written = issue_markdown(issue, comments=comments, repository=self._name)
        url = text(issue, "html_url")
        return Fetched(
            data=written.encode(errors="replace"),
            about=Metadata(title=" ".join(text(issue, "title").split()) or None, modified=day(issue, "updated_at")),
            url=url if url.startswith("https://") else None,
        )

    async def permissions(self, listed: Listed) -> frozenset[str] | None:
        """None: who may read the repository may read all of it."""
        del listed
        return None

    async def aclose(self) -> None:
        """Close the connections, and the wiki's."""
        await self._client.aclose()
        if self._wiki is not None:
            await self._wiki.aclose()


def _checked(repository: str) -> str:
    if not _REPOSITORY.fullmatch(repository):
        raise InvalidInput(f"{repository!r} is no repository of GitHub: write it as 'owner/name'.", param="repository")
    return repository


def _read(cursor: str | None) -> _Cursor:
    try:
        about, since, etag, whole_at, wiki = json.loads(cursor or "[]")
        return _Cursor(about=str(about), since=str(since), etag=str(etag), whole_at=float(whole_at), wiki=str(wiki))
    except (ValueError, TypeError):
        return _Cursor()


def _next_page(reply: Reply) -> str | None:
    """The address of the next page (RFC 8288), None at the end."""
    links = _LINK.finditer(reply.headers.get("link", ""))
    return next((link[1] for link in links if _NEXT.search(link[2])), None)


def _earlier(moment: str, seconds: float) -> str:
    """A moment that many seconds before, as GitHub writes moments; "" where it is none."""
    try:
        return (dt.datetime.fromisoformat(moment) - dt.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        return ""


def _below_wiki(change: Listed | Gone | Unlisted) -> Listed | Gone | Unlisted:
    return replace(change, path=f"{_WIKI}{change.path}")


def _of_wiki(listed: Listed) -> Listed:
    return replace(listed, path=listed.path.removeprefix(_WIKI))
