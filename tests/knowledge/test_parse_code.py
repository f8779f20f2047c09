from __future__ import annotations

import pytest

from ken.domain.document import ParsedDocument
from ken.errors import Unreadable
from ken.knowledge.chunkers.chunker import Chunking
from ken.knowledge.chunkers.structural import Structural
from ken.knowledge.parse.parser import parse

PYTHON = '''\
#!/usr/bin/env python
# Copyright 2026 Northwind. Licensed under the Apache License.

"""Books meeting rooms. Nobody books two at once."""

import datetime

LIMIT = 3


class Room:
    """A room with a door."""

    seats = 4

    @property
    def door(self) -> str:
        # one line
        return "open"

    def book(
        self,
        day: datetime.date,
    ) -> bool:
        """Book the room for a day.

        Args:
            day: no weekends
            who: the person

        >>> Room().book(today)
        True
        """
        return not self.taken(day)


# Says when the cleaners come.
def cleaners() -> int:
    text = """
def not_a_function():
"""
    return 7


if __name__ == "__main__":
    print(cleaners())
'''

JAVA = """\
/* Copyright 2026 Northwind */
package org.example;

/**
 * Lends books to readers.
 *
 * @author Somebody
 */
public final class Library {
    private int days = 14;

    /** How long a book may stay out. */
    @Override
    public int days(String reader) {
        if (reader == null) {
            return 0;
        }
        return days;
    }

    // Counts what is late.
    static <T> List<T> late(
            int count) {
        return null;
    }
}
"""

OTHERS = {
    "a.go": (
        (
            "// Package lift moves people.\n"
            "package lift\n"
            "\n"
            "// Call calls the lift.\n"
            "func (l *Lift) Call(floor int) error {\n"
            "\treturn nil\n"
            "}\n"
        ),
        ["Lift.Call"],
    ),
    "a.ts": (
        (
            "/** Opens the gate. */\n"
            "export async function open(gate: Gate): Promise<void> {\n"
            "  await gate.go();\n"
            "}\n"
            "\n"
            "export class Gate {\n"
            "  /** Moves. */\n"
            "  go(): void {\n"
            "    if (x) {\n"
            "    }\n"
            "  }\n"
            "}\n"
            "\n"
            "export const shut = (g: Gate) => {\n"
            "};\n"
        ),
        ["open", "Gate", "Gate.go", "shut"],
    ),
    "a.rs": (
        (
            "//! The pump.\n"
            "\n"
            "/// Starts it.\n"
            "pub fn start(rate: u32) -> bool {\n"
            "    true\n"
            "}\n"
            "\n"
            "impl Pump {\n"
            "    /// Stops it.\n"
            "    fn stop(&self) {\n"
            "    }\n"
            "}\n"
        ),
        ["start", "impl Pump", "impl Pump.stop"],
    ),
    "a.c": (
        (
            '#include "x.h"\n'
            "\n"
            "/* Adds two. */\n"
            "int add(int a, int b)\n"
            "{\n"
            "#ifdef X\n"
            "    return 1;\n"
            "#endif\n"
            "    return a + b;\n"
            "}\n"
            "\n"
            "struct point {\n"
            "    int x;\n"
            "};\n"
        ),
        ["add", "point"],
    ),
    "a.rb": (
        ("# Feeds the cat.\ndef feed(cat)\n  cat.eat\nend\n\nmodule Cats\n  def self.count\n    1\n  end\nend\n"),
        ["feed", "Cats", "Cats.self.count"],
    ),
    "a.php": (
        ("<?php\n/** Sends mail. */\nfunction send($to) {\n}\n\nclass Box {\n    public function shut() {\n    }\n}\n"),
        ["send", "Box", "Box.shut"],
    ),
    "a.sql": (
        ("-- Who works here.\nCREATE TABLE staff (\n  id int\n);\n\ncreate or replace view active as\nselect 1;\n"),
        ["staff", "active"],
    ),
    "a.sh": (
        ("#!/bin/sh\n# Backs up.\nbackup() {\n  tar c .\n}\n\nbackup\n"),
        ["backup", "a.sh"],
    ),
    "a.tf": (
        ('# The bucket.\nresource "aws_s3_bucket" "logs" {\n  bucket = "logs"\n}\n'),
        ['resource "aws_s3_bucket" "logs"'],
    ),
    "a.toml": (
        ("[server]\nport = 1\n\n[server.tls]\non = true\n"),
        ["server", "server.tls"],
    ),
    "a.kt": (
        ("class Cart {\n    /** Adds. */\n    fun add(x: Int) {\n    }\n}\n"),
        ["Cart", "Cart.add"],
    ),
    "a.swift": (
        ("struct Cup {\n    func fill() {\n    }\n}\n"),
        ["Cup", "Cup.fill"],
    ),
    "a.cs": (
        (
            "namespace A {\n"
            "    /// <summary>Pays.</summary>\n"
            "    public class Bank {\n"
            "        public void Pay(int x)\n"
            "        {\n"
            "        }\n"
            "    }\n"
            "}\n"
        ),
        ["Bank", "Bank.Pay"],
    ),
}


