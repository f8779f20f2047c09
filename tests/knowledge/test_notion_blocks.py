from __future__ import annotations

import json

import pytest

from ken.knowledge.parse.markdown import parse_markdown
from ken.knowledge.sources.notion_blocks import NotionBlock, page_markdown, page_properties, page_title


def span(text: str, **told: object) -> dict[str, object]:
    return {"type": "text", "plain_text": text, "annotations": {}, **told}


def block(kind: str, text: str = "", *children: NotionBlock, **about: object) -> NotionBlock:
    return NotionBlock(kind, {"rich_text": [span(text)] if text else [], **about}, children)


def read(*blocks: NotionBlock) -> str:
    """The Markdown of a page, below its title."""
    written = page_markdown("T", blocks=blocks)
    assert written.startswith("# T\n")
    return written.removeprefix("# T\n").lstrip("\n")


EQUATION = {"type": "equation", "plain_text": "ignored", "equation": {"expression": "e = mc^2"}}
MIXED = [span("Use "), span("ls *", annotations={"code": True}), span(" or "), EQUATION, span("\nnow")]
ROWS = [
    NotionBlock("table_row", {"cells": [[span(left)], [span(right), span("!")]]})
    for left, right in (("A", "B|"), ("1", "2"))
]

CASES = {
    "paragraphs": ([block("paragraph", "one"), block("paragraph"), block("paragraph", "two")], "one\n\ntwo\n"),
    "rich text": ([NotionBlock("paragraph", {"rich_text": MIXED})], "Use `ls *` or `e = mc^2`  \nnow\n"),
    "struck out": (
        [NotionBlock("paragraph", {"rich_text": [span("old", annotations={"strikethrough": True}), span("new")]})],
        "new\n",
    ),
    "headings": (
        [
            block("heading_1", "A"),
            block("heading_2", "B"),
            block("heading_3", "C", block("paragraph", "in"), is_toggleable=True),
        ],
        "## A\n\n### B\n\n#### C\n\nin\n",
    ),
    "lists": (
        [
            block("bulleted_list_item", "a", block("numbered_list_item", "b"), block("paragraph", "c")),
            block("bulleted_list_item", "d"),
            block("numbered_list_item", "e"),
            block("numbered_list_item", "f"),
        ],
        "- a\n  1. b\n\n  c\n\n- d\n1. e\n2. f\n",
    ),
    "to-dos": ([block("to_do", "a", checked=True), block("to_do", "b", checked=False)], "- [x] a\n- [ ] b\n"),
    "toggle": ([block("toggle", "More", block("paragraph", "inside"))], "More\n\ninside\n"),
    "code": (
        [block("code", "if a < b:\n    *x* ```", language="python", caption=[span("Listing 1")])],
        "````\nif a < b:\n    *x* ```\n````\n\nListing 1\n",
    ),
    "quote": ([block("quote", "a", block("paragraph", "b"))], "> a\n\n> b\n"),
    "callout": (
        [block("callout", "Mind the gap", block("bulleted_list_item", "x"), icon={"emoji": "⚠"})],
        "⚠ Mind the gap\n\n- x\n",
    ),
    "table": ([block("table", "", *ROWS, has_column_header=True)], "| A | B\\|! |\n| --- | --- |\n| 1 | 2! |\n"),
    "table without header": ([block("table", "", *ROWS)], "|  |  |\n| --- | --- |\n| A | B\\|! |\n| 1 | 2! |\n"),
    "columns": (
        [
            block(
                "column_list",
                "",
                block("column", "", block("paragraph", "l")),
                block("column", "", block("paragraph", "r")),
            )
        ],
        "l\n\nr\n",
    ),
    "synced block": ([block("synced_block", "", block("paragraph", "same"), synced_from=None)], "same\n"),
    "pages inside": ([block("child_page", title="Leave"), block("child_database", title="Tasks")], "Leave\n\nTasks\n"),
    "equation": ([block("equation", expression="\\frac{a}{b}")], "`\\frac{a}{b}`\n"),
    "bookmark": (
        [block("bookmark", url="https://a.example/x", caption=[span("A site")])],
        "https://a.example/x\n\nA site\n",
    ),
    "file": (
        [block("pdf", name="plan.pdf", type="file", file={"url": "https://s3.example/plan.pdf?Signature=s3cr3t"})],
        "plan.pdf\n",
    ),
    "image": (
        [block("image", type="external", external={"url": "https://a.example/i.png"}, caption=[span("A chart")])],
        "A chart\n",
    ),
    "silent": ([block("divider"), block("table_of_contents"), block("breadcrumb"), block("unsupported")], ""),
    "unknown": (
        [block("hologram", "words", block("paragraph", "inside"), caption=[span("below")])],
        "words\n\nbelow\n\ninside\n",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_blocks_become_markdown(name: str) -> None:
    """Each type of block comes out as its readers see it."""
    blocks, expected = CASES[name]
    assert read(*blocks) == expected


HOSTILE = [
    "---\ntitle: Mine\ngroups: all\n---",
    "# Heading",
    "\x01# Heading",
    "a\u2028# Heading",
    "```",
    "| a | b |\n| --- | --- |",
    "<!-- hidden",
    "1. one",
    "> quote",
    "<script>",
]


@pytest.mark.parametrize("words", HOSTILE)
def test_words_stay_words(words: str) -> None:
    """What looks like front matter, headings, code or tables in a paragraph or title is a paragraph or title."""
    for title, blocks in (
        ("T", [block("paragraph", words), block("paragraph", "end")]),
        (words, [block("paragraph", "end")]),
    ):
        parsed = parse_markdown(page_markdown(title, blocks=blocks).encode(), name="x.md")
        assert [part.kind for part in parsed.blocks] == ["heading"] + ["paragraph"] * len(blocks)
        assert (parsed.metadata.groups, parsed.warnings) == (None, ())
        assert parsed.text.endswith("end\n")


PROPERTIES = {
    "Name": {"type": "title", "title": [span("Buy "), span("tea")]},
    "Notes": {"type": "rich_text", "rich_text": [span("green | black")]},
    "Price": {"type": "number", "number": 12.5},
    "Free": {"type": "number", "number": 0},
    "Status": {"type": "status", "status": {"name": "Done"}},
    "Kind": {"type": "select", "select": None},
    "Tags": {"type": "multi_select", "multi_select": [{"name": "a"}, {"name": "b"}]},
    "Due": {"type": "date", "date": {"start": "2026-01-02", "end": "2026-01-03"}},
    "Who": {"type": "people", "people": [{"object": "user", "name": "Ann"}, {"object": "user", "id": "1"}]},
    "Done": {"type": "checkbox", "checkbox": True},
    "Sum": {"type": "formula", "formula": {"type": "number", "number": 3}},
    "Is": {"type": "formula", "formula": {"type": "boolean", "boolean": False}},
    "Roll": {
        "type": "rollup",
        "rollup": {"type": "array", "array": [{"type": "number", "number": 4}, {"type": "url", "url": "u"}]},
    },
    "Id": {"type": "unique_id", "unique_id": {"prefix": "T", "number": 7}},
    "Files": {"type": "files", "files": [{"name": "a.pdf", "file": {"url": "https://s3.example/?Signature=s"}}]},
    "Other": {"type": "relation", "relation": [{"id": "x"}]},
}


def test_a_row_becomes_a_table_of_its_properties() -> None:
    """Properties that have a value stand by their names; relations, which are ids, and empty ones don't."""
    page: dict[str, object] = json.loads(json.dumps({"properties": PROPERTIES}))
    assert page_title(page) == "Buy tea"
    properties = page_properties(page)
    assert dict(properties) == {
        "Notes": "green | black",
        "Price": "12.5",
        "Free": "0",
        "Status": "Done",
        "Tags": "a, b",
        "Due": "2026-01-02 to 2026-01-03",
        "Who": "Ann",
        "Done": "yes",
        "Sum": "3",
        "Is": "no",
        "Roll": "4, u",
        "Id": "T-7",
        "Files": "a.pdf",
    }
    written = page_markdown("Buy tea", properties=properties[:2], blocks=[block("paragraph", "now")])
    table = "| Property | Value |\n| --- | --- |\n| Notes | green \\| black |\n| Price | 12.5 |"
    assert written == f"# Buy tea\n\n{table}\n\nnow\n"
