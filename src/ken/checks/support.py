"""Whether passages support a sentence: by its words, its numbers and its negations.

It is deliberately one-sided: it would rather miss a fair paraphrase than pass a sentence whose number, name or "not"
the passage doesn't have.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from ken.text.markup import CELL_SEPARATOR
from ken.text.tokens import STOP_WORDS, stem, words

SUPPORTED = 0.6
"""From here on a citation counts as supporting its sentence."""

_SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n+")
_COLON = re.compile(r"(?<=:)\s+")
_TOKEN = re.compile(r"\d+(?:[.,:]\d+)*|[$£€%]|[^\W\d_]+(?:'[^\W\d_]+)?")
_CONTRACTED = re.compile(r"\b(?:(can|wo|sha)|(\w+))n't\b")
_WHOLE_FORM = {"can": "can not", "wo": "will not", "sha": "shall not"}
_NAME = re.compile(r"(?<=[\w,] )[A-Z][^\W\d_]+")
# "No, ..." answers the question, "no later than" and "not only" deny nothing.
_NO_DENIAL = re.compile(
    r"^\W*(?:no|yes)\b(?=\s*[,:;.–-])|\bno (?:later|more|less|fewer|earlier|sooner) than\b|\bnot (?:only|just)\b"
    r"|\bwhether or not\b|\bif not\b"
)
_DENIALS = frozenset("not no never without nor none neither nobody nothing cannot".split())
_SPELLED = {
    word: str(value)
    for value, word in enumerate("zero one two three four five six seven eight nine ten eleven twelve".split())
}
_UNITS = {
    name: unit
    for unit, names in {
        "€": "€ eur euro euros",
        "$": "$ usd dollar dollars",
        "£": "£ gbp pound pounds",
        "%": "% percent",
    }.items()
    for name in names.split()
}
_NO_TOPIC = STOP_WORDS | _DENIALS | frozenset(_SPELLED) | frozenset(_UNITS)
_REACH = 4
"""Content words that a denial reaches forward."""
_BESIDE = 2
"""Content words on either side of a number in a claim that say what it counts."""
_AROUND = 4
"""Content words on either side of the number in a passage that they are looked for among."""
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class Support:
    """The best supporting piece for a sentence, and how well it supports it, 0 to 1."""

    index: int
    """Into the pieces given; -1 where none supports it at all."""
    score: float


def best_support(sentence: str, pieces: Sequence[str]) -> Support:
    """The piece that supports `sentence` best by itself; the first that holds it word for word, if one does."""
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


def support(sentence: str, *pieces: str) -> float:
    """How well the pieces, taken together, support `sentence`, 0 to 1; 1 where one of them holds it word for word.

    The share of its content words that they hold; 0 where a name, a number or a unit of it is missing, or a number stands
    with other things, at most half where one of the two denies what the other says.
    """
    wanted = _sentences(sentence)
    have = tuple(part for piece in pieces for part in _sentences(piece))
    content = frozenset[str]().union(*(part.content for part in wanted))
    held = frozenset[str]().union(*(part.content for part in have))
    if not content or not _names(sentence) <= held or not all(_counts_the_same(part, have, held) for part in wanted):
        return 0.0
    covered = len(content & held) / len(content)
    folded = " ".join(part.folded for part in wanted)
    if any(f" {folded} " in f" {' '.join(part.folded for part in _sentences(piece))} " for piece in pieces):
        covered = 1.0
    return covered if all(_denies_the_same(part, have) for part in wanted) else covered * _HALF


@dataclass(frozen=True, slots=True)
class _Sentence:
    folded: str
    """The words in lower case, spaces between."""
    content: frozenset[str]
    """Stems of the words that say something of the topic."""
    numbers: tuple[tuple[str, frozenset[str], frozenset[str]], ...]
    """Each number or unit, with the stems close to it and those around it."""
    denied: tuple[tuple[str, ...], ...]
    """For each denial the stems that it reaches, the nearest first."""


@lru_cache(maxsize=4_096)
def _names(text: str) -> frozenset[str]:
    """Stems of the words that begin with a capital in mid-sentence."""
    found = (match.group().lower() for match in _NAME.finditer(text))
    return frozenset(stem(word) for word in found if word not in _NO_TOPIC)


@lru_cache(maxsize=16_384)
def _sentences(text: str) -> tuple[_Sentence, ...]:
    lower = _CONTRACTED.sub(
        lambda match: _WHOLE_FORM[match[1]] if match[1] else f"{match[2]} not", text.lower().replace("’", "'")
    )
    # In a table row a colon stands between a column's name and what belongs to it.
    parts = (
        part for line in _SENTENCE.split(lower) for part in ([line] if CELL_SEPARATOR in line else _COLON.split(line))
    )
    return tuple(_sentence(part) for part in parts if part.strip())


def _sentence(lower: str) -> _Sentence:
    topic: list[str] = []
    numbers: list[tuple[str, int]] = []
    denials: list[int] = []
    for token in _TOKEN.findall(_NO_DENIAL.sub(" ", lower)):
        word = token.partition("'")[0]
        if token[0].isdigit():
            numbers.append((_plain_number(token), len(topic)))
        elif token in _UNITS or word in _SPELLED:
            numbers.append((_UNITS.get(token) or _SPELLED[word], len(topic)))
        elif word in _DENIALS:
            denials.append(len(topic))
        if word not in _NO_TOPIC and not token[0].isdigit():
            topic.append(stem(word))
    return _Sentence(
        folded=" ".join(words(lower)),
        content=frozenset(topic),
        numbers=tuple((number, _around(topic, at, _BESIDE), _around(topic, at, _AROUND)) for number, at in numbers),
        denied=tuple(tuple(topic[at : at + _REACH] or topic[-1:]) for at in denials),
    )


def _around(topic: Sequence[str], at: int, reach: int) -> frozenset[str]:
    return frozenset(topic[max(0, at - reach) : at + reach])


def _plain_number(token: str) -> str:
    """Without the commas of thousands and the zero before an hour."""
    number = re.sub(r",(?=\d{3}\b)", "", token)
    return number[1:] if re.match(r"0\d", number) else number


def _counts_the_same(claim: _Sentence, have: Sequence[_Sentence], held: frozenset[str]) -> bool:
    """Whether each number stands somewhere with more than half of the words that the claim puts beside it.

    A number that the text lacks, or has for another thing, is the surest sign of an invented fact. Words that the text
    doesn't have at all are the paraphrase's own. "One" is as often a pronoun as a number.
    """
    for number, beside, _ in claim.numbers:
        with_it = [around for part in have for other, _, around in part.numbers if other == number]
        known = beside & held
        if not with_it and not (number == "1" and "one" in claim.folded.split()):
            return False
        if with_it and known and max(len(known & around) for around in with_it) <= _HALF * len(known):
            return False
    return True


def _denies_the_same(claim: _Sentence, have: Sequence[_Sentence]) -> bool:
    """Whether the claim and the sentences closest to it deny the same things.

    Looked at is, for each word, the sentence that has it and most of the claim's other words.
    """
    denied = {reach[0] for reach in claim.denied if reach}
    near = {word for reach in claim.denied for word in reach}
    for word in claim.content:
        with_it = [part for part in have if word in part.content]
        shared = max((len(part.content & claim.content) for part in with_it), default=0)
        closest = [part for part in with_it if len(part.content & claim.content) == shared]
        if word in denied and closest and not any(word in reach for part in closest for reach in part.denied):
            return False
        if (
            word not in near
            and closest
            and all(any(word == reach[0] for reach in part.denied if reach) for part in closest)
        ):
            return False
    return not denied - {word for part in have for word in part.content} or any(part.denied for part in have)


def _unended(text: str) -> str:
    return text.strip().rstrip(".")