class Words:
    """Counts words, where the tests need no model."""

    def count(self, text: str) -> int:
        """Words."""
        return len(text.split())

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """One span, since nobody here asks for more."""
        return [(0, len(text))] if text else []


def read(source: str, name: str = "office/rooms.py") -> ParsedDocument:
    return parse(source.encode(), name=name)


def headings(parsed: ParsedDocument) -> list[str]:
    return [
        parsed.text[block.start : block.end].lstrip("# ").strip("`")
        for block in parsed.blocks
        if block.kind == "heading"
    ]


def section(parsed: ParsedDocument, name: str) -> list[tuple[str, str]]:
    """Kind and text of the blocks below a heading, up to the next."""
    found: list[tuple[str, str]] = []
    is_in = False
    for block in parsed.blocks:
        text = parsed.text[block.start : block.end]
        if block.kind == "heading":
            is_in = text.lstrip("# ").strip("`") == name
        elif is_in:
            found.append((block.kind, text))
    return found


def test_each_definition_is_a_section_with_its_comment_as_prose() -> None:
    """Documenting strings and the comments above stand as prose over the code, which no longer holds them."""
    parsed = read(PYTHON)
    assert headings(parsed) == ["Room", "Room.door", "Room.book", "cleaners", "rooms.py"]
    assert section(parsed, "Room")[0] == ("paragraph", "A room with a door.")
    kinds = [kind for kind, _ in section(parsed, "Room.book")]
    assert kinds == ["paragraph", "paragraph", "list_item", "list_item", "code", "code"]
    assert section(parsed, "Room.book")[2] == ("list_item", "- day: no weekends")
    assert section(parsed, "Room.book")[-1][1].startswith("```\ndef book(\n    self,\n")
    assert "Args" not in section(parsed, "Room.book")[-1][1]
    assert section(parsed, "cleaners")[0] == ("paragraph", "Says when the cleaners come.")


def test_the_title_is_the_file_with_what_it_says_about_itself() -> None:
    """The first sentence of its first comment, where it is short; licences don't count and are left out."""
    parsed = read(PYTHON)
    assert parsed.metadata.title == "rooms.py: Books meeting rooms"
    assert parsed.text.startswith("Books meeting rooms. Nobody books two at once.\n\n```\nimport datetime")
    assert "Copyright" not in parsed.text
    assert read("x = 1\n").metadata.title == "rooms.py"
    assert read("x = 1\n", "office/__init__.py").metadata.title == "office/__init__.py"


def test_code_is_kept_to_the_letter() -> None:
    """But for common indentation and comments that became prose, every line is there."""
    parsed = read(PYTHON)
    code = "\n".join(parsed.text[block.start : block.end] for block in parsed.blocks if block.kind == "code")
    for line in (
        "LIMIT = 3",
        "    seats = 4",
        "@property",
        "    # one line",
        "def not_a_function():",
        "    print(cleaners())",
    ):
        assert line in code.split("\n")


def test_definitions_in_strings_and_comments_are_none() -> None:
    """A `def` inside of a text makes no section."""
    assert "not_a_function" not in headings(read(PYTHON))


