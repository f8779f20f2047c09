"""reStructuredText becomes Markdown: docutils' blocks and Sphinx's directives, as far as they are text.

A reader of our own: nothing in a file can make it open another file or reach the network, directives that nobody knows
keep their text, and it takes linear time, all of which docutils has to be talked into. What it reads is in the
reStructuredText specification, https://docutils.sourceforge.io/docs/ref/rst/restructuredtext.html.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ken.domain.document import ParsedDocument
from ken.knowledge.parse.decoding import clean, decode
from ken.knowledge.parse.front_matter import split_front_matter
from ken.knowledge.parse.markdown import markdown_blocks
from ken.knowledge.parse.markdown_writer import MarkdownWriter
from ken.knowledge.parse.metadata import Stated, assembled
from ken.knowledge.parse.rst_directives import Directive, Directives
from ken.knowledge.parse.rst_inline import Inline
from ken.knowledge.parse.rst_table import GRID, SIMPLE, Drawn, grid_table, simple_table, simple_table_end
from ken.knowledge.parse.stated_metadata import OWN_KEYS, stated_in_head

_DEEPEST = 30
_LONGEST_TITLE = 400
_SHORTEST_RULE = 4

_ADORNMENT = re.compile(r"([!-/:-@\[-`{-~])\1*\s*$")
_BULLET = re.compile(r"[-*+•‣⁃](?:[ \t]+|$)")
_NUMBERED = re.compile(r"\(?(?P<number>\d{1,9}|[a-zA-Z]|#|[ivxlcdm]{2,7}|[IVXLCDM]{2,7})[.)](?:[ \t]+|$)")
_FIELD = re.compile(r":(?![: ])(?P<name>(?:[^:\\]|\\.|:(?![\s])){1,100}):(?:[ \t]+|$)")
_OPTION = re.compile(
    r"(?P<options>(?:-{1,2}|/)\w[^\s,]{0,60}(?:[ =][<\w][^\s,]{0,40})?"
    r"(?:, (?:-{1,2}|/)\w[^\s,]{0,60}(?:[ =][<\w][^\s,]{0,40})?){0,6})(?:[ ]{2,}|$)"
)
_EXPLICIT = re.compile(r"\.\.(?:[ \t]+|$)")
_DIRECTIVE = re.compile(
    r"(?P<substituted>\|[^|]{1,200}\|[ \t]+)?(?P<name>[\w:.+-]{1,60}?)[ \t]?::(?:[ \t]+(?P<argument>.*)|$)"
)
_NOTE = re.compile(r"\[(?P<label>[#*]|#?[\w.-]{1,60})\](?:[ \t]+|$)")
_ATTRIBUTION = re.compile(r"(?:---?|—)[ \t]*\S")
_SUBSTITUTION = re.compile(
    r"^[ \t]*\.\.[ \t]+\|(?P<name>[^|\n]{1,200})\|[ \t]+(?P<kind>replace|unicode|image|figure|date)::[ \t]*"
    r"(?P<text>[^\n]*(?:\n[ \t]{2,}\S[^\n]*){0,20})",
    re.MULTILINE,
)
_TARGET = re.compile(r"^[ \t]*\.\.[ \t]+_(?:`(?P<quoted>[^`\n]{1,200})`|(?P<name>[^:\n]{1,200})):", re.MULTILINE)
_CODE_POINT = re.compile(r"(?:0x|x|\\x|U\+|u|\\u|&#x)([0-9a-fA-F]{2,6});?$")
_LONGEST_SUBSTITUTION = 500


def parse_rst(data: bytes, *, name: str) -> ParsedDocument:
    """Parse reStructuredText; files that it includes are named in a warning. Raises Unreadable for empty and binary files."""
    source, warnings = decode(data, name=name)
    text, front = split_front_matter(source)
    reader = Reader(Inline(_substitutions(text), _targets(text)))
    reader.body([line.rstrip() for line in text.expandtabs(8).split("\n")])
    told = stated_in_head(reader.head, front)
    told = Stated(told.metadata, (*warnings, *told.warnings, *reader.warnings()))
    written, _ = clean(reader.writer.text())
    return assembled(written, markdown_blocks(written), markup="markdown", told=told, name=name)


def _substitutions(text: str) -> dict[str, str]:
    """What `|name|` stands for, by name in lower case; bounded, so that many uses of a long one stay small."""
    found: dict[str, str] = {}
    for match in _SUBSTITUTION.finditer(text):
        words = match["text"].split()
        if match["kind"] == "unicode":
            told = "".join(_code_point(word) for word in words if not word.startswith(("..", ":")))
        elif match["kind"] == "replace":
            told = Inline().plain(" ".join(words))
        else:
            alternative = re.search(r":alt:[ \t]*(.+)", match["text"])
            told = alternative[1] if alternative else ""
        found[" ".join(match["name"].lower().split())] = told[:_LONGEST_SUBSTITUTION]
    return found


def _code_point(word: str) -> str:
    match = _CODE_POINT.match(word)
    number = int(match[1], 16) if match else 0
    return chr(number) if 0 < number < 0x110000 else word  # noqa: PLR2004 - the end of Unicode


def _targets(text: str) -> frozenset[str]:
    names = (match["quoted"] or match["name"] for match in _TARGET.finditer(text))
    return frozenset(name.strip().lower() for name in names)


@dataclass(slots=True)
class Reader:
    """Reads blocks and writes them as Markdown; directives are read by `Directives`, which hand their content back."""

    inline: Inline
    writer: MarkdownWriter = field(default_factory=MarkdownWriter)
    head: dict[str, str] = field(default_factory=dict[str, str])
    """The fields below the title, by lower-case name."""
    is_head: bool = True
    """Whether nothing but the title has been read so far."""
    unread: list[str] = field(default_factory=list[str])
    """Files that directives name."""
    styles: list[str] = field(default_factory=list[str])
    """Of titles, in order of their levels: the adornment, twice where it is above as well."""
    depth: int = 0

    def warnings(self) -> list[str]:
        """What was left out."""
        if not self.unread:
            return []
        names = ", ".join(repr(name) for name in dict.fromkeys(self.unread))
        return [f"It takes in other files, which are not read with it: {clean(names)[0][:_LONGEST_TITLE]}."]

    def body(self, lines: list[str]) -> None:
        """Read blocks that begin at the left of `lines`."""
        self.depth += 1
        if self.depth > _DEEPEST:
            self.paragraph(" ".join(line.strip() for line in lines))
        else:
            number = 0
            while number < len(lines):
                number = self._block(lines, number) if lines[number].strip() else number + 1
        self.depth -= 1

    def paragraph(self, text: str) -> None:
        """Write a paragraph."""
        self.inline.write(text, self.writer)
        self.writer.end_block()

    def code(self, lines: list[str]) -> None:
        """Write a code block."""
        self.writer.begin_code()
        self.writer.words("\n".join(lines))
        self.writer.end_code()

    def table(self, drawn: Drawn, caption: str = "") -> None:
        """Write a table."""
        told = self.inline.plain
        header = [told(cell) for cell in drawn.header]
        self.writer.table(header, [[told(cell) for cell in row] for row in drawn.rows], caption=told(caption))

    def _block(self, lines: list[str], number: int) -> int:
        """Read the block that begins in line `number`, and return the line after it."""
        line = lines[number]
        end = self._title(lines, number)
        if end:
            return end
        if _EXPLICIT.match(line):
            return self._explicit(lines, number)
        if _FIELD.match(line):
            return self._fields(lines, number)
        self.is_head = False
        for read in (self._indented, self._list, self._options, self._drawn, self._line_block):
            end = read(lines, number)
            if end:
                return end
        return self._prose(lines, number)

    def _title(self, lines: list[str], number: int) -> int:
        """The title or transition at line `number`; returns 0 for none."""
        line = lines[number].rstrip()
        following = lines[number + 1].rstrip() if number + 1 < len(lines) else ""
        over = _ADORNMENT.match(line)
        if over and len(line) >= _SHORTEST_RULE and not following:
            return number + 1
        if over and number + 2 < len(lines) and lines[number + 2].rstrip() == line and not _ADORNMENT.match(following):
            return self._heading(following.strip(), over[1] * 2, number + 3)
        under = _ADORNMENT.match(following)
        if (
            under
            and not line.startswith(" ")
            and not over
            and (len(following) >= min(len(line), _SHORTEST_RULE) and len(following) >= len(line) // 2)
        ):
            return self._heading(line, under[1], number + 2)
        return 0

    def _heading(self, title: str, style: str, end: int) -> int:
        if not title or len(title) > _LONGEST_TITLE:
            return 0
        if style not in self.styles:
            self.styles.append(style)
        self.writer.begin_heading(min(self.styles.index(style) + 1, 6))
        self.paragraph(title)
        return end

    def _indented(self, lines: list[str], number: int) -> int:
        """A quotation; text below it that begins with two hyphens says whose it is."""
        if not lines[number].startswith(" "):
            return 0
        inner, end = indented(lines, number)
        self.writer.begin_quote()
        if inner and _ATTRIBUTION.match(inner[-1]):
            self.body(inner[:-1])
            self.paragraph(inner[-1])
        else:
            self.body(inner)
        self.writer.end_quote()
        return end

    def _list(self, lines: list[str], number: int) -> int:
        pattern = _BULLET if _BULLET.match(lines[number]) else _NUMBERED
        first = pattern.match(lines[number])
        if not first or not _is_point(lines, number, pattern):
            return 0
        start = first["number"] if pattern is _NUMBERED else ""
        self.writer.begin_list(numbered=pattern is _NUMBERED, start=int(start) if start.isdecimal() else 1)
        while number < len(lines) and (mark := pattern.match(lines[number])):
            inner, number = indented(lines, number + 1, least=mark.end() if lines[number][mark.end() :].strip() else 1)
            if not mark.string.endswith("::"):
                # Indented deeper than the text of its first line, the rest is a quotation by the letter, and meant as none.
                inner, _ = indented(inner, 0, least=1) if inner and _is_indented(inner) else (inner, 0)
            self.writer.begin_point()
            self.body([mark.string[mark.end() :], *inner])
            number = _past_blanks(lines, number)
        self.writer.end_list()
        return number

    def _options(self, lines: list[str], number: int) -> int:
        """A list of command-line options."""
        mark = _OPTION.match(lines[number])
        following = lines[number + 1] if number + 1 < len(lines) else ""
        if not mark or not (lines[number][mark.end() :].strip() or following.startswith(" ")):
            return 0
        self.writer.begin_list(numbered=False)
        while number < len(lines) and (mark := _OPTION.match(lines[number])):
            inner, number = indented(lines, number + 1)
            self.writer.begin_point()
            self.inline.write(f"``{mark['options']}``", self.writer)
            self.writer.definition()
            self.body([mark.string[mark.end() :], *inner])
            number = _past_blanks(lines, number)
        self.writer.end_list()
        return number

    def _fields(self, lines: list[str], number: int) -> int:
        """A list of fields: metadata at the head of the document, points elsewhere."""
        in_head, self.is_head = self.is_head and self.depth == 1, False
        self.writer.begin_list(numbered=False)
        while number < len(lines) and (mark := _FIELD.match(lines[number])):
            inner, number = indented(lines, number + 1)
            name, body = mark["name"], [mark.string[mark.end() :], *inner]
            number = _past_blanks(lines, number)
            told = " ".join(" ".join(body).split())
            if in_head:
                key = name.strip().lower()
                if key in self.head and key == "groups":
                    told = ""  # given twice: nobody can tell which are meant, so the document is closed
                self.head[key] = told
                if key.replace("-", "_") in OWN_KEYS or not told:
                    continue
            self.writer.begin_point()
            self.inline.write(name, self.writer)
            if told:
                self.writer.definition()
            self.body(body)
        self.writer.end_list()
        return number

    def _drawn(self, lines: list[str], number: int) -> int:
        if GRID.match(lines[number]):
            end = number
            while end < len(lines) and lines[end][:1] in {"+", "|"}:
                end += 1
            drawn = grid_table(lines[number:end])
        elif SIMPLE.match(lines[number]):
            end = simple_table_end(lines, number)
            drawn = simple_table(lines[number:end])
        else:
            return 0
        if drawn is None:
            self.code(lines[number:end])
        else:
            self.table(drawn)
        return end

    def _line_block(self, lines: list[str], number: int) -> int:
        if not re.match(r"\|(?: |$)", lines[number]):
            return 0
        while number < len(lines) and lines[number][:1] in {"|", " "} and lines[number].strip():
            self.inline.write(lines[number].removeprefix("|").strip(), self.writer)
            self.writer.line_break()
            number += 1
        self.writer.end_block()
        return number

    def _prose(self, lines: list[str], number: int) -> int:
        """A paragraph, a term with its definition, or a doctest."""
        begin = number
        while number < len(lines) and lines[number].strip() and (number == begin or not lines[number].startswith(" ")):
            number += 1
        if lines[begin].startswith(">>>"):
            self.code(lines[begin:number])
            return number
        if number < len(lines) and lines[number].startswith(" "):
            if number == begin + 1 and not lines[begin].rstrip().endswith("::"):
                return self._definitions(lines, begin)
            while number < len(lines) and lines[number].strip():
                number += 1
        text = "\n".join(line.strip() for line in lines[begin:number])
        if not text.endswith("::"):
            self.paragraph(text)
            return number
        if text != "::":
            self.paragraph(text[:-2].rstrip() if text[-3:-2].isspace() else text[:-1])
        return self._literal(lines, number)

    def _literal(self, lines: list[str], number: int) -> int:
        number = _past_blanks(lines, number)
        if number < len(lines) and lines[number].startswith(" "):
            inner, number = indented(lines, number)
            self.code(inner)
        elif number < len(lines) and _ADORNMENT.match(lines[number][:1]):
            begin, mark = number, lines[number][0]
            while number < len(lines) and lines[number].startswith(mark):
                number += 1
            self.code(lines[begin:number])
        return number

    def _definitions(self, lines: list[str], number: int) -> int:
        """Terms, each with its definition indented below it."""
        self.writer.begin_list(numbered=False)
        while (
            number + 1 < len(lines)
            and lines[number].strip()
            and lines[number + 1][:1] == " "
            and lines[number + 1].strip()
        ):
            if lines[number].startswith((" ", ".. ")):
                break
            inner, end = indented(lines, number + 1)
            self.writer.begin_point()
            self.inline.write(lines[number].replace(" : ", ", "), self.writer)
            self.writer.definition()
            self.body(inner)
            number = _past_blanks(lines, end)
        self.writer.end_list()
        return number

    def _explicit(self, lines: list[str], number: int) -> int:
        """What begins with two dots: a directive, a footnote, a target or a comment."""
        mark = _EXPLICIT.match(lines[number])
        rest = lines[number][mark.end() :] if mark else ""
        if not rest and not (number + 1 < len(lines) and lines[number + 1].strip()):
            return number + 1
        inner, end = indented(lines, number + 1)
        if note := _NOTE.match(rest):
            self.is_head = False
            label = note["label"].lstrip("#*")
            self.inline.write(f"[{label}] " if label else "", self.writer)
            self.body([rest[note.end() :], *inner])
        elif (directive := _DIRECTIVE.match(rest)) and not directive["substituted"]:
            self.is_head = self.is_head and directive["name"] in {"meta", "title", "highlight", "contents"}
            Directives(self).read(Directive.of(directive["name"], directive["argument"] or "", inner=inner))
        return end


def indented(lines: list[str], start: int, *, least: int = 1) -> tuple[list[str], int]:
    """The lines from `start` on that are indented by `least` or blank, and the line after them.

    They are returned without `least` characters, or, where that is 1, without the indentation that they share.
    """
    end = start
    while end < len(lines) and (not lines[end].strip() or not lines[end][:least].strip()):
        end += 1
    while end > start and not lines[end - 1].strip():
        end -= 1
    inner = lines[start:end]
    common = least
    if least == 1:
        common = min((len(line) - len(line.lstrip(" ")) for line in inner if line.strip()), default=0)
    return [line[common:] for line in inner], end


def _is_indented(lines: list[str]) -> bool:
    return all(line.startswith(" ") or not line for line in lines)


def _past_blanks(lines: list[str], number: int) -> int:
    while number < len(lines) and not lines[number].strip():
        number += 1
    return number


def _is_point(lines: list[str], number: int, pattern: re.Pattern[str]) -> bool:
    """Whether the line after does not show that this is a paragraph, as in `A. Smith` with text flush left below it."""
    following = lines[number + 1] if number + 1 < len(lines) else ""
    return not following.strip() or following.startswith(" ") or pattern.match(following) is not None
