"""Notion's blocks and properties become Markdown: whatever a reader of the page sees as words, in its order.

Block and property types: https://developers.notion.com/reference/block and .../page-property-values. A type that came after
this was written gives its rich text, caption and children, as most types have them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from types import MappingProxyType
from typing import cast

from ken.knowledge.parse.decoding import clean
from ken.knowledge.parse.markdown_writer import MarkdownWriter
from ken.knowledge.sources.shapes import Fields, at, fields, listed, text

_LISTS = {"bulleted_list_item": False, "numbered_list_item": True, "to_do": False}
_HEADINGS = {f"heading_{level}": level + 1 for level in range(1, 6)}
"""One level down: the page's title is the first."""
_SILENT = frozenset("divider breadcrumb table_of_contents unsupported link_to_page button".split())
_FILES = frozenset("file pdf image video audio".split())
_LINKS = frozenset("bookmark embed link_preview".split())


@dataclass(frozen=True, slots=True)
class NotionBlock:
    """A block with the blocks in it."""

    kind: str
    about: Fields
    """What stands under its type's name."""
    children: tuple[NotionBlock, ...] = ()
    id: str = ""


def page_markdown(title: str, *, properties: Sequence[tuple[str, str]] = (), blocks: Sequence[NotionBlock]) -> str:
    """A page: its title as the heading, a table of its properties (name, value), its blocks."""
    writer = MarkdownWriter()
    writer.begin_heading(1)
    writer.words(" ".join(clean(title)[0].split()))
    writer.end_block()
    if properties:
        writer.table(["Property", "Value"], [list(pair) for pair in properties])
    _write(blocks, writer)
    return writer.text()


def _write(blocks: Iterable[NotionBlock], writer: MarkdownWriter) -> None:
    for is_numbered, run in groupby(blocks, key=lambda block: _LISTS.get(block.kind)):
        if is_numbered is not None:
            writer.begin_list(numbered=is_numbered)
            for block in run:
                writer.begin_point()
                if block.kind == "to_do":
                    writer.words("[x] " if at(block.about, "checked") is True else "[ ] ")
                _rich(block.about, writer)
                _inside(block, writer)
            writer.end_list()
        else:
            for block in run:
                _block(block, writer)


def _block(block: NotionBlock, writer: MarkdownWriter) -> None:
    if block.kind in _SILENT:
        return
    if block.kind in _BLOCKS:
        _BLOCKS[block.kind](block, writer)
        return
    if block.kind in _HEADINGS:
        writer.begin_heading(min(_HEADINGS[block.kind], 6))
    _rich(block.about, writer)
    writer.end_block()
    _captioned(block, writer)
    _inside(block, writer)


def _inside(block: NotionBlock, writer: MarkdownWriter) -> None:
    writer.end_block()
    _write(block.children, writer)


def _rich(about: Fields, writer: MarkdownWriter, *, key: str = "rich_text") -> None:
    """Rich text in running words; what was struck out is no part of it."""
    for span in listed(about, key):
        if at(span, "annotations", "strikethrough") is True:
            continue
        is_code = at(span, "annotations", "code") is True or text(span, "type") == "equation"
        if is_code:
            writer.begin_inline_code()
        told, _ = clean(text(span, "equation", "expression") or text(span, "plain_text"))
        for number, line in enumerate(told.split("\n")):
            if number:
                writer.line_break()
            writer.words(line)
        if is_code:
            writer.end_inline_code()


def _captioned(block: NotionBlock, writer: MarkdownWriter) -> None:
    _rich(block.about, writer, key="caption")
    writer.end_block()


def _code(block: NotionBlock, writer: MarkdownWriter) -> None:
    writer.begin_code()
    writer.words(rich_words(block.about))
    writer.end_code()
    _captioned(block, writer)


def _quote(block: NotionBlock, writer: MarkdownWriter) -> None:
    writer.begin_quote()
    _rich(block.about, writer)
    _inside(block, writer)
    writer.end_quote()


