"""One worksheet, read cell by cell as it is unpacked: a sheet may have more cells than fit into memory as a tree.

SpreadsheetML: ISO/IEC 29500-1, sections 18.3.1 (worksheets) and 18.4 (shared strings).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from ken.knowledge.parse.decoding import clean
from ken.knowledge.parse.office_archive import Enough
from ken.knowledge.parse.xlsx_numbers import GENERAL, shown

MOST_ROWS = 50_000
"""With values, of one sheet."""
MOST_COLUMNS = 200
MOST_CELLS = 500_000
"""With values, of a workbook."""
_MOST_STRINGS = 2_000_000
_LAST_ROW, _LAST_COLUMN = 1_048_576, 16_384
_RANGE = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7})(?::\$?([A-Z]{1,3})\$?(\d{1,7}))?")
_TRUE = frozenset({"1", "true", "on"})


class Cell(NamedTuple):
    """What a cell shows."""

    text: str
    is_text: bool
    """False for numbers, dates, truth values and errors."""


class Range(NamedTuple):
    """A rectangle of cells, 1-based and inclusive."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(slots=True)
class Sheet:
    """A worksheet's visible cells with something in them."""

    rows: dict[int, dict[int, Cell]] = field(default_factory=dict[int, dict[int, Cell]])
    hidden_rows: set[int] = field(default_factory=set[int])
    """Those that have values."""
    hidden_columns: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    """First and last."""
    merged: list[Range] = field(default_factory=list[Range])
    filtered: Range | None = None
    """What has filter buttons, in its first row."""
    cells: int = 0
    is_cut: bool = False
    """Whether rows beyond a limit were left out."""
    wide_rows: int = 0
    """Rows with more columns than are read."""
    uncalculated: int = 0
    """Formulas without a stored result."""
    missing: int = 0
    """Cells whose shared string the file doesn't hold."""

    def hides_column(self, column: int) -> bool:
        """Whether the column is hidden."""
        return any(first <= column <= last for first, last in self.hidden_columns)


@dataclass(frozen=True, slots=True)
class Book:
    """What the sheets of a workbook share."""

    strings: list[str]
    formats: list[str]
    """The number format of each cell style."""
    from_1904: bool


def cell_range(reference: str) -> Range | None:
    """The range that `A1` or `A1:C3` names, or None for anything else."""
    match = _RANGE.fullmatch(reference)
    if match is None:
        return None
    top, left = int(match[2]), column_number(match[1])
    bottom, right = (int(match[4]), column_number(match[3])) if match[3] else (top, left)
    return Range(top, left, bottom, right) if top <= bottom and left <= right else None


def column_number(letters: str) -> int:
    """1 for A, 27 for AA."""
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - 64
    return number


class StringsReader:
    """Takes the elements of the shared strings; `strings` has their texts without pronunciation guides."""

    def __init__(self) -> None:
        self.strings: list[str] = []
        self._parts: list[str] = []
        self._is_text = False
        self._guides = 0

    def start(self, tag: str, attributes: dict[str, str], /) -> None:  # noqa: ARG002 - of the protocol
        """An element begins."""
        local = tag.rpartition("}")[2]
        if local == "rPh":
            self._guides += 1
        self._is_text = local == "t" and not self._guides

    def end(self, tag: str, /) -> None:
        """An element ends."""
        local = tag.rpartition("}")[2]
        self._is_text = False
        if local == "rPh":
            self._guides -= 1
        elif local == "si":
            self.strings.append("".join(self._parts))
            self._parts.clear()
            if len(self.strings) >= _MOST_STRINGS:
                raise Enough

    def data(self, text: str, /) -> None:
        """Text inside an element."""
        if self._is_text:
            self._parts.append(text)


