"""DOCX becomes Markdown: headings, paragraphs, lists and tables in the order of the body.

The WordprocessingML is read directly (ISO/IEC 29500-1, sections 17.3 paragraphs, 17.4 tables, 17.7 styles, 17.9 numbering).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from ken.domain.document import ParsedDocument
from ken.errors import Unreadable
from ken.knowledge.parse.decoding import clean, refuse_empty
from ken.knowledge.parse.docx_styles import Styles, W, value
from ken.knowledge.parse.markdown import markdown_blocks
from ken.knowledge.parse.markdown_writer import MarkdownWriter
from ken.knowledge.parse.metadata import assembled
from ken.knowledge.parse.office_archive import OfficeArchive
from ken.knowledge.parse.office_properties import properties

_ALTERNATIVES = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_MOST_COLUMNS = 200
# Looked into for blocks or words; others are not, among them deleted text and field codes.
_WRAPPERS = frozenset(
    {f"{W}{tag}" for tag in "sdt sdtContent ins moveTo smartTag customXml hyperlink fldSimple r".split()}
)
_PICTURES = frozenset({f"{W}drawing", f"{W}pict", f"{W}object", f"{_ALTERNATIVES}AlternateContent"})
_CHARACTERS = {f"{W}tab": " ", f"{W}noBreakHyphen": "-", f"{W}br": "\n", f"{W}cr": "\n"}


def parse_docx(data: bytes, *, name: str) -> ParsedDocument:
    """Parse a DOCX file. Raises Unreadable where it is empty, encrypted, broken or a bomb."""
    refuse_empty(data, name=name)
    archive = OfficeArchive(data, name=name, suffix=".docx")
    part = archive.main_part("word/document.xml")
    root = archive.xml(part)
    body = None if root is None else root.find(f"{W}body")
    if body is None:
        raise Unreadable(f"{name!r} is no Word document: {part} has no body. Save it as .docx in a word processor.")
    folder = part.rpartition("/")[0]
    styles = Styles(archive.xml(f"{folder}/styles.xml"), archive.xml(f"{folder}/numbering.xml"))
    reader = _Reader(styles)
    reader.blocks(body)
    text, _ = clean(reader.text())
    told = properties(archive)
    return assembled(text, markdown_blocks(text), markup="markdown", told=told, name=name)


@dataclass(slots=True)
class _Reader:
    styles: Styles
    writer: MarkdownWriter = field(default_factory=MarkdownWriter)
    numbers: dict[tuple[str, int], int] = field(default_factory=dict[tuple[str, int], int])
    """The last number given in each list and level."""

    def text(self) -> str:
        self._close_lists(0)
        return self.writer.text()

    def blocks(self, parent: Element) -> None:
        """Write the paragraphs and tables of `parent`, in order; iterative, as content controls may nest deeply."""
        stack = list(reversed(list(parent)))
        while stack:
            node = stack.pop()
            if node.tag == f"{W}p":
                self._paragraph(node)
            elif node.tag == f"{W}tbl":
                self._table(node)
            elif node.tag in _WRAPPERS:
                stack.extend(reversed(list(node)))

    def _paragraph(self, paragraph: Element) -> None:
        words = "".join(_words(paragraph))
        boxes = list(_text_boxes(paragraph))
        style = self.styles.of(paragraph)
        if words.strip():
            if style.heading:
                self._close_lists(0)
                self.numbers.clear()
                self.writer.begin_heading(style.heading)
            elif style.list_id is not None:
                self._point(style.list_id, style.list_level, numbered=style.numbered)
            else:
                self._close_lists(0)
            self._write(words)
            self.writer.end_block()
        for box in boxes:
            self._close_lists(0)
            self.blocks(box)

    def _write(self, words: str) -> None:
        for number, line in enumerate(words.split("\n")):
            if number:
                self.writer.line_break()
            self.writer.words(line)

    def _point(self, list_id: str, level: int, *, numbered: bool) -> None:
        for deeper in [key for key in self.numbers if key[0] == list_id and key[1] > level]:
            del self.numbers[deeper]
        number = self.numbers.get((list_id, level), 0) + 1
        self.numbers[list_id, level] = number
        self._close_lists(level + 1)
        while len(self.writer.lists) <= level:
            self.writer.begin_list(numbered=numbered)
        innermost = self.writer.lists[-1]
        innermost.numbered, innermost.number = numbered, number
        self.writer.begin_point()

    def _close_lists(self, depth: int) -> None:
        while len(self.writer.lists) > depth:
            self.writer.end_list()

    def _table(self, table: Element) -> None:
        self._close_lists(0)
        rows = list(_rows(table))
        if not rows:
            return
        if all(len(row) == 1 for row in rows):
            # A frame around text, not a table.
            for cell in (cell for row in _children(table, f"{W}tr") for cell in _children(row, f"{W}tc")):
                self.blocks(cell)
            return
        self.writer.table(rows[0], rows[1:])


def _children(node: Element, tag: str) -> Iterator[Element]:
    """Children of that tag, also those in content controls and insertions."""
    stack = list(reversed(list(node)))
    while stack:
        child = stack.pop()
        if child.tag == tag:
            yield child
        elif child.tag in _WRAPPERS:
            stack.extend(reversed(list(child)))


def _rows(table: Element) -> Iterator[list[str]]:
    """Rows of cell texts; a cell that spans columns is followed by empty ones, one that spans rows is repeated."""
    above: list[str] = []
    for row in _children(table, f"{W}tr"):
        texts: list[str] = []
        for cell in _children(row, f"{W}tc"):
            properties = cell.find(f"{W}tcPr")
            merged = None if properties is None else properties.find(f"{W}vMerge")
            text = " ".join("".join(_words(paragraph)) for paragraph in cell.iter(f"{W}p"))
            if merged is not None and merged.get(f"{W}val", "continue") == "continue" and len(texts) < len(above):
                text = above[len(texts)]
            texts.append(" ".join(text.split()))
            span = value(properties, "gridSpan") or "1"
            extra = int(span) - 1 if span.isdecimal() and len(span) <= len(str(_MOST_COLUMNS)) else 0
            texts.extend([""] * min(extra, _MOST_COLUMNS))
        above = texts[:_MOST_COLUMNS]
        if any(above):
            yield above


def _words(paragraph: Element) -> Iterator[str]:
    """The running text: without what is deleted, hidden, a field's code or in a text box."""
    stack = list(reversed(list(paragraph)))
    while stack:
        node = stack.pop()
        if node.tag == f"{W}t":
            yield node.text or ""
        elif node.tag in _CHARACTERS:
            yield _CHARACTERS[str(node.tag)]
        elif node.tag in _WRAPPERS and not _is_hidden(node):
            stack.extend(reversed(list(node)))


def _is_hidden(run: Element) -> bool:
    properties = run.find(f"{W}rPr")
    hidden = None if properties is None else properties.find(f"{W}vanish")
    return hidden is not None and hidden.get(f"{W}val", "1") not in {"0", "false", "off"}


def _text_boxes(paragraph: Element) -> Iterator[Element]:
    """The contents of the text boxes that are anchored in the paragraph; of alternatives, the first one."""
    stack = [child for run in _children(paragraph, f"{W}r") for child in run if child.tag in _PICTURES]
    stack.extend(child for child in paragraph if child.tag in _PICTURES)
    stack.reverse()
    while stack:
        node = stack.pop()
        if node.tag == f"{W}txbxContent":
            yield node
        elif node.tag == f"{_ALTERNATIVES}AlternateContent":
            stack.extend(list(node)[:1])
        else:
            stack.extend(reversed(list(node)))
