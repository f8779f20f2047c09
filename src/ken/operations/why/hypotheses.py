"""Looks at a window of time and orders what may have been the cause. It says what it saw, and never that it was so.

For every figure that is watched: did it move (`change.py`), when did that begin, is it within one value of a dimension or in the
mix (`parts.py`), what else moved later that it can explain (`watched.py`), and what did people do just before.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ken.domain.alert import Happening
from ken.domain.figures import Figures, Point
from ken.operations.why.change import HOUR_S, Change, OfShares, OfValues, change, is_enough, usual
from ken.operations.why.parts import Parts, apart
from ken.operations.why.watched import AFTER_SYNC, INFLUENCES, MIXES, WATCHED, Watched, can_move

DAY_S = 86_400.0
_HISTORY_S = 8 * DAY_S
_BEFORE_S = 1.5 * DAY_S
"""Minutes are kept for two days: so far back the noise of fine steps can be seen."""
_STEPS_S = (300, 900, 1800, 3600, 3 * 3600, 6 * 3600)
_MOST_STEPS = 1_000
"""Of one series: a longer window is looked at in longer steps."""
_LEAST_IN_STEP = 8.0
"""Observations in a step, on average, below which steps are made longer."""
_LEAST_CHANGE = 0.08
_LEAST_SWELL = 0.4
"""The same of how many there were: questions come as they like."""
_LEAST_STRENGTH = 6.0
_FEW = 20
"""Observations since a change began, below which nothing is said of it."""
_NARROW = 0.6
"""The share of a change that one value has to explain, to be named."""
_LIFT = 0.2
"""By how much more than its share of the questions."""
_EXPLAINED = 0.3
"""What is left of the score of something that another figure explains, which moved before it."""
_MARKER_S = 1800.0
_COUNTED = frozenset({"count", "peak"})
_SURE = 100
_LEAST_NOISE = 0.2
"""Of how many there were, in logarithms: a fifth more or less is nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The time that is asked about, seconds since the epoch, and what an alert about it looked at."""

    since: float
    until: float
    about: frozenset[str] = frozenset()
    """Names of figures; empty: whatever moved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A figure that moved; of everything, or of one value of a dimension."""

    metric: str
    """Its name; `mix:tier` for how questions spread over tiers."""
    told: str
    dimension: str = ""
    value: str = ""
    change: Change
    step_s: int
    """How finely its time is known."""

    @property
    def subject(self) -> str:
        """What moved, in words."""
        if self.metric.startswith("mix:"):
            return f"the share of questions with {self.dimension} {self.value or 'none'}"
        if self.dimension == "stage":
            return f"the time of the stage {self.value}"
        return f"{self.told} ({self.dimension} {self.value or 'none'})" if self.dimension else self.told


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """Something that moved first, and what speaks for it."""

    moved: Moved
    score: float
    """Orders hypotheses; it is no probability."""
    explains: float
    """The share of all else that moved that it can explain, weighted by how far that moved."""
    within: float | None
    """Of the change as a whole, the share within this value; None where it is of everything."""
    mix: float
    """Of the change as a whole, the share that comes from another mix of questions."""
    marker: Happening | None
    """What people did just before."""
    follows: tuple[Moved, ...]
    """What moved later, or at the same time, and can be its consequence; in the order of time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What is said of a window."""

    window: Window
    hypotheses: tuple[Hypothesis, ...]
    """The likeliest first; empty: nothing moved."""
    moved: tuple[Moved, ...]
    """Everything that moved, in the order of time."""
    happenings: tuple[Happening, ...]
    """What people did in the window and shortly before."""
    asked: int
    """Questions in the window."""
    hours_before: int
    """Of the eight days before the window, the hours with questions."""
    is_compared: bool
    """Whether of a figure enough was counted before the window, and something within it; if not, nothing can be said."""


def explain(figures: Figures, window: Window, *, happenings: Sequence[Happening] = (), most: int = 10) -> Explanation:
    """Look at a window. Raises what the figures raise."""
    look = Look(figures, window)
    moved = sorted(look.all_moved(), key=lambda each: (each.change.at, -each.change.strength))
    near = tuple(each for each in happenings if window.since - _MARKER_S <= each.at < window.until and each.begins)
    telling = [one for name in dict.fromkeys(each.metric for each in moved) for one in _telling(name, moved, look)]
    found = [_hypothesis(one, among=[other.moved for other in telling], near=near) for one in telling]
    told = sorted((_about(each, window.about) for each in found), key=lambda each: -each.score)
    return Explanation(
        window=window,
        hypotheses=tuple(told[:most]),
        moved=tuple(moved),
        happenings=near,
        asked=look.asked,
        hours_before=look.hours_before(),
        is_compared=look.compared > 0,
    )


class Look:
    """One look at a window."""

    def __init__(self, figures: Figures, window: Window) -> None:
        self._figures = figures
        self._window = window
        asked = figures.whole("questions", since=window.since, until=window.until)
        self.asked = sum(point.count for point in asked.values())
        self.compared = 0
        """Figures of which enough is known to say whether they moved."""
        self._rate = self.asked / max(window.until - window.since, 1.0)

    def hours_before(self) -> int:
        """The hours with questions before the window, as far back as is looked."""
        found = self._figures.series("questions", since=self._hour - _HISTORY_S, until=self._window.since, step_s=3600)
        return sum(point.count > 0 for point in found.get("", ()))

    def all_moved(self) -> Iterator[Moved]:
        """Everything that moved for the worse, as a whole and within values of dimensions."""
        for watched in WATCHED:
            for dimension in ("", *watched.by):
                if not (watched.name == "stage_ms" and not dimension):
                    yield from self._moved(watched, dimension)
        for dimension in MIXES:
            yield from self._mix(dimension)

    def apart(self, moved: Moved, dimension: str) -> Parts:
        """The change since something moved, against the day before, over the values of a dimension."""
        metric = next(each.added for each in WATCHED if each.name == moved.metric)
        begins = moved.change.at
        before = self._figures.whole(metric, since=begins - DAY_S, until=begins, by=dimension)
        return apart(before, self._figures.whole(metric, since=begins, until=self._window.until, by=dimension))

    def _moved(self, watched: Watched, dimension: str) -> Iterator[Moved]:
        name, by = watched.metric, dimension
        coarse = self._figures.series(name, since=self._hour - _HISTORY_S, until=self._hour, step_s=3600, by=by)
        step = self._step(coarse, watched, by)
        fine = self._figures.series(name, since=self._start(step), until=self._window.until, step_s=step, by=by)
        for value, series in fine.items():
            if value or not dimension:
                yield from self._judged(
                    watched, coarse.get(value, ()), series, dimension=dimension, value=value, step=step
                )

    def _mix(self, dimension: str) -> Iterator[Moved]:
        """The share of each value among the questions."""
        watched = Watched(metric=f"mix:{dimension}", told="", kind="share")
        coarse = _shares(
            self._figures.series(
                "questions", since=self._hour - _HISTORY_S, until=self._hour, step_s=3600, by=dimension
            )
        )
        step = next((each for each in self._steps if self._rate * each >= 2 * _LEAST_IN_STEP), _STEPS_S[-1])
        fine = _shares(
            self._figures.series(
                "questions", since=self._start(step), until=self._window.until, step_s=step, by=dimension
            )
        )
        for value, series in fine.items():
            if value:
                yield from self._judged(
                    watched, coarse.get(value, ()), series, dimension=dimension, value=value, step=step
                )

    def _judged(
        self,
        watched: Watched,
        coarse: Sequence[Point],
        series: Sequence[Point],
        *,
        dimension: str,
        value: str,
        step: int,
    ) -> Iterator[Moved]:
        if watched.kind in _COUNTED:
            coarse = _in_logarithms(coarse, step / HOUR_S if watched.kind == "count" else 1.0)
            series = _in_logarithms(series, 1.0)
        is_share = watched.kind == "share"
        normal = usual(coarse, is_share=is_share)
        if normal is None:
            return
        before = [point for point in series if point.at + step <= self._window.since]
        during = [point for point in series if point.at + step > self._window.since]
        noise = OfShares() if is_share else OfValues(_LEAST_NOISE) if watched.kind in _COUNTED else OfValues()
        self.compared += watched.kind not in _COUNTED and is_enough(before) and any(point.count for point in during)
        found = change(before, during, normal=normal, noise=noise)
        if found is not None and watched.kind in _COUNTED:
            found = replace(found, before=math.expm1(found.before), after=math.expm1(found.after))
        if found is not None and _matters(found, watched):
            yield Moved(
                metric=watched.metric if watched.metric.startswith("mix:") else watched.name,
                told=watched.told,
                dimension=dimension,
                value=value,
                change=found,
                step_s=step,
            )

    @property
    def _steps(self) -> tuple[int, ...]:
        """The steps that are short enough to tell when something began, and not too many for the window."""
        length = self._window.until - self._window.since + _BEFORE_S
        return tuple(each for each in _STEPS_S if length / each <= _MOST_STEPS) or _STEPS_S[-1:]

    @property
    def _hour(self) -> float:
        return self._window.since // HOUR_S * HOUR_S

    def _start(self, step: int) -> float:
        """Where fine steps begin: on the step's own grid."""
        return math.floor((self._window.since - max(_BEFORE_S, 10 * step)) / step) * step

    def _step(self, coarse: Mapping[str, Sequence[Point]], watched: Watched, by: str) -> int:
        """The shortest step in which the figure is usually seen often enough."""
        if watched.kind in _COUNTED:
            return max(1800, self._steps[0])
        since, until = self._window.since, self._window.until
        lately = sum(point.count for series in coarse.values() for point in series if point.at >= self._hour - DAY_S)
        during = self._figures.whole(watched.metric, since=since, until=until, by=by)
        now = sum(point.count for point in during.values()) / max(until - since, 1.0)
        a_second = max(lately / DAY_S, now) / max(1, len(coarse))
        return next((each for each in self._steps if a_second * each >= _LEAST_IN_STEP), _STEPS_S[-1])


