"""Conversations: each belongs to the principal that began it, and to nobody else."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa

from ken.domain.answer import Message
from ken.domain.conversation import Conversation, Turn
from ken.domain.principal import Principal
from ken.errors import InvalidInput, NotFound
from ken.storage.database import Database
from ken.storage.naming import WITHHELD, closed_to
from ken.storage.paging import Page, cursor_of, newest_first
from ken.storage.schema import conversations, turns

LONGEST_TITLE = 120


class Conversations:
    """The conversations of every principal.

    They are private: an operator, too, sees only their own, and everybody else's looks like one that doesn't exist.
    What was asked and answered is open to operators as traces, which name no more than the conversation's id.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, principal: Principal, title: str) -> Conversation:
        """Begin a conversation. The title is folded to one line and cut to 120 characters; it may be a question."""
        now = time.time()
        conversation = Conversation(
            id=secrets.token_hex(16), principal=principal.id, title=_title(title), created_at=now, updated_at=now
        )
        with self._database.write() as connection:
            connection.execute(
                sa.insert(conversations).values(
                    id=conversation.id,
                    principal=conversation.principal,
                    title=conversation.title,
                    created_at=now,
                    updated_at=now,
                )
            )
        return conversation

    def append(self, conversation_id: str, principal: Principal, *, new: Sequence[Turn]) -> None:
        """Add turns at the end, all or none. Raises NotFound."""
        with self._database.write() as connection:
            _touch(connection, conversation_id, owner=principal, updated_at=time.time())
            if new:
                connection.execute(
                    sa.insert(turns),
                    [
                        {
                            "conversation_id": conversation_id,
                            "role": turn.role,
                            "content": turn.content,
                            "trace_id": turn.trace_id,
                            "at": turn.at,
                        }
                        for turn in new
                    ],
                )

    def get(self, conversation_id: str, principal: Principal) -> Conversation:
        """Read a conversation with its turns. Raises NotFound."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(conversations).where(_owned(conversation_id, principal))).one_or_none()
            if row is None:
                raise _missing(conversation_id)
            kept = connection.execute(
                sa.select(turns).where(turns.c.conversation_id == conversation_id).order_by(turns.c.id)
            ).all()
            hidden = _hidden(connection, principal, [turn.trace_id for turn in kept])
        return _conversation(row, tuple(_turn(turn, hidden) for turn in kept))

    def list(self, principal: Principal, *, limit: int = 50, before: str | None = None) -> Page[Conversation]:
        """List a principal's conversations without their turns, last used first. Raises InvalidInput."""
        query = newest_first(
            sa.select(conversations).where(conversations.c.principal == principal.id),
            (conversations.c.updated_at, conversations.c.id),
            limit=limit,
            before=before,
        )
        with self._database.read() as connection:
            found = [_conversation(row, ()) for row in connection.execute(query)]
        shown = tuple(found[:limit])
        more = len(found) > limit
        return Page(shown, cursor_of(shown[-1].updated_at, shown[-1].id) if more else None)

    def recent(self, conversation_id: str, principal: Principal, *, messages: int) -> tuple[Message, ...]:
        """Read the last messages, oldest first: the history window of the next question. Raises NotFound."""
        last = (
            sa.select(turns.c.role, turns.c.content, turns.c.trace_id)
            .where(turns.c.conversation_id == conversation_id)
            .order_by(turns.c.id.desc())
            .limit(messages)
        )
        with self._database.read() as connection:
            if (
                connection.execute(sa.select(conversations.c.id).where(_owned(conversation_id, principal))).first()
                is None
            ):
                raise _missing(conversation_id)
            rows = connection.execute(last).all()
            hidden = _hidden(connection, principal, [turn.trace_id for turn in rows])
        return tuple(
            Message(row.role, WITHHELD if _is_hidden(row.role, row.trace_id, hidden) else row.content)
            for row in reversed(rows)
        )

    def rename(self, conversation_id: str, principal: Principal, *, title: str) -> None:
        """Give another title. Raises NotFound, or InvalidInput for an empty one."""
        if not title.strip():
            raise InvalidInput("A conversation's title can't be empty.")
        with self._database.write() as connection:
            _touch(connection, conversation_id, owner=principal, title=_title(title))

    def delete(self, conversation_id: str, principal: Principal) -> None:
        """Delete a conversation with its turns, and empty the database's log. Raises NotFound.

        The traces of its questions stay until they are old enough to be deleted.
        """
        with self._database.write() as connection:
            gone = connection.execute(sa.delete(conversations).where(_owned(conversation_id, principal)))
            if gone.rowcount == 0:
                raise _missing(conversation_id)
        self._database.purge_log()


def _owned(conversation_id: str, principal: Principal) -> sa.ColumnElement[bool]:
    return sa.and_(conversations.c.id == conversation_id, conversations.c.principal == principal.id)


def _touch(connection: sa.Connection, conversation_id: str, *, owner: Principal, **values: str | float) -> None:
    touched = connection.execute(sa.update(conversations).where(_owned(conversation_id, owner)).values(**values))
    if touched.rowcount == 0:
        raise _missing(conversation_id)


def _missing(conversation_id: str) -> NotFound:
    return NotFound(f"There is no conversation {conversation_id!r} of yours.")


def _title(text: str) -> str:
    folded = " ".join(text.split())
    return folded if len(folded) <= LONGEST_TITLE else folded[: LONGEST_TITLE - 1].rstrip() + "…"


def _conversation(row: sa.Row[tuple[object, ...]], kept: tuple[Turn, ...]) -> Conversation:
    return Conversation(
        id=row.id,
        principal=row.principal,
        title=row.title,
        created_at=row.created_at,
        updated_at=row.updated_at,
        turns=kept,
    )


def _turn(row: sa.Row[tuple[object, ...]], hidden: frozenset[str]) -> Turn:
    turn = Turn(role=row.role, content=row.content, trace_id=row.trace_id, at=row.at)
    return replace(turn, content=WITHHELD) if _is_hidden(turn.role, turn.trace_id, hidden) else turn


def _hidden(connection: sa.Connection, principal: Principal, trace_ids: Sequence[str | None]) -> frozenset[str]:
    """The traces of answers that the principal may no longer read."""
    return closed_to(
        connection, principal, trace_ids={trace_id for trace_id in trace_ids if trace_id is not None}
    ).answers


def _is_hidden(role: str, trace_id: str | None, hidden: frozenset[str]) -> bool:
    return role == "assistant" and trace_id in hidden
