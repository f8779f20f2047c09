"""Whether a passage supports a sentence: by its words, its numbers and its negations.

It is deliberately one-sided: it would rather miss a fair paraphrase than pass a sentence whose number, name or "not"
the passage doesn't have.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

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
    """The piece that supports `sentence` best."""
    wanted = _fingerprint(sentence)
    best = Support(-1, 0.0)
    for index, piece in enumerate(pieces):
        score = _score(sentence, wanted, piece)
        if score > best.score:
            best = Support(index, score)
    return best


def support(sentence: str, text: str) -> float:
    """How well `text` supports `sentence`, 0 to 1; 1 where it holds it word for word."""
    return _score(sentence, _fingerprint(sentence), text)


@dataclass(frozen=True, slots=True)
class _Fingerprint:
    content: frozenset[str]
    numbers: frozenset[str]
    negated: bool


def _fingerprint(text: str) -> _Fingerprint:
    lower = text.lower().replace("’", "'")
    found = words(lower)
    return _Fingerprint(
        content=frozenset(stem(word) for word in found if word not in STOP_WORDS and not word.isdigit()),
        numbers=_numbers(lower, found),
        negated=_NEGATION.search(lower) is not None,
    )


def _numbers(lower: str, found: Iterable[str]) -> frozenset[str]:
    digits = (match.group().rstrip(".,:").replace(",", "") for match in _NUMBER.finditer(lower))
    return frozenset(digits) | frozenset(_SPELLED[word] for word in found if word in _SPELLED)


def _score(sentence: str, wanted: _Fingerprint, text: str) -> float:
    if _folded(sentence) in _folded(text):
        return 1.0
    have = _fingerprint(text)
    # A number that the text lacks is the surest sign of an invented fact. "One" is as often a pronoun as a number.
    if not (wanted.numbers - {"1"}) <= have.numbers:
        return 0.0
    if not wanted.content:
        return 0.0
    covered = len(wanted.content & have.content) / len(wanted.content)
    if wanted.negated != have.negated and covered > 0.5:  # noqa: PLR2004 - the two say the same but for the "not"
        return covered * 0.5
    return covered


def _folded(text: str) -> str:
    return " ".join(words(text.lower()))
