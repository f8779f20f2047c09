"""The two interfaces of Confluence, as one: Cloud's version 2, and that of Data Center, which Cloud is taking out of service.

https://developer.atlassian.com/cloud/confluence/rest/v2/ and https://developer.atlassian.com/server/confluence/rest/.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from ken.knowledge.sources.paging import Paging
from ken.knowledge.sources.rest import RestServer
from ken.knowledge.sources.shapes import Fields, at, day, fields, listed, number, promised_list, text

BodyFormat = Literal["storage", "export_view"]

_PLURALS = {
    "page": "pages",
    "blogpost": "blogposts",
    "attachment": "attachments",
    "folder": "folders",
    "whiteboard": "whiteboards",
    "database": "databases",
    "embed": "embeds",
}


@dataclass(frozen=True, slots=True)
class Space:
    """A space: its key, and the id by which Cloud asks for it."""

    key: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A page, a blog post or an attachment, or something that pages can lie in."""

    kind: str
    id: str
    title: str
    version: str = ""
    parent: tuple[str, str] | None = None
    """Kind and id of what it lies in; None at the top of its space."""
    container: str = ""
    """Of an attachment, the id of its page."""
    size: int | None = None
    has_attachments: bool = True
    """False where the server says that there are none."""
    modified: str | None = None
    page: str = ""
    """Where people open it, below the base address."""
    download: str = ""
    body: str | None = None


class Site(Protocol):
    """What the connector asks of either interface. All raise as RestServer does."""

    def spaces(self, keys: tuple[str, ...] | None) -> AsyncIterator[Space]:
        """The spaces with these keys, or all that we may see."""
        ...

    def contents(self, space: Space, kind: str) -> AsyncIterator[Content]:
        """The current pages or blog posts of a space, without their bodies."""
        ...

    def attachments(self, content: Content) -> AsyncIterator[Content]:
        """The attachments of a page or blog post."""
        ...

    async def all_attachments(self) -> Mapping[str, list[Content]] | None:
        """All attachments of the site, by their page; None where they have to be asked for page by page."""
        ...

    async def content(self, kind: str, content_id: str, *, body: BodyFormat | None = None) -> Content | None:
        """One content, None where there is none for us; with its body where a format is named."""
        ...


async def _paged(server: RestServer, place: str, params: Mapping[str, str]) -> AsyncIterator[Fields]:
    """The results of a listing: each page names the next in `_links.next`, to be followed as it is written."""
    paging = Paging(repr(server.address(place)))
    wanted: Mapping[str, str] | None = params
    while True:
        answer = await server.page(place, params=wanted)
        results = promised_list(answer, "results", url=server.address(place).partition("?")[0])
        for result in results:
            yield result
        following = text(answer, "_links", "next")
        if not following:
            return
        paging.turn(following, [text(result, "id") for result in results])
        place, wanted = following, None


def _is_current(found: Fields) -> bool:
    return text(found, "status") in {"", "current"}


class CloudSite:
    """Confluence Cloud, by its interface of version 2."""

    def __init__(self, server: RestServer) -> None:
        self._server = server

    async def spaces(self, keys: tuple[str, ...] | None) -> AsyncIterator[Space]:
        """See Site."""
        params = {"limit": "250", "status": "current"} | ({"keys": ",".join(keys)} if keys else {})
        async for found in _paged(self._server, "/api/v2/spaces", params):
            if keys is None or text(found, "key") in keys:
                yield Space(text(found, "key"), text(found, "id"))

    async def contents(self, space: Space, kind: str) -> AsyncIterator[Content]:
        """See Site."""
        place = f"/api/v2/spaces/{space.id}/{_PLURALS[kind]}"
        async for found in _paged(self._server, place, {"limit": "250", "status": "current"}):
            if _is_current(found):
                yield _cloud_content(found, kind)

    async def attachments(self, content: Content) -> AsyncIterator[Content]:
        """See Site."""
        place = f"/api/v2/{_PLURALS[content.kind]}/{content.id}/attachments"
        async for found in _paged(self._server, place, {"limit": "250", "status": "current"}):
            if _is_current(found):
                yield _cloud_content(found, "attachment", container=content.id)

    async def all_attachments(self) -> Mapping[str, list[Content]] | None:
        """See Site."""
        by_page: dict[str, list[Content]] = {}
        async for found in _paged(self._server, "/api/v2/attachments", {"limit": "250", "status": "current"}):
            if _is_current(found):
                attachment = _cloud_content(found, "attachment")
                by_page.setdefault(attachment.container, []).append(attachment)
        return by_page

    async def content(self, kind: str, content_id: str, *, body: BodyFormat | None = None) -> Content | None:
        """See Site."""
        if kind not in _PLURALS:
            return None
        params = {"body-format": body} if body else None
        found = fields(await self._server.get(f"/api/v2/{_PLURALS[kind]}/{content_id}", params=params))
        return _cloud_content(found, kind, body=body) if found and _is_current(found) else None


