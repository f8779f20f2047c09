"""Write the handbook's PDF and DOCX files from the Markdown texts in office_sources/.

Run `python examples/build_office_files.py` after changing a text. The files that it writes are committed, and the same
text gives the same bytes.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from docx import Document
from docx.document import Document as DocxDocument
from fpdf import FPDF
from fpdf.fonts import FontFace

EXAMPLES = Path(__file__).parent
SOURCES = EXAMPLES / "office_sources"
HANDBOOK = EXAMPLES / "handbook"

HEADING = re.compile(r"(#{1,3}) (.+)")
NUMBERED = re.compile(r"\d+\. (.+)")
BULLET = re.compile(r"- (.+)")
TABLE_RULE = re.compile(r"\|[-| ]+\|")

BODY_SIZE = 10  # points
HEADING_SIZES = (20, 14, 11.5)  # points, by level
HEADING_ROOM = 35  # millimetres that must be left on the page, so that no heading stands alone at its foot
DOCX_STYLES = {"numbered": "List Number", "bullet": "List Bullet"}


@dataclass(frozen=True, slots=True)
class Front:
    """The front matter of one text; `keywords` holds what office formats have no field for."""

    title: str
    owner: str
    effective: dt.date
    keywords: str


@dataclass(frozen=True, slots=True)
class Block:
    """One piece of a text: `kind` is heading, paragraph, numbered, bullet or table; `rows` is filled for tables."""

    kind: str
    text: str = ""
    level: int = 0
    rows: list[list[str]] = field(default_factory=list)


def read_source(path: Path) -> tuple[Front, list[Block]]:
    """Return the front matter and the blocks of one text, which keeps each paragraph on one line."""
    _, front, body = path.read_text(encoding="utf-8").split("---\n", 2)
    blocks: list[Block] = []
    for line in body.splitlines():
        if line.startswith("|"):
            add_table_line(blocks, line)
        elif line.strip():
            blocks.append(read_line(line))
    return read_front(front), blocks


def read_front(text: str) -> Front:
    """Return the front matter; keywords read as `groups: a, b; effective: 2026-01-01; review_by: 2027-01-01`."""
    values = yaml.safe_load(text)
    parts = [
        f"{key}: {', '.join(value) if isinstance(value, list) else value}"
        for key in ("groups", "effective", "review_by", "supersedes")
        if (value := values.get(key))
    ]
    return Front(values["title"], values["owner"], values["effective"], "; ".join(parts))


def read_line(line: str) -> Block:
    """Return the block that one line outside a table makes."""
    if match := HEADING.fullmatch(line):
        return Block("heading", match[2], level=len(match[1]))
    if match := NUMBERED.fullmatch(line):
        return Block("numbered", match[1])
    if match := BULLET.fullmatch(line):
        return Block("bullet", match[1])
    return Block("paragraph", line)


def add_table_line(blocks: list[Block], line: str) -> None:
    """Add a row to the table that is being read, or begin one; the rule under the header is left out."""
    if TABLE_RULE.fullmatch(line):
        return
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    if not blocks or blocks[-1].kind != "table":
        blocks.append(Block("table"))
    blocks[-1].rows.append(cells)


def write_docx(target: Path, front: Front, blocks: list[Block]) -> None:
    """Write the blocks with Word's own heading and list styles. Word counts one numbered list per file."""
    document = Document()
    properties = document.core_properties
    properties.title, properties.author, properties.keywords = front.title, front.owner, front.keywords
    properties.created = properties.modified = dt.datetime.combine(front.effective, dt.time(9), dt.UTC)
    properties.last_modified_by, properties.comments = front.owner, ""
    for block in blocks:
        if block.kind == "heading":
            document.add_heading(block.text, level=block.level)
        elif block.kind == "table":
            add_docx_table(document, block.rows)
        else:
            document.add_paragraph(block.text, style=DOCX_STYLES.get(block.kind))
    buffer = io.BytesIO()
    document.save(buffer)
    target.write_bytes(with_fixed_times(buffer.getvalue()))


def add_docx_table(document: DocxDocument, rows: list[list[str]]) -> None:
    """Add a table with borders."""
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


class Page(FPDF):
    """A PDF whose pages carry the company, the title and the page number at their foot."""

    def footer(self) -> None:
        """Draw the foot of one page; FPDF calls it."""
        self.set_y(-15)
        self.set_font("Helvetica", size=8)
        self.cell(text=f"Ebbstone Instruments - {self.title} - page {self.page_no()}")


def write_pdf(target: Path, front: Front, blocks: list[Block]) -> None:
    """Write the blocks as a PDF with a text layer, in which headings differ by size alone."""
    pdf = Page(format="A4")
    pdf.set_title(front.title)
    pdf.set_author(front.owner)
    pdf.set_keywords(front.keywords)
    pdf.set_creation_date(dt.datetime.combine(front.effective, dt.time(9), dt.UTC))
    pdf.set_margins(22, 20, 22)
    pdf.set_auto_page_break(auto=True, margin=22)
    pdf.add_page()
    number = 0
    for block in blocks:
        number = number + 1 if block.kind == "numbered" else 0
        draw(pdf, block, number)
    pdf.output(str(target))


def draw(pdf: FPDF, block: Block, number: int) -> None:
    """Draw one block at the place that was reached; `number` is that of a step in its list."""
    pdf.set_font("Helvetica", size=BODY_SIZE)
    if block.kind == "heading":
        if pdf.will_page_break(HEADING_ROOM):
            pdf.add_page()
        size = HEADING_SIZES[block.level - 1]
        pdf.ln(size / 6)
        pdf.set_font("Helvetica", "B", size)
        pdf.multi_cell(0, size * 0.5, block.text, align="L", new_x="LMARGIN", new_y="NEXT")
    elif block.kind == "table":
        draw_table(pdf, block.rows)
    else:
        mark = {"numbered": f"{number}. ", "bullet": "- "}.get(block.kind, "")
        pdf.multi_cell(0, 5, mark + block.text, align="L", new_x="LMARGIN", new_y="NEXT")
    pdf.ln(1.5)


def draw_table(pdf: FPDF, rows: list[list[str]]) -> None:
    """Draw a table with a bold header; the first column is the widest."""
    pdf.set_font("Helvetica", size=9)
    widths = (2, *(1 for _ in rows[0][1:]))
    bold = FontFace(emphasis="BOLD")
    with pdf.table(line_height=5, text_align="LEFT", col_widths=widths, headings_style=bold) as table:
        for row in rows:
            table.row(row)


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
