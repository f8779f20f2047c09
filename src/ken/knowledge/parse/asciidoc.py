"""AsciiDoc becomes Markdown: blocks, lists and tables as the AsciiDoc language has them, https://docs.asciidoctor.org/.

No Python library for it is looked after. Nothing in a file makes this reader open another one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from ken.domain.document import ParsedDocument
from ken.knowledge.parse.asciidoc_inline import Inline
from ken.knowledge.parse.asciidoc_source import Source
from ken.knowledge.parse.asciidoc_table import table
from ken.knowledge.parse.decoding import clean, decode
from ken.knowledge.parse.front_matter import split_front_matter
from ken.knowledge.parse.markdown import markdown_blocks
from ken.knowledge.parse.markdown_writer import MarkdownWriter
from ken.knowledge.parse.metadata import Stated, assembled
from ken.knowledge.parse.stated_metadata import stated_in_head

_DEEPEST = 20
_LONGEST_TITLE = 400

_SECTION = re.compile(r"(?P<level>={1,6}|\#{1,6})[ \t]+(?P<title>\S.*?)(?:[ \t]+(?P=level))?$")
_DELIMITER = re.compile(r"(?:-{4,}|\.{4,}|={4,}|\*{4,}|_{4,}|\+{4,}|--|`{3,}.*|[|,:!]={3,})$")
_ATTRIBUTES = re.compile(r"\[(?P<inner>[^\[\]]?.{0,1000})\]$")
_ANCHOR = re.compile(r"\[\[(?P<id>[^\[\],]{1,200})(?:,[^\]]*)?\]\]$")
_TITLE = re.compile(r"\.(?P<title>[^\s.].*)$")
_ADMONITION = re.compile(r"(?P<label>NOTE|TIP|IMPORTANT|WARNING|CAUTION):[ \t]+")
_ADMONITIONS = frozenset("note tip important warning caution".split())
_POINT = re.compile(
    r"[ \t]*(?P<mark>-|\*{1,5}|•|\.{1,5}|\d{1,6}\.|[a-zA-Z]\.|[ivxIVX]{1,6}\)|<(?:\d{1,3}|\.)>)[ \t]+"
    r"(?:\[(?P<check>[ xX*])\][ \t]+)?(?P<text>\S.*)$"
)
_TERM = re.compile(r"[ \t]*(?P<term>\S.{0,400}?)(?P<mark>:{2,4}|;;)(?:[ \t]+(?P<text>.*))?$")
_BREAK = re.compile(r"(?:'{3,}|<{3,}|-\ ?-\ ?-|\*\ ?\*\ ?\*)$")
_MACRO = re.compile(r"(?P<name>image|video|audio|toc|link|stem|icon)::(?P<place>[^\s\[]{0,1000})\[(?P<told>.*)\]$")
_AUTHOR = re.compile(r"[^\W\d_][^<>:=|*]{0,100}(?:<[^<>]{1,200}>)?(?:;.{0,500})?$")
_REVISION = re.compile(r"(?:v?\d[\w.]{0,30},?|[vV]\d).{0,200}$")
_CODE_STYLES = frozenset("source listing literal stem latexmath asciimath plantuml mermaid graphviz ditaa".split())
_CALLOUT = re.compile(r"[ \t]*(?:(?://|#|--|;;)[ \t]*)?<(?:\d{1,3}|\.|!--\d{1,3}--)>(?=\s|$)")


def parse_asciidoc(data: bytes, *, name: str) -> ParsedDocument:
    """Parse AsciiDoc; files that it includes are named in a warning. Raises Unreadable for empty and binary files."""
    source, warnings = decode(data, name=name)
    text, front = split_front_matter(source)
    read = Source()
    read.read(text.expandtabs(4))
    reader = _Reader(Inline(_titles(read.lines)))
    reader.document(read.lines)
    if read.included:
        names = ", ".join(repr(place) for place in dict.fromkeys(read.included))
        warnings.append(f"It takes in other files, which are not read with it: {clean(names)[0][:_LONGEST_TITLE]}.")
    told = stated_in_head({**reader.head, **read.head}, front)
    told = Stated(told.metadata, (*warnings, *told.warnings))
    written, _ = clean(reader.writer.text())
    return assembled(written, markdown_blocks(written), markup="markdown", told=told, name=name)


def _titles(lines: list[str]) -> dict[str, str]:
    """What sections are called, by the identifiers that cross references use."""
    found: dict[str, str] = {}
    identifier = ""
    for line in lines:
        if section := _SECTION.match(line):
            title = Inline().plain(section["title"])
            found["_" + re.sub(r"\W+", "_", title.lower()).strip("_")] = title
            found[title] = title
            if identifier:
                found[identifier] = title
            identifier = ""
        elif anchor := _ANCHOR.match(line):
            identifier = anchor["id"]
        elif line.startswith("[#"):
            identifier = re.split(r"[],.%]", line[2:])[0]
        elif line.strip():
            identifier = ""
    return found


@dataclass(slots=True)
class _Block:
    """What stands above a block and is about it."""

    title: str = ""
    style: str = ""
    positional: list[str] = field(default_factory=list[str])
    attributes: dict[str, str] = field(default_factory=dict[str, str])
    """Named ones; options by their names with a percent sign."""

    def add(self, written: str) -> None:
        """Take in an attribute list: `[quote, Somebody, role=x]`, `[%header,cols="1,2"]`."""
        for number, part in enumerate(re.findall(r"(?:[^,\"]|\"[^\"]*\")+", written)):
            key, equals, value = part.strip().partition("=")
            if equals and re.fullmatch(r"[\w-]+", key):
                value = value.strip("\"' ")
                self.attributes[key] = value
                if key in {"options", "opts"}:
                    self.attributes.update({f"%{option.strip()}": "" for option in value.split(",")})
                continue
            self.attributes.update({f"%{option}": "" for option in re.findall(r"%([\w-]+)", part)})
            bare = re.split(r"[#%.]", part.strip())[0].strip('"')
            if number == 0:
                self.style = bare.lower() or self.style
            self.positional.append(bare)

    @property
    def is_code(self) -> bool:
        return self.style in _CODE_STYLES


@dataclass(slots=True)
class _Reader:
    inline: Inline
    writer: MarkdownWriter = field(default_factory=MarkdownWriter)
    head: dict[str, str] = field(default_factory=dict[str, str])
    depth: int = 0

    def document(self, lines: list[str]) -> None:
        """Read the header, if there is one, and the rest."""
        number = _past_blanks(lines, 0)
        first = _SECTION.match(lines[number]) if number < len(lines) else None
        if first and len(first["level"]) == 1:
            self._heading(first["title"], 1)
            number += 1
            if number < len(lines) and _AUTHOR.match(lines[number]) and not _DELIMITER.match(lines[number]):
                self.head["author"] = "; ".join(
                    re.sub(r"\s*<[^<>]*>", "", part).strip() for part in lines[number].split(";")
                )
                number += 1
                if number < len(lines) and _REVISION.match(lines[number]):
                    self._paragraph(lines[number])
                    number += 1
        self.body(lines[number:])

    def body(self, lines: list[str]) -> None:
        """Read blocks."""
        self.depth += 1
        if self.depth > _DEEPEST:
            self._paragraph(" ".join(lines))
        else:
            number = 0
            while number < len(lines):
                number = self._block(lines, number) if lines[number].strip() else number + 1
        self.depth -= 1

    def _paragraph(self, text: str) -> None:
        self.inline.write(text, self.writer)
        self.writer.end_block()

    def _heading(self, title: str, level: int) -> None:
        self.writer.begin_heading(level)
        self._paragraph(title[:_LONGEST_TITLE])

    def _code(self, lines: list[str]) -> None:
        self.writer.begin_code()
        self.writer.words("\n".join(lines))
        self.writer.end_code()

    def _block(self, lines: list[str], number: int) -> int:
        """Read the block that begins in line `number`, and return the line after it."""
        block = _Block()
        begin = number
        while number < len(lines) and self._about(lines[number], block):
            number += 1
        if number == len(lines) or (not lines[number].strip() and number > begin):
            return number
        line = lines[number]
        section = _SECTION.match(line)
        if section:
            self._heading(section["title"], min(6, len(section["level"])))
            return number + 1
        if _BREAK.match(line) or line == "+":
            return number + 1
        if block.title:
            self._paragraph(block.title)
        if _DELIMITER.match(line):
            return self._delimited(lines, number, block)
        if macro := _MACRO.match(line):
            if macro["name"] in {"image", "link"}:
                self._paragraph(f"link:x[{macro['told'].split(',')[0]}]" if macro["told"] else "")
            return number + 1
        if not block.is_code and (_POINT.match(line) or _is_term(line)):
            return self._list(lines, number)
        return self._prose(lines, number, block)

    def _about(self, line: str, block: _Block) -> bool:
        """Whether the line is about the block below it, and not the block itself."""
        if _ANCHOR.match(line):
            return True
        if (match := _ATTRIBUTES.match(line)) and not line.startswith("[["):
            block.add(match["inner"])
            return True
        if match := _TITLE.match(line):
            block.title = match["title"]
            return True
        return False

    def _prose(self, lines: list[str], number: int, block: _Block) -> int:
        begin = number
        is_literal = lines[number].startswith(" ")
        while number < len(lines) and lines[number].strip() and (number == begin or not _interrupts(lines[number])):
            number += 1
        taken = lines[begin:number]
        if block.is_code or is_literal:
            self._code(_dedented(taken))
            return number
        text = "\n".join(taken)
        label = _ADMONITION.match(text)
        if label or block.style in _ADMONITIONS:
            self.writer.words(f"{(label['label'] if label else block.style).capitalize()}: ")
            text = text[label.end() :] if label else text
        quoted = block.style in {"quote", "verse"} or text.startswith("> ")
        if quoted:
            self._quote(block, lambda: self._lines(text.replace("\n> ", "\n").removeprefix("> ")))
        else:
            self._lines(text)
        return number

    def _lines(self, text: str) -> None:
        """A paragraph; a plus sign at the end of a line breaks it."""
        parts = re.split(r"[ ]\+\n", text)
        for part in parts:
            self.inline.write(part, self.writer)
            if part is not parts[-1]:
                self.writer.line_break()
        self.writer.end_block()

    def _quote(self, block: _Block, write: Callable[[], None]) -> None:
        self.writer.begin_quote()
        write()
        if told := ", ".join(part for part in block.positional[1:] if part):
            self._paragraph(f"— {told}")
        self.writer.end_quote()

    def _delimited(self, lines: list[str], number: int, block: _Block) -> int:
        """Everything up to the same delimiter again, or to the end."""
        delimiter = lines[number].rstrip()
        closing = re.sub(r"(?<=```)[^`].*", "", delimiter)
        end = number + 1
        while end < len(lines) and lines[end].rstrip() != closing:
            end += 1
        inner = lines[number + 1 : end]
        kind = "--" if delimiter == "--" else delimiter[0]
        if kind in "|,:!":
            self._table(inner, block, kind)
        elif kind in {"-", ".", "`"} or (block.is_code and kind != "="):
            self._code([_CALLOUT.sub("", line) if "<" in line else line for line in map(_without_callout, inner)])
        elif kind == "_":
            is_verse = block.style == "verse"
            self._quote(block, lambda: self._lines(" +\n".join(inner)) if is_verse else self.body(inner))
        elif kind != "+":
            if block.style in _ADMONITIONS:
                self.writer.words(f"{block.style.capitalize()}: ")
            if block.style == "quote":
                self._quote(block, lambda: self.body(inner))
            else:
                self.body(inner)
            self.writer.end_block()
        return end + 1

    def _table(self, lines: list[str], block: _Block, separator: str) -> None:
        found = table(lines, block.attributes, separator=separator)
        told = self.inline.plain
        header = [told(cell) for cell in found.header]
        self.writer.table(header, [[_cell_text(told(cell)) for cell in row] for row in found.rows])

    def _list(self, lines: list[str], number: int) -> int:
        """Points of any depth: a mark that is new nests, one that is known goes back to its list."""
        marks: list[str] = []
        while number < len(lines):
            line = lines[number]
            point, is_term = _POINT.match(line), _is_term(line)
            if not point and not is_term:
                break
            mark = _kind(point["mark"]) if point else _term(line)[1]
            self._nest(marks, mark, numbered=mark[0] in ".1<a")
            self.writer.begin_point()
            if point:
                check = {"x": "[x] ", "X": "[x] ", "*": "[x] ", " ": "[ ] "}.get(point["check"] or "", "")
                self.writer.words(check)
                first = point["text"]
            else:
                term, _, first = _term(line)
                self.inline.write(term, self.writer)
                self.writer.definition()
            number = self._point(lines, number + 1, first)
        for _ in marks:
            self.writer.end_list()
        return number

    def _nest(self, marks: list[str], mark: str, *, numbered: bool) -> None:
        if mark in marks:
            while marks[-1] != mark:
                marks.pop()
                self.writer.end_list()
        elif len(marks) < _DEEPEST:
            marks.append(mark)
            self.writer.begin_list(numbered=numbered)

    def _point(self, lines: list[str], number: int, first: str) -> int:
        """The text of a point and the blocks that a lone plus sign attaches to it; returns the line after them."""
        taken = [first] if first else []
        if not first:
            number = _past_blanks(lines, number)
        while number < len(lines) and lines[number].strip() and not _ends_point(lines[number]):
            taken.append(lines[number].strip())
            number += 1
        self._lines("\n".join(taken))
        while True:
            following = _past_blanks(lines, number)
            if following < len(lines) and lines[following] == "+":
                following = _past_blanks(lines, following + 1)
                if following == len(lines):
                    return following
                self.depth += 1
                number = self._block(lines, following) if self.depth <= _DEEPEST else following + 1
                self.depth -= 1
            elif following > number and following < len(lines) and _is_literal(lines[following]):
                number = self._prose(lines, following, _Block())
            else:
                break
        # Lists go on over blank lines, and over what is said about a nested one; after a blank line that begins a new list.
        while following == number and following < len(lines) and _ATTRIBUTES.match(lines[following]):
            number = following = following + 1
        return following if following < len(lines) and _ends_point(lines[following]) else number


def _past_blanks(lines: list[str], number: int) -> int:
    while number < len(lines) and not lines[number].strip():
        number += 1
    return number


def _is_term(line: str) -> bool:
    return bool(_term(line)[1])


def _term(line: str) -> tuple[str, str, str]:
    """Term, mark and text of a point of a description list; empty texts for any other line."""
    match = _TERM.match(line[:1_000]) if "::" in line or ";;" in line else None
    if not match or _MACRO.match(line):
        return "", "", ""
    return match["term"], match["mark"], line[match.start("text") :] if match["text"] else ""


def _kind(mark: str) -> str:
    """Marks that count are one kind, whatever the number."""
    if mark[0] == "<":
        return "<"
    if mark[0].isdigit():
        return "1"
    return "a" if mark[0].isalpha() else mark


def _ends_point(line: str) -> bool:
    return line == "+" or bool(_POINT.match(line)) or _is_term(line) or _interrupts(line)


def _is_literal(line: str) -> bool:
    return line.startswith(" ") and not _POINT.match(line) and not _is_term(line)


def _interrupts(line: str) -> bool:
    """Whether a paragraph ends before this line, though no blank one parts them."""
    return bool(
        _DELIMITER.match(line)
        or (_SECTION.match(line) and line[0] == "=")
        or (_ATTRIBUTES.match(line) and " " not in line)
    )


def _without_callout(line: str) -> str:
    return re.sub(r"[ \t]*(?:(?://|#|--|;;)[ \t]*)?<(?:\d{1,3}|\.)>[ \t]*$", "", line) if line.endswith(">") else line


def _dedented(lines: list[str]) -> list[str]:
    common = min((len(line) - len(line.lstrip(" ")) for line in lines), default=0)
    return [line[common:] for line in lines]


def _cell_text(text: str) -> str:
    """A cell in one line: marks of points in it are parted by semicolons."""
    return re.sub(r"\n+[ \t]*(?:\*{1,5}|-|\.{1,5})[ \t]+", "; ", text)
