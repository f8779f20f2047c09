"""What a document is made of: units that a passage holds whole (a heading, a sentence, a list point, a row, code).

Tokens are counted once for each unit, and each knows what a cut before it would break.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ken.domain.document import Block, BlockKind, Markup, ParsedDocument
from ken.knowledge.chunkers.chunker import Chunking
from ken.models.protocols import TokenCounter
from ken.text.markup import plain
from ken.text.sentences import row_spans, sentence_spans
from ken.text.tables import header_span

Path = tuple[tuple[int, str], ...]
"""Headings in force, outermost first: level and title of each."""

# What a cut breaks, in the same measure as the size cost of structural.py: 1 is a passage of half the target.
_CUT_AT_HEADING = (0.0, 0.0, 0.0, 0.1, 0.15, 0.2, 0.2)
_CUT_BETWEEN_BLOCKS = 0.45
_CUT_AT_TABLE = 0.5
_CUT_BETWEEN_POINTS = 0.65
_CUT_BETWEEN_SENTENCES = 1.0
_CUT_BETWEEN_ROWS = 1.2
_CUT_INSIDE_POINT = 1.4
_CUT_INSIDE_SENTENCE = 1.8

MOST_UNITS = 20_000
"""Of a document whose units are weighed one by one."""
_LONG_GAP = 8_000  # characters
_LONGEST_HEADING = 200
_JOINERS = frozenset("\u200d\ufe0e\ufe0f")


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a table, where it is short enough to be repeated."""

    span: tuple[int, int]
    tokens: int


@dataclass(frozen=True, slots=True)
class Unit:
    """One of them, in the document's text."""

    start: int
    end: int
    tokens: int
    kind: BlockKind
    cut: float
    """The cost of a cut before it."""
    block: int
    level: int = 0
    page: int | None = None
    header: Header | None = None
    """What a passage that begins with it repeats."""


@dataclass(slots=True)
class Units:
    """Takes a document apart."""

    parsed: ParsedDocument
    tokens: TokenCounter
    plan: Chunking
    lead: int | None = None
    """Where the first unit begins, if before its block."""

    def all(self) -> list[Unit]:
        """In order; together they hold all of the text but white space."""
        units: list[Unit] = []
        position = 0
        for index, block in enumerate(self.parsed.blocks):
            self._take_gap(units, position, block.start)
            units.extend(self._of_block(index, block))
            position = block.end
        self._take_gap(units, position, len(self.parsed.text))
        if self.lead is not None and units:
            units[0] = replace(units[0], start=self.lead)
        return units

    def lines(self, code: Unit) -> Iterator[Unit]:
        """The lines of a block of code; one of more tokens than a passage may have, in parts."""
        for row in row_spans(self.parsed.text, (code.start, code.end)):
            count = self._count(row, "plain")
            yield from self._whole(row, count, "code", cut=code.cut, block=code.block, page=code.page)

    def _take_gap(self, units: list[Unit], start: int, end: int) -> None:
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

    def _of_block(self, index: int, block: Block) -> Iterator[Unit]:
        text = self.parsed.text
        span = block.start, block.end
        match block.kind:
            case "heading":
                count = self._count(span, self.parsed.markup)
                cut = _CUT_AT_HEADING[min(block.level, 6)]
                yield Unit(*span, count, "heading", cut, index, block.level, block.page)
            case "code":
                yield Unit(*span, self._count(span, "plain"), "code", _CUT_BETWEEN_BLOCKS, index, 0, block.page)
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
                    yield Unit(*span, count, "list_item", first, index, block.level, block.page)
                else:
                    sentences = sentence_spans(text, span, markup=self.parsed.markup)
                    yield from self._parts(index, block, sentences, first=first, inner=_CUT_INSIDE_POINT)
            case _:
                sentences = sentence_spans(text, span, markup=self.parsed.markup)
                yield from self._parts(index, block, sentences, first=_CUT_BETWEEN_BLOCKS, inner=_CUT_BETWEEN_SENTENCES)

    def _header(self, table: Block) -> Header | None:
        span = header_span(self.parsed.text, table) if self.parsed.markup == "markdown" else None
        tokens = self._count(span, self.parsed.markup) if span else 0
        return Header(span, tokens) if span and tokens <= self.plan.max_tokens // 3 else None

    def _parts(
        self, index: int, block: Block, spans: list[tuple[int, int]], *, first: float, inner: float
    ) -> Iterator[Unit]:
        for number, span in enumerate(spans):
            count = self._count(span, self.parsed.markup)
            cut = inner if number else first
            if count > self.plan.max_tokens and block.kind != "table":
                yield from self._whole(span, count, block.kind, cut=cut, block=index, page=block.page)
            else:
                yield Unit(*span, count, block.kind, cut, index, block.level, block.page)

    def _whole(
        self, span: tuple[int, int], count: int, kind: BlockKind, *, cut: float, block: int, page: int | None
    ) -> Iterator[Unit]:
        """The span as one unit, or as several of about half the target where it has more tokens than a passage may have."""
        if count <= self.plan.max_tokens or span[1] - span[0] <= self.plan.max_tokens // 4:
            yield Unit(*span, count, kind, cut, block, 0, page)
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


def entered(path: Path, unit: Unit, *, parsed: ParsedDocument) -> Path:
    """The headings in force after a unit."""
    if unit.kind != "heading":
        return path
    block = parsed.blocks[unit.block]
    title = plain(parsed.text[block.start : block.end], parsed.markup)[:_LONGEST_HEADING]
    return (*(entry for entry in path if entry[0] < unit.level), (unit.level, title))


def titles(path: Path) -> tuple[str, ...]:
    """A passage's heading path."""
    return tuple(title for _, title in path if title)


def coalesced(units: list[Unit], least: int) -> list[Unit]:
    """Join small neighbours of one kind, so that a document of a million one-word points is cut in good time, too."""
    joined: list[Unit] = []
    for unit in units:
        last = joined[-1] if joined else None
        if last and last.kind == unit.kind not in {"heading", "code"} and last.tokens + unit.tokens <= least:
            joined[-1] = replace(last, end=unit.end, tokens=last.tokens + unit.tokens, block=unit.block)
        else:
            joined.append(unit)
    return joined
