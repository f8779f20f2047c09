"""Writes Markdown whose blocks are known as they are written; what tables, records and source code become.

`MarkdownWriter` is for running prose, whose blocks a Markdown parser then finds; here there may be a hundred thousand
rows, for which such a parser needs more memory than a document may have.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ken.domain.document import Block, BlockKind
from ken.knowledge.parse.decoding import clean
from ken.knowledge.parse.markdown import markdown_blocks
from ken.knowledge.parse.markdown_writer import escaped

_FENCE_RUN = re.compile(r"`{3,}")
_MARK_AT_START = re.compile(r"(?:[#>|~=+*-]|`{3}|\d{1,9}[.)](?=\s|$))")
_FENCE_LINE = re.compile(r"[ \t]*(`{3,}|~{3,})", re.MULTILINE)
_DEEPEST = 6


@dataclass(slots=True)
class BlockWriter:
    """Takes blocks in reading order; what is written is clean text, with marks of Markdown in it escaped."""

    blocks: list[Block] = field(default_factory=list[Block])
    length: int = 0
    """Characters written so far."""
    parts: list[str] = field(default_factory=list[str])

    def text(self) -> str:
        """All that was written."""
        return "".join(self.parts) + "\n" if self.parts else ""

    def heading(self, text: str, level: int) -> None:
        """A heading of level 1 or more; 6 is the deepest."""
        level = min(level, _DEEPEST)
        if title := _folded(text):
            self._add("heading", f"{'#' * level} {escaped(title)}", level=level)

    def symbol(self, name: str, level: int) -> None:
        """A heading that is a name of code: `__init__` stays as it is."""
        level = min(level, _DEEPEST)
        self._add("heading", f"{'#' * level} `{_folded(name).replace('`', '')}`", level=level)

    def paragraph(self, text: str) -> None:
        """Running text, its white space folded."""
        if words := _folded(text):
            self._add("paragraph", _safe_start(escaped(words)))

    def point(self, text: str, depth: int = 1) -> None:
        """A list point at nesting `depth`, 1 the outermost."""
        if words := _folded(text):
            indent = "  " * (min(depth, _DEEPEST) - 1)
            self._add("list_item", f"{indent}- {_safe_start(escaped(words))}", level=depth, lead=len(indent))

    def table(self, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """A pipe table. A row is as wide as `header`, whose cells are empty where nothing names the columns."""
        lines = [_row(header), "|" + " --- |" * len(header), *map(_row, rows)]
        self._add("table", "\n".join(lines))

    def code(self, source: str) -> None:
        """A fenced code block; blank lines around it are left out."""
        lines = clean(source)[0].rstrip().split("\n")
        while lines and not lines[0].strip():
            del lines[0]
        if lines:
            body = "\n".join(lines)
            fence = "`" * (max((len(run) for run in _FENCE_RUN.findall(body)), default=2) + 1)
            self._add("code", f"{fence}\n{body}\n{fence}")

    def markdown(self, text: str) -> None:
        """Text that is Markdown already, or near to it. Its headings are paragraphs here: they name no part of the file."""
        text = clean(text)[0].strip("\n").rstrip()
        for fence in ("`", "~"):
            runs = [run for run in _FENCE_LINE.findall(text) if run[0] == fence]
            if len(runs) % 2:
                text += f"\n{runs[-1]}"
        if not text.strip():
            return
        self._separate("\n\n")
        for block in markdown_blocks(text):
            kind: BlockKind = "paragraph" if block.kind == "heading" else block.kind
            level = 0 if kind == "paragraph" else block.level
            start, end = self.length + block.start, self.length + block.end
            self.blocks.append(Block(kind=kind, start=start, end=end, level=level))
        self._write(text)

    def _add(self, kind: BlockKind, text: str, *, level: int = 0, lead: int = 0) -> None:
        after_point = bool(self.blocks) and self.blocks[-1].kind == kind == "list_item"
        self._separate("\n" if after_point else "\n\n")
        self.blocks.append(Block(kind=kind, start=self.length + lead, end=self.length + len(text), level=level))
        self._write(text)

    def _separate(self, gap: str) -> None:
        if self.parts:
            self._write(gap)

    def _write(self, text: str) -> None:
        self.parts.append(text)
        self.length += len(text)


def _folded(text: str) -> str:
    return " ".join(clean(text)[0].split())


def _safe_start(text: str) -> str:
    if not _MARK_AT_START.match(text):
        return text
    digits = len(text) - len(text.lstrip("0123456789"))
    return f"{text[:digits]}\\{text[digits:]}"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _cell(text: str) -> str:
    if text.isalnum():
        return text
    return escaped(_folded(text)).replace("|", "\\|")
