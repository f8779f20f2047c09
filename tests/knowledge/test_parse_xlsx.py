from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from xlsxwriter import Workbook

from ken.domain.document import ParsedDocument
from ken.errors import Unreadable
from ken.knowledge.parse.markdown import markdown_blocks
from ken.knowledge.parse.parser import IsolatedParser, parse

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


@dataclass(slots=True)
class Written:
    """A workbook that is being written, and what it is read as."""

    book: Workbook
    buffer: io.BytesIO

    def parsed(self) -> ParsedDocument:
        """Close the workbook and read it."""
        self.book.close()
        return parse(self.buffer.getvalue(), name="finance/figures.xlsx")


@contextmanager
def workbook(options: dict[str, bool] | None = None) -> Generator[Written]:
    buffer = io.BytesIO()
    yield Written(Workbook(buffer, options or {}), buffer)


def archive(sheet: str, *, strings: str = "", head: str = "", book: str = "", relation: str = "") -> bytes:
    """An XLSX file by hand: `sheet` is the inside of its only worksheet, `strings` of the shared strings."""
    buffer = io.BytesIO()
    sheets = book or '<sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets>'
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("xl/workbook.xml", f'<workbook xmlns="{MAIN}" xmlns:r="{LINKS}">{sheets}</workbook>')
        opened.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{PACKAGE}">'
            f'<Relationship Id="r1" Type="{LINKS}/worksheet" Target="worksheets/sheet1.xml"/>'
            f'<Relationship Id="r2" Type="{LINKS}/sharedStrings" Target="/xl/sharedStrings.xml"/>{relation}</Relationships>',
        )
        opened.writestr("xl/sharedStrings.xml", f'<sst xmlns="{MAIN}">{strings}</sst>')
        opened.writestr("xl/worksheets/sheet1.xml", f'{head}<worksheet xmlns="{MAIN}">{sheet}</worksheet>')
    return buffer.getvalue()