class SheetReader:
    """Takes the elements of a worksheet; `sheet` has its cells. `room` is how many cells may still be read."""

    def __init__(self, book: Book, *, room: int = MOST_CELLS) -> None:
        self.sheet = Sheet()
        self._book = book
        self._room = room
        self._row = 0
        self._is_hidden = False
        self._values: dict[int, Cell] = {}
        self._column = 0
        self._kind = "n"
        self._style = 0
        self._has_formula = False
        self._parts: list[str] = []
        self._is_value = False
        self._guides = 0
        self._columns: dict[str, int] = {}
        self._styled: dict[tuple[int, str], Cell] = {}

    def start(self, tag: str, attributes: dict[str, str], /) -> None:
        """An element begins."""
        match tag.rpartition("}")[2]:
            case "c":
                self._begin_cell(attributes)
            case "v":
                self._is_value = True
            case "t":
                self._is_value = not self._guides
            case "f":
                self._has_formula = True
            case "row":
                self._begin_row(attributes)
            case "rPh":
                self._guides += 1
            case "col" | "mergeCell" | "autoFilter" as local:
                self._layout(local, attributes)
            case _:
                pass

    def end(self, tag: str, /) -> None:
        """An element ends."""
        match tag.rpartition("}")[2]:
            case "c":
                self._end_cell()
            case "v" | "t":
                self._is_value = False
            case "row":
                self._end_row()
            case "rPh":
                self._guides -= 1
            case _:
                pass

    def data(self, text: str, /) -> None:
        """Text inside an element."""
        if self._is_value:
            self._parts.append(text)

    def _layout(self, local: str, attributes: dict[str, str]) -> None:
        where = cell_range(attributes.get("ref", ""))
        if local == "col" and attributes.get("hidden", "0") in _TRUE:
            first, last = attributes.get("min", ""), attributes.get("max", "")
            if first.isdecimal() and last.isdecimal():
                self.sheet.hidden_columns.append((int(first[:7]), int(last[:7])))
        elif local == "autoFilter":
            self.sheet.filtered = where
        elif local == "mergeCell" and where is not None and len(self.sheet.merged) < MOST_ROWS:
            self.sheet.merged.append(where)

    def _begin_row(self, attributes: dict[str, str]) -> None:
        number = attributes.get("r", "")
        self._row = int(number) if number.isdecimal() and len(number) <= len(str(_LAST_ROW)) else self._row + 1
        self._is_hidden = attributes.get("hidden", "0") in _TRUE
        self._column = 0
        self._values = {}

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        letters = attributes.get("r", "").rstrip("0123456789")
        column = self._columns.get(letters)
        if column is None:
            match = _RANGE.fullmatch(f"{letters}1")
            column = self._columns[letters] = column_number(match[1]) if match else 0
        self._column = column or self._column + 1
        style = attributes.get("s", "0")
        self._style = int(style) if style.isdecimal() and len(style) <= len(str(_LAST_ROW)) else 0
        self._kind = attributes.get("t", "n")
        self._has_formula = False
        self._parts.clear()

    def _end_cell(self) -> None:
        value = "".join(self._parts)
        if not value:
            self.sheet.uncalculated += self._has_formula and self._kind != "str"
            return
        cell = self._cell(value)
        if cell.text and 0 < self._column <= _LAST_COLUMN:
            self._values[self._column] = cell

    def _cell(self, value: str) -> Cell:
        match self._kind:
            case "s":
                strings = self._book.strings
                if not value.strip().isdecimal() or int(value.strip()[:9]) >= len(strings):
                    self.sheet.missing += 1
                    return Cell("", is_text=True)
                return Cell(_line(strings[int(value)]), is_text=True)
            case "str" | "inlineStr":
                return Cell(_line(value), is_text=True)
            case "b":
                return Cell("TRUE" if value.strip() in _TRUE else "FALSE", is_text=False)
            case "e" | "d":
                return Cell(_line(value.removesuffix("T00:00:00")), is_text=False)
            case _:
                key = self._style, value
                cell = self._styled.get(key)
                if cell is None:
                    formats = self._book.formats
                    code = formats[self._style] if self._style < len(formats) else GENERAL
                    cell = Cell(_line(shown(value.strip(), code, from_1904=self._book.from_1904)), is_text=False)
                    if len(self._styled) < MOST_ROWS:
                        self._styled[key] = cell
                return cell

    def _end_row(self) -> None:
        sheet = self.sheet
        if not self._values:
            return
        if self._is_hidden:
            sheet.hidden_rows.add(self._row)
            return
        if sheet.hidden_columns:
            self._values = {key: cell for key, cell in self._values.items() if not sheet.hides_column(key)}
        if len(self._values) > MOST_COLUMNS:
            sheet.wide_rows += 1
            self._values = dict(sorted(self._values.items())[:MOST_COLUMNS])
        if len(sheet.rows) >= MOST_ROWS or sheet.cells + len(self._values) > self._room:
            sheet.is_cut = True
            raise Enough
        if self._values:
            sheet.cells += len(self._values)
            sheet.rows.setdefault(self._row, {}).update(self._values)


def _line(text: str) -> str:
    """White space folded, control characters dropped; `_x000D_` and the like are how the format writes these."""
    if "_x" in text:
        text = re.sub(r"_x([0-9A-Fa-f]{4})_", lambda match: chr(int(match[1], 16)), text)
    return " ".join(clean(text)[0].split())
