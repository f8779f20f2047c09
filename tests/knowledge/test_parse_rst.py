from __future__ import annotations

import time

import pytest

from ken.domain.document import ParsedDocument
from ken.errors import Unreadable
from ken.knowledge.parse.parser import parse
from ken.text.markup import plain

GUIDE = """\
.. _top:

=============
 Badge Guide
=============

:Owner: People team
:groups: staff, legal
:Effective: 2026-02-01
:Review-by: 2027-02-01
:Version: 3

.. |site| replace:: the *Harbour* site

Badges for |site| are ``R-200``. See the `handbook <https://handbook.example/>`_, top_ and :doc:`Leave </leave>` [1]_.

Getting one
===========

#. Ask at the desk::

      badge --new

#. Wait
   a day.

   * bring a photo
   * bring `papers`

Lost badge : urgent
    Call 4711.

    They lock it.

.. note:: Nobody lends
   a badge.

.. versionchanged:: 3.0
   Visitors get one, too.

Costs
-----

.. [1] Printed in spring.

.. A comment that
   nobody reads.
"""

GUIDE_READING = """\
# Badge Guide

- Version: 3

Badges for the Harbour site are `R-200`. See the handbook, top and Leave [1].

## Getting one

1. Ask at the desk:

   ```
   badge --new
   ```

2. Wait a day.
   - bring a photo
   - bring papers
- Lost badge, urgent: Call 4711.

  They lock it.

Note: Nobody lends a badge.

Changed in version 3.0: Visitors get one, too.

### Costs

[1] Printed in spring.
"""


def read(source: str | bytes, name: str = "docs/guide.rst") -> ParsedDocument:
    return parse(source if isinstance(source, bytes) else source.encode(), name=name)


def test_a_guide_becomes_markdown() -> None:
    """Titles by their adornment, lists, code, definitions, admonitions, substitutions, references; comments are gone."""
    parsed = read(GUIDE)
    assert "\n".join(line.rstrip() for line in parsed.text.split("\n")) == GUIDE_READING
    assert parsed.markup == "markdown"
    assert parsed.warnings == ()


def test_the_fields_below_the_title_are_metadata() -> None:
    """The keys that front matter has; `author` is the owner where nobody else is; others stay text."""
    told = read(GUIDE).metadata
    assert (told.title, told.owner, told.groups) == ("Badge Guide", "People team", frozenset({"staff", "legal"}))
    assert (told.effective, told.review_by) == ("2026-02-01", "2027-02-01")
    assert read("T\n=\n\n:Author: Ann\n\ntext\n").metadata.owner == "Ann"
    later = read("T\n=\n\ntext\n\n:owner: nobody\n")
    assert later.metadata.owner is None
    assert "- owner: nobody" in later.text


def test_groups_that_cannot_be_relied_on_close_the_document() -> None:
    """Empty, given twice, or given in front matter as well."""
    for source in (
        ":groups: {a: b}\n\ntext\n",
        ":groups: staff\n:groups: everyone\n\ntext\n",
        "---\ngroups: [staff]\n---\n:groups: everyone\n\ntext\n",
    ):
        assert read(source).metadata.groups == frozenset({"operators"})
    assert read("---\ngroups: [staff]\n---\n\ntext\n").metadata.groups == frozenset({"staff"})


TABLES = {
    "grid": """\
+-------+---------+
| Zone  | Fare    |
+=======+=========+
| Inner | 1.80 a  |
|       | ride    |
+-------+ and     |
| Outer | more    |
+-------+---------+
| both cost money |
+-----------------+
""",
    "simple": """\
=====  ======
Zone   Fare
=====  ======
Inner  1.80 a
       ride and more
Outer  1.80 a ride and more
both cost money
=====  ======
""",
    "csv": """\
.. csv-table::
   :header: Zone, Fare

   Inner, 1.80 a ride and more
   "Outer", "1.80 a
   ride and more"
   both cost money
""",
    "list": """\
.. list-table::
   :header-rows: 1
   :widths: 10 20

   * - Zone
     - Fare
   * - Inner
     - 1.80 a
       ride and more
   * - Outer
     - 1.80 a ride and more
   * - both cost money
""",
}


