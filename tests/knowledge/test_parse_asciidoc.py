from __future__ import annotations

import time

import pytest

from ken.domain.document import ParsedDocument
from ken.errors import Unreadable
from ken.knowledge.parse.parser import parse

GUIDE = """\
= Badge Guide: the Desk
Ann Porter <ann@badges.example>; Bob Lock
v1.2, 2026-02-01: for visitors
:owner: People team
:groups: staff, legal
:effective: 2026-02-01
:product: Ken
:toc: left

Badges from *{product}* open `R-200` doors, see <<lost>> and https://badges.example[the shop,window=_blank].

// nobody reads this
////
nor this
////

[#lost]
== When it is lost

. Call 4711
+
[source,sh]
----
badge --lock <1>
----
. Wait
a day.
.. Sit down.
.. Breathe.

[horizontal]
Visitor:: Gets a red one.
Staff::
  Gets a blue one.
Crew:: Gets two.
+
Both count.

NOTE: Nobody lends a badge.

[WARNING]
====
Doors close by themselves.
====

.Fares
[%header,cols="1,2"]
|===
|Zone |Fare
|Inner
|1.80
2+|both cost money
.2+|Outer |3.20
|per ride
|===

[quote,Ann Porter]
____
Carry it.
____

=== Costs

* [x] printing
* [ ] posting
"""

READING = """\
# Badge Guide: the Desk

v1.2, 2026-02-01: for visitors

Badges from Ken open `R-200` doors, see When it is lost and the shop.

## When it is lost

1. Call 4711

   ```
   badge --lock
   ```

2. Wait a day.
   1. Sit down.
   2. Breathe.
- Visitor: Gets a red one.
- Staff: Gets a blue one.
- Crew: Gets two.

  Both count.

Note: Nobody lends a badge.

Warning: Doors close by themselves.

Fares

| Zone | Fare |
| --- | --- |
| Inner | 1.80 |
| both cost money |  |
| Outer | 3.20 |
| Outer | per ride |

> Carry it.

> — Ann Porter

### Costs

- [x] printing
- [ ] posting
"""


def read(source: str | bytes, name: str = "docs/guide.adoc") -> ParsedDocument:
    return parse(source if isinstance(source, bytes) else source.encode(), name=name)


def reading(source: str) -> str:
    return "\n".join(line.rstrip() for line in read(source).text.split("\n"))


def test_a_guide_becomes_markdown() -> None:
    """Header, attributes, sections, lists with attached blocks, admonitions, tables, quotations; comments are gone."""
    assert reading(GUIDE) == READING
    assert read(GUIDE).markup == "markdown"


def test_the_header_is_metadata() -> None:
    """Its attributes as in front matter; the authors own it where nobody else is named."""
    told = read(GUIDE).metadata
    assert (told.title, told.owner, told.groups) == (
        "Badge Guide: the Desk",
        "People team",
        frozenset({"staff", "legal"}),
    )
    assert told.effective == "2026-02-01"
    assert read("= T\nAnn Porter <a@x.example>\n\ntext\n").metadata.owner == "Ann Porter"
    assert read("= T\n\n:owner: nobody\n\ntext\n").metadata.owner is None


def test_groups_that_cannot_be_relied_on_close_the_document() -> None:
    """Empty, given twice, or given in front matter as well."""
    for source in (
        "= T\n:groups: {a\n\ntext\n",
        "= T\n:groups: staff\n:groups: everyone\n\ntext\n",
        "---\ngroups: [staff]\n---\n= T\n:groups: everyone\n\ntext\n",
    ):
        assert read(source).metadata.groups == frozenset({"operators"})


