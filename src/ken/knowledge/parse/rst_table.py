"""Tables that are drawn in characters, as reStructuredText has them."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import pairwise

GRID = re.compile(r"\+(?:[-=]+\+)+\s*$")
"""The first line of a grid table."""
SIMPLE = re.compile(r"=+(?:\s+=+)+\s*$")
"""The first line of a simple table."""

_SIMPLE_RULE = re.compile(r"(?:=+\s*)+$|(?:-+\s*)+$")
_MOST_COLUMNS = 200


@dataclass(frozen=True, slots=True)
class Drawn:
    """A table as drawn: cells as they are written, their lines joined with blanks."""

    header: list[str]
    """Empty where no row is one."""
    rows: list[list[str]]


@dataclass(slots=True)
class _Cell:
    row: int
    column: int
    lines: list[str] = field(default_factory=list[str])
    last_row: int = 0
    """It reaches down to this row."""


def grid_table(lines: list[str]) -> Drawn | None:
    """The table that `lines` draw with `+`, `-` and `|`; None where they draw none. Cells that span rows are repeated."""
    width = max(map(len, lines))
    lines = [line.ljust(width) for line in lines]
    edges = sorted({match.start() for line in lines if _is_rule(line) for match in re.finditer(r"\+", line)})
    if len(edges) < 2 or len(edges) > _MOST_COLUMNS or edges[0] != 0:  # noqa: PLR2004 - a column has two edges
        return None
    cells: list[_Cell] = []
    current: dict[int, _Cell] = {}
    row, headers = -1, 0
    for line in lines:
        is_rule = _is_rule(line)
        if is_rule:
            row += 1
            headers = row if "=" in line.replace(" ", "") and re.search(r"\+=+\+", line) else headers
        walls = [edge for edge in edges if line[edge] in "+|"]
        for left, right in pairwise(walls):
            column, piece = bisect_left(edges, left), line[left + 1 : right]
            if is_rule and piece and not piece.strip("-=+"):
                current.pop(column, None)
                continue
            if column not in current:
                current[column] = _Cell(row, column)
                cells.append(current[column])
            current[column].last_row = row
            current[column].lines.append(piece.strip())
    return _drawn(cells, len(edges) - 1, row, headers)


def _is_rule(line: str) -> bool:
    return re.search(r"\+[-=]+\+", line) is not None and line[0] in "+|"


def _drawn(cells: list[_Cell], columns: int, rows: int, headers: int) -> Drawn | None:
    if rows < 1:
        return None
    table = [[""] * columns for _ in range(rows)]
    for cell in cells:
        text = " ".join(filter(None, cell.lines))
        for row in range(cell.row, min(cell.last_row, rows - 1) + 1):
            if row >= 0:
                table[row][cell.column] = text
    header = [" ".join(dict.fromkeys(name for name in names if name)) for names in zip(*table[:headers], strict=True)]
    return Drawn(header, [row for row in table[headers:] if any(row)])


def simple_table(lines: list[str]) -> Drawn:
    """The table that `lines` draw with columns of `=`. A row whose first cell is empty goes on with the one above."""
    spans = [match.span() for match in re.finditer(r"=+", lines[0])]
    starts = [start for start, _ in spans]
    rules = [number for number, line in enumerate(lines) if "=" in line and _SIMPLE_RULE.match(line)]
    header_end = rules[1] if len(rules) > 2 else 0  # noqa: PLR2004 - top, below the header, bottom
    header: list[list[str]] = []
    rows: list[list[str]] = []
    is_new = True
    for number, line in enumerate(lines[1:], start=1):
        if not line.strip() or _SIMPLE_RULE.match(line):
            is_new = True
            continue
        cells = _cut(line, starts)
        into = header if number < header_end else rows
        if into and not cells[0] and not is_new:
            into[-1] = [" ".join(filter(None, pair)) for pair in zip(into[-1], cells, strict=True)]
        else:
            into.append(cells)
        is_new = False
    names = [" ".join(filter(None, parts)) for parts in zip(*header, strict=True)]
    return Drawn(names, rows)


def _cut(line: str, starts: list[int]) -> list[str]:
    """The cells of a line; text that crosses the border of a column belongs to the one that it begins in."""
    cells = [""] * len(starts)
    begin = 0
    for column, start in enumerate(starts):
        if column and start < len(line) and line[start - 1 : start].strip():
            continue
        if column:
            cells[begin] = line[starts[begin] : start].strip()
            begin = column
    cells[begin] = line[starts[begin] :].strip()
    return cells


def simple_table_end(lines: list[str], start: int) -> int:
    """The line after the simple table that begins in line `start`: after its last rule that a blank line follows."""
    seen = 0
    for number in range(start + 1, len(lines)):
        if "=" in lines[number] and _SIMPLE_RULE.match(lines[number]):
            seen += 1
            following = lines[number + 1].strip() if number + 1 < len(lines) else ""
            if seen > 1 or not following:
                return number + 1
    return len(lines)
