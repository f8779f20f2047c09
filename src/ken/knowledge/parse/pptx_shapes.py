"""The shapes of a slide, with what they take over from layout and master, in the order in which one reads them.

PresentationML: ISO/IEC 29500-1, 19.3 (slides, placeholders) and 20.1.7 (positions). All lengths are EMU, 914,400 to the inch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple
from xml.etree.ElementTree import Element

from ken.knowledge.parse.reading_order import Rectangle, reading_order

A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
ALTERNATIVES = "{http://schemas.openxmlformats.org/markup-compatibility/2006}AlternateContent"

_SHAPES = frozenset({f"{P}sp", f"{P}pic", f"{P}graphicFrame", f"{P}grpSp", ALTERNATIVES})
_FURNITURE = frozenset({"dt", "ftr", "hdr", "sldNum", "sldImg"})
TITLES = frozenset({"title", "ctrTitle"})
_ON_MASTER = {"ctrTitle": "title", "subTitle": "body", "obj": "body", "": "body"}
_TRUE = frozenset({"1", "true"})
_DEEPEST = 8
"""Groups in each other; what is deeper belongs to the last of these."""
_OVERLAP = 91_440
"""Boxes are drawn larger than their text, so a little overlap parts them still."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A shape that has no shapes inside."""

    element: Element
    place: Rectangle
    placeholder: str | None
    """The type of the placeholder that it fills, `obj` where that has none; None for any other shape."""
    styles: tuple[Element, ...]
    """Where its paragraphs' look is set, nearest first: elements with `lvl1pPr` and so on as children."""


@dataclass(slots=True)
class _Group:
    place: Rectangle
    members: list[Shape | _Group] = field(default_factory=list["Shape | _Group"])


class _Transform(NamedTuple):
    """From the coordinates inside a group to those of the slide."""

    dx: float = 0.0
    dy: float = 0.0
    sx: float = 1.0
    sy: float = 1.0

    def of(self, inside: Rectangle) -> Rectangle:
        return Rectangle(
            inside.x * self.sx + self.dx, inside.y * self.sy + self.dy, inside.width * self.sx, inside.height * self.sy
        )


@dataclass(frozen=True, slots=True)
class Pattern:
    """A layout or master: the placeholders that shapes of a slide take place and look from."""

    root: Element | None
    by_index: dict[str, Element]
    by_type: dict[str, Element]

    @classmethod
    def of(cls, root: Element | None) -> Pattern:
        """The placeholders in the part `root`."""
        by_index: dict[str, Element] = {}
        by_type: dict[str, Element] = {}
        for shape in () if root is None else root.iter(f"{P}sp"):
            found = shape.find(f"{P}nvSpPr/{P}nvPr/{P}ph")
            if found is not None:
                by_index.setdefault(found.get("idx", ""), shape)
                by_type.setdefault(found.get("type", ""), shape)
        return cls(root, by_index, by_type)

    def like(self, index: str, kind: str) -> Element | None:
        """The placeholder of that index, else of that type."""
        return self.by_index.get(index) if index and index in self.by_index else self.by_type.get(kind)


