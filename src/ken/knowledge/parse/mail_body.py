"""The text of a message becomes Markdown: paragraphs, lists, and what was quoted from others as quotations.

Flowed text is joined as RFC 3676 says (sections 4.1 to 4.5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from ken.knowledge.parse.markdown_writer import MarkdownWriter
from ken.knowledge.parse.plaintext import POINT, plaintext_blocks

_MARKS = re.compile(r"(?:>[ ]?)+")
_LONGEST_MARKS = 100
_SIGNATURE = "-- "
# Where programs that mark no lines begin to quote: a rule with words, or the quoted message's own headers.
_ORIGINAL = re.compile(
    r"[ \t]*-{2,}[ \t]*(?:original message|ursprüngliche nachricht|message d.origine|mensaje original)[ \t]*-{2,}[ \t]*$",
    re.IGNORECASE,
)
_FROM = re.compile(r"[ \t]*\*?(?:from|von|de|da)[ ]?:\*?[ \t]+\S", re.IGNORECASE)
_SENT = re.compile(r"[ \t]*\*?(?:sent|date|gesendet|datum|envoyé|enviado|inviato)[ ]?:\*?[ \t]+\S", re.IGNORECASE)
_HEADER_LINES = 3

_Line = tuple[int, str]
"""How deeply it is quoted, and its text."""


def write_body(text: str, writer: MarkdownWriter, *, is_flowed: bool = False, joins_closely: bool = False) -> None:
    """Write the text of a message; `joins_closely` is its DelSp parameter, by which the blank at a soft break is not kept."""
    lines = [_parted(line, is_flowed=is_flowed) for line in text.split("\n")]
    if is_flowed:
        lines = list(_joined(lines, joins_closely=joins_closely))
    lines = list(_with_unmarked(lines))
    for depth, group in groupby(lines, key=lambda line: line[0]):
        for _ in range(depth):
            writer.begin_quote()
        write_plain("\n".join(line for _, line in group), writer)
        for _ in range(depth):
            writer.end_quote()


def write_plain(text: str, writer: MarkdownWriter, *, heading_level: int = 0) -> None:
    """Write plain text block by block; its headings from `heading_level` + 1 on, as paragraphs where that is 0."""
    for block in plaintext_blocks(text):
        source = text[block.start : block.end]
        if block.kind in {"code", "table"}:
            writer.begin_code()
            writer.words(source)
            writer.end_code()
            continue
        if block.kind == "heading" and heading_level:
            writer.begin_heading(min(6, heading_level + block.level))
        if block.kind == "list_item":
            source = _point(source, block.level, writer)
        else:
            _deepen(writer, 0)
        _write_lines(source, writer)
        writer.end_block()
    _deepen(writer, 0)


def _point(source: str, level: int, writer: MarkdownWriter) -> str:
    """Begin a list point with the mark that `source` has, and return the rest of it."""
    _deepen(writer, level)
    found = POINT.match(source)
    mark = found[0].strip() if found else ""
    innermost = writer.lists[-1]
    innermost.numbered = mark[:-1].isdecimal()
    if innermost.numbered:
        innermost.number = int(mark[:-1])
    writer.begin_point()
    return source[found.end() :] if found else source


def _deepen(writer: MarkdownWriter, level: int) -> None:
    """Open or close lists until `level` of them are open."""
    while len(writer.lists) > level:
        writer.end_list()
    while len(writer.lists) < level:
        writer.begin_list(numbered=False)


def _write_lines(source: str, writer: MarkdownWriter) -> None:
    for number, line in enumerate(source.split("\n")):
        if number:
            writer.line_break()
        writer.words(line)


def _parted(line: str, *, is_flowed: bool) -> _Line:
    """The quotation marks of a line, counted, and the rest of it."""
    if not line.startswith(">"):
        return 0, line[1:] if is_flowed and line.startswith(" ") else line
    if is_flowed:
        bare = line.lstrip(">")
        depth = len(line) - len(bare)
        return min(depth, _LONGEST_MARKS), bare.removeprefix(" ")
    found = _MARKS.match(line)
    marks = found[0] if found else ""
    return min(marks.count(">"), _LONGEST_MARKS), line[len(marks) :]


def _joined(lines: list[_Line], *, joins_closely: bool) -> Iterator[_Line]:
    """Lines that end in a blank continue on the next one of the same depth."""
    held: list[str] = []
    held_depth = 0
    for depth, line in lines:
        if held and (depth != held_depth or line == _SIGNATURE):
            yield held_depth, "".join(held)
            held = []
        held_depth = depth
        if line.endswith(" ") and line != _SIGNATURE:
            held.append(line[:-1] if joins_closely else line)
        else:
            yield depth, "".join([*held, line])
            held = []
    if held:
        yield held_depth, "".join(held)


def _with_unmarked(lines: list[_Line]) -> Iterator[_Line]:
    """The lines, those below the head of a quoted message one deeper."""
    extra = 0
    for number, (depth, line) in enumerate(lines):
        if not extra and not depth and (_ORIGINAL.match(line) or _is_quoted_head(lines, number)):
            extra = 1
            if _ORIGINAL.match(line):
                continue
        yield depth + extra, line


def _is_quoted_head(lines: list[_Line], number: int) -> bool:
    if not number or not _FROM.match(lines[number][1]):
        return False
    return any(_SENT.match(line) for _, line in lines[number + 1 : number + 1 + _HEADER_LINES])
