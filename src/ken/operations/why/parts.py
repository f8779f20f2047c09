"""Takes a change apart over the values of a dimension: what changed within them, and what changed in how many of each there are.

The two are told apart as in E. M. Kitagawa, "Components of a difference between two rates", Journal of the American Statistical
Association 50, 1955: without that, a figure may worsen as a whole while it worsens nowhere (Simpson's paradox).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ken.domain.figures import Point


@dataclass(frozen=True, slots=True)
class Part:
    """What one value of a dimension adds to a change, in the figure's own unit."""

    value: str
    within: float
    """As the figure changed among those questions."""
    mix: float
    """As there were more or fewer of them."""
    weight: float
    """Their share of all questions, before and after taken together."""


@dataclass(frozen=True, slots=True)
class Parts:
    """A change, taken apart: `within` and `mix` add up to `total`."""

    total: float
    within: float
    mix: float
    parts: tuple[Part, ...]
    """The one that adds most first."""

    def share(self, part: Part) -> float:
        """How much of the whole change is within one part."""
        return part.within / self.total if self.total else 0.0

    @property
    def mix_share(self) -> float:
        """How much of the whole change comes from the mix."""
        return self.mix / self.total if self.total else 0.0


def apart(before: Mapping[str, Point], after: Mapping[str, Point]) -> Parts:
    """Take the change between two times apart. Points are means or shares, with the observations that they are over."""
    total_before = sum(point.count for point in before.values()) or 1
    total_after = sum(point.count for point in after.values()) or 1
    rows: list[tuple[str, float, float, float, float]] = []
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        old_weight = old.count / total_before if old else 0.0
        new_weight = new.count / total_after if new else 0.0
        old_value = old.value if old and old.value is not None else new.value if new else None
        new_value = new.value if new and new.value is not None else old_value
        if old_value is not None and new_value is not None:
            rows.append((name, old_weight, new_weight, old_value, new_value))
    middle = sum((old_w + new_w) / 2 * (old + new) / 2 for _, old_w, new_w, old, new in rows)
    parts = [
        Part(
            value=name,
            within=(old_w + new_w) / 2 * (new - old),
            mix=(new_w - old_w) * ((old + new) / 2 - middle),
            weight=(old_w + new_w) / 2,
        )
        for name, old_w, new_w, old, new in rows
    ]
    within, mix = sum(part.within for part in parts), sum(part.mix for part in parts)
    return Parts(within + mix, within, mix, tuple(sorted(parts, key=lambda part: -abs(part.within))))
