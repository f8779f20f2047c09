"""Ken's own database, as the aggregates use it: one SQLite file in the home, or a PostgreSQL that several replicas share."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

import sqlalchemy as sa


class Database(Protocol):
    """Opened, migrated and ready for several threads and processes: `SqliteDatabase`, `PostgresDatabase`.

    Every use of a connection may raise StorageError, when the database can't be reached, read or written, and
    InvalidInput, for a value that no database holds.
    """

    @property
    def name(self) -> str:
        """Which database it is, for people; nothing of it is a secret."""
        ...

    def read(self) -> AbstractContextManager[sa.Connection]:
        """Lend a connection that sees one state of the database until it is given back, and can't write."""
        ...

    def write(self, *, durable: bool = True) -> AbstractContextManager[sa.Connection]:
        """Open a transaction that no other writer is beside; it commits at the end or leaves no trace.

        A durable commit survives a power cut. Without, a power cut may undo the last moments, never half a transaction;
        it saves the wait for the disk, and suits what is made again (cached answers) or missed by nobody (a trace of
        the last second).
        """
        ...

    def purge_log(self) -> bool:
        """Empty the log of recent changes of what was deleted, as far as it is Ken's own; False: call again later."""
        ...

    def scrub(self) -> bool:
        """Rid the database's files of what was deleted, as far as the store can; False as for `purge_log`."""
        ...

    def close(self) -> None:
        """Give back every connection."""
        ...
