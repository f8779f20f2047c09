"""Spelling: a word of the question that no readable document holds, and that is no word, becomes the closest one that it may be.

Words of documents that the asker may not read don't take part: they are neither proposed nor do they keep a word as it is.
What exists stays as it is; so do numbers, codes, acronyms, and whatever stands in quotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ken.domain.explained import Correction
from ken.knowledge.query.reading import MOST_WORDS, Reading
from ken.text.language import UNKNOWN, language_of
from ken.text.tokens import STOP_WORDS

_QUOTED = re.compile(
    r"\"[^\"\n]{1,200}\"|“[^”\n]{1,200}”|«[^»\n]{1,200}»|`[^`\n]{1,200}`|(?<!\w)['‘][^'’\n]{1,200}['’](?!\w)"
)
_WORD = re.compile(r"(?<![\w@#$%&+/\\-])(?<!\w[.:])[^\W\d_]+(?![\w@#$%&+=/\\{(<-]|[.:]\w|['’]\w{3})")
_ENDINGS = ("s", "es", "ed", "d", "ing", "ings", "ly", "er", "ers", "est", "able", "less", "ness")
_SHORTEST = 4
_LEAST_BASE = 3
_ENDING = 3
_SHORT = 5
"""Letters of a word of which only swapped and doubled ones are corrected."""
_LONG = 9
"""Letters of a word in which two slips are borne; in a shorter one, one is."""
_MOST = 8
"""Words of one question that are corrected: with more, it is no question about these documents."""


def corrections(text: str, reading: Reading) -> list[tuple[int, Correction]]:
    """What is corrected in a question, each with its place; empty for one in another language than English."""
    unknown: list[tuple[int, str]] = []
    known = 0
    for start, word in _words(text):
        if word.lower() in STOP_WORDS or _exists(word.lower(), reading):
            known += 1
        else:
            unknown.append((start, word))
    if not unknown or len(unknown) > _MOST or language_of(text) not in {"en", UNKNOWN}:
        return []
    found = ((start, _correction(word, reading)) for start, word in unknown)
    likely = [(start, correction) for start, correction in found if correction is not None]
    # Where most words are unknown it may be another language, unless each of them is one slip away from a word.
    return likely if len(unknown) <= max(known, 1) or len(likely) == len(unknown) else []


def corrected(text: str, found: list[tuple[int, Correction]]) -> str:
    """The question with its corrections."""
    parts: list[str] = []
    position = 0
    for start, correction in found:
        parts += [text[position:start], correction.searched]
        position = start + len(correction.written)
    return "".join([*parts, text[position:]])


def _words(text: str) -> Iterator[tuple[int, str]]:
    """Words that may be mistyped, with their places."""
    bare = _QUOTED.sub(lambda quoted: " " * len(quoted[0]), text)
    for number, match in enumerate(_WORD.finditer(bare)):
        if number == MOST_WORDS:
            return
        word = match.group()
        if len(word) >= _SHORTEST and (word.islower() or word.istitle()):
            yield match.start(), word


def _exists(word: str, reading: Reading) -> bool:
    if reading.is_word(word):
        return True
    forms = reading.forms(word)
    if forms:  # "approvals" beside "approval" is right; "reimbursment" beside "reimbursement" ends alike, and isn't
        return word in forms or not any(_ends_alike(word, form) for form in forms)
    bases = [word.removesuffix(ending) for ending in _ENDINGS if word.endswith(ending)]
    bases += [f"{base}e" for base in bases]
    bases += [base[:-1] for base in bases if base[-2:-1] == base[-1:] and word.endswith(("ing", "ed"))]  # lagging: lag
    return any(len(base) >= _LEAST_BASE and reading.is_word(base) for base in bases)


def _ends_alike(word: str, form: str) -> bool:
    return word[-_ENDING:] == form[-_ENDING:]


def _correction(word: str, reading: Reading) -> Correction | None:
    lower = word.lower()
    for near in reading.lexicon.near(lower, most=2 if len(lower) >= _LONG else 1, allowed=reading.allowed):
        if _is_slip(lower, near.word) and near.word not in STOP_WORDS:
            searched = near.word.capitalize() if word[0].isupper() else near.word
            return Correction(written=word, searched=searched, distance=near.distance)
    return None


def _is_slip(written: str, word: str) -> bool:
    """Whether a word is likely to have been meant: a first letter is seldom wrong, and short words are near to many."""
    is_swapped = len(written) == len(word) and sorted(written) == sorted(word)
    if len(written) <= _SHORT:
        is_doubled = abs(len(written) - len(word)) == 1 and set(written) == set(word)
        return is_swapped or (is_doubled and written[0] == word[0])
    has_prefix = len(written) > len(word) and written.endswith(word)
    return (written[0] == word[0] and not has_prefix) or (is_swapped and written[2:] == word[2:])
