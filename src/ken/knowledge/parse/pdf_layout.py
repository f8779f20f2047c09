"""From the lines of a PDF's pages to headings, paragraphs, list points and tables."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ken.domain.document import Block, BlockKind
from ken.knowledge.parse.markdown_writer import MarkdownWriter
from ken.knowledge.parse.pdf_columns import in_order
from ken.knowledge.parse.pdf_lines import Line
from ken.knowledge.parse.pdf_table import table_of
from ken.knowledge.parse.plaintext import POINT

_PAGE_NUMBER = re.compile(r"(?:page\s+)?[-–]?\s*\d{1,4}\s*[-–]?(?:\s*(?:of|/)\s*\d{1,4})?", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_ENDS_SENTENCE = re.compile(r"[.!?:;][\"'”’)\]]*$")
_LARGER = 1.12
_LONGEST_HEADING = 200
_LONGEST_BOLD_HEADING = 90
_DEEPEST = 6
_MARGIN_LINES = 3
_SAME_PLACE = 6.0  # points
_FEWEST_PAGES_WITH_A_RUNNING_HEAD = 2


@dataclass(slots=True)
class _Open:
    """The block that is being read."""

    kind: BlockKind
    lines: list[Line]
    level: int = 0


def document_of(pages: list[list[Line]]) -> tuple[str, tuple[Block, ...]]:
    """The Markdown of a document, and its blocks with their pages."""
    lines = [line for page in _without_running_heads(pages) for line in in_order(page)]
    reader = _Reader(_Typography.of(lines))
    for line in lines:
        reader.take(line)
    writing = _Writing(Counter(word for line in lines for word in _WORD.findall(line.text.lower().rstrip("-"))))
    for piece in reader.finished():
        writing.take(piece)
    return writing.document()


@dataclass(slots=True)
class _Writing:
    """Writes the pieces of a document as Markdown."""

    words: Counter[str]
    """Of the whole document."""
    writer: MarkdownWriter = field(default_factory=MarkdownWriter)
    written: list[_Open] = field(default_factory=list[_Open])
    """The piece of each of the writer's blocks."""

    def take(self, piece: _Open) -> None:
        """Write a piece."""
        if piece.kind != "list_item":
            self._close_lists(0)
        if piece.kind == "table":
            self.writer.table(*table_of(piece.lines))
        else:
            text = _joined((line.text for line in piece.lines), self.words)
            if piece.kind == "heading":
                self.writer.begin_heading(piece.level)
            elif piece.kind == "list_item":
                text = self._begin_point(text, piece.level)
            self.writer.words(text)
            self.writer.end_block()
        while len(self.written) < len(self.writer.blocks):
            self.written.append(piece)

    def _begin_point(self, text: str, level: int) -> str:
        """Begin the list point that `text` is; what it says after its mark. A letter as the mark stays in the text."""
        mark = POINT.match(text)
        number = re.match(r"\d+", text)
        self._close_lists(level)
        while len(self.writer.lists) < level:
            self.writer.begin_list(numbered=False)
        innermost = self.writer.lists[-1]
        innermost.numbered = number is not None
        if number is not None:
            innermost.number = int(number[0])
        self.writer.begin_point()
        return text if mark is None or mark[0].strip()[:1].isalpha() else text[mark.end() :]

    def _close_lists(self, depth: int) -> None:
        while len(self.writer.lists) > depth:
            self.writer.end_list()

    def document(self) -> tuple[str, tuple[Block, ...]]:
        """All that was written."""
        self._close_lists(0)
        blocks = tuple(
            Block(kind=piece.kind, start=start, end=end, level=piece.level, page=piece.lines[0].page)
            for piece, (start, end) in zip(self.written, self.writer.spans(), strict=True)
        )
        return self.writer.text(), blocks


def _without_running_heads(pages: list[list[Line]]) -> Iterator[list[Line]]:
    """The pages without the lines that stand in the same place on most of them, page numbers among these."""
    seen: Counter[tuple[str, int]] = Counter()
    body = _Typography.of([line for page in pages for line in page]).body
    margins = [_margin(page) for page in pages]
    for margin in margins:
        seen.update({(_running_key(line, body), round(line.y / _SAME_PLACE)) for line in margin})
    filled = sum(map(bool, pages))

    def repeats(line: Line) -> bool:
        key, place = _running_key(line, body), round(line.y / _SAME_PLACE)
        pages_with_it = sum(seen[key, near] for near in (place - 1, place, place + 1))
        return pages_with_it >= _FEWEST_PAGES_WITH_A_RUNNING_HEAD and 2 * pages_with_it > filled

    for page, margin in zip(pages, margins, strict=True):
        dropped = {id(line) for line in margin if repeats(line)}
        if page:
            lowest = min(page, key=lambda line: line.y)
            if _PAGE_NUMBER.fullmatch(lowest.text) and len(page) > 1:
                dropped.add(id(lowest))
        # A page that has nothing else keeps it.
        yield [line for line in page if id(line) not in dropped] or page


def _margin(page: list[Line]) -> list[Line]:
    by_height = sorted(page, key=lambda line: line.y)
    low, high = by_height[:_MARGIN_LINES], by_height[-_MARGIN_LINES:]
    return low + [line for line in high if all(line is not other for other in low)]


def _running_key(line: Line, body: float) -> str:
    """The text, numbers made alike, but not in headings: `Chapter 1` and `Chapter 2` are no running head."""
    return line.text if line.size > body * _LARGER else re.sub(r"\d+", "#", line.text.lower())


