"""Deleting for good: what hangs from a document elsewhere than in the documents' own tables."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from ken.storage.database import Database
from ken.storage.forgetting import of_documents
from ken.storage.schema import home

_DUE = "scrub_due"


class Erasure:
    """Two steps around the commit that deletes documents; a crash between them is made good by the next `finish`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def withdraw(self, document_ids: Collection[str]) -> None:
        """Take the documents' words out of traces and conversations, and note that the file has to be scrubbed."""
        if not document_ids:
            return
        with self._database.write() as connection:
            connection.execute(sa.delete(home).where(home.c.key == _DUE))
            connection.execute(sa.insert(home).values(key=_DUE, value="1"))
        of_documents(self._database, document_ids)

    def finish(self) -> None:
        """Where something was withdrawn, write the database anew: cached answers went with the commit."""
        with self._database.read() as connection:
            due = connection.scalar(sa.select(home.c.value).where(home.c.key == _DUE)) is not None
        if not due:
            self._database.purge_log()  # what was overwritten stands in it as it was
        elif self._database.scrub():
            with self._database.write() as connection:
                connection.execute(sa.delete(home).where(home.c.key == _DUE))

    def clear_log(self) -> None:
        """Empty the database's log of what was deleted besides documents: the name of a source, the paths that it listed."""
        self._database.purge_log()
