"""A SQL query as a source: each row of it is a document. SQLite files and PostgreSQL.

The database only reads: SQLite opens its file for reading, PostgreSQL gets a transaction that can't write. A listing runs
the query once, in one snapshot, and puts its rows into a temporary file without a name, from which they are fetched: memory
stays bounded, and no document is asked for by a query of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import NullPool

from ken.domain.document import Metadata
from ken.errors import InvalidInput, SourceDenied, SourceDown, SourceError, SourceMisbehaves, Unreadable
from ken.knowledge.sources.path_part import path_part
from ken.knowledge.sources.source import Change, Complete, Fetched, Listed, Unlisted
from ken.knowledge.sources.sql_query import one_select
from ken.knowledge.sources.sql_row import SqlColumns, SqlRow, document_row, row_id

_STEPS_BETWEEN_LOOKS = 10_000
_LONGEST_SHOWN = 300

_SPOOL = """
PRAGMA journal_mode = OFF;
CREATE TABLE rows (number INTEGER PRIMARY KEY, id TEXT UNIQUE, path, stamp, size, text, title, modified, groups, url);
CREATE TABLE refused (path, reason);
"""

# Classes and codes of SQLSTATE (PostgreSQL, appendix A): by the longest that the code begins with.
_STATES: dict[str, tuple[type[SourceError], str]] = {
    "28": (SourceDenied, "The database doesn't let us in: check the user and the password."),
    "42501": (SourceDenied, "The database's user may not read that: grant it SELECT."),
    "25006": (SourceDenied, "The query writes, and only reading is allowed."),
    "57014": (SourceDown, "The query took longer than its time limit: make it faster, or raise the limit."),
    "42": (SourceMisbehaves, "The query can't be run: mend it."),
    "22": (SourceMisbehaves, "The query failed over a value: mend it."),
    "3D": (SourceMisbehaves, "There is no such database: check the address."),
}
# The same for SQLite, which has words.
_WORDS: dict[str, tuple[type[SourceError], str]] = {
    "interrupted": _STATES["57014"],
    "readonly": _STATES["25006"],
    "unable to open": (
        SourceDown,
        "The database's file can't be opened: check its path, and that this user may read it.",
    ),
    "locked": (SourceDown, "Somebody else holds the database: it is tried again later."),
    "not a database": (SourceMisbehaves, "The file is no SQLite database: check its path."),
    "malformed": (SourceMisbehaves, "The database's file is broken: restore it."),
    "password authentication failed": _STATES["28"],
    "no password supplied": _STATES["28"],
    "no pg_hba.conf entry": _STATES["28"],
    "role ": _STATES["28"],
    "database ": _STATES["3D"],
    "no such ": _STATES["42"],
    "syntax error": _STATES["42"],
    "incomplete input": _STATES["42"],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlLimits:
    """How much is read, and for how long."""

    statement_s: float = 60
    """Seconds for the query to answer; of PostgreSQL, for each batch of it."""
    max_rows: int = 1_000_000
    max_bytes: int = 50_000_000
    """Of one document."""
    batch: int = 500
    """Rows in memory at once."""


class SqlConnector:
    """The rows of a query. A row's stamp is a digest of what Ken keeps of it; every listing is whole.

    `url` is SQLAlchemy's: `sqlite:///path/to/file.db` or `postgresql://user:password@host/database`. Raises InvalidInput
    for another database, for a query that isn't one SELECT, and where the library for PostgreSQL isn't installed.
    """

    def __init__(self, url: str, query: str, *, columns: SqlColumns, limits: SqlLimits | None = None) -> None:
        self._query = one_select(query)
        self._columns = columns
        self._limits = limits or SqlLimits()
        self._url = _checked_url(url)
        self._is_postgres = self._url.get_backend_name() == "postgresql"
        self._engine = self._postgres() if self._is_postgres else self._sqlite()
        self._rows = _Spool()
        self._turn = threading.Lock()
        if not columns.text:
            raise InvalidInput("No text columns are named: say which columns of the query are to be read.")

    @property
    def location(self) -> str:
        """The database, without user and password."""
        host = f"//{self._url.host or ''}{f':{self._url.port}' if self._url.port else ''}/" if self._is_postgres else ""
        return f"{self._url.get_backend_name()}:{host}{self._url.database}"

    @property
    def concurrency(self) -> int:
        """One: what was listed is read from one file."""
        return 1

    async def changes(self, cursor: str | None) -> AsyncIterator[Change]:
        """List every row, once the query has ended: the database is not kept busy for as long as a sync takes.

        An id that comes again, or is NULL, is reported, and the first row with it counts.
        """
        del cursor
        await asyncio.to_thread(self._rows.clear)
        batches = self._batches()
        try:
            while await asyncio.to_thread(self._next, batches):
                pass
        finally:
            await asyncio.to_thread(self._end, batches)
        seen = 0
        while listed := await asyncio.to_thread(self._rows.listed, seen, most=self._limits.batch):
            seen += len(listed)
            for change in listed:
                yield change
        for path, reason in await asyncio.to_thread(self._rows.refused):
            yield Unlisted(path, reason)
        yield Complete()

    async def fetch(self, listed: Listed) -> Fetched:
        """The row as it was when it was listed; as it is now, where this process has not listed it."""
        row = await asyncio.to_thread(self._row, listed)
        return Fetched(data=_encoded(row), about=row.about, url=row.url)

    async def permissions(self, listed: Listed) -> frozenset[str] | None:
        """What the groups column says; None without such a column."""
        return None if self._columns.groups is None else (await asyncio.to_thread(self._row, listed)).groups

    async def aclose(self) -> None:
        """Forget the rows and let go of the database."""
        await asyncio.to_thread(self._rows.close)
        await asyncio.to_thread(self._engine.dispose)

    def _keep(self, values: Mapping[str, object], number: int) -> None:
        """Put one row into the spool, or the reason why it is no document."""
        try:
            row = document_row(self._checked(values), self._columns)
        except Unreadable as error:
            self._rows.refuse(self._place(values, number), str(error))
            return
        size = len(_encoded(row))
        if size > self._limits.max_bytes:
            most = self._limits.max_bytes / 1e6
            reason = f"It has {size / 1e6:,.1f} MB; at most {most:,g} MB are read: let the query cut it."
            self._rows.refuse(row.path, reason)
        elif not self._rows.add(row, size=size):
            reason = f"Its id {row.id!r} came before: the query must give every row an id of its own."
            self._rows.refuse(f"{row.path}/row {number}", reason)

    def _place(self, values: Mapping[str, object], number: int) -> str:
        """Where to report a row that is no document: under its own path if its id can be used."""
        try:
            return f"{path_part(row_id(values[self._columns.id]))}.md"
        except Unreadable:
            return f"row {number}"

    def _row(self, listed: Listed) -> SqlRow:
        row = self._rows.get(listed.key)
        if row is not None:
            return row
        with self._turn, self._reading() as connection:
            mark, query = ("%s", self._query.replace("%", "%%")) if self._is_postgres else ("?", self._query)
            name = self._columns.id.replace('"', '""')
            found = connection.exec_driver_sql(
                f'SELECT * FROM (\n{query}\n) AS ken_rows WHERE CAST(ken_rows."{name}" AS TEXT) = {mark}',  # noqa: S608
                (listed.key,),
            ).mappings()
            values = found.first()
        if values is None:
            raise Unreadable(f"{listed.path!r} is not among the query's rows any more: sync again.")
        return document_row(self._checked(cast("Mapping[str, object]", values)), self._columns)

    def _batches(self) -> Generator[int]:
        """Run the query and keep its rows; after each batch, how many there were so far."""
        count = 0
        with self._reading() as connection:
            options = connection.execution_options(
                stream_results=True, no_parameters=True, yield_per=self._limits.batch
            )
            for batch in options.exec_driver_sql(self._query).mappings().partitions():
                for values in batch:
                    count += 1
                    self._keep(cast("Mapping[str, object]", values), count)
                if count > self._limits.max_rows:
                    raise SourceMisbehaves(
                        f"The query gives more than {self._limits.max_rows:,} rows: narrow it, or make several sources of it."
                    )
                yield count

    def _next(self, batches: Generator[int]) -> bool:
        with self._turn:
            return next(batches, None) is not None

    def _end(self, batches: Generator[int]) -> None:
        with self._turn:
            batches.close()

    def _checked(self, values: Mapping[str, object]) -> Mapping[str, object]:
        if missing := [name for name in self._columns.names if name not in values]:
            raise SourceMisbehaves(
                f"The query gives no column {missing[0]!r}: it gives {', '.join(map(repr, values))}. Check the columns' names."
            )
        return values

    @contextlib.contextmanager
    def _reading(self) -> Generator[sa.Connection]:
        """A connection in a transaction that can't write."""
        try:
            with self._engine.connect() as connection:
                if self._is_postgres:
                    connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                    connection.exec_driver_sql(f"SET LOCAL statement_timeout = {int(self._limits.statement_s * 1_000)}")
                yield connection
        except DBAPIError as error:
            raise self._failure(error) from error

    def _failure(self, error: DBAPIError) -> SourceError:
        said = " ".join(str(error.orig).split())
        password = self._url.password
        shown = (said.replace(str(password), "***") if password else said)[:_LONGEST_SHOWN]
        state = str(getattr(error.orig, "sqlstate", None) or "")
        for code in sorted(_STATES, key=len, reverse=True):
            if state.startswith(code):
                kind, reason = _STATES[code]
                return kind(f"{reason} {self.location} said: {shown}")
        for words, (kind, reason) in _WORDS.items():
            if words in said:
                return kind(f"{reason} {self.location} said: {shown}")
        return SourceDown(f"The database can't be reached: it is tried again later. {self.location} said: {shown}")

    def _postgres(self) -> sa.Engine:
        if importlib.util.find_spec("psycopg") is None:
            raise InvalidInput("PostgreSQL is read by a library that isn't installed: pip install 'ken[postgres]'.")
        return sa.create_engine(self._url, poolclass=NullPool, connect_args={"connect_timeout": 10})

    def _sqlite(self) -> sa.Engine:
        path = Path(self._url.database or "").absolute()
        return sa.create_engine("sqlite://", poolclass=NullPool, creator=lambda: self._opened(path))

    def _opened(self, path: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, check_same_thread=False, timeout=5)
        connection.text_factory = _decoded
        late = time.monotonic() + self._limits.statement_s
        connection.set_progress_handler(lambda: int(time.monotonic() > late), _STEPS_BETWEEN_LOOKS)
        return connection


