"""The sentence chunker: whole sentences, as many as fit."""

from __future__ import annotations

from dataclasses import dataclass

from ken.domain.document import ParsedDocument
from ken.knowledge.chunkers.chunker import Chunking, Piece
from ken.knowledge.chunkers.packing import Row
from ken.knowledge.chunkers.units import Units
from ken.models.protocols import TokenCounter

VERSION = 1


@dataclass(frozen=True, slots=True)
class BySentence:
    """Fills each passage with whole sentences, points, rows and blocks of code, up to `plan.target_tokens`.

    It looks at no section; only a heading goes with what follows it.
    """

    plan: Chunking
    tokens: TokenCounter

    def cut(self, parsed: ParsedDocument) -> tuple[Piece, ...]:
        """The passages, in order."""
        row = Row.of(parsed, Units(parsed, self.tokens, self.plan).all())
        cuts: list[int] = []
        first = 0
        while first < len(row.units):
            cuts.append(first)
            repeated = row.overlap(cuts[-2], first, last=first + 1, plan=self.plan) if len(cuts) > 1 else first
            last = first + 1
            while last < len(row.units) and row.size(repeated, last + 1) <= self.plan.target_tokens:
                last += 1
            first = row.end(first, last, plan=self.plan)
        return tuple(row.pieces(cuts, self.plan))
