"""The order in which one reads what is placed freely on a page or slide: recursive XY-cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

_MOST_CUT = 200
"""More are read row by row: no page that people read has as many."""


class Rectangle(NamedTuple):
    """A place; `y` grows downwards."""

    x: float = 0.0
    y: float = 0.0
    width: float = 0.0
    height: float = 0.0


def reading_order(places: Sequence[Rectangle], *, overlap: float, columns: float = 1.0) -> list[int]:
    """The indices of `places` in reading order.

    The places are cut in two at the widest gap that runs through between rows or between columns, and so is each part.
    So a caption stays with what is right below it, and a label with what is right beside it. Places that overlap by up
    to `overlap` still have a gap between them. Gaps between columns count `columns` times their width: less than 1 where
    what stands side by side has wide gaps anyhow.
    """
    return _Cutter(places, overlap, columns).ordered(list(range(len(places))))


@dataclass(frozen=True, slots=True)
class _Cutter:
    places: Sequence[Rectangle]
    overlap: float
    columns: float

    def ordered(self, chosen: list[int]) -> list[int]:
        if len(chosen) <= 1:
            return chosen
        by_rows, row_gap, above = _widest_gap(self.places, chosen, axis=1)
        by_columns, column_gap, left = _widest_gap(self.places, chosen, axis=0)
        column_gap *= self.columns if column_gap > 0 else 1
        if len(chosen) > _MOST_CUT or max(row_gap, column_gap) < -self.overlap:
            return sorted(chosen, key=lambda index: (self.places[index].y, self.places[index].x))
        parts, cut = (by_rows, above) if row_gap >= column_gap else (by_columns, left)
        return self.ordered(parts[:cut]) + self.ordered(parts[cut:])


def _widest_gap(places: Sequence[Rectangle], chosen: list[int], *, axis: int) -> tuple[list[int], float, int]:
    """The chosen from left (axis 0) or top (axis 1), the widest gap between them, and how many are before it."""
    chosen = sorted(chosen, key=lambda index: places[index][axis])
    reached = places[chosen[0]][axis] + places[chosen[0]][axis + 2]
    widest, cut = float("-inf"), 1
    for position, index in enumerate(chosen[1:], start=1):
        gap = places[index][axis] - reached
        if gap > widest:
            widest, cut = gap, position
        reached = max(reached, places[index][axis] + places[index][axis + 2])
    return chosen, widest, cut
