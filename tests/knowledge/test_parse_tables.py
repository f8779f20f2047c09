from __future__ import annotations

import time

import pytest

from ken.domain.document import ParsedDocument
from ken.errors import Unreadable
from ken.knowledge.parse.parser import IsolatedParser, parse

FARES = """\
Zone;Single;Monthly;Valid from
Inner;1,80;49,00;2026-01-01
Outer;3,20;81,50;2026-01-01
"""


def read(source: str | bytes, name: str = "rates/fares_2026.csv") -> ParsedDocument:
    return parse(source if isinstance(source, bytes) else source.encode(), name=name)


def table(source: str | bytes, name: str = "fares.csv") -> list[list[str]]:
    """The cells of the one table that `source` becomes, header first, rule left out."""
    parsed = read(source, name)
    (block,) = [block for block in parsed.blocks if block.kind == "table"]
    lines = parsed.text[block.start : block.end].split("\n")
    assert set(lines[1]) <= set("|- ")
    return [[cell.strip() for cell in line.strip("|").split("|")] for number, line in enumerate(lines) if number != 1]


def test_a_file_becomes_one_table_under_its_header() -> None:
    """The header row is followed by the rule, decimal commas stay, and the title is the file's name."""
    parsed = read(FARES)
    assert parsed.text == (
        "| Zone | Single | Monthly | Valid from |\n"
        "| --- | --- | --- | --- |\n"
        "| Inner | 1,80 | 49,00 | 2026-01-01 |\n"
        "| Outer | 3,20 | 81,50 | 2026-01-01 |\n"
    )
    assert [(block.kind, block.start, block.end) for block in parsed.blocks] == [("table", 0, len(parsed.text) - 1)]
    assert (parsed.markup, parsed.metadata.title, parsed.warnings) == ("markdown", "Fares 2026", ())


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("a,b\n1,2\n", "x.csv"),
        ("a;b\n1;2\n", "x.csv"),
        ("a\tb\n1\t2\n", "x.csv"),
        ("a|b\n1|2\n", "x.csv"),
        ("sep=|\na|b\n1|2\n", "x.csv"),
        ("a\tb\n1\t2\n", "x.tsv"),
        ('"a","b"\r\n"1","2"\r\n', "x.csv"),
        ("\ufeffa,b\n1,2", "x.csv"),
        ("a,b,\n1,2,\n", "x.csv"),
        ("\n\na,b\n\n1,2\n,\n", "x.csv"),
    ],
)
def test_the_dialect_is_found(source: str, name: str) -> None:
    """Commas, semicolons, tabs, bars; quotes, byte-order marks, blank lines and columns of nothing."""
    assert table(source, name) == [["a", "b"], ["1", "2"]]


@pytest.mark.parametrize(
    ("source", "rows"),
    [
        (
            "name;price\nTea, green;1,5\nTea, black;2,7\n",
            [["name", "price"], ["Tea, green", "1,5"], ["Tea, black", "2,7"]],
        ),
        ("1,5;2,5\n3,5;4,5\n", [["", ""], ["1,5", "2,5"], ["3,5", "4,5"]]),
        ("tags,n\na;b,1\nc;d,2\n", [["tags", "n"], ["a;b", "1"], ["c;d", "2"]]),
        ("name\tnote\nx\ta, b; c\ny\td, e; f\n", [["name", "note"], ["x", "a, b; c"], ["y", "d, e; f"]]),
    ],
)
def test_what_looks_like_another_delimiter_is_text(source: str, rows: list[list[str]]) -> None:
    """Decimal commas, lists in a cell and prose do not part columns."""
    assert table(source) == rows


def test_quoted_cells_may_hold_anything() -> None:
    """Line breaks become blanks; delimiters, bars and doubled quotation marks stay."""
    source = 'question,answer\n"What, now?","Stay ""calm"".\nThen a|b."\nwhy,7\n'
    assert read(source).text.split("\n")[2] == '| What, now? | Stay "calm". Then a\\|b. |'


def test_a_quote_that_is_never_closed_swallows_nothing() -> None:
    """Each line is a row then, with a warning; whole quotes still hold."""
    parsed = read('name,note\n"Tea, green",fine\nCoffee,"strong\nMilk,white\nWater,clear\n')
    assert [line for line in parsed.text.split("\n") if line][2:] == [
        "| Tea, green | fine |",
        "| Coffee | strong |",
        "| Milk | white |",
        "| Water | clear |",
    ]
    assert "never closed" in parsed.warnings[0]


