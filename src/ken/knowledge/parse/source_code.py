"""Source code: a section for each definition, its comment as prose above its code, so that questions in words find it.

No language is parsed: definitions are known by how their first line looks and end by indentation, which holds for files
that a formatter or an orderly person wrote, also where they are broken or templates of something else. Comments about
the licence at the top are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from ken.domain.document import Metadata, ParsedDocument
from ken.errors import Unreadable
from ken.knowledge.parse.block_writer import BlockWriter
from ken.knowledge.parse.code_comments import Comment, Comments, docstring
from ken.knowledge.parse.decoding import decode
from ken.knowledge.parse.languages import BY_NAME, BY_SUFFIX, Language
from ken.knowledge.parse.metadata import Stated, assembled

_MOST_CHARACTERS = 5_000_000
_LONGEST_LINE = 1_000
_LONGEST_CODE = 1_000
"""Characters: at 2.5 to 3.5 a word piece, code and its comment fit into one passage. Longer code is cut, at blank lines first."""
_LONGEST_MEAN_LINE = 250
_ENOUGH_TO_JUDGE = 5_000
_LONGEST_READ = 400
_LONGEST_TITLE = 140
_HEAD_LINES = 10
_MOST_ABOVE = 60

_GENERATED_NAME = re.compile(
    r"(?:\.min\.\w+|[.-]bundle\.js|_pb2(?:_grpc)?\.pyi?|\.pb\.(?:go|cc|h)|\.g\.(?:dart|cs)|\.designer\.cs|^pnpm-lock\.yaml"
    r"|^uv\.lock|^poetry\.lock|^cargo\.lock)$"
)
_GENERATED = re.compile(
    r"@generated\b|code generated .{0,80}do not edit|auto-?(?:matically )?generated (?:by|from|file)"
    r"|this (?:file|code) (?:is|was|has been) auto-?(?:matically )?generated",
    re.IGNORECASE,
)
_LICENCE = re.compile(r"copyright|licen[sc]ed?\b|spdx-", re.IGNORECASE)
_INTERPRETER = re.compile(r"#!\s*/")
_MODE_LINE = re.compile(r"^.*-\*-.*$|^[ \t]*(?:vim?|ex):.*$", re.MULTILINE)
_CLOSER = re.compile(
    r"[})\]]|(?:end|fi|done|esac|else|elif|except|finally|catch|then|do)\b|\w{1,30}:$|\{$|#\s*(?:if|el|end|def|undef)"
)
_DECORATOR = re.compile(r"@|#!?\[|\[\w|template\s*<")
_CONTAINER = re.compile(
    r"\b(?:class|interface|struct|enum|trait|impl|module|namespace|object|protocol|extension|record|mod|defmodule|union|actor|service)\b"
)
_INDEX = frozenset("__init__ index main mod lib setup variables outputs".split())
_SENTENCE = re.compile(r"(.{3,}?)(?:[.!?](?:\s|$)|\n\s*\n|\n\s*[-=~*]|$)", re.DOTALL)


def parse_source_code(data: bytes, *, name: str) -> ParsedDocument:
    """Parse source code or a configuration file.

    Raises Unreadable for empty files, binary content, and what a program wrote: minified, generated, or a dump of data.
    """
    text, warnings = decode(data, name=name)
    path = PurePosixPath(name.replace("\\", "/"))
    _refuse_generated(text, path.name, name)
    language = BY_SUFFIX.get(path.suffix.lower()) or BY_NAME.get(path.name.lower()) or Language(())
    lines = text.expandtabs(4).split("\n")
    comments = Comments.of(lines, language)
    writing = _Writing(path.name, lines, language, comments)
    about = writing.write()
    shown = f"{path.parent.name}/{path.name}" if path.stem.lower() in _INDEX and path.parent.name else path.name
    summary = _summary(about, path.name)
    title = f"{shown}: {summary}" if summary else shown
    told = Stated(Metadata(title=title), tuple(warnings))
    writer = writing.writer
    return assembled(writer.text(), tuple(writer.blocks), markup="markdown", told=told, name=name)


def _summary(about: str, file_name: str) -> str:
    """The first sentence of what a file says about itself, if it says anything that its name doesn't; else nothing."""
    first = _SENTENCE.match(about.strip())
    summary = " ".join(first[1].split()).strip(" .*-=#`") if first else ""
    is_telling = summary.count(" ") > 1 and not summary.endswith(":") and file_name not in summary
    return summary if is_telling and len(summary) <= _LONGEST_TITLE else ""


