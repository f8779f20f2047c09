"""How much the record holds, and how much of it a deletion would take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from ken.domain.trace import CaptureTier
from ken.storage.database import Database
from ken.storage.schema import (
    calls,
    conversations,
    documents,
    feedback,
    named_documents,
    named_titles,
    rollups,
    span_batches,
    trace_details,
    traces,
)

_TABLES = ("traces", "trace_details", "span_batches", "traced_passages", "rollups", "calls", "turns", "cached_answers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What the record holds."""

    traces: Mapping[CaptureTier, int]
    """By what is kept of them."""
    with_texts: int
    with_spans: int
    rollups: int
    """Rows."""
    calls: int
    """Single calls in the ledger."""
    oldest_at: float | None
    """When the oldest trace began, seconds since the epoch; None: there is none."""
    newest_at: float | None
    database_bytes: int
    """Of the whole database, documents included."""
    table_bytes: Mapping[str, int]
    """Of the tables that grow with questions, their indexes included, where the database tells; else empty."""


class RecordOverview:
    """Reads it; a few hundredths of a second at a million traces."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self) -> Overview:
        """Count and weigh. Raises StorageError."""
        with self._database.read() as connection:
            by_tier = sa.select(traces.c.capture, sa.func.count().label("traces")).group_by(traces.c.capture)
            oldest, newest = connection.execute(
                sa.select(sa.func.min(traces.c.started_at), sa.func.max(traces.c.started_at))
            ).one()
            return Overview(
                traces={row.capture: row.traces for row in connection.execute(by_tier)},
                with_texts=_count(connection, trace_details),
                with_spans=connection.scalar(
                    sa.select(sa.func.count()).select_from(span_batches).where(span_batches.c.number == 0)
                )
                or 0,
                rollups=_count(connection, rollups),
                calls=_count(connection, calls),
                oldest_at=oldest,
                newest_at=newest,
                database_bytes=_bytes(connection),
                table_bytes=_table_bytes(connection),
            )

    def of_principal(self, principal: str) -> int:
        """How many traces somebody has."""
        own = sa.select(sa.func.count()).select_from(traces).where(traces.c.principal == principal)
        with self._database.read() as connection:
            return connection.scalar(own) or 0

    def talks_of_principal(self, principal: str) -> tuple[int, int]:
        """How many conversations somebody has, and on how many answers they said something."""
        own = sa.select(sa.func.count()).select_from(conversations).where(conversations.c.principal == principal)
        said = sa.select(sa.func.count()).select_from(feedback).where(feedback.c.principal == principal)
        with self._database.read() as connection:
            return connection.scalar(own) or 0, connection.scalar(said) or 0

    def of_document(self, document_id: str) -> int:
        """How many traces name a document in their answer, by its id or, where nothing else tells it, its title."""
        title = sa.select(documents.c.title).where(documents.c.id == document_id)
        by_id = sa.select(named_documents.c.trace_id).where(named_documents.c.document_id == document_id)
        by_title = sa.select(named_titles.c.trace_id).where(named_titles.c.title.in_(title))
        named = by_id.union(by_title).subquery()
        with self._database.read() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(named)) or 0

    def older_than(self, horizon: float) -> int:
        """How many traces began before a time, seconds since the epoch."""
        old = sa.select(sa.func.count()).select_from(traces).where(traces.c.started_at < horizon)
        with self._database.read() as connection:
            return connection.scalar(old) or 0


def _count(connection: sa.Connection, table: sa.Table) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def _bytes(connection: sa.Connection) -> int:
    if connection.dialect.name == "postgresql":
        return int(connection.scalar(sa.text("SELECT pg_database_size(current_database())")) or 0)
    pages, size = connection.scalar(sa.text("PRAGMA page_count")), connection.scalar(sa.text("PRAGMA page_size"))
    return int(pages or 0) * int(size or 0)


def _table_bytes(connection: sa.Connection) -> dict[str, int]:
    """What PostgreSQL tells at once; SQLite would have to read the whole file for it."""
    if connection.dialect.name != "postgresql":
        return {}
    size = sa.text("SELECT pg_total_relation_size(CAST(:name AS regclass))")
    return {name: int(connection.scalar(size, {"name": name}) or 0) for name in _TABLES}
