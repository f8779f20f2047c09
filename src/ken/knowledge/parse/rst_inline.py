"""Inline marks of reStructuredText: text roles, references, literals, substitutions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ken.knowledge.parse.markdown_writer import MarkdownWriter

_BEFORE = r"(?<![^\s\-:/'\"<(\[{¡-¿‐-‧«‹‚„“‘])"
_INLINE = re.compile(
    rf"""
      (?P<escape>\\(?:\s|.|$))
    | {_BEFORE}``(?P<literal>\S.{{0,2000}}?)``(?!`)
    | {_BEFORE}:(?P<role>\w[\w:+.-]{{0,60}}):`(?P<told>[^`]{{1,2000}}?)`_{{0,2}}
    | {_BEFORE}_?`(?P<phrase>[^`\s](?:[^`]{{0,1000}}?))`(?::(?P<after>\w[\w:+.-]{{0,60}}):|_{{0,2}}(?!\w))
    | {_BEFORE}\*\*(?P<strong>[^\s*].{{0,1000}}?)(?<!\s)\*\*(?!\w)
    | {_BEFORE}\*(?P<emphasis>[^\s*](?:[^*]{{0,1000}}?))(?<!\s)\*(?!\w)
    | {_BEFORE}\|(?P<substitution>[^\s|](?:[^|\n]{{0,200}}?))\|_{{0,2}}
    | {_BEFORE}\[(?P<note>\#?[\w.-]{{0,60}}|\*)\]_(?!\w)
    | (?<![\w`])(?P<reference>[^\W_](?:[\w.+:-]{{0,80}}[^\W_])?)__?(?!\w)
    """,
    re.VERBOSE | re.DOTALL,
)
_TARGET = re.compile(r"(.{0,1000}?)\s*<[^<>]{1,2000}>$", re.DOTALL)
_MOST_ADDED = 2_000_000
_WORDS = frozenset(
    "ref doc term abbr numref any sub sup subscript superscript emphasis strong title title-reference t dfn download".split()
)
_MENU = frozenset("menuselection guilabel".split())
_NUMBERED = {"pep": "PEP ", "rfc": "RFC ", "issue": "#", "bpo": "bpo-", "gh": "gh-"}


@dataclass(slots=True)
class Inline:
    """Writes running text without its marks."""

    substitutions: Mapping[str, str] = field(default_factory=dict[str, str])
    targets: frozenset[str] = frozenset()
    """Names that references of one word lead to, lower case; other words with an underscore are left alone."""
    added: int = 0
    """Characters that substitutions have added; there is an end to them."""

    def write(self, text: str, writer: MarkdownWriter) -> None:
        """Write `text` to `writer`."""
        writer.words_and_code(self._parts(text))

    def plain(self, text: str) -> str:
        """`text` without marks, for a cell of a table."""
        return "".join(part for part, _ in self._parts(text))

    def _parts(self, text: str) -> list[tuple[str, bool]]:
        parts: list[tuple[str, bool]] = []
        position = 0
        for match in _INLINE.finditer(text):
            if match["reference"] is not None and match["reference"].lower() not in self.targets:
                continue
            parts += [(text[position : match.start()], False), self._reading(match)]
            position = match.end()
        parts.append((text[position:], False))
        return parts

    def _reading(self, match: re.Match[str]) -> tuple[str, bool]:
        """What a mark reads as, and whether that is code."""
        if match["escape"] is not None:
            return match["escape"][1:].strip(), False
        if match["literal"] is not None:
            return match["literal"], True
        if match["role"] is not None or match["after"] is not None:
            return _role(match["role"] or match["after"], match["told"] or match["phrase"])
        if match["phrase"] is not None:
            return _label(match["phrase"]), False
        if match["substitution"] is not None:
            name = match["substitution"]
            told = self.substitutions.get(" ".join(name.lower().split()), name)
            self.added += len(told)
            return (told if self.added < _MOST_ADDED else name), False
        if match["note"] is not None:
            return (f"[{match['note']}]" if match["note"].lstrip("#") else ""), False
        return match["strong"] or match["emphasis"] or match["reference"], False


def _label(text: str) -> str:
    """The words of a reference, which may have its target in angle brackets; a lone target is its own label."""
    found = _TARGET.match(text)
    label = found[1] if found else text
    return (label or text.strip("<> ")).replace("\\ ", "")


def _role(role: str, text: str) -> tuple[str, bool]:
    name = role.rpartition(":")[2].lower()
    label = _label(text)
    if name in _WORDS:
        return label, False
    if name in _MENU:
        return label.replace("-->", "›").replace("&", ""), False
    if name in _NUMBERED:
        return (label if label != text else _NUMBERED[name] + text), False
    if label.startswith("~"):
        return label[1:].rpartition(".")[2], True
    return label.lstrip("!"), True
