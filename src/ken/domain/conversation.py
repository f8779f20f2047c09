"""Conversations as they are kept."""

from __future__ import annotations

from dataclasses import dataclass

from ken.domain.answer import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One kept message."""

    role: Role
    content: str
    trace_id: str | None
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A conversation of one principal; `turns` oldest first, empty in lists."""

    id: str
    principal: str
    title: str
    created_at: float
    updated_at: float
    turns: tuple[Turn, ...] = ()
