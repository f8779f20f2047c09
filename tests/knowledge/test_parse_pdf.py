from __future__ import annotations

import io

import pytest
from fpdf import FPDF
from pypdf import PdfReader, PdfWriter

from ken.domain.document import ParsedDocument
from ken.errors import Unreadable
from ken.knowledge.parse.parser import parse


class Paper(FPDF):
    """Pages with a running head and numbers at the foot."""

    def header(self) -> None:
        """Write the running head."""
        self.set_font("Helvetica", size=8)
        self.cell(0, 8, "Example Organisation - internal", new_x="LMARGIN", new_y="NEXT")

    def footer(self) -> None:
        """Write the page's number."""
        self.set_y(-12)
        self.set_font("Helvetica", size=8)
        self.cell(0, 8, f"Page {self.page_no()} of 3", align="C")

    def title_line(self, text: str, size: float) -> None:
        """Write a heading."""
        self.set_font("Helvetica", style="B", size=size)
        self.ln(4)
        self.multi_cell(0, size * 0.45, text, new_x="LMARGIN", new_y="NEXT")

    def prose(self, text: str) -> None:
        """Write a paragraph."""
        self.set_font("Helvetica", size=11)
        self.ln(3)
        self.multi_cell(0, 5, text, align="L", new_x="LMARGIN", new_y="NEXT")


PROSE = (
    "Everyone with a contract of at least fifteen hours a week is enrolled with the first salary. Changes that are made by "
    "the tenth of a month take effect in the same month."
)


def paper() -> Paper:
    pdf = Paper()
    pdf.set_title("Benefits guide")
    pdf.set_author("People")
    pdf.set_keywords("groups: finance, legal; effective: 2026-02-01")
    pdf.add_page()
    pdf.title_line("Benefits", 20)
    pdf.prose(PROSE)
    pdf.title_line("Pension", 14)
    pdf.prose(PROSE)
    pdf.prose(
        "- one point\n- another point that is so long that it has to go on in a second line, as points of lists sometimes do"
    )
    pdf.add_page()
    pdf.title_line("Limits", 14)
    pdf.set_font("Helvetica", size=11)
    with pdf.table() as table:
        for row in [
            ("What", "Limit"),
            ("Taxi and ride services for late hours in the evening and at night", "EUR 30"),
            ("Bicycle", "EUR 0.20"),
        ]:
            table.row(row)
    pdf.add_page()
    pdf.prose("The work of the com-\nmittee is con-\ntinued by a well-\nknown committee.")
    return pdf


@pytest.fixture(scope="module")
def parsed() -> ParsedDocument:
    return parse(bytes(paper().output()), name="people/benefits.pdf")


def told(parsed: ParsedDocument) -> list[tuple[str, int, int | None, str]]:
    return [(block.kind, block.level, block.page, parsed.text[block.start : block.end]) for block in parsed.blocks]


def test_headings_paragraphs_and_points_are_found(parsed: ParsedDocument) -> None:
    """Sizes tell headings, gaps tell paragraphs, marks tell points; lines are joined; each block knows its page."""
    assert told(parsed)[:6] == [
        ("heading", 1, 1, "Benefits"),
        ("paragraph", 0, 1, PROSE),
        ("heading", 2, 1, "Pension"),
        ("paragraph", 0, 1, PROSE),
        ("list_item", 1, 1, "- one point"),
        (
            "list_item",
            1,
            1,
            "- another point that is so long that it has to go on in a second line, as points of lists sometimes do",
        ),
    ]
    assert parsed.markup == "plain"


def test_table_rows_stay_together(parsed: ParsedDocument) -> None:
    """A row is one line, whatever its cells need."""
    assert told(parsed)[6:8] == [
        ("heading", 2, 2, "Limits"),
        (
            "table",
            0,
            2,
            "What · Limit\nTaxi and ride services for late hours in the evening and at night · EUR 30\nBicycle · EUR 0.20",
        ),
    ]


def test_broken_words_are_mended(parsed: ParsedDocument) -> None:
    """A hyphen of a line's end goes."""
    assert "The work of the committee is continued by a" in parsed.text


def test_running_heads_and_page_numbers_are_gone(parsed: ParsedDocument) -> None:
    """What stands in the same place on most pages is no text."""
    assert "internal" not in parsed.text
    assert "Page" not in parsed.text


def test_document_properties_give_the_metadata(parsed: ParsedDocument) -> None:
    """Title, author, and keywords of the form `groups: finance, legal; effective: 2026-02-01`."""
    metadata = parsed.metadata
    assert (metadata.title, metadata.owner, metadata.effective) == ("Benefits guide", "People", "2026-02-01")
    assert metadata.groups == frozenset({"finance", "legal"})


def test_pages_without_text_are_named() -> None:
    """A scanned page among others is a warning."""
    pdf = FPDF()
    pdf.set_font("Helvetica", size=11)
    for page in range(1, 5):
        pdf.add_page()
        if page in {1, 4}:
            pdf.multi_cell(0, 5, "Some text.")
    parsed = parse(bytes(pdf.output()), name="a.pdf")
    assert parsed.warnings == ("No text on page 2, 3; scanned pages need text recognition.",)
    assert [block.page for block in parsed.blocks] == [1, 4]


def test_a_file_without_text_is_refused() -> None:
    """Scans need text recognition first, and the message says so."""
    pdf = FPDF()
    pdf.add_page()
    with pytest.raises(Unreadable, match=r"'scan\.pdf' has no text layer.*OCR"):
        parse(bytes(pdf.output()), name="scan.pdf")


def test_an_encrypted_file_is_refused() -> None:
    """With a password to open it, it can't be read; with one that only forbids printing, it can."""
    for user, owner in [("secret", "secret"), ("", "secret")]:
        writer = PdfWriter(clone_from=PdfReader(io.BytesIO(bytes(paper().output()))))
        writer.encrypt(user_password=user, owner_password=owner, algorithm="RC4-128")
        buffer = io.BytesIO()
        writer.write(buffer)
        if user:
            with pytest.raises(Unreadable, match=r"'a\.pdf' is encrypted"):
                parse(buffer.getvalue(), name="a.pdf")
        else:
            assert "enrolled" in parse(buffer.getvalue(), name="a.pdf").text


@pytest.mark.parametrize("cut", [20, 400, 1_500, 3_000])
def test_a_broken_file_is_refused_or_read(cut: int) -> None:
    """A file that was cut off raises Unreadable and nothing else, if it can't be read."""
    data = bytes(paper().output())
    for damaged in (data[:cut], data[:cut] + b"\0" * 100 + data[cut + 100 :]):
        try:
            text = parse(damaged, name="a.pdf").text
        except Unreadable as error:
            assert str(error).startswith("'a.pdf' ")  # noqa: PT017 - either is right
        else:
            assert text
