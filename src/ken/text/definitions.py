"""What a text says stands for what: acronyms with their long forms, and other names of a thing.

Acronyms beside a parenthesis are found as by Schwartz and Hearst, "A simple algorithm for identifying abbreviation
definitions in biomedical text" (Pacific Symposium on Biocomputing 2003): the short form's letters are looked for in the
words before it, from right to left, and the first one has to begin a word. Where the long form follows (a glossary's row,
"X stands for Y"), each letter has to be the initial of a word, for nothing else says where the long form ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from ken.text.markup import CELL_SEPARATOR
from ken.text.tokens import STOP_WORDS

Kind = Literal["acronym", "name"]

_SHORT = r"[A-Z0-9](?:[A-Za-z0-9]|[&/.-](?=[A-Za-z0-9])){1,9}"
_PARENTHESIS = re.compile(r"\(([^()]{2,120})\)")
_STANDS_FOR = re.compile(
    rf"(?<![\w-])[\"“'‘]?({_SHORT})[\"”'’]?,? (?:stands|is short|is an? (?:acronym|abbreviation)|short) for "
    r"(?:the )?[\"“'‘]?(?=\w)"
)
_NAMED = re.compile(
    rf"(?:,? (?:abbreviated|shortened)(?: as| to)?|, (?:or|known as|called)) [\"“'‘]?({_SHORT})[\"”'’]?(?=[,.;:) ]|$)"
)
_ROW = re.compile(rf"({_SHORT})\)?(?: ?[:=]| [–—-]) (?=\w)")
_COLUMN = re.compile(r"[^:]{1,40}: ")
_ALSO = re.compile(
    r"[,(]? ?[,(]?\b(?:(?:also|otherwise|formerly|previously|sometimes) (?:known as|called|referred to as|named)"
    r"|formerly|a\.k\.a\.|aka) (?=[\w\"“'‘])",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_][\w'’-]*")
_ARTICLE = re.compile(r"\A(?:the|an?|our) ", re.IGNORECASE)
_SMALL = frozenset("of and the for in to on a an at by with or &".split())
_MOST_WORDS_OF_A_NAME = 4
_LOOK_BACK = 160
"""Characters before a short form in which its long form is looked for."""
_END = re.compile(r"[.;:!?()\[\]·\"“”]|, ")
_MOST = 200
"""Definitions taken from one text: a text that is full of parentheses is no glossary."""


@dataclass(frozen=True, slots=True)
class Definition:
    """Two names of one thing, as a text has them. Of an acronym `short` is the acronym."""

    kind: Kind
    short: str
    long: str


def definitions(text: str) -> list[Definition]:
    """What a sentence, a table's row or a heading defines, each once; `text` without marks. Linear in its length."""
    found: dict[Definition, None] = {}
    for definition in _all(text):
        if len(found) >= _MOST:
            break
        found[definition] = None
    return list(found)


def _all(text: str) -> Iterator[Definition]:
    for match in _PARENTHESIS.finditer(text):
        yield from _beside(text, match)
    for match in _STANDS_FOR.finditer(text):
        yield from _acronym(match[1], _by_initials(match[1], _until_end(text, match.end())))
    for match in _NAMED.finditer(text):
        yield from _acronym(match[1], long_form(match[1], text[max(0, match.start() - _LOOK_BACK) : match.start()]))
    yield from _rows(text)
    for match in _ALSO.finditer(text):
        yield from _names(text, match)


def _beside(text: str, match: re.Match[str]) -> Iterator[Definition]:
    """The two ways round a parenthesis: `long form (LF)` and `LF (long form)`."""
    inside = re.split(r"[,;]| or ", match[1], maxsplit=1)[0].strip(" \"“”'‘’")
    before = text[max(0, match.start() - _LOOK_BACK) : match.start()].rstrip(" \"“”'‘’")
    if re.fullmatch(_SHORT, inside):
        yield from _acronym(inside, long_form(inside, before))
        return
    last = re.search(rf"(?<![\w-]){_SHORT}$", before)
    if last is not None:
        yield from _acronym(last[0], _by_initials(last[0], inside, whole=True))


def _rows(text: str) -> Iterator[Definition]:
    """A glossary's line, `LF: long form`, or its table row, which may carry the names of its columns."""
    cells = [_COLUMN.sub("", cell, count=1) if cell.count(": ") == 1 else cell for cell in text.split(CELL_SEPARATOR)]
    for first, second in pairwise(cells):
        for short, long in ((first, second), (second, first)):
            if re.fullmatch(_SHORT, short.strip()):
                yield from _acronym(short.strip(), _by_initials(short.strip(), _until_end(long, 0)))
    row = _ROW.match(text)
    if row is not None:
        yield from _acronym(row[1], _by_initials(row[1], _until_end(text, row.end())))


