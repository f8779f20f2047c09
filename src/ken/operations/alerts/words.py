"""What people are told: the rule's summary with the figures in it."""

from __future__ import annotations

import re

from ken.operations.alerts.rule import Finding, Rule

PLACES = frozenset({"value", "expected", "count", "change", "labels", "told"})
"""What may stand in braces in a summary."""

_PLACE = re.compile(r"\{(\w+)(%?)\}")


def told(rule: Rule, finding: Finding) -> str:
    """The summary of a finding."""
    change = None
    if finding.value is not None and finding.expected:
        change = finding.value / finding.expected - 1
    numbers = {"value": finding.value, "expected": finding.expected}

    def put(found: re.Match[str]) -> str:
        name, percent = found.groups()
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
                return number(numbers.get(name), percent=bool(percent))

    return _PLACE.sub(put, rule.summary or f"{rule.name}: {{value}}").strip()


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
