"""What people said of answers."""

from __future__ import annotations

from dataclasses import asdict

import sqlalchemy as sa

from ken.domain.trace import Feedback
from ken.errors import NotFound
from ken.storage.answers import flag, unflag
from ken.storage.database import Database
from ken.storage.schema import feedback, traces
from ken.storage.upsert import upsert


class FeedbackBook:
    """One word of each principal on each trace: a second one takes the first one's place."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, given: Feedback) -> None:
        """Keep what was said; an answer that somebody found unhelpful is not given again.

        Raises NotFound for a trace that does not exist (yet: flush the recorder first).

        Whether the principal may see the trace is for the caller to find out, with `Traces.get`.
        """
        with self._database.write() as connection:
            if connection.execute(sa.select(traces.c.id).where(traces.c.id == given.trace_id)).first() is None:
                raise NotFound(f"There is no trace {given.trace_id!r} to say something of.")
            down = sa.select(feedback.c.principal).where(
                feedback.c.trace_id == given.trace_id, feedback.c.helpful.is_(sa.false())
            )
            before = set(connection.scalars(down))
            upsert(connection, feedback, rows=[asdict(given)])
            if not given.helpful:
                flag(connection, given.trace_id)
            elif before == {given.principal}:  # who said so has thought better of it
                unflag(connection, given.trace_id)

    def helpful(self, trace_id: str) -> bool | None:
        """What all words on a trace come to: False as soon as one found it unhelpful; None where nobody said anything."""
        query = sa.select(feedback.c.helpful).where(feedback.c.trace_id == trace_id)
        with self._database.read() as connection:
            words = list(connection.scalars(query))
        return all(words) if words else None

    def of_trace(self, trace_id: str) -> tuple[Feedback, ...]:
        """Read what was said of a trace, oldest first; empty where nobody said anything."""
        query = sa.select(feedback).where(feedback.c.trace_id == trace_id).order_by(feedback.c.at)
        with self._database.read() as connection:
            return tuple(
                Feedback(
                    trace_id=row.trace_id, principal=row.principal, helpful=row.helpful, reason=row.reason, at=row.at
                )
                for row in connection.execute(query)
            )
