"""Where questions went, read off the calls on record; and the turns that training learns from."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence

import sqlalchemy as sa

from ken.domain.principal import Principal
from ken.domain.routed import JudgedTurn, TaskRoutes, TierShare
from ken.storage.database import Database
from ken.storage.schema import calls, feedback, spans

_STAGE = "generate"


class RouteRecord:
    """Tiers by task type. Operators see everybody's questions, others their own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def by_task(self, principal: Principal, *, since: float, until: float) -> tuple[TaskRoutes, ...]:
        """Figures of the questions asked from `since` up to `until`; those that went to a model by its name don't count."""
        wanted = [
            calls.c.stage == _STAGE,
            calls.c.tier != "",
            calls.c.trace_id.is_not(None),
            calls.c.started_at >= since,
            calls.c.started_at < until,
        ]
        if not principal.is_operator:
            wanted.append(calls.c.principal == principal.id)
        unpriced = sa.func.sum(
            sa.case((sa.and_(calls.c.cost_micros.is_(None), calls.c.state != "reserved"), 1), else_=0)
        )
        by_tier = (
            sa.select(
                calls.c.task_type,
                calls.c.tier,
                sa.func.count(calls.c.trace_id.distinct()).label("questions"),
                sa.func.sum(calls.c.cost_micros).label("cost"),
                unpriced.label("unpriced"),
            )
            .where(*wanted)
            .group_by(calls.c.task_type, calls.c.tier)
            .order_by(calls.c.task_type, calls.c.tier)
        )
        of_trace = (
            sa.select(calls.c.task_type, sa.func.count(calls.c.tier.distinct()).label("tiers"))
            .where(*wanted)
            .group_by(calls.c.task_type, calls.c.trace_id)
            .subquery()
        )
        by_task = sa.select(
            of_trace.c.task_type,
            sa.func.count().label("questions"),
            sa.func.sum(sa.case((of_trace.c.tiers > 1, 1), else_=0)).label("escalated"),
        ).group_by(of_trace.c.task_type)
        tiers: defaultdict[str, list[TierShare]] = defaultdict(list)
        with self._database.read() as connection:
            for row in connection.execute(by_tier):
                cost = None if row.unpriced else int(row.cost or 0)
                tiers[row.task_type].append(TierShare(tier=row.tier, questions=row.questions, cost_micros=cost))
            return tuple(
                TaskRoutes(
                    task_type=row.task_type,
                    questions=row.questions,
                    escalated=int(row.escalated),
                    tiers=tuple(tiers[row.task_type]),
                )
                for row in connection.execute(by_task.order_by(of_trace.c.task_type))
            )

    def judged(self, tiers: Sequence[str]) -> tuple[JudgedTurn, ...]:
        """Turns that one of these (light) tiers was asked first and that somebody called helpful or not, or that were escalated.

        Where people disagree over an answer, it was not helpful.
        """
        said = (
            sa.select(feedback.c.trace_id, sa.func.min(sa.cast(feedback.c.helpful, sa.Integer)).label("helpful"))
            .group_by(feedback.c.trace_id)
            .subquery()
        )
        query = (
            sa.select(spans.c.trace_id, spans.c.attributes, said.c.helpful)
            .join(said, said.c.trace_id == spans.c.trace_id, isouter=True)
            .where(spans.c.name == "route")
            .order_by(spans.c.trace_id, spans.c.started_at, spans.c.position)
        )
        first: dict[str, tuple[dict[str, float], int | None]] = {}
        escalated: set[str] = set()
        with self._database.read() as connection:
            for row in connection.execute(query):
                told = row.attributes
                if told.get("escalated"):
                    escalated.add(row.trace_id)
                elif told.get("tier") in tiers and told.get("features"):
                    first.setdefault(row.trace_id, (json.loads(told["features"]), row.helpful))
        return tuple(
            JudgedTurn(features, trace_id in escalated or not helpful)
            for trace_id, (features, helpful) in first.items()
            if helpful is not None or trace_id in escalated
        )
