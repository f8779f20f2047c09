"""What happened that a view marks on its axis of time: releases that came into use, syncs that changed documents."""

from __future__ import annotations

import sqlalchemy as sa

from ken.domain.alert import Happening
from ken.domain.rollup import HOUR, MINUTE
from ken.storage.database import Database
from ken.storage.schema import rollups, syncs

_MOST = 200


class Markers:
    """Releases as the rollups know them, and the syncs on record."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def between(self, since: float, until: float) -> tuple[Happening, ...]:
        """What happened in [since, until), oldest first; of more than 200, the newest."""
        with self._database.read() as connection:
            found = [*_syncs(connection, since, until), *_releases(connection, since, until)]
        return tuple(sorted(found, key=lambda one: one.at)[-_MOST:])


def _syncs(connection: sa.Connection, since: float, until: float) -> list[Happening]:
    row = syncs.c
    changes = row.added + row.changed + row.deleted
    query = (
        sa.select(row.collection, row.source, row.ended_at, row.added, row.changed, row.deleted, row.corpus_version)
        .where(row.ended_at >= since, row.ended_at < until, row.corpus_version.is_not(None), changes > 0)
        .order_by(row.ended_at.desc())
        .limit(_MOST)
    )
    return [
        Happening(
            kind="index_updated",
            at=each.ended_at,
            of=str(each.corpus_version),
            told=f"A sync of {each.source} changed documents of {each.collection}: "
            f"{each.added} added, {each.changed} changed, {each.deleted} deleted.",
        )
        for each in connection.execute(query)
    ]


def _releases(connection: sa.Connection, since: float, until: float) -> list[Happening]:
    """The first question of each release, to the minute as far as minutes are kept."""
    row = rollups.c
    first: dict[str, int] = {}
    for resolution in (HOUR, MINUTE):
        query = (
            sa.select(row.release, sa.func.min(row.start))
            .where(row.resolution_s == resolution, row.facet == "release", row.release != "")
            .group_by(row.release)
        )
        for each in connection.execute(query):
            release, start = str(each[0]), int(each[1])
            hour = first.get(release)
            if hour is None or hour <= start < hour + HOUR:
                first[release] = start
    return [
        Happening(kind="deployed", at=float(start), of=release, told=f"Release {release} answered for the first time.")
        for release, start in first.items()
        if since <= start < until
    ]
