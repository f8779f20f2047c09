"""PPTX becomes Markdown: a heading for each slide, then its text, tables, charts and pictures' descriptions, then its notes."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field, replace
from xml.etree.ElementTree import Element

from ken.domain.document import ParsedDocument
from ken.errors import Unreadable
from ken.knowledge.parse.decoding import clean, refuse_empty
from ken.knowledge.parse.markdown import markdown_blocks
from ken.knowledge.parse.markdown_writer import MarkdownWriter
from ken.knowledge.parse.metadata import Stated, assembled
from ken.knowledge.parse.office_archive import OfficeArchive
from ken.knowledge.parse.office_charts import CHART, DIAGRAM, chart_of, diagram_of
from ken.knowledge.parse.office_properties import properties
from ken.knowledge.parse.page_ranges import page_ranges
from ken.knowledge.parse.pptx_shapes import TITLES, A, P, Pattern, Shape, Slide
from ken.knowledge.parse.pptx_text import close_lists, line, write_body

_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_TRUE = frozenset({"1", "true"})
_LEVEL_OF_THE_DECK, _LEVEL_OF_A_SLIDE, _LEVEL_OF_NOTES = 1, 2, 3
_MOST_COLUMNS = 200
# What programs write where nobody has described a picture.
_NO_DESCRIPTION = re.compile(r"\S+\.(?:png|jpe?g|gif|bmp|tiff?|emf|wmf|svg|webp)", re.IGNORECASE)
_BY_MACHINE = re.compile(r"\s*(?:Description automatically generated|AI-generated content may be incorrect\.)[^\n]*")


def parse_pptx(data: bytes, *, name: str) -> ParsedDocument:
    """Parse a PPTX file; pages are slides. Raises Unreadable where it is empty, encrypted, broken or a bomb."""
    refuse_empty(data, name=name)
    archive = OfficeArchive(data, name=name, suffix=".pptx")
    part = archive.main_part("ppt/presentation.xml")
    root = archive.xml(part)
    if root is None or root.tag != f"{P}presentation":
        raise Unreadable(f"{name!r} is no PowerPoint presentation: save it as .pptx in a presentation program.")
    relations = archive.relations(part)
    reader = _Reader(archive)
    for number, listed in enumerate(root.iterfind(f"{P}sldIdLst/{P}sldId"), start=1):
        relation = relations.get(listed.get(f"{_R}id", ""))
        if relation is not None and relation.kind == "slide":
            reader.take(relation.part, number)
    text = reader.writer.text()
    pages = [page for _, page in reader.starts]
    offsets = [reader.offset(index) for index, _ in reader.starts]
    blocks = tuple(
        replace(block, page=pages[max(0, bisect_right(offsets, block.start) - 1)]) for block in markdown_blocks(text)
    )
    told = properties(archive)
    told = Stated(told.metadata, (*told.warnings, *reader.warnings()))
    return assembled(text, blocks, markup="markdown", told=told, name=name)


@dataclass(slots=True)
class _Reader:
    archive: OfficeArchive
    writer: MarkdownWriter = field(default_factory=MarkdownWriter)
    starts: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    """For each slide with text, how many blocks are before it, and its number."""
    patterns: dict[str, Pattern] = field(default_factory=dict[str, Pattern])
    hidden: list[int] = field(default_factory=list[int])
    empty: list[int] = field(default_factory=list[int])
    cut: list[int] = field(default_factory=list[int])
    """Slides with a chart that has more points than are read."""
    _spans: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])

    def offset(self, index: int) -> int:
        """Where the block of that index begins in the text."""
        if not self._spans:
            self._spans = self.writer.spans()
        return self._spans[index][0]

    def take(self, part: str, number: int) -> None:
        """Write a slide."""
        root = self.archive.xml(part)
        if root is None:
            return
        if root.get("show", "1") not in _TRUE:
            self.hidden.append(number)
            return
        relations = self.archive.relations(part)
        by_kind = {relation.kind: relation.part for relation in relations.values()}
        layout, master = self._patterns(by_kind.get("slideLayout", ""))
        slide = Slide(root, layout, master)
        shapes = list(slide.shapes())
        begun = len(self.writer.blocks)
        titles = [text for shape in shapes if shape.placeholder in TITLES and (text := line(_body(shape)))]
        is_deck = not self.starts and (
            any(shape.placeholder == "ctrTitle" for shape in shapes)
            or (layout.root is not None and layout.root.get("type") == "title")
        )
        self.writer.begin_heading(_LEVEL_OF_THE_DECK if is_deck and titles else _LEVEL_OF_A_SLIDE)
        self.writer.words(": ".join(titles) or f"Slide {number}")
        self.writer.end_block()
        parts = {key: relation.part for key, relation in relations.items()}
        for shape in shapes:
            if shape.placeholder not in TITLES:
                self._shape(shape, parts, number)
        self._notes(by_kind.get("notesSlide", ""))
        if not titles and len(self.writer.blocks) == begun + 1:
            self.writer.blocks.pop()
            self.empty.append(number)
        else:
            self.starts.append((begun, number))

    def _patterns(self, layout: str) -> tuple[Pattern, Pattern]:
        if not layout:
            return Pattern.of(None), Pattern.of(None)
        relations = self.archive.relations(layout) if layout not in self.patterns else {}
        for relation in relations.values():
            if relation.kind == "slideMaster":
                self.patterns[f"{layout}#master"] = self._pattern(relation.part)
        return self._pattern(layout), self.patterns.get(f"{layout}#master", Pattern.of(None))

    def _pattern(self, part: str) -> Pattern:
        if part not in self.patterns:
            self.patterns[part] = Pattern.of(self.archive.xml(part))
        return self.patterns[part]

    def _shape(self, shape: Shape, parts: dict[str, str], number: int) -> None:
        element = shape.element
        body = _body(shape)
        if body is not None:
            write_body(self.writer, body, styles=shape.styles)
        if element.tag == f"{P}graphicFrame":
            self._graphic(element, parts, number)
        if element.tag == f"{P}pic" or (body is None or not line(body)):
            self._description(element)

    def _graphic(self, frame: Element, parts: dict[str, str], number: int) -> None:
        for table in frame.iter(f"{A}tbl"):
            rows = _rows(table)
            if len(rows) == 1 or (rows and all(len(row) == 1 for row in rows)):
                for text in (text for row in rows for text in row):
                    self._paragraph(text)
            elif rows:
                self.writer.table(rows[0], rows[1:])
        for chart in frame.iter(f"{CHART}chart"):
            self._chart(self.archive.xml(parts.get(chart.get(f"{_R}id", ""), "")), number)
        for diagram in frame.iter(f"{DIAGRAM}relIds"):
            self._diagram(self.archive.xml(parts.get(diagram.get(f"{_R}dm", ""), "")))

    def _chart(self, root: Element | None, number: int) -> None:
        if root is not None:
            found = chart_of(root)
            self.writer.table(found.header, found.rows, caption=found.title)
            if found.is_cut:
                self.cut.append(number)

    def _diagram(self, root: Element | None) -> None:
        for depth, text in () if root is None else diagram_of(root):
            close_lists(self.writer, depth + 1)
            while len(self.writer.lists) <= depth:
                self.writer.begin_list(numbered=False)
            self.writer.begin_point()
            self._paragraph(text)
        close_lists(self.writer, 0)

    def _description(self, element: Element) -> None:
        named = next((each for each in element.iterfind("*/*") if each.tag == f"{P}cNvPr"), None)
        text = "" if named is None else _BY_MACHINE.sub("", named.get("descr", "") or named.get("title", "")).strip()
        if text and not _NO_DESCRIPTION.fullmatch(text):
            self._paragraph(f"Picture: {text}" if element.tag == f"{P}pic" else text)

    def _notes(self, part: str) -> None:
        root = self.archive.xml(part) if part else None
        tree = None if root is None else root.find(f"{P}cSld/{P}spTree")
        for shape in () if tree is None else tree.iterfind(f"{P}sp"):
            placeholder = shape.find(f"{P}nvSpPr/{P}nvPr/{P}ph")
            body = shape.find(f"{P}txBody")
            if placeholder is not None and placeholder.get("type") == "body" and body is not None and line(body):
                self.writer.begin_heading(_LEVEL_OF_NOTES)
                self._paragraph("Speaker notes")
                write_body(self.writer, body, styles=())

    def _paragraph(self, text: str) -> None:
        self.writer.words(clean(text)[0])
        self.writer.end_block()

    def warnings(self) -> list[str]:
        """What was left out, in plain words."""
        told: list[str] = []
        if self.hidden:
            told.append(f"Hidden slides were left out: {page_ranges(self.hidden)}; show those that are to be found.")
        if self.empty:
            told.append(f"No text on slide {page_ranges(self.empty)}; describe the pictures there in words.")
        if self.cut:
            told.append(f"A chart has more values than are read on slide {page_ranges(self.cut)}; add them as a file.")
        return told


def _body(shape: Shape) -> Element | None:
    return shape.element.find(f"{P}txBody")


def _rows(table: Element) -> list[list[str]]:
    """Rows of cell texts; a cell that spans columns is followed by empty ones, one that spans rows is repeated."""
    rows: list[list[str]] = []
    for row in table.iterfind(f"{A}tr"):
        texts: list[str] = []
        for cell in row.iterfind(f"{A}tc"):
            text = line(cell.find(f"{A}txBody"))
            if cell.get("vMerge", "0") in _TRUE and rows and len(texts) < len(rows[-1]):
                text = rows[-1][len(texts)]
            texts.append("" if cell.get("hMerge", "0") in _TRUE else text)
        if any(texts):
            rows.append(texts[:_MOST_COLUMNS])
    return rows
