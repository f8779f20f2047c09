"""Rows that take the place of those with the same key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite


def upsert(connection: sa.Connection, table: sa.Table, *, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert rows, all with the same columns; one whose primary key is there already replaces that row's columns."""
    key = [column.name for column in table.primary_key]
    statement = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)
    given = {name: statement.excluded[name] for name in rows[0] if name not in key}
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=given), list(rows))
