from __future__ import annotations

from ken.domain.document import ParsedDocument
from ken.knowledge.parse.parser import parse


def blocks(source: str) -> list[tuple[str, int, str]]:
    parsed: ParsedDocument = parse(source.encode(), name="notes/my-file.txt")
    assert parsed.markup == "plain"
    assert parsed.text == source
    return [(block.kind, block.level, parsed.text[block.start : block.end]) for block in parsed.blocks]


def test_underlines_and_capitals_make_headings() -> None:
    """`===` makes level 1, `---` level 2, short lines in capitals too; the underline is no part of them."""
    source = "Guide\n=====\nIntro.\n\nPart\n----\nText.\n\nWHAT IT COSTS\n\nMoney.\n"
    assert blocks(source) == [
        ("heading", 1, "Guide"),
        ("paragraph", 0, "Intro."),
        ("heading", 2, "Part"),
        ("paragraph", 0, "Text."),
        ("heading", 2, "WHAT IT COSTS"),
        ("paragraph", 0, "Money."),
    ]


def test_the_first_heading_is_the_title() -> None:
    """A text that begins with a line in capitals is named by it, others by their file."""
    assert parse(b"VOLUNTEER TIME\n\nText.", name="a.txt").metadata.title == "VOLUNTEER TIME"
    assert parse(b"Text only.", name="notes/my-file.txt").metadata.title == "My file"


def test_lists_have_points_with_depth() -> None:
    """Bullets and numbers begin points, indentation nests them, other lines go on with them."""
    source = "You need:\n- a pen\n  and ink\n  * black\n- paper\n\n  of good weight\n\n1) go\n2) stay\n"
    assert blocks(source) == [
        ("paragraph", 0, "You need:"),
        ("list_item", 1, "- a pen\n  and ink"),
        ("list_item", 2, "* black"),
        ("list_item", 1, "- paper"),
        ("list_item", 1, "of good weight"),
        ("list_item", 1, "1) go"),
        ("list_item", 1, "2) stay"),
    ]


def test_indented_blocks_are_code_or_quotations() -> None:
    """Short lines are code, running text is a quotation; the indentation of the whole file does not count."""
    source = "  Run this:\n\n      ls --all\n      cd x\n\n  And read:\n\n      It was a dark and stormy night again.\n"
    assert blocks(source) == [
        ("paragraph", 0, "Run this:"),
        ("code", 0, "      ls --all\n      cd x"),
        ("paragraph", 0, "And read:"),
        ("quote", 0, "It was a dark and stormy night again."),
    ]


def test_columns_make_a_table() -> None:
    """Lines with wide gaps are rows."""
    assert blocks("Name     Rate\nTaxi     30\n\nprose\n") == [
        ("table", 0, "Name     Rate\nTaxi     30"),
        ("paragraph", 0, "prose"),
    ]


def test_shouting_is_no_heading() -> None:
    """Sentences in capitals, long lines and whole paragraphs in capitals stay text."""
    kinds = [kind for kind, _, _ in blocks("DO NOT ENTER.\n\nFIRST LINE OF MANY\nSECOND LINE OF MANY\n\n12 345\n")]
    assert kinds == ["paragraph", "paragraph", "paragraph"]
