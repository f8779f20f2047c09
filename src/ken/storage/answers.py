"""Answers that may be given again: the table that every process of a home shares, and how answers leave it."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ken.domain.cached import CachedAnswer, Keeping, RestsOn
from ken.storage.database import Database
from ken.storage.documents import CONTENT, is_member, read_facts, remember
from ken.storage.schema import (
    cache_removals,
    cached_answers,
    cached_documents,
    cached_texts,
    documents,
    home,
    memberships,
    traces,
)
from ken.storage.trace_rows import spans_of

_AT_ONCE = 500
_ENTRY = tuple(column for column in cached_answers.c if column.name in CachedAnswer.__slots__)
_COLUMNS = ", ".join(column.name for column in _ENTRY)
_PLAIN = (
    *(column for column in _ENTRY if column.name not in {"vector", "words"}),
    *(sa.literal(b"").label(name) for name in ("vector", "words")),
)


@dataclass(frozen=True, slots=True)
class Arrived:
    """What has to be known of an answer to find it by its question."""

    id: int
    space: str
    key: str
    vector: bytes
    uses: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A question whose answer is kept, as one looks whether something new could answer it better."""

    id: int
    vectors: str
    searched: bytes
    groups: frozenset[str] | None
    """Whose documents could be read; None stands for all."""
    collections: frozenset[str] | None
    terms: tuple[tuple[str, float], ...]
    score: float
    dense: float


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look at the table tells."""

    exact: CachedAnswer | None
    """The answer to this very question."""
    arrived: tuple[Arrived, ...]
    """Answers that were kept since the last look."""


class CachedAnswers:
    """The aggregate. The table is what counts: an answer whose row is gone is given to nobody, whoever still knows of it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def look(self, key: str, *, after: int) -> Looked:
        """The answer of a key, and what came after the answer with the id `after`."""
        with self._database.read() as connection:
            row = connection.execute(_OF_KEY, {"key": key}).one_or_none()
            news = connection.execute(_ARRIVED, {"after": after}).all()
        return Looked(None if row is None else _entry(row), tuple(Arrived(*one) for one in news))

    def ids(self) -> frozenset[int]:
        """Of all answers, the flagged ones too."""
        with self._database.read() as connection:
            return frozenset(connection.scalars(sa.select(cached_answers.c.id)))

    def get(self, ids: Sequence[int]) -> dict[int, CachedAnswer]:
        """These answers, with their vectors; without those that are gone."""
        if not ids:
            return {}
        # At every lookup: past SQLAlchemy's compiler, whose work is half of the time. Ids are whole numbers.
        query = f"SELECT {_COLUMNS} FROM cached_answers WHERE id IN ({', '.join(str(int(each)) for each in ids)})"  # noqa: S608 # numbers alone
        with self._database.read() as connection:
            return {row.id: _entry(row) for row in connection.exec_driver_sql(query)}

    def text(self, answer: int) -> str | None:
        """What is kept here of an answer; None where it is gone, or Redis has it."""
        with self._database.read() as connection:
            return connection.scalar(_TEXT, {"answer": answer})

    def rests_on(self, answer: int) -> tuple[RestsOn, ...]:
        """The documents of an answer, by id."""
        table = cached_documents.c
        query = sa.select(table.document_id, table.version, table.cited).where(table.answer == answer)
        with self._database.read() as connection:
            return tuple(RestsOn(*row) for row in connection.execute(query.order_by(table.document_id)))

    def documents_of(self, ids: Sequence[int]) -> dict[int, list[RestsOn]]:
        """`rests_on` of several answers."""
        table = cached_documents.c
        query = sa.select(table.answer, table.document_id, table.version, table.cited).where(table.answer.in_(ids))
        found: dict[int, list[RestsOn]] = {}
        with self._database.read() as connection:
            for row in connection.execute(query.order_by(table.answer, table.document_id)):
                found.setdefault(row.answer, []).append(RestsOn(row.document_id, row.version, row.cited))
        return found

    def listed(
        self,
        *,
        category: str | None = None,
        holding: Sequence[str] = (),
        before: int | None = None,
        limit: int = 50,
    ) -> list[CachedAnswer]:
        """Answers that may be given, the last kept first, without their vectors; `holding`: what their questions hold, in any case."""
        query = sa.select(*_PLAIN).where(~cached_answers.c.flagged).order_by(cached_answers.c.id.desc()).limit(limit)
        if category is not None:
            query = query.where(cached_answers.c.category == category)
        for word in holding:
            query = query.where(cached_answers.c.question.icontains(word, autoescape=True))
        if before is not None:
            query = query.where(cached_answers.c.id < before)
        with self._database.read() as connection:
            return [_entry(row) for row in connection.execute(query)]

    def sizes(self) -> dict[str, int]:
        """How many answers may be given, by category."""
        query = sa.select(cached_answers.c.category, sa.func.count()).where(~cached_answers.c.flagged)
        with self._database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query.group_by(cached_answers.c.category))}

    def idlest(self, count: int) -> tuple[Arrived, ...]:
        """The answers that were not asked for the longest time, without their vectors."""
        table = cached_answers.c
        query = sa.select(table.id, table.space, table.key, sa.literal(b""), table.uses)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(table.used_at).limit(count)).all()
        return tuple(Arrived(*row) for row in rows)

    def put(self, kept: Keeping, text: str | None) -> int | None:
        """Keep an answer in the place of one to the same question; its id.

        None where it must not be kept: the corpus has changed since the question was asked, so that it may quote what is
        no more, or somebody found an answer to this question unhelpful while its documents were the same.
        """
        entry = kept.entry
        with self._database.write(durable=False) as connection:
            current = connection.scalar(sa.select(home.c.value).where(home.c.key == "corpus_version"))
            if int(current or 0) != entry.corpus_version:
                return None
            old = connection.execute(_STATE, {"key": kept.key}).one_or_none()
            if old is not None and old.flagged:
                return None
            if old is not None:
                _delete(connection, [old.id])
            made = connection.execute(sa.insert(cached_answers).values(_row(kept))).inserted_primary_key
            number = int(made[0]) if made is not None else 0
            rows = [
                {"of": one.document_id, "at": one.version, "answer": number, "cited": one.cited}
                for one in kept.rests_on
            ]
            connection.execute(_REST, rows)
            if text is not None:
                connection.execute(sa.insert(cached_texts).values(answer=number, text=text))
        return number

    def asked_by(self, principal: str) -> tuple[int, ...]:
        """The answers whose question somebody was the first to ask, as far as the record still knows."""
        own = sa.select(traces.c.id).where(traces.c.principal == principal)
        with self._database.read() as connection:
            return tuple(connection.scalars(sa.select(cached_answers.c.id).where(cached_answers.c.trace_id.in_(own))))

    def drop(self, ids: Sequence[int]) -> int:
        """Give these answers no more; how many there were."""
        with self._database.write() as connection:
            return _delete(connection, ids)

    def drop_all(self, category: str | None = None) -> int:
        """Give no answer of a category any more, or none at all; how many there were."""
        query = sa.select(cached_answers.c.id)
        if category is not None:
            query = query.where(cached_answers.c.category == category)
        with self._database.write() as connection:
            return _delete(connection, list(connection.scalars(query)))

    def sweep(self, *, before: float) -> int:
        """Drop the answers that expired before a time; how many there were."""
        query = sa.select(cached_answers.c.id).where(cached_answers.c.expires_at < before)
        with self._database.write(durable=False) as connection:
            return _delete(connection, list(connection.scalars(query)))

    def used(self, counts: Mapping[int, int], *, at: float) -> None:
        """Note how often answers were given again."""
        table = cached_answers.c
        more = sa.update(cached_answers).where(table.id == sa.bindparam("of"))
        rows = [{"of": answer, "more": count} for answer, count in counts.items()]
        with self._database.write(durable=False) as connection:
            connection.execute(more.values(uses=table.uses + sa.bindparam("more"), used_at=at), rows)

    def home_name(self) -> str:
        """What tells this home from others that use the same Redis: made once, the same for all who share the database."""
        with self._database.write() as connection:
            facts = read_facts(connection)
            if "cache_name" not in facts:
                remember(connection, {"cache_name": secrets.token_hex(8)})
            return facts.get("cache_name") or read_facts(connection)["cache_name"]

    def removals(self) -> tuple[int, ...]:
        """Answers that have still to be deleted from Redis."""
        with self._database.read() as connection:
            return tuple(connection.scalars(sa.select(cache_removals.c.answer)))

    def removed(self, ids: Sequence[int]) -> None:
        """Note that these have been deleted from Redis."""
        with self._database.write(durable=False) as connection:
            for start in range(0, len(ids), _AT_ONCE):
                some = ids[start : start + _AT_ONCE]
                connection.execute(sa.delete(cache_removals).where(cache_removals.c.answer.in_(some)))

    def to_judge(self, *, after: int, limit: int) -> tuple[Judged, ...]:
        """Some of the answers that came after the one with the id `after`, by id."""
        table = cached_answers.c
        query = sa.select(*(column for column in table if column.name in Judged.__slots__))
        with self._database.read() as connection:
            rows = connection.execute(query.where(table.id > after).order_by(table.id).limit(limit)).all()
        return tuple(
            Judged(
                id=row.id,
                vectors=row.vectors,
                searched=row.searched,
                groups=None if row.groups is None else frozenset(row.groups),
                collections=None if row.collections is None else frozenset(row.collections),
                terms=tuple((str(term), float(worth)) for term, worth in row.terms),
                score=row.score,
                dense=row.dense,
            )
            for row in rows
        )


