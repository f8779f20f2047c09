"""PDF: the text layer, line by line with its position, size and weight. What the lines mean is `pdf_layout`'s work."""

from __future__ import annotations

import io
import math
import re
import struct
import unicodedata
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, cast

from pypdf import PageObject, PdfReader
from pypdf.errors import DependencyError, PyPdfError

from ken.domain.document import ParsedDocument
from ken.errors import Unreadable
from ken.knowledge.parse.decoding import clean, refuse_empty
from ken.knowledge.parse.metadata import Stated, Value, assembled, keyword_values, stated
from ken.knowledge.parse.page_ranges import page_ranges
from ken.knowledge.parse.pdf_layout import document_of
from ken.knowledge.parse.pdf_lines import Line, width

MOST_PAGES = 5_000

# What pypdf raises on broken files, besides its own errors: it trusts the types that a file claims.
_BROKEN = (
    PyPdfError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RecursionError,
    ArithmeticError,
    AssertionError,
    NotImplementedError,
    EOFError,
    OSError,
    zlib.error,
    struct.error,
)
_LIGATURES = re.compile("[\ufb00-\ufb06]")
_BULLETS = re.compile("[\uf0b7\uf0a7\uf0d8\uf076\u25cf\u25cb\u25a0\u25a1\u2043]")
_BOLD = re.compile(r"bold|black|heavy|semibold|-bd", re.IGNORECASE)
_REMEDY = "Install the extra `ocr` to have them read, or run text recognition (OCR) over the file"
_NOTHING_FOUND = "Text recognition (OCR) found none either, or had reached its limit of pages"
# What programs write for a title that nobody gave, and before the one that somebody did.
_BY_PROGRAM = re.compile(r"Microsoft (?:Word|Excel|PowerPoint) - |(?:untitled|PowerPoint Presentation)$", re.IGNORECASE)
_NEXT_LINE = 1.6  # in font sizes
_TALLEST_CELL = 12  # in lines, or font sizes


class Recognises(Protocol):
    """Reads the words of pages that are pictures."""

    def lines(self, data: bytes, numbers: Sequence[int]) -> dict[int, list[Line]]:
        """The lines of those pages (1-based) on which it finds some."""
        ...


def parse_pdf(data: bytes, *, name: str, recogniser: Recognises | None = None) -> ParsedDocument:
    """Parse a PDF's text layer, and with a `recogniser` the pages without one.

    Raises Unreadable where it is broken, encrypted, over `MOST_PAGES`, or has no text.
    """
    refuse_empty(data, name=name)
    try:
        reader = _open(data, name)
        pages = [_lines(page, number) for number, page in enumerate(reader.pages, start=1)]
        told = _metadata(reader)
    except DependencyError as error:
        raise _encrypted(name) from error
    except _BROKEN as error:
        raise Unreadable(f"{name!r} is broken ({error}): open it in a PDF program and save it again.") from error
    empty = [number for number, lines in enumerate(pages, start=1) if not lines]
    remarks: list[str] = []
    if recogniser is not None and empty:
        found = recogniser.lines(data, empty)
        for number, lines in found.items():
            pages[number - 1] = lines
        if found:
            remarks.append(f"{_pages(sorted(found)).capitalize()}: text by recognition (OCR), which makes mistakes.")
        empty = [number for number in empty if number not in found]
    remedy = _REMEDY if recogniser is None else _NOTHING_FOUND
    if len(empty) == len(pages):
        raise Unreadable(f"{name!r} has no text layer: {_pages(empty)} without text, as scans are. {remedy}.")
    if empty:
        remarks.append(f"{_pages(empty).capitalize()} without text, as scans are. {remedy}.")
    told = Stated(told.metadata, (*told.warnings, *remarks))
    text, blocks = document_of(pages)
    return assembled(text, blocks, markup="markdown", told=told, name=name)


def _open(data: bytes, name: str) -> PdfReader:
    reader = PdfReader(io.BytesIO(data), strict=False)
    if reader.is_encrypted and not reader.decrypt(""):
        raise _encrypted(name)
    if len(reader.pages) > MOST_PAGES:
        raise Unreadable(f"{name!r} has {len(reader.pages):,} pages; at most {MOST_PAGES:,}: split it.")
    return reader


def _pages(pages: list[int]) -> str:
    return f"page {pages[0]}" if len(pages) == 1 else f"pages {page_ranges(pages)}"


def _encrypted(name: str) -> Unreadable:
    return Unreadable(f"{name!r} is encrypted: save it without a password and without restrictions.")


def _metadata(reader: PdfReader) -> Stated:
    told = reader.metadata
    if told is None:
        return stated(())
    title = _BY_PROGRAM.sub("", str(told.title or ""))
    values: list[tuple[str, Value]] = [("title", title), ("owner", str(told.author or ""))]
    given = keyword_values(str(told.get("/Keywords") or ""))
    keys = {key.strip().lower() for key, _ in given}
    return stated([entry for entry in values if entry[0] not in keys] + given)