def _callout(block: NotionBlock, writer: MarkdownWriter) -> None:
    emoji = text(block.about, "icon", "emoji")
    writer.words(f"{emoji} " if emoji else "")
    _rich(block.about, writer)
    _inside(block, writer)


def _table(block: NotionBlock, writer: MarkdownWriter) -> None:
    rows = [_cells(row.about) for row in block.children if row.kind == "table_row"]
    has_header = at(block.about, "has_column_header") is True and bool(rows)
    writer.table(rows[0] if has_header else [], rows[1:] if has_header else rows)


def _equation(block: NotionBlock, writer: MarkdownWriter) -> None:
    writer.begin_inline_code()
    writer.words(text(block.about, "expression"))
    writer.end_inline_code()
    writer.end_block()


def _titled(block: NotionBlock, writer: MarkdownWriter) -> None:
    """A page or database inside this one: a document of its own, so here is its title alone."""
    writer.words(text(block.about, "title"))
    writer.end_block()


def _linked(block: NotionBlock, writer: MarkdownWriter) -> None:
    writer.words(text(block.about, "url"))
    writer.end_block()
    _captioned(block, writer)


def _file(block: NotionBlock, writer: MarkdownWriter) -> None:
    """The name of a file. Its address is a secret that runs out within the hour."""
    writer.words(text(block.about, "name"))
    writer.end_block()
    _captioned(block, writer)


_BLOCKS: Mapping[str, Callable[[NotionBlock, MarkdownWriter], None]] = MappingProxyType(
    {
        "code": _code,
        "quote": _quote,
        "callout": _callout,
        "table": _table,
        "equation": _equation,
        "child_page": _titled,
        "child_database": _titled,
        **dict.fromkeys(_LINKS, _linked),
        **dict.fromkeys(_FILES, _file),
    }
)


def rich_words(about: Fields, key: str = "rich_text") -> str:
    """The words of a rich text without their marks."""
    return _plain_words(listed(about, key))


def _plain_words(spans: Iterable[Fields]) -> str:
    kept = (text(span, "plain_text") for span in spans if at(span, "annotations", "strikethrough") is not True)
    return clean("".join(kept))[0]


def _cells(row: Fields) -> list[str]:
    cells = at(row, "cells")
    return [_plain_words(listed(cell)) for cell in cast("list[object]", cells)] if isinstance(cells, list) else []


def page_title(page: Fields) -> str:
    """The title of a page: its property of that type, whatever it is called."""
    for value in fields(page, "properties").values():
        if text(value, "type") == "title":
            return rich_words(fields(value), "title")
    return ""


def page_properties(page: Fields) -> list[tuple[str, str]]:
    """The other properties that have a value that can be written down, by name."""
    written = ((name, _value(value)) for name, value in fields(page, "properties").items())
    return [(name, value) for name, value in written if value]


def _value(value: object) -> str:
    """The value of a property, or of what a formula or rollup makes of others."""
    kind = text(value, "type")
    match kind:
        case "rich_text":
            return rich_words(fields(value), kind)
        case "number" | "string" | "url" | "email" | "phone_number" | "checkbox" | "boolean":
            return _scalar(at(value, kind))
        case "select" | "status":
            return text(value, kind, "name")
        case "multi_select" | "people" | "files":
            return ", ".join(filter(None, (text(entry, "name") for entry in listed(value, kind))))
        case "date":
            return " to ".join(filter(None, (text(value, "date", "start"), text(value, "date", "end"))))
        case "formula" | "rollup":
            return _value(fields(value, kind))
        case "array":
            return ", ".join(filter(None, (_value(entry) for entry in listed(value, kind))))
        case "unique_id":
            return "-".join(filter(None, (text(value, kind, "prefix"), text(value, kind, "number"))))
        case _:
            return ""


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if isinstance(value, str | int | float) else ""