def _refuse_generated(text: str, last: str, name: str) -> None:
    remedy = "leave it out of the source, and give what it was made from."
    if len(text) > _MOST_CHARACTERS or (
        len(text) > _ENOUGH_TO_JUDGE and len(text) > _LONGEST_MEAN_LINE * (text.strip().count("\n") + 1)
    ):
        raise Unreadable(f"{name!r} is minified, or data rather than source code: {remedy}")
    head = "\n".join(line[:_LONGEST_READ] for line in text[:_ENOUGH_TO_JUDGE].split("\n")[:_HEAD_LINES])
    if _GENERATED_NAME.search(last.lower()) or _GENERATED.search(head):
        raise Unreadable(f"{name!r} was written by a program: {remedy}")


@dataclass(slots=True)
class _Definition:
    name: str
    indent: int
    line: int
    is_container: bool
    level: int
    start: int
    """The first line of what stands above it and belongs to it: comments and decorators."""


@dataclass(slots=True)
class _Writing:
    """Goes through a file line by line."""

    file_name: str
    lines: list[str]
    language: Language
    comments: Comments
    writer: BlockWriter = field(default_factory=BlockWriter)

    def write(self) -> str:
        """Write the whole file, and return what its first comment says about it."""
        found = list(self._definitions())
        about, begin = self._about()
        pieces = self._pieces(found, begin)
        for definition, first, last in pieces:
            if definition and first == definition.start:
                self.writer.symbol(definition.name, definition.level)
                self._definition(definition, last)
            else:
                if self.writer.blocks and any(block.kind == "heading" for block in self.writer.blocks):
                    name, level = (definition.name, definition.level) if definition else (self.file_name, 2)
                    self.writer.symbol(name, level)
                self._code(self.lines[first:last])
        return about

    def _about(self) -> tuple[str, int]:
        """Write what the file says about itself at its top, and return it with the line after it."""
        number = 1 if _INTERPRETER.match(self.lines[0]) else 0
        texts: list[str] = []
        while number < len(self.lines):
            comment = self.comments.at.get(number) or (
                docstring(self.lines, number) if self.language.has_docstrings and not texts else None
            )
            if comment is None:
                if self.lines[number].strip():
                    break
                number += 1
                continue
            following = self.lines[comment.end].strip() if comment.end < len(self.lines) else ""
            if (
                following
                and not comment.is_string
                and not _LICENCE.search(comment.text)
                and not self._stands_alone(comment)
            ):
                break
            if not _LICENCE.search(comment.text):
                texts.append(_MODE_LINE.sub("", comment.text))
            number = comment.end
        for text in texts:
            self.writer.markdown(text)
        return next((text for text in texts if any(map(str.isalpha, text))), ""), number

    def _stands_alone(self, comment: Comment) -> bool:
        """Whether what follows the comment at the top of a file is no definition that it documents."""
        line = self.lines[comment.end]
        is_definition = bool(self.language.definition and self.language.definition.match(line.strip()[:_LONGEST_READ]))
        return bool(self.language.definition) and not is_definition and not _DECORATOR.match(line.strip())

    def _definitions(self) -> Iterator[_Definition]:
        pattern = self.language.definition
        stack: list[_Definition] = []
        for number, line in enumerate(self.lines if pattern else []):
            bare = line.lstrip()
            if not bare or number in self.comments.covered:
                continue
            indent = len(line) - len(bare)
            while stack and self.language.is_indented and indent <= stack[-1].indent and not _CLOSER.match(bare):
                stack.pop()
            if stack and not stack[-1].is_container:
                if self.language.is_indented:
                    continue
                stack.pop()
            match = pattern.match(bare[:_LONGEST_READ]) if pattern else None
            if not match:
                continue
            while stack and indent <= stack[-1].indent:
                stack.pop()
            name = _name(match)
            if stack:
                name = f"{stack[-1].name}.{name}"
            is_container = self.language.is_indented and bool(_CONTAINER.search(match[0]))
            definition = _Definition(name, indent, number, is_container, len(stack) + 2, self._above(number, indent))
            yield definition
            stack.append(definition)

    def _above(self, number: int, indent: int) -> int:
        """The first of the lines right above that belong to the definition in line `number`."""
        best = number
        for above in range(number - 1, max(-1, number - _MOST_ABOVE), -1):
            line = self.lines[above]
            bare = line.lstrip()
            if not bare and above not in self.comments.covered:
                break
            depth = len(line) - len(bare)
            if above in self.comments.at and depth == indent:
                best = above
            elif above in self.comments.covered:
                continue
            elif depth == indent and _DECORATOR.match(bare):
                best = above
            elif depth < indent or (depth == indent and not _CLOSER.match(bare)):
                break
        return best

    def _pieces(self, found: list[_Definition], begin: int) -> Iterator[tuple[_Definition | None, int, int]]:
        """The file from line `begin` in pieces: (definition that it belongs to, first line, line after the last)."""
        starts = [definition.start for definition in found] + [len(self.lines)]
        if begin < starts[0]:
            yield None, begin, starts[0]
        parents: list[_Definition] = []
        for definition, following in zip(found, starts[1:], strict=True):
            while parents and (not parents[-1].is_container or definition.indent <= parents[-1].indent):
                parents.pop()
            parents.append(definition)
            first = max(definition.start, begin)
            end = self._end(definition, following)
            yield definition, definition.start, end
            if end < following:
                owner = next((each for each in reversed(parents[:-1]) if self._indent(end) > each.indent), None)
                yield owner, end, following
            begin = max(first, end)

    def _end(self, definition: _Definition, following: int) -> int:
        if not self.language.is_indented:
            return following
        for number in range(definition.line + 1, following):
            bare = self.lines[number].lstrip()
            if (
                bare
                and number not in self.comments.covered
                and len(self.lines[number]) - len(bare) <= definition.indent
                and not _CLOSER.match(bare)
            ):
                while number > definition.line + 1 and (
                    number - 1 in self.comments.covered or not self.lines[number - 1].strip()
                ):
                    number -= 1  # noqa: PLW2901 - the comments above it go with it
                return number
        return following

    def _indent(self, number: int) -> int:
        while number < len(self.lines) - 1 and not self.lines[number].strip():
            number += 1
        return len(self.lines[number]) - len(self.lines[number].lstrip())

    def _definition(self, definition: _Definition, end: int) -> None:
        code: list[str] = []
        number = definition.start
        while number < definition.line:
            comment = self.comments.at.get(number)
            if comment:
                self.writer.markdown(comment.text)
                number = comment.end
            else:
                code.append(self.lines[number])
                number += 1
        below = docstring(self.lines, self._after_signature(number, end)) if self.language.has_docstrings else None
        if below and below.end <= end:
            self.writer.markdown(below.text)
            self._code([*code, *self.lines[number : below.start], *self.lines[below.end : end]])
        else:
            self._code([*code, *self.lines[number:end]])

    def _after_signature(self, number: int, end: int) -> int:
        """The first line with anything in it below the signature that begins in line `number`."""
        for line in range(number, min(end, number + _MOST_ABOVE)):
            if self.lines[line].split("#")[0].rstrip().endswith(":"):
                number = line
                break
        number += 1
        while number < end and not self.lines[number].strip():
            number += 1
        return number

    def _code(self, lines: list[str]) -> None:
        for part in _parts(_wrapped(lines)):
            self.writer.code("\n".join(part))


