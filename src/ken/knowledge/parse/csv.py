"""CSV and TSV: the dialect is found by trying, and the rows become one table whose header row is known as such."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice

from ken.domain.document import Metadata, ParsedDocument
from ken.errors import Unreadable
from ken.knowledge.parse.block_writer import BlockWriter
from ken.knowledge.parse.decoding import decode
from ken.knowledge.parse.metadata import Stated, assembled, readable_name
from ken.knowledge.parse.rows import MOST_COLUMNS, MOST_ROWS, Rows

_LONGEST_LINE = 1_000_000
_LONGEST_QUOTED_LINE = 100_000  # within what the csv module takes for one cell
_SAMPLE_LINES = 200
_SAMPLE_CHARACTERS = 200_000
_SAMPLE_ROWS = 50
_DELIMITERS = "\t;|,"
"""In the order in which they are believed: a comma also parts decimals, and stands in prose."""
_SEP_LINE = re.compile(r"sep=([^\n])\n", re.IGNORECASE)
_ESCAPED_QUOTE = re.compile(r'[^\\"]\\"')
_NUMBER = re.compile(r"[-+(]?\s?[$€£¥]?\s?\d[\d.,'  ]*(?:[eE][-+]?\d+)?\s?[%$€£¥)]?")
_DATE = re.compile(r"\d{1,4}([-./])\d{1,2}\1\d{1,4}(?:[T ][\d:.]+(?:Z|[-+][\d:]+)?)?|\d{1,2}:\d\d(?::\d\d)?")
_YEAR = re.compile(r"(?:19|20)\d\d")
_ADDRESS = re.compile(r"https?://\S+|[^\s@]+@[^\s@]+\.\w+")
_MOST_PREAMBLE = 10
_MOST_READ = MOST_ROWS + _MOST_PREAMBLE + 2
_MOST_OF_A_COLUMN = 0.8
_LONGEST_NAME = 80
_LONGEST_LIST = 200


def parse_csv(data: bytes, *, name: str) -> ParsedDocument:
    """Parse delimiter-separated values, at most MOST_ROWS rows of them; the rest gives a warning.

    Raises Unreadable for empty files, binary content, lines of over a million characters and over MOST_COLUMNS columns.
    """
    text, warnings = decode(data, name=name)
    _refuse_long_lines(text, name)
    declared = _SEP_LINE.match(text)
    start = declared.end() if declared else 0
    delimiter = declared[1] if declared else _delimiter(text, prefers_tab=name.lower().endswith(".tsv"))
    rows, is_unquoted = _read(text, start, delimiter)
    if is_unquoted:
        warnings.append(
            "A quotation mark is never closed: each line was read as a row, whatever its quotation marks say."
        )
    widest = max(map(len, rows), default=0)
    if widest > MOST_COLUMNS:
        raise Unreadable(f"{name!r} has {widest:,} columns; at most {MOST_COLUMNS:,} are read: split it.")
    writer = BlockWriter()
    warnings += _write(rows, delimiter, writer, lines=text.count("\n", start) + 1)
    title = readable_name(re.sub(r"\.[a-z]{3}$", "", name, flags=re.IGNORECASE))
    told = Stated(Metadata(title=title), tuple(warnings))
    return assembled(writer.text(), tuple(writer.blocks), markup="markdown", told=told, name=name)


def _refuse_long_lines(text: str, name: str) -> None:
    position, number = 0, 1
    while position < len(text):
        newline = text.find("\n", position)
        end = len(text) if newline < 0 else newline
        if end - position > _LONGEST_LINE:
            raise Unreadable(
                f"{name!r} has {end - position:,} characters in its line {number:,}; at most {_LONGEST_LINE:,} are read: "
                f"give each row a line of its own."
            )
        position, number = end + 1, number + 1


def _delimiter(text: str, *, prefers_tab: bool) -> str:
    """The delimiter that gives most lines of the sample as many cells as each other, two at least; else a comma."""
    sample = text[:_SAMPLE_CHARACTERS]
    if len(text) > len(sample):
        sample = sample[: sample.rfind("\n") + 1] or sample
    lines = sample.split("\n")[:_SAMPLE_LINES]
    if prefers_tab and "\t" in sample:
        return "\t"
    best, best_share = ",", 0.0
    for delimiter in _DELIMITERS:
        widths = Counter(len(row) for row in _sampled(lines, delimiter) if any(row))
        width, count = max(widths.items(), key=lambda each: (each[0] > 1, each[1]), default=(0, 0))
        share = count / widths.total() if width > 1 else 0.0
        if share > best_share:
            best, best_share = delimiter, share
    return best


def _sampled(lines: list[str], delimiter: str) -> list[list[str]]:
    try:
        return list(csv.reader((f"{line}\n" for line in lines), delimiter=delimiter))
    except csv.Error:
        return [line.split(delimiter) for line in lines]


def _read(text: str, start: int, delimiter: str) -> tuple[list[list[str]], bool]:
    """The rows that hold anything, as many as may be taken and one more, and whether quotes had to be ignored."""
    escape = "\\" if _ESCAPED_QUOTE.search(text, start, _SAMPLE_CHARACTERS) else None
    for strict in (True, False):
        try:
            return _filled(
                csv.reader(_lines(text, start), delimiter=delimiter, escapechar=escape, strict=strict)
            ), False
        except csv.Error as error:
            # Read leniently, a quote that is open at the end would have swallowed all that comes after it.
            if "unexpected end" in str(error) or "field limit" in str(error):
                break
    return _filled(_line_by_line(text, start, delimiter)), True


def _line_by_line(text: str, start: int, delimiter: str) -> Iterator[list[str]]:
    for line in _lines(text, start):
        if line.count('"') % 2 == 0 and len(line) < _LONGEST_QUOTED_LINE:
            yield from csv.reader([line], delimiter=delimiter)
        else:
            yield line.rstrip("\n").replace('"', "").split(delimiter)


def _filled(rows: Iterable[list[str]]) -> list[list[str]]:
    return list(islice(([cell.strip() for cell in row] for row in rows if any(map(str.strip, row))), _MOST_READ))


def _lines(text: str, start: int) -> Iterator[str]:
    while start < len(text):
        newline = text.find("\n", start)
        end = len(text) if newline < 0 else newline + 1
        yield text[start:end]
        start = end


def _write(rows: list[list[str]], delimiter: str, writer: BlockWriter, *, lines: int) -> list[str]:
    """Write the preamble and the table, and return what was mended or left out; `lines` are all that the file has."""
    begin = _preamble(rows)
    for row in rows[:begin]:
        writer.paragraph(next(filter(None, row)))
    del rows[:begin]
    header = rows.pop(0) if _is_header(rows[:_SAMPLE_ROWS]) else []
    if not rows:
        writer.table(header, [])
        return ["There is no row below the header."]
    # A column that most rows have is one, even where the header has no name for it.
    width = max(len(header), Counter(map(len, rows)).most_common(1)[0][0])
    ragged = sum(len(row) != width for row in rows)
    fitted = [_fitted(row, width, delimiter) for row in rows]
    names = _fitted(header, width, delimiter)
    kept = [column for column in range(width) if any(row[column] for row in fitted)]
    unused = [name for column, name in enumerate(names) if name and column not in kept]
    table = Rows([names[column] for column in kept], ([row[column] for column in kept] for row in fitted))
    table.write(writer)
    warnings: list[str] = []
    if ragged:
        warnings.append(f"{ragged:,} of {len(rows):,} rows have more or fewer than {width} cells.")
    if unused:
        warnings.append(f"{len(unused)} columns hold nothing and were left out: {', '.join(unused)[:_LONGEST_LIST]}.")
    if table.is_cut:
        warnings.append(
            f"Only the first {table.written:,} rows were taken of about {lines:,} lines: split the file by what people ask "
            f"about, or sync the table that it came from as an SQL source."
        )
    return warnings


def _fitted(row: list[str], width: int, delimiter: str) -> list[str]:
    """`row` with `width` cells: missing ones are empty, and what is too much stands in the last."""
    if len(row) > width:
        return [*row[: width - 1], f"{delimiter.strip()} ".join(filter(None, row[width - 1 :]))]
    return row + [""] * (width - len(row))


def _preamble(rows: list[list[str]]) -> int:
    """How many of the first rows are titles and remarks above the table: one cell each, where others have two or more."""
    for number, row in enumerate(rows[: _MOST_PREAMBLE + 1]):
        if sum(map(bool, row)) > 1:
            return number
    return 0


def _is_header(rows: list[list[str]]) -> bool:
    """Whether the first row names the columns: it is text throughout, and unlike what stands below it."""
    if not rows:
        return False
    first, body = rows[0], rows[1:]
    filled = [cell for cell in first if cell]
    if len({cell.lower() for cell in filled}) < len(filled) or 2 * len(filled) < max(map(len, rows)):
        return False
    if any(len(cell) > _LONGEST_NAME for cell in filled):
        return False
    if any(_is_value(cell) for cell in filled):
        # Years name columns of figures: a first column of names, then 2024, 2025, ...
        return not _is_value(first[0]) and all(_YEAR.fullmatch(cell) for cell in filled if _is_value(cell))
    columns = [[row[column] for row in body if column < len(row) and row[column]] for column in range(len(first))]
    if any(
        cell and sum(map(_is_value, column)) > _MOST_OF_A_COLUMN * len(column)
        for cell, column in zip(first, columns, strict=True)
        if column
    ):
        return True
    # A single column of words may as well have no name.
    return len(first) > 1 and not any(cell and cell in column for cell, column in zip(first, columns, strict=True))


def _is_value(cell: str) -> bool:
    return bool(_NUMBER.fullmatch(cell) or _DATE.fullmatch(cell) or _ADDRESS.fullmatch(cell))
