"""What the answer cache was asked and did, counted by day and category."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ken.storage.database import Database
from ken.storage.schema import cache_figures


class CacheFigures:
    """Counts that every process of a home adds to."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, day: str, counts: Mapping[tuple[str, str], int]) -> None:
        """Add to the counts of a UTC day, by category and name."""
        rows = [
            {"day": day, "category": category, "name": name, "count": count}
            for (category, name), count in sorted(counts.items())
        ]
        if not rows:
            return
        with self._database.write(durable=False) as connection:
            statement = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(cache_figures)
            total = cache_figures.c["count"] + statement.excluded["count"]
            keys = [column.name for column in cache_figures.primary_key]
            connection.execute(statement.on_conflict_do_update(index_elements=keys, set_={"count": total}), rows)

    def since(self, day: str) -> dict[str, dict[str, int]]:
        """The sums from a day on: by category, by name."""
        table = cache_figures.c
        query = sa.select(table.category, table.name, sa.func.sum(table["count"])).where(table.day >= day)
        found: dict[str, dict[str, int]] = {}
        with self._database.read() as connection:
            for category, name, count in connection.execute(query.group_by(table.category, table.name)):
                found.setdefault(category, {})[name] = int(count)
        return found
