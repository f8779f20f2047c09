"""Who asks, and what that lets them read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

EVERYONE = "everyone"
"""The group that every principal belongs to."""

OPERATORS = "operators"
"""The group that may administer: its members read every document and every trace."""


@dataclass(frozen=True, slots=True)
class Principal:
    """A user or a key, with its groups. It enters at intake and goes with the question through every layer."""

    id: str
    groups: frozenset[str] = frozenset()

    @property
    def is_operator(self) -> bool:
        """Whether this principal administers the home."""
        return OPERATORS in self.groups

    @property
    def readable_groups(self) -> frozenset[str] | None:
        """The groups whose documents may be read; None stands for all of them."""
        return None if self.is_operator else self.groups | {EVERYONE}

    def may_read(self, groups: frozenset[str]) -> bool:
        """Whether a document with these groups may be read: one shared group is enough."""
        readable = self.readable_groups
        return readable is None or not readable.isdisjoint(groups)

    @property
    def scope(self) -> str:
        """A short name of what may be read: equal for two principals exactly when they may read the same."""
        readable = self.readable_groups
        if readable is None:
            return "all"
        return hashlib.sha256("\0".join(sorted(readable)).encode()).hexdigest()[:16]


LOCAL_OPERATOR = Principal("local-operator", frozenset({OPERATORS}))
"""Who asks from this machine without a key."""
