"""Conversations as they are kept, and as others are let read them."""

from __future__ import annotations

from dataclasses import dataclass

from ken.domain.answer import Answer, Role


@dataclass(frozen=True, slots=True)
class Said:
    """What the reader has said of an answer."""

    helpful: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One kept message."""

    role: Role
    content: str
    trace_id: str | None
    at: float
    answer: Answer | None = None
    """Of an answer: all that was shown with it. None where it is withheld or withdrawn, or an older Ken kept it."""
    said: Said | None = None
    """Filled in on reading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A conversation of one principal; `turns` oldest first, empty in lists."""

    id: str
    principal: str
    title: str
    created_at: float
    updated_at: float
    turns: tuple[Turn, ...] = ()
    found: str = ""
    """Of one that was searched for: the words around the place that was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A conversation that its owner lets others read, up to a moment, within what each of them may read."""

    id: str
    conversation_id: str
    title: str
    owner: str
    """The name of the owner's key, or the id of a principal without one."""
    groups: frozenset[str]
    """Who may read it."""
    created_at: float
    until: float
    """Turns that were kept later are not part of it."""
    turns: tuple[Turn, ...] = ()
    """Empty in lists."""
