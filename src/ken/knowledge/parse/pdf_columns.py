"""Lines of a PDF's page in reading order: columns one after the other, whatever order the file has them in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ken.knowledge.parse.pdf_lines import Line
from ken.knowledge.parse.reading_order import Rectangle, reading_order

_MOST_COMPARED = 400
_SAME_EDGE = 3.0  # points
_FEWEST_ROWS = 4
_WORDS_OF_PROSE = 4
_MOSTLY = 0.4
_TWO = 2
_GUTTERS = 0.3
"""Lines that stand side by side by chance have wider gaps than columns."""


def in_order(lines: list[Line]) -> list[Line]:
    """The lines of a page as one reads them; rows that only look like those of a table are taken apart."""
    return list(_columns_apart(_by_place(list(_single_rows_apart(lines)))))


def _single_rows_apart(lines: list[Line]) -> Iterator[Line]:
    """A row alone whose cells have several lines is no row: texts that stand side by side."""
    for index, line in enumerate(lines):
        is_alone = line.is_row and not any(
            lines[near].is_row for near in (index - 1, index + 1) if 0 <= near < len(lines)
        )
        if is_alone and max(len(cell.lines) for cell in line.cells) > 1:
            yield from (part for parts in line.parts() for part in parts)
        else:
            yield line


def _by_place(lines: list[Line]) -> list[Line]:
    """The lines as they came, or by their places where the file draws something above what came before it."""
    if len(lines) > _MOST_COMPARED or not any(_is_above(line, lines[:index]) for index, line in enumerate(lines)):
        return lines
    places = [
        Rectangle(
            line.x, -line.y - 0.8 * line.size, max(0.0, line.end - line.x), max(0.0, line.y - line.bottom) + line.size
        )
        for line in lines
    ]
    overlap = 0.3 * min(line.size for line in lines)
    return [lines[index] for index in reading_order(places, overlap=overlap, columns=_GUTTERS)]


def _is_above(line: Line, earlier: list[Line]) -> bool:
    """Whether the line stands above an earlier one in the same column."""
    for other in earlier:
        shared = min(line.end, other.end) - max(line.x, other.x)
        narrower = min(line.end - line.x, other.end - other.x)
        if line.bottom > other.y + 0.5 * other.size and shared > 0.3 * narrower:
            return True
    return False


def _columns_apart(lines: list[Line]) -> Iterator[Line]:
    """Rows of two cells that are lines of prose are two columns of text, drawn line by line."""
    edge = _second_edge(lines)
    run: list[Line] = []
    for line in [*lines, None]:
        if line is not None and edge is not None and _fits(line, edge):
            run.append(line)
            continue
        if edge is not None and run:
            yield from _columns(run, edge)
            run = []
        if line is not None:
            yield line


def _second_edge(lines: list[Line]) -> float | None:
    """Where the second cells of most rows of two begin."""
    edges = Counter(round(line.cells[1].x / _SAME_EDGE) for line in lines if len(line.cells) == _TWO)
    if not edges:
        return None
    edge, count = edges.most_common(1)[0]
    return edge * _SAME_EDGE if count >= _FEWEST_ROWS else None


def _fits(line: Line, edge: float) -> bool:
    """Whether the line has a cell in each of the two columns, or lies in one of them."""
    if len(line.cells) == _TWO:
        return abs(line.cells[1].x - edge) <= 2 * _SAME_EDGE
    return len(line.cells) == 1 and (line.x >= edge - 2 * _SAME_EDGE or line.end < edge)


def _columns(run: list[Line], edge: float) -> Iterator[Line]:
    columns: tuple[list[Line], list[Line]] = [], []
    for line in run:
        if len(line.cells) == _TWO:
            for column, parts in zip(columns, line.parts(), strict=True):
                column.extend(parts)
        else:
            columns[line.x >= edge - 2 * _SAME_EDGE].append(line)
    if sum(len(line.cells) == _TWO for line in run) >= _FEWEST_ROWS and all(map(_is_prose, columns)):
        yield from columns[0]
        yield from columns[1]
    else:
        yield from run


def _is_prose(column: list[Line]) -> bool:
    """Whether most lines go on with a sentence from the line before."""
    words = sorted(len(line.text.split()) for line in column)
    if len(column) < _FEWEST_ROWS or words[len(words) // 2] < _WORDS_OF_PROSE:
        return False
    return sum(line.text[:1].islower() for line in column[1:]) >= _MOSTLY * (len(column) - 1)
