from __future__ import annotations

import io
import zipfile

import pytest
from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.presentation import Presentation as Deck
from pptx.slide import Slide
from pptx.util import Inches

from ken.domain.document import ParsedDocument
from ken.errors import Unreadable
from ken.knowledge.parse.parser import IsolatedParser, parse

TITLE, TITLE_AND_CONTENT, COMPARISON, TITLE_ONLY, BLANK = 0, 1, 4, 5, 6
MAIN = "http://schemas.openxmlformats.org/presentationml/2006/main"
DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/main"
DIAGRAM = "http://schemas.openxmlformats.org/drawingml/2006/diagram"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
NAMES = f'xmlns:p="{MAIN}" xmlns:a="{DRAWING}" xmlns:r="{LINKS}" xmlns:dgm="{DIAGRAM}"'


def slide(deck: Deck, layout: int, title: str = "") -> Slide:
    """A new slide of that layout."""
    made = deck.slides.add_slide(deck.slide_layouts[layout])
    if title and made.shapes.title is not None:
        made.shapes.title.text = title
    return made


def box(made: Slide, text: str, *, x: float, y: float, height: float = 0.5) -> None:
    """A text box of three inches' width at `x`, `y`."""
    made.shapes.add_textbox(Inches(x), Inches(y), Inches(3), Inches(height)).text_frame.text = text


def parsed(deck: Deck) -> ParsedDocument:
    buffer = io.BytesIO()
    deck.save(buffer)
    return parse(buffer.getvalue(), name="sales/tide-gauges.pptx")


def archive(tree: str, *, head: str = "", relations: str = "", **parts: str) -> bytes:
    """A PPTX file by hand: `tree` is the inside of its only slide's shape tree."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr(
            "ppt/presentation.xml",
            f'<p:presentation {NAMES}><p:sldIdLst><p:sldId r:id="r1"/></p:sldIdLst></p:presentation>',
        )
        opened.writestr(
            "ppt/_rels/presentation.xml.rels",
            f'<Relationships xmlns="{PACKAGE}"><Relationship Id="r1" Type="{LINKS}/slide" Target="slides/slide1.xml"/>'
            f"</Relationships>",
        )
        opened.writestr(
            "ppt/slides/_rels/slide1.xml.rels", f'<Relationships xmlns="{PACKAGE}">{relations}</Relationships>'
        )
        opened.writestr(
            "ppt/slides/slide1.xml",
            f"{head}<p:sld {NAMES}><p:cSld><p:spTree>{tree}</p:spTree></p:cSld></p:sld>",
        )
        for name, content in parts.items():
            opened.writestr(f"ppt/slides/{name}.xml", content)
    return buffer.getvalue()


def shape(text: str, *, properties: str = "") -> str:
    return (
        f'<p:sp><p:nvSpPr><p:cNvPr id="2" name="x" {properties}/><p:nvPr/></p:nvSpPr>'
        f"<p:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp>"
    )


def test_slides_become_headings_points_and_notes() -> None:
    """Titles are headings, a slide without one is counted; points have levels; each block's page is its slide."""
    deck = Presentation()
    slide(deck, TITLE, "Tide gauges").placeholders[1].text = "For port masters"
    made = slide(deck, TITLE_AND_CONTENT, "Why # now")
    frame = made.placeholders[1].text_frame
    frame.text = "first"
    for text, level in (("inner", 1), ("second\vline", 0)):
        frame.add_paragraph().text = text
        frame.paragraphs[-1].level = level
    made.notes_slide.notes_text_frame.text = "Say hello.\nThen wait."
    box(slide(deck, BLANK), "1. A box is no list", x=1, y=1)
    found = parsed(deck)
    assert found.text == (
        "# Tide gauges\n\nFor port masters\n\n## Why # now\n\n- first\n  - inner\n- second  \n  line\n\n"
        "### Speaker notes\n\nSay hello.\n\nThen wait.\n\n## Slide 3\n\n1\\. A box is no list\n"
    )
    assert [(block.kind, block.level, block.page) for block in found.blocks] == [
        ("heading", 1, 1),
        ("paragraph", 0, 1),
        ("heading", 2, 2),
        ("list_item", 1, 2),
        ("list_item", 2, 2),
        ("list_item", 1, 2),
        ("heading", 3, 2),
        ("paragraph", 0, 2),
        ("paragraph", 0, 2),
        ("heading", 2, 3),
        ("paragraph", 0, 3),
    ]
    assert found.metadata.title == "Tide gauges"
    assert found.warnings == ()