@pytest.mark.parametrize(
    ("source", "header"),
    [
        ("Name,2024,2025\nTea,1,2\n", ["Name", "2024", "2025"]),
        ("Name,Age\nAnn,33\n", ["Name", "Age"]),
        ("city,country\nBern,Switzerland\nRome,Italy\n", ["city", "country"]),
        ("mail\na@x.example\nb@x.example\n", ["mail"]),
        ("1,2\n3,4\n", ["", ""]),
        ("Ann,33\nBob,44\n", ["", ""]),
        ("yes,no,maybe\nyes,yes,no\n", ["", "", ""]),
        ("2026-01-01,rain\n2026-01-02,sun\n", ["", ""]),
        ("apples\npears\n", [""]),
    ],
)
def test_the_header_is_known_from_data(source: str, header: list[str]) -> None:
    """Names above values are a header; figures, dates, repeated values and lists of words are none."""
    assert table(source)[0] == header


def test_lines_above_the_table_are_paragraphs() -> None:
    """Titles that a spreadsheet leaves there don't become a header."""
    parsed = read("Budget 2026,,\nIn thousands,,\n,,\nTeam,Plan,Actual\nOps,10,12\n")
    assert parsed.text.startswith("Budget 2026\n\nIn thousands\n\n| Team | Plan | Actual |\n| --- |")


def test_ragged_rows_lose_nothing() -> None:
    """Short rows are filled up, surplus cells go into the last column, and a warning counts them."""
    parsed = read("a,b,c\n1,2,3\n4\n5,6,7,8,9\n")
    assert parsed.text.split("\n")[3:5] == ["| 4 |  |  |", "| 5 | 6 | 7, 8, 9 |"]
    assert parsed.warnings == ("2 of 3 rows have more or fewer than 3 cells.",)


def test_columns_without_values_are_left_out() -> None:
    """A named one is mentioned, one without a name isn't."""
    parsed = read("a,b,,d\n1,,,x\n2,,,y\n")
    assert parsed.text.startswith("| a | d |\n")
    assert parsed.warnings == ("1 columns hold nothing and were left out: b.",)


def test_rows_of_long_texts_become_sections() -> None:
    """A row that fills a passage by itself is a heading with its cells by name, not a line of a table."""
    long = "It depends on the weather. " * 40
    parsed = read(f"question,answer,owner\nWhen?,{long},Ann\nWhy?,{long},Bob\n")
    assert [(block.kind, block.level) for block in parsed.blocks[:4]] == [
        ("heading", 2),
        ("list_item", 1),
        ("list_item", 1),
        ("list_item", 1),
    ]
    assert parsed.text.startswith("## When?\n\n- question: When?\n- answer: It depends")


def test_a_hundred_thousand_rows_are_cut_with_a_warning() -> None:
    """Rows over the limit are named as left out, and reading takes seconds, not minutes."""
    source = "id,name,amount\n" + "".join(f"{number},name {number},{number}.5\n" for number in range(100_000))
    began = time.process_time()
    parsed = read(source)
    assert time.process_time() - began < 10
    assert parsed.text.count("\n") == 20_002
    assert "first 20,000 rows were taken of about 100,002 lines" in parsed.warnings[0]


def test_a_table_without_rows_says_so() -> None:
    """A header alone is kept."""
    parsed = read("zone,fare\n")
    assert parsed.text == "| zone | fare |\n| --- | --- |\n"


def test_other_encodings_are_read() -> None:
    """What spreadsheets export: UTF-16 with tabs, Windows-1252 with semicolons."""
    assert table("Ort\tPreis\nZürich\t3\n".encode("utf-16")) == [["Ort", "Preis"], ["Zürich", "3"]]
    assert table("Ort;Preis\nZürich;3\n".encode("cp1252")) == [["Ort", "Preis"], ["Zürich", "3"]]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (b"", "is empty"),
        (b"PK\x03\x04" + b"x" * 50, "ZIP archive or an Office file"),
        (b"a\x00\x01\x02" * 100, "binary"),
        (b"a," * 600_000, "1,200,000 characters in its line 1"),
        (b"a," * 2_000 + b"\n", "2,001 columns"),
    ],
)
def test_what_is_no_table_is_refused(source: bytes, reason: str) -> None:
    """The message names the file and says why."""
    with pytest.raises(Unreadable, match=r"odd\.csv") as refused:
        read(source, "odd.csv")
    assert reason in str(refused.value)


def test_a_gigabyte_is_refused_by_its_size() -> None:
    """Nobody looks at what is in it: the size and the remedy are all that the message needs."""
    with IsolatedParser(max_file_mb=1) as parser, pytest.raises(Unreadable, match="at most 1 MB are read: split it"):
        parser.parse(b"a,b\n" * 500_000, name="huge.csv")
