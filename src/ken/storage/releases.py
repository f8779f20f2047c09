"""The releases that were served, with what each stood for; every process of a home adds to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ken.domain.released import KnownRelease
from ken.domain.wire import Json
from ken.storage.database import Database
from ken.storage.record_tables import releases


class ReleaseBook:
    """What each release id stands for."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def know(self, release_id: str, *, fields: Mapping[str, Json], settings: Mapping[str, Json], at: float) -> None:
        """Keep a release that is served at a moment (seconds since the epoch); one that is known was seen again. Raises StorageError."""
        row = {
            "id": release_id,
            "fields": dict(fields),
            "settings": dict(settings),
            "first_seen": at,
            "last_seen": at,
        }
        with self._database.write() as connection:
            statement = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(releases).values(row)
            told = statement.excluded
            later = sa.case((releases.c.last_seen > told.last_seen, releases.c.last_seen), else_=told.last_seen)
            # Settings may say more than they did, by a newer Ken; the fields are the same, or the id were another.
            seen = {"last_seen": later, "settings": told.settings}
            connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=seen))

    def get(self, release_id: str) -> KnownRelease | None:
        """One release; None where nothing was kept of it."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(releases).where(releases.c.id == release_id)).one_or_none()
        return None if row is None else _known(row)

    def all(self) -> tuple[KnownRelease, ...]:
        """Every release, the one that was first seen first."""
        query = sa.select(releases).order_by(releases.c.first_seen, releases.c.id)
        with self._database.read() as connection:
            return tuple(_known(row) for row in connection.execute(query))


def _known(row: sa.Row[Any]) -> KnownRelease:
    return KnownRelease(
        id=row.id, fields=row.fields, settings=row.settings, first_seen=row.first_seen, last_seen=row.last_seen
    )
