from __future__ import annotations

import json

import pytest

from ken.domain.document import ParsedDocument
from ken.errors import Unreadable
from ken.knowledge.parse.parser import parse

SETTINGS = """\
{
  "title": "Badge readers",
  "site": {"name": "Harbour", "floors": 4},
  "open": true,
  "groups": ["lobby", "lab"],
  "note": null,
  "description": "Readers stand at every door.\\n\\nThey are tested in spring.",
  "doors": {
    "north": {"reader": "R-200", "contacts": {"day": "4711", "night": {"phone": "0815", "who": "guard"}}},
    "south": {"reader": "R-100", "steps": ["knock", "wait for the green light"]}
  },
  "firmware": [
    {"version": "1.2", "released": "2026-02-01", "by": {"team": "Ops"}},
    {"version": "1.3", "released": "2026-05-01", "by": {"team": "Lab"}}
  ]
}
"""

READING = """\
- title: Badge readers
- open: true
- groups: lobby, lab
- note: null

description:

Readers stand at every door.

They are tested in spring.

- site.name: Harbour
- site.floors: 4

## doors

- south.reader: R-100
- south.steps: knock, wait for the green light

### north

- reader: R-200

#### contacts

- day: 4711
- night.phone: 0815
- night.who: guard

## firmware

| version | released | by.team |
| --- | --- | --- |
| 1.2 | 2026-02-01 | Ops |
| 1.3 | 2026-05-01 | Lab |
"""


def read(source: str | bytes, name: str = "conf/badge-readers.json") -> ParsedDocument:
    return parse(source if isinstance(source, bytes) else source.encode(), name=name)


def test_an_object_becomes_headings_points_and_tables() -> None:
    """Keys are headings and labels, small inner objects dotted keys, arrays of like objects tables with their header."""
    parsed = read(SETTINGS)
    assert parsed.text == READING
    assert parsed.metadata.title == "Badge readers"
    kinds = [(block.kind, block.level) for block in parsed.blocks]
    assert kinds[-1] == ("table", 0)
    assert ("heading", 2) in kinds
    assert parsed.warnings == ()


def test_what_a_key_says_is_under_its_own_headings() -> None:
    """Values of the outer object are never below the heading of an inner one."""
    text = read('{"inner": {"deep": {"x": "1", "y": {"z": "2"}}, "own": "4"}, "outer": "3"}').text
    assert text.index("outer: 3") < text.index("## inner") < text.index("own: 4") < text.index("### deep")


def test_data_is_no_metadata() -> None:
    """A file of data has `groups` and dates of its own: they decide nothing about who reads it."""
    told = read('{"groups": ["lobby"], "owner": "x", "effective": "2026-01-01"}').metadata
    assert (told.groups, told.owner, told.effective) == (None, None, None)
    assert told.title == "Badge readers"


def test_objects_that_differ_are_sections_named_by_themselves() -> None:
    """An array of unlike objects gives each a heading: its name, else its number."""
    source = [
        {"name": "Pump", "parts": [{"no": 1, "sub": [{"a": 1}]}]},
        {"volume": 3, "colour": "red", "more": {"x": {"y": 1}}},
    ]
    parsed = read(json.dumps(source))
    headings = [parsed.text[block.start : block.end] for block in parsed.blocks if block.kind == "heading"]
    assert headings[0] == "## Pump"
    assert "## 2" in headings


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("3", "- 3\n"),
        ('"only words"', "- only words\n"),
        ('["a", "b"]', "- a\n- b\n"),
        (
            '{"n": 1e400, "m": -0.10, "big": 123456789012345678901234567890}',
            "- n: 1e400\n- m: -0.10\n- big: 123456789012345678901234567890\n",
        ),
        ('{"": "x"}', '- "": x\n'),
        ('{"a": {}, "b": []}', "- a: empty\n- b: empty\n"),
        ('{"t": "# no heading", "u": "a|b `c` <p>"}', "- t: # no heading\n- u: a|b \\`c\\` \\<p>\n"),
        ('["\\ud800x", "a\\u0000b"]', "- x\n- ab\n"),
    ],
)
def test_values_are_read_as_written(source: str, text: str) -> None:
    """Numbers keep their digits, marks of Markdown stay text, and lone surrogates and NULs are dropped."""
    assert read(source).text == text


def test_keys_given_twice_are_both_kept_with_a_warning() -> None:
    """So are the words that JSON does not have for numbers."""
    parsed = read('{"a": 1, "a": 2, "b": NaN, "c": -Infinity}')
    assert parsed.text == "- a: 1\n- a (2): 2\n- b: NaN\n- c: -Infinity\n"
    assert "'a'" in parsed.warnings[0]
    assert "NaN or infinite" in parsed.warnings[1]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ('{"a": 1,\n "b" 2}', "line 2, column 6"),
        ("{'a': 1}", "line 1, column 2"),
        ("[1, 2", "line 1, column 6"),
        ("[] []", "Extra data in line 1, column 4"),
        ("[" * 100_000, "nested deeper than 100 levels"),
        ("[" * 101 + "]" * 101, "deeper than 100"),
        ('{"a":' * 150 + "1" + "}" * 150, "nested deeper than 100 levels"),
        ("", "is empty"),
    ],
)
def test_what_cannot_be_read_says_where(source: str, reason: str) -> None:
    """Line and column of the first mistake; depth that nobody can read is refused."""
    with pytest.raises(Unreadable, match=reason):
        read(source)


def test_lock_files_are_refused() -> None:
    """What a program writes for a program answers nobody's question."""
    with pytest.raises(Unreadable, match="written by a program"):
        read("{}", "web/package-lock.json")


def test_json_lines_become_a_table_or_sections() -> None:
    """Like objects share a table; a line that is no JSON is left out and named."""
    lines = '{"id": 1, "text": "first"}\n\n{"id": 2, "text": "second"}\n{"id": 3, "te\n{"id": 4, "text": "fourth"}\n'
    parsed = read(lines, "log.jsonl")
    assert parsed.text == "| id | text |\n| --- | --- |\n| 1 | first |\n| 2 | second |\n| 4 | fourth |\n"
    assert "1 lines are not JSON and were left out" in parsed.warnings[0]
    assert "line 4, column" in parsed.warnings[0]
    assert read('"a"\n"b"\n', "x.ndjson").text == "- a\n- b\n"


def test_a_file_of_broken_lines_is_refused() -> None:
    """Where most lines are none, it isn't JSON Lines."""
    with pytest.raises(Unreadable, match=r"is not JSON Lines: .*line 1, column"):
        read("not\njson\n1\n", "x.jsonl")


def test_more_values_than_anybody_asks_about_are_cut() -> None:
    """A warning says how many were taken."""
    parsed = read(json.dumps([{"id": number, "n": "x"} for number in range(30_000)]))
    assert parsed.text.count("\n") == 20_002
    assert "Only the first" in parsed.warnings[0]