@pytest.mark.parametrize(
    ("source", "rows"),
    [
        ("|===\n|A |B\n\n|1 |2\n|===\n", ["| A | B |", "| --- | --- |", "| 1 | 2 |"]),
        ("|===\n|1 |2\n|3 |4\n|===\n", ["|  |  |", "| --- | --- |", "| 1 | 2 |", "| 3 | 4 |"]),
        ('[options=header]\n,===\nA,B\n1,"2,5"\n,===\n', ["| A | B |", "| --- | --- |", "| 1 | 2,5 |"]),
        ("[%header,format=dsv]\n|===\nA:B\n1:2\n|===\n", ["| A | B |", "| --- | --- |", "| 1 | 2 |"]),
        ('[cols="2*"]\n|===\n|1\na|* x\n* y\n2*|same\n|===\n', ["|  |  |", "| --- | --- |", "| 1 | * x; y |", "| same | same |"]),
        ("|===\n|a \\| b |c\n|===\n", ["|  |  |", "| --- | --- |", "| a \\| b | c |"]),
        ("[%header,cols=2*]\n|===\n|A\n|*B*\n\nh|1\n|`2`\n|===\n", ["| A | B |", "| --- | --- |", "| 1 | 2 |"]),
    ],
)  # fmt: skip
def test_tables_keep_rows_columns_and_header(source: str, rows: list[str]) -> None:
    """Implicit headers, column specifications, cell specifiers, the CSV and DSV forms, escaped bars."""
    assert read(source).text.strip().split("\n") == rows


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("*bold* _it_ `code` #mark# [.red]#role# H~2~O x^2^", "bold it `code` mark role H2O x2"),
        ("un**bold**ed and __it__s", "unbolded and its"),
        ("a*b*c 5 * 3 snake_case_name", "a*b*c 5 * 3 snake_case_name".replace("*", "\\*")),
        ("link:x.html[The page] mailto:a@x.example[Ann] https://x.example", "The page Ann https://x.example"),
        ("xref:other.adoc#part[Part two], <<no-such-id>>", "Part two, no-such-id"),
        ("Press kbd:[Ctrl+C], then menu:File[Save > All] btn:[OK]", "Press Ctrl+C, then File › Save › All OK"),
        ("Shown((term)) (((hidden, term)))word footnote:[Below.]", "Shownterm word  (Below.)".replace("  ", " ")),
        ("image:x.png[A door,30] icon:x[] [[anchor]]here", "A door here"),
        ("\\*kept* and +_as is_+ and pass:[<b>]", "\\*kept\\* and _as is_ and \\<b>"),
        ("{cpp} {unknown} \\{escaped}", "C++ {unknown} {escaped}"),
    ],
)
def test_inline_marks_read_as_words(source: str, text: str) -> None:
    """Formatting, macros, links and attributes; what only looks like them stays."""
    assert " ".join(read(source).text.split()) == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("****\nAside.\n****\n", "Aside.\n"),
        ("....\nas *is*\n....\n", "```\nas *is*\n```\n"),
        ("```ruby\nputs 1\n```\n", "```\nputs 1\n```\n"),
        ("[source]\nx = 1\n\ny\n", "```\nx = 1\n```\n\ny\n"),
        (" literal\n   text\n", "```\nliteral\n  text\n```\n"),
        ("--\nOpen.\n--\n", "Open.\n"),
        ("++++\n<b>raw</b>\n++++\nkept\n", "kept\n"),
        ("[verse]\n____\none\ntwo\n____\n", "> one\n> two\n"),
        (".Title\n====\nExample.\n====\n", "Title\n\nExample.\n"),
        ("one +\ntwo\n", "one\ntwo\n"),
        ("image::x.png[A red door]\n", "A red door\n"),
        ("'''\n\nx\n\n<<<\n", "x\n"),
        ("[discrete]\n=== Head\n", "### Head\n"),
        ("* a\n** b\n* c\n", "- a\n  - b\n- c\n"),
        ("* a\n\n\n* b\n", "- a\n- b\n"),
        (". a\n+\n--\nfirst\n\nsecond\n--\n. b\n", "1. a\n\n   first\n\n   second\n\n2. b\n"),
        ("----\nnever closed\n", "```\nnever closed\n```\n"),
    ],
)
def test_blocks_become_markdown(source: str, text: str) -> None:
    """Each kind of delimited block, paragraph style and list."""
    assert reading(source) == text


def test_conditionals_are_decided_by_the_documents_own_attributes() -> None:
    """What nobody set is not there; the text of others' builds is left out."""
    source = """\
:kind: big

ifdef::kind[]
Set.
ifndef::other[Single line.]
endif::[]

ifdef::env-github[]
Elsewhere.
ifdef::kind[]
Nested.
endif::[]
endif::[]

ifeval::["{kind}" == "small"]
Small.
endif::[]

ifeval::[2 < 10]
Numbers.
endif::[]
:!kind:

ifdef::kind[Unset again.]
{kind}
"""
    assert " ".join(read(source).text.split()) == "Set. Single line. Numbers. {kind}"


def test_files_are_named_and_never_opened() -> None:
    """`include::` gives a warning with the file's name, in code too; not a byte of it is read."""
    parsed = read(
        f"Text.\n\ninclude::{__file__}[]\n\n----\ninclude::other.sh[lines=1..2]\n----\n\n\\include::kept.adoc[]\n"
    )
    assert parsed.text == "Text.\n\n\\include::kept.adoc[]\n"
    (warning,) = parsed.warnings
    assert "test_parse_asciidoc" in warning
    assert "other.sh" in warning
    assert "kept" not in warning


@pytest.mark.parametrize(
    "source",
    [
        "".join("=" * (4 + depth) + "\n" for depth in range(500)),
        ":a: " + "y" * 400 + "\n\n" + "{a}" * 15_000,
        ":a: b\n" + "".join(":a: {a}{a}\n" for _ in range(100)) + "\n{a}",
        "*a " * 2_500,
        "`" * 30_000,
        "footnote:[" * 2_000,
        "a:: " * 4_000,
        "* a\n. b\n" * 2_500,
        "|===\n" + "|a\n" * 4_000,
        '[cols="999999*"]\n|===\n' + "999999*|a\n" * 1_000 + "|===\n",
        "ifdef::a[]\n" * 4_000,
        "* a\n" + "+\nb\n" * 2_500,
    ],
)
def test_hostile_text_is_read_in_seconds(source: str) -> None:
    """Depth, repetition, attributes that double and marks that never close don't blow up time or text."""
    began = time.process_time()
    parsed = read(source + "\n\nlast")
    assert time.process_time() - began < 15
    assert len(parsed.text) < 4 * len(source) + 3_000_000


def test_what_is_no_text_is_refused() -> None:
    """Empty and binary files, each with its reason."""
    with pytest.raises(Unreadable, match="is empty"):
        read("\n \n")
    with pytest.raises(Unreadable, match="is binary"):
        read(bytes(range(256)) * 20)
