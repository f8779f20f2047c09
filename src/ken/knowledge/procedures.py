"""Procedures: numbered lists, with everything that stands inside of their steps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ken.domain.document import Block, ParsedDocument

_NUMBER = re.compile(r"[ \t>]*(\d{1,9})[.)](?=\s)")
_BULLET = re.compile(r"[ \t>]*[-*+•](?=\s)")
_FEWEST_STEPS = 2
_LONGEST_BREAK = 3
"""So many blocks at the margin may stand between two steps whose numbers follow each other."""


@dataclass(frozen=True, slots=True)
class Procedure:
    """Blocks `first` to `last` (exclusive) of a document."""

    first: int
    last: int
    steps: tuple[int, ...]
    """The blocks that steps begin with."""


def procedures(parsed: ParsedDocument) -> Iterator[Procedure]:
    """The numbered lists of a document, in order; one inside of another's step belongs to that."""
    index = 0
    while index < len(parsed.blocks):
        if parsed.blocks[index].kind == "list_item" and _number(parsed.text, parsed.blocks[index]):
            found = _procedure(parsed, index)
            if len(found.steps) >= _FEWEST_STEPS:
                yield found
            index = found.last
        else:
            index += 1


def _procedure(parsed: ParsedDocument, first: int) -> Procedure:
    text, blocks = parsed.text, parsed.blocks
    level = blocks[first].level
    steps = [first]
    number = _number(text, blocks[first])
    index = first + 1
    while index < len(blocks):
        block = blocks[index]
        if block.kind == "heading" or (block.kind == "list_item" and block.level < level):
            break
        if block.kind == "list_item" and block.level == level:
            if found := _number(text, block):
                steps.append(index)
                number = found
            elif _BULLET.match(text, block.start):
                break
        elif block.kind != "list_item" and not _is_indented(text, block):
            goes_on = _next_step(text, blocks[index + 1 : index + 1 + _LONGEST_BREAK], level=level, after=number)
            if not goes_on:
                break
            index += goes_on - 1
        index += 1
    return Procedure(first, index, tuple(steps))


def _next_step(text: str, following: Sequence[Block], *, level: int, after: str) -> int:
    """How many blocks on the step stands whose number follows; 0 where none does before a heading."""
    for distance, block in enumerate(following, start=1):
        if block.kind == "heading":
            return 0
        if block.kind == "list_item" and block.level == level and _number(text, block) == str(int(after) + 1):
            return distance
    return 0


def _number(text: str, block: Block) -> str:
    """The number that a list point begins with; empty where it has none."""
    match = _NUMBER.match(text, block.start, block.end)
    return match[1] if match else ""


def _is_indented(text: str, block: Block) -> bool:
    return text[block.start].isspace() or (block.start > 0 and text[block.start - 1] in " \t")
