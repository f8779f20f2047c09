"""What a DOCX file's styles and numbering say of a paragraph: is it a heading, is it a list point."""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree.ElementTree import Element

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"

_HEADING_NAME = re.compile(r"heading ([1-9])")
_LIST_NAME = re.compile(r"list (bullet|number|paragraph)(?: ([2-9]))?")
_DEEPEST_HEADING = 6
_MOST_ANCESTORS = 20


@dataclass(frozen=True, slots=True)
class ParagraphStyle:
    """What matters of a paragraph's style."""

    heading: int = 0
    """1 to 6; 0 for no heading."""
    list_id: str | None = None
    """The list whose points count on; None for no list."""
    list_level: int = 0
    """0 for the outermost."""
    numbered: bool = False


def value(parent: Element | None, tag: str) -> str | None:
    """The `w:val` of the child element `tag`, or None."""
    child = None if parent is None else parent.find(f"{W}{tag}")
    return None if child is None else child.get(f"{W}val")


class Styles:
    """Resolves paragraph styles, with their ancestors, and numbering definitions."""

    def __init__(self, styles: Element | None, numbering: Element | None) -> None:
        self._styles: dict[str, Element] = {}
        self._formats: dict[tuple[str, int], str] = {}
        for style in () if styles is None else styles.iter(f"{W}style"):
            self._styles[style.get(f"{W}styleId", "")] = style
        if numbering is not None:
            self._read_numbering(numbering)

    def _read_numbering(self, numbering: Element) -> None:
        abstract: dict[str, dict[int, str]] = {}
        for definition in numbering.iter(f"{W}abstractNum"):
            levels = abstract.setdefault(definition.get(f"{W}abstractNumId", ""), {})
            for level in definition.iter(f"{W}lvl"):
                levels[_number(level.get(f"{W}ilvl"))] = value(level, "numFmt") or "decimal"
        for instance in numbering.iter(f"{W}num"):
            for level, kind in abstract.get(value(instance, "abstractNumId") or "", {}).items():
                self._formats[instance.get(f"{W}numId", ""), level] = kind

    def of(self, paragraph: Element) -> ParagraphStyle:
        """The style of a `w:p` element."""
        own = paragraph.find(f"{W}pPr")
        chain = list(self._ancestry(value(own, "pStyle")))
        names = [(value(style, "name") or "").lower() for style in chain]
        properties = [own, *(style.find(f"{W}pPr") for style in chain)]
        heading = _heading(names, properties)
        if heading:
            return ParagraphStyle(heading=heading)
        return self._list_style(names, properties)

    def _ancestry(self, style_id: str | None) -> list[Element]:
        chain: list[Element] = []
        while style_id in self._styles and len(chain) < _MOST_ANCESTORS:
            chain.append(self._styles[style_id])
            style_id = value(chain[-1], "basedOn")
        return chain

    def _list_style(self, names: list[str], properties: list[Element | None]) -> ParagraphStyle:
        list_id, level = None, None
        for part in properties:
            numbering = None if part is None else part.find(f"{W}numPr")
            if numbering is not None:
                list_id = list_id or value(numbering, "numId")
                level = level or value(numbering, "ilvl")
        named = next((match for name in names if (match := _LIST_NAME.fullmatch(name))), None)
        if list_id == "0" or (list_id is None and (named is None or named[1] == "paragraph")):
            return ParagraphStyle()
        depth = _number(level) if level else int(named[2]) - 1 if named and named[2] else 0
        kind = self._formats.get((list_id or "", _number(level)))
        if kind == "none":
            return ParagraphStyle()
        numbered = kind != "bullet" if kind else named is not None and named[1] == "number"
        return ParagraphStyle(list_id=list_id or names[0], list_level=depth, numbered=numbered)


def _heading(names: list[str], properties: list[Element | None]) -> int:
    if "title" in names[:1]:
        return 1
    for name in names:
        if match := _HEADING_NAME.fullmatch(name):
            return min(int(match[1]), _DEEPEST_HEADING)
    outline = next((level for part in properties if (level := value(part, "outlineLvl"))), None)
    level = _number(outline) + 1 if outline else 0
    return level if level <= _DEEPEST_HEADING else 0


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) == 1 else 0
