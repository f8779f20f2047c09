"""Finds traces by a filter, newest first, among a million as among a hundred.

Two ways lead to the newest traces that a filter means: through an index to all those that one part of it means, of which the rest of the
filter leaves some; or back through time until there are enough. The first is short where few traces meet the part, the second where many
meet the filter; neither is known beforehand. So the parts that have an index are counted, up to a bound, and where none means few traces
the way through time is tried for a moment before the best index is taken after all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ken.domain.principal import Principal
from ken.domain.trace import Scalar, Trace
from ken.domain.where import Comparison, Condition, names_in
from ken.errors import DeadlineExceeded, Forbidden
from ken.storage.database import Database
from ken.storage.naming import closed_to
from ken.storage.paging import Page, cursor_of, newest_first
from ken.storage.schema import traces
from ken.storage.time_budget import TimeUpError, within
from ken.storage.trace_rows import WITH_TEXTS, trace_of
from ken.storage.traces import as_far_as, visible_to
from ken.storage.where_sql import COLUMNS, ColumnOf, Path, parts_of, path_of, plain, sql_of, unindexed

BUDGET_S = 10.0
"""A query takes no longer."""
FEW = 25_000
"""Traces that are read one by one without a second thought."""
MANY = 400_000
"""Up to so many an index is followed, where going back through time takes too long."""
_MOMENT_S = 0.15
"""For so long the way through time is tried, where it is not known to be short."""


@dataclass(frozen=True, slots=True)
class Found:
    """A trace that a filter means, without spans and passages, and what it has under the names that the filter asks for."""

    trace: Trace
    figures: Mapping[str, Scalar]


class TraceSearch:
    """Filters over all traces. Operators find everybody's, others their own."""

    def __init__(self, database: Database, *, budget_s: float = BUDGET_S, few: int = FEW) -> None:
        self._database = database
        self._budget_s = budget_s
        self._few = few

    def find(
        self, condition: Condition, principal: Principal, *, limit: int = 50, before: str | None = None
    ) -> Page[Found]:
        """A page of the traces that a condition means, newest first.

        Raises Forbidden for a name that the principal may not ask by, DeadlineExceeded where the budget is used up, InvalidInput for a
        limit or `before` that is none.
        """
        names = tuple(dict.fromkeys(names_in(condition)))
        hidden = [name.name for name in names if name.nobody_elses and not principal.is_operator]
        if hidden:
            raise Forbidden(
                f"Operators alone may look for traces by {hidden[0]!r}. Leave it out: you find your own traces."
            )
        try:
            ids = self._ids(_Search(condition, principal, limit, before, self._database))
        except TimeUpError:
            raise DeadlineExceeded(
                f"The filter would read too many traces: {self._budget_s:g} s were not enough. Narrow it by time "
                "(`started > -24h`), or by a name that is indexed: docs/guides/tracing.md lists them."
            ) from None
        by_time = (traces.c.started_at.desc(), traces.c.id.desc())
        with self._database.read() as connection:
            rows = connection.execute(WITH_TEXTS.where(traces.c.id.in_(ids[:limit])).order_by(*by_time)).all()
            closed = closed_to(connection, principal, trace_ids=ids[:limit])
        found = tuple(
            Found(
                as_far_as(trace_of(row), closed),
                {name.name: _figure(row, COLUMNS[name.name]) for name in names},
            )
            for row in rows
        )
        more = len(ids) > limit and bool(found)
        return Page(found, cursor_of(found[-1].trace.started_at, found[-1].trace.id) if more else None)

    def _ids(self, search: _Search) -> list[str]:
        """The ids of the page, and of the trace after it."""
        paths = search.paths()
        counts = search.counted(paths, most=self._few, seconds=self._budget_s)
        if counts and min(counts) <= self._few:
            return search.through(paths[counts.index(min(counts))], self._budget_s)
        if not paths:
            return search.back_in_time(self._budget_s)
        along = next((path for path in paths if path.by_time and not path.is_of("started")), None)
        try:
            return search.back_in_time(min(_MOMENT_S, self._budget_s), along)
        except TimeUpError:
            counts = search.counted(paths, most=MANY, seconds=self._budget_s)
            if min(counts) > MANY:
                return search.back_in_time(self._budget_s, along)
            return search.through(paths[counts.index(min(counts))], self._budget_s)


@dataclass(frozen=True, slots=True)
class _Search:
    condition: Condition
    principal: Principal
    limit: int
    before: str | None
    database: Database

    def paths(self) -> list[Path]:
        """The indexes that serve parts of the condition; the time is one part, however often it is told."""
        parts = parts_of(self.condition)
        told = [part for part in parts if _is_time(part)]
        found = [path for part in parts if (path := path_of(part)) is not None]
        if told:
            found.append(Path(told[0], sa.and_(*(sql_of(part) for part in told)), by_time=True))
        if not self.principal.is_operator:
            found.append(Path(None, visible_to(self.principal), by_time=True))
        return found

    def counted(self, paths: list[Path], *, most: int, seconds: float) -> list[int]:
        """How many traces each path leads to, or one more than `most`; no further than to a path that is short enough for good."""
        counts: list[int] = []
        with self.database.read() as connection, within(connection, seconds):
            for path in paths:
                some = sa.select(sa.literal(1)).select_from(traces).where(path.rows).limit(most + 1).subquery()
                counts.append(connection.scalar(sa.select(sa.func.count()).select_from(some)) or 0)
                if counts[-1] <= self.limit:
                    break
        return counts

    def through(self, path: Path, seconds: float) -> list[str]:
        """All that a path leads to, of which the rest of the condition leaves some."""
        with self.database.read() as connection, within(connection, seconds):
            others = unindexed(connection.dialect.name)
            rest = [sql_of(part, others) for part in parts_of(self.condition) if part is not path.part]
            query = sa.select(traces.c.id).where(path.rows, *rest, self._own(others))
            at: sa.ColumnElement[Any] = traces.c.started_at
            if not path.by_time:  # else the order is the index's own, and no more are read than there is room for
                at = others("started_at") if connection.dialect.name == "sqlite" else at + sa.literal(0.0)
            return self._page(connection, query, at)

    def back_in_time(self, seconds: float, along: Path | None = None) -> list[str]:
        """From the newest on, until there are enough; of those alone that a path has by time, where there is one."""
        with self.database.read() as connection, within(connection, seconds):
            others = unindexed(connection.dialect.name)
            rest = [part for part in parts_of(self.condition) if along is None or part is not along.part]
            parts = [sql_of(part, plain if _is_time(part) else others) for part in rest]
            if along is not None:
                parts.append(along.rows)
            return self._page(connection, sa.select(traces.c.id).where(*parts, self._own(others)), traces.c.started_at)

    def _own(self, column: ColumnOf) -> sa.ColumnElement[bool]:
        return sa.true() if self.principal.is_operator else column("principal") == self.principal.id

    def _page(self, connection: sa.Connection, query: sa.Select[Any], at: sa.ColumnElement[Any]) -> list[str]:
        query = newest_first(query, (at, traces.c.id), limit=self.limit, before=self.before)
        return list(connection.scalars(query))


def _is_time(part: Condition) -> bool:
    return isinstance(part, Comparison) and part.name.name == "started" and part.operator != "!="


def _figure(row: sa.Row[Any], column: str) -> Scalar:
    value: Scalar = getattr(row, column)
    return bool(value) if isinstance(traces.c[column].type, sa.Boolean) and value is not None else value
