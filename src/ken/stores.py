"""The part of the composition root that opens the store: SQLite in the home, or a PostgreSQL that replicas share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ken.knowledge.locks import FileLocks, Locks, ServerLocks
from ken.knowledge.sources.uploads import FolderOriginals, Originals
from ken.settings import Settings
from ken.storage.advisory import AdvisoryLocks
from ken.storage.database import Database
from ken.storage.originals import TableOriginals
from ken.storage.postgres import PostgresDatabase
from ken.storage.sqlite import SqliteDatabase, make_home


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """Where Ken's state is, and what all who share it share besides."""

    database: Database
    locks: Locks
    originals: Originals
    close: Callable[[], None]


def open_store(settings: Settings) -> Store:
    """Open the database of the settings: PostgreSQL's, else the one in the home. Raises StorageError, InvalidInput."""
    if settings.database_url is None:
        own = SqliteDatabase(settings.home)
        originals = FolderOriginals(settings.home / "uploads")
        return Store(database=own, locks=FileLocks(settings.home), originals=originals, close=own.close)
    make_home(settings.home)
    database = PostgresDatabase(settings.database_url.get_secret_value())
    locks = AdvisoryLocks(database)

    def close() -> None:
        locks.close()
        database.close()

    return Store(database=database, locks=ServerLocks(locks), originals=TableOriginals(database), close=close)
