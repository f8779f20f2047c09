"""Signs that something has changed, cheap enough to be looked at every second: each is found by an index or in a small table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ken.storage.database import Database
from ken.storage.schema import alert_rules, conversations, home, rollup_deltas, silences, sources, syncs, traces, turns
from ken.storage.sources import SyncRow

MOST_SYNCS = 100
"""The last syncs, which are looked at; one that runs among so many newer ones is not seen."""
_LONGEST_S = 120.0
"""Questions that took longer are not found by when they ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamped:
    """The home at one moment. Two that are equal in a field had nothing happen to it in between."""

    syncing: tuple[object, ...]
    """How many syncs there are, and the last sign of life of any."""
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
    """The principals in whose conversations there are newer turns than before."""


class Stamps:
    """Reads them; from a worker thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, before: Stamped | None = None) -> Stamped:
        """All of them, of one moment; what was read before is not read again where its sign is the same. Raises StorageError."""
        with self._database.read() as connection:
            found = connection.execute(_SIGNS).one()
            syncing, turn = (found.syncs, found.sync, found.sync_seen), int(found.turn or 0)
            # A deleted conversation may have had the newest turns.
            has_spoken = before is not None and turn > before.turn
            return Stamped(
                syncing=syncing,
                syncs=before.syncs if before is not None and before.syncing == syncing else _last_syncs(connection),
                sources=(found.sources, found.synced, found.problem_since, found.next_try),
                corpus_version=found.corpus_version or "",
                alerts=(found.alerts_version, found.silences, found.silenced, found.rules, found.ruled),
                counted=int(found.counted or 0),
                turn=turn,
                spoke=_spoke(connection, before.turn) if before is not None and has_spoken else frozenset(),
            )

    def asked_since(self, at: float, *, now: float) -> frozenset[str]:
        """The principals of traces that ended after a moment, in seconds since the epoch. Raises StorageError."""
        ended = traces.c.started_at + traces.c.ms / 1000.0
        # Without DISTINCT, for which SQLite would walk through every trace by its principal.
        query = sa.select(traces.c.principal).where(traces.c.started_at > now - _LONGEST_S, ended > at)
        with self._database.read() as connection:
            return frozenset(connection.scalars(query))


def _of(name: str, what: sa.ColumnElement[Any], table: sa.Table) -> sa.Label[Any]:
    return sa.select(what).select_from(table).scalar_subquery().label(name)


def _fact(key: str) -> sa.Label[str]:
    return sa.select(home.c.value).where(home.c.key == key).scalar_subquery().label(key)


_SIGNS = sa.select(
    _fact("corpus_version"),
    _fact("alerts_version"),
    _of("turn", sa.func.max(turns.c.id), turns),
    _of("counted", sa.func.max(rollup_deltas.c.id), rollup_deltas),
    _of("syncs", sa.func.count(), syncs),
    _of("sync", sa.func.max(syncs.c.id), syncs),
    _of("sync_seen", sa.func.max(syncs.c.seen_at), syncs),
    _of("sources", sa.func.count(), sources),
    _of("synced", sa.func.max(sources.c.synced_at), sources),
    _of("problem_since", sa.func.max(sources.c.problem_since), sources),
    _of("next_try", sa.func.max(sources.c.next_try), sources),
    _of("silences", sa.func.count(), silences),
    _of("silenced", sa.func.max(silences.c.made_at), silences),
    _of("rules", sa.func.count(), alert_rules),
    _of("ruled", sa.func.max(alert_rules.c.updated_at), alert_rules),
)
"""One statement for all: each takes a while of its own to be sent and read."""


def _last_syncs(connection: sa.Connection) -> tuple[SyncRow, ...]:
    query = sa.select(syncs).order_by(syncs.c.id.desc()).limit(MOST_SYNCS)
    return tuple(SyncRow(**row) for row in connection.execute(query).mappings())


def _spoke(connection: sa.Connection, after_turn: int) -> frozenset[str]:
    own = sa.select(conversations.c.principal).join(turns, turns.c.conversation_id == conversations.c.id)
    return frozenset(connection.scalars(own.where(turns.c.id > after_turn).distinct()))
