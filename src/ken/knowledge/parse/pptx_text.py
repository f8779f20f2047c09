"""The words of a shape: paragraphs and list points with their levels (DrawingML: ISO/IEC 29500-1, 21.1.2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple
from xml.etree.ElementTree import Element

from ken.knowledge.parse.decoding import clean
from ken.knowledge.parse.markdown_writer import MarkdownWriter
from ken.knowledge.parse.pptx_shapes import A

_MATHS = "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"
_DEEPEST = 8
_NO_POINT = f"{A}buNone"
_MARKS = frozenset({f"{A}buChar", f"{A}buBlip"})
_NUMBER = f"{A}buAutoNum"


class _Point(NamedTuple):
    is_point: bool = False
    is_numbered: bool = False
    start: int = 1


def words(paragraph: Element) -> str:
    """The running text of a paragraph; a line break is one."""
    parts: list[str] = []
    for node in paragraph:
        if node.tag in {f"{A}r", f"{A}fld"}:
            parts.append(node.findtext(f"{A}t") or "")
        elif node.tag == f"{A}br":
            parts.append("\n")
        elif node.tag not in {f"{A}pPr", f"{A}endParaRPr"}:
            parts.extend(each.text or "" for each in node.iter(_MATHS))
    return clean("".join(parts))[0]


def line(body: Element | None) -> str:
    """All paragraphs of a text body as one line."""
    paragraphs = () if body is None else body.iterfind(f"{A}p")
    return " ".join(" ".join(words(paragraph) for paragraph in paragraphs).split())


def write_body(writer: MarkdownWriter, body: Element, *, styles: Iterable[Element]) -> None:
    """Write the paragraphs of a text body; `styles` says which are list points where they don't say it themselves."""
    styles = tuple(styles)
    for paragraph in body.iterfind(f"{A}p"):
        text = words(paragraph)
        if not text.strip():
            continue
        properties = paragraph.find(f"{A}pPr")
        given = "0" if properties is None else properties.get("lvl", "0")
        level = min(int(given), _DEEPEST) if given.isdecimal() and len(given) == 1 else 0
        point = _point(_looks(properties, styles, level))
        if point.is_point:
            _begin_point(writer, level, point)
        else:
            close_lists(writer, 0)
        for number, part in enumerate(text.split("\n")):
            if number:
                writer.line_break()
            writer.words(part)
        writer.end_block()
    close_lists(writer, 0)


def close_lists(writer: MarkdownWriter, depth: int) -> None:
    """End lists until only `depth` are open."""
    while len(writer.lists) > depth:
        writer.end_list()


def _looks(properties: Element | None, styles: tuple[Element, ...], level: int) -> Iterator[Element]:
    if properties is not None:
        yield properties
    for style in styles:
        found = style.find(f"{A}lvl{level + 1}pPr")
        if found is not None:
            yield found


def _point(looks: Iterator[Element]) -> _Point:
    """What the nearest of `looks` that speaks of it says."""
    for look in looks:
        for mark in look:
            if mark.tag == _NO_POINT:
                return _Point()
            if mark.tag in _MARKS:
                return _Point(is_point=True)
            if mark.tag == _NUMBER:
                start = mark.get("startAt", "1")
                return _Point(is_point=True, is_numbered=True, start=int(start) if start.isdecimal() else 1)
    return _Point()


def _begin_point(writer: MarkdownWriter, level: int, point: _Point) -> None:
    close_lists(writer, level + 1)
    if len(writer.lists) == level + 1 and writer.lists[-1].numbered != point.is_numbered:
        close_lists(writer, level)
    while len(writer.lists) <= level:
        is_innermost = len(writer.lists) == level
        writer.begin_list(numbered=point.is_numbered and is_innermost, start=point.start if is_innermost else 1)
    writer.begin_point()
