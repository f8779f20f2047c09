"""How likely two questions ask the same, as a figure that a threshold can be set on.

The cosine of two questions' vectors says what they are about. Paraphrases have .5 to .9 of it, and a question and its
contrary .97; no threshold on it tells the two apart. So the figure is fitted: a logistic regression over the cosine,
late interaction of the words' vectors both ways, what the words of one leave uncovered in the other, and how alike the
two are in form (bench/cache_fit.py fits it; sameness.json holds the weights).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from ken.models.protocols import Embedder, WordEmbedder
from ken.text.alignment import Alignment, align
from ken.text.wording import Asked, Word, read

LEAST_COSINE = 0.65
"""Questions farther apart are never the same here, whatever else speaks for it. Of the paraphrases that were looked at a tenth are, and
more than half of those that a topic's other questions were taken for: a wrong answer is worse than a call of a model."""
_WEIGHTS = Path(__file__).with_name("sameness.json")
_SCALE = 127
_TINY = 1e-9
_ALMOST = 0.9
"""What a word counts as covered if all of its parts stand in the other question."""

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Meaning:
    """What is kept of a question to compare others with it."""

    asked: Asked
    vector: Vectors
    """Shape (d,), L2-normalised: of the question's plain form."""
    words: NDArray[np.int8]
    """Shape (k, n): unit vectors of its k telling words times 127, in order; shape (0, 0) where the embedder tells none."""

    @classmethod
    def restored(cls, text: str, vector: Vectors, *, words: NDArray[np.int8]) -> Meaning:
        """The meaning of a question from what was kept: its text, vector and words."""
        asked = read(text)
        return cls(asked, vector, words if len(words) == len(asked.words) else _NO_WORDS)


_NO_WORDS: NDArray[np.int8] = np.zeros((0, 0), dtype=np.int8)


