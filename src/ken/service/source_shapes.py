"""The JSON shapes of sources, syncs and snapshots. Times are seconds since the epoch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ken.service.shapes import Shape, Text
from ken.storage.sources import ListingState, SyncState


def _in_order(groups: Iterable[str]) -> list[str]:
    return sorted(groups)


class SourceShape(Shape):
    """Where documents come from, and how its last sync went."""

    id: str
    kind: str
    location: str
    collection: str
    default_groups: Annotated[list[str], BeforeValidator(_in_order)]
    """Who may read documents of which nothing else is said."""
    documents: int
    not_taken: int = 0
    """How many more there are that can't be read, or could not be had."""
    synced_at: float | None
    listed_at: float | None
    problem: str
    problem_since: float | None
    attempts: int
    next_try: float | None
    next_sync: float | None = None
    """When it is due, by its schedule."""
    schedule: str = ""
    """In ken.toml's words: `every 6h`, `cron 0 4 * * *`, `when its folder changes`; empty where it is synced only when asked for."""
    is_named: bool = False
    """Whether ken.toml names it: it can be synced now, and comes back when it is deleted here."""
    is_running: bool = False


class ListingShape(Shape):
    """A document of a source: its state, since when, why, and when it is tried again."""

    path: str
    state: ListingState
    since: float
    reason: str
    attempts: int
    next_try: float | None
    fetched_at: float


class ListingPage(BaseModel):
    """Some of a source's documents, by path."""

    documents: list[ListingShape]
    next: str | None
    counts: dict[ListingState, int]
    """How many are in each state, whatever was asked for."""


class SyncShape(Shape):
    """One sync. `total` is null while the source is still listing."""

    id: int
    source: str
    collection: str
    state: SyncState
    reason: str
    started_at: float
    seen_at: float
    ended_at: float | None
    done: int
    total: int | None
    path: str
    added: int
    changed: int
    unchanged: int
    deleted: int
    failed: int
    skipped: int
    passages: int
    corpus_version: int | None


class SyncRequest(BaseModel):
    """Which source to sync now."""

    model_config = ConfigDict(extra="forbid")

    source: Text


_DATE = r"^\d{4}-\d\d-\d\d$"


class PushedAs(BaseModel):
    """What is said of a document that is pushed; dates are ISO 8601 calendar dates."""

    model_config = ConfigDict(extra="forbid")

    groups: Text | None = None
    """Who may read it, comma-separated."""
    title: Text | None = None
    owner: Text | None = None
    url: Text | None = None
    """Where people open it."""
    modified: Annotated[str, Field(pattern=_DATE)] | None = None
    effective: Annotated[str, Field(pattern=_DATE)] | None = None
    review_by: Annotated[str, Field(pattern=_DATE)] | None = None


class SnapshotShape(Shape):
    """A corpus version that can be used."""

    corpus_version: int
    content: int
    made_at: float
    source: str
    documents: int
    added: int
    changed: int
    deleted: int
    is_in_use: bool


class UseRequest(BaseModel):
    """Which corpus version to serve; null for the newest, and what comes."""

    model_config = ConfigDict(extra="forbid")

    corpus_version: Annotated[int, Field(ge=0)] | None = None


class DifferenceShape(Shape):
    """Document ids by what became of them."""

    added: list[str]
    changed: list[str]
    removed: list[str]


class TextsShape(Shape):
    """A document's parsed text in two corpus versions; null where that one doesn't have it, or its text is kept no longer."""

    document_id: str
    old: str | None
    new: str | None
