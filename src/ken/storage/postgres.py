"""Ken's own database in PostgreSQL, shared by several replicas."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import ArgumentError, OperationalError, SQLAlchemyError

from ken.errors import InvalidInput, StorageError
from ken.storage import migrations
from ken.storage.faults import UNFIT, unfit
from ken.storage.postgres_faults import translated

BUSY_S = 10.0
OLDEST_VERSION = 16
"""The first that can tell JSON from other text."""
_STATEMENT_S = 120
_IDLE_S = 600
"""A transaction that was left open for so long is its process's no more."""
_CONNECTING = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
"""Seconds, and for the last one milliseconds: a server that vanished is noticed, whatever the system's own limits."""
_CONNECTIONS = 8
_LOCKED = "55P03"
_SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")
_OWN_TABLES = frozenset({"home", "sources", "documents", "passages", "features", migrations.VERSION_TABLE})

_STATE = """
SELECT current_setting('server_version_num')::int / 10000 AS version, current_setting('server_encoding') AS encoding,
    current_schema() AS schema, array(
        SELECT relname::text FROM pg_class
        WHERE relkind IN ('r', 'p') AND relnamespace = to_regnamespace(quote_ident(current_schema()))
        AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
    ) AS tables
"""
"""Tables that an extension brought are nobody's."""


class PostgresDatabase:
    """A database of a PostgreSQL server, opened, migrated and ready for several threads, processes and machines.

    `url` is libpq's: `postgresql://user:password@host:port/database?sslmode=verify-full`. Raises InvalidInput for another
    address and without the driver; StorageError when the server can't be reached or refuses us, or when the database is
    foreign, not in UTF-8, or newer than this Ken.

    Writers take turns over all replicas, by an advisory lock that each transaction holds from its start: what one reads
    before it writes is not changed by another meanwhile. Whoever waits for more than `busy_s` seconds gets StorageError.
    A reader has a snapshot and waits for nobody. A broken connection is noticed when it is lent out, and replaced.
    Without `migrates` the schema stays as it is found, and only what looks at the schema itself may be done.
    """

    def __init__(self, url: str, *, busy_s: float = BUSY_S, migrates: bool = True) -> None:
        self._url = parsed(url)
        self._busy_s = busy_s
        self._writing = threading.Lock()
        self._engine = self.engine(size=_CONNECTIONS, overflow=_CONNECTIONS)
        try:
            if self._prepare() != migrations.HEAD and migrates:
                self._migrate()
        except BaseException:
            self.close()
            raise

    @property
    def name(self) -> str:
        """The server and the database, without user and password."""
        named = self._url.query.get("host", "localhost")
        host = self._url.host or (named if isinstance(named, str) else ",".join(named))
        port = f":{self._url.port}" if self._url.port else ""
        return repr(f"postgresql://{host}{port}/{self._url.database or ''}")

    @contextmanager
    def read(self) -> Generator[sa.Connection, None, None]:
        """Lend a connection that sees one state of the database until it is given back, and can't write."""
        with (
            self._connection(isolation_level="REPEATABLE READ", postgresql_readonly=True) as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def write(self, *, durable: bool = True) -> Generator[sa.Connection, None, None]:
        """Open a transaction that no other writer is beside; it commits at the end or leaves no trace.

        Without `durable` the commit does not wait for the server's disk: a crash of the server may undo the last moments.
        """
        with self._turn(), self._connection() as connection, connection.begin():
            connection.execute(_TURN, {"durable": "on" if durable else "off", "key": WRITERS})
            yield connection

    def purge_log(self) -> bool:
        """Do nothing: the server's log is the server's, and its archive the operator's (docs/guides/postgresql.md)."""
        return True

    def scrub(self) -> bool:
        """Have the server free the room of deleted rows, to be written over by what comes; readers and writers go on.

        The bytes stay in the server's files until then, and in its log and backups for as long as those are kept:
        docs/guides/postgresql.md says how to be rid of them at once.
        """
        with self._turn(), self._connection(isolation_level="AUTOCOMMIT") as connection:
            quoted = connection.dialect.identifier_preparer.quote
            connection.exec_driver_sql("SET statement_timeout = 0")
            try:
                tables = connection.exec_driver_sql(_STATE).one().tables
                connection.exec_driver_sql(f"VACUUM {', '.join(map(quoted, tables))}")
            except OperationalError as error:
                if getattr(error.orig, "sqlstate", None) == _LOCKED:  # another replica is at it
                    return False
                raise
            finally:
                connection.exec_driver_sql(f"SET statement_timeout = '{_STATEMENT_S}s'")
        return True

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()

    def is_shared(self) -> bool:
        """Whether another process of Ken's is connected to this database."""
        with self._connection() as connection:
            return bool(connection.scalar(_OTHERS, {"own": _connecting()["application_name"]}))

    def engine(self, *, size: int, overflow: int) -> sa.Engine:
        """Make a pool of `size` connections to this database and `overflow` more (-1: any number), with its time limits."""
        made = sa.create_engine(
            self._url,
            pool_size=size,
            max_overflow=overflow,
            pool_timeout=self._busy_s,
            pool_pre_ping=True,
            json_serializer=_json,
            connect_args={key: value for key, value in _connecting().items() if key not in self._url.query},
        )
        event.listen(made, "connect", self._limit)
        return made

    @contextmanager
    def plain_errors(self) -> Generator[None, None, None]:
        """Raise what goes wrong with a connection as StorageError or InvalidInput."""
        try:
            yield
        except SQLAlchemyError as error:
            plain = translated(self.name, error)
            if plain is None:
                raise
            raise plain from error
        except UNFIT as error:
            raise unfit(error) from error

    def _prepare(self) -> str | None:
        """Look what is there; the schema's revision, None where there is no schema yet."""
        with self._connection(isolation_level="AUTOCOMMIT") as connection:
            state = connection.exec_driver_sql(_STATE).one()
            self._check(state.version, state.encoding, schema=state.schema, tables=frozenset(state.tables))
            if migrations.VERSION_TABLE not in state.tables:
                return None
            return connection.scalar(sa.text(f"SELECT version_num FROM {migrations.VERSION_TABLE}"))  # noqa: S608 # a constant

    def _check(self, version: int, encoding: str, *, schema: str | None, tables: frozenset[str]) -> None:
        if version < OLDEST_VERSION:
            raise StorageError(
                f"The database {self.name} is of PostgreSQL {version}. Ken needs {OLDEST_VERSION} or newer: upgrade it."
            )
        if encoding != "UTF8":
            raise StorageError(f"The database {self.name} is in {encoding}. Create one with the encoding UTF8.")
        if schema is None:
            raise StorageError(f"The database {self.name} {_NO_SCHEMA}")
        if tables and not tables >= _OWN_TABLES:
            raise StorageError(f"The database {self.name} belongs to another program. Give Ken a database of its own.")

    def _migrate(self) -> None:
        """Bring the schema up to date, in one transaction, one process at a time."""
        from ken.storage.migrations.upgrade import upgrade  # noqa: PLC0415 # Alembic takes longer than the opening

        with self.write() as connection:
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            upgrade(connection, self.name)
            connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS vector")  # the index needs it: better told now

    def _limit(self, driver: Any, record: object) -> None:  # noqa: ANN401 # psycopg's, which is not imported without need
        _ = record
        driver.autocommit = True
        with driver.cursor() as cursor:
            cursor.execute(
                f"SET statement_timeout = '{_STATEMENT_S}s'; SET lock_timeout = '{int(self._busy_s * 1000)}ms'; "
                f"SET idle_in_transaction_session_timeout = '{_IDLE_S}s'; SET idle_session_timeout = 0; "
                "SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3"
            )
        driver.autocommit = False

    @contextmanager
    def _turn(self) -> Generator[None, None, None]:
        """Wait for this process's other writers here: each that waits at the server holds a connection."""
        if not self._writing.acquire(timeout=self._busy_s):
            raise StorageError(f"The database {self.name} is being written for too long. Try again in a moment.")
        try:
            yield
        finally:
            self._writing.release()

    @contextmanager
    def _connection(self, **options: object) -> Generator[sa.Connection, None, None]:
        with self.plain_errors(), self._engine.connect() as connection:
            yield connection.execution_options(**options) if options else connection


_NO_SCHEMA = "has no schema that this user may use. Check the user's `search_path`."
_OTHERS = sa.text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
    "AND application_name LIKE 'process % on %' AND application_name <> :own"
)
_TURN = sa.text("SELECT set_config('synchronous_commit', :durable, true), pg_advisory_xact_lock(:key)")


