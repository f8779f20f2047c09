"""Tables of a PDF: which cell of a row belongs to which column, told by where the cells stand."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ken.knowledge.parse.pdf_lines import Cell, Line

_AMOUNT = re.compile(r"\W*\d[\d.,:/\s%€$£-]*\W*")
_YEAR = re.compile(r"(?:19|20)\d\d")
_FEWEST_ROWS_WITH_NAMES = 3
_MANY_COLUMNS = 3


def table_of(rows: Sequence[Line]) -> tuple[list[str], list[list[str]]]:
    """The names of the columns (empty where the first row has none) and the other rows, each as wide as the table."""
    columns = _columns(rows)
    texts = [_placed(row.cells, columns) for row in rows]
    if _names_columns(rows, texts):
        return texts[0], texts[1:]
    return [""] * len(columns), texts


def _columns(rows: Sequence[Line]) -> list[tuple[float, float]]:
    """From where to where the columns reach, by the rows that have all of them."""
    most = max(len(row.cells) for row in rows)
    full = [row.cells for row in rows if len(row.cells) == most]
    return [(min(cells[k].x for cells in full), max(cells[k].end for cells in full)) for k in range(most)]


def _placed(cells: list[Cell], columns: list[tuple[float, float]]) -> list[str]:
    """The texts by column, empty where the row has no cell."""
    texts = [""] * len(columns)
    free = 0
    for number, cell in enumerate(cells):
        # As many columns must be left as there are cells to come.
        last = len(columns) - (len(cells) - number)
        choices = range(min(free, last), max(min(free, last), last) + 1)
        best = max(choices, key=lambda index: _closeness(cell, columns[index]))
        texts[best] = f"{texts[best]} {cell.text}".strip()
        free = best + 1
    return texts


def _closeness(cell: Cell, column: tuple[float, float]) -> float:
    """The width that cell and column share; less than 0 and by how much, where they share none."""
    return min(cell.end, column[1]) - max(cell.x, column[0])


def _names_columns(rows: Sequence[Line], texts: list[list[str]]) -> bool:
    """Whether the first row is the head of the table: set in bold, or of words above amounts; with many columns, of words."""
    first = [text for text in texts[0] if text]
    if 2 * len(first) <= len(texts[0]) or any(text.endswith(":") for text in first):
        return False
    if any(_AMOUNT.fullmatch(text) and not _YEAR.fullmatch(text) for text in first):
        return False
    if rows[0].is_bold and not rows[-1].is_bold:
        return True
    if len(rows) < _FEWEST_ROWS_WITH_NAMES:
        return False
    return len(texts[0]) >= _MANY_COLUMNS or (
        len(rows) > _FEWEST_ROWS_WITH_NAMES and any(map(_has_numbers_below, *texts))
    )


def _has_numbers_below(name: str, *below: str) -> bool:
    """Whether most of a column has digits, and its first cell has none."""
    with_digits = sum(any(map(str.isdigit, text)) for text in below)
    return 2 * with_digits > len(below) and not any(map(str.isdigit, name))
