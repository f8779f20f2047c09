from __future__ import annotations

import io
import zlib

import pytest
from fpdf import FPDF
from PIL import Image
from pypdf import PdfReader, PdfWriter

from ken.domain.document import ParsedDocument
from ken.errors import Unreadable
from ken.knowledge.parse.markdown import markdown_blocks
from ken.knowledge.parse.parser import IsolatedParser, parse
from ken.text.markup import plain


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
        ("heading", 1, 1, "# Benefits"),
        ("paragraph", 0, 1, PROSE),
        ("heading", 2, 1, "## Pension"),
        ("paragraph", 0, 1, PROSE),
        ("list_item", 1, 1, "- one point"),
        (
            "list_item",
            1,
            1,
            "- another point that is so long that it has to go on in a second line, as points of lists sometimes do",
        ),
    ]
    assert parsed.markup == "markdown"


def test_table_rows_stay_together(parsed: ParsedDocument) -> None:
    """A row is one line, whatever its cells need, below the names of the columns."""
    assert told(parsed)[6:8] == [
        ("heading", 2, 2, "## Limits"),
        (
            "table",
            0,
            2,
            (
                "| What | Limit |\n| --- | --- |\n"
                "| Taxi and ride services for late hours in the evening and at night | EUR 30 |\n| Bicycle | EUR 0.20 |"
            ),
        ),
    ]


def drawn(*texts: tuple[float, float, str], bold: float = 0) -> ParsedDocument:
    """A page with each text at its place in millimetres, in that order; those at the height `bold` in bold."""
    pdf = FPDF()
    pdf.add_page()
    for x, y, text in texts:
        pdf.set_font("Helvetica", style="B" if y == bold else "", size=10)
        pdf.text(x, y, text)
    return parse(bytes(pdf.output()), name="drawn.pdf")


def test_cells_go_to_the_column_that_they_stand_in() -> None:
    """Missing cells leave their place empty, and numbers that are aligned to the right stay below each other."""
    parsed = drawn(
        *[(20, 20, "Port"), (70, 20, "Gauges"), (110, 20, "Ships"), (150, 20, "Since")],
        *[(20, 25, "Skerrow"), (78, 25, "3"), (119, 25, "12"), (150, 25, "2019")],
        *[(20, 30, "Aldane"), (114, 30, "1,200"), (150, 30, "2021")],
        *[(20, 35, "Marsh | End"), (74, 35, "1,005"), (150, 35, "2024")],
    )
    assert parsed.text == (
        "| Port | Gauges | Ships | Since |\n| --- | --- | --- | --- |\n| Skerrow | 3 | 12 | 2019 |\n"
        "| Aldane |  | 1,200 | 2021 |\n| Marsh \\| End | 1,005 |  | 2024 |\n"
    )
    assert parsed.blocks[0].kind == "table"


def test_rows_without_names_have_an_empty_head() -> None:
    """No row is taken for the names of the columns that tells something of its own."""
    parsed = drawn(
        *[(20, 20, "Name:"), (70, 20, "Ann"), (20, 25, "Room:"), (70, 25, "12"), (20, 30, "Bell:"), (70, 30, "7")]
    )
    assert parsed.text == "|  |  |\n| --- | --- |\n| Name: | Ann |\n| Room: | 12 |\n| Bell: | 7 |\n"
    bold = drawn(
        (20, 20, "Term"),
        (70, 20, "Sense"),
        (20, 25, "spit"),
        (70, 25, "sand"),
        (20, 30, "sill"),
        (70, 30, "rock"),
        bold=20,
    )
    assert bold.text == "| Term | Sense |\n| --- | --- |\n| spit | sand |\n| sill | rock |\n"


COLUMN = [
    "The gauge measures the level of the",
    "sea by radar once a second and sends",
    "the mean of each minute to the office,",
    "where somebody looks at it. When the",
    "mains fail it sends an alarm to",
    "the people on call.",
]


@pytest.mark.parametrize("line_by_line", [True, False], ids=["by-line", "by-column"])
@pytest.mark.parametrize("lines", [6, 4])
def test_two_columns_are_read_one_after_the_other(lines: int, *, line_by_line: bool) -> None:
    """However the file draws them, the sentences stay whole; also where the columns have few lines."""
    left = [(20.0, 30.0 + 5 * number, text) for number, text in enumerate(COLUMN[:lines])]
    right = [(110.0, 30.0 + 5 * number, f"x{text}") for number, text in enumerate(COLUMN[1:])]
    texts = sorted([*left, *right], key=lambda text: text[1]) if line_by_line else [*left, *right]
    text = drawn(*texts).text
    assert "".join(text.split()) == "".join("".join(part for _, _, part in [*left, *right]).split())


