"""Which words of two questions stand for one another, which contradict each other, and which are left over."""

from __future__ import annotations

from dataclasses import dataclass

from ken.text.thesaurus import thesaurus
from ken.text.wording import Asked, Word

_EXACT, _MEANT, _DERIVED, _PART = 1.0, 0.9, 0.85, 0.7
_LEAST_STEM = 5
"""Letters that two words of one family begin with: encrypt, encryption."""
_SHORT_ENDING, _LONG_ENDING = 2, 5
_ACRONYM = range(2, 7)
"""Letters that one has."""
_NEGATING = ("un", "in", "im", "ir", "il", "dis", "non", "mis", "de", "anti", "ab")
_TURNING = (
    ("over", "under"), ("in", "out"), ("up", "down"), ("on", "off"), ("pre", "post"), ("inter", "intra"), ("macro", "micro"),
    ("multi", "single"), ("hyper", "hypo"), ("maxi", "mini"), ("pro", "anti"), ("long", "short"), ("ex", "im"), ("en", "de"), ("as", "de"),
)  # fmt: skip
_TURNED_ENDINGS = (("er", "ee"), ("or", "ee"), ("ful", "less"))
_LEAST_ROOT = 3


@dataclass(frozen=True, slots=True)
class Pair:
    """A word of one question and the word of the other that stands for it."""

    one: Word
    other: Word
    worth: float
    """1 for the same word, less for one of the same meaning."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """How the words of two questions lie beside each other."""

    pairs: tuple[Pair, ...]
    opposed: tuple[tuple[Word, Word], ...]
    """Words left over that say the contrary of one another."""
    apart: tuple[tuple[Word, Word], ...]
    """Words left over of two kinds that exclude one another."""
    left: tuple[Word, ...]
    """Of the first question, what nothing stands for; those of `opposed` and `apart` are among them."""
    right: tuple[Word, ...]


def align(a: Asked, b: Asked) -> Alignment:
    """Lay two questions beside each other: the best match of each word, best first."""
    scored = [
        (worth, -abs(i - j), i, j)
        for i, one in enumerate(a.words)
        for j, other in enumerate(b.words)
        if (worth := _worth(one, other)) > 0
    ]
    scored.sort(reverse=True)
    of_a: dict[int, int] = {}
    of_b: dict[int, int] = {}
    pairs: list[Pair] = []
    for worth, _, i, j in scored:
        if i not in of_a and j not in of_b:
            of_a[i], of_b[j] = j, i
            pairs.append(Pair(a.words[i], b.words[j], worth))
    left = tuple(word for i, word in enumerate(a.words) if i not in of_a and not _accounted(word, b))
    right = tuple(word for j, word in enumerate(b.words) if j not in of_b and not _accounted(word, a))
    opposed: list[tuple[Word, Word]] = []
    apart: list[tuple[Word, Word]] = []
    for one in left:
        for other in right:
            if _excluded(one, other):
                apart.append((one, other))
            elif is_opposed(one, other):
                opposed.append((one, other))
    return Alignment(tuple(pairs), tuple(opposed), tuple(apart), left, right)


def _worth(one: Word, other: Word) -> float:
    if one.key == other.key:
        return _EXACT
    if one.meanings & other.meanings:
        return _MEANT
    if len(one.key) == len(other.key) == 1 and not (one.meanings and other.meanings):
        return _DERIVED if _is_family(one.key[0], other.key[0]) or _is_slip(one.key[0], other.key[0]) else 0.0
    return (
        _PART
        if (set(one.key) <= set(other.key) or set(other.key) <= set(one.key)) and not (one.meanings and other.meanings)
        else 0.0
    )


def _is_family(one: str, other: str) -> bool:
    """Whether two stems are derived of one another: they differ in their endings alone."""
    if len(one) > len(other):
        one, other = other, one
    same = 0
    while same < len(one) and one[same] == other[same]:
        same += 1
    endings = len(one) - same, len(other) - same
    return (
        same >= _LEAST_STEM and endings[0] <= _SHORT_ENDING and endings[1] <= _LONG_ENDING and same >= 0.6 * len(other)
    )


def _is_slip(one: str, other: str) -> bool:
    """Whether two words differ by letters that were swapped, doubled or written once: recieve, adress."""
    if len(one) < _LEAST_STEM or len(other) < _LEAST_STEM or one[0] != other[0] or abs(len(one) - len(other)) > 1:
        return False
    return sorted(_once(one)) == sorted(_once(other))


def _once(word: str) -> list[str]:
    """Its letters, doubled ones once."""
    return [letter for index, letter in enumerate(word) if not index or letter != word[index - 1]]


def _accounted(word: Word, other: Asked) -> bool:
    """Whether all words of a phrase stand in the other question, or a word means what one there means."""
    if all(part in other.bases for part in word.key):
        return True
    if len(word.key) == 1 and word.text.isupper() and len(word.text) in _ACRONYM:
        return word.text.lower() in other.initials
    joined = "".join(word.key)
    return len(joined) >= _LEAST_STEM and any(
        joined == x + y for x, y in zip(other.sequence, other.sequence[1:], strict=False)
    )


def is_opposed(one: Word, other: Word) -> bool:
    """Whether two words say the contrary: by the thesaurus, or by how they are built (`secure`, `insecure`)."""
    opposites = thesaurus().opposites
    if any(opposites.get(meaning, _NONE) & other.meanings for meaning in one.meanings):
        return True
    if len(one.key) != 1 or len(other.key) != 1:
        return False
    x, y = one.key[0], other.key[0]
    if min(len(x), len(y)) < _LEAST_ROOT:
        return False
    for first, second in ((x, y), (y, x)):
        if any(len(second) >= _LEAST_ROOT and first == prefix + second for prefix in _NEGATING):
            return True
        if any(
            first.startswith(p)
            and second.startswith(q)
            and first[len(p) :] == second[len(q) :]
            and len(first) - len(p) >= _LEAST_ROOT
            for p, q in _TURNING
        ):
            return True
        if any(
            first.endswith(p) and second.endswith(q) and first[: -len(p)] == second[: -len(q)]
            for p, q in _TURNED_ENDINGS
        ):
            return True
    return False


_NONE: frozenset[int] = frozenset()


def _excluded(one: Word, other: Word) -> bool:
    kinds = thesaurus().kinds
    return any(kinds.get(meaning, _NONE) & other.meanings for meaning in one.meanings)
