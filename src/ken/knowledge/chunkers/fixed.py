"""The fixed chunker: so many tokens, whatever they say."""

from __future__ import annotations

from dataclasses import dataclass

from ken.domain.document import ParsedDocument
from ken.knowledge.chunkers.chunker import Chunking, Piece
from ken.knowledge.chunkers.grains import Grains
from ken.models.protocols import TokenCounter

VERSION = 1


@dataclass(frozen=True, slots=True)
class Fixed:
    """A passage for every `plan.target_tokens` tokens, with the last of the one before as far as `plan.overlap` says.

    No word, row of a table or line of code is cut, and nothing else is looked at.
    """

    plan: Chunking
    tokens: TokenCounter

    def cut(self, parsed: ParsedDocument) -> tuple[Piece, ...]:
        """The passages, in order."""
        repeated = self.plan.overlap * self.plan.target_tokens
        return tuple(
            Grains.of(parsed, self.tokens, plan=self.plan).pieces(
                size=self.plan.target_tokens + repeated, repeated=repeated
            )
        )
