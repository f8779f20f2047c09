"""Grains: the least that chunkers by count hold whole, and pieces of so many tokens of them.

A grain is a word with the marks on it, a line of code, a row of a table or a heading: nothing that is quoted by itself
would say something else for being cut.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import accumulate

from ken.domain.document import ParsedDocument
from ken.knowledge.chunkers.chunker import Chunking, Piece
from ken.knowledge.chunkers.packing import Row
from ken.knowledge.chunkers.units import Unit, Units
from ken.models.protocols import TokenCounter

Span = tuple[int, int]

_UNSPACED = ("\u3041", "\u30ff"), ("\u3400", "\u9fff"), ("\uf900", "\ufaff"), ("\U00020000", "\U0003ffff")
"""Kana and ideographs: written without blanks, a word each to the tokenizer."""
_SLACK = 1e-6
"""For sums of shares."""


@dataclass(slots=True)
class Grains:
    """A document's grains, in order."""

    parsed: ParsedDocument
    tokens: TokenCounter
    plan: Chunking
    spans: list[Span] = field(default_factory=list[Span])
    weights: list[float] = field(default_factory=list[float])
    """Tokens of each. Marks that are not read count with the words around them."""
    owners: list[int] = field(default_factory=list[int])
    """The unit of each."""
    units: list[Unit] = field(default_factory=list[Unit])

    @classmethod
    def of(cls, parsed: ParsedDocument, tokens: TokenCounter, *, plan: Chunking) -> Grains:
        """The grains of a document."""
        grains = cls(parsed, tokens, plan)
        source = Units(parsed, tokens, plan)
        for unit in source.all():
            for part in source.lines(unit) if unit.kind == "code" else (unit,):
                grains.units.append(part)
                grains.take(part)
        return grains

    def pieces(self, *, size: float, repeated: float) -> Iterator[Piece]:
        """Pieces of `size` tokens, of which the first `repeated` are the last of the piece before."""
        row = Row.of(self.parsed, self.units)
        before = [0.0, *accumulate(self.weights)]
        first = begin = 0
        while first < len(self.spans):
            header = self.units[self.owners[begin]].header
            room = size - (header.tokens if header else 0)
            last = max(first + 1, bisect_right(before, before[begin] + room + _SLACK) - 1)
            last = min(last, len(self.spans))
            yield self._piece(row, begin, first, last)
            first = last
            # No piece begins where the one before it began, and none repeats more than it was asked to.
            begin = max(begin + 1, bisect_right(before, before[last] - repeated - _SLACK))
            begin = min(begin, first)

    def _piece(self, row: Row, begin: int, first: int, last: int) -> Piece:
        owner = self.owners[begin]
        piece = row.piece(owner, self.owners[first], last=self.owners[last - 1] + 1)
        return replace(piece, start=self.spans[begin][0], end=self.spans[last - 1][1])

    def take(self, unit: Unit) -> None:
        """Add the grains of the last unit."""
        is_whole = unit.kind in {"table", "heading", "code"}
        spans, weights = ([(unit.start, unit.end)], [1.0]) if is_whole else self._words(unit)
        share = unit.tokens / (sum(weights) or 1.0)
        self.spans += spans
        self.weights += [weight * share for weight in weights]
        self.owners += [len(self.units) - 1] * len(spans)

    def _words(self, unit: Unit) -> tuple[list[Span], list[float]]:
        """Where words begin and end in a unit, with how many tokens each has as it is written."""
        text = self.parsed.text[unit.start : unit.end]
        begins = [0]
        counts = [0.0]
        end = 0
        for start, stop in self.tokens.offsets(text):
            if start > begins[-1] and (text[end:start].isspace() or (start >= end and _is_unspaced(text[start]))):
                begins.append(start)
                counts.append(0.0)
            counts[-1] += 1.0
            end = max(end, stop)
        stops = [*begins[1:], len(text)]
        spans = [
            (unit.start + start, unit.start + start + len(text[start:stop].rstrip()))
            for start, stop in zip(begins, stops, strict=True)
        ]
        return spans, counts if any(counts) else [1.0]


def _is_unspaced(character: str) -> bool:
    return not unicodedata.combining(character) and any(low <= character <= high for low, high in _UNSPACED)
