"""Signs that something has changed, cheap enough to be looked at every second: each is found by an index or in a small table."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from ken.storage.database import Database
from ken.storage.schema import alert_rules, conversations, home, rollup_deltas, silences, sources, syncs, traces, turns
from ken.storage.sources import SyncRow

MOST_SYNCS = 100
"""The last syncs, which are looked at; one that runs among so many newer ones is not seen."""
_AT_ONCE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamped:
    """The home at one moment. Two that are equal in a field had nothing happen to it in between."""

    syncs: tuple[SyncRow, ...]
    """The last ones, the newest first."""
    sources: tuple[object, ...]
    """How many there are, and when something was last noted of one."""
    corpus_version: str
    alerts: tuple[object, ...]
    """The alerts' version, the silences and the rules."""
    counted: int
    """The last batch of what was counted: traces, and what was said of them."""
    turn: int
    """The newest turn of any conversation."""
    spoke: frozenset[str]
    """The principals in whose conversations there are turns newer than the one that was asked for."""


class Stamps:
    """Reads them; from a worker thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, *, after_turn: int | None = None) -> Stamped:
        """All of them, of one moment; `spoke` is empty without a turn to compare with. Raises StorageError."""
        facts = sa.select(home.c.key, home.c.value).where(home.c.key.in_(("corpus_version", "alerts_version")))
        with self._database.read() as connection:
            known = {row.key: row.value for row in connection.execute(facts)}
            newest = int(connection.scalar(sa.select(sa.func.max(turns.c.id))) or 0)
            last = sa.select(syncs).order_by(syncs.c.id.desc()).limit(MOST_SYNCS)
            return Stamped(
                syncs=tuple(SyncRow(**row) for row in connection.execute(last).mappings()),
                sources=_sources(connection),
                corpus_version=known.get("corpus_version", ""),
                alerts=(known.get("alerts_version", ""), *_noted(connection)),
                counted=int(connection.scalar(sa.select(sa.func.max(rollup_deltas.c.id))) or 0),
                turn=newest,
                # A deleted conversation may have had the newest turns.
                spoke=_spoke(connection, after_turn) if after_turn is not None and newest > after_turn else frozenset(),
            )

    def newest_traces(self, principals: Collection[str]) -> dict[str, float]:
        """When the newest trace of each principal that has one began, in seconds since the epoch. Raises StorageError."""
        found: dict[str, float] = {}
        names = sorted(principals)
        with self._database.read() as connection:
            for at in range(0, len(names), _AT_ONCE):
                # One look into the index for each: to group them would read every trace that they have.
                some = names[at : at + _AT_ONCE]
                queries = [sa.select(sa.literal(each).label("principal"), _newest_of(each)) for each in some]
                rows = connection.execute(sa.union_all(*queries))
                found.update({row.principal: row.at for row in rows if row.at is not None})
        return found


def _newest_of(principal: str) -> sa.Label[float]:
    newest = sa.select(sa.func.max(traces.c.started_at)).where(traces.c.principal == principal)
    return newest.scalar_subquery().label("at")


def _sources(connection: sa.Connection) -> tuple[object, ...]:
    at = (sources.c.synced_at, sources.c.problem_since, sources.c.next_try)
    return tuple(connection.execute(sa.select(sa.func.count(), *map(sa.func.max, at)).select_from(sources)).one())


def _noted(connection: sa.Connection) -> tuple[object, ...]:
    quiet = sa.select(sa.func.count(), sa.func.max(silences.c.made_at)).select_from(silences)
    rules = sa.select(sa.func.count(), sa.func.max(alert_rules.c.updated_at)).select_from(alert_rules)
    return (*connection.execute(quiet).one(), *connection.execute(rules).one())


def _spoke(connection: sa.Connection, after_turn: int) -> frozenset[str]:
    own = sa.select(conversations.c.principal).join(turns, turns.c.conversation_id == conversations.c.id)
    return frozenset(connection.scalars(own.where(turns.c.id > after_turn).distinct()))
