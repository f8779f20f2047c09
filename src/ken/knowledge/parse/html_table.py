"""HTML tables: which hold data, and their rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from selectolax.lexbor import LexborNode

_LAYOUT = frozenset("h1 h2 h3 h4 h5 h6 pre table form".split())
_SECTIONS = frozenset("thead tbody tfoot".split())
_MOST_SPANNED = 50
_MOST_COLUMNS = 200
_FEWEST = 2


@dataclass(frozen=True, slots=True)
class _Cell:
    text: str
    is_header: bool
    columns: int
    rows: int


def is_data_table(table: LexborNode) -> bool:
    """Whether the table has rows and columns of text, and is not there to arrange blocks on the page."""
    if table.attributes.get("role") in {"presentation", "none"}:
        return False
    cells = 0
    rows = 0
    node = _next(table, table)
    while node is not None:
        if node.tag in _LAYOUT:
            return False
        rows += node.tag == "tr"
        cells += node.tag in {"td", "th"}
        node = _next(node, table)
    return rows >= 1 and cells >= _FEWEST and cells > rows


def _next(node: LexborNode, root: LexborNode) -> LexborNode | None:
    """The node after `node` in document order, inside `root`."""
    if node.child is not None:
        return node.child
    current: LexborNode | None = node
    while current is not None and current.mem_id != root.mem_id:
        if current.next is not None:
            return current.next
        current = current.parent
    return None


def table_rows(table: LexborNode, is_dropped: Callable[[LexborNode], bool]) -> tuple[list[str], list[list[str]], str]:
    """The header (empty where no row is one), the other rows and the caption; spanning cells are repeated down."""
    rows: list[list[str]] = []
    header: list[str] = []
    carried: dict[int, tuple[int, str]] = {}
    for number, cells in enumerate(_cell_rows(table, is_dropped)):
        row = _expanded(cells, carried)
        if number == 0 and cells and all(cell.is_header for cell in cells):
            header = row
        elif any(row):
            rows.append(row)
    captions = [node for node in _children(table) if node.tag == "caption"]
    return header, rows, _text(captions[0], is_dropped) if captions else ""


def _expanded(cells: list[_Cell], carried: dict[int, tuple[int, str]]) -> list[str]:
    """The texts by column; `carried` holds the cells that reach down from earlier rows, and how far."""
    row: list[str] = []
    waiting = iter(cells)
    while len(row) < _MOST_COLUMNS:
        if len(row) in carried:
            left, text = carried.pop(len(row))
            if left > 1:
                carried[len(row)] = (left - 1, text)
            row.append(text)
            continue
        cell = next(waiting, None)
        if cell is None:
            if not any(column > len(row) for column in carried):
                break
            row.append("")
            continue
        for offset in range(cell.columns):
            text = cell.text if offset == 0 else ""
            if cell.rows > 1:
                carried[len(row)] = (cell.rows - 1, text)
            row.append(text)
    return row


def _cell_rows(table: LexborNode, is_dropped: Callable[[LexborNode], bool]) -> Iterator[list[_Cell]]:
    sections = [table, *(node for node in _children(table) if node.tag in _SECTIONS)]
    for section in sections:
        for row in _children(section):
            if row.tag == "tr" and not is_dropped(row):
                yield [
                    _Cell(
                        _text(cell, is_dropped),
                        cell.tag == "th" or section.tag == "thead" or _is_bold(cell),
                        _span(cell, "colspan"),
                        _span(cell, "rowspan"),
                    )
                    for cell in _children(row)
                    if cell.tag in {"td", "th"} and not is_dropped(cell)
                ]


def _children(node: LexborNode) -> Iterator[LexborNode]:
    child = node.child
    while child is not None:
        if child.is_element_node:
            yield child
        child = child.next


def _is_bold(cell: LexborNode) -> bool:
    inner = [child for child in _children(cell) if child.tag != "br"]
    return len(inner) == 1 and inner[0].tag in {"b", "strong"} and inner[0].text(strip=True) == cell.text(strip=True)


def _span(cell: LexborNode, name: str) -> int:
    value = cell.attributes.get(name) or "1"
    return min(max(1, int(value)), _MOST_SPANNED) if value.isdecimal() and len(value) < 9 else 1  # noqa: PLR2004


def _text(node: LexborNode, is_dropped: Callable[[LexborNode], bool]) -> str:
    """The words of a cell, with a blank where an element begins or ends a line."""
    parts: list[str] = []
    stack = [node]
    while stack:
        current = stack.pop()
        if current.is_text_node:
            parts.append(current.text_content or "")
        elif current.is_element_node and (current is node or not is_dropped(current)):
            if current.tag in {"p", "div", "br", "li", "ul", "ol", "dd", "dt", "blockquote"}:
                parts.append(" ")
            children: list[LexborNode] = []
            child = current.child
            while child is not None:
                children.append(child)
                child = child.next
            stack.extend(reversed(children))
    return " ".join("".join(parts).split())