def no_workbook() -> bytes:
    """A Word document by another name."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        opened.writestr("word/document.xml", "<w:document xmlns:w='x'/>")
    return buffer.getvalue()


def data(*rows: str) -> str:
    return f"<sheetData>{''.join(rows)}</sheetData>"


def test_a_sheet_becomes_a_heading_and_its_tables() -> None:
    """A title, a table with its header, a remark below, and after blank rows a second table; columns keep their places."""
    with workbook() as written:
        sheet = written.book.add_worksheet("Budget | plan")
        sheet.write("B2", "Costs of 2026")
        sheet.write_row("B4", ["Item", "Place", "Open"])
        sheet.write_row("B5", ["Rent|power", "Hall 2", True])
        sheet.write_row("B6", ["Staff", "", False])
        sheet.write("B7", "Without # tax.")
        sheet.write_row("B10", ["Team", "Head\nof team"])
        sheet.write_row("B11", ["Lab", "Ann"])
        sheet.write_row("B12", ["Shop", "Bo"])
        written.book.add_worksheet("Empty")
        parsed = written.parsed()
    assert parsed.text == (
        "## Budget | plan\n\nCosts of 2026\n\n"
        "| Item | Place | Open |\n| --- | --- | --- |\n| Rent\\|power | Hall 2 | TRUE |\n| Staff |  | FALSE |\n\n"
        "Without # tax.\n\n"
        "| Team | Head of team |\n| --- | --- |\n| Lab | Ann |\n| Shop | Bo |\n"
    )
    assert parsed.warnings == ()
    assert parsed.metadata.title == "Figures"
    assert [block.kind for block in parsed.blocks] == ["heading", "paragraph", "table", "paragraph", "table"]
    assert parsed.blocks == markdown_blocks(parsed.text)


@pytest.mark.parametrize(
    ("value", "code", "shown"),
    [
        (0.125, "0.0%", "12.5%"),
        (1234.5, "#,##0.00", "1,234.50"),
        (-1234.5, "#,##0.00_);[Red](#,##0.00)", "-1,234.50"),
        (1500, "$#,##0", "$1,500"),
        (1234.5, "_-* #,##0.00 [$€-407]_-;-* #,##0.00 [$€-407]_-", "1,234.50 €"),
        (45_689, "dd.mm.yyyy", "2025-02-01"),
        (45_689.75, "m/d/yy h:mm AM/PM", "2025-02-01 18:00"),
        (45_689, "mmm yyyy", "2025-02"),
        (59, "yyyy-mm-dd", "1900-02-28"),
        (0.75, "h:mm:ss", "18:00:00"),
        (1.5, "[h]:mm", "36:00"),
        (12, '0 "kg"', "12 kg"),
        (42, "00000", "00042"),
        (123_456_789, "000-00-0000", "123-45-6789"),
        (1.5, "# ?/?", "1 1/2"),
        (12_345.678, "0.00E+00", "1.23E+4"),
        (1_234_567, '[>=1000000]0.0,,"M";0', "1.2M"),
        (2.675, "0.00", "2.68"),
        (0.1 + 0.2, "General", "0.3"),
        (-7, "0;(0)", "-7"),
        (5, "@", "5"),
        (-1, "yyyy-mm-dd", "-1"),
    ],
)
def test_numbers_are_read_as_their_format_shows_them(value: float, code: str, shown: str) -> None:
    """Percentages, currencies, thousands, fractions, durations; dates in ISO 8601."""
    with workbook() as written:
        sheet = written.book.add_worksheet()
        sheet.write_row(0, 0, ["Name", "Value"])
        sheet.write(1, 0, "It")
        sheet.write_number(1, 1, value, written.book.add_format({"num_format": code}))
        parsed = written.parsed()
    assert parsed.text.endswith(f"| It | {shown} |\n")


def test_dates_may_count_from_1904() -> None:
    """The other epoch, as some programs have it, gives the same day."""
    with workbook({"date_1904": True}) as written:
        sheet = written.book.add_worksheet()
        style = written.book.add_format({"num_format": "yyyy-mm-dd"})
        sheet.write_datetime(0, 0, dt.datetime(2026, 2, 1), style)  # noqa: DTZ001 - cells have no time zone
        parsed = written.parsed()
    assert parsed.text == "## Sheet1\n\n2026-02-01\n"


def test_formulas_read_as_their_stored_results() -> None:
    """Numbers, texts and errors; what was never calculated reads as empty, with a warning."""
    with workbook() as written:
        sheet = written.book.add_worksheet()
        sheet.write_row("A1", ["Sum", "Word", "Error", "Link"])
        sheet.write_formula("A2", "=1+1", None, 2)
        sheet.write_formula("B2", '="a"&"b"', None, "ab")
        sheet.write_formula("C2", "=1/0", None, "#DIV/0!")
        sheet.write_url("D2", "https://example.org/x", string="here")
        parsed = written.parsed()
    assert parsed.text.endswith("| 2 | ab | #DIV/0! | here |\n")
    told = parse(archive(data('<row r="1"><c r="A1"><v>1</v></c><c r="B1"><f>A1</f></c></row>')), name="a.xlsx")
    assert told.warnings == (
        "Sheet 'S': formulas without a stored result (1) read as empty; open it in a spreadsheet program and save it.",
    )


def test_merged_cells_are_repeated_down_and_names_above_several_columns_go_to_each() -> None:
    """Each row can be quoted for itself, and each column has its whole name."""
    with workbook() as written:
        sheet = written.book.add_worksheet()
        sheet.write("A1", "Area")
        sheet.merge_range("B1:C1", "2025")
        sheet.merge_range("D1:E1", "2026")
        sheet.write_row("B2", ["Q1", "Q2", "Q1", "Q2"])
        sheet.merge_range("A3:A4", "North")
        sheet.write_row("B3", [1, 2, 3, 4])
        sheet.write_row("B4", [5, 6, 7, 8])
        text = written.parsed().text
    assert text == (
        "## Sheet1\n\n| Area | 2025 Q1 | 2025 Q2 | 2026 Q1 | 2026 Q2 |\n| --- | --- | --- | --- | --- |\n"
        "| North | 1 | 2 | 3 | 4 |\n| North | 5 | 6 | 7 | 8 |\n"
    )


def test_what_is_hidden_is_left_out_and_named() -> None:
    """Hidden sheets, rows and columns are none of a reader's business; the warning says that they are there."""
    with workbook() as written:
        sheet = written.book.add_worksheet("Seen")
        sheet.write_row("A1", ["Name", "Salary", "Room"])
        sheet.write_row("A2", ["Ann", 4711, 12])
        sheet.write_row("A3", ["Bo", 4712, 13])
        sheet.write_row("A4", ["Cy", 4713, 14])
        sheet.set_column("B:B", None, None, {"hidden": True})
        sheet.set_row(2, None, None, {"hidden": True})
        for name in ("Secret", "Deep"):
            hidden = written.book.add_worksheet(name)
            hidden.write("A1", "The safe opens with 4711.")
            hidden.very_hidden() if name == "Deep" else hidden.hide()
        parsed = written.parsed()
    assert parsed.text == "## Seen\n\n| Name | Room |\n| --- | --- |\n| Ann | 12 |\n| Cy | 14 |\n"
    assert parsed.warnings == (
        "Hidden sheets were left out: 'Secret', 'Deep'; unhide what is to be found.",
        "Sheet 'Seen': hidden rows (1) were left out; unhide what is to be found.",
        "Sheet 'Seen': hidden columns were left out; unhide what is to be found.",
    )


