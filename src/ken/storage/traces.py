"""The record of every question: traces with their spans and the passages that were looked at."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import fields, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from ken.domain.answer import Outcome
from ken.domain.principal import Principal
from ken.domain.trace import Span, Trace, TracedPassage
from ken.errors import InvalidInput, NotFound
from ken.storage.database import Database
from ken.storage.naming import WITHHELD, Closed, closed_to, named_documents, naming
from ken.storage.paging import Page, cursor_of, newest_first
from ken.storage.schema import documents, home, spans, traced_passages, traces, turns

WITHDRAWN = "(withdrawn: a document that this answer quoted was deleted)"
"""Stands where an answer stood that quoted a document which is gone."""

_AT_ONCE = 500
_COLUMNS = tuple(field.name for field in fields(Trace) if field.name in traces.c)


class Traces:
    """All traces. A trace is visible to the principal that asked, and to operators."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, many: Sequence[Trace]) -> int:
        """Keep traces in one transaction; how many were new. A trace whose id is known already is left as it was.

        An answer that was under way while a document it quotes got deleted is withdrawn as it comes in. Raises
        InvalidInput for a trace that can't be stored; then none of them is.
        """
        with self._database.write(durable=False) as connection:
            ids = [trace.id for trace in many]
            known = set(connection.scalars(sa.select(traces.c.id).where(traces.c.id.in_(ids))))
            # Reversed, so that of two with one id the first stays.
            new = list({trace.id: trace for trace in reversed(many) if trace.id not in known}.values())
            if new:
                try:
                    _insert(connection, new)
                except IntegrityError as error:
                    raise InvalidInput(
                        f"A trace can't be stored: {str(error.orig).splitlines()[0]}. Give each span its own id."
                    ) from error
                _withdraw_overtaken(connection, new)
        return len(new)

    def exists(self, trace_id: str) -> bool:
        """Tell whether an id is taken, whoever's it is: a second question needs another one."""
        with self._database.read() as connection:
            return connection.execute(sa.select(traces.c.id).where(traces.c.id == trace_id)).first() is not None

    def get(self, trace_id: str, principal: Principal) -> Trace:
        """Read a trace with its spans and passages, as far as the principal may read them today. Raises NotFound."""
        own = sa.and_(traces.c.id == trace_id, _visible_to(principal))
        return self._read(own, principal, otherwise=f"There is no trace {trace_id!r}.")

    def latest(self, principal: Principal) -> Trace:
        """Read the trace of the principal's own last question, operator or not. Raises NotFound."""
        return self._read(traces.c.principal == principal.id, principal, otherwise="You have not asked anything yet.")

    def list(
        self, principal: Principal, *, limit: int = 50, before: str | None = None, outcome: Outcome | None = None
    ) -> Page[Trace]:
        """List the traces that a principal may see, newest first, without spans and passages. Raises InvalidInput."""
        query = sa.select(traces).where(_visible_to(principal))
        if outcome is not None:
            query = query.where(traces.c.outcome == outcome)
        query = newest_first(query, (traces.c.started_at, traces.c.id), limit=limit, before=before)
        with self._database.read() as connection:
            found = [_trace(row) for row in connection.execute(query)]
            closed = closed_to(connection, principal, trace_ids=[trace.id for trace in found])
        shown = tuple(_as_far_as(trace, closed) for trace in found[:limit])
        more = len(found) > limit
        return Page(shown, cursor_of(shown[-1].started_at, shown[-1].id) if more else None)

    def delete_older_than(self, seconds: float) -> int:
        """Delete traces, and what was said of them, that began more than `seconds` ago; how many there were."""
        horizon = time.time() - seconds
        old = sa.select(traces.c.id).where(traces.c.started_at < horizon).limit(_AT_ONCE)
        deleted = 0
        while True:
            with self._database.write() as connection:
                gone = connection.execute(sa.delete(traces).where(traces.c.id.in_(old))).rowcount
            deleted += gone
            if gone < _AT_ONCE:
                break
        if deleted:
            self._database.purge_log()
        return deleted

    def delete_of_documents(self, document_ids: Collection[str]) -> int:
        """Withdraw every answer that names one of these documents, here and in the conversations; how many traces it touched.

        The answer's text and its citations go. The question, the figures and the ids of the passages stay: they are
        the asker's words and the record. What is left on the disk goes with `Database.scrub`, once for all documents.
        """
        with self._database.write() as connection:
            touched = naming(connection, sorted(document_ids))
            _withdraw(connection, sorted(touched))
        return len(touched)

    def _read(self, which: sa.ColumnElement[bool], principal: Principal, *, otherwise: str) -> Trace:
        query = sa.select(traces).where(which).order_by(traces.c.started_at.desc(), traces.c.id.desc()).limit(1)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
            if row is None:
                raise NotFound(otherwise)
            steps = connection.execute(
                sa.select(spans).where(spans.c.trace_id == row.id).order_by(spans.c.started_at, spans.c.position)
            ).all()
            seen = connection.execute(
                sa.select(traced_passages).where(traced_passages.c.trace_id == row.id).order_by(traced_passages.c.rank)
            ).all()
            closed = closed_to(connection, principal, trace_ids=[row.id])
        trace = _trace(row, steps=tuple(_span(step) for step in steps), seen=tuple(_passage(one) for one in seen))
        return _as_far_as(trace, closed)


