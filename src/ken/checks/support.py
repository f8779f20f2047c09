"""Whether a passage supports a sentence: by its words, its numbers and its negations.

It is deliberately one-sided: it would rather miss a fair paraphrase than pass a sentence whose number, name or "not"
the passage doesn't have.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ken.text.tokens import STOP_WORDS, stem, words

SUPPORTED = 0.6
"""From here on a citation counts as supporting its sentence."""

_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_NEGATION = re.compile(r"\b(?:not|no|never|cannot|without|nor|none|\w+n't)\b")
_SPELLED = {
    word: str(value)
    for value, word in enumerate("zero one two three four five six seven eight nine ten eleven twelve".split())
}


@dataclass(frozen=True, slots=True)
class Support:
    """The best supporting piece for a sentence, and how well it supports it, 0 to 1."""

    index: int
    """Into the pieces given; -1 where none supports it at all."""
    score: float


def best_support(sentence: str, pieces: Sequence[str]) -> Support:
    """The piece that supports `sentence` best; the first that holds it word for word, if one does."""
    quoted = _unended(sentence)
    for index, piece in enumerate(pieces):
        # Most sentences of an extractive answer end here, before any word is looked at.
        if quoted == _unended(piece):
            return Support(index, 1.0)
    best = Support(-1, 0.0)
    for index, piece in enumerate(pieces):
        score = support(sentence, piece)
        if score > best.score:
            best = Support(index, score)
    return best


def support(sentence: str, text: str) -> float:
    """How well `text` supports `sentence`, 0 to 1; 1 where it holds it word for word."""
    wanted, have = _fingerprint(sentence), _fingerprint(text)
    if wanted.folded in have.folded:
        return 1.0
    # A number that the text lacks is the surest sign of an invented fact. "One" is as often a pronoun as a number.
    if not wanted.content or not (wanted.numbers - {"1"}) <= have.numbers:
        return 0.0
    covered = len(wanted.content & have.content) / len(wanted.content)
    if wanted.negated != have.negated and covered > 0.5:  # noqa: PLR2004 - the two say the same but for the "not"
        return covered * 0.5
    return covered


@dataclass(frozen=True, slots=True)
class _Fingerprint:
    folded: str
    """The words in lower case, a space before and after each."""
    content: frozenset[str]
    numbers: frozenset[str]
    negated: bool


@lru_cache(maxsize=16_384)
def _fingerprint(text: str) -> _Fingerprint:
    lower = text.lower().replace("’", "'")
    found = words(lower)
    return _Fingerprint(
        folded=f" {' '.join(found)} ",
        content=frozenset(stem(word) for word in found if word not in STOP_WORDS and not word.isdigit()),
        numbers=_numbers(lower, found),
        negated=_NEGATION.search(lower) is not None,
    )


def _unended(text: str) -> str:
    return text.strip().rstrip(".")


def _numbers(lower: str, found: Iterable[str]) -> frozenset[str]:
    digits = (match.group().rstrip(".,:").replace(",", "") for match in _NUMBER.finditer(lower))
    return frozenset(digits) | frozenset(_SPELLED[word] for word in found if word in _SPELLED)