def _matters(found: Change, watched: Watched) -> bool:
    is_worse = watched.metric.startswith("mix:") or found.is_up == (watched.worse == "up")
    enough = found.count >= _FEW or watched.kind in _COUNTED
    least = _LEAST_SWELL if watched.kind in _COUNTED else _LEAST_CHANGE
    far = abs(found.after - found.before) >= watched.least
    return is_worse and enough and far and abs(found.share) >= least and found.strength >= _LEAST_STRENGTH


@dataclass(frozen=True, slots=True)
class _Telling:
    """Of one figure what tells most: itself, or the value that its change is within."""

    moved: Moved
    within: float | None = None
    mix: float = 0.0


def _telling(metric: str, moved: Sequence[Moved], look: Look) -> list[_Telling]:
    own = [each for each in moved if each.metric == metric]
    if metric == "stage_ms":
        return [_Telling(each) for each in own]
    if metric.startswith("mix:"):
        rising = [each for each in own if each.change.is_up]
        return [_Telling(max(rising, key=_distance))] if rising else []
    whole = next((each for each in own if not each.dimension), None)
    best, lift, mix = None, _LIFT, 0.0
    for dimension in dict.fromkeys(each.dimension for each in own if each.dimension):
        parts = look.apart(whole or max(own, key=_strength), dimension)
        mix = max(mix, parts.mix_share)
        for part in parts.parts:
            share = parts.share(part)
            slice_ = next((each for each in own if (each.dimension, each.value) == (dimension, part.value)), None)
            if slice_ is not None and share >= _NARROW and share - part.weight > lift:
                best, lift = _Telling(slice_, within=share), share - part.weight
    if best is not None:
        return [replace(best, mix=mix)]
    return [_Telling(whole or max(own, key=_strength), mix=mix)]


