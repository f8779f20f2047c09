"""Quantiles of a stream within a relative error, in sketches that can be added up: DDSketch.

Masson, Rim, Lee: DDSketch: A Fast and Fully-Mergeable Quantile Sketch with Relative-Error Guarantees, VLDB 2019
(arXiv:1908.10693): bins grow by gamma = (1 + alpha) / (1 - alpha) (section 2.1), the lowest ones collapse where there
are too many (section 2.2, algorithm 3).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ken.errors import InvalidInput

ALPHA = 0.01
"""A quantile is at most so far from the exact one, as a share of it."""
MOST_BINS = 2_048
"""Enough for values that lie 17 powers of ten apart."""
LEAST = 1e-9
"""What is smaller counts as zero."""

GAMMA = (1 + ALPHA) / (1 - ALPHA)
_PER_LOG = 1 / math.log(GAMMA)
_MIDDLE = 2 / (1 + GAMMA)
_FURTHEST = 32_000
_HEAD = struct.Struct("<BHHqqd")
_ONE = struct.Struct("<BHHqqdhb")
_WIDTHS = {1: np.dtype("<i1"), 2: np.dtype("<i2"), 4: np.dtype("<i4"), 8: np.dtype("<i8")}
_LETTERS = {1: "b", 2: "h", 4: "i", 8: "q"}
_Numbers = NDArray[Any]
_OFFSET = 1 << 16
"""Makes keys of bins that are in the order of the values: negative ones below 0, positive ones above."""
_BIN = np.dtype("<i2")


class Sketch:
    """How often values fell into each bin; their number and their sum exactly.

    Counts may be taken away again (`merge` with -1), which leaves the sketch as if they had never been added.
    """

    __slots__ = ("_negative", "_positive", "count", "total", "zeros")

    def __init__(self) -> None:
        self.count = 0
        self.total = 0.0
        self.zeros = 0
        self._positive: dict[int, int] = {}
        self._negative: dict[int, int] = {}

    def add(self, value: float, times: int = 1) -> None:
        """Count a value. Raises InvalidInput for what is no number, or an infinite one."""
        if not math.isfinite(value):
            raise InvalidInput(f"A sketch can't count {value!r}: give it finite numbers.")
        self.count += times
        self.total += value * times
        if -LEAST < value < LEAST:
            self.zeros += times
            return
        bins, size = (self._positive, value) if value > 0 else (self._negative, -value)
        at = min(_FURTHEST, math.ceil(math.log(size) * _PER_LOG))
        bins[at] = bins.get(at, 0) + times
        if len(bins) > MOST_BINS:
            _collapse(bins)

    def merge(self, other: Sketch, times: int = 1) -> None:
        """Add what another one counted; with -1, take it away."""
        self.count += other.count * times
        self.total += other.total * times
        self.zeros += other.zeros * times
        _add_up(self._positive, other._positive, times)
        if other._negative:
            _add_up(self._negative, other._negative, times)

    def __bool__(self) -> bool:
        return bool(self.count or self.zeros or self.total or self._positive or self._negative)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Sketch)
            and (self.count, self.zeros, self._positive, self._negative)
            == (other.count, other.zeros, other._positive, other._negative)
            and math.isclose(self.total, other.total, rel_tol=1e-9, abs_tol=1e-9)
        )

    __hash__ = None  # type: ignore[assignment]

    @property
    def mean(self) -> float | None:
        """Exactly; None of nothing."""
        return self.total / self.count if self.count > 0 else None

    @property
    def greatest(self) -> float | None:
        """The greatest value, within the relative error; None of nothing."""
        return self.quantile(1.0)

    def quantile(self, share: float) -> float | None:
        """The value of rank share * (count - 1), within `ALPHA` of it; None of nothing (algorithm 2)."""
        ordered = [
            *((-_value(at), count) for at, count in sorted(self._negative.items(), reverse=True)),
            (0.0, self.zeros),
            *((_value(at), count) for at, count in sorted(self._positive.items())),
        ]
        known = [(value, count) for value, count in ordered if count > 0]
        rank = share * (sum(count for _, count in known) - 1)
        passed = 0
        for value, count in known:
            passed += count
            if passed > rank:
                return value
        return None

    def above(self, limit: float) -> int:
        """How many of the values are greater than a limit, as far as the bins tell."""
        over = sum(count for at, count in self._positive.items() if _value(at) > limit)
        if limit < 0:
            over += self.zeros + sum(count for at, count in self._negative.items() if -_value(at) > limit)
        return max(0, over)

    def to_bytes(self) -> bytes:
        """As it is stored: 29 bytes and some three more for each bin."""
        if self.count == 1 and len(self._positive) == 1 and not self._negative and not self.zeros:
            [(at, times)] = self._positive.items()  # what most sketches of one question are
            if times == 1:
                return _ONE.pack(1, 1, 0, 0, 1, self.total, at, 1)
        ordered = sorted(self._positive.items()) + sorted(self._negative.items())
        counts = [count for _, count in ordered]
        furthest = max(map(abs, counts), default=0)
        width = 1 if furthest < 1 << 7 else 2 if furthest < 1 << 15 else 4 if furthest < 1 << 31 else 8
        head = _HEAD.pack(width, len(self._positive), len(self._negative), self.zeros, self.count, self.total)
        length = len(ordered)
        return head + struct.pack(f"<{length}h{length}{_LETTERS[width]}", *(at for at, _ in ordered), *counts)

    @classmethod
    def from_bytes(cls, data: bytes) -> Sketch:
        """What `to_bytes` wrote."""
        return cls.pooled((data,))

    @classmethod
    def pooled(cls, many: Iterable[bytes]) -> Sketch:
        """One sketch of many stored ones: faster than to read and to merge them one by one."""
        whole = cls()
        bins: list[list[np.ndarray]] = [[], []]
        counts: list[list[np.ndarray]] = [[], []]
        for data in many:
            width, positive, negative, zeros, count, total = _HEAD.unpack_from(data)
            whole.zeros += zeros
            whole.count += count
            whole.total += total
            length = positive + negative
            at = np.frombuffer(data, _BIN, length, _HEAD.size)
            of = np.frombuffer(data, _WIDTHS[width], length, _HEAD.size + length * _BIN.itemsize)
            if positive:
                bins[0].append(at[:positive])
                counts[0].append(of[:positive])
            if negative:
                bins[1].append(at[positive:])
                counts[1].append(of[positive:])
        whole._positive = _summed(bins[0], counts[0])
        whole._negative = _summed(bins[1], counts[1])
        return whole


class Spread:
    """What stored sketches say together, read once and asked as often as one likes: a view asks some thousands."""

    __slots__ = ("_many", "_ranks", "count", "total")

    def __init__(self, many: Sequence[bytes]) -> None:
        self.count = 0
        self.total = 0.0
        self._many = many
        self._ranks: tuple[_Numbers, _Numbers] | None = None
        for data in many:
            _, _, _, _, count, total = _HEAD.unpack_from(data)
            self.count += count
            self.total += total

    @property
    def mean(self) -> float | None:
        """Exactly; None of nothing."""
        return self.total / self.count if self.count > 0 else None

    def above(self, limit: float) -> int:
        """As `Sketch.above`."""
        keys, passed = self._ranked()
        values = np.sign(keys) * np.exp((np.abs(keys) - _OFFSET) / _PER_LOG) * _MIDDLE
        return int(np.diff(passed, prepend=0.0)[values > limit].sum())

    def quantile(self, share: float) -> float | None:
        """As `Sketch.quantile`."""
        keys, passed = self._ranked()
        if not passed.size or passed[-1] < 1:
            return None
        at = int(passed.searchsorted(share * (passed[-1] - 1), side="right"))
        key = int(keys[min(at, keys.size - 1)])
        return 0.0 if key == 0 else _value(key - _OFFSET) if key > 0 else -_value(-key - _OFFSET)

    def _ranked(self) -> tuple[_Numbers, _Numbers]:
        """Bins in the order of their values, and how many values lie in each and all before."""
        if self._ranks is None:
            self._ranks = _ranks(self._many)
        return self._ranks


def _ranks(many: Sequence[bytes]) -> tuple[_Numbers, _Numbers]:
    keys: list[_Numbers] = []
    counts: list[_Numbers] = []
    zeros = 0
    for data in many:
        width, positive, negative, none, _, _ = _HEAD.unpack_from(data)
        zeros += none
        length = positive + negative
        at = np.frombuffer(data, _BIN, length, _HEAD.size).astype(np.int64) + _OFFSET
        if negative:
            at[positive:] *= -1
        keys.append(at)
        counts.append(np.frombuffer(data, _WIDTHS[width], length, _HEAD.size + length * _BIN.itemsize))
    if zeros:
        keys.append(np.zeros(1, np.int64))
        counts.append(np.array([zeros]))
    if not keys:
        return np.zeros(0, np.int64), np.zeros(0)
    if len(keys) == 1 and not (keys[0].size and keys[0][-1] < 0):
        return keys[0], np.maximum(counts[0], 0).cumsum(dtype=np.float64)
    together = np.concatenate(keys)
    least = int(together.min()) if together.size else 0
    sums = np.bincount(together - least, weights=np.concatenate(counts).astype(np.float64))
    present = np.flatnonzero(sums > 0)
    return present + least, sums[present].cumsum()


def _add_up(own: dict[int, int], theirs: dict[int, int], times: int) -> None:
    for at, count in theirs.items():
        left = own.get(at, 0) + count * times
        if left:
            own[at] = left
        else:
            own.pop(at, None)
    if len(own) > MOST_BINS:
        _collapse(own)


def _summed(bins: list[np.ndarray], counts: list[np.ndarray]) -> dict[int, int]:
    if not bins:
        return {}
    if len(bins) == 1:
        return dict(zip(bins[0].tolist(), counts[0].tolist(), strict=True))
    at = np.concatenate(bins).astype(np.int64)
    least = int(at.min())
    # Counts stay exact: float64 holds integers up to 2 ** 53.
    sums = np.bincount(at - least, weights=np.concatenate([count.astype(np.float64) for count in counts]))
    present = np.flatnonzero(sums)
    found = dict(zip((present + least).tolist(), sums[present].astype(np.int64).tolist(), strict=True))
    if len(found) > MOST_BINS:
        _collapse(found)
    return found


def _value(at: int) -> float:
    """The value that is within ALPHA of every other one of a bin (gamma ** (at - 1), gamma ** at]."""
    return math.exp(at / _PER_LOG) * _MIDDLE


def _collapse(bins: dict[int, int]) -> None:
    """Put the lowest bins together until there are not too many."""
    surplus = sorted(bins)[: len(bins) - MOST_BINS + 1]
    together = sum(bins.pop(at) for at in surplus)
    bins[surplus[-1]] = together
