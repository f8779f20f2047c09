"""Takes texts off the record: by age, by document, by person. In steps, each of which is short and lets other writers go on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ken.domain.trace import CaptureTier
from ken.storage.database import Database
from ken.storage.keeping import Keeping
from ken.storage.schema import (
    conversations,
    documents,
    feedback,
    named_documents,
    named_titles,
    span_batches,
    trace_details,
    traced_passages,
    traces,
    turn_answers,
    turn_documents,
    turns,
)
from ken.storage.trace_rows import words

WITHDRAWN = "(withdrawn: a document that this answer quoted was deleted)"
"""Stands where an answer stood that quoted a document which is gone."""

STEP = 200
"""Traces that one transaction takes on, at most."""
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Step:
    """What one step did."""

    thinned: int
    """Traces whose texts went, and whose figures stay."""
    deleted: int
    """Traces that went whole."""
    more: bool
    """Whether another step has something left to do."""


class Forgetting:
    """Deleting from the record. What is left on the disk goes with `Database.scrub`, or as it is written over."""

    def __init__(self, database: Database, keeping: Keeping) -> None:
        self._database = database
        self._keeping = keeping

    def thin(self, now: float, *, most: int = STEP) -> Step:
        """Take what has been kept for as long as its tier says: texts, spans and passages; of those that have none, the trace.

        What a conversation's answer names stays known for as long as the trace, so that it can be withdrawn there. What somebody found
        helpful counts as confirmed, and is kept as full ones are.
        """
        due = sa.select(
            traces.c.id,
            traces.c.capture,
            traces.c.conversation_id,
            traces.c.started_at,
            traces.c.helpful,
            traces.c.reasons,
        )
        due = due.where(traces.c.kept_until <= now).order_by(traces.c.kept_until).limit(most + 1)
        with self._database.write(durable=False) as connection:
            rows = connection.execute(due).all()
            more, rows = len(rows) > most, rows[:most]
            whole = [row.id for row in rows if row.capture == "metrics"]
            confirmed = [row for row in rows if row.capture == "grace" and row.helpful]
            texts = [row for row in rows if row.capture != "metrics" and row not in confirmed]
            _delete(connection, traces.c.id, whole)
            _delete_details(connection, [row.id for row in texts])
            unnamed = [row.id for row in texts if row.conversation_id is None]
            for table in (named_documents, named_titles):
                _delete(connection, table.c.trace_id, unnamed)
            self._change_tier(connection, texts, "metrics")
            self._change_tier(connection, confirmed, "full", reason="thumbs_up")
        if rows and not more:
            self._database.purge_log()
        return Step(thinned=len(texts), deleted=len(whole), more=more)

    def _change_tier(
        self, connection: sa.Connection, rows: Sequence[Any], tier: CaptureTier, *, reason: str = ""
    ) -> None:
        if not rows:
            return
        changed = sa.update(traces).where(traces.c.id == sa.bindparam("key"))
        connection.execute(
            changed.values(capture=tier, kept_until=sa.bindparam("until"), reasons=sa.bindparam("why")),
            [
                {
                    "key": row.id,
                    "until": self._keeping.kept_until(tier, started_at=row.started_at),
                    "why": words(tuple(dict.fromkeys((*row.reasons.split(), *reason.split())))),
                }
                for row in rows
            ],
        )

    def of_principal(self, principal_id: str, *, most: int = STEP) -> Step:
        """Delete somebody's traces, conversations, and what they said of answers. Figures that were added up stay; so does the ledger."""
        own = sa.select(traces.c.id).where(traces.c.principal == principal_id).limit(most + 1)
        begun = sa.select(conversations.c.id).where(conversations.c.principal == principal_id).limit(most + 1)
        with self._database.write() as connection:
            ids, talks = list(connection.scalars(own)), list(connection.scalars(begun))
            _delete(connection, traces.c.id, ids[:most])
            _delete(connection, conversations.c.id, talks[:most])
            more = len(ids) > most or len(talks) > most
            if not more:
                connection.execute(sa.delete(feedback).where(feedback.c.principal == principal_id))
        if not more:
            self._database.purge_log()
        return Step(thinned=0, deleted=min(len(ids), most), more=more)

    def older_than(self, horizon: float, *, most: int = STEP) -> Step:
        """Delete traces that began before `horizon` (seconds since the epoch), whatever their tier, with what was said of them."""
        old = sa.select(traces.c.id).where(traces.c.started_at < horizon).order_by(traces.c.started_at).limit(most + 1)
        with self._database.write() as connection:
            ids = list(connection.scalars(old))
            _delete(connection, traces.c.id, ids[:most])
        if ids and len(ids) <= most:
            self._database.purge_log()
        return Step(thinned=0, deleted=min(len(ids), most), more=len(ids) > most)


