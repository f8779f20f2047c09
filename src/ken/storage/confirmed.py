"""Which answers were found helpful: read off the feedback, the traces and the keys."""

from __future__ import annotations

from collections.abc import Hashable

import sqlalchemy as sa

from ken.domain.confirmed import Confirmed
from ken.domain.principal import LOCAL_OPERATOR, Principal
from ken.storage.answer_json import load_citations
from ken.storage.database import Database
from ken.storage.schema import feedback, keys, trace_details, traces

MOST = 1_000
"""Confirmed answers that count, the last ones."""
_MOST_QUOTES = 3


class ConfirmedAnswers:
    """Answers with a thumb up and none down, of askers who still have a key.

    One goes with its trace, with its feedback, and with every document that it cites: then its citations are withdrawn.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def stamp(self) -> Hashable:
        """Another value whenever somebody said something, took it back, or a key or a cited document is gone."""
        said = sa.select(sa.func.count(), sa.func.max(feedback.c.at)).select_from(feedback)
        cited = sa.select(sa.func.sum(sa.func.length(trace_details.c.citations))).where(
            trace_details.c.trace_id.in_(sa.select(feedback.c.trace_id))
        )
        held = sa.select(sa.func.count()).select_from(keys).where(keys.c.revoked_at.is_(None))
        with self._database.read() as connection:
            return (*connection.execute(said).one(), connection.scalar(cited), connection.scalar(held))

    def all(self) -> tuple[Confirmed, ...]:
        """The last confirmed answers, the newest first."""
        down = sa.select(feedback.c.trace_id).where(feedback.c.helpful.is_(sa.false()))
        up = sa.select(feedback.c.trace_id).where(feedback.c.helpful.is_(sa.true()), feedback.c.trace_id.not_in(down))
        query = (
            sa.select(traces.c.principal, trace_details.c.question, trace_details.c.citations)
            .join(trace_details, trace_details.c.trace_id == traces.c.id)
            .where(traces.c.id.in_(up), traces.c.outcome == "answered")
            .order_by(traces.c.started_at.desc())
            .limit(MOST)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
            holders = connection.execute(sa.select(keys.c.id, keys.c.groups).where(keys.c.revoked_at.is_(None))).all()
        scopes = {row.id: Principal(row.id, frozenset(row.groups)).scope for row in holders}
        scopes[LOCAL_OPERATOR.id] = LOCAL_OPERATOR.scope
        found: list[Confirmed] = []
        for row in rows:
            cited = dict.fromkeys((each.document_id, each.quote) for each in load_citations(row.citations))
            if row.principal in scopes and cited:
                found.append(Confirmed(row.question, scopes[row.principal], tuple(cited)[:_MOST_QUOTES]))
        return tuple(found)
