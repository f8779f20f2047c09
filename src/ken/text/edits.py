"""How many slips of the keyboard lie between two words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_FAR = 99


def distances(word: str, others: Sequence[str]) -> NDArray[np.int32]:
    """Edits that make each of `others` of `word`, shape (len(others),): a letter left out, put in, changed, or two swapped.

    Damerau ("A technique for computer detection and correction of spelling errors", 1964), in the restricted form: no
    letter is edited twice (optimal string alignment). All words are worked at once, column by column.
    """
    if not others:
        return np.zeros(0, dtype=np.int32)
    longest = max(map(len, others))
    letters = np.zeros((len(others), longest + 1), dtype=np.uint32)
    for row, other in enumerate(others):
        letters[row, : len(other)] = np.frombuffer(other.encode("utf-32-le"), dtype=np.uint32)
    own = np.frombuffer(word.encode("utf-32-le"), dtype=np.uint32)
    before = np.full((longest + 1, len(others)), _FAR, dtype=np.int32)
    last = np.repeat(np.arange(longest + 1, dtype=np.int32)[:, None], len(others), axis=1)
    for i, letter in enumerate(own):
        now = np.empty_like(last)
        now[0] = i + 1
        for j in range(1, longest + 1):
            changed = last[j - 1] + (letters[:, j - 1] != letter)
            now[j] = np.minimum(np.minimum(now[j - 1], last[j]) + 1, changed)
            if i and j > 1:
                swapped = (letters[:, j - 2] == letter) & (letters[:, j - 1] == own[i - 1])
                now[j] = np.where(swapped, np.minimum(now[j], before[j - 2] + 1), now[j])
        before, last = last, now
    lengths = np.array([len(other) for other in others])
    return last[lengths, np.arange(len(others))]
