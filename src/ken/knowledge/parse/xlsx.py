"""XLSX becomes Markdown: a heading for each sheet, and pipe tables below it. What is hidden is left out, and named."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from ken.domain.document import Block, BlockKind, ParsedDocument
from ken.errors import Unreadable
from ken.knowledge.parse.decoding import clean, refuse_empty
from ken.knowledge.parse.markdown_writer import MarkdownWriter
from ken.knowledge.parse.metadata import Stated, assembled
from ken.knowledge.parse.office_archive import OfficeArchive
from ken.knowledge.parse.office_properties import properties
from ken.knowledge.parse.xlsx_numbers import BUILT_IN, GENERAL
from ken.knowledge.parse.xlsx_sheet import (
    MOST_CELLS,
    MOST_COLUMNS,
    MOST_ROWS,
    Book,
    Sheet,
    SheetReader,
    StringsReader,
    cell_range,
)
from ken.knowledge.parse.xlsx_tables import Region, is_list, regions

_S = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_TRUE = frozenset({"1", "true", "on"})
_SHEET_LEVEL = 2
"""Of the headings: the workbook itself is the document, and has its title."""
_MOST_NAMED = 20


def parse_xlsx(data: bytes, *, name: str) -> ParsedDocument:
    """Parse an XLSX file. Raises Unreadable where it is empty, encrypted, broken or a bomb."""
    refuse_empty(data, name=name)
    archive = OfficeArchive(data, name=name, suffix=".xlsx")
    part = archive.main_part("xl/workbook.xml")
    root = archive.xml(part)
    if root is None or root.tag != f"{_S}workbook":
        raise Unreadable(f"{name!r} is no Excel workbook: save it as .xlsx in a spreadsheet program.")
    relations = archive.relations(part)
    shared = StringsReader()
    styles: Element | None = None
    for relation in relations.values():
        if relation.kind == "sharedStrings":
            archive.feed(relation.part, shared)
        elif relation.kind == "styles":
            styles = archive.xml(relation.part)
    settings = root.find(f"{_S}workbookPr")
    from_1904 = settings is not None and settings.get("date1904", "0") in _TRUE
    reader = _Reader(archive, Book(shared.strings, _formats(styles), from_1904))
    for listed in root.iter(f"{_S}sheet"):
        relation = relations.get(listed.get(_ID, ""))
        if relation is not None and relation.kind == "worksheet":
            reader.take(listed.get("name", ""), relation.part, is_hidden=listed.get("state", "visible") != "visible")
    told = properties(archive)
    told = Stated(told.metadata, (*told.warnings, *reader.warnings()))
    return assembled(reader.writer.text(), reader.blocks(), markup="markdown", told=told, name=name)


def _formats(styles: Element | None) -> list[str]:
    """The number format of each cell style."""
    if styles is None:
        return []
    codes: dict[str, str] = {str(number): code for number, code in BUILT_IN.items()}
    codes |= {each.get("numFmtId", ""): each.get("formatCode", GENERAL) for each in styles.iter(f"{_S}numFmt")}
    return [codes.get(style.get("numFmtId", "0"), GENERAL) for style in styles.iterfind(f"{_S}cellXfs/{_S}xf")]


@dataclass(slots=True)
class _Reader:
    archive: OfficeArchive
    book: Book
    writer: MarkdownWriter = field(default_factory=MarkdownWriter)
    kinds: list[BlockKind] = field(default_factory=list[BlockKind])
    """Of each block that was written."""
    hidden: list[str] = field(default_factory=list[str])
    remarks: list[str] = field(default_factory=list[str])
    cells: int = 0

    def take(self, title: str, part: str, *, is_hidden: bool) -> None:
        """Write a sheet."""
        title = " ".join(clean(title)[0].split())
        if is_hidden:
            self.hidden.append(title)
            return
        reader = SheetReader(self.book, room=MOST_CELLS - self.cells)
        self.archive.feed(part, reader)
        sheet = reader.sheet
        self.cells += sheet.cells
        self._remark(title, sheet)
        if not sheet.rows:
            return
        self._write(title, "heading")
        for region in regions(sheet, headers=self._known_headers(part, sheet)):
            self._region(region)

    def _known_headers(self, part: str, sheet: Sheet) -> set[int]:
        rows = {sheet.filtered.top} if sheet.filtered else set[int]()
        for relation in self.archive.relations(part).values():
            table = self.archive.xml(relation.part) if relation.kind == "table" else None
            where = None if table is None else cell_range(table.get("ref", ""))
            if table is not None and where is not None and table.get("headerRowCount", "1") != "0":
                rows.add(where.top)
        return rows

    def _region(self, region: Region) -> None:
        if is_list(region):
            self.writer.begin_list(numbered=False)
            for text in region.above:
                self.writer.begin_point()
                self._write(text, "list_item")
            self.writer.end_list()
        else:
            self._paragraphs(region.above)
        if region.header or region.rows:
            self.writer.table(region.header, region.rows)
            self._note("table")
        self._paragraphs(region.below)

    def _paragraphs(self, texts: Iterable[str]) -> None:
        for text in texts:
            self._write(text, "paragraph")

    def _write(self, text: str, kind: BlockKind) -> None:
        if kind == "heading":
            self.writer.begin_heading(_SHEET_LEVEL)
        self.writer.words(text)
        self.writer.end_block()
        self._note(kind)

    def _note(self, kind: BlockKind) -> None:
        while len(self.kinds) < len(self.writer.blocks):
            self.kinds.append(kind)

    def blocks(self) -> tuple[Block, ...]:
        """What was written, block by block; parsing it again as Markdown would take longer than all the rest."""
        levels = {"heading": _SHEET_LEVEL, "list_item": 1}
        return tuple(
            Block(kind=kind, start=start, end=end, level=levels.get(kind, 0))
            for kind, (start, end) in zip(self.kinds, self.writer.spans(), strict=True)
        )

    def _remark(self, title: str, sheet: Sheet) -> None:
        where = f"Sheet {title!r}"
        if sheet.is_cut:
            self.remarks.append(
                f"{where} is read up to row {max(sheet.rows, default=0):,}: at most {MOST_ROWS:,} rows of a sheet and "
                f"{MOST_CELLS:,} cells of a workbook are. Split it, or give the rest as CSV."
            )
        if sheet.wide_rows:
            self.remarks.append(
                f"{where}: of rows with more than {MOST_COLUMNS} values ({sheet.wide_rows:,}) the others were left out."
            )
        if sheet.hidden_rows:
            self.remarks.append(
                f"{where}: hidden rows ({len(sheet.hidden_rows):,}) were left out; unhide what is to be found."
            )
        if sheet.hidden_columns:
            self.remarks.append(f"{where}: hidden columns were left out; unhide what is to be found.")
        if sheet.uncalculated:
            self.remarks.append(
                f"{where}: formulas without a stored result ({sheet.uncalculated:,}) read as empty; "
                f"open it in a spreadsheet program and save it."
            )
        if sheet.missing:
            self.remarks.append(f"{where}: cells whose text the file doesn't hold ({sheet.missing:,}) read as empty.")

    def warnings(self) -> list[str]:
        """What was left out, in plain words."""
        if not self.hidden:
            return self.remarks
        named = ", ".join(map(repr, self.hidden[:_MOST_NAMED])) + (
            " and more" if len(self.hidden) > _MOST_NAMED else ""
        )
        return [f"Hidden sheets were left out: {named}; unhide what is to be found.", *self.remarks]
