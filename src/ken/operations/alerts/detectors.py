"""The tests of rules: each looks at its figures at one time and says of each label whether there is trouble.

Where there is too little to look at, nothing is said: a gap, a start, a label with three questions. That is neither trouble nor its end.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import assert_never

import numpy as np

from ken.domain.alert import Happening, HappeningKind
from ken.operations.alerts.baseline import HOUR_S, History, Learning
from ken.operations.alerts.expression import Expression, parse
from ken.operations.alerts.readings import Looked, Readings
from ken.operations.alerts.rule import (
    DAY_S,
    WEEK_S,
    AfterChange,
    Baseline,
    Before,
    Burn,
    Event,
    Finding,
    Pace,
    Rule,
    Runs,
    Threshold,
    Trend,
)

LOOKBACK_S = 32 * DAY_S
"""How far back what has happened is looked up: a month's budget lasts so long."""

_LEAST_BAD = 5.0
"""Fewer bad ones spend no error budget that is worth a message."""
_LEARN_EVERY_S = 6 * HOUR_S
_CLEAR = 0.6
"""Kendall's tau from which a series climbs."""
_LEAST_STEPS = 4
_SEEN_OPEN_S = 180
"""For so long a breaker is open because that was told; from then on, the gauge has to show one."""
_OPEN = parse("breakers_open.max")


@dataclass(slots=True)
class Sight:
    """What tests look at: the figures, what has happened, and what was learnt."""

    readings: Readings
    happenings: Sequence[Happening] = ()
    """Of the last `LOOKBACK_S`, oldest first."""
    learnt: dict[str, Learning] = field(default_factory=dict[str, Learning])
    """By the rule's name."""

    @property
    def now(self) -> float:
        """The time of this look."""
        return self.readings.now

    def last(self, kind: HappeningKind) -> dict[str, Happening]:
        """The newest of a kind, for each of whom it happened to."""
        return {each.of: each for each in self.happenings if each.kind == kind and each.at <= self.now}


def examine(rule: Rule, sight: Sight) -> list[Finding]:
    """What a rule's test finds, for each label there is something of."""
    match rule.test:
        case Threshold():
            return list(_threshold(rule, rule.test, sight))
        case Before():
            return list(_before(rule, rule.test, sight))
        case Baseline():
            return list(_baseline(rule, rule.test, sight))
        case Burn():
            return list(_burn(rule, rule.test, sight))
        case AfterChange():
            return list(_after_change(rule, rule.test, sight))
        case Event():
            return list(_event(rule.test, sight))
        case Runs():
            return list(_runs(rule.test, sight))
        case Trend():
            return list(_trend(rule, rule.test, sight))
        case _:
            assert_never(rule.test)


def _over(rule: Rule, expression: Expression, sight: Sight, *, window_s: int = 0, ago_s: int = 0) -> dict[str, Looked]:
    found = sight.readings.over(
        expression, window_s=window_s or rule.window_s, ago_s=ago_s, by=rule.by, where=rule.where
    )
    return {looked.label: looked for looked in found}


def _threshold(rule: Rule, test: Threshold, sight: Sight) -> Iterator[Finding]:
    for label, seen in _over(rule, test.when, sight).items():
        looked = Looked(label, seen.points, test.limits.get(label, test.limit))
        yield Finding(
            label=label,
            value=test.when.value(looked),
            expected=test.when.expected(looked),
            count=looked.count,
            holds=test.when.holds(looked) if looked.count >= rule.at_least else None,
        )


def _before(rule: Rule, test: Before, sight: Sight) -> Iterator[Finding]:
    earlier = _over(rule, test.metric, sight, ago_s=test.offset_s)
    for label, looked in _over(rule, test.metric, sight).items():
        then = earlier.get(label)
        value, expected = test.metric.value(looked), None if then is None else test.metric.value(then)
        holds = None
        if then is not None and value is not None and expected and min(looked.count, then.count) >= rule.at_least:
            holds = _gain(value, expected, up=test.direction == "up") > test.more_than
        yield Finding(label=label, value=value, expected=expected, count=looked.count, holds=holds)


def _baseline(rule: Rule, test: Baseline, sight: Sight) -> Iterator[Finding]:
    learning = _learnt(rule, test, sight)
    found: dict[str, tuple[float, Finding]] = {}
    for window_s in sorted({rule.window_s, *test.also_s}):
        seen = _over(rule, test.metric, sight, window_s=window_s)
        whole = sum(looked.count for looked in seen.values()) if test.of_all else 0
        for label, looked in seen.items():
            value, count = (looked.count / whole, whole) if whole else (test.metric.value(looked), looked.count)
            strays, finding = _against_usual(rule, test, learning, _Seen(label, value, count, sight.now, window_s))
            known = found.get(label)
            if known is None or (bool(finding.holds), strays) > (bool(known[1].holds), known[0]):
                found[label] = (strays, finding)
    for _, finding in found.values():
        yield finding


