"""Writes Markdown block by block; what HTML and DOCX become."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter

_DEEPEST_LIST = 6
_DEEPEST_QUOTE = 4
_BREAK = "\x00"
_MARK_AT_START = re.compile(r"(?:#{1,6}|[-+*]|={2,}|-{2,})(?=\s|$)|>|`{3}|~{3}|\||---+$")
_NUMBER_AT_START = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")
# What `ken.text.markup.plain` would take for a mark: tags, entities, templates, link targets, code.
_MARK_INSIDE = re.compile(r"<(?=[a-zA-Z/!%])|&(?=#?\w{1,31};)|\{(?=[{%:#])|\((?<=\]\()|`|(?<=\])\[")


@dataclass(slots=True)
class _List:
    numbered: bool
    number: int


@dataclass(slots=True)
class MarkdownWriter:
    """Takes structure and words in reading order; `text` gives the Markdown."""

    blocks: list[tuple[str, bool]] = field(default_factory=list[tuple[str, bool]])
    """Each finished block, and whether it begins a list point."""
    inline: list[str] = field(default_factory=list[str])
    lists: list[_List] = field(default_factory=list[_List])
    quotes: int = 0
    heading: int = 0
    marker: str = ""
    """Of the list point that has begun and has no text yet."""
    code: list[str] | None = None
    inline_code: int = 0

    def text(self) -> str:
        """All that was written, one blank line between blocks and none between list points."""
        self.end_block()
        parts: list[str] = []
        for number, (block, is_point) in enumerate(self.blocks):
            if number:
                parts.append("\n" if is_point and self.blocks[number - 1][1] else "\n\n")
            parts.append(block)
        return "".join(parts) + "\n" if parts else ""

    def spans(self) -> list[tuple[int, int]]:
        """Where each finished block stands in `text()`, without indentation."""
        found: list[tuple[int, int]] = []
        position = 0
        for number, (block, is_point) in enumerate(self.blocks):
            if number:
                position += 1 if is_point and self.blocks[number - 1][1] else 2
            found.append((position + len(block) - len(block.lstrip(" ")), position + len(block)))
            position += len(block)
        return found

    def words(self, text: str) -> None:
        """Add running text, marks of Markdown in it escaped; inside code as it is."""
        if self.code is not None:
            self.code.append(text)
        elif self.inline_code:
            self.inline.append(text.replace("`", "'"))
        else:
            self.inline.append(escaped(text))

    def line_break(self) -> None:
        """A line break inside a paragraph."""
        if self.code is not None:
            self.code.append("\n")
        else:
            self.inline.append(" " if self.heading else _BREAK)

    def words_and_code(self, parts: Iterable[tuple[str, bool]]) -> None:
        """Add words and inline code: each part with whether it is code."""
        # Marks are escaped by what else stands around them, so words that touch are written together.
        for is_code, group in groupby(parts, key=itemgetter(1)):
            part = "".join(told for told, _ in group)
            if is_code:
                self.begin_inline_code()
                self.words(part)
                self.end_inline_code()
            else:
                self.words(part)

    def begin_inline_code(self) -> None:
        """Begin `code` inside a paragraph."""
        if self.code is None:
            self.inline_code += 1
            if self.inline_code == 1:
                self.inline.append("`")

    def end_inline_code(self) -> None:
        """End what `begin_inline_code` began."""
        if self.code is None and self.inline_code:
            self.inline_code -= 1
            if not self.inline_code:
                self.inline.append("`")

    def begin_heading(self, level: int) -> None:
        """Begin a heading of level 1 to 6, which `end_block` ends; in lists and tables it is a paragraph."""
        self.end_block()
        self.heading = 0 if self.lists or self.quotes else level

    def begin_list(self, *, numbered: bool, start: int = 1) -> None:
        """Begin a list, inside the current point if there is one."""
        self.end_block()
        self.lists.append(_List(numbered, start))

    def end_list(self) -> None:
        """End the innermost list."""
        self.end_block()
        if self.lists:
            self.lists.pop()
        self.marker = ""

    def begin_point(self) -> None:
        """Begin a list point; outside of any list, a paragraph."""
        self.end_block()
        if not self.lists:
            return
        innermost = self.lists[-1]
        self.marker = f"{innermost.number}. " if innermost.numbered else "- "
        innermost.number += 1

    def definition(self) -> None:
        """Between a term and its definition."""
        if "".join(self.inline).strip():
            self.inline.append(": ")
        else:
            self.begin_point()

    def begin_quote(self) -> None:
        """Begin a quotation."""
        self.end_block()
        self.quotes += 1

    def end_quote(self) -> None:
        """End the innermost quotation."""
        self.end_block()
        self.quotes = max(0, self.quotes - 1)

    def begin_code(self) -> None:
        """Begin a code block."""
        self.end_block()
        self.code = []

    def end_code(self) -> None:
        """End the code block and write it fenced."""
        source = "".join(self.code or ()).replace("\r\n", "\n").strip("\n")
        self.code = None
        self.inline_code = 0
        if source.strip():
            longest = max((len(run) for run in re.findall(r"`{3,}", source)), default=2)
            fence = "`" * (longest + 1)
            self._emit([fence, *source.split("\n"), fence])

    def table(self, header: list[str], rows: list[list[str]], *, caption: str = "") -> None:
        """A pipe table of cell texts; `header` may be empty."""
        self.end_block()
        if caption:
            self.inline.append(escaped(caption))
            self.end_block()
        width = max([len(header), *map(len, rows)], default=0)
        if not width:
            return
        lines = [_row(header, width), "|" + " --- |" * width, *(_row(row, width) for row in rows)]
        self._emit(lines)

    def end_block(self) -> None:
        """End the paragraph, heading or point that is being written, if it has any text."""
        if self.code is not None:
            return
        if self.inline_code:
            self.inline.append("`")
            self.inline_code = 0
        source = re.sub(r"`\s*`", "", "".join(self.inline))
        lines = [folded for line in source.split(_BREAK) if (folded := " ".join(line.split()))]
        self.inline.clear()
        level, self.heading = self.heading, 0
        if not lines:
            return
        if level:
            self._emit([f"{'#' * level} {' '.join(lines)}"])
        else:
            self._emit([_escaped_start(line) + ("  " if line is not lines[-1] else "") for line in lines])

    def _emit(self, lines: list[str]) -> None:
        marker, self.marker = self.marker, ""
        depth = min(len(self.lists), _DEEPEST_LIST)
        indent = "".join("   " if part.numbered else "  " for part in self.lists[: max(0, depth - 1)])
        inner = indent
        if self.lists:
            inner += " " * len(marker) if marker else "   " if self.lists[-1].numbered else "  "
        quote = "> " * min(self.quotes, _DEEPEST_QUOTE)
        prefixed = [
            (quote + (indent + marker if marker and not number else inner) + line).rstrip()
            + ("  " if line[-2:] == "  " else "")
            for number, line in enumerate(lines)
        ]
        self.blocks.append(("\n".join(prefixed), bool(marker)))


def escaped(text: str) -> str:
    """`text` with a backslash before whatever would be read as a mark in running Markdown."""
    if text.count("*") > 1:
        text = text.replace("*", "\\*")
    return _MARK_INSIDE.sub(r"\\\g<0>", text.replace(_BREAK, ""))


def _escaped_start(line: str) -> str:
    if _MARK_AT_START.match(line):
        return "\\" + line
    return _NUMBER_AT_START.sub(r"\1\\\2", line, count=1) if line[0].isdigit() else line


def _row(cells: list[str], width: int) -> str:
    padded = [" ".join(escaped(cell).replace("|", "\\|").split()) for cell in cells] + [""] * (width - len(cells))
    return "| " + " | ".join(padded) + " |"
