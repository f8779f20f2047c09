"""Directives of reStructuredText and Sphinx: what is text in them. None opens a file, reaches the network or runs code."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from ken.knowledge.parse.markdown_writer import MarkdownWriter
from ken.knowledge.parse.rst_table import Drawn

_OPTION = re.compile(r":(?P<name>[\w -]{1,60}):(?:[ \t]+(?P<value>.*)|$)")
_ADMONITIONS = frozenset("note warning tip hint important caution danger attention error seealso todo".split())
_CHANGES = {
    "versionadded": "Added in version",
    "versionchanged": "Changed in version",
    "deprecated": "Deprecated since version",
    "versionremoved": "Removed in version",
    "deprecated-removed": "Deprecated since version",
    "versionnext": "Added in version",
}
_CODE = frozenset(
    "code code-block sourcecode parsed-literal literal-block prompt doctest testcode testsetup testoutput ipython "
    "productionlist math graphviz digraph graph uml plantuml mermaid jinja console highlight-block".split()
)
_DROPPED = frozenset(
    "raw contents sectnum section-numbering header footer meta index default-role role target-notes tabularcolumns highlight "
    "currentmodule py:currentmodule testcleanup sectionauthor codeauthor moduleauthor replace unicode date class cssclass "
    "rst-class include literalinclude".split()
)
_CLASSES = frozenset("class cssclass rst-class".split())
_FILES = frozenset("include literalinclude csv-table raw image figure".split())
_TITLED = frozenset(
    "admonition topic sidebar dropdown collapse tab tab-item card grid-item-card rubric centered details".split()
)
_QUOTES = frozenset("epigraph highlights pull-quote blockquote".split())
_PLAIN_ARGUMENTS = frozenset(
    "only ifconfig container compound tabs tab-set grid hlist glossary list-table table csv-table".split()
)
_MOST_CELLS = 200_000


class ContentReader(Protocol):
    """Reads and writes the content of directives."""

    writer: MarkdownWriter
    head: dict[str, str]
    unread: list[str]
    """Files that directives name."""

    def body(self, lines: list[str]) -> None:
        """Read blocks."""
        ...

    def paragraph(self, text: str) -> None:
        """Write a paragraph."""
        ...

    def code(self, lines: list[str]) -> None:
        """Write a code block."""
        ...

    def table(self, drawn: Drawn, caption: str = "") -> None:
        """Write a table."""
        ...


@dataclass(frozen=True, slots=True)
class Directive:
    """A directive as written."""

    name: str
    argument: str
    """All of its lines, joined with newlines."""
    options: Mapping[str, str]
    content: list[str]

    @classmethod
    def of(cls, name: str, argument: str, *, inner: list[str]) -> Directive:
        """Take the indented lines apart: more of the argument, options, a blank line, content."""
        number = 0
        argued = [argument] if argument else []
        # Without a first line, what follows at once is content, unless it is options.
        while argument and number < len(inner) and inner[number].strip() and not _OPTION.match(inner[number]):
            argued.append(inner[number].strip())
            number += 1
        options: dict[str, str] = {}
        last = ""
        while number < len(inner) and inner[number].strip():
            match = _OPTION.match(inner[number])
            if match:
                last = match["name"].lower()
                options[last] = match["value"] or ""
            elif last and inner[number].startswith(" "):
                options[last] += f" {inner[number].strip()}"
            else:
                break
            number += 1
        return cls(name.lower(), "\n".join(argued), options, inner[number:])


@dataclass(frozen=True, slots=True)
class Directives:
    """Reads directives for a reader, which reads their content."""

    reader: ContentReader

    def read(self, directive: Directive) -> None:
        """Write what is text in `directive`."""
        name = directive.name
        if name in _FILES:
            self._name_files(directive)
        own = {
            "csv-table": self._csv_table,
            "list-table": self._list_table,
            "image": self._picture,
            "figure": self._picture,
            "toctree": self._toctree,
        }
        if name in own:
            own[name](directive)
        elif name == "title":
            self.reader.head.setdefault("title", directive.argument)
        elif name in _DROPPED:
            self.reader.body(directive.content if name in _CLASSES else [])
        elif name in _CODE:
            self._code(directive)
        elif name in _ADMONITIONS:
            self._labelled(name.capitalize() if name != "seealso" else "See also", directive)
        elif name in _CHANGES:
            self._change(directive)
        elif name in _QUOTES:
            self.reader.writer.begin_quote()
            self.reader.body([directive.argument, *directive.content])
            self.reader.writer.end_quote()
        else:
            self._other(directive)

    def _picture(self, directive: Directive) -> None:
        self.reader.paragraph(directive.options.get("alt", ""))
        self.reader.body(directive.content)

    def _name_files(self, directive: Directive) -> None:
        for place in (directive.options.get("file"), directive.options.get("url")):
            if place:
                self.reader.unread.append(place)
        if directive.name in {"include", "literalinclude"} and directive.argument:
            self.reader.unread.append(directive.argument.split("\n")[0])

    def _code(self, directive: Directive) -> None:
        if caption := directive.options.get("caption"):
            self.reader.paragraph(caption)
        # In math and productions the argument is the first line; elsewhere it names the language.
        is_text = directive.name in {"math", "productionlist"} and bool(directive.argument)
        self.reader.code([*(directive.argument.split("\n") if is_text else ()), *directive.content])

    def _labelled(self, label: str, directive: Directive) -> None:
        self.reader.writer.end_block()
        self.reader.writer.words(f"{label}: ")
        self.reader.body([*directive.argument.split("\n"), *directive.content])
        self.reader.writer.end_block()

    def _change(self, directive: Directive) -> None:
        version, _, text = directive.argument.partition("\n")
        parts = version.split(None, 1)
        told = f"{_CHANGES[directive.name]} {parts[0] if parts else ''}"
        rest = " ".join([*parts[1:], text]).strip()
        if not rest and directive.content:
            self.reader.writer.end_block()
            self.reader.writer.words(f"{told}: ")
        else:
            self.reader.paragraph(f"{told}: {rest}" if rest else f"{told}.")
        self.reader.body(directive.content)

    def _toctree(self, directive: Directive) -> None:
        """The entries with titles of their own; paths alone are names of files."""
        if caption := directive.options.get("caption"):
            self.reader.paragraph(caption)
        self.reader.writer.begin_list(numbered=False)
        for line in directive.content:
            if line.strip() and not line.startswith("   "):
                self.reader.writer.begin_point()
                title = re.sub(r"\s*<[^<>]*>\s*$", "", line.strip())
                self.reader.writer.words(title)
                self.reader.writer.end_block()
        self.reader.writer.end_list()

    def _other(self, directive: Directive) -> None:
        """A titled box, a container, the description of a function or an option, or what nobody knows: all is text."""
        name, lines = directive.name, [line for line in directive.argument.split("\n") if line.strip()]
        if name in _TITLED:
            self.reader.paragraph(" ".join(lines))
        elif name in _PLAIN_ARGUMENTS:
            if name == "table" and lines:
                self.reader.paragraph(" ".join(lines))
        else:
            # A colon binds what is described to its description.
            for line in lines:
                mark = ":" if line is lines[-1] and directive.content else ""
                self.reader.writer.begin_inline_code()
                self.reader.writer.words(line.strip().replace("\\", ""))
                self.reader.writer.end_inline_code()
                self.reader.writer.words(mark)
                self.reader.writer.end_block()
        self.reader.body(directive.content)

    def _csv_table(self, directive: Directive) -> None:
        delimiter = {"tab": "\t", "space": " "}.get(
            directive.options.get("delim", ","), directive.options.get("delim", ",")
        )
        lines = [*directive.options.get("header", "").split("\n"), *directive.content]
        try:
            rows = [
                [" ".join(cell.split()) for cell in row]
                for row in csv.reader(
                    (f"{line}\n" for line in lines),
                    delimiter=delimiter if len(delimiter) == 1 else ",",
                    skipinitialspace=True,
                )
            ]
        except csv.Error:
            self.reader.code(directive.content)
            return
        headers = int(bool(directive.options.get("header"))) or _number(directive, "header-rows")
        self._table(directive, [row for row in rows if any(row)], headers)

    def _list_table(self, directive: Directive) -> None:
        """A list of lists: a row for each outer point, a cell for each inner one."""
        rows: list[list[str]] = []
        inner = 0
        for line in directive.content:
            bare = line.lstrip(" ")
            indent = len(line) - len(bare)
            if indent == 0 and re.match(r"[*+-](?:\s|$)", bare):
                rows.append([])
                bare = bare[1:].lstrip(" ")
                indent = len(line) - len(bare)
                inner = indent
                if re.match(r"[*+-](?:\s|$)", bare):
                    rows[-1].append(bare[1:].strip())
            elif rows and re.match(r"[*+-](?:\s|$)", bare) and (not rows[-1] or indent <= inner):
                rows[-1].append(bare[1:].strip())
            elif rows and rows[-1] and bare.strip():
                rows[-1][-1] = f"{rows[-1][-1]} {bare.strip()}".strip()
        self._table(directive, rows, _number(directive, "header-rows"))

    def _table(self, directive: Directive, rows: list[list[str]], headers: int) -> None:
        width = max(map(len, rows), default=0)
        if not width or width * len(rows) > _MOST_CELLS:
            self.reader.body(directive.content)
            return
        padded = [row + [""] * (width - len(row)) for row in rows]
        header = [" ".join(filter(None, names)) for names in zip(*padded[:headers], strict=True)]
        self.reader.table(Drawn(header, padded[headers:]), " ".join(directive.argument.split("\n")))


def _number(directive: Directive, option: str) -> int:
    value = directive.options.get(option, "").strip()
    return int(value) if value.isdecimal() and len(value) < 3 else 0  # noqa: PLR2004 - a table has few header rows
