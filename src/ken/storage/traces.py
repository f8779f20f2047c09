"""The record of every question, read: traces with their spans and the passages that were looked at."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import sqlalchemy as sa

from ken.domain.answer import Outcome
from ken.domain.principal import Principal
from ken.domain.trace import Span, Trace
from ken.errors import NotFound
from ken.storage.database import Database
from ken.storage.naming import WITHHELD, Closed, closed_to
from ken.storage.paging import Page, cursor_of, newest_first
from ken.storage.schema import traces
from ken.storage.trace_rows import WITH_TEXTS, evidence_of, spans_of, trace_of


@dataclass(frozen=True, slots=True)
class Kept:
    """Why a trace is kept as it is: what was wrong with it, `sampled`, or nothing."""

    reasons: tuple[str, ...]
    kept_until: float
    """When its texts go, or where they have gone its figures; seconds since the epoch."""


class Traces:
    """All traces. A trace is visible to the principal that asked, and to operators."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def exists(self, trace_id: str) -> bool:
        """Tell whether an id is taken, whoever's it is: a second question needs another one.

        One that other services alone have sent spans of is free: the question that they belong to may be still to come.
        """
        taken = sa.select(traces.c.id).where(traces.c.id == trace_id, traces.c.kind != "external")
        with self._database.read() as connection:
            return connection.execute(taken).first() is not None

    def get(self, trace_id: str, principal: Principal) -> Trace:
        """Read a trace with its spans and passages, as far as the principal may read them today. Raises NotFound."""
        own = sa.and_(traces.c.id == trace_id, visible_to(principal))
        return self._read(own, principal, otherwise=f"There is no trace {trace_id!r}.")

    def keeping(self, trace_id: str) -> Kept | None:
        """Why a trace is kept as it is, and for how long; None where there is none."""
        query = sa.select(traces.c.reasons, traces.c.kept_until).where(traces.c.id == trace_id)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else Kept(tuple(row.reasons.split()), row.kept_until)

    def latest(self, principal: Principal) -> Trace:
        """Read the trace of the principal's own last question, operator or not. Raises NotFound."""
        own = sa.and_(traces.c.principal == principal.id, traces.c.kind == "question")
        return self._read(own, principal, otherwise="You have not asked anything yet.")

    def list(
        self, principal: Principal, *, limit: int = 50, before: str | None = None, outcome: Outcome | None = None
    ) -> Page[Trace]:
        """List the traces that a principal may see, newest first, without spans and passages. Raises InvalidInput."""
        query = WITH_TEXTS.where(visible_to(principal))
        if outcome is not None:
            query = query.where(traces.c.outcome == outcome)
        query = newest_first(query, (traces.c.started_at, traces.c.id), limit=limit, before=before)
        with self._database.read() as connection:
            found = [replace(trace_of(row), prompt="") for row in connection.execute(query)]
            closed = closed_to(connection, principal, trace_ids=[trace.id for trace in found])
        shown = tuple(as_far_as(trace, closed) for trace in found[:limit])
        more = len(found) > limit
        return Page(shown, cursor_of(shown[-1].started_at, shown[-1].id) if more else None)

    def _read(self, which: sa.ColumnElement[bool], principal: Principal, *, otherwise: str) -> Trace:
        query = WITH_TEXTS.where(which).order_by(traces.c.started_at.desc(), traces.c.id.desc()).limit(1)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
            if row is None:
                raise NotFound(otherwise)
            trace = trace_of(row, spans=spans_of(connection, row.id), evidence=evidence_of(connection, row.id))
            closed = closed_to(connection, principal, trace_ids=[row.id])
        # A prompt holds Ken's instructions and earlier answers.
        return as_far_as(trace if principal.is_operator else replace(trace, prompt=""), closed)


def as_far_as(trace: Trace, closed: Closed) -> Trace:
    """A trace without what its reader may no longer read."""
    if not closed.documents and not closed.answers:
        return trace
    if trace.id in closed.answers:
        trace = replace(trace, answer=WITHHELD, citations="[]")
    return replace(
        trace,
        evidence=tuple(one for one in trace.evidence if one.document_id not in closed.documents),
        spans=tuple(_without(span, closed.documents) for span in trace.spans),
    )


def visible_to(principal: Principal) -> sa.ColumnElement[bool]:
    """Whose traces somebody may read."""
    return sa.true() if principal.is_operator else traces.c.principal == principal.id


def _without(span: Span, document_ids: Collection[str]) -> Span:
    """A span without the attributes that name one of these documents."""
    kept = tuple(
        (name, value)
        for name, value in span.attributes
        if not (isinstance(value, str) and any(each in value for each in document_ids))
    )
    return replace(span, attributes=kept)