def _cloud_content(found: Fields, kind: str, *, container: str = "", body: str | None = None) -> Content:
    parent = text(found, "parentId")
    written = at(found, "body", body or "", "value")
    return Content(
        kind=kind,
        id=text(found, "id"),
        title=text(found, "title"),
        version=text(found, "version", "number"),
        parent=(text(found, "parentType") or "page", parent) if parent else None,
        container=container or text(found, "pageId") or text(found, "blogPostId"),
        size=number(found, "fileSize"),
        modified=day(found, "version", "createdAt"),
        page=text(found, "_links", "webui") or text(found, "webuiLink"),
        download=text(found, "downloadLink") or text(found, "_links", "download"),
        body=written if isinstance(written, str) else None,
    )


class DataCenterSite:
    """Confluence Data Center, by its only interface."""

    def __init__(self, server: RestServer) -> None:
        self._server = server

    async def spaces(self, keys: tuple[str, ...] | None) -> AsyncIterator[Space]:
        """See Site."""
        async for found in _paged(self._server, "/rest/api/space", {"limit": "200", "status": "current"}):
            if keys is None or text(found, "key") in keys:
                yield Space(text(found, "key"), text(found, "id"))

    async def contents(self, space: Space, kind: str) -> AsyncIterator[Content]:
        """See Site."""
        expanded = "version,ancestors,childTypes.attachment"
        params = {"spaceKey": space.key, "type": kind, "status": "current", "limit": "100", "expand": expanded}
        async for found in _paged(self._server, "/rest/api/content", params):
            if _is_current(found):
                yield _center_content(found, kind)

    async def attachments(self, content: Content) -> AsyncIterator[Content]:
        """See Site."""
        place = f"/rest/api/content/{content.id}/child/attachment"
        async for found in _paged(self._server, place, {"limit": "200", "expand": "version"}):
            if _is_current(found):
                yield _center_content(found, "attachment", container=content.id)

    async def all_attachments(self) -> Mapping[str, list[Content]] | None:
        """None: each page says whether it has any, so few are asked."""
        return None

    async def content(self, kind: str, content_id: str, *, body: BodyFormat | None = None) -> Content | None:
        """See Site."""
        expanded = "version,ancestors" + (f",body.{body}" if body else "")
        found = fields(await self._server.get(f"/rest/api/content/{content_id}", params={"expand": expanded}))
        return _center_content(found, kind, body=body) if found and _is_current(found) else None


def _center_content(found: Fields, kind: str, *, container: str = "", body: str | None = None) -> Content:
    ancestors = listed(found, "ancestors")
    written = at(found, "body", body or "", "value")
    return Content(
        kind=kind,
        id=text(found, "id"),
        title=text(found, "title"),
        version=text(found, "version", "number"),
        parent=(text(ancestors[-1], "type") or "page", text(ancestors[-1], "id")) if ancestors else None,
        container=container,
        size=number(found, "extensions", "fileSize"),
        has_attachments=at(found, "childTypes", "attachment", "value") is not False,
        modified=day(found, "version", "when"),
        page=text(found, "_links", "webui"),
        download=text(found, "_links", "download"),
        body=written if isinstance(written, str) else None,
    )
