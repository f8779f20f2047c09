"""Confluence as a source: the pages, blog posts and attachments of its spaces, with the restrictions on them.

Cloud wants an e-mail address with the token; Data Center a personal access token alone.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from ken.domain.document import Metadata
from ken.errors import SourceMisbehaves, Unreadable
from ken.knowledge.parse.formats import media_type
from ken.knowledge.sources.client import Client, ClientLimits
from ken.knowledge.sources.confluence_restrictions import NOBODY, Restrictions
from ken.knowledge.sources.confluence_sites import BodyFormat, CloudSite, Content, DataCenterSite, Site, Space
from ken.knowledge.sources.confluence_storage import page_html
from ken.knowledge.sources.rest import RestServer
from ken.knowledge.sources.source import Change, Complete, Fetched, Listed, Unlisted

_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_DEEPEST = 200
_PAGES = ("page", "blogpost")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfluenceScope:
    """Which part of a site is a source, and how it is read."""

    spaces: tuple[str, ...] | None = None
    """Keys; None for every space that the token may see."""
    blog_posts: bool = True
    attachments: bool = True
    """Those in formats that Ken reads."""
    body: BodyFormat = "storage"
    """What authors wrote, or `export_view`: HTML with the output of macros, which takes the server longer."""
    space_groups: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """Who may read a space, by its key: all groups and users that its permissions name. They hold beside restrictions."""


class ConfluenceConnector:
    """A Confluence site. Every listing is whole, and a document's stamp is the number of its version.

    Readers are named by their groups' names and as `user:<accountId>` (`user:<username>` on Data Center); a group called
    `everyone`, `operators` or `user:...` there is called `group:<name>` here. Somebody has to be named by each restriction
    on the way from the space to the page, also as a user by one and through a group by another; what leaves nobody is open
    to operators alone. Raises SourceMisbehaves for a base address that is none.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        email: str | None = None,
        scope: ConfluenceScope = ConfluenceScope(),
        allowed_hosts: frozenset[str] = frozenset(),
        limits: ClientLimits | None = None,
    ) -> None:
        key = f"Basic {base64.b64encode(f'{email}:{token}'.encode()).decode()}" if email else f"Bearer {token}"
        headers = {"authorization": key, "accept": "application/json"}
        self._client = Client(allowed_hosts=allowed_hosts, headers=headers, limits=limits or ClientLimits())
        self._server = RestServer(base_url, client=self._client)
        self._site: Site = CloudSite(self._server) if email else DataCenterSite(self._server)
        self._scope = scope
        self._restrictions = Restrictions(self._server)
        self._parents: dict[str, tuple[str, str] | None] = {}
        self._attached: Mapping[str, list[Content]] | None = None

    @property
    def location(self) -> str:
        """The address, with the spaces where they were named."""
        spaces = self._scope.spaces
        return f"{self._server.location} {', '.join(spaces)}" if spaces else self._server.location

    @property
    def concurrency(self) -> int:
        """Four: sites count requests, and slow down whoever sends many at once."""
        return 4

    async def changes(self, cursor: str | None) -> AsyncIterator[Change]:
        """List everything. A space that was named and can't be seen keeps what Ken has of it."""
        del cursor
        self._restrictions.forget()
        self._parents.clear()
        await self._restrictions.refuse_strangers()
        spaces = [space async for space in self._site.spaces(self._scope.spaces)]
        for key in sorted(set(self._scope.spaces or ()) - {space.key for space in spaces}):
            yield Unlisted(
                key, f"There is no space {key!r}, or the token may not see it. Check its key and its permissions."
            )
        # Of a whole site, in a request for every 250; of a part of it, page by page.
        is_whole_site = self._scope.attachments and self._scope.spaces is None
        self._attached = await self._site.all_attachments() if is_whole_site else None
        for space in spaces:
            for kind in _PAGES if self._scope.blog_posts else _PAGES[:1]:
                async for change in self._listed(space, kind):
                    yield change
        # Somebody whose token expires while we list is shown empty pages, which must not be taken for deletions.
        await self._restrictions.refuse_strangers()
        yield Complete()

    async def _listed(self, space: Space, kind: str) -> AsyncIterator[Change]:
        contents = [content async for content in self._site.contents(space, kind)]
        self._parents.update((content.id, content.parent) for content in contents)
        await self._restrictions.look_up([_checked(content.id) for content in contents])
        folder = f"{_folder(space.key)}/blog" if kind == "blogpost" else _folder(space.key)
        for content in contents:
            stamp = f"{self._scope.body}/{content.version}" if content.version else None
            yield Listed(path=f"{folder}/{content.id}.html", key=f"{kind}|{space.key}|{content.id}", stamp=stamp)
            async for attachment in self._attachments(content):
                yield _listed_attachment(attachment, content, f"{folder}/{content.id}", space.key)

    async def _attachments(self, content: Content) -> AsyncIterator[Content]:
        if self._attached is not None:
            for attachment in self._attached.get(content.id, []):
                yield attachment
        elif self._scope.attachments and content.has_attachments:
            async for attachment in self._site.attachments(content):
                yield attachment

    async def fetch(self, listed: Listed) -> Fetched:
        """Read one page as HTML, or one attachment as it is."""
        kind, _, content_id, *_ = listed.key.split("|")
        content = await self._site.content(kind, content_id, body=None if kind == "attachment" else self._scope.body)
        if content is None:
            raise Unreadable(f"{listed.path!r} is no longer in Confluence, or the token may not read it. Sync again.")
        about = Metadata(title=content.title or None, modified=content.modified)
        url = f"{self._server.location}{content.page}" if content.page.startswith("/") else None
        if kind == "attachment":
            return Fetched(data=await self._downloaded(content, listed.path), about=about, url=url)
        if content.body is None:
            raise Unreadable(
                f"{listed.path!r} came without its body in the format {self._scope.body!r}. Try the other one: `body`."
            )
        told = page_html(content.body, title=content.title, is_storage=self._scope.body == "storage")
        return Fetched(data=told.encode(errors="replace"), about=about, url=url)

    async def _downloaded(self, content: Content, path: str) -> bytes:
        reply = await self._server.reply(content.download) if content.download else None
        if reply is None:
            raise Unreadable(
                f"{path!r} can't be downloaded: its file is not there. Open it in Confluence, and sync again."
            )
        return reply.body

    async def permissions(self, listed: Listed) -> frozenset[str] | None:
        """Those whom every restriction from the space to the page names; an attachment has the readers of its page."""
        # Of an attachment, the last two are those of its page.
        _, space, *_, content_id = listed.key.split("|")
        kind = listed.key.split("|")[-2] if listed.key.startswith("attachment|") else listed.key.split("|")[0]
        readers = self._scope.space_groups.get(space)
        chain = await self._chain(kind, content_id)
        if chain is None:
            return NOBODY
        for above in chain:
            named = await self._restrictions.readers(above)
            if named is not None:
                readers = named if readers is None else await self._restrictions.both(readers, named)
        return readers

    async def _chain(self, kind: str, content_id: str) -> list[str] | None:
        """The content and all that it lies in, by id; None where that can't be found out."""
        chain: list[str] = []
        place: tuple[str, str] | None = (kind, content_id)
        while place is not None:
            kind, content_id = place
            if content_id in chain or len(chain) >= _DEEPEST:
                return None
            chain.append(content_id)
            if content_id not in self._parents:
                found = await self._site.content(kind, content_id)
                if found is None:
                    return None
                self._parents[content_id] = found.parent
            place = self._parents[content_id]
        return chain

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _listed_attachment(attachment: Content, page: Content, folder: str, space: str) -> Change:
    suffix = os.path.splitext(attachment.title)[1].lower()  # noqa: PTH122 - a name on a server
    path = f"{folder}/{_checked(attachment.id)}{suffix if media_type(attachment.title) else ''}"
    if media_type(attachment.title) is None:
        return Unlisted(path, f"{attachment.title[:100]!r} is in no format that Ken reads.", is_foreign=True)
    return Listed(
        path=path,
        key=f"attachment|{space}|{attachment.id}|{page.kind}|{page.id}",
        stamp=attachment.version or None,
        size=attachment.size,
    )


def _checked(content_id: str) -> str:
    if not _ID.fullmatch(content_id):
        raise SourceMisbehaves(f"Confluence gives {content_id[:80]!r} for an id, which is none of its documented kind.")
    return content_id


def _folder(space: str) -> str:
    """A space's key as a part of a path."""
    return quote(space, safe="~@+").replace(".", "%2E")
