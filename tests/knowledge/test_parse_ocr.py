from __future__ import annotations

import io
from collections.abc import Sequence

import pytest
from fpdf import FPDF
from PIL import Image, ImageDraw, ImageFont

from ken.errors import InvalidSetting, Unreadable
from ken.knowledge.parse.ocr import is_installed
from ken.knowledge.parse.parser import IsolatedParser
from ken.knowledge.parse.pdf import parse_pdf
from ken.knowledge.parse.pdf_lines import Line

with_extra = pytest.mark.skipif(not is_installed(), reason="the extra `ocr` is not installed")
without_extra = pytest.mark.skipif(is_installed(), reason="the extra `ocr` is installed")


class Typed:
    """Recognises the pages that it was told of, and keeps in mind which it was asked for."""

    def __init__(self, **pages: str) -> None:
        self.pages = {int(name.removeprefix("page")): text for name, text in pages.items()}
        self.asked: list[int] = []

    def lines(self, data: bytes, numbers: Sequence[int]) -> dict[int, list[Line]]:
        """Each known page as one line."""
        assert data.startswith(b"%PDF")
        self.asked.extend(numbers)
        return {
            number: [Line.of(self.pages[number], x=60, y=700, size=11, is_bold=False, page=number)]
            for number in numbers
            if number in self.pages
        }


def pages(*texts: str) -> bytes:
    """A PDF with a page for each text; an empty one is a page without text layer."""
    pdf = FPDF()
    pdf.set_font("Helvetica", size=11)
    for text in texts:
        pdf.add_page()
        if text:
            pdf.multi_cell(0, 5, text)
    return bytes(pdf.output())


def scan(*texts: tuple[int, int, int, str]) -> bytes:
    """A PDF of one page that is a picture, with each text at x, y in dots and its size in dots."""
    paper = Image.new("L", (1240, 1754), 255)
    draw = ImageDraw.Draw(paper)
    for x, y, size, text in texts:
        draw.text((x, y), text, font=ImageFont.load_default(size), fill=0)
    buffer = io.BytesIO()
    paper.save(buffer, "JPEG", quality=70)
    pdf = FPDF()
    pdf.add_page()
    pdf.image(buffer, 0, 0, 210, 297)
    return bytes(pdf.output())


def test_only_pages_without_text_are_recognised() -> None:
    """The others keep their text layer; the warnings name both what was recognised and what was not."""
    recogniser = Typed(page2="The second page.", page1="Never asked for.")
    parsed = parse_pdf(pages("The first page.", "", "", "The last page."), name="a.pdf", recogniser=recogniser)
    assert recogniser.asked == [2, 3]
    assert parsed.text == "The first page.\n\nThe second page.\n\nThe last page.\n"
    assert [block.page for block in parsed.blocks] == [1, 2, 4]
    assert parsed.warnings[0] == "Page 2: text by recognition (OCR), which makes mistakes."
    assert parsed.warnings[1].startswith("Page 3 without text, as scans are. Text recognition (OCR) found none either")


def test_scans_on_which_nothing_is_recognised_are_refused() -> None:
    """As without recognition, but with another remedy than to install it."""
    with pytest.raises(Unreadable, match=r"'a\.pdf' has no text layer: pages 1, 2 .*found none either"):
        parse_pdf(pages("", ""), name="a.pdf", recogniser=Typed())


@without_extra
def test_recognition_without_its_extra_is_refused_at_once() -> None:
    """Not at the first scan of a night's sync."""
    with pytest.raises(InvalidSetting, match=r"pip install 'ken\[ocr\]'"):
        IsolatedParser(ocr=True)


@with_extra
@pytest.mark.timeout(300)
def test_a_scan_is_read_with_its_headings_and_tables() -> None:
    """In the worker and its limits; sizes tell headings, places tell columns."""
    rows = [("Port", "Gauges", "Since"), ("Skerrow", "3", "2019"), ("Aldane", "12", "2021")]
    data = scan(
        (140, 120, 60, "Tide gauges"),
        (140, 260, 30, "Every gauge measures the level of the sea by radar once a second"),
        (140, 305, 30, "and sends the mean of each minute to the office."),
        *[
            (140 + 300 * column, 420 + 60 * row, 30, text)
            for row, texts in enumerate(rows)
            for column, text in enumerate(texts)
        ],
    )
    with IsolatedParser(ocr=True) as parser:
        parsed = parser.parse(data, name="scan.pdf")
    assert parsed.text == (
        "# Tide gauges\n\nEvery gauge measures the level of the sea by radar once a second and sends the mean of each minute "
        "to the office.\n\n| Port | Gauges | Since |\n| --- | --- | --- |\n| Skerrow | 3 | 2019 |\n| Aldane | 12 | 2021 |\n"
    )
    assert parsed.warnings == ("Page 1: text by recognition (OCR), which makes mistakes.",)


@with_extra
@pytest.mark.timeout(300)
def test_pages_take_longer_than_a_file_may() -> None:
    """Each scanned page has a limit of its own, however short that of the file is."""
    with IsolatedParser(ocr=True, time_limit_s=1.5) as parser:
        assert "Tide gauges" in parser.parse(scan((140, 120, 60, "Tide gauges")), name="scan.pdf").text