def test_tables_have_their_header_and_merged_cells() -> None:
    """A cell that spans rows is repeated, one that spans columns is followed by empty ones."""
    deck = Presentation()
    table = slide(deck, BLANK).shapes.add_table(3, 3, Inches(1), Inches(1), Inches(4), Inches(1)).table
    for number, text in enumerate(["Port", "Gauge|s", "Since", "Skerrow", "3", "", "", "4", "2024"]):
        table.cell(number // 3, number % 3).text = text
    table.cell(1, 0).merge(table.cell(2, 0))
    table.cell(1, 1).merge(table.cell(1, 2))
    assert parsed(deck).text == (
        "## Slide 1\n\n| Port | Gauge\\|s | Since |\n| --- | --- | --- |\n| Skerrow | 3 |  |\n| Skerrow | 4 | 2024 |\n"
    )


def test_charts_are_tables_of_their_series() -> None:
    """Title, categories and the values that the file has stored, as their format shows them."""
    deck = Presentation()
    data = CategoryChartData(number_format="0.0%")
    data.categories = ["North", "South"]
    data.add_series("2025", (0.1, 0.2))
    data.add_series("2026", (0.3, None))
    made = slide(deck, TITLE_ONLY, "Shares")
    frame = made.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, Inches(1), Inches(2), Inches(5), Inches(3), data)
    frame.chart.has_title = True
    frame.chart.chart_title.text_frame.text = "Share by area"
    assert parsed(deck).text == (
        "## Shares\n\nShare by area\n\n|  | 2025 | 2026 |\n| --- | --- | --- |\n| North | 10.0% | 30.0% |\n| South | 20.0% |  |\n"
    )


def test_shapes_are_read_in_the_order_of_their_places() -> None:
    """Top down and left to right; what is close together stays together, also in groups, whoever was drawn first."""
    deck = Presentation()
    made = slide(deck, BLANK)
    box(made, "right body", x=5, y=2, height=3)
    box(made, "right head", x=5, y=1.4)
    box(made, "left body", x=1, y=2, height=3)
    box(made, "left head", x=1, y=1.4)
    box(made, "foot", x=1, y=6.5)
    group = made.shapes.add_group_shape()
    for text, y in (("second of group", 0.7), ("first of group", 0.1)):
        group.shapes.add_textbox(Inches(1), Inches(y), Inches(3), Inches(0.4)).text_frame.text = text
    text = parsed(deck).text
    wanted = ["first of group", "second of group", "left head", "left body", "right head", "right body", "foot"]
    assert text.removeprefix("## Slide 1\n\n").split("\n\n") == [*wanted[:-1], "foot\n"]


def test_labels_stay_beside_what_they_label() -> None:
    """Rows with little between label and text are read row by row."""
    deck = Presentation()
    made = slide(deck, BLANK)
    for row, (year, event) in enumerate([("2024", "founded"), ("2025", "first ship")]):
        box(made, event, x=4.1, y=1 + 1.5 * row)
        box(made, year, x=1, y=1 + 1.5 * row)
    assert parsed(deck).text == "## Slide 1\n\n2024\n\nfounded\n\n2025\n\nfirst ship\n"


def test_placeholders_take_place_and_bullets_from_their_layout() -> None:
    """The heads of a comparison are no points, though they say nothing about it themselves."""
    deck = Presentation()
    made = slide(deck, COMPARISON, "Compare")
    for place, text in enumerate(["left head", "left body", "right head", "right body"], start=1):
        made.placeholders[place].text = text
    assert parsed(deck).text == "## Compare\n\nleft head\n\n- left body\n\nright head\n\n- right body\n"


def test_pictures_are_told_by_their_description() -> None:
    """Not by a file's name, and without what a program adds; a slide of pictures alone is named."""
    picture = (
        '<p:pic><p:nvPicPr><p:cNvPr id="3" name="x" descr="{}"/><p:nvPr/></p:nvPicPr>'
        "<p:spPr><a:xfrm><a:off x='0' y='{}'/></a:xfrm></p:spPr></p:pic>"
    )
    shapes = [
        picture.format("A buoy at sea&#10;&#10;Description automatically generated", 1),
        picture.format("IMG_1.png", 2),
    ]
    assert parse(archive("".join(shapes)), name="a.pptx").text == "## Slide 1\n\nPicture: A buoy at sea\n"
    found = parse(archive(picture.format("IMG_1.png", 1)), name="a.pptx")
    assert found.warnings == ("No text on slide 1; describe the pictures there in words.", "The file holds no text.")


