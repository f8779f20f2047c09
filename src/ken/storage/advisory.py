"""Locks that a PostgreSQL server keeps for whoever is connected to a database, and drops with their connection."""

from __future__ import annotations

import threading

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from ken.storage.postgres import PostgresDatabase, lock_key

_TAKE = sa.text("SELECT pg_try_advisory_lock(:key)")
_RELEASE = sa.text("SELECT pg_advisory_unlock(:key)")
# A key of 64 bits stands there as two of 32, told apart from pairs by `objsubid`.
_HOLDER = sa.text("""
    SELECT coalesce(nullif(application_name, ''), 'unknown') FROM pg_locks LEFT JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND objsubid = 1 AND granted
    AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND classid = ((:key >> 32) & 4294967295)::oid AND objid = (:key & 4294967295)::oid
""").bindparams(sa.bindparam("key", type_=sa.BigInteger))


class AdvisoryLocks:
    """The locks of a database. Each that is held has a connection of its own, outside of the database's pool."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database
        self._engine = database.engine(size=2, overflow=-1)

    def lock(self, name: str) -> AdvisoryLock:
        """A lock that is not held yet."""
        return AdvisoryLock(self._database, self._engine, key=lock_key(f"lock {name}"))

    def holder(self, name: str) -> str | None:
        """Who holds a lock, as its connection is called; None where nobody does. Raises StorageError."""
        with self._database.read() as connection:
            return connection.scalar(_HOLDER, {"key": lock_key(f"lock {name}")})

    def close(self) -> None:
        """Close the connections; a lock that is still held keeps its own until it is released."""
        self._engine.dispose()


class AdvisoryLock:
    """One lock, for one holder, who may let go of it from another thread than the one that is taking it."""

    def __init__(self, database: PostgresDatabase, engine: sa.Engine, *, key: int) -> None:
        self._database = database
        self._engine = engine
        self._key = key
        self._turn = threading.Lock()
        self._connection: sa.Connection | None = None
        self._is_over = False

    def take(self) -> bool:
        """Take the lock, at once or not at all; whether it is held now. Raises StorageError."""
        with self._database.plain_errors():
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            try:
                is_taken = bool(connection.scalar(_TAKE, {"key": self._key}))
            except BaseException:
                connection.invalidate()
                connection.close()
                raise
        with self._turn:
            if is_taken and not self._is_over:
                self._connection = connection
                return True
        _let_go(connection, self._key if is_taken else None)
        return False

    def release(self) -> None:
        """Let go of the lock, or of the attempt to take it that another thread is still making."""
        with self._turn:
            self._is_over = True
            connection, self._connection = self._connection, None
        if connection is not None:
            _let_go(connection, self._key)


def _let_go(connection: sa.Connection, key: int | None) -> None:
    """Give a connection back, without the lock of this key; one that broke has lost it already."""
    try:
        if key is not None:
            connection.scalar(_RELEASE, {"key": key})
    except SQLAlchemyError:
        connection.invalidate()
    finally:
        connection.close()
