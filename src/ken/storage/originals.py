"""The files of pushed documents in the database, for replicas on several machines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import sqlalchemy as sa

from ken.errors import Conflict, Unreadable
from ken.storage.database import Database
from ken.storage.schema import originals
from ken.storage.upsert import upsert


class TableOriginals:
    """Pushed files by document id. Ids fit together as paths do, so that they can be moved into a folder."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def place(self, collection: str) -> str:
        """Where the files of a collection are, for people."""
        return f"{self._database.name.strip(chr(39))} (pushed files of {collection!r})"

    def check(self, document_id: str) -> None:
        """Raise Conflict where the id is a folder of other files, or would lie in a file."""
        within = sa.and_(originals.c.document_id > f"{document_id}/", originals.c.document_id < f"{document_id}0")
        above = [str(parent) for parent in PurePosixPath(document_id).parents]
        query = sa.select(originals.c.document_id).where(sa.or_(within, originals.c.document_id.in_(above)))
        with self._database.read() as connection:
            found = connection.scalar(query.limit(1))
        if found is None:
            return
        if found.startswith(f"{document_id}/"):
            raise Conflict(f"{document_id!r} is a folder of other uploads. Choose another id.")
        raise Conflict(f"{found!r} is an upload, and no folder. Choose another id.")

    def holds(self, document_id: str) -> bool:
        """Whether there is a file of this document."""
        with self._database.read() as connection:
            return connection.scalar(_named(document_id, originals.c.document_id)) is not None

    def keep(self, document_id: str, *, data: bytes) -> None:
        """Write a file, or replace it."""
        with self._database.write() as connection:
            upsert(connection, originals, rows=[{"document_id": document_id, "data": data}])

    def read(self, document_id: str, *, max_bytes: int) -> bytes:
        """The bytes of a file. Raises Unreadable where it is gone or larger than that."""
        with self._database.read() as connection:
            size = connection.scalar(_named(document_id, sa.func.length(originals.c.data)))
            if size is None:
                raise Unreadable(f"The file of {document_id!r} is not there.")
            if size > max_bytes:
                raise Unreadable(f"{document_id!r} is {size / 1e6:.1f} MB; at most {max_bytes / 1e6:.0f} MB are read.")
            return bytes(connection.scalar(_named(document_id, originals.c.data)) or b"")

    def remove(self, document_id: str) -> None:
        """Delete a file, if it is there."""
        with self._database.write() as connection:
            connection.execute(sa.delete(originals).where(originals.c.document_id == document_id))

    def remove_all(self, collection: str) -> None:
        """Delete the files of a collection."""
        within = sa.and_(originals.c.document_id > f"{collection}/", originals.c.document_id < f"{collection}0")
        with self._database.write() as connection:
            connection.execute(sa.delete(originals).where(within))

    def ids(self) -> Iterator[str]:
        """The documents that have a file, by id."""
        with self._database.read() as connection:
            yield from connection.scalars(sa.select(originals.c.document_id).order_by(originals.c.document_id))


def _named(document_id: str, column: sa.ColumnElement[Any]) -> sa.Select[Any]:
    return sa.select(column).where(originals.c.document_id == document_id)
