from __future__ import annotations

import random

import pytest

from ken.domain.document import ParsedDocument
from ken.errors import Unreadable
from ken.knowledge.parse.formats import media_type
from ken.knowledge.parse.parser import parse
from ken.text.markup import plain


def kinds(parsed: ParsedDocument) -> list[tuple[str, int, str]]:
    return [(b.kind, b.level, plain(parsed.text[b.start : b.end], parsed.markup)) for b in parsed.blocks]


def assert_ordered(parsed: ParsedDocument) -> None:
    position = 0
    for block in parsed.blocks:
        assert position <= block.start < block.end <= len(parsed.text)
        assert not parsed.text[block.end - 1].isspace()
        position = block.end


SOURCE = """\
# Leave

Setext *title*
--------------

A paragraph
on two lines.

- point one
  goes on

  and has a second paragraph
  - nested
    1. deeper
- point two

  ```sh
  # no heading
  ```
  after the code

| a | b |
|---|---|
| 1 | 2 |

    indented code

> quoted
>
> twice

<details>
<summary>S</summary>
</details>

***

[ref]: https://x.example/
"""


def test_every_kind_of_block_is_found() -> None:
    """Headings of both forms, paragraphs, points with depth, tables, code of both forms, quotes, HTML; no rules."""
    parsed = parse(SOURCE.encode(), name="a.md")
    assert parsed.text == SOURCE
    assert kinds(parsed) == [
        ("heading", 1, "Leave"),
        ("heading", 2, "Setext title"),
        ("paragraph", 0, "A paragraph on two lines."),
        ("list_item", 1, "point one goes on and has a second paragraph"),
        ("list_item", 2, "nested"),
        ("list_item", 3, "deeper"),
        ("list_item", 1, "point two"),
        ("code", 0, "# no heading"),
        ("list_item", 1, "after the code"),
        ("table", 0, "a · b 1 · 2"),
        ("code", 0, "indented code"),
        ("quote", 0, "quoted"),
        ("quote", 0, "twice"),
        ("paragraph", 0, "S"),
    ]
    assert_ordered(parsed)


def test_the_text_is_the_source_without_front_matter() -> None:
    """Only newlines are made alike, so that spans point at what the author wrote."""
    parsed = parse(b"\xef\xbb\xbf---\r\ntitle: T\r\n---\r\n\r\n# A\r\n\r\n  b \tc\r\n", name="x.md")
    assert parsed.text == "\n# A\n\n  b \tc\n"
    assert parsed.metadata.title == "T"
    assert parsed.warnings == ()


@pytest.mark.parametrize(
    ("name", "source", "title"),
    [
        ("people/remote-work_2023.html.md", "text", "Remote work 2023"),
        ("people/leave/index.md", "text", "Leave"),
        ("a.md", "## Second\n\n# The *first*\n", "The first"),
        ("a.md", "---\ntitle: '  Own   title '\n---\n# Other", "Own title"),
        ("a.md", "---\ntitle: ~\n---\ntext", "A"),
    ],
)
def test_the_title_is_stated_or_the_first_heading_or_the_name(name: str, source: str, title: str) -> None:
    """There is always a title."""
    assert parse(source.encode(), name=name).metadata.title == title


@pytest.mark.parametrize(
    "name", ["a.md", "A.MARKDOWN", "b/c.html.md", "x.HTM", "x.txt", "x.text", "x.pdf", "x.docx", "x.html"]
)
def test_supported_names_have_a_media_type(name: str) -> None:
    """The suffix counts, in any case, and the last of two."""
    assert media_type(name) is not None
    assert media_type("b/c.html.md") == "text/markdown"


def test_unknown_formats_are_refused_by_name() -> None:
    """The message names the file and what can be read."""
    with pytest.raises(Unreadable, match=r"'a/b\.xyz' is of no known format: Ken reads \.md"):
        parse(b"x", name="a/b.xyz")


@pytest.mark.parametrize("suffix", ["md", "txt", "html", "pdf", "docx"])
@pytest.mark.parametrize("data", [b"", b" \n\t "])
def test_empty_files_are_refused(suffix: str, data: bytes) -> None:
    """A file without anything in it says so, whatever its format."""
    with pytest.raises(Unreadable, match="is empty"):
        parse(data, name=f"a.{suffix}")


def test_large_files_are_refused_before_parsing() -> None:
    """The message says how large, how large at most, and what to do."""
    with pytest.raises(Unreadable, match=r"2\.5 MB; at most 2 MB are read: split it or raise `max_file_mb`"):
        parse(b"x" * 2_500_000, name="a.md", max_file_mb=2)


@pytest.mark.parametrize(
    "data",
    [
        b"%PDF-1.7 text",
        b"PK\x03\x04 text",
        b"\x89PNG\r\n\x1a\n",
        bytes(range(256)) * 8,
        b"text" + b"\0" * 10,
        b"\x1b[31m\x01\x02\x03\x04" * 100,
    ],
)
def test_binary_content_is_refused(data: bytes) -> None:
    """A file with another format's content is not read as text."""
    with pytest.raises(Unreadable, match="not text"):
        parse(data, name="a.md")


@pytest.mark.parametrize(
    ("data", "text", "is_warned"),
    [
        ("Grüße – 5 €".encode("cp1252"), "Grüße – 5 €", True),
        ("Grüße".encode("utf-16"), "Grüße", False),
        ("Grüße".encode("utf-8-sig"), "Grüße", False),
        ("ünïcödé wörds äöü".encode() + b"\xff", "ünïcödé wörds äöü\ufffd", True),
        (b"a" * 2_000 + b"\0b\x07c", "a" * 2_000 + "bc", True),
        (b"a\fb\vc\r\nd\re", "a\nb\nc\nd\ne", False),
    ],
)
def test_bytes_are_decoded_with_a_warning_where_they_lie(data: bytes, text: str, *, is_warned: bool) -> None:
    """Marked UTF-16 and UTF-8 are read; other bytes fall back; control characters never get into the text."""
    parsed = parse(data, name="a.md")
    assert parsed.text == text
    assert bool(parsed.warnings) is is_warned


def test_nesting_below_the_parsers_limit_is_not_lost() -> None:
    """What Markdown nests deeper than anybody reads is still text."""
    source = "\n".join("  " * depth + f"- point {depth}" for depth in range(60)) + "\n\n" + "> " * 60 + "deep quote"
    parsed = parse(source.encode(), name="a.md")
    inside = "".join(parsed.text[b.start : b.end] for b in parsed.blocks)
    assert all(f"point {depth}" in inside for depth in range(60))
    assert "deep quote" in inside
    assert_ordered(parsed)


def test_random_markdown_has_ordered_disjoint_blocks_that_hold_every_word() -> None:
    """Whatever is typed, no letter is outside of the blocks but in link definitions."""
    chance = random.Random(7)
    pieces = [
        "# ",
        "## ",
        "- ",
        "1. ",
        "> ",
        "```\n",
        "    ",
        "|",
        "---\n",
        "word ",
        "**b** ",
        "\n",
        "\n\n",
        "<div>\n",
        "===\n",
        "*",
        "\t",
        "~~~",
        "x: y",
    ]
    for _ in range(400):
        source = "".join(chance.choices(pieces, k=chance.randrange(1, 60)))
        parsed = parse(f"start {source}".encode(), name="a.md")
        assert_ordered(parsed)
        outside = set(range(len(parsed.text))).difference(*(range(b.start, b.end) for b in parsed.blocks))
        assert not [index for index in outside if parsed.text[index].isalpha()], source
