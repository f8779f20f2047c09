"""Units in a row become pieces: what chunkers share that keep units whole and don't weigh them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from ken.domain.document import ParsedDocument
from ken.knowledge.chunkers.chunker import Chunking, Piece
from ken.knowledge.chunkers.units import Path, Unit, entered, titles


@dataclass(frozen=True, slots=True)
class Row:
    """The units of a document with the headings in force after each, and the tokens before each."""

    units: tuple[Unit, ...]
    paths: tuple[Path, ...]
    sums: tuple[int, ...]
    """One more than there are units."""

    @classmethod
    def of(cls, parsed: ParsedDocument, units: Sequence[Unit]) -> Row:
        """The row of these units."""
        paths: list[Path] = []
        path: Path = ()
        for unit in units:
            path = entered(path, unit, parsed=parsed)
            paths.append(path)
        return cls(tuple(units), tuple(paths), (0, *accumulate(unit.tokens for unit in units)))

    def size(self, first: int, last: int) -> int:
        """Tokens of units `first` to `last` (exclusive), the header of a table that they begin inside of included."""
        header = self.units[first].header
        return self.sums[last] - self.sums[first] + (header.tokens if header else 0)

    def end(self, first: int, last: int, *, plan: Chunking) -> int:
        """Where a piece ends that begins at `first` and would end at `last`: headings go with what follows them."""
        end = last
        while first < end < len(self.units) and self.units[end - 1].kind == "heading":
            end -= 1
        if end > first:
            return end
        is_code = self.units[last].kind == "code"  # as large as it is, anyway
        return last + 1 if is_code or self.size(first, last + 1) <= plan.max_tokens else last

    def overlap(self, earliest: int, first: int, *, last: int, plan: Chunking) -> int:
        """The unit from which a piece of units `first` to `last` starts to repeat what comes after `earliest`."""
        begin = first
        while begin - 1 > earliest:
            repeated = self.sums[first] - self.sums[begin - 1]
            is_too_much = repeated > plan.overlap * plan.target_tokens or self.size(begin - 1, last) > plan.max_tokens
            if is_too_much or self.units[begin - 1].kind == "heading":
                break
            begin -= 1
        return begin

    def pieces(self, cuts: Sequence[int], plan: Chunking) -> Iterator[Piece]:
        """The pieces that begin at these units, each with what it repeats of the one before it."""
        for number, first in enumerate(cuts):
            last = cuts[number + 1] if number + 1 < len(cuts) else len(self.units)
            begin = self.overlap(cuts[number - 1], first, last=last, plan=plan) if number else first
            yield self.piece(begin, first, last=last)

    def piece(self, begin: int, first: int, *, last: int) -> Piece:
        """Units `begin` to `last` (exclusive), of which those from `first` on are new."""
        named = first
        while named + 1 < last and self.units[named].kind == "heading":
            named += 1
        header = self.units[begin].header
        return Piece(
            self.units[begin].start,
            self.units[last - 1].end,
            titles(self.paths[named]),
            self.units[first].page,
            header.span if header else None,
        )
