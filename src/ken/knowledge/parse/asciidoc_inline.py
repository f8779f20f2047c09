"""Inline marks of AsciiDoc: text formatting, macros, links, cross references."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ken.knowledge.parse.markdown_writer import MarkdownWriter

_BEFORE = r"(?<![\w\\;:}])"
_BRACKET = r"\[(?P<{0}>(?:[^\]\\]|\\.){{0,2000}})\]"
_INLINE = re.compile(
    rf"""
      (?P<escape>\\(?=[*_`\#^~<\[(+{{]|https?:|\w+:\[|link:|xref:|image:))
    | \+\+\+(?P<pass>.{{0,2000}}?)\+\+\+ | \$\$(?P<dollars>.{{1,1000}}?)\$\$ | pass:[a-z,]{{0,10}}{_BRACKET.format("passed")}
    | {_BEFORE}`\+(?P<literal>.{{1,1000}}?)\+`(?!\w)
    | ``(?P<code2>[^`].{{0,1000}}?)`` | {_BEFORE}`(?P<code>[^\s`](?:[^`]{{0,1000}}?[^\s`])?)`(?!\w)
    | {_BEFORE}\+(?P<plus>[^\s+](?:[^+]{{0,500}}?[^\s+])?)\+(?!\w)
    | (?:link|mailto|xref):(?P<target>[^\s\[\]]{{0,1000}}){_BRACKET.format("label")}
    | (?<![\w:/])(?P<url>(?:https?|ftp|irc)://[^\s\[\]<>]{{1,1000}}|[\w.+-]{{1,64}}@[\w.-]{{1,200}}\.\w{{2,20}})(?:{_BRACKET.format("name")})?
    | <<(?P<xref>[^<>,\n]{{1,200}})(?:,\s?(?P<xlabel>[^<>]{{0,300}}))?>>
    | footnote(?:ref)?:(?P<note_id>[\w-]{{0,60}}){_BRACKET.format("note")}
    | (?P<keys>kbd|btn):{_BRACKET.format("pressed")}
    | menu:(?P<menu>[^\[\]\n]{{1,100}}){_BRACKET.format("entries")}
    | (?:stem|latexmath|asciimath):{_BRACKET.format("formula")}
    | (?P<media>image|icon|anchor|indexterm|video):(?P<place>[^\s:\[\]][^\s\[\]]{{0,1000}}){_BRACKET.format("alt")}
    | indexterm2?:{_BRACKET.format("term")}
    | \[\[\[?(?P<anchor>[^\[\]\n]{{1,200}})\]\]\]?
    | \(\(\((?P<hidden>[^()]{{1,300}})\)\)\) | \(\((?P<shown>[^()]{{1,300}})\)\)
    | (?P<role>\[[^\[\]\n]{{0,100}}\])?(?:\#\#(?P<mark2>[^\#].{{0,1000}}?)\#\#
        | {_BEFORE}\#(?P<mark>[^\s\#](?:[^\#]{{0,1000}}?[^\s\#])?)\#(?!\w))
    | \*\*(?P<bold2>[^*].{{0,1000}}?)\*\* | {_BEFORE}\*(?P<bold>[^\s*](?:[^*]{{0,1000}}?[^\s*])?)\*(?!\w)
    | __(?P<italic2>[^_].{{0,1000}}?)__ | {_BEFORE}_(?P<italic>[^\s_](?:[^_]{{0,1000}}?[^\s_])?)_(?!\w)
    | \^(?P<raised>[^\s^]{{1,50}})\^ | ~(?P<lowered>[^\s~]{{1,50}})~
    """,
    re.VERBOSE | re.DOTALL,
)
_CODE = ("literal", "code2", "code", "formula")
_MARKED = ("mark2", "mark", "bold2", "bold", "italic2", "italic", "raised", "lowered")
_QUOTED = re.compile(r"^\"(.*)\"(?:,.*)?$", re.DOTALL)
_DEEPEST = 4

BUILT_IN: Mapping[str, str] = {
    "nbsp": " ", "sp": " ", "zwsp": "", "wj": "", "empty": "", "blank": "", "lt": "<", "gt": ">", "amp": "&", "apos": "'",
    "quot": '"', "plus": "+", "asterisk": "*", "backtick": "`", "startsb": "[", "endsb": "]", "vbar": "|", "caret": "^",
    "tilde": "~", "backslash": "\\", "two-colons": "::", "two-semicolons": ";;", "cpp": "C++", "deg": "°", "lsquo": "‘",
    "rsquo": "’", "ldquo": "“", "rdquo": "”", "brvbar": "¦", "pp": "++",
}  # fmt: skip
"""The attributes that every document has for characters that are marks."""


@dataclass(slots=True)
class Inline:
    """Writes running text without its marks."""

    titles: Mapping[str, str] = field(default_factory=dict[str, str])
    """What a cross reference without words of its own reads as, by its target."""

    def write(self, text: str, writer: MarkdownWriter) -> None:
        """Write `text` to `writer`."""
        writer.words_and_code(self._parts(text, 0))

    def plain(self, text: str) -> str:
        """`text` without marks, for a cell of a table."""
        return "".join(part for part, _ in self._parts(text, 0))

    def _parts(self, text: str, depth: int) -> list[tuple[str, bool]]:
        parts: list[tuple[str, bool]] = []
        position = 0
        while match := _INLINE.search(text, position):
            parts.append((text[position : match.start()], False))
            position = match.end()
            if match["escape"] is not None:
                # What it keeps from being a mark is text, with the character that begins it.
                parts.append((text[position : position + 1], False))
                position += 1
                continue
            inner = next((match[name] for name in _MARKED if match[name] is not None), None)
            if inner is not None and depth < _DEEPEST:
                parts += self._parts(inner, depth + 1)
            else:
                parts.append(self._reading(match, inner))
        parts.append((text[position:], False))
        return parts

    def _reading(self, match: re.Match[str], inner: str | None) -> tuple[str, bool]:
        if inner is not None:
            return inner, False
        for name in _CODE:
            if match[name] is not None:
                return match[name], True
        for name in ("pass", "dollars", "passed", "plus", "term", "shown"):
            if match[name] is not None:
                return match[name].replace("\\]", "]"), False
        if match["target"] is not None:
            return _label(match["label"]) or self._title(match["target"]), False
        if match["url"] is not None:
            return _label(match["name"] or "") or match["url"], False
        if match["xref"] is not None:
            return match["xlabel"] or self._title(match["xref"]), False
        if match["note"] is not None:
            return f" ({match['note']})" if match["note"] else "", False
        return _interface(match), False

    def _title(self, target: str) -> str:
        identifier = target.rpartition("#")[2] if "#" in target else target
        return self.titles.get(identifier) or target.lstrip("#").strip("_").replace("_", " ") or target


def _interface(match: re.Match[str]) -> str:
    """Keys, buttons, menus and pictures; nothing for anchors and hidden terms of an index."""
    if match["keys"] is not None:
        return match["pressed"]
    if match["menu"] is not None:
        parts = [match["menu"], *re.split(r"\s*(?:>|,)\s*", match["entries"])]
        return " › ".join(filter(None, parts))
    if match["media"] == "image":
        return _label(match["alt"]).split(",")[0]
    return ""


def _label(text: str) -> str:
    """The words of a link, without the attributes after them."""
    text = text.replace("\\]", "]").strip()
    if quoted := _QUOTED.match(text):
        return quoted[1]
    words = re.split(r",\s*(?:window|role|opts|rel|id|title|width|height|align|link|format)=", text)[0]
    return "" if re.match(r"\w+=", words) else words.removesuffix("^")