@dataclass(frozen=True, slots=True)
class Retiring:
    """Which answers a change of the corpus retires besides those that rest on what changed."""

    ids: frozenset[int] = frozenset()
    """Of questions that something new could answer better."""
    judged: int | None = None
    """The last answer that was looked at; those that came after it are retired, too. None where there was nothing new."""


def retire(connection: sa.Connection, retiring: Retiring) -> int:
    """Drop the answers whose documents are not served as they were, in the transaction that changed what is served.

    A document is as it was while its version, its readers and what replaced it are the same.
    """
    table = cached_documents.c
    same = sa.and_(
        documents.c.id == table.document_id,
        documents.c.version == table.version,
        documents.c.groups == table.groups,
        documents.c.superseded_by.is_not_distinct_from(table.superseded_by),
    )
    member = sa.and_(
        memberships.c.document_id == documents.c.id, memberships.c.version == documents.c.version, is_member(CONTENT)
    )
    as_it_was = sa.exists().where(same, member)
    gone = set(connection.scalars(sa.select(table.answer).where(~as_it_was).distinct())) | retiring.ids
    if retiring.judged is not None:
        gone |= set(connection.scalars(sa.select(cached_answers.c.id).where(cached_answers.c.id > retiring.judged)))
    return _delete(connection, sorted(gone))


