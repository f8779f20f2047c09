"""The exact-match cache of answers."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import replace

import sqlalchemy as sa

from ken.domain.answer import Answer, Question
from ken.domain.filters import Filters
from ken.domain.usage import Usage
from ken.storage.answer_json import dump_answer, load_answer
from ken.storage.database import Database
from ken.storage.schema import cached_answers, home
from ken.storage.upsert import upsert
from ken.text.normalise import normalise_question

CAPACITY = 10_000
"""Answers kept at most; the oldest go first."""
_SWEEP_EVERY = 100
"""Answers put between two sweeps: by so many the cache may be larger."""


class AnswerCache:
    """Answers that may be given again: to whoever may read the same, under the same release and corpus version."""

    def __init__(self, database: Database, *, capacity: int = CAPACITY) -> None:
        self._database = database
        self._capacity = capacity
        self._puts = 0

    @staticmethod
    def key(question: Question, release: str) -> str:
        """Name what an answer depends on: 64 hex digits.

        SHA-256 over what the asker may read, the release, the normalised question, and whatever else in the question
        shapes the answer: the history before it, the collections, filters and model asked for, the answer's length.
        """
        parts = [
            question.principal.scope,
            release,
            normalise_question(question.text),
            [[message.role, message.content] for message in question.history],
            None if question.collections is None else sorted(question.collections),
            question.model,
            question.max_tokens,
            _listed(question.filters),
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def get(self, key: str, corpus_version: int) -> Answer | None:
        """Find an answer given from this corpus version, `cached`, at no cost; None where there is none.

        Trace and conversation are the new question's to fill in. An answer in the shape of another version of Ken
        counts as none.
        """
        query = sa.select(cached_answers.c.answer).where(
            cached_answers.c.key == key, cached_answers.c.corpus_version == corpus_version
        )
        with self._database.read() as connection:
            text = connection.scalar(query)
        return None if text is None else load_answer(text)

    def put(self, key: str, corpus_version: int, *, answer: Answer) -> None:
        """Keep an answer, without a trace of who got it first.

        An answer from a corpus that has changed meanwhile is not kept: it may quote what was deleted.
        """
        kept = replace(answer, trace_id="", conversation_id=None, usage=Usage(), cost_micros=0, cached=True)
        values = {"corpus_version": corpus_version, "answer": dump_answer(kept), "at": time.time()}
        with self._database.write(durable=False) as connection:
            current = connection.scalar(sa.select(home.c.value).where(home.c.key == "corpus_version"))
            if current is not None and int(current) != corpus_version:
                return
            upsert(connection, cached_answers, rows=[{"key": key, **values}])
            self._puts += 1
            if self._puts % _SWEEP_EVERY == 0:
                _sweep(connection, keep=self._capacity)

    def forget_before(self, corpus_version: int) -> int:
        """Delete the answers of older corpus versions; how many there were. `Database.scrub` is the caller's."""
        with self._database.write() as connection:
            return connection.execute(
                sa.delete(cached_answers).where(cached_answers.c.corpus_version < corpus_version)
            ).rowcount


def _listed(filters: Filters) -> list[object]:
    dates = (filters.modified_from, filters.modified_to, filters.effective_from, filters.effective_to)
    return [sorted(owner.casefold() for owner in filters.owners), sorted(filters.types), *dates]


def _sweep(connection: sa.Connection, *, keep: int) -> None:
    excess = sa.select(cached_answers.c.key).order_by(cached_answers.c.at.desc()).offset(keep)
    connection.execute(sa.delete(cached_answers).where(cached_answers.c.key.in_(excess)))
