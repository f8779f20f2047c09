"""How good what was given to the models was, over a stretch of time: read off the passages on record."""

from __future__ import annotations

import sqlalchemy as sa

from ken.domain.principal import Principal
from ken.domain.trace import TaskRetrieval
from ken.storage.database import Database
from ken.storage.schema import traced_passages, traces


class RetrievalRecord:
    """Relevance and utilisation by task type. Operators see everybody's questions, others their own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def by_task(self, principal: Principal, *, since: float, until: float) -> tuple[TaskRetrieval, ...]:
        """Figures of the questions asked from `since` up to `until`, by task type; those that were given no passage don't count."""
        seen = traced_passages.c
        of_trace = (
            sa.select(
                seen.trace_id,
                sa.func.avg(seen.relevance).label("mean"),
                sa.func.min(seen.relevance).label("least"),
                sa.func.avg(sa.cast(sa.cast(seen.cited, sa.Integer), sa.Float)).label("used"),
            )
            .group_by(seen.trace_id)
            .subquery()
        )
        answered = traces.c.outcome == "answered"
        query = (
            sa.select(
                traces.c.task_type,
                sa.func.count().label("questions"),
                sa.func.avg(of_trace.c.mean).label("mean"),
                sa.func.avg(of_trace.c.least).label("least"),
                sa.func.avg(sa.case((answered, of_trace.c.used))).label("used"),
            )
            .join(of_trace, of_trace.c.trace_id == traces.c.id)
            .where(traces.c.started_at >= since, traces.c.started_at < until)
            .group_by(traces.c.task_type)
            .order_by(traces.c.task_type)
        )
        if not principal.is_operator:
            query = query.where(traces.c.principal == principal.id)
        with self._database.read() as connection:
            return tuple(
                TaskRetrieval(
                    task_type=row.task_type,
                    questions=row.questions,
                    mean_relevance=float(row.mean),
                    least_relevance=float(row.least),
                    utilisation=None if row.used is None else float(row.used),
                )
                for row in connection.execute(query)
            )
