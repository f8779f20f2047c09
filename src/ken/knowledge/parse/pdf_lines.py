"""The lines of a PDF's page, and the cells of those that are rows of a table. Coordinates are points from the bottom left."""

from __future__ import annotations

from dataclasses import dataclass, field

from ken.knowledge.parse.plaintext import POINT

_NARROW, _WIDE = frozenset("iljtfrI.,;:'|!()[] -"), frozenset("mwMW@%")


@dataclass(slots=True)
class CellLine:
    """One line of a cell, with its base line."""

    y: float
    text: str


@dataclass(slots=True)
class Cell:
    """A run of text that begins at `x` and reaches about to `end`; in a table row it may have several lines."""

    x: float
    end: float
    lines: list[CellLine]

    @property
    def text(self) -> str:
        """Its lines with blanks between them."""
        return " ".join(" ".join(line.text for line in self.lines).split())


@dataclass(slots=True)
class Line:
    """A line of a page, or a table row, whose cells may have several lines."""

    y: float
    size: float
    is_bold: bool
    page: int
    cells: list[Cell]
    bottom: float
    """The lowest base line of the line, or of the row's cells."""
    cell_y: float
    """The base line of what was added last."""
    _text: str | None = field(default=None)

    @classmethod
    def of(cls, text: str, *, x: float, y: float, size: float, is_bold: bool, page: int) -> Line:
        """A line of one fragment."""
        return cls(y, size, is_bold, page, [Cell(x, x + width(text, size), [CellLine(y, text)])], y, y)

    @property
    def x(self) -> float:
        """Where the line begins."""
        return self.cells[0].x

    @property
    def end(self) -> float:
        """About where the line ends."""
        return max(cell.end for cell in self.cells)

    @property
    def text(self) -> str:
        """The cells with blanks between them."""
        if self._text is None:
            self._text = " ".join(" ".join(cell.text for cell in self.cells).split())
        return self._text

    @property
    def is_point(self) -> bool:
        """Whether it begins with the mark of a list point."""
        return POINT.match(self.text) is not None

    @property
    def is_row(self) -> bool:
        """Whether it is a table row."""
        return len(self.cells) > 1 and not self.is_point

    def add(self, text: str) -> None:
        """Go on with the last cell."""
        self.cells[-1].lines[-1].text += text
        self._text = None

    def append(self, fragment: Line, *, as_cell: bool) -> None:
        """Go on to the right with a fragment, as a cell of its own or not."""
        if as_cell:
            self.cells.extend(fragment.cells)
        else:
            added = fragment.cells[-1].lines[-1].text
            self.add(added if not fragment.cells[0].lines[0].text[:1].isspace() else " " + added)
            self.cells[-1].end = max(self.cells[-1].end, fragment.end)
        self._text = None
        self.is_bold = self.is_bold and fragment.is_bold
        self.y, self.bottom, self.cell_y = max(self.y, fragment.y), min(self.bottom, fragment.y), fragment.y
        self.size = max(self.size, fragment.size)

    def continue_cell(self, below: Line) -> None:
        """Go on with the last cell on the next line."""
        cell = self.cells[-1]
        cell.lines.extend(line for other in below.cells for line in other.lines)
        cell.end = max(cell.end, below.end)
        self.bottom, self.cell_y = min(self.bottom, below.bottom), below.cell_y
        self._text = None

    def parts(self) -> list[list[Line]]:
        """For each cell its lines, each as a line of the page."""
        return [
            [
                Line.of(line.text, x=cell.x, y=line.y, size=self.size, is_bold=self.is_bold, page=self.page)
                for line in cell.lines
            ]
            for cell in self.cells
        ]


def width(text: str, size: float) -> float:
    """About how wide the text is, in points; pypdf does not tell."""
    total = 0.0
    for character in text.rstrip():
        if character in _NARROW:
            total += 0.29
        elif character in _WIDE or character.isupper():
            total += 0.7 if character not in _WIDE else 0.85
        else:
            total += 0.53
    return total * size