def flag(connection: sa.Connection, trace_id: str) -> None:
    """Give no more the answer that a trace brought, whether it was made then or given again; nor keep another one yet."""
    found = _of_trace(connection, trace_id)
    _note_removals(connection, found)
    connection.execute(sa.delete(cached_texts).where(cached_texts.c.answer.in_(found)))
    connection.execute(sa.update(cached_answers).where(cached_answers.c.id.in_(found)).values(flagged=True))


def unflag(connection: sa.Connection, trace_id: str) -> None:
    """Let answers be kept again to the question of a trace that was flagged."""
    of_trace = sa.and_(cached_answers.c.id.in_(_of_trace(connection, trace_id)), cached_answers.c.flagged)
    connection.execute(sa.delete(cached_answers).where(of_trace))


def _of_trace(connection: sa.Connection, trace_id: str) -> list[int]:
    found = set(connection.scalars(sa.select(cached_answers.c.id).where(cached_answers.c.trace_id == trace_id)))
    for span in spans_of(connection, trace_id):
        attributes = dict(span.attributes) if span.name == "recall" else {}
        entry = attributes.get("entry")
        if isinstance(entry, int) and attributes.get("decision") in {"exact", "similar", "stale"}:
            found.add(entry)
    return sorted(found)


def _delete(connection: sa.Connection, ids: Sequence[int]) -> int:
    deleted = 0
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        _note_removals(connection, some)
        deleted += connection.execute(sa.delete(cached_answers).where(cached_answers.c.id.in_(some))).rowcount
    return deleted