class Sameness:
    """Reads questions and says how likely others ask the same."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    async def read(self, text: str) -> Meaning:
        """Embed a question in its stand-alone form, in one run. Raises ModelError."""
        asked = read(text)
        if not isinstance(self._embedder, WordEmbedder):
            return Meaning(asked, await self._embedder.embed_question(asked.plain), _NO_WORDS)
        spans = [word.span for word in asked.words]
        vectors, words = await self._embedder.embed_parts([asked.plain], [spans])
        return Meaning(asked, vectors[0], _packed(words @ self._embedder.word_basis))

    @staticmethod
    def similarity(question: Meaning, candidates: Sequence[Meaning]) -> Vectors:
        """How likely each of n candidates asks what `question` asks, 0 to 1: shape (n,).

        For pairs that `agree` lets pass. It isn't a share: .93 is set where, of questions about one topic that aren't
        the same, 1 in 200 reaches it (bench/cache_fit.py).
        """
        if not candidates:
            return np.zeros(0, dtype=np.float32)
        chances = [_chance(question, candidate) for candidate in candidates]
        return np.array(chances, dtype=np.float32)


def _packed(vectors: Vectors) -> NDArray[np.int8]:
    lengths = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), _TINY)
    return np.asarray(np.round(vectors / lengths * _SCALE), np.int8)


def _chance(one: Meaning, other: Meaning) -> float:
    if one.asked.plain.casefold() == other.asked.plain.casefold():
        return 1.0
    if float(one.vector @ other.vector) < LEAST_COSINE:
        return 0.0
    values = features(one, other, laid=align(one.asked, other.asked))
    model = _weights()["words" if "late" in values else "vectors"]
    score = model["bias"] + sum(model[name] * value for name, value in values.items())
    return 1 / (1 + math.exp(-score))


@cache
def _weights() -> Mapping[str, Mapping[str, float]]:
    return cast("Mapping[str, Mapping[str, float]]", json.loads(_WEIGHTS.read_text("utf-8")))


def features(one: Meaning, other: Meaning, *, laid: Alignment) -> dict[str, float]:
    """What the figure is made from. Both ways are looked at, and the order of the two questions changes nothing."""
    a, b = one.asked, other.asked
    matches = _matches(one, other)
    nearest = [
        [max(0.0, match) for match in matches.max(axis=axis).tolist()] if matches.size else [] for axis in (1, 0)
    ]
    ways = (
        _Way.of(a.words, laid.left, worths={id(pair.one): pair.worth for pair in laid.pairs}, matches=nearest[0]),
        _Way.of(b.words, laid.right, worths={id(pair.other): pair.worth for pair in laid.pairs}, matches=nearest[1]),
    )
    frame = _frame(a.sequence, b.sequence)
    exact = sum(pair.one.weight for pair in laid.pairs if pair.worth == 1)
    weight = sum(word.weight for word in (*a.words, *b.words)) / 2
    worst = max(way.worst for way in ways)
    values = {
        "cosine": float(one.vector @ other.vector),
        "covered_least": min(way.covered for way in ways),
        "covered": sum(way.covered for way in ways) / 2,
        "left": sum(way.left for way in ways) / 2,
        "left_of_one": max(way.left for way in ways) if min(way.left for way in ways) == 0 else 0.0,
        "left_both": min(way.left for way in ways),
        "frame": frame,
        "frame_left": frame * max(way.left for way in ways),
        "asks_alike": float(bool(a.kinds & b.kinds)),
        "open": float("open" in a.kinds | b.kinds),
        "exact": exact / max(weight, _TINY),
        "nothing_left": float(not laid.left and not laid.right),
        "moved": _moved(laid),
        "moved_exact": _moved(laid) * exact / max(weight, _TINY),
        "length": min(len(a.sequence), len(b.sequence)) / max(len(a.sequence), len(b.sequence), 1),
        "roles_apart": _roles_apart(laid),
        "asks_apart": float(not a.kinds & b.kinds and "open" not in a.kinds | b.kinds),
        "words": float(len(a.sequence) + len(b.sequence)) / 20,
    }
    if matches.size:
        late = [sum(side) / len(side) for side in nearest]
        values |= {
            "soft_least": min(way.soft for way in ways),
            "soft": sum(way.soft for way in ways) / 2,
            "worst": worst,
            "worst_both": min(way.worst for way in ways),
            "frame_worst": frame * worst,
            "late": sum(late) / 2,
            "late_least": min(late),
        }
    return values


@dataclass(frozen=True, slots=True)
class _Way:
    """How much of one question's words the other covers."""

    covered: float
    """By the same word or one of the same meaning: 0 to 1."""
    soft: float
    """By those, or by the nearest word's vector."""
    left: float
    """Weight of the words that nothing stands for."""
    worst: float
    """The most that one word lacks."""

    @classmethod
    def of(
        cls, words: Sequence[Word], left: Sequence[Word], *, worths: Mapping[int, float], matches: Sequence[float]
    ) -> _Way:
        over = {id(word) for word in left}
        total = sum(word.weight for word in words)
        if not total:
            return cls(1.0, 1.0, 0.0, 0.0)
        covered = soft = lacking = worst = 0.0
        for index, word in enumerate(words):
            if id(word) not in over:
                worth = worths.get(id(word), _ALMOST)
                covered += word.weight * worth
                soft += word.weight * worth
                continue
            nearest = matches[index] if matches else 0.0
            soft += word.weight * nearest
            lacking += word.weight
            worst = max(worst, word.weight * (1 - nearest))
        return cls(covered / total, soft / total, lacking, worst)


def _matches(one: Meaning, other: Meaning) -> Vectors:
    """Cosines of the words of two questions, shape (k, l); of size 0 where an embedder tells none."""
    if not (one.words.size and other.words.size):
        return np.zeros((0, 0), dtype=np.float32)
    return (one.words.astype(np.float32) @ other.words.astype(np.float32).T) / np.float32(_SCALE * _SCALE)


def _moved(laid: Alignment) -> float:
    """Share of the aligned words' pairs that stand in the other order in the second question."""
    places = [pair.other.place for pair in sorted(laid.pairs, key=lambda pair: pair.one.place)]
    pairs = list(combinations(places, 2))
    return sum(before > after for before, after in pairs) / len(pairs) if pairs else 0.0


def _roles_apart(laid: Alignment) -> float:
    """Share of the aligned words that another preposition governs in the second question."""
    apart = sum(bool(pair.one.role and pair.other.role and pair.one.role != pair.other.role) for pair in laid.pairs)
    return apart / max(len(laid.pairs), 1)


def _frame(a: Sequence[str], b: Sequence[str]) -> float:
    """Share of the words that both begin and end with: near 1 where one word was put in another's place."""
    before = 0
    shorter = min(len(a), len(b))
    while before < shorter and a[before] == b[before]:
        before += 1
    behind = 0
    while behind < shorter - before and a[-1 - behind] == b[-1 - behind]:
        behind += 1
    return (before + behind) / max(len(a), len(b), 1)