def test_javadoc_stands_above_its_method() -> None:
    """Block comments lose their stars; annotations stay with the code; the licence at the top is left out."""
    parsed = read(JAVA, "org/Library.java")
    assert headings(parsed) == ["Library", "Library.days", "Library.late"]
    assert section(parsed, "Library")[0] == ("paragraph", "Lends books to readers.")
    assert section(parsed, "Library.days")[0] == ("paragraph", "How long a book may stay out.")
    assert section(parsed, "Library.days")[1][1].startswith("```\n@Override\npublic int days(String reader) {")
    assert section(parsed, "Library.late")[0] == ("paragraph", "Counts what is late.")
    assert "Copyright" not in parsed.text


@pytest.mark.parametrize("name", OTHERS)
def test_other_languages_have_sections_too(name: str) -> None:
    """Functions, classes, tables, resources: each by its name."""
    source, names = OTHERS[name]
    assert headings(read(source, name)) == names


def test_a_question_in_words_finds_the_passage_of_the_function() -> None:
    """Passages lie in their definition: its name is in the path, its comment and its code in the text."""
    functions = "\n\n".join(
        f'def step_{number}(value):\n    """Explains step {number}."""\n' + "    value = value + 1\n" * 30
        for number in range(6)
    )
    parsed = read(functions)
    pieces = Structural(Chunking(target_tokens=120, max_tokens=160, min_tokens=40), Words()).cut(parsed)
    for number in range(6):
        (found,) = [piece for piece in pieces if f"Explains step {number}." in parsed.text[piece.start : piece.end]]
        assert found.heading_path == (f"step_{number}",)
        assert f"def step_{number}(value):" in parsed.text[found.start : found.end]


def test_long_code_is_cut_at_blank_lines() -> None:
    """A function that no passage could hold becomes several blocks, none of them long, and loses no line."""
    body = "".join(f"    first_{number} = 1\n    second_{number} = 2\n\n" for number in range(200))
    parsed = read(f"def long():\n{body}")
    blocks = [parsed.text[block.start : block.end] for block in parsed.blocks if block.kind == "code"]
    assert len(blocks) > 4
    assert max(map(len, blocks)) < 1_100
    assert all(block.split("\n")[-2].startswith("    second_") for block in blocks)
    assert sum(block.count("first_") for block in blocks) == 200


def test_what_a_program_wrote_is_refused() -> None:
    """Minified, generated, dumped or binary files: a plain reason each."""
    for name, source in {
        "x.min.js": "var a = 1;\n",
        "y_pb2.py": "x = 1\n",
        "z.go": "// Code generated by protoc-gen-go. DO NOT EDIT.\npackage z\n",
    }.items():
        with pytest.raises(Unreadable, match="was written by a program"):
            read(source, name)
    with pytest.raises(Unreadable, match="is minified, or data"):
        read("var a=1;" * 1_000, "app.js")
    with pytest.raises(Unreadable, match="is minified, or data"):
        read("INSERT INTO t VALUES (1);\n" * 250_000, "dump.sql")
    with pytest.raises(Unreadable, match="is a program"):
        parse(b"\x7fELF" + bytes(100), name="x.sh")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Dockerfile", "code"),
        ("deploy/Makefile", "code"),
        ("README", "paragraph"),
        ("LICENSE", "paragraph"),
        ("docs/CHANGELOG", "paragraph"),
    ],
)
def test_files_without_a_suffix_are_known_by_name(name: str, kind: str) -> None:
    """Those that every project has; any other stays of no known format."""
    parsed = read("Run this first, and then that.\n", name)
    assert [block.kind for block in parsed.blocks] == [kind]
    with pytest.raises(Unreadable, match="no known format"):
        read("x", "notes")


def test_the_line_that_names_an_interpreter_is_no_text() -> None:
    """What only looks like one stays: an attribute of Rust, a remark."""
    assert read("#!/bin/sh\necho hello\n", "a.sh").text == "```\necho hello\n```\n"
    assert "feature(rare)" in read("#![feature(rare)]\nfn main() {}\n", "a.rs").text
    assert "not by hand" in read("#! not by hand\nrun\n", "a.sh").text


def test_broken_code_is_read_all_the_same() -> None:
    """No grammar is asked: templates, half a file and mixed tabs lose nothing."""
    parsed = read("def half(\n\tif {{ x }}:\n\t\t'''open\nclass\n  def y(self)\n}}} end\n")
    for word in ("half", "{{ x }}", "'''open", "class", "y(self)", "}}} end"):
        assert word in parsed.text
