"""Which documents an answer on record names, and which of those its reader may no longer read.

An answer names the documents that it cites; an abstention, the titles of the nearest ones. An answer that came from the
cache has no passages on record, and an abstention from there nothing but its text.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from ken.domain.principal import Principal
from ken.storage.schema import documents, traced_passages, traces

WITHHELD = "(withheld: this answer rests on a document that you may no longer read)"
"""Stands where an answer stands that somebody may not read any more who once could."""

_AT_ONCE = 500
_QUOTED = re.compile("“([^“]*)”")


def named_documents(connection: sa.Connection) -> sa.Subquery:
    """Pairs of trace and document that its answer names: by the passages that retrieval returned, and by the citations."""
    is_named = sa.or_(traced_passages.c.cited, traces.c.outcome != "answered")
    return sa.union(
        sa.select(traced_passages.c.trace_id, traced_passages.c.document_id)
        .join(traces, traces.c.id == traced_passages.c.trace_id)
        .where(is_named),
        _cited_on_postgres() if connection.dialect.name == "postgresql" else _cited_on_sqlite(),
    ).subquery("named")


def _cited_on_sqlite() -> sa.Select[Any, Any]:
    tree = sa.func.json_tree(
        sa.case((sa.func.json_valid(traces.c.citations), traces.c.citations), else_="[]")
    ).table_valued("key", "atom", name="tree")
    cited = sa.select(traces.c.id, tree.c.atom).select_from(traces.join(tree, sa.true()))
    return cited.where(tree.c.key == "document_id")


def _cited_on_postgres() -> sa.Select[Any, Any]:
    # JSONB holds no U+0000; a quotation may.
    citations = sa.func.replace(traces.c.citations, r"\u0000", r"\ufffd")
    valid = sa.case((citations.op("IS")(sa.literal_column("JSON")), citations), else_="[]")
    path = sa.literal_column("'$.**.document_id'::jsonpath")
    cited = (
        sa.func.jsonb_path_query(sa.cast(valid, JSONB), path)
        .table_valued(sa.column("value", JSONB), name="tree")
        .render_derived()
    )
    named = cited.c.value.op("#>>")(sa.literal_column("'{}'"))
    return sa.select(traces.c.id, named).select_from(traces.join(cited, sa.true()))


def naming(connection: sa.Connection, document_ids: Sequence[str]) -> set[str]:
    """The traces whose answers name one of these documents, which are still there."""
    named = named_documents(connection)
    found: set[str] = set()
    titles: set[str] = set()
    for start in range(0, len(document_ids), _AT_ONCE):
        some = document_ids[start : start + _AT_ONCE]
        found.update(connection.scalars(sa.select(named.c.trace_id).where(named.c.document_id.in_(some)).distinct()))
        titles.update(connection.scalars(sa.select(documents.c.title).where(documents.c.id.in_(some)).distinct()))
    return found | {name for name, quoted in _cached_abstentions(connection).items() if not titles.isdisjoint(quoted)}


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
    named = named_documents(connection)
    pairs: set[tuple[str, str]] = set()
    seen: set[str] = set()
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        rows = connection.execute(sa.select(named.c.trace_id, named.c.document_id).where(named.c.trace_id.in_(some)))
        pairs.update((row.trace_id, row.document_id) for row in rows)
        looked_at = sa.select(traced_passages.c.document_id).where(traced_passages.c.trace_id.in_(some))
        seen.update(connection.scalars(looked_at.distinct()))
    shut = _unreadable(connection, principal, column=documents.c.id, values=seen | {document for _, document in pairs})
    quoted = _cached_abstentions(connection, ids)
    titles = _unreadable(
        connection, principal, column=documents.c.title, values={title for each in quoted.values() for title in each}
    )
    answers = {trace for trace, document in pairs if document in shut}
    answers |= {trace for trace, each in quoted.items() if not titles.isdisjoint(each)}
    return Closed(frozenset(shut), frozenset(answers))


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


def _cached_abstentions(connection: sa.Connection, trace_ids: Sequence[str] | None = None) -> dict[str, set[str]]:
    """What stands in quotation marks in abstentions that came from the cache, by trace."""
    query = sa.select(traces.c.id, traces.c.answer).where(traces.c.cached, traces.c.outcome == "abstained")
    if trace_ids is None:
        return {row.id: set(_QUOTED.findall(row.answer)) for row in connection.execute(query)}
    found: dict[str, set[str]] = {}
    for start in range(0, len(trace_ids), _AT_ONCE):
        some = query.where(traces.c.id.in_(trace_ids[start : start + _AT_ONCE]))
        found.update({row.id: set(_QUOTED.findall(row.answer)) for row in connection.execute(some)})
    return found
