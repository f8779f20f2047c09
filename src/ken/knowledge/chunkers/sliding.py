"""The sliding window: so many tokens, every so many tokens, so that most of a text stands in several passages."""

from __future__ import annotations

from dataclasses import dataclass

from ken.domain.document import ParsedDocument
from ken.knowledge.chunkers.chunker import Chunking, Piece
from ken.knowledge.chunkers.grains import Grains
from ken.models.protocols import TokenCounter

VERSION = 1


@dataclass(frozen=True, slots=True)
class Sliding:
    """A passage of `plan.target_tokens` tokens every `target_tokens * (1 - overlap)` tokens.

    No word, row of a table or line of code is cut, and nothing else is looked at.
    """

    plan: Chunking
    tokens: TokenCounter

    def cut(self, parsed: ParsedDocument) -> tuple[Piece, ...]:
        """The passages, in order."""
        size = self.plan.target_tokens
        grains = Grains.of(parsed, self.tokens, plan=self.plan)
        return tuple(grains.pieces(size=size, repeated=self.plan.overlap * size))