def _acronym(short: str, long: str | None) -> Iterator[Definition]:
    if long is None:
        return
    short = short.removesuffix("s") if short[:-1].isupper() else short
    capitals = sum(letter.isupper() for letter in short)
    is_long = len(long) > len(short) + 2 and short.lower() not in {word.lower() for word in _WORD.findall(long)}
    if capitals >= 2 and 2 * capitals >= len(short) and is_long and " " in long:  # noqa: PLR2004 - `Mr (mister)` is none
        yield Definition("acronym", short, long)


def long_form(short: str, before: str) -> str | None:
    """The words at the end of `before` that `short` abbreviates, or None (Schwartz and Hearst, figure 1)."""
    short = short.removesuffix("s") if short[:-1].isupper() else short
    letters = [letter.lower() for letter in short if letter.isalnum()]
    parts = re.split(r"[.;:!?()](?=\s|$)", before)
    words = list(_WORD.finditer(parts[-1]))[-min(len(letters) + 5, 2 * len(letters)) :]
    if not words:
        return None
    exact = _suffix_by_initials(letters, [word.group().lower() for word in words])
    if exact is not None:
        return parts[-1][words[-exact].start() : words[-1].end()]
    start, end = words[0].start(), words[-1].end()
    text = parts[-1][start:end]
    place = len(text)
    for number in range(len(letters) - 1, -1, -1):
        place = _last(text, letters[number], before=place, begins=number == 0)
        if place < 0:
            return None
    found = text[place:]
    # What is listed is no name, unless it is as many words as letters.
    return None if "," in found and len(found.split()) > len(letters) else found


def _suffix_by_initials(letters: list[str], words: list[str]) -> int | None:
    """How many of the last words have these letters as initials, small words left out; None where none do."""
    for taken in range(len(letters), len(words) + 1):
        if words[-taken] not in _SMALL and _matched(letters, words[-taken:]) == taken:
            return taken
    return None


def _last(text: str, letter: str, *, before: int, begins: bool) -> int:
    """Where `letter` stands for the last time before a place, at a word's beginning if it has to; -1 for nowhere."""
    for place in range(before - 1, -1, -1):
        if text[place].lower() == letter and (not begins or _begins_name(text, place)):
            return place
    return -1


def _begins_name(text: str, place: int) -> bool:
    if place and text[place - 1].isalnum():
        return False
    word = _WORD.match(text, place)
    return word is not None and word.group().lower() not in _SMALL


def _until_end(text: str, start: int) -> str:
    """What follows, to the end of its clause."""
    rest = text[start : start + _LOOK_BACK]
    end = _END.search(rest)
    return rest[: end.start()] if end else rest


def _by_initials(short: str, text: str, *, whole: bool = False) -> str | None:
    """The shortest beginning of `text` whose words' initials are the letters of `short`; small words may be left out.

    `whole`: it has to be all of the text.
    """
    text = _ARTICLE.sub("", text)
    letters = [letter.lower() for letter in short.removesuffix("s") if letter.isalnum()]
    words = list(re.finditer(r"[^\W_]+(?:['’]\w+)?", text))[: 2 * len(letters) + 2]
    taken = _matched(letters, [match.group().lower() for match in words])
    if taken is None or (whole and taken < len(words)):
        return None
    return text[: words[taken - 1].end()]


def _matched(letters: list[str], words: list[str]) -> int | None:
    """How many words the letters take as initials, one letter a word; None where they don't."""
    taken = 0
    for letter in letters:
        while taken < len(words) and words[taken][0] != letter and words[taken] in _SMALL and taken:
            taken += 1
        if taken == len(words) or words[taken][0] != letter:
            return None
        taken += 1
    return taken


def _names(text: str, match: re.Match[str]) -> Iterator[Definition]:
    """`Ringwood, formerly known as Harbour House`: the names on either side."""
    before = list(_WORD.finditer(text[max(0, match.start() - _LOOK_BACK) : match.start()]))[-_MOST_WORDS_OF_A_NAME:]
    left = [word.group() for word in before]
    while any(word.lower() in STOP_WORDS for word in left):
        del left[0]
    capital = [number for number, word in enumerate(left) if word[0].isupper() or word[0].isdigit()]
    left = left[capital[0] :] if capital else left
    after = _until_end(text, match.end()).lstrip("\"“'‘")
    right: list[str] = []
    for word in _WORD.finditer(_ARTICLE.sub("", after)):
        if word.group().lower() in STOP_WORDS or len(right) == _MOST_WORDS_OF_A_NAME:
            right = [each for each in right if each[0].isupper()]  # the sentence goes on: a name shows by its capitals
            break
        right.append(word.group().rstrip("'’"))
    one, other = " ".join(left), " ".join(right)
    if one and other and one.lower() != other.lower():
        yield Definition("name", other, one)