@dataclass(frozen=True, slots=True)
class _Typography:
    """The sizes of a document: what most is written in, what is larger, and how far lines are apart."""

    body: float
    headings: tuple[float, ...]
    leading: float
    bold_headings: bool

    @classmethod
    def of(cls, lines: list[Line]) -> _Typography:
        characters: Counter[float] = Counter()
        bold = 0
        gaps: Counter[float] = Counter()
        for line, above in zip(lines, [None, *lines], strict=False):
            characters[line.size] += len(line.text)
            bold += len(line.text) if line.is_bold else 0
            if (
                above
                and above.page == line.page
                and above.size == line.size
                and 0 < above.bottom - line.y < 3 * line.size
            ):
                gaps[round(2 * (above.bottom - line.y)) / 2] += 1
        total = sum(characters.values())
        body = characters.most_common(1)[0][0] if characters else 10.0
        larger = sorted({size for size in characters if size > body * _LARGER}, reverse=True)
        usual = gaps.most_common(1)[0][0] if gaps else 1.2 * body
        return cls(body, tuple(larger[:_DEEPEST]), min(max(usual, 1.1 * body), 2.5 * body), 2 * bold < total)

    def heading_level(self, line: Line) -> int:
        """1 to 6, or 0 where the line is not set as a heading."""
        if line.is_row or not any(map(str.isalpha, line.text)) or len(line.text) > _LONGEST_HEADING:
            return 0
        if line.is_point and not line.text[0].isalnum():
            return 0
        for level, size in enumerate(self.headings, start=1):
            if line.size >= size:
                return level
        is_short = len(line.text) <= _LONGEST_BOLD_HEADING and not line.text.endswith((".", ",", ";", ":"))
        if line.is_bold and self.bold_headings and is_short and line.size >= self.body and not line.is_point:
            return min(_DEEPEST, len(self.headings) + 1)
        return 0


@dataclass(slots=True)
class _Reader:
    """Puts lines together that belong together."""

    type: _Typography
    done: list[_Open] = field(default_factory=list[_Open])
    points: list[float] = field(default_factory=list[float])
    """Where the marks of the open list levels stand, outermost first."""

    def take(self, line: Line) -> None:
        level = self.type.heading_level(line)
        if level:
            self._heading(line, level)
        elif line.is_row:
            self._row(line)
        elif line.is_point and self._begins(line):
            self._point(line)
        elif not self._goes_on(line):
            self.points.clear()
            self.done.append(_Open("paragraph", [line]))

    def finished(self) -> Iterator[_Open]:
        """The blocks; a single row is a paragraph."""
        for block in self.done:
            if block.kind == "table" and len(block.lines) == 1:
                block.kind = "paragraph"
            yield block

    def _heading(self, line: Line, level: int) -> None:
        last = self.done[-1] if self.done else None
        above = last.lines[-1] if last else None
        if (
            last
            and above
            and last.kind == "heading"
            and last.level == level
            and above.page == line.page
            and 0 < above.bottom - line.y < 1.5 * line.size
        ):
            last.lines.append(line)
        else:
            self.done.append(_Open("heading", [line], level))
        self.points.clear()

    def _row(self, line: Line) -> None:
        last = self.done[-1] if self.done else None
        if last and last.kind == "table":
            is_repeated_header = line.page != last.lines[-1].page and line.text == last.lines[0].text
            if not is_repeated_header:
                last.lines.append(line)
        else:
            self.points.clear()
            self.done.append(_Open("table", [line]))

    def _begins(self, line: Line) -> bool:
        """Whether a mark at the line's start is one, and not a number that a line break brought there."""
        last = self.done[-1] if self.done else None
        if not last or last.kind != "paragraph" or not line.text[0].isalnum():
            return True
        above = last.lines[-1]
        return _ENDS_SENTENCE.search(above.text) is not None or above.bottom - line.y > 1.25 * self.type.leading

    def _point(self, line: Line) -> None:
        while self.points and self.points[-1] > line.x - 1:
            self.points.pop()
        self.points.append(line.x)
        self.done.append(_Open("list_item", [line], min(_DEEPEST, len(self.points))))

    def _goes_on(self, line: Line) -> bool:
        """Add the line to the open block if it is the block's next line."""
        last = self.done[-1] if self.done else None
        if not last or last.kind not in {"paragraph", "list_item"} or last.lines[-1].is_row:
            return False
        above = last.lines[-1]
        gap = above.bottom - line.y
        if above.page != line.page or gap < 0:
            joins = not _ENDS_SENTENCE.search(above.text) and line.text[:1].islower()
        else:
            is_indented = line.x > above.x + 0.8 * line.size and last.kind == "paragraph"
            is_outside = last.kind == "list_item" and line.x < last.lines[0].x + 1
            unfinished = not _ENDS_SENTENCE.search(above.text)
            joins = (
                gap <= 1.25 * self.type.leading and (not is_indented or unfinished) and (not is_outside or unfinished)
            )
        if joins:
            last.lines.append(line)
        return joins


def _joined(lines: Iterable[str], words: Counter[str]) -> str:
    """The lines as one; a word that was broken at a line's end is mended."""
    text = ""
    for line in lines:
        if not text:
            text = line
        elif text.endswith("\u00ad"):
            text = text[:-1] + line
        elif text.endswith("-") and text[-2:-1].isalnum():
            text = (text[:-1] if line[:1].islower() and _was_broken(text, line, words) else text) + line
        else:
            text += " " + line
    return text.replace("\u00ad", "")


def _was_broken(before: str, after: str, words: Counter[str]) -> bool:
    """Whether the hyphen at the end of `before` is of the line break, judged by the document's other words."""
    left = re.split(r"[^\w-]", before.lower().rstrip("-"))[-1]
    match = _WORD.match(after.lower())
    right = match[0] if match else ""
    if words[left + right]:
        return True
    if words[f"{left}-{right}"]:
        return False
    return not (words[left] > 1 and words[right])
