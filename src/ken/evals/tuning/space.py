"""What can be tuned: the settings of `[search]`, and the values that are tried of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, get_args, get_origin, get_type_hints

from ken.errors import InvalidInput
from ken.knowledge.chunkers.chunker import MOST_OVERLAP, ChunkerName, Chunking
from ken.knowledge.options import SearchOptions

Value = str | int | float | bool
"""Of one setting, as it stands in ken.toml."""

_OF_CHUNKING: dict[str, tuple[Value, ...]] = {
    "chunker": get_args(ChunkerName),
    "chunk_tokens": (100, 200, 300, 400, 600, 800),
    "chunk_overlap": (0.0, 0.15, 0.3, 0.5, 0.75),
    "prefix": (True, False),
}
_OF_OPTIONS: dict[str, tuple[Value, ...]] = {
    "depth": (25, 50, 100, 200),
    "fusion_k": (5, 10, 20, 40, 60),
    "lexical_weight": (0.0, 0.5, 1.0, 1.5, 2.0),
    "dense_weight": (0.0, 0.5, 1.0, 1.5, 2.0),
    "sentence_weight": (0.0, 0.5, 1.0, 1.5, 2.0),
    "rescored": (25, 50, 100, 300),
    "feedback": (0, 3, 5),
}
"""What a type doesn't tell; both values of a switch are tried, and all of a choice."""
RERANKER = "reranker"
"""Whether the reranker that ken.toml names is asked; tried where it names one."""
CURVES = ("chunk_tokens", "depth")
"""Settings in whose order there is something to see."""


@dataclass(frozen=True, slots=True)
class Setup:
    """A choice of everything that can be tuned."""

    chunker: ChunkerName = "structural"
    chunk_tokens: int = Chunking().target_tokens
    chunk_overlap: float | None = None
    """None is the chunker's usual one."""
    prefix: bool = True
    options: SearchOptions = field(default_factory=SearchOptions)
    reranker: bool | None = None
    """None where there is none to ask."""

    @property
    def chunking(self) -> Chunking:
        """How documents are cut."""
        return Chunking.sized(self.chunker, tokens=self.chunk_tokens, overlap=self.chunk_overlap, prefix=self.prefix)

    def get(self, key: str) -> Value:
        """The value of a setting."""
        if key == "chunk_overlap":
            return self.chunking.overlap
        return getattr(self, key) if key in _OF_CHUNKING or key == RERANKER else getattr(self.options, key)

    def having(self, key: str, value: Value) -> Setup:
        """The same with another value of one setting; another chunker overlaps as it usually does."""
        changed: dict[str, Any] = {key: value}
        if key == "chunker":
            changed["chunk_overlap"] = None
        if key in _OF_CHUNKING or key == RERANKER:
            return replace(self, **changed)
        return replace(self, options=replace(self.options, **changed))

    def differences(self, other: Setup) -> list[tuple[str, Value]]:
        """The settings that differ from those of `other`, with their values here."""
        keys = [*_OF_CHUNKING, *(each.name for each in fields(SearchOptions)), RERANKER]
        return [(key, self.get(key)) for key in keys if self.get(key) != other.get(key)]


def keys() -> tuple[str, ...]:
    """The settings that can be tuned, in the order in which they are."""
    return (*_OF_CHUNKING, *(each.name for each in fields(SearchOptions) if _candidates(each.name)), RERANKER)


def checked(wanted: Sequence[str]) -> tuple[str, ...]:
    """The wanted settings in the order of `keys`; all of them where none is named. Raises InvalidInput."""
    known = keys()
    for key in wanted:
        if key not in known:
            raise InvalidInput(f"{key!r} can't be tuned. These settings can: {', '.join(known)}.")
    return tuple(key for key in known if not wanted or key in wanted)


def is_of_chunking(key: str) -> bool:
    """Whether another value wants an index of its own."""
    return key in _OF_CHUNKING


def others(setup: Setup, key: str) -> tuple[Value, ...]:
    """The values of a setting that are tried beside the one that it has."""
    values = () if key == RERANKER and setup.reranker is None else _candidates(key)
    if key == "chunk_overlap":
        values = tuple(value for value in values if float(value) <= MOST_OVERLAP[setup.chunker])
    return tuple(value for value in values if value != setup.get(key))


def most_others(setup: Setup, key: str) -> int:
    """How many values of a setting are tried at most, whatever is chosen before."""
    return len(_candidates(key)) if key == "chunk_overlap" else len(others(setup, key))


def line(key: str, value: Value) -> str:
    """A setting as it stands in ken.toml; for the reranker, which is a table of its own, what to do with that."""
    if key == RERANKER:
        return "# with the table [reranker]" if value else "# without the table [reranker]"
    match value:
        case bool():
            return f"{key} = {str(value).lower()}"
        case str():
            return f'{key} = "{value}"'
        case _:
            return f"{key} = {value:g}" if isinstance(value, float) else f"{key} = {value}"


def _candidates(key: str) -> tuple[Value, ...]:
    known = _OF_CHUNKING.get(key) or _OF_OPTIONS.get(key)
    if known is not None:
        return known
    kind = bool if key == RERANKER else get_type_hints(SearchOptions)[key]
    if get_origin(kind) is Literal:
        return get_args(kind)
    return (False, True) if kind is bool else ()
