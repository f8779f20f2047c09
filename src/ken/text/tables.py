"""Pipe tables: which rows are the header, and how a row reads with the names of its columns."""

from __future__ import annotations

import re

from ken.domain.document import Block, Markup
from ken.text.markup import CELL_SEPARATOR, plain

Span = tuple[int, int]

_RULE = re.compile(r"[ \t>]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")
_BORDER = re.compile(r"(?<!\\)\|")
_VALUE = re.compile(r"[^\w]*\d")
_YEAR = re.compile(r"(?:19|20)\d\d")
_MOST_CHARACTERS_OF_NAMES = 300
"""A first row longer than that is prose, laid out as a table."""


def header_span(text: str, table: Block) -> Span | None:
    """The header row of a pipe table with the rule below it; None where no rule or no row follows it."""
    start = table.start
    first = text.find("\n", start, table.end)
    if first < 0:
        return None
    second = text.find("\n", first + 1, table.end)
    if second < 0 or "-" not in text[first + 1 : second] or not _RULE.fullmatch(text, first + 1, second):
        return None
    return (start, second) if text[second : table.end].strip(" \t\n>") else None


def column_names(text: str, header: Span, *, markup: Markup) -> tuple[str, ...]:
    """The names in a header row, one a column, empty where a column has none; none at all where it holds data.

    Writers of tables without names put data there. A cell that begins with a number is data, but for a series of years.
    """
    row = text[header[0] : header[1]].partition("\n")[0]
    names = tuple(plain(f"|{cell}|", markup).strip(" :?.!") for cell in cells(row))
    years = sum(_YEAR.fullmatch(name) is not None for name in names)
    is_data = any(_VALUE.match(name) and not (years > 1 and _YEAR.fullmatch(name)) for name in names)
    return () if is_data or sum(map(len, names)) > _MOST_CHARACTERS_OF_NAMES else names


def cells(row: str) -> list[str]:
    """The cells of a row as they are written, without the white space around them."""
    row = row.strip(" \t>")
    parts = _BORDER.split(row)
    if row.startswith("|"):
        del parts[0]
    if len(parts) > 1 and not parts[-1].strip():
        del parts[-1]
    return [part.strip() for part in parts]


def row_text(row: str, names: tuple[str, ...], *, markup: Markup) -> str:
    """A row as it is quoted: `Region: EU · Limit: 40 days`, without marks; cells that are empty are left out."""
    if not names:
        return plain(row, markup)
    parts: list[str] = []
    for index, cell in enumerate(cells(row)):
        value = plain(f"|{cell}|", markup) if cell.strip("-") else cell
        name = names[index] if index < len(names) else ""
        if value:
            parts.append(f"{name}: {value}" if name else value)
    return CELL_SEPARATOR.join(parts)
