"""What rules read, each figure once: those of short windows at every look, those of long ones now and then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ken.domain.figures import Figures, Point
from ken.operations.alerts.expression import Expression

_STEP_S = 60
_LONG_S = 6 * 3600
"""From this window on, a minute more or less changes nothing."""
_PART = 60
"""A long window is read anew when so much of it has passed."""
_MOST_KEPT = 2000

_Key = tuple[str, float, float, str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class Looked:
    """The figures of one expression for one label over one window."""

    label: str
    points: Mapping[str, Point]
    """By the name of the figure."""
    limit: float | None = None

    def __call__(self, name: str) -> float | None:
        """The value of a figure, or of the rule's limit."""
        if name == "limit":
            return self.limit
        point = self.points.get(name)
        return None if point is None else point.value

    @property
    def count(self) -> int:
        """The observations behind the first figure."""
        return next((point.count for point in self.points.values()), 0)


@dataclass(slots=True)
class Readings:
    """The figures as they are read by all rules of an engine."""

    figures: Figures
    now: float = 0.0
    _kept: dict[_Key, Mapping[str, Point]] = field(default_factory=dict[_Key, Mapping[str, Point]])
    _slow: dict[_Key, Mapping[str, Point]] = field(default_factory=dict[_Key, Mapping[str, Point]])

    def at(self, now: float) -> None:
        """Begin another look at a time: what was read for an earlier one is forgotten."""
        self._kept.clear()
        if abs(now - self.now) > _LONG_S:
            self._slow.clear()
        self.now = now

    def over(
        self, expression: Expression, *, window_s: int, ago_s: int = 0, by: str, where: Mapping[str, str]
    ) -> Iterable[Looked]:
        """The figures of an expression over a window that ended `ago_s` seconds ago, for each label that has any."""
        grain = _STEP_S if window_s < _LONG_S else max(_STEP_S, window_s // _PART // _STEP_S * _STEP_S)
        until = self.now - ago_s if grain == _STEP_S and not ago_s else (self.now - ago_s) // grain * grain
        since = (until - window_s) // grain * grain
        found = {
            name: self._whole(name, since, until, by, where, is_slow=window_s >= _LONG_S) for name in expression.names
        }
        labels = dict.fromkeys(label for points in found.values() for label in points)
        return [
            Looked(label, {name: points[label] for name, points in found.items() if label in points})
            for label in labels
        ]

    def between(
        self, expression: Expression, *, since: float, until: float, by: str, where: Mapping[str, str]
    ) -> Iterable[Looked]:
        """The same between two times."""
        found = {name: self._whole(name, since, until, by, where, is_slow=False) for name in expression.names}
        labels = dict.fromkeys(label for points in found.values() for label in points)
        return [
            Looked(label, {name: points[label] for name, points in found.items() if label in points})
            for label in labels
        ]

    def steps(
        self, expression: Expression, *, since: float, until: float, step_s: int, by: str, where: Mapping[str, str]
    ) -> Mapping[str, Sequence[tuple[float, float | None, int]]]:
        """Time, value and observations at each step, by label. Not kept: who asks for a long history keeps it."""
        found = {
            name: self.figures.series(name, since=since, until=until, step_s=step_s, by=by, where=where)
            for name in expression.names
        }
        told: dict[str, list[tuple[float, float | None, int]]] = {}
        for label in dict.fromkeys(label for series in found.values() for label in series):
            by_time: dict[float, dict[str, Point]] = {}
            for name, series in found.items():
                for point in series.get(label, ()):
                    by_time.setdefault(point.at, {})[name] = point
            told[label] = [
                (at, expression.value(looked := Looked(label, points)), looked.count)
                for at, points in sorted(by_time.items())
            ]
        return told

    def _whole(
        self, name: str, since: float, until: float, by: str, where: Mapping[str, str], *, is_slow: bool
    ) -> Mapping[str, Point]:
        key = (name, since, until, by, tuple(sorted(where.items())))
        kept = self._slow if is_slow else self._kept
        if key not in kept:
            if is_slow and len(kept) > _MOST_KEPT:
                kept.clear()
            kept[key] = self.figures.whole(name, since=since, until=until, by=by, where=where)
        return kept[key]
