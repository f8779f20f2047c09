"""What the record says of itself: what it lost, and when it was last thinned. Single facts of the `home` table."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ken.storage.database import Database
from ken.storage.schema import home
from ken.storage.upsert import upsert

_LOST = "record_lost:"
_LOST_AT = "record_lost_at:"
_THINNED_AT = "record_thinned_at"


@dataclass(frozen=True, slots=True)
class Loss:
    """What was not kept, since the home was made, by all processes together."""

    kind: str
    """`detail`: texts and spans of a trace whose figures were kept; `row`: a whole trace; `important`: one with which something
    was wrong; `unwritable`: one that no database takes; `SINK`: traces that another sink didn't get, by the sink's name."""
    count: int
    last_at: float | None
    """Seconds since the epoch: when it was noted last."""


class RecordState:
    """Facts about the record that outlive the process which found them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note_lost(self, counts: Mapping[str, int], *, at: float | None = None) -> None:
        """Add to what was lost. Raises StorageError."""
        if not counts:
            return
        moment = str(time.time() if at is None else at)
        with self._database.write(durable=False) as connection:
            statement = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(home)
            total = sa.cast(home.c.value, sa.BigInteger) + sa.cast(statement.excluded.value, sa.BigInteger)
            connection.execute(
                statement.on_conflict_do_update(index_elements=["key"], set_={"value": sa.cast(total, sa.Text)}),
                [{"key": f"{_LOST}{kind}", "value": str(count)} for kind, count in sorted(counts.items())],
            )
            upsert(connection, home, rows=[{"key": f"{_LOST_AT}{kind}", "value": moment} for kind in sorted(counts)])

    def lost(self) -> tuple[Loss, ...]:
        """All that was lost, by kind."""
        facts = self._facts(_LOST)
        at = self._facts(_LOST_AT)
        return tuple(
            Loss(kind, int(count), float(at[kind]) if kind in at else None) for kind, count in sorted(facts.items())
        )

    def note_thinned(self, at: float) -> None:
        """Note when the record was thinned."""
        with self._database.write(durable=False) as connection:
            upsert(connection, home, rows=[{"key": _THINNED_AT, "value": str(at)}])

    def last_thinned(self) -> float | None:
        """When the record was thinned last; None: never."""
        at = self._facts(_THINNED_AT).get("")
        return None if at is None else float(at)

    def _facts(self, prefix: str) -> dict[str, str]:
        query = sa.select(home.c.key, home.c.value).where(home.c.key.startswith(prefix, autoescape=True))
        with self._database.read() as connection:
            return {row.key.removeprefix(prefix): str(row.value) for row in connection.execute(query)}
