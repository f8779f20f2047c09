"""Single facts about a home that the first who finds them out writes down for all."""

from __future__ import annotations

import sqlalchemy as sa

from ken.storage.database import Database
from ken.storage.schema import home


class HomeFacts:
    """Texts by key; what is kept once stays."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, key: str) -> str | None:
        """What is kept under a key."""
        with self._database.read() as connection:
            return connection.scalar(sa.select(home.c.value).where(home.c.key == key))

    def put(self, key: str, value: str) -> None:
        """Keep something under a key, where nothing is kept yet."""
        with self._database.write(durable=False) as connection:
            if connection.scalar(sa.select(home.c.key).where(home.c.key == key)) is None:
                connection.execute(sa.insert(home).values(key=key, value=value))
