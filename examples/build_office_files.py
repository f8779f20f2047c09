"""Write the handbook's PDF and DOCX files from the Markdown texts in office_sources/.

Run `python examples/build_office_files.py` after changing a text. It needs reportlab and python-docx; the files that it
writes are committed, so nobody who only reads the handbook needs either. The same text gives the same bytes.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

import yaml
from docx import Document
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table
from reportlab.platypus.doctemplate import BaseDocTemplate

EXAMPLES = Path(__file__).parent
SOURCES = EXAMPLES / "office_sources"
HANDBOOK = EXAMPLES / "handbook"

HEADING = re.compile(r"(#{1,3}) (.+)")
NUMBERED = re.compile(r"\d+\. (.+)")
BULLET = re.compile(r"- (.+)")
TABLE_RULE = re.compile(r"\|[-| ]+\|")

BODY = ParagraphStyle("body", fontName="Helvetica", fontSize=10, leading=14, spaceAfter=6)
STEP = ParagraphStyle("step", parent=BODY, leftIndent=16, bulletIndent=0, spaceAfter=3)
CELL = ParagraphStyle("cell", parent=BODY, fontSize=9, leading=11, spaceAfter=0)
HEADINGS = tuple(
    ParagraphStyle(f"heading{level}", parent=BODY, fontName="Helvetica-Bold", fontSize=size, leading=size * 1.25, spaceBefore=8, keepWithNext=1)
    for level, size in enumerate((20, 14, 11.5), start=1)
)


@dataclass(frozen=True, slots=True)
class Block:
    """One piece of a text: `kind` is heading, paragraph, numbered, bullet or table; `rows` is filled for tables."""

    kind: str
    text: str = ""
    level: int = 0
    rows: list[list[str]] = field(default_factory=list)


def read_source(path: Path) -> tuple[dict[str, object], list[Block]]:
    """Return the front matter and the blocks of one text, which keeps each paragraph on one line."""
    _, front, body = path.read_text(encoding="utf-8").split("---\n", 2)
    blocks: list[Block] = []
    for line in body.splitlines():
        if line.startswith("|"):
            add_table_line(blocks, line)
        elif line.strip():
            blocks.append(read_line(line))
    return yaml.safe_load(front), blocks


def read_line(line: str) -> Block:
    if match := HEADING.fullmatch(line):
        return Block("heading", match[2], level=len(match[1]))
    if match := NUMBERED.fullmatch(line):
        return Block("numbered", match[1])
    if match := BULLET.fullmatch(line):
        return Block("bullet", match[1])
    return Block("paragraph", line)


def add_table_line(blocks: list[Block], line: str) -> None:
    if TABLE_RULE.fullmatch(line):
        return
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    if blocks and blocks[-1].kind == "table":
        blocks[-1].rows.append(cells)
    else:
        blocks.append(Block("table", rows=[cells]))


def keywords(front: dict[str, object]) -> str:
    """Return the front matter that office formats have no field for, as `groups: a, b; effective: 2026-01-01`."""
    parts: list[str] = []
    for key in ("groups", "effective", "review_by", "supersedes"):
        value = front.get(key)
        if value:
            parts.append(f"{key}: {', '.join(value) if isinstance(value, list) else value}")
    return "; ".join(parts)


def write_docx(target: Path, front: dict[str, object], blocks: list[Block]) -> None:
    document = Document()
    properties = document.core_properties
    properties.title, properties.author, properties.keywords = str(front["title"]), str(front["owner"]), keywords(front)
    written = dt.datetime.combine(dt.date.fromisoformat(str(front["effective"])), dt.time(9))
    properties.created = properties.modified = written
    properties.last_modified_by = str(front["owner"])
    properties.comments = ""
    for block in blocks:
        if block.kind == "heading":
            document.add_heading(block.text, level=block.level)
        elif block.kind == "table":
            add_docx_table(document, block.rows)
        else:
            document.add_paragraph(block.text, style={"numbered": "List Number", "bullet": "List Bullet"}.get(block.kind))
    buffer = io.BytesIO()
    document.save(buffer)
    target.write_bytes(with_fixed_times(buffer.getvalue()))


def add_docx_table(document: Document, rows: list[list[str]]) -> None:
    table = document.add_table(rows=0, cols=len(rows[0]), style="Table Grid")
    for row in rows:
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text


def with_fixed_times(archive: bytes) -> bytes:
    """Return the zip archive with every member dated 1980-01-01, so that two builds are byte for byte the same."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name), old.read(name), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def write_pdf(target: Path, front: dict[str, object], blocks: list[Block]) -> None:
    title = str(front["title"])
    template = SimpleDocTemplate(
        str(target),
        pagesize=A4,
        leftMargin=22 * mm,
        rightMargin=22 * mm,
        topMargin=20 * mm,
        bottomMargin=22 * mm,
        title=title,
        author=str(front["owner"]),
        keywords=keywords(front),
        creator="Ebbstone document templates",
        subject=title,
        invariant=1,
    )

    def footer(canvas: object, page: BaseDocTemplate) -> None:
        canvas.setFont("Helvetica", 8)  # type: ignore[attr-defined]
        canvas.drawString(22 * mm, 12 * mm, f"Ebbstone Instruments - {title} - page {page.page}")  # type: ignore[attr-defined]

    template.build(flowables(blocks), onFirstPage=footer, onLaterPages=footer)


def flowables(blocks: list[Block]) -> list[Flowable]:
    """Return the blocks as reportlab flowables; a numbered list starts again after any other kind of block."""
    result: list[Flowable] = []
    number = 0
    for block in blocks:
        number = number + 1 if block.kind == "numbered" else 0
        text = escape(block.text)
        if block.kind == "heading":
            result.append(Paragraph(text, HEADINGS[block.level - 1]))
        elif block.kind == "table":
            result += [pdf_table(block.rows), Spacer(1, 8)]
        elif block.kind == "numbered":
            result.append(Paragraph(text, STEP, bulletText=f"{number}."))
        elif block.kind == "bullet":
            result.append(Paragraph(text, STEP, bulletText="\u2022"))
        else:
            result.append(Paragraph(text, BODY))
    return result


def pdf_table(rows: list[list[str]]) -> Table:
    cells = [[Paragraph(escape(text), CELL) for text in row] for row in rows]
    grid = [("GRID", (0, 0), (-1, -1), 0.5, colors.grey), ("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke)]
    return Table(cells, style=grid, repeatRows=1, hAlign="LEFT")


def main() -> None:
    """Build every text; its name says the target: people/benefits.docx.md makes handbook/people/benefits.docx."""
    writers = {".docx": write_docx, ".pdf": write_pdf}
    for source in sorted(SOURCES.rglob("*.md")):
        target = HANDBOOK / source.relative_to(SOURCES).with_suffix("")
        target.parent.mkdir(parents=True, exist_ok=True)
        front, blocks = read_source(source)
        writers[target.suffix](target, front, blocks)


if __name__ == "__main__":
    main()
