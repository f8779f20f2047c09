"""Tables of AsciiDoc: cells with specifiers, columns from `cols` or the first line, and the CSV and DSV forms."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_CELL = re.compile(
    r"(?:(?P<factor>\d{1,4}(?:\.\d{1,4})?|\.\d{1,4})(?P<times>[+*]))?(?P<align>[<^>]?(?:\.[<^>])?)(?P<style>[adehlmsv]?)$"
)
_COLUMN = re.compile(r"\s*(?:(?P<count>\d{1,3})\*)?[<^>.\d~%]*(?P<style>[adehlmsv]?)\s*$")
_MOST_COLUMNS = 200
_MOST_CELLS = 100_000
_MOST_SPANNED = 50


@dataclass(frozen=True, slots=True)
class Table:
    """Header and rows, all of one width; cells as they are written."""

    header: list[str]
    """Empty where no row is one."""
    rows: list[list[str]]


@dataclass(slots=True)
class _Cell:
    text: str
    columns: int = 1
    rows: int = 1


def table(lines: list[str], attributes: Mapping[str, str], *, separator: str = "|") -> Table:
    """The table between its delimiters; `attributes` are those of the block, options by their names with a percent sign."""
    columns = _columns(attributes.get("cols", ""))
    form = attributes.get("format", {",": "csv", ":": "dsv"}.get(separator, "psv"))
    separator = attributes.get("separator", separator)
    if form in {"csv", "tsv", "dsv"}:
        rows = _delimited(lines, form, separator)
        cells = [[_Cell(text) for text in row] for row in rows]
        width = columns or max(map(len, rows), default=0)
    else:
        width = columns or _width(lines, separator)
        cells = _rows(list(_cells(lines, separator)), width)
    filled = _filled(cells, min(width, _MOST_COLUMNS))
    has_header = "%header" in attributes or (
        "%noheader" not in attributes and _begins_with_header(lines, width, separator)
    )
    header = filled.pop(0) if filled and has_header else []
    return Table(header, [row for row in filled if any(row)])


def _columns(written: str) -> int:
    """How many columns `cols` gives: `1,2a,3*`; 0 where it says nothing."""
    parts = [part for part in re.split(r"[,;]", written.strip()) if part.strip() or "," in written]
    total = 0
    for part in parts:
        match = _COLUMN.match(part)
        total += int(match["count"]) if match and match["count"] else 1
    return min(total, _MOST_COLUMNS)


def _width(lines: list[str], separator: str) -> int:
    """Without `cols`, the first line with anything in it has as many cells as there are columns."""
    for line in lines:
        if line.strip():
            return max(1, min(sum(cell.columns for cell in _cells([line], separator)), _MOST_COLUMNS))
    return 1


def _begins_with_header(lines: list[str], width: int, separator: str) -> bool:
    """Whether the first line is a whole row and a blank line follows it."""
    if len(lines) < 2 or not lines[0].strip() or lines[1].strip():  # noqa: PLR2004 - the row and the blank line
        return False
    count = (
        len(lines[0].split(separator))
        if separator in ",:"
        else sum(cell.columns for cell in _cells(lines[:1], separator))
    )
    return count == width


def _cells(lines: list[str], separator: str) -> Iterator[_Cell]:
    text = "\n".join(lines)
    if separator == "|":
        text = text.replace("\\|", "\x00")
    pieces = text.split(separator)
    specifier = pieces[0].rpartition("\n")[2].strip()
    for number, piece in enumerate(pieces[1:], start=1):
        following = ""
        if number < len(pieces) - 1:
            # The specifier of the next cell is the last word before its separator.
            head, blank, tail = _last_word(piece)
            if tail and _CELL.match(tail):
                piece, following = head + blank, tail  # noqa: PLW2901 - the cell without it
        match = _CELL.match(specifier)
        cell = _Cell(piece.replace("\x00", "|").strip())
        times = 1
        if match and match["factor"]:
            across, _, down = match["factor"].partition(".")
            if match["times"] == "*":
                times = min(int(across or 1), _MOST_SPANNED)
            else:
                cell.columns = min(int(across or 1), _MOST_SPANNED) or 1
                cell.rows = min(int(down or 1), _MOST_SPANNED) or 1
        for _ in range(times):
            yield _Cell(cell.text, cell.columns, cell.rows)
        specifier = following


def _last_word(text: str) -> tuple[str, str, str]:
    word = re.search(r"(?<=\s)[^\s]{1,16}\Z", text[-20:]) or re.match(r"\A()[^\s]{1,16}\Z", text[-20:])
    if not word:
        return text, "", ""
    return text[: len(text) - len(word[0])], "", word[0]


def _rows(cells: list[_Cell], width: int) -> list[list[_Cell]]:
    """Cells in rows of `width` columns, those that reach down from earlier rows counted."""
    rows: list[list[_Cell]] = []
    reaching: list[int] = []
    row: list[_Cell] = []
    taken = 0
    for cell in cells:
        if not row:
            taken = sum(left > 0 for left in reaching)
        row.append(cell)
        taken += cell.columns
        if taken >= width:
            rows.append(row)
            reaching = [left - 1 for left in reaching if left > 1]
            reaching += [each.rows - 1 for each in row for _ in range(each.columns) if each.rows > 1]
            row = []
    return [*rows, row] if row else rows


def _filled(rows: list[list[_Cell]], width: int) -> list[list[str]]:
    """Texts by column: a cell that spans columns leaves the others empty, one that spans rows is repeated in each."""
    if width * len(rows) > _MOST_CELLS:
        rows = rows[: max(1, _MOST_CELLS // max(1, width))]
    carried: dict[int, tuple[int, str]] = {}
    filled: list[list[str]] = []
    for cells in rows:
        waiting = iter(cells)
        line: list[str] = []
        while len(line) < width:
            column = len(line)
            if column in carried:
                left, text = carried.pop(column)
                if left > 1:
                    carried[column] = (left - 1, text)
                line.append(text)
                continue
            cell = next(waiting, None)
            if cell is None:
                line.append("")
                continue
            for offset in range(min(cell.columns, width - column)):
                text = "" if offset else cell.text
                if cell.rows > 1:
                    carried[column + offset] = (cell.rows - 1, text)
                line.append(text)
        filled.append(line)
    return filled


def _delimited(lines: list[str], form: str, separator: str) -> list[list[str]]:
    delimiter = {"tsv": "\t", "csv": ","}.get(form, ":") if separator == "|" else separator
    delimiter = "\t" if delimiter == "\\t" else delimiter[:1] or ","
    if form == "dsv":
        return [[cell.strip() for cell in line.split(delimiter)] for line in lines if line.strip()]
    try:
        return [
            row
            for row in csv.reader((f"{line}\n" for line in lines), delimiter=delimiter, skipinitialspace=True)
            if any(row)
        ]
    except csv.Error:
        return [line.split(delimiter) for line in lines if line.strip()]
