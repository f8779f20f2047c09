"""Sources, the state of each document that they list, and every sync."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, cast

import sqlalchemy as sa

from ken.storage.database import Database
from ken.storage.schema import documents, listings, sources, syncs
from ken.storage.upsert import upsert

ListingState = Literal["current", "failed", "waiting", "skipped", "held"]
"""current: taken. failed: can't be read. waiting: could not be had, tried again later. skipped: in no format that Ken
reads. held: gone from the source, and kept because too much went at once."""

SyncState = Literal["running", "finished", "failed", "interrupted"]

_BATCH = 500
_KEPT_SYNCS = 200
"""Rows kept of each source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where documents come from. Times are seconds since the epoch."""

    id: str
    kind: str
    location: str
    """For people: a path, an address without secrets."""
    collection: str
    default_groups: frozenset[str]
    policy: str = ""
    """Names the rules on who may read its documents; under other rules each document is looked at anew."""
    synced_at: float | None = None
    cursor: str | None = None
    listed_at: float | None = None
    """When it was last listed as a whole."""
    problem: str = ""
    """Why its last sync did not end well; empty where it did."""
    problem_since: float | None = None
    attempts: int = 0
    """Syncs in a row that did not end well."""
    next_try: float | None = None
    documents: int = 0
    failures: tuple[tuple[str, str], ...] = ()
    """Path and reason of each document that could not be taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A document as its source last listed it. Times are seconds since the epoch."""

    path: str
    state: ListingState
    since: float
    reason: str = ""
    attempts: int = 0
    next_try: float | None = None
    stamp: str | None = None
    version: str = ""
    """The version that its content had when it was last read, taken or not."""
    groups: frozenset[str] | None = None
    """Who may read it, by the source."""
    about: Mapping[str, str] | None = None
    """What was said of it when it was pushed; only pushed documents need it, to be read anew."""
    fetched_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncRow:
    """One sync. Times are seconds since the epoch."""

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
    """None while the source is still listing."""
    path: str
    added: int
    changed: int
    unchanged: int
    deleted: int
    failed: int
    skipped: int
    passages: int
    corpus_version: int | None


class Sources:
    """The aggregate."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> tuple[Source, ...]:
        """Every source with its document count and what it could not take."""
        with self._database.read() as connection:
            current = sa.select(documents.c.source, sa.func.count()).where(documents.c.current)
            counts = {source: int(count) for source, count in connection.execute(current.group_by(documents.c.source))}
            failed: dict[str, list[tuple[str, str]]] = {}
            query = sa.select(listings.c.source, listings.c.path, listings.c.reason)
            bad = listings.c.state.in_(("failed", "waiting"))
            for row in connection.execute(query.where(bad).order_by(listings.c.path)):
                failed.setdefault(row.source, []).append((row.path, row.reason))
            rows = connection.execute(sa.select(sources).order_by(sources.c.id)).mappings().all()
        return tuple(_source(row, counts.get(row["id"], 0), tuple(failed.get(row["id"], ()))) for row in rows)

    def get(self, source_id: str) -> Source | None:
        """One source, without its documents' figures; None where it was never synced."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(sources).where(sources.c.id == source_id)).mappings().first()
        return None if row is None else _source(row, 0, ())

    def put(self, source: Source) -> None:
        """Write what is known of a source."""
        values = {name: value for name, value in asdict(source).items() if name in sources.c}
        values["default_groups"] = sorted(source.default_groups)
        with self._database.write() as connection:
            upsert(connection, sources, rows=[values])

    def forget(self, source_id: str) -> None:
        """Delete a source whose documents are deleted already, with its listings and syncs."""
        with self._database.write() as connection:
            for table, column in ((listings, listings.c.source), (syncs, syncs.c.source), (sources, sources.c.id)):
                connection.execute(sa.delete(table).where(column == source_id))

    def adopt(self, source_id: str, *, by: str) -> None:
        """Hand the documents of a source over to another one: the same place has another name now."""
        with self._database.write() as connection:
            connection.execute(sa.update(documents).where(documents.c.source == source_id).values(source=by))
            connection.execute(sa.delete(listings).where(listings.c.source == by))
            connection.execute(sa.update(listings).where(listings.c.source == source_id).values(source=by))
            connection.execute(sa.update(syncs).where(syncs.c.source == source_id).values(source=by))
            connection.execute(sa.delete(sources).where(sources.c.id == source_id))

    def listings(self, source_id: str) -> dict[str, Listing]:
        """What is known of each document of a source, by path."""
        columns = [column for column in listings.c if column.name != "source"]
        query = sa.select(*columns).where(listings.c.source == source_id).order_by(listings.c.path)
        with self._database.read() as connection:
            return {row[0]: _listing(row) for row in connection.execute(query)}

    def listing(self, source_id: str, path: str) -> Listing | None:
        """What is known of one document of a source."""
        columns = [column for column in listings.c if column.name != "source"]
        query = sa.select(*columns).where(listings.c.source == source_id, listings.c.path == path)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else _listing(row)

    def note(self, source_id: str, changed: Iterable[Listing], *, gone: Sequence[str] = ()) -> None:
        """Write what is known now of some documents of a source, and forget others."""
        rows = [
            asdict(each) | {"source": source_id, "groups": None if each.groups is None else sorted(each.groups)}
            for each in changed
        ]
        if not rows and not gone:
            return
        with self._database.write(durable=False) as connection:
            for at in range(0, len(gone), _BATCH):
                some = gone[at : at + _BATCH]
                connection.execute(sa.delete(listings).where(listings.c.source == source_id, listings.c.path.in_(some)))
                named = sa.and_(syncs.c.source == source_id, syncs.c.path.in_(some))
                connection.execute(sa.update(syncs).where(named).values(path=""))
            if rows:
                upsert(connection, listings, rows=rows)

    def begin(self, source_id: str, collection: str) -> int:
        """Open a sync; one of this source that still reads `running` was interrupted. The source's lock is held."""
        now = time.time()
        with self._database.write(durable=False) as connection:
            own = syncs.c.source == source_id
            connection.execute(
                sa.update(syncs)
                .where(own, syncs.c.state == "running")
                .values(state="interrupted", ended_at=syncs.c.seen_at, reason="Its process ended in the middle of it.")
            )
            kept = sa.select(syncs.c.id).where(own).order_by(syncs.c.id.desc()).limit(_KEPT_SYNCS)
            connection.execute(sa.delete(syncs).where(own, syncs.c.id.not_in(kept.scalar_subquery())))
            counted = dict.fromkeys(
                ("done", "added", "changed", "unchanged", "deleted", "failed", "skipped", "passages"), 0
            )
            found = connection.execute(
                sa.insert(syncs).values(
                    source=source_id,
                    collection=collection,
                    state="running",
                    reason="",
                    started_at=now,
                    seen_at=now,
                    path="",
                    **counted,
                )
            )
            return int(cast("tuple[int]", found.inserted_primary_key)[0])

    def tell(self, sync_id: int, **values: object) -> None:
        """Write how far a sync is, or how it ended."""
        with self._database.write(durable=False) as connection:
            connection.execute(sa.update(syncs).where(syncs.c.id == sync_id).values(seen_at=time.time(), **values))

    def changed_since(self, at: float) -> int:
        """How many documents syncs that ended after a moment have added, changed and deleted; one that changed twice counts twice."""
        total = sa.func.coalesce(sa.func.sum(syncs.c.added + syncs.c.changed + syncs.c.deleted), 0)
        with self._database.read() as connection:
            return int(connection.scalar(sa.select(total).where(syncs.c.ended_at > at)) or 0)

    def syncs(self, *, source: str | None = None, limit: int = 50) -> tuple[SyncRow, ...]:
        """The last syncs, of one source or of all, the newest first."""
        query = sa.select(syncs).order_by(syncs.c.id.desc()).limit(limit)
        if source is not None:
            query = query.where(syncs.c.source == source)
        with self._database.read() as connection:
            return tuple(SyncRow(**row) for row in connection.execute(query).mappings())


def _source(row: sa.RowMapping, count: int, failures: tuple[tuple[str, str], ...]) -> Source:
    values: dict[str, Any] = {**row, "default_groups": frozenset(row["default_groups"])}
    return Source(**values, documents=count, failures=failures)


def _listing(row: sa.Row[Any]) -> Listing:
    groups = row.groups
    return Listing(
        path=row.path,
        state=row.state,
        since=row.since,
        reason=row.reason,
        attempts=row.attempts,
        next_try=row.next_try,
        stamp=row.stamp,
        version=row.version,
        groups=None if groups is None else frozenset(groups),
        about=row.about,
        fetched_at=row.fetched_at,
    )
