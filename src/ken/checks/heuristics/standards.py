"""What an operator may set of the rules: lengths, forbidden phrases, required fields, and which rules don't run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

DOOR = "door"
"""The task type of the plain gateway's calls."""


@dataclass(frozen=True, slots=True)
class Length:
    """How long an answer of a task type may be, in words."""

    least: int = 1
    most: int | None = None
    """None: as long as the model lets it become."""


SHIPPED_LENGTHS: Mapping[str, Length] = MappingProxyType(
    {
        "lookup": Length(1, 400),
        "procedure": Length(1, 900),
        "comparison": Length(1, 900),
        "troubleshooting": Length(1, 900),
        "summary": Length(5, 1_200),
        DOOR: Length(1, None),
    }
)
"""Wide enough that only what went wrong lies outside: of 1,014 answers of the reader the longest of a lookup has 95 words, and of a
procedure 235; a model that repeats itself or pastes a document goes beyond these. A right answer may be one word ("SEV-4.")."""

SHIPPED_PHRASES = (
    "as an ai",
    "as a language model",
    "as a large language model",
    "i am an ai",
    "i'm an ai",
    "my training data",
    "my knowledge cutoff",
    "my knowledge cut-off",
    "my last update",
    "the provided context",
    "the provided passages",
    "the context provided",
    "the passages provided",
    "the given context",
    "my system prompt",
    "my instructions say",
    "not in the documents",
    "lorem ipsum",
    "insert your",
    "[insert",
    "[your name]",
)
"""What models say of themselves and of their prompt, and what they leave to be filled in: no answer to anybody's question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standards:
    """Plain values; `heuristics_settings` reads them from ken.toml."""

    lengths: Mapping[str, Length] = field(default_factory=lambda: SHIPPED_LENGTHS)
    """By task type; of one that isn't there, nothing is expected."""
    forbidden: tuple[str, ...] = ()
    """Beside the shipped ones; any case, whole words."""
    required: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Fields by task type: of JSON a path such as `customer.id`, of text a label such as `Owner`."""
    off: frozenset[str] = frozenset()
    """Rules that don't run."""