def _note_removals(connection: sa.Connection, ids: Collection[int]) -> None:
    """What isn't in `cached_texts` is in Redis, which a transaction doesn't reach."""
    table = cached_answers.c
    elsewhere = ~sa.exists().where(cached_texts.c.answer == table.id)
    known = sa.exists().where(cache_removals.c.answer == table.id)
    which = sa.select(table.id).where(table.id.in_(ids), ~table.flagged, elsewhere, ~known)
    connection.execute(sa.insert(cache_removals).from_select(["answer"], which))


def _row(kept: Keeping) -> dict[str, object]:
    entry, space = kept.entry, kept.space
    readable = space.principal.readable_groups
    return {
        "key": kept.key,
        "space": entry.space,
        "scope": space.principal.scope,
        "release": space.release,
        "category": entry.category,
        "groups": None if readable is None else sorted(readable),
        "collections": None if space.collections is None else sorted(space.collections),
        "question": entry.question,
        "terms": [list(pair) for pair in kept.terms],
        "vectors": space.vectors,
        "vector": entry.vector,
        "words": entry.words,
        "searched": kept.searched,
        "score": kept.score,
        "dense": kept.dense,
        "trace_id": entry.trace_id,
        "model": entry.model,
        "corpus_version": entry.corpus_version,
        "valid_from": entry.valid_from,
        "valid_before": entry.valid_before,
        "made_at": entry.made_at,
        "expires_at": entry.expires_at,
        "used_at": entry.used_at,
    }


def _entry(row: sa.Row[Any]) -> CachedAnswer:
    values: dict[str, Any] = {name: getattr(row, name) for name in CachedAnswer.__slots__}
    values["flagged"] = bool(row.flagged)  # SQLite's is a number
    return CachedAnswer(**values)


_OF_KEY = sa.select(*_ENTRY).where(cached_answers.c.key == sa.bindparam("key"))
_STATE = sa.select(cached_answers.c.id, cached_answers.c.flagged).where(cached_answers.c.key == sa.bindparam("key"))
_ARRIVED = (
    sa.select(
        cached_answers.c.id,
        cached_answers.c.space,
        cached_answers.c.key,
        cached_answers.c.vector,
        cached_answers.c.uses,
    )
    .where(cached_answers.c.id > sa.bindparam("after"))
    .order_by(cached_answers.c.id)
)
_TEXT = sa.select(cached_texts.c.text).where(cached_texts.c.answer == sa.bindparam("answer"))
_REST = sa.insert(cached_documents).from_select(
    ["answer", "document_id", "version", "groups", "superseded_by", "cited"],
    sa.select(
        sa.bindparam("answer", type_=sa.Integer),
        documents.c.id,
        documents.c.version,
        documents.c.groups,
        documents.c.superseded_by,
        sa.bindparam("cited", type_=sa.Boolean),
    ).where(documents.c.id == sa.bindparam("of"), documents.c.version == sa.bindparam("at")),
)
