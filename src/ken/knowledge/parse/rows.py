"""Rows of named columns: a pipe table where a row is short, and a section a row where it is long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice

from ken.knowledge.parse.block_writer import BlockWriter

MOST_ROWS = 20_000
MOST_CHARACTERS = 4_000_000
MOST_COLUMNS = 1_000

_MOST_COLUMNS_OF_A_TABLE = 24
_LONGEST_ROW_OF_A_TABLE = 600  # characters, on average
_SAMPLE = 200
_LONGEST_NAME = 120


@dataclass(slots=True)
class Rows:
    """A table being written: cells as text, and what was left out of it."""

    header: Sequence[str]
    """Names of the columns; empty texts where nothing names them."""
    rows: Iterable[Sequence[str]]
    """As wide as the header."""
    level: int = 2
    """Of the heading over a row that is written as a section."""
    written: int = field(default=0, init=False)
    is_cut: bool = field(default=False, init=False)
    """Whether rows were left out, because there are more than MOST_ROWS or MOST_CHARACTERS."""

    def write(self, writer: BlockWriter) -> None:
        """Write them as a table or as sections."""
        rows = iter(self.rows)
        sample = list(islice(rows, _SAMPLE))
        if not sample:
            return
        length = sum(len(cell) for row in sample for cell in row) / len(sample)
        bounded = self._bounded(chain(sample, rows))
        if len(self.header) <= _MOST_COLUMNS_OF_A_TABLE and length <= _LONGEST_ROW_OF_A_TABLE:
            writer.table(self.header, bounded)
        else:
            for row in bounded:
                self._section(writer, row)

    def _bounded(self, rows: Iterator[Sequence[str]]) -> Iterator[Sequence[str]]:
        length = 0
        names = sum(map(len, self.header)) if len(self.header) > _MOST_COLUMNS_OF_A_TABLE else 0
        for row in rows:
            length += sum(map(len, row)) + names
            if self.written == MOST_ROWS or length > MOST_CHARACTERS:
                self.is_cut = True
                return
            self.written += 1
            yield row

    def _section(self, writer: BlockWriter, row: Sequence[str]) -> None:
        named = next((cell for cell in row if cell.strip()), "")
        is_name = len(named) <= _LONGEST_NAME and "\n" not in named.strip()
        writer.heading(named if is_name else f"Row {self.written:,}", self.level)
        for column, cell in zip(self.header, row, strict=True):
            if cell.strip():
                writer.point(f"{column}: {cell}" if column else cell)
