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
from ken.storage import turns as kept_turns
from ken.storage.conversation_search import Sought
from ken.storage.database import Database
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

    def append(
        self, conversation_id: str, principal: Principal, *, new: Sequence[Turn], instead_of: str | None = None
    ) -> None:
        """Add turns at the end, all or none. Raises NotFound.

        `instead_of` is the trace of an earlier question: its turn, and all that followed, make room for the new ones, here and
        in what the next question is answered with. A conversation is one line, which history, shares and withdrawals read from
        end to end; what was asked before stays on record as traces.
        A title that was the replaced question follows it. Where that turn is not there (any more), nothing goes.
        """
        with self._database.write() as connection:
            _touch(connection, conversation_id, owner=principal, updated_at=time.time())
            gone = 0
            if instead_of is not None:
                _retitle(connection, conversation_id, replaced=instead_of, new=new)
                gone = kept_turns.delete_from(connection, conversation_id, trace_id=instead_of)
            kept_turns.insert(connection, conversation_id, new=new, owner=principal)
        if gone:
            self._database.purge_log()

    def get(self, conversation_id: str, principal: Principal) -> Conversation:
        """Read a conversation with its turns, as far as the principal may read them today. Raises NotFound."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(conversations).where(_owned(conversation_id, principal))).one_or_none()
            if row is None:
                raise _missing(conversation_id)
            rows = kept_turns.rows_of(connection, turns.c.conversation_id == conversation_id)
            hidden = kept_turns.hidden_from(connection, principal, rows=rows)
            said = kept_turns.said_by(connection, principal, rows=rows)
        return replace(_conversation(row), turns=tuple(kept_turns.turn_of(each, hidden, said=said) for each in rows))

    def list(
        self, principal: Principal, *, limit: int = 50, before: str | None = None, words: str = ""
    ) -> Page[Conversation]:
        """List a principal's conversations without their turns, last used first. Raises InvalidInput.

        With `words`, those whose title has all of them, or one of whose turns has; answers that the principal may no longer read
        don't count.
        """
        sought = Sought.of(words)
        query = sa.select(conversations).where(conversations.c.principal == principal.id)
        if sought is not None:
            query = query.where(sought.condition)
        shown: list[Conversation] = []
        with self._database.read() as connection:
            while True:
                by = (conversations.c.updated_at, conversations.c.id)
                rows = connection.execute(newest_first(query, by, limit=limit, before=before)).all()
                for row in rows[:limit]:
                    found = "" if sought is None else sought.found(connection, row, reader=principal)
                    if found is not None:
                        shown.append(replace(_conversation(row), found=found))
                    before = cursor_of(row.updated_at, row.id)
                    if len(shown) == limit:
                        break
                more = len(rows) > limit or (bool(rows) and before != cursor_of(rows[-1].updated_at, rows[-1].id))
                if len(shown) == limit or not more:
                    return Page(tuple(shown), before if more else None)

    def recent(
        self, conversation_id: str, principal: Principal, *, messages: int, instead_of: str | None = None
    ) -> tuple[Message, ...]:
        """Read the last messages, oldest first: the history window of the next question. Raises NotFound.

        With `instead_of`, the last before the turn of that trace. A question that got no word of an answer is left out.
        """
        which = turns.c.conversation_id == conversation_id
        with self._database.read() as connection:
            if (
                connection.execute(sa.select(conversations.c.id).where(_owned(conversation_id, principal))).first()
                is None
            ):
                raise _missing(conversation_id)
            if instead_of is not None:
                if (
                    connection.execute(sa.select(turns.c.id).where(which, turns.c.trace_id == instead_of)).first()
                    is None
                ):
                    raise NotFound(f"There is no question with the trace {instead_of!r} in this conversation.")
                which = sa.and_(which, kept_turns.before(conversation_id, instead_of))
            last = sa.select(turns.c.id).where(which).order_by(turns.c.id.desc()).limit(messages)
            rows = kept_turns.rows_of(connection, turns.c.id.in_(last))
            hidden = kept_turns.hidden_from(connection, principal, rows=rows)
        blank = {row.trace_id for row in rows if row.role == "assistant" and row.trace_id and not row.content}
        read = [kept_turns.turn_of(row, hidden) for row in rows if row.trace_id not in blank]
        return tuple(Message(turn.role, turn.content) for turn in read)

    def rename(self, conversation_id: str, principal: Principal, *, title: str) -> None:
        """Give another title. Raises NotFound, or InvalidInput for an empty one."""
        if not title.strip():
            raise InvalidInput("A conversation's title can't be empty.")
        with self._database.write() as connection:
            _touch(connection, conversation_id, owner=principal, title=_title(title))

    def delete(self, conversation_id: str, principal: Principal) -> None:
        """Delete a conversation with its turns and shares, and empty the database's log. Raises NotFound.

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


def _retitle(connection: sa.Connection, conversation_id: str, *, replaced: str, new: Sequence[Turn]) -> None:
    """Where the first question is replaced and gave the conversation its title, the new one gives it."""
    first = sa.select(turns).where(turns.c.conversation_id == conversation_id).order_by(turns.c.id).limit(1)
    row = connection.execute(first).one_or_none()
    asked = next((turn.content for turn in new if turn.role == "user"), None)
    if row is None or asked is None or row.trace_id != replaced:
        return
    by_it = sa.and_(conversations.c.id == conversation_id, conversations.c.title == _title(row.content))
    connection.execute(sa.update(conversations).where(by_it).values(title=_title(asked)))


def _missing(conversation_id: str) -> NotFound:
    return NotFound(f"There is no conversation {conversation_id!r} of yours.")


def _title(text: str) -> str:
    folded = " ".join(text.split())
    return folded if len(folded) <= LONGEST_TITLE else folded[: LONGEST_TITLE - 1].rstrip() + "…"


def _conversation(row: sa.Row[tuple[object, ...]]) -> Conversation:
    return Conversation(
        id=row.id,
        principal=row.principal,
        title=row.title,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
