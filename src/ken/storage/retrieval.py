"""How good what was given to the models was, over a stretch of time: read off the figures of the questions."""

from __future__ import annotations

import sqlalchemy as sa

from ken.domain.principal import Principal
from ken.domain.trace import TaskRetrieval
from ken.storage.database import Database
from ken.storage.schema import traces


class RetrievalRecord:
    """Relevance and utilisation by task type. Operators see everybody's questions, others their own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def by_task(self, principal: Principal, *, since: float, until: float) -> tuple[TaskRetrieval, ...]:
        """Figures of people's questions from `since` up to `until`, by task type; those that were given no passage don't count."""
        query = (
            sa.select(
                traces.c.task_type,
                sa.func.count().label("questions"),
                sa.func.avg(traces.c.mean_relevance).label("mean"),
                sa.func.avg(traces.c.least_relevance).label("least"),
                sa.func.avg(traces.c.utilisation).label("used"),
            )
            .where(
                traces.c.kind == "question",
                traces.c.started_at >= since,
                traces.c.started_at < until,
                traces.c.passages > 0,
            )
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
