"""Ken's own database as one SQLite file in the home, used by the server and the command line at once."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import cast

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError

from ken.errors import StorageError
from ken.storage import migrations
from ken.storage.faults import UNFIT, storage_error, translated, unfit

FILE_NAME = "ken.db"
BUSY_S = 10.0
_PURGE_WAIT_MS = 1_000
_CONNECTIONS = 8
_LOG_LIMIT_BYTES = 64 * 1024 * 1024


class SqliteDatabase:
    """`home/ken.db`, opened, migrated and ready for several threads and processes.

    Raises StorageError when the home can't be made or written, or when the file is damaged, foreign, or newer than
    this Ken; a connection raises InvalidInput for a value that SQLite can't hold. Whoever meets another process's
    transaction waits for it, `busy_s` seconds at most, then raises StorageError.

    SQLite overwrites what it frees (`secure_delete`); `purge_log()` empties the write-ahead log, `scrub()` removes the
    rest of what was deleted. Sorting happens in memory, so that no text reaches temporary files. Without `migrates` the
    schema stays as it is found, and only what looks at the schema itself may be done.
    """

    def __init__(self, home: Path, *, busy_s: float = BUSY_S, migrates: bool = True) -> None:
        self.home = home
        self.path = home / FILE_NAME
        self._busy_s = busy_s
        self._writing = threading.Lock()
        _create(self.home, self.path)
        revision = self._prepare()
        self._engine = self._connect_engine()
        if migrates and revision != migrations.HEAD:
            try:
                self._migrate()
            except BaseException:
                self.close()
                raise

    @property
    def name(self) -> str:
        """The file, as errors name it."""
        return repr(str(self.path))

    @contextmanager
    def read(self) -> Generator[sa.Connection, None, None]:
        """Lend a connection that sees one state of the database until it is given back, and can't write."""
        with self._connection(query_only=True, durable=False) as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self, *, durable: bool = True) -> Generator[sa.Connection, None, None]:
        """Open a transaction that holds the write lock from its start; it commits at the end or leaves no trace.

        A durable commit survives a power cut. Without, a power cut may undo the last moments, never half a
        transaction, and a killed process loses nothing; it saves the wait for the disk, and suits what is made again
        (cached answers) or missed by nobody (a trace of the last second).
        """
        with self._turn(), self._connection(query_only=False, durable=durable) as connection:
            connection.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})
            with connection.begin():
                yield connection

    def purge_log(self) -> bool:
        """Move the write-ahead log into the database and empty it, so that it holds no deleted text.

        Takes milliseconds. False when a reader kept part of the log in use: call again later.
        """
        with self._alone() as driver:
            return self._emptied(driver)

    def scrub(self) -> bool:
        """Write the database anew without its unused bytes, and empty the log: the end of deleting for good.

        SQLite overwrites what it frees, but not the copy that may stay behind where a page was split in two; one
        deleted text in some thousands leaves one. Nothing does after this. It takes some 10 s per GB, in which nobody
        else can write, and needs room for two more copies of the database; so call it once after many deletions.
        False as for `purge_log`.
        """
        with self._alone() as driver:
            driver.execute("PRAGMA temp_store=FILE")
            try:
                driver.execute("VACUUM")
            finally:
                driver.execute("PRAGMA temp_store=MEMORY")
            return self._emptied(driver)

    def close(self) -> None:
        """Give back every connection. The last one to leave folds the log into the database."""
        self._engine.dispose()

    def _prepare(self) -> str | None:
        """Switch a new file to write-ahead logging; the schema's revision, None where there is no schema yet."""
        try:
            with closing(_open(self.path, self._busy_s)) as connection:
                _use_write_ahead_log(connection, self._busy_s)
                tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
                if migrations.VERSION_TABLE in tables:
                    row = connection.execute(f"SELECT version_num FROM {migrations.VERSION_TABLE}").fetchone()  # noqa: S608 # a constant
                    return None if row is None else str(row[0])
        except sqlite3.Error as error:
            raise storage_error(self.path, error) or error from error
        if tables:
            raise StorageError(
                f"The database {str(self.path)!r} belongs to another program. "
                "Move it away, or point Ken at another home."
            )
        return None

    def _connect_engine(self) -> sa.Engine:
        engine = sa.create_engine(
            "sqlite+pysqlite://",
            creator=lambda: _open(self.path, self._busy_s),
            poolclass=sa.QueuePool,
            pool_size=_CONNECTIONS,
            max_overflow=_CONNECTIONS,
            pool_timeout=self._busy_s,
        )
        event.listen(engine, "begin", _begin)
        return engine

    def _migrate(self) -> None:
        """Bring the schema up to date, in one transaction, one process at a time."""
        from ken.storage.migrations.upgrade import upgrade  # noqa: PLC0415 # Alembic takes longer than the opening

        with self.write() as connection:
            upgrade(connection, repr(str(self.path)))

    @contextmanager
    def _alone(self) -> Generator[sqlite3.Connection, None, None]:
        """Lend a bare connection outside of any transaction, while no other thread writes."""
        with self._turn(), self._connection(query_only=False, durable=True) as connection:
            yield _driver(connection)

    def _emptied(self, driver: sqlite3.Connection) -> bool:
        driver.execute(f"PRAGMA busy_timeout={_PURGE_WAIT_MS}")
        try:
            busy, _, _ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            driver.execute(f"PRAGMA busy_timeout={int(self._busy_s * 1000)}")
        return not busy

    @contextmanager
    def _turn(self) -> Generator[None, None, None]:
        """Wait for this process's other writers here, in order: SQLite makes them poll."""
        if not self._writing.acquire(timeout=self._busy_s):
            raise StorageError(f"The database {str(self.path)!r} is being written for too long. Try again in a moment.")
        try:
            yield
        finally:
            self._writing.release()

    @contextmanager
    def _connection(self, *, query_only: bool, durable: bool) -> Generator[sa.Connection, None, None]:
        try:
            with self._engine.connect() as connection:
                driver = _driver(connection)
                driver.execute(f"PRAGMA query_only={int(query_only)}")
                driver.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
                yield connection
        except SQLAlchemyError as error:
            plain = translated(self.path, error)
            if plain is None:
                raise
            raise plain from error
        except UNFIT as error:
            raise unfit(error) from error
        except sqlite3.Error as error:
            raise storage_error(self.path, error) or error from error


