"""How often each heuristic looked and fired; every process of a home adds to the counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ken.domain.checked import RuleCount, Tally
from ken.domain.trace import Trace
from ken.storage.database import Database
from ken.storage.schema import heuristics


def tallies(traces: Iterable[Trace]) -> tuple[Tally, ...]:
    """What the heuristics did in new traces: for `count`, once a trace."""
    looked: dict[str, list[float]] = {}
    fired: dict[str, list[float]] = {}
    for trace in traces:
        for name in trace.checked:
            looked.setdefault(name, []).append(trace.started_at)
        for name in trace.failed_checks:
            fired.setdefault(name, []).append(trace.started_at)
    return tuple(
        Tally(
            name=name,
            looked=len(at),
            fired=len(fired.get(name, ())),
            last_looked_at=max(at),
            last_fired_at=max(fired.get(name, ()), default=None),
        )
        for name, at in sorted(looked.items())
    )


def count(connection: sa.Connection, tallies: Sequence[Tally]) -> None:
    """Add to the counts, within the transaction that writes the traces they were taken from.

    A rule that is new here is known since its first look.
    """
    if not tallies:
        return
    statement = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(heuristics)
    table, given = heuristics.c, statement.excluded
    rows = [
        {
            "name": one.name,
            "since": one.last_looked_at,
            "looked": one.looked,
            "fired": one.fired,
            "last_looked_at": one.last_looked_at,
            "last_fired_at": one.last_fired_at,
        }
        for one in sorted(tallies, key=lambda one: one.name)  # in one order, so that no two writers wait for each other
    ]
    total = {
        "looked": table.looked + given.looked,
        "fired": table.fired + given.fired,
        "last_looked_at": _later(table.last_looked_at, given.last_looked_at),
        "last_fired_at": _later(table.last_fired_at, given.last_fired_at),
    }
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=total), rows)


def _later(one: sa.ColumnElement[float], other: sa.ColumnElement[float]) -> sa.ColumnElement[float]:
    """The later of two moments, of which either may be unknown; a clock that was put back moves nothing back."""
    return sa.case((other.is_(None), one), (one.is_(None), other), (other > one, other), else_=one)


class Heuristics:
    """The audit of the heuristics."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def know(self, names: Iterable[str], *, at: float) -> None:
        """Note since when rules are known here, those that are new: one that never looks at an answer is silent, too."""
        new = sorted(set(names) - {one.name for one in self.all()})
        if not new:
            return
        rows = [{"name": name, "since": at, "looked": 0, "fired": 0} for name in new]
        with self._database.write(durable=False) as connection:
            statement = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(heuristics)
            connection.execute(statement.on_conflict_do_nothing(index_elements=["name"]), rows)

    def all(self) -> tuple[RuleCount, ...]:
        """The counts of every rule that was ever known here, by name."""
        with self._database.read() as connection:
            return tuple(
                RuleCount(
                    name=row.name,
                    since=row.since,
                    looked=row.looked,
                    fired=row.fired,
                    last_looked_at=row.last_looked_at,
                    last_fired_at=row.last_fired_at,
                )
                for row in connection.execute(sa.select(heuristics).order_by(heuristics.c.name))
            )
