"""From the cells of a worksheet to the tables on it: blank rows part them, and what stands alone is text."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from ken.knowledge.parse.xlsx_sheet import MOST_CELLS, Cell, Range, Sheet

_YEAR_OR_DATE = re.compile(r"(?:19|20)\d\d(?:-\d\d){0,2}")
_LONGEST_NAME = 80
_FEWEST = 2
_SHORT_LIST = 3

_Row = tuple[int, dict[int, Cell]]
"""The row's number and its cells by column."""


@dataclass(slots=True)
class Region:
    """What stands together on a sheet: a table with what is above and below it, or text alone."""

    above: list[str] = field(default_factory=list[str])
    header: list[str] = field(default_factory=list[str])
    """Empty where no row names the columns."""
    rows: list[list[str]] = field(default_factory=list[list[str]])
    below: list[str] = field(default_factory=list[str])
    columns: tuple[int, ...] = ()


def regions(sheet: Sheet, *, headers: Collection[int]) -> list[Region]:
    """The tables and texts of a sheet, top down and left to right.

    `headers` are the rows that the file itself says name columns. A cell that spans rows is repeated in each, one that
    spans columns is followed by empty ones, but in a header, where it is repeated too.
    """
    _fill_down(sheet)
    found: list[Region] = []
    for group in _groups(sheet):
        for part in _side_by_side(group, sheet):
            for rows in _split_at(part, headers):
                region = _region(rows, sheet.merged, headers)
                last = found[-1] if found else None
                if last and last.header and not region.header and region.columns == last.columns and not last.below:
                    # The same table after a blank row.
                    last.rows += [[text, *[""] * (len(last.columns) - 1)] for text in region.above] + region.rows
                    last.below = region.below
                else:
                    found.append(region)
    return found


def _fill_down(sheet: Sheet) -> None:
    numbers = sorted(sheet.rows)
    filled = 0
    for top, left, bottom, _ in sheet.merged:
        cell = sheet.rows.get(top, {}).get(left)
        if cell is None:
            continue
        for number in numbers[bisect_left(numbers, top + 1) : bisect_left(numbers, bottom + 1)]:
            sheet.rows[number].setdefault(left, cell)
            filled += 1
            if filled > MOST_CELLS:
                return


def _groups(sheet: Sheet) -> Iterator[list[_Row]]:
    """Runs of rows without a blank one between them; hidden rows are not blank."""
    hidden = sorted(sheet.hidden_rows)
    group: list[_Row] = []
    for number in sorted(sheet.rows):
        if group:
            between = number - group[-1][0] - 1
            if between > bisect_left(hidden, number) - bisect_left(hidden, group[-1][0]):
                yield group
                group = []
        group.append((number, sheet.rows[number]))
    if group:
        yield group


def _columns(rows: Iterable[_Row]) -> list[int]:
    return sorted({column for _, cells in rows for column in cells})


def _side_by_side(rows: list[_Row], sheet: Sheet) -> Iterator[list[_Row]]:
    """The rows, or their parts where blank columns part several tables, each with names for its columns."""
    heads = 0
    while heads < len(rows) and len(rows[heads][1]) == 1:
        heads += 1
    columns = _columns(rows[heads:])
    cuts = [
        right
        for left, right in pairwise(columns)
        if not all(sheet.hides_column(column) for column in range(left + 1, right)) and right - left > 1
    ]
    borders = [*columns[:1], *cuts]
    parts: list[list[_Row]] = []
    for number, first in enumerate(borders):
        last = borders[number + 1] if number + 1 < len(borders) else columns[-1] + 1
        picked = [(row, {key: cells[key] for key in cells if first <= key < last}) for row, cells in rows[heads:]]
        parts.append([row for row in picked if row[1]])
    if len(parts) > 1 and all(
        len(_columns(part)) >= _FEWEST and len(part) >= _FEWEST and _names_columns(part) for part in parts
    ):
        if heads:
            yield rows[:heads]
        yield from parts
    else:
        yield rows


def _split_at(rows: list[_Row], headers: Collection[int]) -> Iterator[list[_Row]]:
    """Parts of the rows, so that each known header is the first one with several cells."""
    part: list[_Row] = []
    for row in rows:
        if row[0] in headers and any(len(cells) > 1 for _, cells in part):
            yield part
            part = []
        part.append(row)
    yield part


def _region(rows: list[_Row], merged: list[Range], headers: Collection[int]) -> Region:
    columns = _columns(rows)
    if len(columns) < _FEWEST:
        return Region(above=[cell.text for _, cells in rows for cell in cells.values()], columns=tuple(columns))
    first = next((index for index, (_, cells) in enumerate(rows) if len(cells) > 1), len(rows))
    last = len(rows)
    while last > first and len(rows[last - 1][1]) == 1 and columns[0] in rows[last - 1][1]:
        last -= 1
    texts = [[cell.text for cell in cells.values()] for _, cells in rows]
    region = Region(
        above=[text for row in texts[:first] for text in row],
        below=[text for row in texts[last:] for text in row],
    )
    body = rows[first:last]
    columns = _columns(body)
    region.columns = tuple(columns)
    names = 0
    if body and (body[0][0] in headers or _names_columns(body)):
        names = 1
        region.header = _spread(body[0], columns, merged)
        while names < len(body) - 1 and _spans_columns(body[names - 1][0], merged) and _names_columns(body[names:]):
            lower = _spread(body[names], columns, merged)
            pairs = zip(region.header, lower, strict=True)
            region.header = [" ".join(dict.fromkeys(filter(None, pair))) for pair in pairs]
            names += 1
    region.rows = [[cells[column].text if column in cells else "" for column in columns] for _, cells in body[names:]]
    return region


def _names_columns(rows: list[_Row]) -> bool:
    """Whether the first row looks like the names of the columns: short texts or dates, which none of the others repeats.

    Two columns with values of several kinds are a form: names stand on its left.
    """
    if len(rows) < _FEWEST:
        return False
    first, columns = rows[0][1], _columns(rows)
    if len(columns) == _FEWEST and len({cells[columns[1]].is_text for _, cells in rows[1:] if columns[1] in cells}) > 1:
        return False
    if 2 * len(first) < len(columns) or not any(cell.is_text for cell in first.values()):
        return False
    if not all(_is_name(cell) for cell in first.values()):
        return False
    return not any(cells.get(column) == cell for _, cells in rows[1:] for column, cell in first.items())


def _is_name(cell: Cell) -> bool:
    return len(cell.text) <= _LONGEST_NAME if cell.is_text else _YEAR_OR_DATE.fullmatch(cell.text) is not None


def _spans_columns(row: int, merged: list[Range]) -> bool:
    return any(span.top <= row <= span.bottom and span.right > span.left for span in merged)


def _spread(row: _Row, columns: list[int], merged: list[Range]) -> list[str]:
    """The names of the columns; one that spans several stands for each."""
    number, cells = row
    texts = {column: cell.text for column, cell in cells.items()}
    for span in merged:
        if span.top <= number <= span.bottom and span.left in cells:
            for column in columns:
                if span.left < column <= span.right:
                    texts.setdefault(column, cells[span.left].text)
    return [texts.get(column, "") for column in columns]


def is_list(region: Region) -> bool:
    """Whether it is one column of many short texts."""
    longest = max(map(len, region.above), default=0)
    return not region.rows and len(region.above) > _SHORT_LIST and longest <= _LONGEST_NAME
