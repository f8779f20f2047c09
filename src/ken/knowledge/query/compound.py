"""Compound questions: several questions in one, and comparisons, taken apart by rules."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol, TypeVar

from ken.text.tokens import STOP_WORDS, terms, words

_WH = r"(?:what|who|whom|whose|which|when|where|why|how)\b"
_VERB = r"(?:is|are|was|were|does|do|did|can|could|may|must|should|will|would|has|have)\b"
_SUBJECT = r"(?:i|we|you|they|he|she|it|there|my|our|the|an?|any|anyone|someone|everyone)\b"
_ASKS = rf"(?:{_WH}|{_VERB} {_SUBJECT})"
_SEAM = re.compile(
    rf"[?.;]+\s+(?:and |also |or |but )?(?={_ASKS})|,? (?:and|or|but)(?: also)?,? (?={_ASKS})", re.IGNORECASE
)
_STARTS = re.compile(rf"(?:and |so |but |ok(?:ay)? |please |hi |hello )*{_ASKS}", re.IGNORECASE)
_SIDES = (
    re.compile(
        r"\b(?:differences?|distinctions?|distinguish|choose|compare|comparison)(?: is| are)?(?: there)? (?:between|of) "
        r"(?P<one>[^?.;,]{2,80}?) (?:and|or|vs\.?|versus) (?P<other>[^?.;,]{2,80})",
        re.IGNORECASE,
    ),
    re.compile(
        r"\bcompare (?P<one>[^?.;,]{2,80}?) (?:and|with|to|against) (?P<other>[^?.;,]{2,80})"
        r"|\bhow (?:do|does|is|are) (?P<mine>[^?.;,]{2,80}?) (?:differ|different) from (?P<theirs>[^?.;,]{2,80})",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?:^|\b(?:is|are|what about|about) )(?P<one>[^?.;,]{2,60}?) (?:vs\.?|versus) (?P<other>[^?.;,]{2,60})",
        re.IGNORECASE,
    ),
)
_LEANS = re.compile(
    r"\b(?:it|its|that|this|those|these|they|them|their|there|he|she|him|her|one|ones)\b", re.IGNORECASE
)
_MOST_PARTS = 4
_OWN = 2
"""Terms that a part needs to be asked by itself."""
_LONGEST = 1200
"""Characters of a question that is taken apart: a longer one is a text."""


def parts(text: str) -> tuple[str, ...]:
    """The questions that a compound one is made of, each to be understood by itself; none of a single question."""
    if len(text) > _LONGEST:
        return ()
    for pattern in _SIDES:
        sides = pattern.search(text)
        if sides is not None:
            return _compared(*(side for side in sides.groups() if side is not None))
    found = _questions(text)
    return tuple(found) if len(found) > 1 else ()


def _questions(text: str) -> list[str]:
    """Pieces between seams; a piece that points back takes along what the one before it is about."""
    pieces = [piece.strip(" ?.;,") for piece in _SEAM.split(text)]
    pieces = [piece for piece in pieces if piece]
    if not 1 < len(pieces) <= _MOST_PARTS or not _STARTS.match(pieces[0]):
        return []
    found = [pieces[0]]
    for piece in pieces[1:]:
        own = set(terms(piece))
        if not own:
            return []
        if len(own) < _OWN or _LEANS.search(piece):
            carried = [
                word for word in words(found[0]) if word.lower() not in STOP_WORDS and not own & set(terms(word))
            ]
            found.append(f"{piece} ({' '.join(carried)})" if carried else piece)
        else:
            found.append(piece)
    return found if terms(pieces[0]) else []


def _compared(one: str, other: str) -> tuple[str, ...]:
    """Both sides; "sick and annual leave" says its noun once."""
    one, other = one.strip(), other.strip()
    mine, theirs = words(one), words(other)
    if len(terms(one)) == 1 and len(mine) < len(theirs) and len(terms(other)) > 1:
        one = f"{one} {theirs[-1]}"
    return (one, other) if terms(one) and terms(other) else ()


class Row(Protocol):
    """A passage as ranked."""

    @property
    def row(self) -> int:
        """Which one it is."""
        ...


Ranked = TypeVar("Ranked", bound=Row)


def dealt(rankings: Sequence[Sequence[Ranked]], *, limit: int) -> list[Ranked]:
    """The best passages of a question and of its parts, dealt in turn, so that each part has some among the first."""
    found: dict[int, Ranked] = {}
    longest = max((len(ranking) for ranking in rankings), default=0)
    for place in range(longest):
        for ranking in rankings:
            if place < len(ranking):
                found.setdefault(ranking[place].row, ranking[place])
    return list(found.values())[:limit]