def _encoded(row: SqlRow) -> bytes:
    return row.text.encode("utf-8", errors="replace")


def _decoded(raw: bytes) -> str:
    return raw.decode("utf-8", errors="replace")


def _checked_url(url: str) -> sa.URL:
    try:
        read = sa.make_url(url)
    except (ArgumentError, ValueError) as error:
        raise InvalidInput(
            "The address of the database can't be read: write 'sqlite:///file.db' or 'postgresql://user@host/name'."
        ) from error
    if read.drivername in {"postgresql", "postgres", "postgresql+psycopg"}:
        return read.set(drivername="postgresql+psycopg")
    if read.drivername not in {"sqlite", "sqlite+pysqlite"}:
        raise InvalidInput(f"{read.drivername!r} is no database that Ken reads: use sqlite or postgresql.")
    if not read.database or read.database == ":memory:" or read.database.startswith("file:"):
        raise InvalidInput("The address names no SQLite file: write 'sqlite:///file.db'.")
    return read


class _Spool:
    """Rows in SQLite's own temporary database, which has no name and is gone with its connection."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._database: sqlite3.Connection | None = None

    def clear(self) -> None:
        """Forget everything and begin anew."""
        self.close()
        with self._turn:
            self._database = sqlite3.connect("", check_same_thread=False, isolation_level=None)
            self._database.executescript(_SPOOL)

    def add(self, row: SqlRow, *, size: int) -> bool:
        """Keep a row; False where one with its id is there already."""
        groups = None if row.groups is None else json.dumps(sorted(row.groups))
        added = self._told(
            "INSERT INTO rows VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING number",
            *(row.id, row.path, row.digest(), size, row.text, row.about.title, row.about.modified, groups, row.url),
        )
        return bool(added)

    def refuse(self, path: str, reason: str) -> None:
        """Keep the reason why a row is no document."""
        self._told("INSERT INTO refused VALUES (?, ?)", path, reason)

    def listed(self, seen: int, *, most: int) -> list[Listed]:
        """The next rows after the first `seen`, in the query's order."""
        found = self._told(
            "SELECT path, id, stamp, size FROM rows WHERE number > ? ORDER BY number LIMIT ?", seen, most
        )
        return [Listed(path=path, key=key, stamp=stamp, is_digest=True, size=size) for path, key, stamp, size in found]

    def refused(self) -> list[tuple[str, str]]:
        """Each path and reason."""
        return self._told("SELECT path, reason FROM refused")

    def get(self, key: str) -> SqlRow | None:
        """The row with that id, if it was kept."""
        if self._database is None:
            return None
        found = self._told("SELECT text, title, modified, groups, url FROM rows WHERE id = ?", key)
        if not found:
            return None
        text, title, modified, groups, url = found[0]
        names = None if groups is None else frozenset(cast("list[str]", json.loads(groups)))
        return SqlRow(id=key, text=text, about=Metadata(title=title, modified=modified), groups=names, url=url)

    def close(self) -> None:
        """Forget everything."""
        with self._turn:
            if self._database is not None:
                self._database.close()
                self._database = None

    def _told(self, statement: str, *values: str | int | None) -> list[Any]:
        with self._turn:
            assert self._database is not None  # noqa: S101 - a listing begins with `clear`
            return self._database.execute(statement, values).fetchall()
