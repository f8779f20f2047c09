"""A query that is stopped when its time is up."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import cast

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

_STEPS = 20_000
"""Instructions of SQLite's machine between two looks at the clock: some tenths of a millisecond."""
_CANCELLED = "57014"


class TimeUpError(Exception):
    """A query took longer than it may."""


@contextmanager
def within(connection: sa.Connection, seconds: float) -> Generator[None, None, None]:
    """Stop what this connection does when the time is up. Raises TimeUpError; the connection's transaction is over then."""
    on_sqlite = connection.dialect.name == "sqlite"
    driver = cast("sqlite3.Connection", connection.connection.driver_connection) if on_sqlite else None
    if driver is not None:
        end = time.monotonic() + seconds
        driver.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
    else:
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = {max(1, int(seconds * 1000))}")
    try:
        yield
    except DBAPIError as error:
        if _is_cancelled(error.orig):
            raise TimeUpError from error
        raise
    finally:
        if driver is not None:
            driver.set_progress_handler(None, 0)


def _is_cancelled(error: BaseException | None) -> bool:
    if isinstance(error, sqlite3.Error):
        return error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT
    return getattr(error, "sqlstate", None) == _CANCELLED