def test_a_diagram_is_a_list_of_its_points() -> None:
    """SmartArt gives its points by depth and order; links in a circle end."""

    def point(number: int, text: str) -> str:
        return f'<dgm:pt modelId="{number}"><dgm:t><a:p><a:r><a:t>{text}</a:t></a:r></a:p></dgm:t></dgm:pt>'

    links = [(0, 2, 1), (0, 1, 0), (1, 3, 0), (3, 1, 0)]
    data = (
        f'<dgm:dataModel {NAMES}><dgm:ptLst><dgm:pt modelId="0" type="doc"/>{point(1, "plan")}{point(2, "build")}'
        f'{point(3, "ask")}<dgm:pt modelId="9" type="pres"/></dgm:ptLst><dgm:cxnLst>'
        + "".join(f'<dgm:cxn srcId="{source}" destId="{end}" srcOrd="{place}"/>' for source, end, place in links)
        + "</dgm:cxnLst></dgm:dataModel>"
    )
    frame = (
        '<p:graphicFrame><a:graphic><a:graphicData><dgm:relIds r:dm="r7"/></a:graphicData></a:graphic></p:graphicFrame>'
    )
    relation = f'<Relationship Id="r7" Type="{LINKS}/diagramData" Target="data1.xml"/>'
    found = parse(archive(frame, relations=relation, data1=data), name="a.pptx")
    assert found.text == "## Slide 1\n\n- plan\n  - ask\n- build\n"


def test_what_is_hidden_is_left_out_and_named() -> None:
    """Hidden slides and shapes are not for the audience; dates, feet and slide numbers are no text."""
    deck = Presentation()
    for number in range(1, 6):
        made = slide(deck, TITLE_ONLY, f"Number {number}")
        if number in {2, 3, 4}:
            made._element.set("show", "0")
    found = parsed(deck)
    assert found.text == "## Number 1\n\n## Number 5\n"
    assert [block.page for block in found.blocks] == [1, 5]
    assert found.warnings == ("Hidden slides were left out: 2–4; show those that are to be found.",)
    foot = shape("17 May").replace("<p:nvPr/>", '<p:nvPr><p:ph type="dt"/></p:nvPr>')
    tree = shape("seen") + shape("unseen", properties='hidden="1"') + foot
    assert parse(archive(tree), name="a.pptx").text == "## Slide 1\n\nseen\n"


def test_document_properties_give_the_metadata() -> None:
    """Title, author and keywords; the title that a program gives to every file is none."""
    deck = Presentation()
    slide(deck, TITLE, "Gauges")
    deck.core_properties.title = "PowerPoint Presentation"
    deck.core_properties.author = "Sales"
    deck.core_properties.keywords = "groups: sales; effective: 2026-02-01"
    told = parsed(deck).metadata
    assert (told.title, told.owner, told.effective, told.groups) == (
        "Gauges",
        "Sales",
        "2026-02-01",
        frozenset({"sales"}),
    )


def test_deep_groups_and_crowded_slides_are_read() -> None:
    """Ten thousand groups in each other, and ten thousand shapes on one slide."""
    deep = "<p:grpSp>" * 10_000 + shape("inside") + "</p:grpSp>" * 10_000
    assert parse(archive(deep), name="a.pptx").text == "## Slide 1\n\ninside\n"
    with IsolatedParser() as parser:
        text = parser.parse(archive("".join(shape(f"number {n}") for n in range(10_000))), name="a.pptx").text
    assert text.count("number") == 10_000


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (
            b"\xd0\xcf\x11\xe0" + "PowerPoint Document".encode("utf-16-le"),
            "is a PowerPoint file older than 2007: save it",
        ),
        (
            b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"),
            "is protected by a password: save it without one",
        ),
        (b"PK\x03\x04 broken", "broken: it is no ZIP archive"),
        (archive(shape("x"))[:-60], "broken"),
        (archive("<p:sp>"), "broken: ppt/slides/slide1.xml is not XML"),
        (archive(shape("&e;"), head='<!DOCTYPE x [<!ENTITY e "boom">]>'), "declares a document type"),
        (archive(" " * 20_000_000), "refused: 'ppt/slides/slide1.xml' is compressed more than 500 times"),
        (archive("", **{f"a{number}": "" for number in range(5_001)}), "refused: it has 5,005 entries"),
    ],
    ids=["old", "password", "no-zip", "cut", "broken-xml", "entity", "ratio", "entries"],
)
def test_broken_and_hostile_files_are_refused(content: bytes, reason: str) -> None:
    """The message names the file and the reason."""
    with pytest.raises(Unreadable, match=rf"'a\.pptx'.*{reason}"):
        parse(content, name="a.pptx")


def test_a_file_of_another_kind_is_refused() -> None:
    """A Word document by another name says what is missing."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        opened.writestr("word/document.xml", "<x/>")
    with pytest.raises(Unreadable, match="is no PowerPoint presentation"):
        parse(buffer.getvalue(), name="a.pptx")


def test_nothing_outside_of_the_file_is_read() -> None:
    """A diagram or a chart that is linked, not held, is left out."""
    relation = f'<Relationship Id="r7" TargetMode="External" Type="{LINKS}/diagramData" Target="file:///etc/passwd"/>'
    frame = (
        '<p:graphicFrame><a:graphic><a:graphicData><dgm:relIds r:dm="r7"/></a:graphicData></a:graphic></p:graphicFrame>'
    )
    assert parse(archive(shape("x") + frame, relations=relation), name="a.pptx").text == "## Slide 1\n\nx\n"
