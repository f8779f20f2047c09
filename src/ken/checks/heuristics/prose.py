"""Where in an answer nobody speaks for themselves: code, quotations, block quotes, and sentences that stand in a passage."""

from __future__ import annotations

import re
import string
from functools import lru_cache

from ken.checks.heuristics.answered import Answered

_NOT_SPOKEN = re.compile(
    r"```.*?(?:```|\Z)|`[^`\n]*`|“[^“”\n]{1,600}”|„[^„“”\n]{1,600}[“”]|«[^«»\n]{1,600}»|(?<!\w)\"[^\"\n]{1,600}\"(?!\w)|^[ \t]*>[^\n]*",
    re.DOTALL | re.MULTILINE,
)
_MARKER = re.compile(r"\s*\[\d{1,3}\]")
_BORDER = re.compile(r"[.!?:](?:\s*\[\d{1,3}\])*\s+|\n+")
_MARKS = re.compile(r"[*_`#>|\\]+|\[\d{1,3}\]|\]\([^)\s]*\)|[\[\]]")
_AROUND = " \t-•.,;:!?()\"'"
WORD = re.compile(r"[^\W_]+")
"""A run of letters and digits."""
_LEAST = 12
"""Characters of a sentence that stands in a passage by no accident."""


Span = tuple[int, int]
"""Half-open, in a text."""


def is_spoken(answered: Answered, span: Span) -> bool:
    """Whether the words at a place are the answer's own: no code, no quotation, and no sentence of a passage."""
    start, end = span
    if any(match.start() <= start and end <= match.end() for match in _NOT_SPOKEN.finditer(answered.head)):
        return False
    sentence = plainly(sentence_at(answered.head, span)).strip(_AROUND)
    return len(sentence) < _LEAST or not any(sentence in plainly(given.text) for given in answered.passages)


def sentence_at(text: str, span: Span) -> str:
    """The sentence or line around a place, with the mark that ends it."""
    start, end = span
    begin, until = 0, len(text)
    for border in _BORDER.finditer(text):
        if border.start() >= end - 1:
            until = border.start() + 1
            break
        if border.end() <= start:
            begin = border.end()
    return text[begin:until]


@lru_cache(maxsize=8)
def folded(text: str) -> str:
    """A text in lower case with one form of apostrophe, character for character: as it is where that changes its length."""
    lower = text.lower()
    return (lower if len(lower) == len(text) else text).replace("’", "'")


@lru_cache(maxsize=8)
def words_of(text: str) -> frozenset[str]:
    """The words of a text, in lower case; an apostrophe divides."""
    lower = folded(text)
    # The same twice as fast, where the table has to be asked for no more than 128 signs.
    return frozenset(lower.translate(_GAPS).split() if lower.isascii() else WORD.findall(lower))


@lru_cache(maxsize=512)
def plainly(text: str) -> str:
    """In lower case, without marks and markers, white space folded, one form of quotes: as texts are compared here."""
    bare = _MARKS.sub(" ", text.lower())
    return " ".join(bare.translate(_QUOTES).split())


def without_markers(text: str) -> str:
    """A text without its citations' markers."""
    return _MARKER.sub("", text)


_GAPS = {ord(sign): " " for sign in string.punctuation}
_QUOTES = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "\u00a0": " ", "–": "-"})
