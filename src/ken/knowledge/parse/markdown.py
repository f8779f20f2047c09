"""Markdown: the source stays as it is, and its blocks are found by line."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.token import Token

from ken.domain.document import Block, BlockKind, ParsedDocument
from ken.knowledge.parse.decoding import decode
from ken.knowledge.parse.front_matter import split_front_matter
from ken.knowledge.parse.metadata import Stated, assembled

_LONGEST_HEADING = 400
# Lines that are no block of their own: rules, reference definitions, lone quote marks.
_BARE_LINE = re.compile(r"[ \t>]*(?:[-*_=][-*_= \t]*|\[(?!\^)[^\]]+\]:.*)?$")


def parse_markdown(data: bytes, *, name: str) -> ParsedDocument:
    """Parse Markdown with optional YAML front matter. Raises Unreadable for empty files and binary content."""
    source, mended = decode(data, name=name)
    text, told = split_front_matter(source)
    told = Stated(told.metadata, (*mended, *told.warnings))
    return assembled(text, markdown_blocks(text), markup="markdown", told=told, name=name)


def markdown_blocks(text: str) -> tuple[Block, ...]:
    """The blocks of Markdown `text`, in order and disjoint.

    A list point is one block up to a nested list or code; quotes give one block a paragraph; HTML is a paragraph.
    """
    lines = _Lines(text)
    walk = _Walk(lines)
    for token in _parser().parse(text):
        walk.take(token)
    return tuple(_with_gaps(lines, walk.blocks))


def _parser() -> MarkdownIt:
    """Blocks only: inline tokens are not needed, and are most of the work."""
    parser = MarkdownIt("commonmark").enable("table")
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser


class _Lines:
    """Where lines start and end in a text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = [0]
        for match in re.finditer("\n", text):
            self.starts.append(match.end())
        self.starts.append(len(text) + 1)

    def span(self, first: int, last: int, *, indented: bool = False) -> tuple[int, int]:
        """The characters of lines `first` to `last` (exclusive) without blank lines and, unless `indented`, indentation."""
        start, end = self.starts[first], min(self.starts[last] - 1, len(self.text))
        piece = self.text[start:end]
        bare = piece.lstrip()
        start += len(piece) - len(bare)
        if indented:
            start = max(self.text.rfind("\n", 0, start) + 1, self.starts[first])
        return start, max(start, end - (len(piece) - len(piece.rstrip())))


@dataclass(slots=True)
class _Walk:
    """Turns the parser's tokens into blocks; knows which lists and quotes are open."""

    lines: _Lines
    blocks: list[Block] = field(default_factory=list[Block])
    lists: int = 0
    quotes: int = 0
    points: list[int] = field(default_factory=list[int])
    """For each open list point, the index of the block that it may still add paragraphs to, or -1."""

    def take(self, token: Token) -> None:
        match token.type:
            case "bullet_list_open" | "ordered_list_open" | "bullet_list_close" | "ordered_list_close":
                self._interrupt()
                self.lists += token.nesting
            case "blockquote_open" | "blockquote_close":
                self._interrupt()
                self.quotes += token.nesting
            case "list_item_open":
                self.points.append(-1)
            case "list_item_close":
                self.points.pop()
            case "fence" | "code_block" | "table_open":
                self._interrupt()
                table = token.type == "table_open"
                self._add(token, "table" if table else "code", indented=not table)
            case "heading_open":
                self._heading(token)
            case "paragraph_open" | "html_block":
                self._prose(token)
            case _:
                pass

    def _interrupt(self) -> None:
        """End the block of the innermost open point: what follows in that point is a block of its own."""
        if self.points:
            self.points[-1] = -1

    def _heading(self, token: Token) -> None:
        first, last = _map(token)
        start, end = self.lines.span(first, last)
        if self.lists or self.quotes or end - start > _LONGEST_HEADING:
            self._prose(token)
        else:
            self._add(token, "heading", level=int(token.tag[1]))

    def _prose(self, token: Token) -> None:
        if self.points and self.points[-1] >= 0:
            _, end = self.lines.span(*_map(token))
            begun = self.blocks[self.points[-1]]
            self.blocks[self.points[-1]] = Block(
                kind=begun.kind, start=begun.start, end=max(end, begun.end), level=begun.level
            )
        elif self.points:
            self.points[-1] = len(self.blocks)
            self._add(token, "list_item", level=self.lists)
        else:
            self._add(token, "quote" if self.quotes else "paragraph")

    def _add(self, token: Token, kind: BlockKind, *, level: int = 0, indented: bool = False) -> None:
        start, end = self.lines.span(*_map(token), indented=indented)
        start = max(start, self.blocks[-1].end if self.blocks else 0)
        if start < end:
            self.blocks.append(Block(kind=kind, start=start, end=end, level=level))
        elif self.points:
            self.points[-1] = -1


def _map(token: Token) -> tuple[int, int]:
    assert token.map is not None, token.type  # noqa: S101 - block tokens have lines
    return token.map[0], token.map[1]


def _with_gaps(lines: _Lines, blocks: list[Block]) -> list[Block]:
    """`blocks`, and a paragraph for each run of lines that the parser passed over, as it does below its nesting limit."""
    complete: list[Block] = []
    position = 0
    for block in blocks:
        complete.extend(_gap(lines.text, position, block.start))
        complete.append(block)
        position = block.end
    complete.extend(_gap(lines.text, position, len(lines.text)))
    return complete


def _gap(text: str, start: int, end: int) -> list[Block]:
    if not text[start:end].strip():
        return []
    found: list[tuple[int, int]] = []
    position = start
    for line in text[start:end].split("\n"):
        bare = line.strip()
        begin = position + len(line) - len(line.lstrip())
        if bare and not _BARE_LINE.match(line):
            joins = (
                bool(found)
                and not text[found[-1][1] : begin].strip(" \t\n")
                and "\n\n" not in text[found[-1][1] : begin]
            )
            found[-1:] = [(found[-1][0], begin + len(bare))] if joins else [*found[-1:], (begin, begin + len(bare))]
        position += len(line) + 1
    return [Block(kind="paragraph", start=first, end=last) for first, last in found]