def _hypothesis(one: _Telling, *, among: Sequence[Moved], near: Sequence[Happening]) -> Hypothesis:
    moved, others = one.moved, [each for each in among if each is not one.moved]
    slack = _slack(moved)
    follows = [each for each in others if _comes_of(moved, each)]
    all_weight = sum(map(_weight, others))
    explains = sum(map(_weight, follows)) / all_weight if all_weight else 0.0
    is_explained = any(_comes_of(each, moved) for each in others)
    first = min(each.change.at for each in among)
    early = 1.0 if moved.change.at <= first + slack else 1 / (1 + (moved.change.at - first) / HOUR_S)
    strongest = max(map(_weight, among))
    marker = _marker(moved, near)
    score = 0.4 * _weight(moved) / strongest + 0.35 * explains + 0.2 * early + 0.05 * (marker is not None)
    if is_explained or one.mix >= _NARROW:
        score *= _EXPLAINED
    return Hypothesis(
        moved=moved,
        score=score,
        explains=explains,
        within=one.within,
        mix=one.mix,
        marker=marker,
        follows=tuple(sorted(follows, key=lambda each: each.change.at)),
    )


def _about(hypothesis: Hypothesis, about: frozenset[str]) -> Hypothesis:
    """One that can't be what the alert is about counts less."""
    reach = {hypothesis.moved.metric, *(each.metric for each in hypothesis.follows)}
    reach |= INFLUENCES.get(hypothesis.moved.metric, frozenset())
    return hypothesis if not about or about & reach else replace(hypothesis, score=hypothesis.score / 2)


