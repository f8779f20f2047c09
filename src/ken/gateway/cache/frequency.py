"""How often questions are asked, in a few bytes each: who gets a place in a full cache.

TinyLFU (Einziger, Friedman and Manes, ACM Transactions on Storage 13(4), 2017): a count-min sketch whose counts are halved from
time to time, so that what was asked often last month gives way to what is asked often now.
"""

from __future__ import annotations

import numpy as np

_ROWS = 4
_WIDTH_OF_A_QUESTION = 8
_MOST = 255
_SAMPLE = 10
"""Questions counted between two halvings, for each place in the cache."""


class Frequencies:
    """Counts of names that are hexadecimal digits of a hash, 32 or more; never less than the truth since the last halving."""

    def __init__(self, places: int) -> None:
        width = 1 << max(10, (places * _WIDTH_OF_A_QUESTION - 1).bit_length())
        self._mask = width - 1
        self._counts = np.zeros((_ROWS, width), np.uint8)
        self._room = self._sample = max(places, 1) * _SAMPLE

    def add(self, name: str, times: int = 1) -> None:
        """Count a question that was asked."""
        for row, place in enumerate(self._at(name)):
            self._counts[row, place] = min(int(self._counts[row, place]) + times, _MOST)
        self._room -= 1
        if self._room <= 0:
            self._counts >>= 1
            self._room = self._sample

    def of(self, name: str) -> int:
        """About how often it was asked."""
        return min(int(self._counts[row, place]) for row, place in enumerate(self._at(name)))

    def _at(self, name: str) -> list[int]:
        return [int(name[8 * row : 8 * row + 8], 16) & self._mask for row in range(_ROWS)]