_BEGIN = "ken_begin"


def _begin(connection: sa.Connection) -> None:
    """Start transactions here: Python's driver would start them late, and never with the write lock."""
    connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))


def _driver(connection: sa.Connection) -> sqlite3.Connection:
    return cast("sqlite3.Connection", connection.connection.driver_connection)


def make_home(home: Path) -> None:
    """Make the home's folder for this user alone. Raises StorageError."""
    with _usable(home):
        home.mkdir(mode=0o700, parents=True, exist_ok=True)


def _create(home: Path, path: Path) -> None:
    """Make the home, and an empty file for SQLite to fill with the same permissions."""
    make_home(home)
    with _usable(home):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


@contextmanager
def _usable(home: Path) -> Generator[None, None, None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"The home {str(home)!r} can't be used: {error.strerror}. Make it a folder that this user may write, "
            "or point Ken at another one."
        ) from error


def _open(path: Path, busy_s: float) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=busy_s,
        isolation_level=None,
        check_same_thread=False,
    )
    for pragma in (
        "foreign_keys=ON",
        "secure_delete=ON",
        "temp_store=MEMORY",
        f"journal_size_limit={_LOG_LIMIT_BYTES}",
    ):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _use_write_ahead_log(connection: sqlite3.Connection, busy_s: float) -> None:
    """Switch the file's journal, which SQLite refuses without waiting while another process does the same."""
    give_up = time.monotonic() + busy_s
    while True:
        try:
            if connection.execute("PRAGMA journal_mode=WAL").fetchone() == ("wal",):
                return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
        time.sleep(0.02)