def _explains(cause: Moved, effect: Moved) -> bool:
    """Whether one can be the consequence of the other."""
    return can_move(cause.metric, effect.metric, cause_value=cause.value, effect_value=effect.value)


def _comes_of(cause: Moved, effect: Moved) -> bool:
    """Whether one may be the other's consequence, by its time, too. Of two that can be each other's, the stronger is the cause."""
    slack = max(_slack(cause), _slack(effect))
    if not _explains(cause, effect) or effect.change.at < cause.change.at - slack:
        return False
    is_mutual = _explains(effect, cause) and cause.change.at >= effect.change.at - slack
    return not is_mutual or _rank(cause) > _rank(effect)


def _rank(moved: Moved) -> tuple[float, str, str]:
    return _strength(moved), moved.metric, moved.value


def _marker(moved: Moved, near: Sequence[Happening]) -> Happening | None:
    """What people did last before it began, of what can have moved it."""
    begins, slack = moved.change.at, _slack(moved)
    able = [
        each
        for each in near
        if begins - _MARKER_S <= each.at <= begins + slack
        and moved.metric in (AFTER_SYNC if each.kind == "index_updated" else INFLUENCES)
        and (each.kind == "index_updated" or (each.kind == "deployed" and moved.metric != "questions"))
    ]
    return min(able, key=lambda each: abs(each.at - begins), default=None)


def _slack(moved: Moved) -> float:
    """How far the time that it began is from being known."""
    return 2.0 * moved.step_s


def _strength(moved: Moved) -> float:
    return moved.change.strength


def _weight(moved: Moved) -> float:
    return math.log1p(moved.change.strength) * min(1.0, 0.3 + abs(moved.change.share))


def _distance(moved: Moved) -> float:
    return moved.change.after - moved.change.before


def _in_logarithms(points: Sequence[Point], scale: float) -> list[Point]:
    """How many there were, on a scale on which a busy hour's noise is no greater than a quiet one's."""
    return [
        replace(point, value=None if point.value is None else math.log1p(point.value * scale), count=_SURE)
        for point in points
    ]


def _shares(series: Mapping[str, Sequence[Point]]) -> dict[str, list[Point]]:
    """Of each step the share of each value, over all values."""
    whole: dict[float, int] = {}
    for points in series.values():
        for point in points:
            whole[point.at] = whole.get(point.at, 0) + point.count
    return {
        value: [
            Point(point.at, point.count / whole[point.at] if whole[point.at] else None, whole[point.at])
            for point in points
        ]
        for value, points in series.items()
    }
