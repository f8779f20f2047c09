"""The turns of a conversation: written with what was shown, read as far as the reader may.

An answer names documents: those that it cites, the nearest ones of an abstention, what a question back offers. Whoever may not read
one of them all today doesn't get to see the answer; one of them that is gone withdraws it. Both hold at the moment of reading.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from ken.domain.answer import Answer
from ken.domain.conversation import Said, Turn
from ken.domain.principal import Principal
from ken.storage.answer_json import dump_answer, load_answer
from ken.storage.forgetting import WITHDRAWN
from ken.storage.naming import WITHHELD, closed_to
from ken.storage.schema import documents, feedback, turn_answers, turn_documents, turns

UNKNOWABLE = "(withheld: it is no longer known which documents this answer rests on)"
"""Stands where an older Ken kept an answer without its sources, and their record has gone: others can't be shown it."""

_QUOTED = re.compile("“([^“]*)”")
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Hidden:
    """Turns whose answers a reader doesn't get to see."""

    withheld: frozenset[int] = field(default_factory=frozenset[int])
    withdrawn: frozenset[int] = field(default_factory=frozenset[int])


def insert(connection: sa.Connection, conversation_id: str, *, new: Sequence[Turn], owner: Principal) -> None:
    """Add turns at the end. An answer that names a document which is gone by now is withdrawn at once."""
    for turn in new:
        named = set[str]() if turn.answer is None else _named(connection, turn.answer, owner)
        is_gone = bool(named) and len(_present(connection, named)) < len(named)
        added = connection.execute(
            sa.insert(turns).values(
                conversation_id=conversation_id,
                role=turn.role,
                content=WITHDRAWN if is_gone else turn.content,
                trace_id=turn.trace_id,
                at=turn.at,
            )
        )
        key = added.inserted_primary_key
        if turn.answer is None or is_gone or key is None:
            continue
        connection.execute(sa.insert(turn_answers).values(turn_id=key[0], answer=dump_answer(turn.answer)))
        if named:
            connection.execute(
                sa.insert(turn_documents), [{"turn_id": key[0], "document_id": each} for each in sorted(named)]
            )


def delete_from(connection: sa.Connection, conversation_id: str, *, trace_id: str) -> int:
    """Delete the turn of a question and all that follow; how many there were. The traces stay on record."""
    first = _first_of(conversation_id, trace_id)
    gone = sa.delete(turns).where(turns.c.conversation_id == conversation_id, turns.c.id >= first)
    return connection.execute(gone).rowcount


def before(conversation_id: str, trace_id: str) -> sa.ColumnElement[bool]:
    """The turns that came before the one of a question."""
    return turns.c.id < _first_of(conversation_id, trace_id)


def rows_of(connection: sa.Connection, which: sa.ColumnElement[bool]) -> Sequence[sa.Row[Any]]:
    """Turns with what was shown, in their order, for `turn_of`."""
    query = sa.select(turns, turn_answers.c.answer).join(turn_answers, isouter=True).where(which).order_by(turns.c.id)
    return connection.execute(query).all()


def turn_of(row: sa.Row[Any], hidden: Hidden, *, said: dict[str, Said] | None = None) -> Turn:
    """A turn of a row of `rows_of`, as far as its reader may see it."""
    turn = Turn(role=row.role, content=row.content, trace_id=row.trace_id, at=row.at)
    if row.role != "assistant":
        return turn
    if row.id in hidden.withdrawn:
        return replace(turn, content=WITHDRAWN)
    if row.id in hidden.withheld:
        return replace(turn, content=WITHHELD)
    answer = None if row.answer is None else load_answer(row.answer)
    return replace(turn, answer=answer, said=(said or {}).get(row.trace_id or ""))


def hidden_from(connection: sa.Connection, reader: Principal, *, rows: Sequence[sa.Row[Any]]) -> Hidden:
    """Which of these turns' answers name a document that `reader` may not read, or that is gone.

    What is kept with the turns tells it, and what their traces name.
    """
    ids = [row.id for row in rows if row.role == "assistant"]
    withheld: set[int] = set()
    withdrawn: set[int] = set()
    for start in range(0, len(ids), _AT_ONCE):
        query = (
            sa.select(turn_documents.c.turn_id, documents.c.groups)
            .join(
                documents,
                sa.and_(documents.c.id == turn_documents.c.document_id, ~documents.c.staged),
                isouter=True,
            )
            .where(turn_documents.c.turn_id.in_(ids[start : start + _AT_ONCE]))
        )
        for row in connection.execute(query):
            if row.groups is None:
                withdrawn.add(row.turn_id)
            elif not reader.may_read(frozenset(row.groups)):
                withheld.add(row.turn_id)
    traced = {row.trace_id for row in rows if row.role == "assistant" and row.trace_id is not None}
    closed = closed_to(connection, reader, trace_ids=traced).answers
    withheld.update(row.id for row in rows if row.role == "assistant" and row.trace_id in closed)
    return Hidden(frozenset(withheld), frozenset(withdrawn))


def said_by(connection: sa.Connection, reader: Principal, *, rows: Sequence[sa.Row[Any]]) -> dict[str, Said]:
    """What `reader` said of the answers, by trace."""
    traced = sorted({row.trace_id for row in rows if row.role == "assistant" and row.trace_id is not None})
    found: dict[str, Said] = {}
    for start in range(0, len(traced), _AT_ONCE):
        some = traced[start : start + _AT_ONCE]
        query = sa.select(feedback).where(feedback.c.principal == reader.id, feedback.c.trace_id.in_(some))
        found.update({row.trace_id: Said(row.helpful, row.reason) for row in connection.execute(query)})
    return found


def unknowable(connection: sa.Connection, rows: Sequence[sa.Row[Any]]) -> frozenset[int]:
    """Answers of which nothing tells any more what they rest on."""
    bare = [row.id for row in rows if row.role == "assistant" and row.answer is None and row.content != WITHDRAWN]
    known: set[int] = set()
    for start in range(0, len(bare), _AT_ONCE):
        query = sa.select(turn_documents.c.turn_id).where(turn_documents.c.turn_id.in_(bare[start : start + _AT_ONCE]))
        known.update(connection.scalars(query))
    return frozenset(bare) - known


def _first_of(conversation_id: str, trace_id: str) -> sa.ScalarSelect[int | None]:
    """The turn that a question's trace begins with; NULL where it isn't there."""
    of_trace = sa.select(sa.func.min(turns.c.id))
    return of_trace.where(turns.c.conversation_id == conversation_id, turns.c.trace_id == trace_id).scalar_subquery()


def _named(connection: sa.Connection, answer: Answer, owner: Principal) -> set[str]:
    """The documents that an answer and its notices name. Of what is named by its title alone, those that the owner may read."""
    conflicts = [each for conflict in answer.conflicts for each in conflict.citations]
    cited = [*answer.citations, *conflicts]
    ids = {each.document_id for each in (*cited, *answer.choices)} | {each.id for each in answer.nearest}
    titles = {each.superseded_by for each in cited if each.superseded_by is not None}
    titles.update(title for notice in answer.notices for title in _QUOTED.findall(notice))
    if titles:
        query = sa.select(documents.c.id, documents.c.groups)
        query = query.where(~documents.c.staged, documents.c.title.in_(sorted(titles)))
        ids.update(row.id for row in connection.execute(query) if owner.may_read(frozenset(row.groups)))
    return ids


def _present(connection: sa.Connection, ids: Collection[str]) -> set[str]:
    query = sa.select(documents.c.id).where(documents.c.id.in_(sorted(ids)), ~documents.c.staged)
    return set(connection.scalars(query.distinct()))