@pytest.mark.parametrize("form", TABLES)
def test_all_forms_of_tables_become_pipe_tables(form: str) -> None:
    """Grid, simple, CSV and list; the header is known as such, cells over rows are repeated, lines are joined."""
    parsed = read(f"Before.\n\n{TABLES[form]}\nAfter.\n")
    assert [block.kind for block in parsed.blocks] == ["paragraph", "table", "paragraph"]
    table = parsed.text[parsed.blocks[1].start : parsed.blocks[1].end]
    assert table.split("\n") == [
        "| Zone | Fare |",
        "| --- | --- |",
        "| Inner | 1.80 a ride and more |",
        "| Outer | 1.80 a ride and more |",
        "| both cost money |  |",
    ]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (":func:`~os.path.join` and :ref:`the part <x>`", "`join` and the part"),
        ("``a *b* c`` **bold** *it* `cite`", "`a *b* c` bold it cite"),
        ("snake_case_ and known_\n\n.. _known: https://x.example", "snake_case_ and known"),
        ("`a b`__ and `c <c_>`_", "a b and c"),
        (":pep:`8` :kbd:`Ctrl+C` :menuselection:`File --> Save`", "PEP 8 `Ctrl+C` File › Save"),
        ("5 * 3 * 2, **kwargs, a|b|c", "5 \\* 3 \\* 2, \\*\\*kwargs, a|b|c"),
        ("\\*not\\* it\\ s", "\\*not\\* its"),
        ("|gone| stays", "gone stays"),
    ],
)
def test_inline_marks_read_as_words(source: str, text: str) -> None:
    """Roles, references, literals and emphasis; what only looks like them stays."""
    assert read(source).text.split("\n")[0] == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (".. code-block:: python\n   :linenos:\n\n   def f():\n       return 1\n", "```\ndef f():\n    return 1\n```\n"),
        (".. warning::\n\n   Hot.\n\n   Very.\n", "Warning: Hot.\n\nVery.\n"),
        (".. deprecated:: 2.0\n", "Deprecated since version 2.0.\n"),
        (
            ".. function:: open(name, *, mode='r')\n\n   Opens it.\n\n   :param name: which\n",
            "`open(name, *, mode='r')`:\n\nOpens it.\n\n- param name: which\n",
        ),
        (".. toctree::\n   :maxdepth: 2\n\n   Intro <intro>\n   usage\n", "- Intro\n- usage\n"),
        (".. figure:: x.png\n   :alt: A red door\n\n   The way in.\n", "A red door\n\nThe way in.\n"),
        (".. unheard-of:: word\n   :x: y\n\n   Kept *all*.\n", "`word`:\n\nKept all.\n"),
        (".. raw:: html\n\n   <script>x</script>\n\nkept\n", "kept\n"),
        (".. only:: html\n\n   Inside.\n", "Inside.\n"),
        (".. glossary::\n\n   Badge\n      A card.\n", "- Badge: A card.\n"),
        ("-a, --all  Show all.\n--to=PLACE  Where.\n", "- `-a, --all`: Show all.\n- `--to=PLACE`: Where.\n"),
        ("| one\n| two\n", "one\ntwo\n"),
        ("Said:\n\n   Never.\n\n   -- Ann\n", "Said:\n\n> Never.\n\n> \\-- Ann\n"),
        (">>> 1 + 1\n2\n", "```\n>>> 1 + 1\n2\n```\n"),
        ("Text\n\n----\n\nmore\n", "Text\n\nmore\n"),
        ("A. Einstein was here\nand there.\n", "A. Einstein was here and there.\n"),
    ],
)  # fmt: skip
def test_directives_and_blocks_degrade_to_text(source: str, text: str) -> None:
    """Those of docutils and Sphinx keep what is text in them, and so do those that nobody knows."""
    assert "\n".join(line.rstrip() for line in read(source).text.split("\n")) == text


def test_files_are_named_and_never_opened() -> None:
    """`include` and its like give a warning with the file's name; not a byte of it is read."""
    secret = __file__
    source = (
        f"Text.\n\n.. include:: {secret}\n\n.. literalinclude:: {secret}\n\n.. csv-table:: x\n   :file: {secret}\n\n"
        f".. raw:: html\n   :file: {secret}\n\n.. csv-table:: y\n   :url: http://127.0.0.1:1/x\n"
    )
    parsed = read(source)
    assert parsed.text == "Text.\n"
    (warning,) = parsed.warnings
    assert "test_parse_rst" in warning
    assert "http://127.0.0.1:1/x" in warning


def test_every_word_of_a_page_with_all_kinds_of_blocks_is_there() -> None:
    """Only marks, comments and targets go."""
    words = plain(read(GUIDE).text, "markdown")
    for word in ("Harbour", "R-200", "handbook", "4711", "photo", "Visitors", "spring"):
        assert word in words
    assert "nobody reads" not in words


@pytest.mark.parametrize(
    "source",
    [
        "".join(" " * depth + "* x\n\n" for depth in range(1_000)) + "last",
        "".join(" " * depth + "x\n" for depth in range(1_000)),
        ".. |a| replace:: " + "y" * 400 + "\n\n" + "|a| " * 10_000,
        "`" * 30_000,
        "*a " * 10_000,
        ":a:`b " * 8_000,
        "| a\n" * 4_000,
        "+-+\n" * 4_000,
        "=== ===\n" * 4_000,
    ],
)
def test_hostile_text_is_read_in_seconds(source: str) -> None:
    """Depth, repetition and marks that never close take time in proportion, and don't blow up the text."""
    began = time.process_time()
    parsed = read(source)
    assert time.process_time() - began < 15
    assert len(parsed.text) < 4 * len(source) + 3_000_000


def test_what_is_no_text_is_refused() -> None:
    """Empty and binary files, each with its reason."""
    with pytest.raises(Unreadable, match="is empty"):
        read("\n \n")
    with pytest.raises(Unreadable, match="is binary"):
        read(bytes(range(256)) * 20)
