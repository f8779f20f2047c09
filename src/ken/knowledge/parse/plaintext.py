"""Plain text: structure is guessed from blank lines, underlines, capitals, bullets and indentation."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from ken.domain.document import Block, BlockKind, ParsedDocument
from ken.knowledge.parse.decoding import decode
from ken.knowledge.parse.metadata import Stated, assembled

POINT = re.compile(r"[ \t]*(?:[-*+•‣◦▪–]|\d{1,3}[.)]|[a-zA-Z]\))[ \t]+(?=\S)")
"""The mark of a list point."""

_UNDERLINE = re.compile(r"[ \t]*(?:={3,}|-{3,}|~{3,})[ \t]*$")
_RULE = re.compile(r"[ \t]*[-=_*~#]{3,}[ \t]*$")
_COLUMNS = re.compile(r"\S(?:[ ]{3,}|\t+|[ ]\|[ ])\S")
_LONGEST_HEADING = 80
_MOST_WORDS_OF_A_HEADING = 12
_FEWEST_LETTERS = 4
_DEEPER = 4
_WORDS_OF_PROSE = 6


@dataclass(frozen=True, slots=True)
class _Line:
    start: int
    text: str

    @property
    def end(self) -> int:
        return self.start + len(self.text.rstrip())

    @property
    def indent(self) -> int:
        expanded = self.text.expandtabs(4)
        return len(expanded) - len(expanded.lstrip())


def parse_plaintext(data: bytes, *, name: str) -> ParsedDocument:
    """Parse plain text. Raises Unreadable for empty files and binary content."""
    text, warnings = decode(data, name=name)
    return assembled(text, plaintext_blocks(text), markup="plain", told=Stated(warnings=tuple(warnings)), name=name)


def plaintext_blocks(text: str) -> tuple[Block, ...]:
    """The blocks of plain `text`, in order and disjoint; underlines and rules are in none."""
    groups = list(_groups(text))
    indents = Counter(line.indent for group in groups for line in group)
    # Some texts are indented as a whole; code stands out from what is usual.
    usual = min(indents.most_common(2), default=(0, 0))[0]
    reader = _Reader(usual)
    for group in groups:
        reader.take(group)
    return tuple(reader.blocks)


def _groups(text: str) -> Iterator[list[_Line]]:
    """Runs of lines between blank ones."""
    group: list[_Line] = []
    position = 0
    for line in text.split("\n"):
        if line.strip():
            group.append(_Line(position, line))
        elif group:
            yield group
            group = []
        position += len(line) + 1
    if group:
        yield group


@dataclass(slots=True)
class _Reader:
    usual: int
    blocks: list[Block] = field(default_factory=list[Block])
    indents: list[int] = field(default_factory=list[int])
    """Of the open list points, outermost first."""

    def take(self, group: list[_Line]) -> None:
        while group:
            taken = self._heading(group)
            if not taken:
                break
            self.indents.clear()
            group = group[taken:]
        if not group:
            return
        if any(POINT.match(line.text) for line in group):
            self._list(group)
        elif self.indents and min(line.indent for line in group) > self.indents[-1]:
            self._add("list_item", group, level=len(self.indents))
        else:
            self.indents.clear()
            self._add(self._kind(group), group)

    def _heading(self, group: list[_Line]) -> int:
        """Add the heading that the group begins with, and return how many lines it takes; 0 for none."""
        first = group[0]
        if _RULE.match(first.text):
            return 1
        if len(group) > 1 and _UNDERLINE.match(group[1].text) and len(first.text.strip()) <= _LONGEST_HEADING:
            self._add("heading", group[:1], level=1 if "=" in group[1].text else 2)
            return 2
        if _in_capitals(first.text) and not (len(group) > 1 and _in_capitals(group[1].text)):
            seen = any(block.kind == "heading" for block in self.blocks)
            self._add("heading", group[:1], level=2 if seen else 1)
            return 1
        return 0

    def _kind(self, group: list[_Line]) -> BlockKind:
        if len(group) > 1 and all(_COLUMNS.search(line.text.strip()) for line in group):
            return "table"
        if min(line.indent for line in group) < self.usual + _DEEPER:
            return "paragraph"
        prose = sum(len(line.text.split()) >= _WORDS_OF_PROSE for line in group)
        return "quote" if 2 * prose > len(group) else "code"

    def _list(self, group: list[_Line]) -> None:
        """Each marked line starts a point; the lines after it belong to it, those before the first are its lead-in."""
        starts = [index for index, line in enumerate(group) if POINT.match(line.text)]
        if starts[0]:
            if self.indents and min(line.indent for line in group[: starts[0]]) > self.indents[-1]:
                self._add("list_item", group[: starts[0]], level=len(self.indents))
            else:
                self.indents.clear()
                self._add("paragraph", group[: starts[0]])
        for start, end in pairwise([*starts, len(group)]):
            indent = group[start].indent
            while self.indents and self.indents[-1] >= indent:
                self.indents.pop()
            self.indents.append(indent)
            self._add("list_item", group[start:end], level=len(self.indents))

    def _add(self, kind: BlockKind, lines: list[_Line], *, level: int = 0) -> None:
        first = lines[0]
        lead = 0 if kind == "code" else len(first.text) - len(first.text.lstrip())
        self.blocks.append(Block(kind=kind, start=first.start + lead, end=lines[-1].end, level=level))


def _in_capitals(line: str) -> bool:
    line = line.strip()
    letters = [character for character in line if character.isalpha()]
    return (
        len(line) <= _LONGEST_HEADING
        and len(letters) >= max(_FEWEST_LETTERS, len(line) // 2)
        and all(character.isupper() for character in letters)
        and line[-1] not in ".,;:!"
        and len(line.split()) <= _MOST_WORDS_OF_A_HEADING
    )
