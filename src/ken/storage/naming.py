"""Which documents an answer on record names, and which of those its reader may no longer read.

An answer names the documents that it cites; an abstention, the titles of the nearest ones. An answer that came from the
cache has no passages on record, and an abstention from there nothing but its text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import cast

import sqlalchemy as sa

from ken.domain.principal import Principal
from ken.domain.trace import Trace
from ken.storage.schema import documents, named_documents, named_titles, traced_passages

WITHHELD = "(withheld: this answer rests on a document that you may no longer read)"
"""Stands where an answer stands that somebody may not read any more who once could."""

_AT_ONCE = 500
_QUOTED = re.compile("“([^“]*)”")


def note_named(connection: sa.Connection, new: Sequence[Trace]) -> None:
    """Write down what new traces' answers name, so that nobody has to read them all to find out."""
    named = [{"trace_id": trace.id, "document_id": each} for trace in new for each in sorted(_named(trace))]
    if named:
        connection.execute(sa.insert(named_documents), named)
    titles = [
        {"trace_id": trace.id, "title": each}
        for trace in new
        if trace.cached and trace.outcome == "abstained"
        for each in sorted(set(_QUOTED.findall(trace.answer)))
    ]
    if titles:
        connection.execute(sa.insert(named_titles), titles)


def _named(trace: Trace) -> set[str]:
    """By the passages that retrieval returned, and by the citations, whichever Ken wrote them."""
    named = {one.document_id for one in trace.evidence if one.cited or trace.outcome != "answered"}
    try:
        looked_at: list[object] = [json.loads(trace.citations)]
    except ValueError:
        return named
    while looked_at:
        match looked_at.pop():
            case dict() as each:
                values = cast("dict[str, object]", each)
                cited = values.get("document_id")
                if isinstance(cited, str):
                    named.add(cited)
                looked_at += values.values()
            case list() as each:
                looked_at += cast("list[object]", each)
            case _:
                pass
    return named


@dataclass(frozen=True, slots=True)
class Closed:
    """What somebody may no longer read of some traces."""

    documents: frozenset[str] = frozenset()
    answers: frozenset[str] = field(default_factory=frozenset[str])
    """Traces whose answers name one of the documents."""


def closed_to(connection: sa.Connection, principal: Principal, *, trace_ids: Collection[str]) -> Closed:
    """What of these traces `principal` may no longer read; an operator may read everything."""
    if principal.is_operator or not trace_ids:
        return Closed()
    ids = sorted(trace_ids)
    pairs: set[tuple[str, str]] = set()
    quoted: set[tuple[str, str]] = set()
    seen: set[str] = set()
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        pairs.update(_pairs(connection, named_documents.c.document_id, some))
        quoted.update(_pairs(connection, named_titles.c.title, some))
        looked_at = sa.select(traced_passages.c.document_id).where(traced_passages.c.trace_id.in_(some))
        seen.update(connection.scalars(looked_at.distinct()))
    shut = _unreadable(connection, principal, column=documents.c.id, values=seen | {document for _, document in pairs})
    titles = _unreadable(connection, principal, column=documents.c.title, values={title for _, title in quoted})
    answers = {trace for trace, document in pairs if document in shut}
    answers |= {trace for trace, title in quoted if title in titles}
    return Closed(frozenset(shut), frozenset(answers))


def _pairs(connection: sa.Connection, column: sa.Column[str], trace_ids: Sequence[str]) -> list[tuple[str, str]]:
    of_trace = column.table.c.trace_id
    return [(row[0], row[1]) for row in connection.execute(sa.select(of_trace, column).where(of_trace.in_(trace_ids)))]


def _unreadable(
    connection: sa.Connection, principal: Principal, *, column: sa.ColumnElement[str], values: Collection[str]
) -> set[str]:
    """Those of these ids, or titles, that some documents bear which the principal may not read."""
    wanted = sorted(values)
    found: set[str] = set()
    for start in range(0, len(wanted), _AT_ONCE):
        query = sa.select(column.label("value"), documents.c.groups)
        query = query.where(~documents.c.staged, column.in_(wanted[start : start + _AT_ONCE]))
        found.update(row.value for row in connection.execute(query) if not principal.may_read(frozenset(row.groups)))
    return found
