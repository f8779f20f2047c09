"""The structural chunker, which is the default: a document is cut where it hurts least.

The text is taken apart into units that are never cut (a heading, a sentence, a list point, a table row, a code block).
Units that belong together (a heading and what follows it, a sentence that leads into a list, a procedure that fits into
a passage, else each of its steps) make an atom. Dynamic programming then chooses the cuts between atoms: each passage
costs what its size is off the target, plus what its cut breaks. A passage that begins inside of a table repeats the
table's header. Tokens are counted once for each unit.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise

from ken.domain.document import ParsedDocument
from ken.knowledge.chunkers.chunker import Chunking, Piece
from ken.knowledge.chunkers.units import MOST_UNITS, Path, Unit, Units, coalesced, entered, titles
from ken.knowledge.procedures import procedures
from ken.models.protocols import TokenCounter

VERSION = 2
"""Raised by every change of where passages are cut, or of what they repeat."""

# In the same measure as the cost of a cut, which units.py knows: 1 is a passage of half the target.
_TINY = 2.0
_SECTION_BORDER_KEPT_OPEN = 4.0
_TINY_SECTION_APPENDED = 1.0
_SHORT_SECTIONS_MERGED = 0.2
_MERGED_ACROSS_PARENTS = 0.8

_SECTION_LEVEL = 2
"""Headings up to this level start a new passage, and end the reach of an overlap."""
_LEAST_OVERLAP, _MOST_OVERLAP = 0.1, 0.2
_TABLE_HEAD = 2


@dataclass(frozen=True, slots=True)
class _Atom:
    """Units `first` to `last` (exclusive), which stay together."""

    first: int
    last: int
    tokens: int
    cut: float
    section: int
    """The level of the heading that it starts with; 0 for none, and for levels that bind no passage."""
    path: Path


@dataclass(frozen=True, slots=True)
class Structural:
    """Cuts where the text itself has its joints.

    Code blocks, sentences and table rows stay whole, however long the first and last are; a sentence of more than
    `plan.max_tokens` is cut at white space. A numbered procedure stays whole where it fits.
    """

    plan: Chunking
    tokens: TokenCounter

    def cut(self, parsed: ParsedDocument) -> tuple[Piece, ...]:
        """The passages, in order."""
        units = Units(parsed, self.tokens, self.plan).all()
        joined: list[int] = []
        if len(units) > MOST_UNITS:
            units = coalesced(units, self.plan.target_tokens // 16)
        else:
            joined = _joined(parsed, units, self.plan)
        if not units:
            return ()
        atoms = _atoms(parsed, units, self.plan, joined)
        cuts = _best_cuts(units, atoms, self.plan)
        inside = {index for index in range(1, len(joined)) if joined[index] and joined[index] == joined[index - 1]}
        return tuple(_pieces(units, atoms, cuts, self.plan, inside=inside))


def _joined(parsed: ParsedDocument, units: list[Unit], plan: Chunking) -> list[int]:
    """For each unit up to which one (exclusive) it belongs to a procedure, or a step of one, that fits into a passage."""
    ends = [0] * len(units)
    blocks = list(accumulate((unit.block for unit in units), max))
    sums = [0, *accumulate(unit.tokens for unit in units)]

    def join(first: int, last: int) -> bool:
        start, end = bisect_left(blocks, first), bisect_left(blocks, last)
        fits = sums[end] - sums[start] <= plan.max_tokens
        if fits:
            ends[start:end] = [end] * (end - start)
        return fits

    for procedure in procedures(parsed):
        if not join(procedure.first, procedure.last):
            for first, last in pairwise((*procedure.steps, procedure.last)):
                join(first, last)
    return ends


def _atoms(parsed: ParsedDocument, units: list[Unit], plan: Chunking, joined: list[int]) -> list[_Atom]:
    atoms: list[_Atom] = []
    path: Path = ()
    first = 0
    total = 0
    for index, unit in enumerate(units):
        total += unit.tokens
        path = entered(path, unit, parsed=parsed)
        if index + 1 < len(units):
            if joined and joined[index] > index + 1:
                continue
            last = max(index + 2, joined[index + 1]) if joined else index + 2
            following = sum(unit.tokens for unit in units[index + 1 : last])
            if _belong_together(parsed, units, index, total=total, following=following, plan=plan):
                continue
        head = units[first]
        section = head.level if head.kind == "heading" and head.level <= _SECTION_LEVEL else 0
        atoms.append(_Atom(first, index + 1, total, head.cut, section, path))
        first, total = index + 1, 0
    return atoms


def _belong_together(
    parsed: ParsedDocument, units: list[Unit], index: int, *, total: int, following: int, plan: Chunking
) -> bool:
    """Whether no cut may come between units `index` and `index + 1`.

    `total` tokens are in the atom so far; `following` come at once, as they are cut nowhere.
    """
    unit, after = units[index], units[index + 1]
    if unit.kind == "heading":
        return after.kind != "heading" or total <= plan.max_tokens // 2
    if total + following > plan.max_tokens or after.kind == "heading":
        return False
    if unit.kind == "table" and unit.block == after.block:
        return index < _TABLE_HEAD or units[index - _TABLE_HEAD].block != unit.block
    if unit.block == after.block:
        return False
    leads = after.kind in {"list_item", "table", "code"} and unit.kind in {"paragraph", "quote"}
    return leads or parsed.text[unit.start : unit.end].rstrip("*_ ").endswith(":")


def _best_cuts(units: list[Unit], atoms: list[_Atom], plan: Chunking) -> list[int]:
    """The atoms that begin a passage, the first of all included, by the least total cost."""
    count = len(atoms)
    sums = [0, *accumulate(atom.tokens for atom in atoms)]
    best = [0.0] + [float("inf")] * count
    came_from = [0] * (count + 1)
    for begin in range(count):
        repeated = _expected_overlap(units, atoms[begin], plan) if begin else 0
        header = units[atoms[begin].first].header
        repeated += header.tokens if header else 0
        crossing = _Crossing(atoms[begin], plan)
        for end in range(begin + 1, count + 1):
            size = sums[end] - sums[begin]
            if end > begin + 1:
                if size + repeated > plan.max_tokens:
                    break
                crossing.add(atoms[end - 1], sums[end - 1] - sums[begin])
            is_whole = end == count or atoms[end].section > 0
            cut = atoms[end].cut if end < count else 0.0
            cost = best[begin] + _size_cost(size + repeated, plan) + crossing.cost(size, is_whole=is_whole) + cut
            if cost < best[end]:
                best[end], came_from[end] = cost, begin
    cuts: list[int] = []
    position = count
    while position:
        position = came_from[position]
        cuts.append(position)
    return cuts[::-1]


def _size_cost(size: int, plan: Chunking) -> float:
    cost = (2 * (size - plan.target_tokens) / plan.target_tokens) ** 2
    return cost + _TINY if size < plan.min_tokens else cost


@dataclass(slots=True)
class _Crossing:
    """The cost of going on over headings of level 1 or 2, in a passage that starts with `begin`."""

    begin: _Atom
    plan: Chunking
    earlier: float = 0.0
    last: float = 0.0
    last_at: int = 0
    """How many tokens were before the last such heading."""

    def add(self, atom: _Atom, size: int) -> None:
        """Go on with `atom` after `size` tokens."""
        if not atom.section:
            return
        self.earlier += self.last
        self.last_at = size
        deepest = self.begin.path[-1][0] if self.begin.path else 0
        if 2 * size >= self.plan.target_tokens:
            self.last = _SECTION_BORDER_KEPT_OPEN
        else:
            self.last = _SHORT_SECTIONS_MERGED if atom.section >= deepest else _MERGED_ACROSS_PARENTS

    def cost(self, size: int, *, is_whole: bool) -> float:
        """The cost if the passage ends after `size` tokens; `is_whole` if its last section ends there, too."""
        if is_whole and size - self.last_at < self.plan.min_tokens:
            return self.earlier + min(self.last, _TINY_SECTION_APPENDED)
        return self.earlier + self.last


def _expected_overlap(units: list[Unit], atom: _Atom, plan: Chunking) -> int:
    """About how many tokens a passage that begins with `atom` repeats."""
    if atom.section or not plan.overlap:
        return 0
    total, first = 0, atom.first
    # So many that it is a tenth of even the largest passage.
    while first and total < _LEAST_OVERLAP * plan.max_tokens:
        first -= 1
        total += units[first].tokens
    return total if total <= _MOST_OVERLAP * plan.target_tokens else 0


def _pieces(
    units: list[Unit], atoms: list[_Atom], cuts: list[int], plan: Chunking, *, inside: set[int]
) -> Iterator[Piece]:
    """The passages; none begins with one of the units `inside` of a step."""
    previous = 0
    for number, cut in enumerate(cuts):
        atom = atoms[cut]
        last = atoms[cuts[number + 1] - 1 if number + 1 < len(cuts) else -1].last
        first = atom.first
        if number and not atom.section:
            size = sum(unit.tokens for unit in units[first:last])
            chosen = _overlap(units, previous, first, size, plan)
            first = first if chosen in inside else chosen
        header = units[first].header
        span = header.span if header else None
        yield Piece(units[first].start, units[last - 1].end, titles(atom.path), units[atom.first].page, span)
        previous = atom.first


def _overlap(units: list[Unit], earliest: int, first: int, size: int, plan: Chunking) -> int:
    """The unit from which a passage of `size` new tokens starts to repeat the one before it; `first` for no overlap."""
    chosen, nearest = first, float("inf")
    total = 0
    for index in range(first - 1, earliest, -1):
        total += units[index].tokens
        share = total / max(1, total + size)
        header = units[index].header
        if share > _MOST_OVERLAP or total + size + (header.tokens if header else 0) > plan.max_tokens:
            break
        if share >= _LEAST_OVERLAP and abs(share - plan.overlap) < nearest and plan.overlap:
            chosen, nearest = index, abs(share - plan.overlap)
    return chosen
