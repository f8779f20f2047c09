"""A source whose every answer a test decides: documents on a shelf, behind the seam of all sources."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from ken.domain.document import Metadata
from ken.knowledge.permissions import Policy
from ken.knowledge.sources.source import Change, Complete, Fetched, Gone, Listed
from ken.knowledge.sync import SyncOptions, SyncReport
from ken.storage.sources import Source
from ken.wiring import Ken


@dataclass
class Shelf:
    """Its documents, what it says of their changes, and what goes wrong with it."""

    papers: dict[str, str] = field(default_factory=dict[str, str])
    stamps: dict[str, str] = field(default_factory=dict[str, str])
    groups: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    titles: dict[str, str] = field(default_factory=dict[str, str])
    troubles: dict[str, Exception] = field(default_factory=dict[str, Exception])
    """By path: raised instead of giving the document."""
    ends: Exception | None = None
    """Raised in place of the end of the listing."""
    gone: tuple[str, ...] = ()
    is_whole: bool = True
    extra: tuple[Change, ...] = ()
    location: str = "a shelf"
    concurrency: int = 1
    cursors: list[str | None] = field(default_factory=list[str | None])
    fetched: list[str] = field(default_factory=list[str])

    async def changes(self, cursor: str | None) -> AsyncIterator[Change]:
        """List the papers."""
        self.cursors.append(cursor)
        for path in self.papers:
            yield Listed(path=path, stamp=self.stamps.get(path))
        for change in (*self.extra, *map(Gone, self.gone)):
            yield change
        if self.ends is not None:
            raise self.ends
        yield Complete(cursor=f"after {len(self.cursors)}", is_whole=self.is_whole)

    async def fetch(self, listed: Listed) -> Fetched:
        """Give a paper."""
        self.fetched.append(listed.path)
        if listed.path in self.troubles:
            raise self.troubles[listed.path]
        about = Metadata(title=self.titles.get(listed.path))
        return Fetched(data=self.papers[listed.path].encode(), about=about, url=f"https://shelf.example/{listed.path}")

    async def permissions(self, listed: Listed) -> frozenset[str] | None:
        """Tell who may read it."""
        return self.groups.get(listed.path)

    async def aclose(self) -> None:
        """Nothing is held."""


async def sync_shelf(
    ken: Ken, shelf: Shelf, *, policy: Policy | None = None, options: SyncOptions | None = None
) -> SyncReport:
    """Sync it as the source `shelf` into the collection `shelf`."""
    source = Source(id="shelf", kind="shelf", location="", collection="shelf", default_groups=frozenset({"everyone"}))
    return await ken.library.sync(source, shelf, policy=policy, options=options)
