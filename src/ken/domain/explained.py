"""What was done to a question before it was searched for, as data: for traces, `--explain` and asking back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A word that no document the asker may read holds, and the word that was searched for in its place."""

    written: str
    searched: str
    distance: int
    """Letters left out, put in, changed, or swapped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expansion:
    """Other names of what the question names."""

    word: str
    """As asked; a phrase where the name is one."""
    others: tuple[str, ...]
    why: Literal["acronym", "name", "synonym"]
    """An acronym's definition, another name that a document gives, or the operator's list."""
    source: str | None
    """The id of a document that says so and that the asker may read; None for the operator's list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ambiguity:
    """An acronym of the question that stands for several things in what the asker may read."""

    word: str
    meanings: tuple[str, ...]
    """Long forms, the one that most documents give first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """What was searched for, and why that."""

    asked: str
    searched: str
    """What was analysed and embedded: `asked` with its corrections and expansions."""
    corrections: tuple[Correction, ...] = ()
    expansions: tuple[Expansion, ...] = ()
    ambiguous: tuple[Ambiguity, ...] = ()
    parts: tuple[str, ...] = ()
    """Of a compound question, each searched for by itself as well."""
    feedback: tuple[str, ...] = ()
    """Terms that the first passages added (pseudo-relevance feedback)."""

    @property
    def notices(self) -> tuple[str, ...]:
        """What the asker is told."""
        return tuple(f"Searched for “{one.searched}” instead of “{one.written}”." for one in self.corrections)
