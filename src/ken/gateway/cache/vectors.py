"""The vectors of the questions whose answers are kept, in memory: those near a question, within one key space."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numkong
import numpy as np
from numpy.typing import NDArray

_ROOM = 64
_ROUNDING = 0.01
"""What int8 may take from a cosine, with a margin: who is found by it is compared exactly."""


@dataclass(slots=True)
class _Space:
    """Rows [0, size) are in use."""

    vectors: NDArray[np.int8]
    scales: NDArray[np.float32]
    """Of each row: its vector times this has length 1."""
    ids: NDArray[np.int64]
    size: int = 0


class QuestionVectors:
    """Every vector of a space is compared, 100,000 of 384 numbers in some 2 ms. Not safe for threads: its owner has a lock."""

    def __init__(self) -> None:
        self._spaces: dict[str, _Space] = {}
        self._places: dict[int, tuple[str, int]] = {}

    def __len__(self) -> int:
        return len(self._places)

    def add(self, answer: int, space: str, *, vector: NDArray[np.floating]) -> None:
        """Take the vector of an answer's question, of any length but 0; one that is known already stays."""
        if answer in self._places:
            return
        held = self._spaces.get(space)
        if held is None:
            held = self._spaces[space] = _Space(
                np.zeros((_ROOM, len(vector)), np.int8), np.zeros(_ROOM, np.float32), np.zeros(_ROOM, np.int64)
            )
        if held.size == len(held.ids):
            held.vectors = np.concatenate([held.vectors, np.zeros_like(held.vectors)])
            held.scales = np.concatenate([held.scales, np.zeros_like(held.scales)])
            held.ids = np.concatenate([held.ids, np.zeros_like(held.ids)])
        exact = vector.astype(np.float32)
        step = float(np.abs(exact).max()) / 127
        held.vectors[held.size] = np.rint(exact / step)
        held.scales[held.size] = step
        held.ids[held.size] = answer
        self._places[answer] = (space, held.size)
        held.size += 1

    def has_any(self, space: str) -> bool:
        """Whether there are questions in a space."""
        return space in self._spaces

    def remove(self, answers: Collection[int]) -> None:
        """Forget answers; those that aren't known are passed over."""
        for answer in answers:
            space, at = self._places.pop(answer, ("", -1))
            held = self._spaces.get(space)
            if held is None:
                continue
            last = held.size - 1
            if at != last:
                held.vectors[at], held.scales[at], held.ids[at] = held.vectors[last], held.scales[last], held.ids[last]
                self._places[int(held.ids[at])] = (space, at)
            held.size = last
            if not last:
                del self._spaces[space]

    def keep(self, answers: Collection[int]) -> None:
        """Forget all others."""
        self.remove([answer for answer in self._places if answer not in answers])

    def near(self, space: str, vector: NDArray[np.float32], *, least: float, limit: int) -> list[int]:
        """The answers of a space whose questions may have a cosine of `least` or more with this one of length 1.

        At most `limit` of them, the nearest first as far as int8 tells.
        """
        held = self._spaces.get(space)
        if held is None:
            return []
        step = np.float32(np.abs(vector).max() / 127)
        question = np.rint(vector[None] / step).astype(np.int8)
        products = np.asarray(numkong.cdist(question, held.vectors[: held.size], "dot"))[0]
        cosines = products * held.scales[: held.size] * step
        found = np.flatnonzero(cosines >= least - _ROUNDING)
        best = found[np.argsort(-cosines[found], kind="stable")[:limit]]
        ids: list[int] = held.ids[best].tolist()
        return ids
