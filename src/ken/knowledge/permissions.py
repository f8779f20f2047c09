"""Who may read a document: what its source, the operator's rules and the document itself say of it, put together.

Each of the three can only narrow what the others allow. Whoever may write a document must not be able to open it to more
people than the operator or the source allow; and an author who marks a document as somebody's alone must not be
overruled by a rule that is wider.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import re
from dataclasses import dataclass

from ken.domain.principal import EVERYONE


@dataclass(frozen=True, slots=True)
class Policy:
    """What an operator says of a source."""

    default_groups: frozenset[str] = frozenset({EVERYONE})
    """For documents of which nobody says anything."""
    rules: tuple[tuple[str, frozenset[str]], ...] = ()
    """Patterns of paths with the groups that may read what they match; the first that matches counts. `*` stands for any
    text, `/` included."""

    @property
    def name(self) -> str:
        """Equal for two policies exactly when they say the same: 16 hex digits."""
        said = [sorted(self.default_groups), [[pattern, sorted(groups)] for pattern, groups in self.rules]]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]

    def of(self, path: str) -> frozenset[str] | None:
        """What the rules say of a path; None where none matches."""
        for pattern, groups in self.rules:
            if re.match(fnmatch.translate(pattern), path):
                return groups
        return None


def narrowed(*said: frozenset[str] | None) -> frozenset[str] | None:
    """The groups that everybody who speaks allows; None where nobody speaks, empty where they have none in common.

    `everyone` allows whatever the others say.
    """
    spoken = [groups for groups in said if groups is not None]
    if not spoken:
        return None
    narrowing = [groups for groups in spoken if EVERYONE not in groups]
    return frozenset.intersection(*narrowing) if narrowing else frozenset({EVERYONE})
