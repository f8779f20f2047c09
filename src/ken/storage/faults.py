"""What SQLite says went wrong, in words that tell an operator what to do."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy.exc import DBAPIError, SQLAlchemyError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ken.errors import InvalidInput, KenError, StorageError

REMEDIES: dict[int, str] = {
    sqlite3.SQLITE_PERM: "may not be used. Check that this user owns the home.",
    sqlite3.SQLITE_BUSY: "is being written by another process, and waiting did not help. Try again in a moment.",
    sqlite3.SQLITE_LOCKED: "is being written by another part of this process. Try again in a moment.",
    sqlite3.SQLITE_NOMEM: "could not be used: this machine is out of memory.",
    sqlite3.SQLITE_READONLY: "can't be written. Check its owner, its permissions and how its disk is mounted.",
    sqlite3.SQLITE_IOERR: "could not be read or written: the disk failed. Check it, and its free space.",
    sqlite3.SQLITE_CORRUPT: "is damaged. Stop Ken and restore a backup.",
    sqlite3.SQLITE_FULL: "could not be written: the disk is full. Free some space and try again.",
    sqlite3.SQLITE_CANTOPEN: "can't be opened. Check that the home exists and belongs to this user.",
    sqlite3.SQLITE_PROTOCOL: "could not be locked. Check that its disk is a local one: network disks lack the locks.",
    sqlite3.SQLITE_TOOBIG: "can't hold a text of more than 1 GB.",
    sqlite3.SQLITE_NOLFS: "is larger than its file system allows.",
    sqlite3.SQLITE_NOTADB: "is not a database. Move it away, or point Ken at another home.",
}
"""By primary result code (sqlite.org/rescode.html). Codes that only a mistake in Ken's own SQL can bring are not
here: they are left to surface as they are."""

_PRIMARY = 0xFF


def storage_error(path: Path, error: sqlite3.Error) -> StorageError | None:
    """Say plainly what SQLite reported about the database at `path`; None for a mistake of Ken's own."""
    code = getattr(error, "sqlite_errorcode", None)
    if not isinstance(code, int):
        return None
    remedy = REMEDIES.get(code & _PRIMARY)
    return None if remedy is None else StorageError(f"The database {str(path)!r} {remedy}")


UNFIT = (UnicodeEncodeError, OverflowError)
"""What the driver raises for half a surrogate pair and for a number of more than 64 bits."""


def unfit(error: Exception) -> InvalidInput:
    """Say plainly that a value can't be stored."""
    return InvalidInput(f"A text or number can't be stored: {error}. Mend it and try again.")


def translated(path: Path, error: SQLAlchemyError) -> KenError | None:
    """As `storage_error`, for an error that SQLAlchemy wrapped or raised itself."""
    if isinstance(error, PoolTimeout):
        return StorageError(
            f"The database {str(path)!r} is busy: all its connections are in use. Try again in a moment."
        )
    if isinstance(error, DBAPIError) and isinstance(error.orig, sqlite3.Error):
        return storage_error(path, error.orig)
    if isinstance(error, StatementError) and isinstance(error.orig, Exception):
        return unfit(error.orig)
    return None