def _name(match: re.Match[str]) -> str:
    groups = {key: value.strip() for key, value in match.groupdict().items() if value}
    receiver = groups.pop("receiver", "").lstrip("*")
    if "impl" in groups:
        return f"impl {groups['impl']}"
    name = next(iter(groups.values()), match[0]).strip("`[]")
    name = name.strip('"') if name.startswith('"') else name
    return f"{receiver}.{name}" if receiver else name


def _wrapped(lines: list[str]) -> list[str]:
    """`lines` without common indentation, and with over-long ones cut, so that no passage is made of one line."""
    indents = [len(line) - len(line.lstrip()) for line in lines if line.strip()]
    common = min(indents, default=0)
    cut: list[str] = []
    for line in lines:
        rest = line[common:].rstrip()
        while len(rest) > _LONGEST_LINE:
            cut.append(rest[:_LONGEST_LINE])
            rest = rest[_LONGEST_LINE:]
        cut.append(rest)
    return cut


def _parts(lines: list[str]) -> Iterator[list[str]]:
    """`lines` in parts of at most _LONGEST_CODE characters, cut at the least indented blank line of the latter half."""
    while lines:
        total, count = 0, 0
        while count < len(lines) and total + len(lines[count]) <= _LONGEST_CODE:
            total += len(lines[count]) + 1
            count += 1
        count = max(1, count)
        if count < len(lines):
            blanks = [number for number in range(count // 2, count + 1) if number and not lines[number - 1].strip()]
            depth = {number: len(lines[number]) - len(lines[number].lstrip()) for number in blanks}
            count = min(blanks, key=lambda number: (depth[number], -number), default=count)
        yield lines[:count]
        lines = lines[count:]
