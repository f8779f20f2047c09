"""Chunking: a parsed document becomes passages, cut where it hurts least.

The text is taken apart into units that are never cut (a heading, a sentence, a list point, a table row, a code block).
Units that belong together (a heading and what follows it, a sentence that leads into a list, a procedure that fits into
a passage, else each of its steps) make an atom. Dynamic programming then chooses the cuts between atoms: each passage
costs what its size is off the target, plus what its cut breaks. A passage that begins inside of a table repeats the
table's header. Tokens are counted once for each unit.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from ken.domain.document import Block, BlockKind, Markup, ParsedDocument
from ken.errors import InvalidInput
from ken.knowledge.procedures import procedures
from ken.models.protocols import TokenCounter
from ken.text.markup import plain
from ken.text.sentences import row_spans, sentence_spans
from ken.text.tables import header_span

VERSION = 2
"""Raised by every change of where passages are cut, or of what they repeat."""

# What a cut breaks, in the same measure as the size cost: 1 is a passage of half the target.
_CUT_AT_HEADING = (0.0, 0.0, 0.0, 0.1, 0.15, 0.2, 0.2)
_CUT_BETWEEN_BLOCKS = 0.45
_CUT_AT_TABLE = 0.5
_CUT_BETWEEN_POINTS = 0.65
_CUT_BETWEEN_SENTENCES = 1.0
_CUT_BETWEEN_ROWS = 1.2
_CUT_INSIDE_POINT = 1.4
_CUT_INSIDE_SENTENCE = 1.8
_TINY = 2.0
_SECTION_BORDER_KEPT_OPEN = 4.0
_TINY_SECTION_APPENDED = 1.0
_SHORT_SECTIONS_MERGED = 0.2
_MERGED_ACROSS_PARENTS = 0.8

_SECTION_LEVEL = 2
"""Headings up to this level start a new passage, and end the reach of an overlap."""
_LEAST_OVERLAP, _MOST_OVERLAP = 0.1, 0.2
_MOST_UNITS = 20_000
_LONG_GAP = 8_000  # characters
_LONGEST_HEADING = 200
_TABLE_HEAD = 2
_JOINERS = frozenset("\u200d\ufe0e\ufe0f")


@dataclass(frozen=True, slots=True)
class Chunking:
    """How large passages are, in tokens of their plain text, and how much of the one before each repeats."""

    target_tokens: int = 400
    max_tokens: int = 500
    overlap: float = 0.15
    """Wanted share of a passage; whole sentences are repeated, so that it lies between 0.1 and 0.2, or is 0 where the last
    sentence is too long. 0 turns it off.
    """
    min_tokens: int = 100
    """Shorter passages are made only where nothing fits to them."""

    def __post_init__(self) -> None:
        if not 0 < self.min_tokens <= self.target_tokens <= self.max_tokens:
            raise InvalidInput(
                f"chunking wants 0 < min_tokens <= target_tokens <= max_tokens, not "
                f"{self.min_tokens}, {self.target_tokens}, {self.max_tokens}: change these settings."
            )
        if not 0 <= self.overlap <= _MOST_OVERLAP:
            raise InvalidInput(f"overlap is {self.overlap}: give a share from 0 to {_MOST_OVERLAP}.")


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


@dataclass(frozen=True, slots=True)
class _Header:
    """The header of a table, where it is short enough to be repeated."""

    span: tuple[int, int]
    tokens: int


@dataclass(frozen=True, slots=True)
class _Unit:
    start: int
    end: int
    tokens: int
    kind: BlockKind
    cut: float
    """The cost of a cut before it."""
    block: int
    level: int = 0
    page: int | None = None
    header: _Header | None = None
    """What a passage that begins with it repeats."""


@dataclass(frozen=True, slots=True)
class _Atom:
    """Units `first` to `last` (exclusive), which stay together."""

    first: int
    last: int
    tokens: int
    cut: float
    section: int
    """The level of the heading that it starts with; 0 for none, and for levels that bind no passage."""
    path: tuple[tuple[int, str], ...]


def chunk(parsed: ParsedDocument, tokens: TokenCounter, *, plan: Chunking) -> tuple[Piece, ...]:
    """Cut `parsed` into pieces, in order; together they hold all of its text but white space.

    Code blocks, sentences and table rows stay whole, however long the first and last are; a sentence of more than
    `plan.max_tokens` is cut at white space. A numbered procedure stays whole where it fits.
    """
    units = _Units(parsed, tokens, plan).all()
    joined: list[int] = []
    if len(units) > _MOST_UNITS:
        units = _coalesced(units, plan.target_tokens // 16)
    else:
        joined = _joined(parsed, units, plan)
    if not units:
        return ()
    atoms = _atoms(parsed, units, plan, joined)
    cuts = _best_cuts(units, atoms, plan)
    inside = {index for index in range(1, len(joined)) if joined[index] and joined[index] == joined[index - 1]}
    return tuple(_pieces(units, atoms, cuts, plan, inside=inside))


@dataclass(slots=True)
class _Units:
    """Takes a document apart."""

    parsed: ParsedDocument
    tokens: TokenCounter
    plan: Chunking
    lead: int | None = None
    """Where the first unit begins, if before its block."""

    def all(self) -> list[_Unit]:
        units: list[_Unit] = []
        position = 0
        for index, block in enumerate(self.parsed.blocks):
            self._take_gap(units, position, block.start)
            units.extend(self._of_block(index, block))
            position = block.end
        self._take_gap(units, position, len(self.parsed.text))
        if self.lead is not None and units:
            units[0] = replace(units[0], start=self.lead)
        return units

    def _take_gap(self, units: list[_Unit], start: int, end: int) -> None:
        """Rules, link definitions and the like, which are in no block: they go with what is before them, else after."""
        piece = self.parsed.text[start:end]
        if not piece.strip():
            return
        end = start + len(piece.rstrip())
        if units and end - start < _LONG_GAP:
            units[-1] = replace(units[-1], end=end)
        elif self.parsed.blocks and end - start < _LONG_GAP:
            self.lead = start
        else:
            for row in row_spans(self.parsed.text, (start, end)):
                count = self.tokens.count(self.parsed.text[slice(*row)])
                units.extend(self._whole(row, count, "paragraph", cut=_CUT_BETWEEN_SENTENCES, block=-1, page=None))

    def _of_block(self, index: int, block: Block) -> Iterator[_Unit]:
        text = self.parsed.text
        span = block.start, block.end
        match block.kind:
            case "heading":
                count = self._count(span, self.parsed.markup)
                cut = _CUT_AT_HEADING[min(block.level, 6)]
                yield _Unit(*span, count, "heading", cut, index, block.level, block.page)
            case "code":
                yield _Unit(*span, self._count(span, "plain"), "code", _CUT_BETWEEN_BLOCKS, index, 0, block.page)
            case "table":
                rows = self._parts(index, block, row_spans(text, span), first=_CUT_AT_TABLE, inner=_CUT_BETWEEN_ROWS)
                header = self._header(block)
                yield from (
                    replace(row, header=header) if header and row.start >= header.span[1] else row for row in rows
                )
            case "list_item":
                after_point = index > 0 and self.parsed.blocks[index - 1].kind == "list_item"
                first = _CUT_BETWEEN_POINTS + 0.1 * block.level if after_point else _CUT_BETWEEN_BLOCKS
                count = self._count(span, self.parsed.markup)
                if count <= self.plan.target_tokens // 4:
                    yield _Unit(*span, count, "list_item", first, index, block.level, block.page)
                else:
                    sentences = sentence_spans(text, span, markup=self.parsed.markup)
                    yield from self._parts(index, block, sentences, first=first, inner=_CUT_INSIDE_POINT)
            case _:
                sentences = sentence_spans(text, span, markup=self.parsed.markup)
                yield from self._parts(index, block, sentences, first=_CUT_BETWEEN_BLOCKS, inner=_CUT_BETWEEN_SENTENCES)

    def _header(self, table: Block) -> _Header | None:
        span = header_span(self.parsed.text, table) if self.parsed.markup == "markdown" else None
        tokens = self._count(span, self.parsed.markup) if span else 0
        return _Header(span, tokens) if span and tokens <= self.plan.max_tokens // 3 else None

    def _parts(
        self, index: int, block: Block, spans: list[tuple[int, int]], *, first: float, inner: float
    ) -> Iterator[_Unit]:
        for number, span in enumerate(spans):
            count = self._count(span, self.parsed.markup)
            cut = inner if number else first
            if count > self.plan.max_tokens and block.kind != "table":
                yield from self._whole(span, count, block.kind, cut=cut, block=index, page=block.page)
            else:
                yield _Unit(*span, count, block.kind, cut, index, block.level, block.page)

    def _whole(
        self, span: tuple[int, int], count: int, kind: BlockKind, *, cut: float, block: int, page: int | None
    ) -> Iterator[_Unit]:
        """The span as one unit, or as several of about half the target where it has more tokens than a passage may have."""
        if count <= self.plan.max_tokens or span[1] - span[0] <= self.plan.max_tokens // 4:
            yield _Unit(*span, count, kind, cut, block, 0, page)
            return
        parts = max(2, round(2 * count / self.plan.target_tokens))
        for number, part in enumerate(_evenly(self.parsed.text, span, parts)):
            cost = _CUT_INSIDE_SENTENCE if number else cut
            yield from self._whole(part, self._count(part, self.parsed.markup), kind, cut=cost, block=block, page=page)

    def _count(self, span: tuple[int, int], markup: Markup) -> int:
        return self.tokens.count(plain(self.parsed.text[span[0] : span[1]], markup))


def _evenly(text: str, span: tuple[int, int], parts: int) -> Iterator[tuple[int, int]]:
    """Cut `span` into about `parts` parts of like length, at white space where there is some, never inside a grapheme."""
    start, end = span
    length = -(-(end - start) // parts)
    while end - start > length:
        cut = start + length
        blank = max(text.rfind(" ", start + length // 2, cut), text.rfind("\n", start + length // 2, cut))
        if blank > start:
            cut = blank
        else:
            while cut < end and (
                unicodedata.combining(text[cut]) or text[cut] in _JOINERS or text[cut - 1] == "\u200d"
            ):
                cut += 1
        if text[start:cut].strip():
            yield start, cut
        start = cut + (text[cut : cut + 1].isspace())
    if text[start:end].strip():
        yield start, end


def _coalesced(units: list[_Unit], least: int) -> list[_Unit]:
    """Join small neighbours of one kind, so that a document of a million one-word points is cut in good time, too."""
    joined: list[_Unit] = []
    for unit in units:
        last = joined[-1] if joined else None
        if last and last.kind == unit.kind not in {"heading", "code"} and last.tokens + unit.tokens <= least:
            joined[-1] = replace(last, end=unit.end, tokens=last.tokens + unit.tokens, block=unit.block)
        else:
            joined.append(unit)
    return joined


def _joined(parsed: ParsedDocument, units: list[_Unit], plan: Chunking) -> list[int]:
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


def _atoms(parsed: ParsedDocument, units: list[_Unit], plan: Chunking, joined: list[int]) -> list[_Atom]:
    atoms: list[_Atom] = []
    path: list[tuple[int, str]] = []
    first = 0
    total = 0
    for index, unit in enumerate(units):
        total += unit.tokens
        if unit.kind == "heading":
            block = parsed.blocks[unit.block]
            title = plain(parsed.text[block.start : block.end], parsed.markup)[:_LONGEST_HEADING]
            path = [entry for entry in path if entry[0] < unit.level]
            path.append((unit.level, title))
        if index + 1 < len(units):
            if joined and joined[index] > index + 1:
                continue
            last = max(index + 2, joined[index + 1]) if joined else index + 2
            following = sum(unit.tokens for unit in units[index + 1 : last])
            if _belong_together(parsed, units, index, total=total, following=following, plan=plan):
                continue
        head = units[first]
        section = head.level if head.kind == "heading" and head.level <= _SECTION_LEVEL else 0
        atoms.append(_Atom(first, index + 1, total, head.cut, section, tuple(path)))
        first, total = index + 1, 0
    return atoms


def _belong_together(
    parsed: ParsedDocument, units: list[_Unit], index: int, *, total: int, following: int, plan: Chunking
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


def _best_cuts(units: list[_Unit], atoms: list[_Atom], plan: Chunking) -> list[int]:
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


def _expected_overlap(units: list[_Unit], atom: _Atom, plan: Chunking) -> int:
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
    units: list[_Unit], atoms: list[_Atom], cuts: list[int], plan: Chunking, *, inside: set[int]
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
        path = tuple(title for _, title in atom.path if title)
        header = units[first].header
        span = header.span if header else None
        yield Piece(units[first].start, units[last - 1].end, path, units[atom.first].page, span)
        previous = atom.first


def _overlap(units: list[_Unit], earliest: int, first: int, size: int, plan: Chunking) -> int:
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
