"""Where questions went, read off the calls on record; and the turns that training learns from."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import sqlalchemy as sa

from ken.domain.principal import Principal
from ken.domain.routed import JudgedTurn, TaskRoutes, TierShare
from ken.domain.trace import Scalar
from ken.storage.database import Database
from ken.storage.schema import calls, feedback, span_batches, traces
from ken.storage.span_codec import unpacked
from ken.storage.trace_rows import OWN_SPANS

_STAGE = "generate"
_AT_ONCE = 500


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
            sa.select(traces.c.id, said.c.helpful)
            .join(said, said.c.trace_id == traces.c.id, isouter=True)
            .where(sa.or_(said.c.helpful.is_not(None), traces.c.escalated))
            .order_by(traces.c.id)
        )
        found: list[JudgedTurn] = []
        with self._database.read() as connection:
            judged = connection.execute(query).all()
            for start in range(0, len(judged), _AT_ONCE):
                some = judged[start : start + _AT_ONCE]
                routes = _routes(connection, [row.id for row in some])
                found += (turn for row in some for turn in _turn(routes[row.id], row.helpful, tiers))
        return tuple(found)


def _routes(connection: sa.Connection, ids: Sequence[str]) -> defaultdict[str, list[Mapping[str, Scalar]]]:
    """What the stage `route` noted, each time that it ran, by trace."""
    found: defaultdict[str, list[Mapping[str, Scalar]]] = defaultdict(list)
    own = sa.select(span_batches.c.trace_id, span_batches.c.data)
    own = own.where(span_batches.c.trace_id.in_(ids), span_batches.c.number == OWN_SPANS)
    for trace_id, data in connection.execute(own):
        found[trace_id] += (dict(span.attributes) for span in unpacked(data) if span.name == "route")
    return found


def _turn(routes: Sequence[Mapping[str, Scalar]], helpful: int | None, tiers: Sequence[str]) -> Iterator[JudgedTurn]:
    """The turn that a trace's routes make, if it is one to learn from."""
    escalated = any(told.get("escalated") for told in routes)
    if helpful is None and not escalated:
        return
    for told in routes:
        features = told.get("features")
        if not told.get("escalated") and told.get("tier") in tiers and isinstance(features, str) and features:
            yield JudgedTurn(json.loads(features), escalated or not helpful)
            return
