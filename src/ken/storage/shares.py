"""Conversations that their owners let others read."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from ken.domain.conversation import Share, Turn
from ken.domain.principal import EVERYONE, Principal
from ken.errors import InvalidInput, NotFound
from ken.storage import turns as kept_turns
from ken.storage.database import Database
from ken.storage.keys import checked_groups
from ken.storage.naming import WITHHELD
from ken.storage.schema import conversations, keys, shares, turns

HIDDEN_QUESTION = "(withheld: this question was offered by an answer that you may not read)"
"""Stands where the owner took up a question that Ken had worded from a document which the reader may not read."""

_WITH_OWNER = (
    sa.select(shares, conversations.c.title, conversations.c.principal, keys.c.name)
    .join(conversations, conversations.c.id == shares.c.conversation_id)
    .join(keys, keys.c.id == conversations.c.principal, isouter=True)
)


class Shares:
    """Shares of conversations. To whom one isn't open it looks like one that doesn't exist, operators included."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, conversation_id: str, owner: Principal, *, groups: Iterable[str]) -> Share:
        """Let groups read a conversation as it is now; `everyone` stands for everybody with a key.

        Raises NotFound for a conversation that isn't the owner's, InvalidInput for no group or one that can't be.
        """
        readers = checked_groups(groups)
        if not readers:
            raise InvalidInput(f"A share needs a group that may read it; {EVERYONE!r} stands for everybody with a key.")
        now, share_id = time.time(), secrets.token_hex(16)
        with self._database.write() as connection:
            own = sa.select(conversations.c.id).where(
                conversations.c.id == conversation_id, conversations.c.principal == owner.id
            )
            if connection.execute(own).first() is None:
                raise NotFound(f"There is no conversation {conversation_id!r} of yours.")
            connection.execute(
                sa.insert(shares).values(
                    id=share_id, conversation_id=conversation_id, groups=sorted(readers), created_at=now, until=now
                )
            )
            return _share(connection.execute(_WITH_OWNER.where(shares.c.id == share_id)).one())

    def list(self, owner: Principal, *, conversation_id: str | None = None) -> tuple[Share, ...]:
        """List what somebody has shared, all of it or of one conversation, newest first, without turns."""
        query = _WITH_OWNER.where(conversations.c.principal == owner.id).order_by(
            shares.c.created_at.desc(), shares.c.id
        )
        if conversation_id is not None:
            query = query.where(shares.c.conversation_id == conversation_id)
        with self._database.read() as connection:
            return tuple(_share(row) for row in connection.execute(query))

    def revoke(self, share_id: str, owner: Principal) -> None:
        """Let nobody read it by this share any more. Raises NotFound."""
        own = sa.select(conversations.c.id).where(conversations.c.principal == owner.id)
        with self._database.write() as connection:
            gone = sa.delete(shares).where(shares.c.id == share_id, shares.c.conversation_id.in_(own))
            if connection.execute(gone).rowcount == 0:
                raise _missing(share_id)

    def get(self, share_id: str, reader: Principal) -> Share:
        """Read a shared conversation. Raises NotFound.

        An answer is withheld where the reader may not read every document that it names today; one whose document is gone is
        withdrawn. Trace ids are left out: the trace is the owner's.
        """
        with self._database.read() as connection:
            row = connection.execute(_WITH_OWNER.where(shares.c.id == share_id)).one_or_none()
            if row is None or not _is_open(row, reader):
                raise _missing(share_id)
            which = sa.and_(turns.c.conversation_id == row.conversation_id, turns.c.at <= row.until)
            rows = kept_turns.rows_of(connection, which)
            hidden = kept_turns.hidden_from(connection, reader, rows=rows)
            unknowable = kept_turns.unknowable(connection, rows) if reader.id != row.principal else frozenset[int]()
        offered: set[str] = set()
        shown: list[Turn] = []
        for each in rows:
            turn = kept_turns.turn_of(each, hidden)
            if each.id in unknowable:
                turn = replace(turn, content=kept_turns.UNKNOWABLE)
            elif each.role == "assistant" and turn.content == WITHHELD:
                offered |= _offered(each)
            elif each.role == "user" and _folded(each.content) in offered:
                turn = replace(turn, content=HIDDEN_QUESTION)
            shown.append(_bare(turn))
        return replace(_share(row), turns=tuple(shown))


def _is_open(row: sa.Row[Any], reader: Principal) -> bool:
    return reader.id == row.principal or not (reader.groups | {EVERYONE}).isdisjoint(row.groups)


def _offered(row: sa.Row[Any]) -> set[str]:
    """The questions that a question back offered."""
    answer = None if row.answer is None else kept_turns.load_answer(row.answer)
    return set() if answer is None else {_folded(choice.question) for choice in answer.choices}


def _folded(text: str) -> str:
    return " ".join(text.split())


def _bare(turn: Turn) -> Turn:
    """A turn without what leads to its trace."""
    answer = turn.answer
    if answer is not None:
        answer = replace(answer, trace_id="", original_trace_id=None, conversation_id=None)
    return replace(turn, trace_id=None, answer=answer)


def _missing(share_id: str) -> NotFound:
    return NotFound(
        f"There is no shared conversation {share_id!r} that you may read. Its owner may have ended it, or shared it with others."
    )


def _share(row: sa.Row[Any]) -> Share:
    return Share(
        id=row.id,
        conversation_id=row.conversation_id,
        title=row.title,
        owner=row.name or row.principal,
        groups=frozenset(row.groups),
        created_at=row.created_at,
        until=row.until,
    )
