"""Searching in one's own conversations: by the words of their titles and turns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ken.domain.principal import Principal
from ken.errors import InvalidInput
from ken.storage import turns as kept_turns
from ken.storage.forgetting import WITHDRAWN
from ken.storage.schema import conversations, turns

_MOST_WORDS = 8
_BEFORE = 12
_AFTER = 110
"""Characters shown before and after the place that was found: little before, so that a narrow list doesn't cut the place off."""


@dataclass(frozen=True, slots=True)
class Sought:
    """The words of a search. All have to stand in the title, or all in one turn."""

    words: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Sought | None:
        """None for a text without a word. Raises InvalidInput for too many."""
        words = tuple(dict.fromkeys(text.split()))
        if len(words) > _MOST_WORDS:
            raise InvalidInput(f"A search has at most {_MOST_WORDS} words; {len(words)} were given.")
        return cls(words) if words else None

    @property
    def condition(self) -> sa.ColumnElement[bool]:
        """Of conversations that may be meant; `found` looks closer."""
        held = sa.select(turns.c.conversation_id).where(
            turns.c.conversation_id == conversations.c.id, self._in(turns.c.content)
        )
        return sa.or_(self._in(conversations.c.title), held.exists())

    def found(self, connection: sa.Connection, conversation: sa.Row[Any], *, reader: Principal) -> str | None:
        """The words around the first place; None where only answers have it that the reader may no longer read.

        The title stands in the list anyway: where it has the words, nothing is told ("").
        """
        if self._is_in(conversation.title):
            return ""
        which = sa.and_(turns.c.conversation_id == conversation.id, self._in(turns.c.content))
        rows = kept_turns.rows_of(connection, which)
        hidden = kept_turns.hidden_from(connection, reader, rows=rows)
        shut = hidden.withheld | hidden.withdrawn
        texts = (row.content for row in rows if row.id not in shut and row.content != WITHDRAWN)
        return next((self._around(text) for text in texts if self._is_in(text)), None)

    def _in(self, column: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
        # SQLite folds the case of ASCII alone: the usual ways to write a word are asked for besides.
        ways = [{word, word.lower(), word.upper(), word.capitalize()} for word in self.words]
        return sa.and_(*(sa.or_(*(column.icontains(way, autoescape=True) for way in sorted(each))) for each in ways))

    def _is_in(self, text: str) -> bool:
        folded = text.casefold()
        return all(word.casefold() in folded for word in self.words)

    def _around(self, text: str) -> str:
        folded = " ".join(text.split())
        at = max(0, folded.casefold().find(self.words[0].casefold()))
        start, end = max(0, at - _BEFORE), at + len(self.words[0]) + _AFTER
        return ("…" if start else "") + folded[start:end].strip() + ("…" if end < len(folded) else "")