@dataclass(frozen=True, slots=True)
class Slide:
    """The root of a slide, and the patterns that it is made from."""

    root: Element
    layout: Pattern
    master: Pattern

    def shapes(self) -> Iterator[Shape]:
        """The visible shapes, titles first, the others in reading order; without dates, footers and slide numbers."""
        tree = self.root.find(f"{P}cSld/{P}spTree")
        if tree is None:
            return
        group = _Group(Rectangle())
        self._collect(tree, group, transform=_Transform(), depth=0)
        shapes = list(_in_order(group))
        yield from (shape for shape in shapes if shape.placeholder in TITLES)
        yield from (shape for shape in shapes if shape.placeholder not in TITLES)

    def _collect(self, parent: Element, group: _Group, *, transform: _Transform, depth: int) -> None:
        stack = list(reversed(list(parent)))
        while stack:
            node = stack.pop()
            if node.tag not in _SHAPES or _is_hidden(node):
                continue
            if node.tag == ALTERNATIVES:
                stack.extend(reversed(list(node[0]) if len(node) else []))
            elif node.tag == f"{P}grpSp" and depth >= _DEEPEST:
                stack.extend(reversed(list(node)))
            elif node.tag == f"{P}grpSp":
                place, inner = _opened(node, transform)
                inside = _Group(place)
                self._collect(node, inside, transform=inner, depth=depth + 1)
                group.members.append(inside)
            else:
                shape = self._shape(node, transform)
                if shape.placeholder not in _FURNITURE:
                    group.members.append(shape)

    def _shape(self, node: Element, transform: _Transform) -> Shape:
        own = next((each for each in node.iterfind("*/*") if each.tag == f"{P}nvPr"), None)
        placeholder = None if own is None else own.find(f"{P}ph")
        places = [_place(node)]
        styles = [node.find(f"{P}txBody/{A}lstStyle")]
        kind = None
        if placeholder is not None:
            kind = placeholder.get("type", "obj")
            raw = placeholder.get("type", "")
            layout = self.layout.like(placeholder.get("idx", ""), raw)
            master = self.master.by_type.get(_ON_MASTER.get(raw, raw))
            for pattern in (layout, master):
                if pattern is not None:
                    places.append(_place(pattern))
                    styles.append(pattern.find(f"{P}txBody/{A}lstStyle"))
            if self.master.root is not None:
                styles.append(self.master.root.find(f"{P}txStyles/{P}{_style_of(kind)}"))
        place = next((each for each in places if each is not None), Rectangle())
        return Shape(node, transform.of(place), kind, tuple(style for style in styles if style is not None))


def _style_of(kind: str) -> str:
    return "titleStyle" if kind in TITLES else "bodyStyle"


def _is_hidden(node: Element) -> bool:
    properties = next((each for each in node.iterfind("*/*") if each.tag == f"{P}cNvPr"), None)
    return properties is not None and properties.get("hidden", "0") in _TRUE


def _place(node: Element) -> Rectangle | None:
    found = node.find(f"{P}spPr/{A}xfrm")
    if found is None:
        found = node.find(f"{P}xfrm")
    return None if found is None else _rectangle(found, "off", "ext")


def _rectangle(transform: Element, offset: str, extent: str) -> Rectangle:
    off, ext = transform.find(f"{A}{offset}"), transform.find(f"{A}{extent}")
    x, y = (0.0, 0.0) if off is None else (_length(off, "x"), _length(off, "y"))
    return Rectangle(x, y, *((0.0, 0.0) if ext is None else (_length(ext, "cx"), _length(ext, "cy"))))


def _length(node: Element, name: str) -> float:
    value = node.get(name, "0")
    return float(value) if value.lstrip("-").isdecimal() and len(value) < 16 else 0.0  # noqa: PLR2004 - as large as int64


def _opened(group: Element, outer: _Transform) -> tuple[Rectangle, _Transform]:
    """Where a group is, and the transform for what is in it."""
    found = group.find(f"{P}grpSpPr/{A}xfrm")
    if found is None:
        return outer.of(Rectangle()), outer
    place, inside = outer.of(_rectangle(found, "off", "ext")), _rectangle(found, "chOff", "chExt")
    sx = place.width / inside.width if inside.width else outer.sx
    sy = place.height / inside.height if inside.height else outer.sy
    return place, _Transform(place.x - inside.x * sx, place.y - inside.y * sy, sx, sy)


def _in_order(group: _Group) -> Iterator[Shape]:
    for index in reading_order([member.place for member in group.members], overlap=_OVERLAP):
        member = group.members[index]
        if isinstance(member, _Group):
            yield from _in_order(member)
        else:
            yield member