@dataclass(frozen=True, slots=True)
class _Seen:
    label: str
    value: float | None
    count: int
    now: float
    window_s: int


def _against_usual(rule: Rule, test: Baseline, learning: Learning, seen: _Seen) -> tuple[float, Finding]:
    """How far it strays in the direction that is looked at, and what is said of that."""
    usual, value = learning.usual.get(seen.label), seen.value
    if usual is None or value is None or seen.count < rule.at_least:
        return -math.inf, Finding(label=seen.label, value=value, expected=None, count=seen.count, holds=None)
    up = test.direction == "up"
    expected = usual.over(seen.now, window_s=seen.window_s)
    strays = usual.deviations(value, seen.now - min(seen.window_s, HOUR_S) / 2, expected=expected, count=seen.count)
    strays = strays if up else -strays
    far = expected > 0 and _gain(value, expected, up=up) > test.more_than
    told = f"{strays:.1f} deviations over {seen.window_s // 60} minutes"
    holds = far and strays > test.deviations
    return strays, Finding(label=seen.label, value=value, expected=expected, count=seen.count, holds=holds, told=told)


def _learnt(rule: Rule, test: Baseline, sight: Sight) -> Learning:
    """What is usual, brought up to the hour that no window reaches into."""
    learning = sight.learnt.setdefault(rule.name, Learning())
    now = sight.now
    until = (now - max(rule.window_s, *test.also_s, 0)) // HOUR_S * HOUR_S
    since = until - test.weeks * WEEK_S
    if learning.until > until + HOUR_S or until - learning.until > WEEK_S:
        learning = sight.learnt[rule.name] = Learning()  # the clock was set back, or nobody looked for long: read anew
    if until > learning.until:
        read = sight.readings.steps(
            test.metric, since=max(since, learning.until), until=until, step_s=HOUR_S, by=rule.by, where=rule.where
        )
        learning.extend(_shares(read) if test.of_all else read, since=since, until=until)
    if not 0 <= now - learning.learnt_at < _LEARN_EVERY_S:
        is_share = test.of_all or all(name.endswith("_rate") for name in test.metric.names)
        learning.learn(now, is_share=is_share, least_count=max(5, rule.at_least // 2))
    return learning


def _shares(read: Mapping[str, History]) -> dict[str, list[tuple[float, float | None, int]]]:
    """Each label's share of all labels, hour by hour."""
    whole: Counter[float] = Counter()
    own: dict[str, dict[float, int]] = {}
    for label, rows in read.items():
        own[label] = {at: count for at, _, count in rows}
        for at, _, count in rows:
            whole[at] += count
    return {
        label: [(at, rows.get(at, 0) / count, count) for at, count in sorted(whole.items()) if count]
        for label, rows in own.items()
    }


def _burn(rule: Rule, test: Burn, sight: Sight) -> Iterator[Finding]:
    allowed = 1 - test.objective
    worst: dict[str, Finding] = {}
    for pace in test.paces:
        for label, found in _at_pace(rule, test, sight, pace=pace, allowed=allowed):
            known = worst.get(label)
            if known is None or bool(found.holds) >= bool(known.holds):
                worst[label] = found if known is None or found.holds is not None else known
    yield from worst.values()


def _at_pace(rule: Rule, test: Burn, sight: Sight, *, pace: Pace, allowed: float) -> Iterator[tuple[str, Finding]]:
    short = _over(rule, test.bad, sight, window_s=pace.short_s)
    for label, looked in _over(rule, test.bad, sight, window_s=pace.long_s).items():
        bad = test.bad.value(looked)
        lately = short.get(label)
        bad_lately = None if lately is None else test.bad.value(lately)
        rate = None if bad is None else bad / allowed
        holds: bool | None = None
        if rate is not None and bad is not None and bad_lately is not None and looked.count >= rule.at_least:
            matters = rate > pace.rate and bad * looked.count >= _LEAST_BAD
            holds = matters and bad_lately / allowed > pace.rate
        told = f"over {pace.long_s // 60} and {pace.short_s // 60} minutes"
        yield label, Finding(label=label, value=rate, expected=pace.rate, count=looked.count, holds=holds, told=told)


def _after_change(rule: Rule, test: AfterChange, sight: Sight) -> Iterator[Finding]:
    changes = [each for each in sight.happenings if each.kind == test.after and each.at <= sight.now]
    if not changes or sight.now - changes[-1].at > test.within_s:
        return
    change, reading = changes[-1], sight.readings
    begun = math.ceil(change.at / 60) * 60.0
    if sight.now <= begun:
        return
    earlier = reading.between(
        test.metric, since=begun - 60 - test.within_s, until=begun - 60, by=rule.by, where=rule.where
    )
    before = {looked.label: looked for looked in earlier}
    since = reading.between(test.metric, since=begun, until=sight.now, by=rule.by, where=rule.where)
    for looked in since:
        then = before.get(looked.label)
        value, expected = test.metric.value(looked), None if then is None else test.metric.value(then)
        holds = None
        if value is not None and expected is not None and then and min(looked.count, then.count) >= rule.at_least:
            sign = 1 if test.direction == "up" else -1
            strays = sign * _z_of_shares(value, looked.count, expected, then.count)
            far = _gain(value, expected, up=sign > 0) > test.more_than if expected else value > 0
            holds = far and strays > test.deviations
        yield Finding(
            label=looked.label, value=value, expected=expected, count=looked.count, holds=holds, told=change.told
        )


def _event(test: Event, sight: Sight) -> Iterator[Finding]:
    for of, last in sight.last(test.event).items():
        is_on = last.begins and (last.until is None or sight.now < last.until)
        if is_on and test.event == "breaker" and sight.now - last.at > _SEEN_OPEN_S:
            is_on = _is_any_open(sight)
        yield Finding(label=of, value=last.value, expected=None, count=1, holds=is_on, told=last.told)


def _is_any_open(sight: Sight) -> bool:
    """Whether a process has had an open breaker lately: one that ended tells of no closing, and no figure comes from it."""
    found = sight.readings.over(_OPEN, window_s=_SEEN_OPEN_S, by="", where={})
    return any((_OPEN.value(looked) or 0.0) > 0 for looked in found)


def _runs(test: Runs, sight: Sight) -> Iterator[Finding]:
    told = [each for each in sight.happenings if each.kind == "regression" and each.at <= sight.now]
    runs = [each for each in told if each.value is not None]
    if not runs:
        return
    newest = runs[-1]
    earlier = next((each for each in reversed(runs) if each.of != newest.of), None)
    if earlier is None or earlier.value is None or newest.value is None:
        return
    is_fresh = sight.now - newest.at <= DAY_S
    differs = abs(newest.value - earlier.value) > test.tolerance
    said = f"release {newest.of} against {earlier.of}"
    yield Finding(label="", value=newest.value, expected=earlier.value, count=1, holds=is_fresh and differs, told=said)


def _trend(rule: Rule, test: Trend, sight: Sight) -> Iterator[Finding]:
    series = _steps(rule, test.metric, test, sight)
    others = {} if test.unless is None else _steps(rule, test.unless, test, sight)
    for label, rows in series.items():
        climb = climbs(rows, at_least=rule.at_least, steps=test.steps)
        why = climbs(others.get(label, ()), at_least=rule.at_least, steps=test.steps)
        count = sum(row[2] for row in rows)
        values = [row[1] for row in rows if row[1] is not None]
        holds = None if climb is None else climb > test.more_than and not (why is not None and why > test.more_than / 2)
        yield Finding(
            label=label,
            value=values[-1] if values else None,
            expected=values[0] if values else None,
            count=count,
            holds=holds,
        )


def _steps(
    rule: Rule, metric: Expression, test: Trend, sight: Sight
) -> dict[str, Sequence[tuple[float, float | None, int]]]:
    step = rule.window_s // test.steps
    until = sight.now // HOUR_S * HOUR_S
    return dict(
        sight.readings.steps(
            metric, since=until - step * test.steps, until=until, step_s=step, by=rule.by, where=rule.where
        )
    )


def climbs(rows: Sequence[tuple[float, float | None, int]], *, at_least: int, steps: int) -> float | None:
    """How much a series climbs from end to end, as a share of its median (Theil and Sen's slope); 0 where it goes up and down as much.

    None where too few steps have a value.
    """
    values = np.array([row[1] for row in rows if row[1] is not None and row[2] >= at_least], dtype=np.float64)
    if values.size < max(_LEAST_STEPS, steps - 1):
        return None
    first, second = np.triu_indices(values.size, 1)
    slopes = (values[second] - values[first]) / (second - first)
    middle = float(np.median(values))
    if middle <= 0 or float(np.mean(np.sign(slopes))) < _CLEAR:
        return 0.0
    return float(np.median(slopes)) * (values.size - 1) / middle


def _gain(value: float, expected: float, *, up: bool) -> float:
    """The change as a share of what was expected, in the direction that is looked at."""
    change = value / expected - 1
    return change if up else -change


def _z_of_shares(share: float, count: int, before: float, count_before: int) -> float:
    pooled = min(max((share * count + before * count_before) / (count + count_before), 0.0), 1.0)
    error = math.sqrt(max(pooled * (1 - pooled), 1e-9) * (1 / count + 1 / count_before))
    return (share - before) / error