def _lines(page: PageObject, number: int) -> list[Line]:
    collector = _Collector(number)

    def _visit(text: str, cm: Sequence[float], tm: Sequence[float], font: object, size: float) -> None:
        x = tm[4] * cm[0] + tm[5] * cm[2] + cm[4]
        y = tm[4] * cm[1] + tm[5] * cm[3] + cm[5]
        scale = math.hypot(tm[2], tm[3]) * math.hypot(cm[2], cm[3])
        name = cast("dict[str, object]", font).get("/BaseFont", "") if isinstance(font, dict) else ""
        collector.take(
            text, x=x, y=y, size=round(abs(size) * scale, 1) or 1.0, is_bold=_BOLD.search(str(name)) is not None
        )

    page.extract_text(visitor_text=_visit)
    return collector.lines


@dataclass(slots=True)
class _Collector:
    """Puts the fragments of a page, which come in the order of its content stream, into lines and cells."""

    page: int
    lines: list[Line] = field(default_factory=list[Line])
    reached: float = 0.0
    """About where the last fragment ends."""

    def take(self, text: str, *, x: float, y: float, size: float, is_bold: bool) -> None:
        """Take the next fragment, which begins at `x`, `y`."""
        if not text.strip():
            if text and "\n" not in text and self.lines:
                self.lines[-1].add(" ")
            return
        for offset, part in enumerate(_readable(text).split("\n")):
            if part.strip():
                self._place(Line.of(part, x=x, y=y - 1.2 * size * offset, size=size, is_bold=is_bold, page=self.page))

    def _place(self, fragment: Line) -> None:
        last = self.lines[-1] if self.lines else None
        if (
            last
            and abs(last.cell_y - fragment.y) <= 0.4 * max(last.size, fragment.size)
            and self._is_right_of(last, fragment)
        ):
            gap = fragment.x - self.reached
            is_cell = gap > max(1.8 * last.size, 0.1 * (self.reached - last.cells[-1].x))
            last.append(fragment, as_cell=is_cell)
        elif not (last and self._continues_row(last, fragment)):
            self.lines.append(fragment)
        self.reached = fragment.x + width(fragment.text, fragment.size)

    def _is_right_of(self, last: Line, fragment: Line) -> bool:
        return fragment.x >= self.reached - 0.5 * last.size

    def _continues_row(self, last: Line, fragment: Line) -> bool:
        """Put the fragment into the table row that has been begun; True if it belongs to one.

        The cells of a row come one after the other, each with all of its lines. So a fragment right below the last cell
        goes on with it, and one further up and to the right begins the next cell.
        """
        is_below = 0 < last.cell_y - fragment.y < _NEXT_LINE * last.size
        if last.is_row and is_below and abs(fragment.x - last.cells[-1].x) < 1:
            last.continue_cell(fragment)
            return True
        rise = fragment.y - last.cell_y
        if rise <= 0.4 * last.size or fragment.x < last.cells[-1].x + last.size:
            return False
        first = self._level_with(fragment)
        if first is None:
            # Cells may also stand at the bottom or in the middle of their row; further up begins another column.
            if rise > _TALLEST_CELL * last.size or not self._is_right_of(last, fragment):
                return False
            first = self._centred_on(fragment)
        row = self.lines[first]
        for below in self.lines[first + 1 :]:
            row.continue_cell(below)
        del self.lines[first + 1 :]
        row.append(fragment, as_cell=True)
        return True

    def _centred_on(self, fragment: Line) -> int:
        """The index of the line from which on the lines, one below the other, have the fragment at their middle."""
        last = self.lines[-1]
        for index in range(len(self.lines) - 2, max(-1, len(self.lines) - 1 - _TALLEST_CELL), -1):
            line = self.lines[index]
            if len(line.cells) > 1 or abs(line.x - last.x) > 1 or line.size != last.size:
                break
            if abs((line.y + last.bottom) / 2 - fragment.y) <= 0.25 * last.size:
                return index
        return len(self.lines) - 1

    def _level_with(self, fragment: Line) -> int | None:
        """The index of a recent line at the fragment's height that ends before it."""
        for index in range(len(self.lines) - 1, max(-1, len(self.lines) - 1 - _TALLEST_CELL), -1):
            line = self.lines[index]
            if abs(line.y - fragment.y) <= 0.4 * line.size and line.cells[-1].x + line.size < fragment.x:
                return index
        return None


def _readable(text: str) -> str:
    """Ligatures taken apart, bullet signs made one, control characters dropped."""
    text = _LIGATURES.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)
    return clean(_BULLETS.sub("•", text))[0]
