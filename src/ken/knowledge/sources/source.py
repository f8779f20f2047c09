"""The seam of every source: list what changed since a cursor, fetch one document, tell who may read it.

A connector knows one kind of place and nothing of Ken's index: the sync (knowledge/sync.py) asks it and does the rest.
It is used by one sync at a time, from one event loop; what blocks goes to a thread.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Protocol

from ken.domain.document import Metadata


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A document as its source lists it."""

    path: str
    """Names it in its collection and never changes with its title: `/` between parts, no part empty, `.` or `..`. The
    suffix of the last part says its format (knowledge/parse/formats.py)."""
    key: str = ""
    """What the source fetches it by, where that is not the path."""
    stamp: str | None = None
    """Changes whenever the content does: a digest, an ETag, a revision. None where the source has nothing that can be
    trusted with that; then the document is fetched at every sync and compared by its content."""
    is_digest: bool = False
    """Whether the stamp is made of the content itself (and of nothing that a source could get wrong), so that it can't lie."""
    size: int | None = None
    """Bytes, where the source says so."""


@dataclass(frozen=True, slots=True)
class Gone:
    """The source says that a document was deleted (only a listing that is not whole needs to)."""

    path: str


@dataclass(frozen=True, slots=True)
class Unlisted:
    """Something is there and can't be taken: it is reported, and what Ken has of it, or below it, stays as it was."""

    path: str
    reason: str
    """What is wrong and what to do about it, in plain words."""
    is_foreign: bool = False
    """True where it is in no format that Ken reads: counted as skipped, not as failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Complete:
    """The end of a listing, always the last of it: without it, nothing is deleted and the cursor stays."""

    cursor: str | None = None
    """Where the next listing may begin; None where every listing is whole."""
    is_whole: bool = True
    """Whether everything that the source has was listed, so that what was not is gone."""


Change = Listed | Gone | Unlisted | Complete


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A document as its source gave it."""

    data: bytes
    about: Metadata = field(default_factory=Metadata)
    """What the source knows of it and the document itself may not say. Groups come from `permissions`, not from here."""
    url: str | None = None
    """Where people open it."""


class Connector(Protocol):
    """One place where documents live.

    Every method raises SourceDown (it can't be reached, or asks to wait: tried again later), SourceDenied (it doesn't let
    us in), SourceMisbehaves (it breaks its own protocol) for the whole source; `fetch` and `permissions` raise Unreadable
    where only this document can't be had.
    """

    @property
    def location(self) -> str:
        """Where it is, for people: a path, an address without secrets."""
        ...

    @property
    def concurrency(self) -> int:
        """How many documents may be fetched at once."""
        ...

    def changes(self, cursor: str | None) -> AsyncIterator[Change]:
        """List what there is, or what changed since `cursor` (one that this connector gave; None for everything)."""
        ...

    async def fetch(self, listed: Listed) -> Fetched:
        """Read one document."""
        ...

    async def permissions(self, listed: Listed) -> frozenset[str] | None:
        """The groups that may read it, by the source's own rules; None where the source has none. Empty: nobody but operators."""
        ...

    async def aclose(self) -> None:
        """Let go of connections and temporary files."""
        ...