def test_a_table_that_the_file_declares_has_its_header() -> None:
    """Also where the row would not look like one, and right below another table."""
    with workbook() as written:
        sheet = written.book.add_worksheet()
        sheet.write_row("A1", ["x", 1])
        sheet.write_row("A2", ["y", 2])
        sheet.add_table("A3:B5", {"columns": [{"header": "2024"}, {"header": "y"}], "data": [["a", "b"], ["y", "y"]]})
        text = written.parsed().text
    assert "| x | 1 |\n| y | 2 |\n\n| 2024 | y |\n| --- | --- |\n| a | b |\n| y | y |\n" in text


def test_tables_side_by_side_are_apart_and_a_blank_row_inside_one_parts_nothing() -> None:
    """Blank columns part tables that have names of their own; rows of the same columns go on with their table."""
    with workbook() as written:
        sheet = written.book.add_worksheet()
        sheet.write_row("A1", ["Town", "People"])
        sheet.write_row("A2", ["Skerrow", 900])
        sheet.write_row("A4", ["Aldane", 700])
        other = written.book.add_worksheet()
        other.write_row("A1", ["Town", "People"])
        other.write_row("A2", ["Skerrow", 900])
        other.write_row("D1", ["Ship", "Crew"])
        other.write_row("D2", ["Marsh Hen", 4])
        text = written.parsed().text
    assert text == (
        "## Sheet1\n\n| Town | People |\n| --- | --- |\n| Skerrow | 900 |\n| Aldane | 700 |\n\n"
        "## Sheet2\n\n| Town | People |\n| --- | --- |\n| Skerrow | 900 |\n\n"
        "| Ship | Crew |\n| --- | --- |\n| Marsh Hen | 4 |\n"
    )


def test_a_form_has_no_header() -> None:
    """Where the names stand on the left, the first row tells something of its own."""
    with workbook() as written:
        sheet = written.book.add_worksheet()
        for row, pair in enumerate([("Name", "Ann"), ("Room", 12), ("Team", "Lab")]):
            sheet.write_row(row, 0, pair)
        text = written.parsed().text
    assert text == "## Sheet1\n\n|  |  |\n| --- | --- |\n| Name | Ann |\n| Room | 12 |\n| Team | Lab |\n"


def test_a_column_of_texts_is_a_list() -> None:
    """Short ones are points; long ones are paragraphs."""
    with workbook() as written:
        written.book.add_worksheet("A").write_column("A1", ["one", "two", "- three", "4. four"])
        written.book.add_worksheet("B").write_column("A1", ["A sentence " * 12, "Another one."])
        parsed = written.parsed()
    assert [block.kind for block in parsed.blocks] == [
        "heading",
        *["list_item"] * 4,
        "heading",
        "paragraph",
        "paragraph",
    ]
    assert "- one\n- two\n- \\- three\n- 4\\. four\n" in parsed.text


def test_document_properties_give_the_metadata() -> None:
    """Title, author and keywords of the form `groups: finance, legal; effective: 2026-02-01`."""
    with workbook() as written:
        written.book.add_worksheet().write("A1", "x")
        written.book.set_properties(
            {"title": "Plan", "author": "Finance", "keywords": "groups: finance; effective: 2026-02-01"}
        )
        told = written.parsed().metadata
    assert (told.title, told.owner, told.effective, told.groups) == (
        "Plan",
        "Finance",
        "2026-02-01",
        frozenset({"finance"}),
    )


def test_every_way_to_write_a_text_is_read() -> None:
    """Shared ones in runs without pronunciation, inline ones, escaped characters, cells and rows without a reference."""
    strings = (
        "<si><r><t>run </t></r><r><t>on</t></r><rPh sb='0' eb='1'><t>guide</t></rPh></si><si><t>a_x000A_b</t></si>"
    )
    row = (
        "<row><c t='s'><v>0</v></c><c t='s'><v>1</v></c><c t='inlineStr'><is><t>in</t><rPh><t>no</t></rPh></is></c>"
        "<c t='d'><v>2026-02-01T00:00:00</v></c><c t='s'><v>99</v></c></row>"
    )
    parsed = parse(archive(data(row, "<row><c><v>7</v></c><c><v>8</v></c></row>"), strings=strings), name="a.xlsx")
    assert parsed.text.endswith("| run on | a b | in | 2026-02-01 |\n| --- | --- | --- | --- |\n| 7 | 8 |  |  |\n")
    assert parsed.warnings == ("Sheet 'S': cells whose text the file doesn't hold (1) read as empty.",)