def _as_far_as(trace: Trace, closed: Closed) -> Trace:
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


def _without(span: Span, document_ids: Collection[str]) -> Span:
    """A span without the attributes that name one of these documents."""
    kept = tuple(
        (name, value)
        for name, value in span.attributes
        if not (isinstance(value, str) and any(each in value for each in document_ids))
    )
    return replace(span, attributes=kept)


def _visible_to(principal: Principal) -> sa.ColumnElement[bool]:
    return sa.true() if principal.is_operator else traces.c.principal == principal.id


def _insert(connection: sa.Connection, new: Sequence[Trace]) -> None:
    connection.execute(sa.insert(traces), [{name: getattr(trace, name) for name in _COLUMNS} for trace in new])
    steps = [_span_values(trace.id, span, position=at) for trace in new for at, span in enumerate(trace.spans)]
    if steps:
        connection.execute(sa.insert(spans), steps)
    seen = [
        {"trace_id": trace.id, "rank": rank, **{name: getattr(one, name) for name in TracedPassage.__slots__}}
        for trace in new
        for rank, one in enumerate(trace.evidence)
    ]
    if seen:
        connection.execute(sa.insert(traced_passages), seen)


def _withdraw(connection: sa.Connection, ids: Sequence[str]) -> None:
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        connection.execute(sa.update(traces).where(traces.c.id.in_(some)).values(answer=WITHDRAWN, citations="[]"))
        connection.execute(
            sa.update(turns).where(turns.c.trace_id.in_(some), turns.c.role == "assistant").values(content=WITHDRAWN)
        )


def _withdraw_overtaken(connection: sa.Connection, new: Sequence[Trace]) -> None:
    version = int(connection.scalar(sa.select(home.c.value).where(home.c.key == "corpus_version")) or 0)
    overtaken = [trace.id for trace in new if trace.corpus_version < version]
    if not overtaken:
        return
    cited = named_documents(connection)
    present = sa.select(documents.c.id).where(documents.c.current)
    gone = sa.select(cited.c.trace_id).where(cited.c.trace_id.in_(overtaken), cited.c.document_id.not_in(present))
    _withdraw(connection, list(connection.scalars(gone.distinct())))


def _span_values(trace_id: str, span: Span, *, position: int) -> dict[str, object]:
    return {
        "trace_id": trace_id,
        "id": span.id,
        "parent_id": span.parent_id,
        "position": position,
        "name": span.name,
        "started_at": span.started_at,
        "ended_at": span.ended_at,
        "status": span.status,
        "attributes": dict(span.attributes),
    }


def _trace(row: sa.Row[Any], *, steps: tuple[Span, ...] = (), seen: tuple[TracedPassage, ...] = ()) -> Trace:
    return Trace(**{name: getattr(row, name) for name in _COLUMNS}, spans=steps, evidence=seen)


def _span(row: sa.Row[Any]) -> Span:
    return Span(
        id=row.id,
        parent_id=row.parent_id,
        name=row.name,
        started_at=row.started_at,
        ended_at=row.ended_at,
        status=row.status,
        attributes=tuple(row.attributes.items()),
    )


def _passage(row: sa.Row[Any]) -> TracedPassage:
    return TracedPassage(**{name: getattr(row, name) for name in TracedPassage.__slots__})
