"""The seam between a parsed document and its passages: what cuts, by what plan, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

from ken.domain.document import ParsedDocument
from ken.errors import InvalidInput

ChunkerName = Literal["structural", "fixed", "sentence", "sliding", "semantic"]

MOST_TOKENS = 2_000
"""Of a passage's target: a prompt has to hold several."""
LEAST_TOKENS = 20
MOST_OVERLAP: dict[ChunkerName, float] = {
    "structural": 0.2,
    "fixed": 0.5,
    "sentence": 0.5,
    "sliding": 0.9,
    "semantic": 0.5,
}


@dataclass(frozen=True, slots=True)
class Chunking:
    """How passages are cut: how large they are, in tokens of their plain text, and how much of the one before each repeats."""

    target_tokens: int = 400
    max_tokens: int = 500
    overlap: float = 0.15
    """Wanted share of a passage. Whole sentences are repeated where sentences are kept whole; 0 turns it off."""
    min_tokens: int = 100
    """Shorter passages are made only where nothing fits to them."""
    chunker: ChunkerName = field(default="structural", repr=False)
    prefix: bool = field(default=True, repr=False)
    """Whether the title and the headings stand before the text that is embedded."""

    def __post_init__(self) -> None:
        if self.chunker not in MOST_OVERLAP:
            raise InvalidInput(f"chunker is {self.chunker!r}: name one of {', '.join(MOST_OVERLAP)}.")
        if not 0 < self.min_tokens <= self.target_tokens <= self.max_tokens:
            raise InvalidInput(
                f"chunking wants 0 < min_tokens <= target_tokens <= max_tokens, not "
                f"{self.min_tokens}, {self.target_tokens}, {self.max_tokens}: change these settings."
            )
        most = MOST_OVERLAP[self.chunker]
        if not 0 <= self.overlap <= most:
            raise InvalidInput(
                f"overlap is {self.overlap}: give a share from 0 to {most} to the chunker {self.chunker!r}."
            )

    def __str__(self) -> str:
        """What versions and lineage hold. What the first chunker makes keeps the name that it had before there were others."""
        chunker = "" if self.chunker == "structural" else f"{self.chunker} "
        return f"{chunker}{self!r}{'' if self.prefix else ' without prefix'}"

    @classmethod
    def sized(
        cls,
        chunker: ChunkerName = "structural",
        *,
        tokens: int = 400,
        overlap: float | None = None,
        prefix: bool = True,
    ) -> Chunking:
        """The plan for passages of about so many tokens; without an `overlap`, the chunker's usual one.

        Raises InvalidInput.
        """
        if not LEAST_TOKENS <= tokens <= MOST_TOKENS:
            raise InvalidInput(f"passages of {tokens} tokens are asked for: give {LEAST_TOKENS} to {MOST_TOKENS}.")
        return cls(
            target_tokens=tokens,
            max_tokens=tokens * 5 // 4,
            overlap=_USUAL_OVERLAP[chunker] if overlap is None and chunker in _USUAL_OVERLAP else overlap or 0.0,
            min_tokens=max(1, tokens // 4),
            chunker=chunker,
            prefix=prefix,
        )


_USUAL_OVERLAP: dict[ChunkerName, float] = {
    "structural": 0.15,
    "fixed": 0.15,
    "sentence": 0.15,
    "sliding": 0.5,
    "semantic": 0.0,
}


@dataclass(frozen=True, slots=True)
class Piece:
    """One contiguous span of a document's text."""

    start: int
    end: int
    heading_path: tuple[str, ...]
    """The headings in force where what is new in the piece begins, outermost first, without marks."""
    page: int | None
    header: tuple[int, int] | None = None
    """Of the table in whose middle the piece begins: the span of its header row and of the rule below it."""

    def reading(self, text: str) -> str:
        """What of the document's `text` the piece is read as: its own, below the header that it repeats."""
        own = text[self.start : self.end]
        return f"{text[slice(*self.header)]}\n{own}" if self.header else own


class Chunker(Protocol):
    """Anything that cuts documents."""

    def cut(self, parsed: ParsedDocument) -> tuple[Piece, ...]:
        """The passages, in order; together they hold all of the text but white space, and none is empty.

        Each begins and ends after the one before it. No row of a table is cut, and no character from its marks; what alone is larger
        than a passage may be is cut, but for a row and, by some, a block of code. Called in a worker thread.
        """
        ...