def test_the_strict_variant_is_read() -> None:
    """The standard has two sets of names for the same things."""
    buffer = io.BytesIO()
    usual = io.BytesIO(archive(data("<row><c t='str'><v>strict</v></c></row>")))
    with zipfile.ZipFile(usual) as opened, zipfile.ZipFile(buffer, "w") as strict:
        for part in opened.namelist():
            content = opened.read(part).decode()
            for kind in ("spreadsheetml", "officeDocument"):
                content = content.replace(
                    f"http://schemas.openxmlformats.org/{kind}/2006/", f"http://purl.oclc.org/ooxml/{kind}/"
                )
            strict.writestr(part, content)
    assert parse(buffer.getvalue(), name="a.xlsx").text == "## S\n\nstrict\n"


def test_a_large_sheet_is_read_up_to_a_limit() -> None:
    """The warning says where it ends; reading stops there."""
    rows = (
        f'<row r="{number}"><c t="str"><v>name {number}</v></c><c><v>{number}</v></c></row>'
        for number in range(1, 50_100)
    )
    parsed = parse(archive(data(*rows)), name="a.xlsx")
    assert parsed.text.endswith("| name 50000 | 50000 |\n")
    assert parsed.warnings[0].startswith("Sheet 'S' is read up to row 50,000: at most 50,000 rows")
    wide = "<row>" + "<c><v>1</v></c>" * 300 + "</row>"
    parsed = parse(archive(data(wide, wide)), name="a.xlsx")
    assert parsed.warnings == ("Sheet 'S': of rows with more than 200 values (2) the others were left out.",)


def test_cells_far_apart_take_no_room() -> None:
    """The first and the last cell of a sheet, merged over a million rows."""
    sheet = data('<row r="1"><c r="A1"><v>1</v></c></row>', '<row r="1048576"><c r="XFD1048576"><v>2</v></c></row>')
    merged = '<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>' * 1_000
    assert parse(archive(sheet + merged), name="a.xlsx").text.startswith("## S\n\n1\n")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xd0\xcf\x11\xe0" + b"x" * 100, "is encrypted, or older than 2007: save it as .xlsx"),
        (b"\xd0\xcf\x11\xe0" + "Workbook".encode("utf-16-le"), "is an Excel file older than 2007: save it as .xlsx"),
        (
            b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"),
            "is protected by a password: save it without one",
        ),
        (b"no archive", "broken: it is no ZIP archive"),
        (archive(data("<row>"))[:-80], "broken"),
        (archive("<sheetData>"), "broken: xl/worksheets/sheet1.xml is not XML"),
        (archive(data(), head='<!DOCTYPE x [<!ENTITY e "boom">]>'), "declares a document type"),
        (archive(" " * 20_000_000), "refused: 'xl/worksheets/sheet1.xml' is compressed more than 500 times"),
        (no_workbook(), "is no Excel workbook"),
    ],
    ids=["compound", "old", "password", "no-zip", "cut", "broken-xml", "entity", "ratio", "other-root"],
)
def test_broken_and_hostile_files_are_refused(content: bytes, reason: str) -> None:
    """The message names the file and the reason."""
    with pytest.raises(Unreadable, match=rf"'a\.xlsx'.*{reason}"):
        parse(content, name="a.xlsx")


def test_nothing_outside_of_the_file_is_read() -> None:
    """Relations that lead out, or to parts that are not there, are as if they weren't."""
    for target in ("file:///etc/passwd", "http://127.0.0.1:9/x", "../../../../etc/passwd"):
        relation = f'<Relationship Id="r9" TargetMode="External" Type="{LINKS}/worksheet" Target="{target}"/>'
        inside = relation.replace("External", "Internal").replace("r9", "r8")
        book = '<sheets><sheet name="A" r:id="r9"/><sheet name="B" r:id="r8"/><sheet name="S" r:id="r1"/></sheets>'
        found = archive(data("<row><c><v>1</v></c></row>"), book=book, relation=relation + inside)
        assert parse(found, name="a.xlsx").text == "## S\n\n1\n"


def test_deep_nesting_is_no_harm() -> None:
    """A hundred thousand elements in each other are passed over in the worker's limits."""
    deep = "<x>" * 100_000 + "</x>" * 100_000
    with IsolatedParser() as parser:
        assert parser.parse(archive(deep + data("<row><c><v>1</v></c></row>")), name="a.xlsx").text == "## S\n\n1\n"