def test_what_is_drawn_out_of_order_is_read_by_its_place() -> None:
    """A title that the file draws last comes first; boxes side by side are read one after the other."""
    parsed = drawn(
        *[(20, 60, "left one"), (20, 65, "left two"), (120, 60, "right one"), (120, 65, "right two")],
        *[(20, 120, "at the foot"), (20, 20, "At the head.")],
    )
    assert parsed.text.split() == "At the head. left one left two right one right two at the foot".split()


def test_marks_of_markdown_in_the_text_are_escaped() -> None:
    """The text reads as it did on paper, and its blocks are those that Markdown has."""
    parsed = drawn(
        (20, 20, "# No heading, 5 * 3 * 2"),
        (20, 40, "- point <b>"),
        (20, 45, "2) numbered `x`"),
        (20, 60, "> no quote"),
    )
    assert [plain(parsed.text[block.start : block.end], "markdown") for block in parsed.blocks] == [
        "# No heading, 5 * 3 * 2",
        "point <b>",
        "numbered `x`",
        "> no quote",
    ]
    assert [(block.kind, block.start, block.end) for block in parsed.blocks] == [
        (block.kind, block.start, block.end) for block in markdown_blocks(parsed.text)
    ]


def test_a_title_that_a_program_gave_is_none() -> None:
    """What comes from the program goes; the heading stands in."""
    pdf = paper()
    pdf.set_title("Microsoft Word - untitled")
    assert parse(bytes(pdf.output()), name="a.pdf").metadata.title == "Benefits"


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
    (warning,) = parsed.warnings
    assert warning.startswith("Pages 2, 3 without text, as scans are. Install the extra `ocr` to have them read")
    assert [block.page for block in parsed.blocks] == [1, 4]


def test_a_file_without_text_is_refused() -> None:
    """A hundred pages of scans are named in one breath, with what to do."""
    pdf = FPDF()
    picture = io.BytesIO()
    Image.effect_noise((200, 280), 60).save(picture, "PNG")
    for _ in range(100):
        pdf.add_page()
        pdf.image(picture, 0, 0, 210)
    with pytest.raises(Unreadable) as refused:
        parse(bytes(pdf.output()), name="scan.pdf")
    assert str(refused.value) == (
        "'scan.pdf' has no text layer: pages 1–100 without text, as scans are. Install the extra `ocr` to have them read, "
        "or run text recognition (OCR) over the file."
    )


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


def objects(*bodies: bytes) -> bytes:
    """A PDF by hand: the bodies are its objects from 1 on, the first one its catalogue."""
    numbered = b"".join(b"%d 0 obj %b endobj\n" % (number, body) for number, body in enumerate(bodies, start=1))
    return b"%PDF-1.4\n" + numbered + b"trailer<</Root 1 0 R/Size %d>>\nstartxref\n0\n%%%%EOF" % (len(bodies) + 1)


def page_of(content: bytes, *, filters: bytes = b"") -> bytes:
    """A PDF of one page with that content stream."""
    return objects(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R>>",
        b"<</Length %d%b>>stream\n%b\nendstream" % (len(content), filters, content),
    )


@pytest.mark.parametrize(
    "data",
    [
        objects(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[2 0 R 2 0 R]/Count 2>>"),
        objects(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>", b"3 0 R"),
        page_of(b"[" * 100_000),
        page_of(zlib.compress(bytes(100_000_000), 9), filters=b"/Filter/FlateDecode"),
        page_of(b"BT /None 1e99 Tf 1e99 0 0 1e99 1e99 1e99 Tm (x) Tj ET"),
    ],
    ids=["page-loop", "reference-loop", "nesting", "bomb", "numbers"],
)
def test_hostile_files_are_refused_and_the_next_is_read(data: bytes) -> None:
    """Loops, nesting, bombs and absurd numbers cost no more than their own file."""
    with IsolatedParser() as parser:
        with pytest.raises(Unreadable, match=r"'bad\.pdf' "):
            parser.parse(data, name="bad.pdf")
        assert "enrolled" in parser.parse(bytes(paper().output()), name="good.pdf").text