def _connecting() -> dict[str, str | int]:
    """What libpq is told, unless the address tells it otherwise: limits, and whose the connection is."""
    return _CONNECTING | {"application_name": f"process {os.getpid()} on {socket.gethostname()}"}


def _json(value: object) -> str:
    try:
        return json.dumps(value)
    except (TypeError, ValueError) as error:
        raise unfit(error) from error


def lock_key(name: str) -> int:
    """The number by which an advisory lock of Ken's is known: 64 bits of a SHA-256."""
    return int.from_bytes(hashlib.sha256(f"ken {name}".encode()).digest()[:8], "big", signed=True)


WRITERS = lock_key("writers")


def parsed(url: str) -> sa.URL:
    """The address of a PostgreSQL database. Raises InvalidInput, which shows nothing of it, and without the driver."""
    try:
        found = sa.make_url(url)
    except (ArgumentError, ValueError):
        raise InvalidInput(f"The address of the database can't be read. {_ADDRESS}") from None
    if found.drivername not in _SCHEMES or not found.database:
        raise InvalidInput(f"The address of the database is not PostgreSQL's, or names no database. {_ADDRESS}")
    if importlib.util.find_spec("psycopg") is None:
        raise InvalidInput(
            "PostgreSQL needs a driver that isn't installed. Install the extra: pip install 'ken[postgres]'"
        )
    return found.set(drivername="postgresql+psycopg")


_ADDRESS = "It is written as postgresql://user:password@host:port/database."
