from __future__ import annotations

import datetime as dt
import io
import zipfile

import pytest
from docx import Document
from docx.document import Document as DocumentObject

from ken.errors import Unreadable
from ken.knowledge.parse.parser import parse

NAMESPACE = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def saved(document: DocumentObject) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def archive(body: str, *, head: str = "", **parts: bytes) -> bytes:
    """A DOCX file by hand: `body` is the inside of w:body."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("word/document.xml", f"{head}<w:document {NAMESPACE}><w:body>{body}</w:body></w:document>")
        for name, content in parts.items():
            opened.writestr(name, content)
    return buffer.getvalue()


def paragraph(text: str) -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def test_a_document_becomes_markdown() -> None:
    """Title, headings, paragraphs, lists with depth and numbers, tables, in the order of the body."""
    document = Document()
    document.add_heading("Benefits", level=0)
    document.add_heading("Pension", level=2)
    document.add_paragraph("You pay # 3 %.").add_run(" Bold").bold = True
    document.add_paragraph("first", style="List Number")
    document.add_paragraph("second", style="List Number")
    document.add_paragraph("inner", style="List Bullet 2")
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip(
        [c for row in table.rows for c in row.cells], ["What", "From", "Sport|s", "first\nday"], strict=True
    ):
        cell.text = text
    document.add_heading("Again", level=2)
    document.add_paragraph("1. no point")
    document.add_paragraph("counts anew", style="List Number")
    parsed = parse(saved(document), name="people/benefits.docx")
    assert parsed.text == (
        "# Benefits\n\n## Pension\n\nYou pay # 3 %. Bold\n\n1. first\n2. second\n   - inner\n\n"
        "| What | From |\n| --- | --- |\n| Sport\\|s | first day |\n\n## Again\n\n1\\. no point\n\n1. counts anew\n"
    )
    assert [block.kind for block in parsed.blocks].count("list_item") == 4
    assert parsed.warnings == ()


def test_document_properties_give_the_metadata() -> None:
    """Title, author and keywords of the form `groups: finance, legal; effective: 2026-02-01`."""
    document = Document()
    document.add_paragraph("Text.")
    properties = document.core_properties
    properties.title, properties.author = "Benefits guide", "People"
    properties.keywords = (
        "pension; groups: finance, legal; effective: 2026-02-01; review_by: 2027-02-01; supersedes: a/b.md"
    )
    properties.created = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    told = parse(saved(document), name="a.docx").metadata
    assert (told.title, told.owner, told.groups) == ("Benefits guide", "People", frozenset({"finance", "legal"}))
    assert (told.effective, told.review_by, told.supersedes) == ("2026-02-01", "2027-02-01", "a/b.md")


def test_bad_groups_close_the_document() -> None:
    """As in front matter."""
    document = Document()
    document.add_paragraph("Text.")
    document.core_properties.keywords = "groups: ; effective: 2026-02-01"
    assert parse(saved(document), name="a.docx").metadata.groups == frozenset({"operators"})


def test_only_what_a_reader_sees_is_text() -> None:
    """Links, insertions, content controls and text boxes are read; deletions, hidden text and field codes are not."""
    body = (
        "<w:p><w:hyperlink><w:r><w:t>link</w:t></w:r></w:hyperlink><w:ins><w:r><w:t> inserted</w:t></w:r></w:ins>"
        "<w:del><w:r><w:delText> deleted</w:delText></w:r></w:del><w:r><w:rPr><w:vanish/></w:rPr><w:t> hidden</w:t></w:r>"
        "<w:r><w:instrText> PAGE </w:instrText></w:r><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:noBreakHyphen/></w:r></w:p>"
        f"<w:sdt><w:sdtContent>{paragraph('control')}</w:sdtContent></w:sdt>"
        f"<w:p><w:r><w:pict><w:txbxContent>{paragraph('box')}</w:txbxContent></w:pict></w:r></w:p>"
    )
    assert parse(archive(body), name="a.docx").text == "link inserteda b-\n\ncontrol\n\nbox\n"


def test_merged_cells_are_repeated_down_and_left_empty_to_the_right() -> None:
    """Each row can be quoted for itself."""

    def cell(text: str, properties: str = "") -> str:
        return f"<w:tc><w:tcPr>{properties}</w:tcPr>{paragraph(text)}</w:tc>"

    rows = [
        cell("A") + cell("B") + cell("C"),
        cell("x", '<w:vMerge w:val="restart"/>') + cell("wide", '<w:gridSpan w:val="2"/>'),
        cell("", "<w:vMerge/>") + cell("1") + cell("2"),
    ]
    table = "".join(f"<w:tr>{row}</w:tr>" for row in rows)
    text = parse(archive(f"<w:tbl>{table}</w:tbl>"), name="a.docx").text
    assert text == "| A | B | C |\n| --- | --- | --- |\n| x | wide |  |\n| x | 1 | 2 |\n"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 100, "encrypted"),
        (b"PK\x03\x04 broken", "broken: it is no ZIP archive"),
        (b"no archive", "broken: it is no ZIP archive"),
        (archive("<w:p>"), "broken: word/document.xml is not XML"),
        (archive(paragraph("x"))[:-40], "broken"),
        (archive(paragraph("&e;"), head='<!DOCTYPE x [<!ENTITY e "boom">]>'), "declares a document type"),
        (
            archive(paragraph("&e;"), head='<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'),
            "declares a document type",
        ),
        (archive("x" * 20_000_000), "refused: 'word/document.xml' is compressed more than 500 times"),
        (archive("", **{f"a{number}": b"" for number in range(5_001)}), "refused: it has 5,002 entries"),
    ],
    ids=["encrypted", "broken-zip", "no-zip", "broken-xml", "cut", "entity", "external", "ratio", "entries"],
)
def test_broken_and_hostile_files_are_refused(data: bytes, reason: str) -> None:
    """The message names the file and the reason."""
    with pytest.raises(Unreadable, match=f"'a.docx'.*{reason}"):
        parse(data, name="a.docx")


def test_a_part_that_unpacks_to_more_than_it_declares_is_refused() -> None:
    """The sizes in an archive's directory are claims."""
    data = archive("<w:p/>" * 1_000)
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        size = opened.getinfo("word/document.xml").file_size
    lying = data.replace(size.to_bytes(4, "little"), (100).to_bytes(4, "little"))
    assert lying != data
    with pytest.raises(Unreadable, match=r"'a\.docx'"):
        parse(lying, name="a.docx")


def test_an_archive_without_a_document_is_refused() -> None:
    """A spreadsheet by another name says what is missing."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        opened.writestr("xl/workbook.xml", "<x/>")
    with pytest.raises(Unreadable, match="is no Word document"):
        parse(buffer.getvalue(), name="a.docx")


def test_deep_nesting_is_read() -> None:
    """Ten thousand content controls around a paragraph, and as many text boxes, are no deeper than one."""
    controls = "<w:sdt><w:sdtContent>" * 10_000 + paragraph("inside") + "</w:sdtContent></w:sdt>" * 10_000
    assert parse(archive(controls), name="a.docx").text == "inside\n"
