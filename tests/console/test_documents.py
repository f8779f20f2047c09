"""Documents and the search playground in a browser."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.service.corpus import FILES
from tests.service.serving import Served

CRANE = FILES["crane.md"]
FONTS = "<< /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>"


def pdf(*pages: str) -> bytes:
    """A PDF of a line a page, in a font that every reader has."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", ""]
    kids: list[str] = []
    for text in pages:
        number = len(objects) + 1
        stream = f"BT /F1 18 Tf 60 700 Td ({text}) Tj ET"
        objects += [
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {number + 1} 0 R /Resources {FONTS} >>",
            f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
        ]
        kids.append(f"{number} 0 R")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    body, places = "%PDF-1.4\n", list[int]()
    for number, each in enumerate(objects, 1):
        places.append(len(body))
        body += f"{number} 0 obj\n{each}\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    count = len(objects) + 1
    end = f"trailer << /Size {count} /Root 1 0 R >>\nstartxref\n{len(body)}\n%%EOF\n"
    return f"{body}xref\n0 {count}\n0000000000 65535 f \n{table}{end}".encode()


def test_a_citation_opens_cold_at_its_words(page: Page, served: Served) -> None:
    """The cited words are marked to the letter after emoji, across bold, in view, and the keyboard is there."""
    start, end = CRANE.index("boats of up to **12 tonnes**"), CRANE.index(" A lift is booked")
    page.goto(f"{served.url}/documents/harbour/crane.md?start={start}&end={end}")
    marks = page.locator("mark")
    expect(marks.first).to_be_in_viewport()
    expect(marks.first).to_be_focused()
    expect(marks).to_have_text(["Cited: boats of up to ", "12 tonnes", "."])
    after = CRANE.index("After a storm")
    page.goto(f"{served.url}/documents/harbour/crane.md?start={after}&end={after + len('After a storm')}")
    expect(page.locator("mark")).to_have_text(["Cited: After a storm"])


def test_a_document_tells_what_a_reader_must_know(page: Page, served: Served) -> None:
    """Title, owner and a review that is due; passages outlined; a heading and words are gone to by the keyboard alone."""
    page.goto(f"{served.url}/documents/harbour/office.md")
    expect(page.get_by_role("heading", level=1, name=re.compile("Harbour office"))).to_be_visible()
    expect(page.get_by_text("Its review was due on")).to_be_visible()
    page.get_by_text("About this document: Harbour master").click()
    expect(page.get_by_text("everyone")).to_be_visible()
    page.get_by_role("checkbox", name=re.compile("Outline the passages")).press("Space")
    expect(page.get_by_text(re.compile(r"^Passage 0 · "))).to_be_visible()
    page.get_by_role("navigation", name="Contents").get_by_role("button", name="Lost keys").press("Enter")
    expect(page.get_by_role("heading", name="Lost keys")).to_be_focused()
    find = page.get_by_role("searchbox", name="Find in this document")
    find.fill("office")
    expect(page.get_by_text(re.compile(r"^1 of [4-9]$"))).to_be_visible()
    find.press("Enter")
    expect(page.get_by_text(re.compile(r"^2 of [4-9]$"))).to_be_visible()
    page.get_by_role("article").get_by_role("link", name="the crane").click()
    expect(page).to_have_url(f"{served.url}/documents/harbour/crane.md#bookings")


def test_what_changed_or_is_not_there_is_said(page: Page, served: Served) -> None:
    """A citation of another text isn't marked; a document that may not be read looks as if it weren't there."""
    page.goto(f"{served.url}/documents/harbour/crane.md?start=3&end=9&version={'0' * 64}")
    expect(page.get_by_text("This document has changed since it was cited")).to_be_visible()
    expect(page.locator("mark")).to_have_count(0)
    page.goto(f"{served.url}/documents/harbour/nothing.md")
    expect(page.get_by_text("that you may read")).to_be_visible()


def test_the_original_file_is_kept(page: Page, served: Served) -> None:
    """The file that was pushed comes back, byte by byte."""
    name, data = "notes/öffnung.txt", b"The gate opens at five.\n"
    with served.client() as client:
        assert client.put(f"/api/documents/{name}", content=data).status_code == 200
    page.goto(f"{served.url}/documents/{quote(name)}")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Original file").click()
    assert waiting.value.suggested_filename == "öffnung.txt"
    assert waiting.value.path().read_bytes() == data


def test_a_page_of_a_pdf_is_drawn_with_its_quotation(page: Page, served: Served) -> None:
    """The page where the cited words stand, though another was named, as it was made; the text is a tab away."""
    with served.client() as client:
        client.put("/api/documents/notes/tides.pdf", content=pdf("The first page of tides.", "High water is at noon."))
        opened = client.get("/api/documents/notes/tides.pdf").json()
    start = opened["text"].index("High water")
    page.goto(f"{served.url}/documents/notes/tides.pdf?start={start}&end={start + len('High water')}&page=1")
    drawn = page.get_by_role("group", name="Page 2")
    expect(page.get_by_text("Page 2 of 2")).to_be_visible()
    expect(drawn.get_by_label("Cited")).to_be_in_viewport()
    box, sheet = drawn.get_by_label("Cited").bounding_box(), drawn.bounding_box()
    assert box is not None
    assert sheet is not None
    assert 0.08 < (box["x"] - sheet["x"]) / sheet["width"] < 0.13
    assert 0.13 < (box["y"] - sheet["y"]) / sheet["height"] < 0.19
    ink = page.evaluate(
        """() => {
          const canvas = document.querySelector('canvas');
          const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
          return data.filter((value, index) => index % 4 === 0 && value < 100).length;
        }"""
    )
    assert ink > 50
    page.get_by_role("tab", name="Text").click()
    expect(page.locator("mark")).to_have_text(["Cited: High water"])


def test_a_search_says_why_each_passage_is_found(page: Page, served: Served) -> None:
    """By the keyboard alone: asked, explained, compared, and a passage opened where it stands."""
    page.goto(f"{served.url}/search")
    page.get_by_role("searchbox", name="Question").fill("What does the crane lift?")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/search\?q=What"))
    first = page.get_by_role("region", name="What was found").get_by_role("listitem").first
    expect(first.get_by_role("link", name="Crane")).to_be_visible()
    first.get_by_text("Why it stands here").click()
    expect(first.get_by_role("rowheader", name=re.compile("^Words"))).to_be_visible()
    expect(first.get_by_role("rowheader", name=re.compile("^Meaning"))).to_be_visible()
    page.get_by_role("button", name="Compare with another search").click()
    page.get_by_role("searchbox", name="Compared with").fill("fuel station diesel")
    page.keyboard.press("Enter")
    second = page.get_by_role("region", name="fuel station diesel")
    expect(second.get_by_role("link", name="Fuel").first).to_be_visible()
    first_column = page.get_by_role("region", name="What does the crane lift?")
    first_column.get_by_role("link", name="Crane").first.click()
    expect(page.locator("mark").first).to_be_in_viewport()


@pytest.mark.parametrize("path", ["/documents/harbour/office.md?start=20&end=60", "/search?q=berth%20fees"])
def test_nothing_is_wider_than_a_phone(page: Page, served: Served, path: str) -> None:
    """At 360 pixels the page scrolls down alone."""
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"{served.url}{path}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_text(re.compile("Berth fees|Fee for a night")).first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