def of_documents(database: Database, document_ids: Collection[str], *, most: int = STEP) -> int:
    """Withdraw every answer that names one of these documents, here and in the conversations, and every prompt that quotes one.

    Returns how many traces it touched. The answer's text and its citations go. The question, the figures and the ids of the
    passages stay: they are the asker's words and the record. Each step is a transaction of its own; the documents are still there.
    """
    touched: set[str] = set()
    wanted = sorted(document_ids)
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        while True:
            with database.write() as connection:
                naming, given = _naming(connection, some, most), _given(connection, some, most)
                withdraw(connection, sorted({*naming}))
                _take_prompts(connection, sorted({*given}))
                said = _withdraw_turns(connection, some, most)
            touched.update(naming)
            if len(naming) < most and len(given) < most and said < most:
                break
    return len(touched)


def withdraw(connection: sa.Connection, ids: Sequence[str]) -> None:
    """Take answers and their citations, where they are kept as traces and in conversations: they name nothing any more.

    The prompts of their conversations go too, as they repeat what was said before.
    """
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        talks = sa.select(traces.c.conversation_id).where(traces.c.id.in_(some), traces.c.conversation_id.is_not(None))
        repeating = sa.select(traces.c.id).where(
            traces.c.conversation_id.in_(list(connection.scalars(talks.distinct())))
        )
        _take_prompts(connection, list(connection.scalars(repeating)))
        connection.execute(
            sa.update(trace_details)
            .where(trace_details.c.trace_id.in_(some))
            .values(answer=WITHDRAWN, citations="[]", prompt=None)
        )
        said = sa.select(turns.c.id).where(turns.c.trace_id.in_(some), turns.c.role == "assistant")
        _empty_turns(connection, list(connection.scalars(said)))
        for table in (named_documents, named_titles):
            connection.execute(sa.delete(table).where(table.c.trace_id.in_(some)))


def _withdraw_turns(connection: sa.Connection, document_ids: Sequence[str], most: int) -> int:
    """Withdraw what conversations tell of these documents, whether or not a trace still does; how many turns it took on."""
    naming = sa.select(turn_documents.c.turn_id).where(turn_documents.c.document_id.in_(document_ids)).distinct()
    ids = list(connection.scalars(naming.limit(most)))
    _empty_turns(connection, ids)
    return len(ids)


def _empty_turns(connection: sa.Connection, ids: Sequence[int]) -> None:
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        connection.execute(sa.update(turns).where(turns.c.id.in_(some)).values(content=WITHDRAWN))
        for table in (turn_answers, turn_documents):
            connection.execute(sa.delete(table).where(table.c.turn_id.in_(some)))


def withdraw_overtaken(connection: sa.Connection, ids: Sequence[str]) -> None:
    """Withdraw those of these traces that name, or were given, a document which is gone since."""
    present = sa.select(documents.c.id).where(documents.c.current)
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        cited = named_documents.c
        gone = sa.select(cited.trace_id).where(cited.trace_id.in_(some), cited.document_id.not_in(present))
        withdraw(connection, list(connection.scalars(gone.distinct())))
        seen = traced_passages.c
        lost = sa.select(seen.trace_id).where(seen.trace_id.in_(some), seen.document_id.not_in(present))
        _take_prompts(connection, list(connection.scalars(lost.distinct())))


def _naming(connection: sa.Connection, document_ids: Sequence[str], most: int) -> list[str]:
    """Some of the traces that name one; one that names several, as often. To sort them out here would have all of them read."""
    titles = sa.select(documents.c.title).where(documents.c.id.in_(document_ids))
    by_id = sa.select(named_documents.c.trace_id).where(named_documents.c.document_id.in_(document_ids))
    by_title = sa.select(named_titles.c.trace_id).where(named_titles.c.title.in_(titles))
    return [each for query in (by_id, by_title) for each in connection.scalars(query.limit(most))]


def _given(connection: sa.Connection, document_ids: Sequence[str], most: int) -> list[str]:
    """Traces with a prompt that these documents' passages stand in."""
    seen = traced_passages.c
    query = (
        sa.select(seen.trace_id)
        .join(trace_details, trace_details.c.trace_id == seen.trace_id)
        .where(seen.document_id.in_(document_ids), trace_details.c.prompt.is_not(None))
    )
    return list(connection.scalars(query.limit(most)))


def _take_prompts(connection: sa.Connection, ids: Sequence[str]) -> None:
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        quoting = sa.and_(trace_details.c.trace_id.in_(some), trace_details.c.prompt.is_not(None))
        connection.execute(sa.update(trace_details).where(quoting).values(prompt=None))


def _delete_details(connection: sa.Connection, ids: Sequence[str]) -> None:
    for table in (trace_details, span_batches, traced_passages):
        _delete(connection, table.c.trace_id, ids)


def _delete(connection: sa.Connection, column: sa.Column[str], ids: Sequence[str]) -> None:
    for start in range(0, len(ids), _AT_ONCE):
        connection.execute(sa.delete(column.table).where(column.in_(ids[start : start + _AT_ONCE])))
