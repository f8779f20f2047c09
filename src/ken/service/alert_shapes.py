"""The JSON shapes of alert rules and back-tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from ken.alerting import API, Alerting, Tried
from ken.domain.alert import Severity, fingerprint
from ken.operations.alerts.backtest import MOST_LINES, Line, Look
from ken.operations.alerts.rule import Baseline, Burn, Rule
from ken.operations.alerts.rule_table import Compare, RuleTable
from ken.operations.alerts.rules import Merged, read_rule, shipped
from ken.operations.alerts.units import unit_of
from ken.operations.alerts.words import described
from ken.service.shapes import Shape
from ken.telemetry.vocabulary import Unit

RuleUnit = Unit | Literal["rate"]
"""rate: how many times faster than an error budget allows."""


class SaidShape(Shape):
    """A place that speaks of a rule."""

    place: str = Field(description="what Ken comes with, a file, `the API`")
    fields: tuple[str, ...] = Field(description="those that count from there")


class AlertRuleShape(Shape):
    """One rule in force."""

    name: str
    looks_for: str
    compare: Compare
    by: str
    severity: Severity
    group: str
    window_s: int
    for_s: int
    keep_s: int
    every_s: int
    at_least: int
    unit: RuleUnit | None = Field(description="of what it compares")
    filter: str = Field(description="`{limit}` in it stands for the number that the rule compares with")
    runbook: str = Field(description="a path in Ken's documentation")
    is_on: bool
    is_shipped: bool = Field(description="whether Ken comes with it")
    is_changed_here: bool = Field(description="whether the API says something of it, which can be forgotten")
    said: tuple[SaidShape, ...] = Field(description="who says what of it; later ones come before earlier ones")
    last_fired_at: float | None = Field(description="as far back as that is kept")


class RuleFormShape(Shape):
    """A rule as it is written."""

    rule: AlertRuleShape
    table: RuleTable = Field(description="the fields that are set, with the values in force")
    before: RuleTable | None = Field(
        description="the same without what the API says; null where nobody else has the rule"
    )


class FieldFaultShape(Shape):
    """What keeps a table from being a rule."""

    field: str = Field(description="empty: the whole of it")
    what: str
    at: int | None = Field(description="of an expression: where in its text, counted from 0")


class CheckedShape(Shape):
    """What a table would come to as a rule; no `looks_for` where it is none."""

    faults: tuple[FieldFaultShape, ...]
    looks_for: str | None
    unit: RuleUnit | None


class SpanShape(Shape):
    """[since, until), seconds since the epoch."""

    since: float
    until: float


class StayShape(Shape):
    """How long an alert would have waited or fired."""

    state: Literal["pending", "firing"]
    since: float
    until: float
    is_over: bool = Field(description="false: it was still so at the end")


class BacktestLineShape(Shape):
    """One set of labels. All lists but `stays` and `thin` have one value for each of `times`."""

    labels: dict[str, str]
    fingerprint: str
    times: list[float]
    values: list[float | None]
    expected: list[float | None] = Field(description="the limit, the baseline, or the figure before")
    counts: list[int] = Field(description="observations behind each value")
    holds: list[bool | None] = Field(description="null: nothing could be said")
    stays: tuple[StayShape, ...]
    thin: tuple[SpanShape, ...] = Field(description="where there was too little to look at")


class BacktestShape(Shape):
    """What the engine would have said of the record."""

    looks_for: str
    unit: RuleUnit | None
    since: float
    until: float = Field(description="as far as it came")
    step_s: float = Field(description="between two looks")
    point_s: float = Field(description="each line tells of one look at most for so long a time")
    is_whole: bool = Field(description="false: there was no time for the rest")
    lines: tuple[BacktestLineShape, ...] = Field(description="those that fired longest first")
    left_out: int = Field(description="lines besides")
    firings: int
    firing_s: float = Field(description="for so long at least one would have fired")
    messages: int = Field(description="so many would have gone to somebody who is told of everything")
    coarse_until: float | None = Field(
        description="before this there are no minutes on record any more: shorter windows saw whole hours at their beginning"
    )
    problem: str = Field(description="why the rule could not be looked at, at some time")


def rule_unit(rule: Rule) -> RuleUnit | None:
    """The unit of what a rule compares."""
    if isinstance(rule.test, Burn):
        return "rate"
    if isinstance(rule.test, Baseline) and rule.test.of_all:
        return "share"
    return unit_of(rule.expressions[0]) if rule.expressions else None


def rule_shapes(alerting: Alerting) -> tuple[AlertRuleShape, ...]:
    """All rules in force. Raises InvalidInput, StorageError."""
    fired = alerting.book.last_fired()
    return tuple(_rule_shape(each, fired) for each in alerting.merged().values())


def form_shape(alerting: Alerting, name: str) -> RuleFormShape | None:
    """One rule as it is written; None where there is none of this name. Raises InvalidInput, StorageError."""
    found = alerting.merged().get(name)
    if found is None:
        return None
    before = alerting.merged_before().get(name)
    return RuleFormShape(
        rule=_rule_shape(found, alerting.book.last_fired()),
        table=RuleTable.model_validate(found.table),
        before=None if before is None else RuleTable.model_validate(before.table),
    )


def backtest_shape(tried: Tried) -> BacktestShape:
    """A back-test as it is sent."""
    told = tried.told
    return BacktestShape(
        looks_for=described(told.rule),
        unit=rule_unit(told.rule),
        since=told.span.since,
        until=told.span.until,
        step_s=told.step_s,
        point_s=told.point_s,
        is_whole=told.is_whole,
        lines=tuple(_line_shape(told.rule, line) for line in told.lines[:MOST_LINES]),
        left_out=max(0, len(told.lines) - MOST_LINES),
        firings=told.firings,
        firing_s=told.firing_s,
        messages=told.messages,
        coarse_until=tried.coarse_until if tried.coarse_until > told.span.since else None,
        problem=told.problem,
    )


def _rule_shape(found: Merged, fired: Mapping[str, float]) -> AlertRuleShape:
    rule = read_rule(found.table, place=found.said[-1][0])
    told = {name: getattr(rule, name) for name in AlertRuleShape.model_fields if hasattr(rule, name)}
    places = [place for place, _ in found.said]
    return AlertRuleShape(
        **told,
        looks_for=described(rule),
        compare=RuleTable.model_validate(found.table).compare,
        unit=rule_unit(rule),
        is_shipped=shipped().place in places,
        is_changed_here=API in places,
        said=tuple(SaidShape(place=place, fields=fields) for place, fields in found.said),
        last_fired_at=fired.get(rule.name),
    )


def _line_shape(rule: Rule, line: Line) -> BacktestLineShape:
    looks: tuple[Look, ...] = line.looks
    return BacktestLineShape(
        labels=dict(line.labels),
        fingerprint=fingerprint(rule.name, line.labels),
        times=[look.at for look in looks],
        values=[look.value for look in looks],
        expected=[look.expected for look in looks],
        counts=[look.count for look in looks],
        holds=[look.holds for look in looks],
        stays=tuple(
            StayShape(state=stay.state, since=stay.span.since, until=stay.span.until, is_over=stay.is_over)
            for stay in line.stays
        ),
        thin=tuple(SpanShape(since=span.since, until=span.until) for span in line.thin),
    )
