"""Comments of source code: where they are, and what they say as prose."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass

from ken.knowledge.parse.languages import Language

_STRING = re.compile(r"""[rRuUbBfF]{0,2}("{3}|'{3}|"|')""")
_TRIPLE = re.compile(r"\"\"\"|'''|#")
_LEAD = re.compile(r"^[ \t]*\*(?!\*)[ \t]?", re.MULTILINE)
_LINE_MARK = re.compile(r"(?:/{2,}[!<]*|#+['!]?|-{2,}|;+|::)[ \t]?")
_RULE = re.compile(r"[\s\-=*#/_~+.]*")
_TAG = re.compile(
    r"[ \t]*(?:@|\\|:)(?:param|tparam|returns?|throws|raises?|exception|type|rtype|see|since|deprecated|example|default|brief)\b"
)
_ROLE = re.compile(r":[\w:+-]{1,40}:`~?([^`]{1,200})`")
_SECTION = re.compile(r"[ \t]*[A-Z]\w*(?: \w+)?:[ \t]*$")
_DOCTEST = re.compile(r"[ \t]*>>>")


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment that has its lines to itself, or a documenting string."""

    start: int
    end: int
    """The line after its last."""
    text: str
    """Markdown, or near to it, without the marks of the comment."""
    is_string: bool = False


@dataclass(frozen=True, slots=True)
class Comments:
    """The comments of a file."""

    at: Mapping[int, Comment]
    """By first line."""
    covered: frozenset[int]
    """All lines that are comments, or inside of a string of several lines: no definition begins there."""

    @classmethod
    def of(cls, lines: list[str], language: Language) -> Comments:
        """Find the comments of `lines`."""
        at: dict[int, Comment] = {}
        covered = _inside_strings(lines) if language.has_docstrings else set[int]()
        number = 0
        while number < len(lines):
            comment = None if number in covered else _comment(lines, number, language)
            if comment is None:
                number += 1
            else:
                at[number] = comment
                covered.update(range(comment.start, comment.end))
                number = comment.end
        return cls(at, frozenset(covered))


def docstring(lines: list[str], number: int) -> Comment | None:
    """The string that line `number` consists of or begins, or None."""
    if number >= len(lines):
        return None
    bare = lines[number].strip()
    match = _STRING.match(bare)
    if not match:
        return None
    mark = match[1]
    end = number
    rest = bare[match.end() :]
    while mark not in rest:
        end += 1
        if end >= len(lines) or len(mark) == 1:
            return None
        rest = lines[end]
    if rest.partition(mark)[2].strip():
        return None
    first, *others = [bare[match.end() :], *lines[number + 1 : end + 1]]
    body = f"{first}\n{textwrap.dedent(chr(10).join(others))}" if others else first
    return Comment(number, end + 1, _prose(body.rpartition(mark)[0]), is_string=True)


def _comment(lines: list[str], number: int, language: Language) -> Comment | None:
    bare = lines[number].strip()
    if not bare:
        return None
    if language.block_comment and not language.has_docstrings and bare.startswith(language.block_comment[0]):
        return _block(lines, number, language.block_comment)
    if not bare.startswith(language.line_comments) or (number == 0 and bare.startswith("#!")):
        return None
    end = number
    while end < len(lines) and lines[end].strip().startswith(language.line_comments):
        end += 1
    told = [_LINE_MARK.sub("", line.strip(), count=1) for line in lines[number:end]]
    return Comment(number, end, _prose("\n".join(told)))


def _block(lines: list[str], number: int, marks: tuple[str, str]) -> Comment | None:
    opening, closing = marks
    end = number
    rest = lines[number].strip().removeprefix(opening)
    while closing not in rest:
        end += 1
        if end >= len(lines):
            return None
        rest = lines[end]
    if rest.partition(closing)[2].strip():
        return None
    body = "\n".join(lines[number : end + 1]).strip().removeprefix(opening)
    body = body[: body.rindex(closing)].lstrip("*!").rstrip("*")
    first, _, others = body.partition("\n")
    return Comment(number, end + 1, _prose(f"{first.strip()}\n{textwrap.dedent(_LEAD.sub('', others))}"))


def _inside_strings(lines: list[str]) -> set[int]:
    """The lines that go on with, or end, a triple-quoted string which began in an earlier one."""
    inside: set[int] = set()
    open_mark = ""
    for number, line in enumerate(lines):
        if open_mark:
            inside.add(number)
        position = 0
        while match := _TRIPLE.search(line, position):
            position = match.end()
            if open_mark:
                open_mark = "" if match[0] == open_mark else open_mark
            elif match[0] == "#":
                # A mark after a number sign is a comment's, unless the sign stands in a string; rare enough.
                break
            else:
                open_mark = match[0]
    return inside


def _prose(text: str) -> str:
    """The words of a comment as Markdown: tags and the lines of a section are points, doctests are code."""
    lines = _ROLE.sub(r"`\1`", text).rstrip().split("\n")
    told: list[str] = []
    depth: int | None = None
    """Of the lines below a line such as `Args:`, which are points; -1 until the first of them is seen."""
    in_doctest = False
    for line in lines:
        bare = line.strip()
        indent = len(line) - len(line.lstrip())
        if in_doctest != bool(_DOCTEST.match(line) or (in_doctest and bare)):
            in_doctest = not in_doctest
            told.append("```")
        if in_doctest:
            told.append(line)
        elif bare and _RULE.fullmatch(bare) and set(bare) - set("-="):
            told.append("")
        elif _TAG.match(line):
            told.append(f"- {bare}")
        elif _SECTION.match(line):
            depth = -1
            told += ["", bare, ""]
        elif depth is not None and bare:
            depth = indent if depth < 0 else depth
            is_point = indent == depth and indent > 0
            depth = depth if indent >= depth and indent else None
            told.append(f"- {bare}" if is_point else f"  {bare}" if depth is not None else line)
        else:
            told.append(line)
    if in_doctest:
        told.append("```")
    return "\n".join(told)
