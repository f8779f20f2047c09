"""What people are told: the rule's summary with the figures in it."""

from __future__ import annotations

import re
from typing import assert_never

from ken.operations.alerts.rule import (
    AfterChange,
    Baseline,
    Before,
    Burn,
    Event,
    Finding,
    Rule,
    Runs,
    Threshold,
    Trend,
)
from ken.operations.alerts.units import unit_of
from ken.telemetry.prices import money

PLACES = frozenset({"value", "expected", "count", "change", "labels", "told"})
"""What may stand in braces in a summary."""

_PLACE = re.compile(r"\{(\w+)([%$]?)\}")


def told(rule: Rule, finding: Finding) -> str:
    """The summary of a finding."""
    change = None
    if finding.value is not None and finding.expected:
        change = finding.value / finding.expected - 1
    numbers = {"value": finding.value, "expected": finding.expected}

    def put(found: re.Match[str]) -> str:
        name, form = found.groups()
        match name:
            case "count":
                return f"{finding.count:,}"
            case "labels":
                return finding.label or "all"
            case "told":
                return finding.told
            case "change":
                return "unknown" if change is None else f"{change * 100:+.0f} %"
            case _:
                return _formed(numbers.get(name), form)

    return _PLACE.sub(put, rule.summary or _plain_summary(rule)).strip()


def _formed(value: float | None, form: str) -> str:
    if form == "$":
        return money(None if value is None else round(value))
    return number(value, percent=form == "%")


def _plain_summary(rule: Rule) -> str:
    """Of a rule that has none: its value, in its unit."""
    unit = unit_of(rule.expressions[0]) if rule.expressions and not isinstance(rule.test, Burn) else None
    form = {"micros": "{value$}", "share": "{value%}", "ms": "{value} ms"}.get(str(unit), "{value}")
    return f"{rule.name}: {form}"


def places(summary: str) -> frozenset[str]:
    """The words in braces."""
    return frozenset(name for name, _ in _PLACE.findall(summary))


def number(value: float | None, *, percent: bool = False) -> str:
    """A figure with as many digits as tell something."""
    if value is None:
        return "unknown"
    if percent:
        return f"{value * 100:.1f} %"
    if abs(value) >= 100:  # noqa: PLR2004 - from here on, fractions say nothing
        return f"{value:,.0f}"
    return f"{value:.3g}"


def described(rule: Rule) -> str:
    """What a rule looks for, in one line."""
    test, by = rule.test, f" by {rule.by}" if rule.by else ""
    where = "".join(f", {name} {value}" for name, value in rule.where.items())
    over = f" over {span(rule.window_s)}"
    match test:
        case Threshold():
            text = test.when.text.replace("limit", "limit" if test.limit is None else f"{test.limit:g}")
            said = f"{text}{over}"
        case Before():
            said = (
                f"{test.metric.text} {test.direction} {test.more_than:.0%} against {span(test.offset_s)} before{over}"
            )
        case Baseline():
            windows = ", ".join(span(each) for each in sorted({rule.window_s, *test.also_s}))
            what = f"{'share of ' if test.of_all else ''}{test.metric.text} {test.direction} {test.more_than:.0%}"
            said = f"{what} and {test.deviations:g} deviations from what is usual, over {windows}"
        case Burn():
            paces = ", ".join(
                f"{pace.rate:g}x over {span(pace.long_s)} and {span(pace.short_s)}" for pace in test.paces
            )
            said = f"{test.bad.text} burns the budget of {test.objective:g}: {paces}"
        case AfterChange():
            said = f"{test.metric.text} {test.direction} {test.more_than:.0%} after {test.after}, within {span(test.within_s)}"
        case Event():
            said = f"{test.event} happened"
        case Runs():
            said = f"a run passes another share than the release before, by more than {test.tolerance:g}"
        case Trend():
            unless = "" if test.unless is None else f" and {test.unless.text} doesn't"
            said = f"{test.metric.text} climbs {test.more_than:.0%}{over}{unless}"
        case _:
            assert_never(test)
    return f"{said}{by}{where}"


def span(seconds: int) -> str:
    """`15m`, `24h`, `7d`."""
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
