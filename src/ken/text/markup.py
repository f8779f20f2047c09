"""Text as it reads: without Markdown, HTML and template marks, white space folded.

`plain` runs on every passage and every sentence, so it is one pass over lines and one over inline tokens, both linear,
instead of a Markdown renderer. It is more careful than CommonMark where prose of this kind of document is: `snake_case`,
`*.log`, `5 * 3` and `<namespace>` stay as they are.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field

from ken.domain.document import Markup

CELL_SEPARATOR = " · "
"""Stands between the cells of a table row, where a pipe stood."""

_SPECIAL = re.compile(r"[*_`\[\]<>&|#{}~\\]|^[ \t]*(?:[-+=•‣◦▪!?:]|\d{1,3}[.)])", re.MULTILINE)
_INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]")

_FENCED = re.compile(r"^[ \t>]*(?:(?:[-*+]|\d{1,3}[.)])[ \t]+)?(`{3,}|~{3,})([^\n`]*)$", re.MULTILINE)
_FRONT_MATTER = re.compile(r"\A\s*---[ \t]*\n(?:(?:[\w-]+:|[ \t]+|-[ \t]).*\n)+(?:---|\.\.\.)[ \t]*(?:\n|\Z)")

_QUOTE_MARKS = re.compile(r"(?:>[ \t]?)+(?:\[!\w+\][ \t]*$)?")
_HEADING = re.compile(r"#{1,6}(?:[ \t]+|$)(.*?)(?:[ \t]+#+)?[ \t]*$")
_RULE = re.compile(r"(?:=+|-{2,}|([-*_])(?:[ \t]*\1){2,}|:{3,}.*|\[\[?_?toc_?\]?\])$", re.IGNORECASE)
_TABLE_RULE = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)+\|?$|\|[ \t]*:?-+:?[ \t]*\|?$")
_CELL_BORDER = re.compile(r"(?<!\\)\|")
_LIST_MARK = re.compile(r"(?:(?:[-*+•‣◦▪]|\d{1,3}[.)])(?:[ \t]+|$))+(?:\[[ xX]\][ \t]+)?")
_DEFINITION = re.compile(r"\[(?!\^)[^\]]+\]:[ \t]*(?:<[^<>]*>|[^\s]*[/.#:][^\s]*)(?:[ \t]+[\"'(].*)?$")
_ADMONITION = re.compile(r"(?:!!!|\?\?\?\+?)[ \t]+[\w-]+(?:[ \t]+\"([^\"]*)\")?[ \t]*$")

_INLINE_START = re.compile(r"[`:\\<{&\[\]!*_~\n]")
_INLINE = re.compile(
    r"""
      (?P<code>(?<!`)(?P<ticks>`{1,5})(?!`)(?P<inner>.{1,2000}?)(?<!`)(?P=ticks)(?!`))
    | (?P<url>://(?:[^\s<>\[\]()"'`|*{}]|\*(?=[.\w/]))*(?<!_))
    | (?P<escape>\\[!-/:-@\[-`{-~\n])
    | (?P<comment><!--.*?(?:-->|\Z)
        |\{%-?\s*comment\s*-?%\}.{0,2000}?\{%-?\s*endcomment\s*-?%\}
        |<(?P<raw>script|style)\b.{0,2000}?</(?P=raw)>)
    | (?P<auto><(?P<target>[a-zA-Z][a-zA-Z0-9+.-]{1,30}:[^\s<>]*|[^\s<>@]+@[^\s<>@]+)>)
    | (?P<template>\{\{.{0,300}?\}\}|\{%.{0,500}?%\}|\{[:\#][^{}\n]{0,500}\}|<%.{0,500}?%>)
    | (?P<tag></?(?P<name>[A-Za-z][A-Za-z0-9]*)(?:\s[^<>]*)?/?>)
    | (?P<entity>&(?:\#\d{1,7}|\#[xX][0-9a-fA-F]{1,6}|[A-Za-z]\w{1,30});)
    | (?P<footnote>\[\^[^\]\s]{1,80}\]:?)
    | (?P<wiki>\[\[(?=\S)(?P<page>[^\[\]|\n]{1,200})(?:\|(?P<label>[^\[\]\n]{1,200}))?(?<=\S)\]\](?!\())
    | (?P<open>!?\[)
    | (?P<close>\](?P<dest>
            \((?:\s*(?:<[^<>\n]{0,2000}>|\{[{%].{0,300}?[%}]\}[^\s()]*|(?:[^()\s]|\([^()\s]*\))*)
               (?:\s+(?:"[^"]{0,500}"|'[^']{0,500}'|\([^)]{0,500}\)))?\s*)\)
          | \[[^\[\]\n]{0,200}\]
        )?)
    | (?P<run>\*+|_+|~~)
    | (?P<border>\n\n)
    """,
    re.VERBOSE | re.DOTALL,
)

_INLINE_TAGS = frozenset(
    "a abbr b bdi bdo big cite code del dfn em font i ins kbd mark q s samp small span strike strong sub sup time tt u var wbr".split()
)
_BLOCK_TAGS = frozenset(
    "address article aside audio base blockquote body br button canvas caption center col colgroup dd details dialog div dl "
    "dt embed fieldset figcaption figure footer form frame h1 h2 h3 h4 h5 h6 head header hr html iframe img input label "
    "legend li link main map menu meta nav noscript object ol optgroup option p param picture pre progress script section "
    "select source style summary svg table tbody td template textarea tfoot th thead title tr track ul video".split()
)
_MOST_PARTS_OF_A_LABEL = 40
_STRONG = 2


def plain(text: str, markup: Markup) -> str:
    """Return `text` without marks, white space folded to single spaces; of plain text, fold the white space only.

    Dropped: front matter, heading and list marks, emphasis, link and image targets, reference definitions, HTML tags and
    comments, template tags, code fences. Kept: code, URLs, labels of links, alternative texts; entities are decoded, and
    table cells are separated by `CELL_SEPARATOR`.
    """
    if _INVISIBLE.search(text):
        text = _INVISIBLE.sub("", text)
    if markup == "markdown" and _SPECIAL.search(text):
        text = _without_marks(text)
    return " ".join(text.split())


def _without_marks(text: str) -> str:
    if text.lstrip().startswith("---"):
        text = _FRONT_MATTER.sub("", text, count=1)
    parts: list[str] = []
    position = 0
    while opening := _FENCED.search(text, position):
        parts.append(_prose(text[position : opening.start()]))
        closing = re.compile(rf"^[ \t>]*{opening[1][0]}{{{len(opening[1])},}}[ \t]*$", re.MULTILINE)
        end = closing.search(text, opening.end())
        parts.append(text[opening.end() : end.start() if end else len(text)])
        position = end.end() if end else len(text)
    parts.append(_prose(text[position:]))
    return "\n".join(parts)


def _prose(text: str) -> str:
    lines = "\n".join(map(_line, text.split("\n")))
    return _Inline().run(lines) if _SPECIAL.search(lines) else lines


def _line(line: str) -> str:
    """Return the line without the marks that stand at its start or make up all of it."""
    line = line.strip()
    if not line:
        return ""
    if line[0] == ">" and not line.startswith(">="):
        line = _QUOTE_MARKS.sub("", line, count=1)
    if not line or line[0].isalpha():
        return _row(line) if line.endswith("|") else line
    if match := _HEADING.match(line):
        return f"{match[1]}\n"
    if _RULE.match(line) or _TABLE_RULE.match(line) or _DEFINITION.match(line):
        return ""
    if match := _ADMONITION.match(line):
        return f"{match[1] or ''}\n"
    if match := _LIST_MARK.match(line):
        return f"\n{line[match.end() :]}"
    return _row(line) if line.startswith("|") or line.endswith("|") else line


def _row(line: str) -> str:
    if len(_CELL_BORDER.findall(line)) < 2:  # noqa: PLR2004 - a row has a pipe at either end
        return line
    return CELL_SEPARATOR.join(cell for part in _CELL_BORDER.split(line) if (cell := part.strip())) + "\n"


@dataclass(slots=True)
class _Inline:
    """One pass over inline tokens. Marks that may turn out to be text are written, and blanked when their match comes."""

    out: list[str] = field(default_factory=list[str])
    runs: dict[str, list[list[int]]] = field(default_factory=lambda: {"*": [], "_": [], "~": []})
    """Open runs of each emphasis character: [index in `out`, characters not matched yet]."""
    brackets: list[int] = field(default_factory=list[int])

    def run(self, text: str) -> str:
        position, written = 0, 0
        while start := _INLINE_START.search(text, position):
            position = start.end()
            if token := _INLINE.match(text, start.start()):
                self.out.append(text[written : token.start()])
                self._take(token)
                position = written = token.end()
        self.out.append(text[written:])
        return "".join(self.out)

    def _take(self, token: re.Match[str]) -> None:
        match token.lastgroup:
            case "run":
                self._emphasis(token)
            case "open":
                self.brackets.append(len(self.out))
                self.out.append(token[0])
            case "close":
                self._close_bracket(token)
            case "border":
                self._reset()
                self.out.append("\n")
            case _:
                self.out.append(_replacement(token))

    def _reset(self) -> None:
        """Forget what is open: emphasis and links do not reach over a paragraph."""
        self.brackets.clear()
        for openers in self.runs.values():
            openers.clear()

    def _emphasis(self, token: re.Match[str]) -> None:
        text, mark, length = token.string, token[0][0], token.end() - token.start()
        before = text[token.start() - 1] if token.start() else " "
        after = text[token.end()] if token.end() < len(text) else " "
        openers = self.runs[mark]
        if not before.isspace() and not (mark == "_" and (after.isalnum() or _is_dunder(token))):
            while openers and length:
                opener = openers[-1]
                taken = min(length, opener[1])
                length -= taken
                opener[1] -= taken
                self.out[opener[0]] = mark * opener[1]
                if not opener[1]:
                    openers.pop()
        if length and _opens(mark, length, before, after):
            openers.append([len(self.out), length])
        self.out.append(mark * length)

    def _close_bracket(self, token: re.Match[str]) -> None:
        if not self.brackets:
            self.out.append("" if token["dest"] else "]")
            return
        opened = self.brackets.pop()
        if token["dest"] or self._is_reference(opened):
            self.out[opened] = ""
        else:
            self.out.append("]")

    def _is_reference(self, opened: int) -> bool:
        """Whether the brackets opened at `opened` and closing now are a shortcut reference, `[content schemas]`."""
        if len(self.out) - opened > _MOST_PARTS_OF_A_LABEL:
            return False
        before = self.out[opened - 1] or " " if opened else " "
        label = "".join(self.out[opened + 1 :])
        return (
            not (before[-1].isalnum() or before[-1] in "])$_")
            and len(label) > _STRONG
            and label == label.strip()
            and label[0].isalpha()
            and '"' not in label
        )


def _opens(mark: str, length: int, before: str, after: str) -> bool:
    if after.isspace() or (mark == "_" and before.isalnum()) or (before.isascii() and before.isalnum()):
        return False
    return length >= _STRONG or mark == "~" or after not in ".,;:!?)]}/|=*"


def _is_dunder(token: re.Match[str]) -> bool:
    """Whether the run ends a name as in `__init__.py` or `__call__()`."""
    return len(token[0]) == _STRONG and re.compile(r"\.\w|\(").match(token.string, token.end()) is not None


def _replacement(token: re.Match[str]) -> str:
    match token.lastgroup:
        case "code":
            return token["inner"].replace("\\|", "|")
        case "escape":
            return " " if token[0] == "\\\n" else token[0][1:]
        case "auto":
            return token["target"].removeprefix("mailto:")
        case "wiki":
            return token["label"] or token["page"]
        case "entity":
            return html.unescape(token[0])
        case "tag":
            name = token["name"].lower()
            if name in _INLINE_TAGS:
                return ""
            return " " if name in _BLOCK_TAGS else token[0]
        case "url":
            return token[0]
        case _:
            return " " if token.lastgroup == "comment" else ""
