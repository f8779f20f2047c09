"""Rules as they are written: a table of TOML, or an object of the API's JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ken.domain.alert import HappeningKind, Severity
from ken.operations.alerts.expression import Expression, parse
from ken.operations.alerts.rule import (
    DAY_S,
    HOUR_S,
    MINUTE_S,
    WEEK_S,
    AfterChange,
    Baseline,
    Before,
    Burn,
    Direction,
    Event,
    Pace,
    Rule,
    Runs,
    Test,
    Threshold,
    Trend,
)

Compare = Literal["threshold", "before", "baseline", "burn", "after", "event", "runs", "trend"]

_UNITS = {"s": 1, "m": MINUTE_S, "h": HOUR_S, "d": DAY_S, "w": WEEK_S}
_DURATION = re.compile(r"([0-9]{1,6})([smhdw])")
_LONGEST_S = 366 * DAY_S
_OWN: Mapping[str, frozenset[str]] = {
    "threshold": frozenset({"when", "limit", "limits"}),
    "before": frozenset({"metric", "offset", "direction", "more_than"}),
    "baseline": frozenset({"metric", "direction", "more_than", "deviations", "weeks", "also", "of_all"}),
    "burn": frozenset({"bad", "objective", "paces"}),
    "after": frozenset({"metric", "after", "direction", "more_than", "deviations", "within"}),
    "event": frozenset({"event"}),
    "runs": frozenset({"tolerance"}),
    "trend": frozenset({"metric", "unless", "more_than", "steps"}),
}
"""The fields that belong to one way to compare."""


def seconds(text: str) -> int:
    """`90s`, `15m`, `24h`, `7d`, `2w` in seconds. Raises ValueError."""
    found = _DURATION.fullmatch(text.strip())
    if found is None or not 0 <= (told := int(found[1]) * _UNITS[found[2]]) <= _LONGEST_S:
        raise ValueError('it is a time such as "90s", "15m", "24h", "7d" or "2w", a year at most')
    return told


class PaceTable(BaseModel):
    """Of a burn rate: two windows and how many times too fast."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    long: str
    short: str
    rate: float = Field(gt=0)

    @field_validator("long", "short")
    @classmethod
    def _is_a_time(cls, text: str) -> str:
        seconds(text)
        return text


class RuleTable(BaseModel):
    """One rule. docs/guides/alerts.md tells what each field does."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")
    compare: Compare = "threshold"
    when: str | None = None
    limit: float | None = None
    limits: dict[str, float] = Field(default_factory=dict[str, float])
    metric: str | None = None
    direction: Direction = "up"
    more_than: float | None = Field(default=None, ge=0)
    offset: str = "1w"
    deviations: float | None = Field(default=None, gt=0)
    weeks: int = Field(default=4, ge=1, le=12)
    also: tuple[str, ...] = ()
    of_all: bool = False
    bad: str | None = None
    objective: float | None = Field(default=None, gt=0, lt=1)
    paces: tuple[PaceTable, ...] = ()
    event: HappeningKind | None = None
    after: HappeningKind | None = None
    within: str = "24h"
    tolerance: float = Field(default=0.0, ge=0)
    unless: str | None = None
    steps: int = Field(default=7, ge=4, le=60)
    by: str = ""
    where: dict[str, str] = Field(default_factory=dict[str, str])
    window: str = "15m"
    pending: str = Field(default="0s", alias="for")
    keep: str = "5m"
    every: str = "1m"
    severity: Severity = "soft"
    group: str = ""
    at_least: int = Field(default=20, ge=1)
    summary: str = Field(default="", max_length=1000)
    runbook: str = Field(default="", max_length=1000)
    filter: str = Field(default="", max_length=1000)
    enabled: bool = True

    @field_validator("offset", "within", "window", "pending", "keep", "every")
    @classmethod
    def _is_a_time(cls, text: str) -> str:
        seconds(text)
        return text

    @field_validator("also")
    @classmethod
    def _are_times(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        if not all(map(seconds, texts)):
            raise ValueError("they are longer than nothing")
        return texts

    @field_validator("window", "every", "offset", "within")
    @classmethod
    def _is_some_time(cls, text: str) -> str:
        if not seconds(text):
            raise ValueError("it is longer than nothing")
        return text

    @model_validator(mode="after")
    def _says_what_belongs_together(self) -> Self:
        own = _OWN[self.compare]
        strange = sorted((self.model_fields_set & frozenset().union(*_OWN.values())) - own)
        if strange:
            raise ValueError(
                f"{strange[0]!r} says nothing where `compare` is {self.compare!r}, which has {', '.join(sorted(own))}"
            )
        needed = {
            "threshold": "when",
            "burn": "bad",
            "event": "event",
            "runs": "",
            **dict.fromkeys(("before", "baseline", "after", "trend"), "metric"),
        }[self.compare]
        if needed and getattr(self, needed) is None:
            raise ValueError(f"`{needed}` is missing, which {self.compare!r} needs")
        if self.compare == "burn" and (self.objective is None or not self.paces):
            raise ValueError("a burn rate needs an `objective`, such as 0.99, and `paces`")
        if self.of_all and not self.by:
            raise ValueError("`of_all` compares the values of a dimension: name it with `by`")
        if self.compare == "after" and self.after is None:
            raise ValueError('`after` is missing: after what, such as "index_updated"')
        return self

    @property
    def rule(self) -> Rule:
        """As the engine has it. Raises InvalidInput for an expression that can't be read."""
        return Rule(
            name=self.name,
            test=self._test(),
            by=self.by,
            where=self.where,
            window_s=seconds(self.window),
            for_s=seconds(self.pending),
            keep_s=seconds(self.keep),
            every_s=seconds(self.every),
            severity=self.severity,
            group=self.group,
            at_least=self.at_least,
            summary=self.summary,
            runbook=self.runbook,
            filter=self.filter,
            is_on=self.enabled,
        )

    def _test(self) -> Test:
        metric = parse(self.metric or "0")
        match self.compare:
            case "threshold":
                return Threshold(parse(self.when or ""), self.limit, self.limits)
            case "before":
                return Before(metric, seconds(self.offset), self.direction, self._or("more_than", 0.2))
            case "baseline":
                return Baseline(
                    metric,
                    self.direction,
                    self._or("more_than", 0.3),
                    self._or("deviations", 5.0),
                    self.weeks,
                    tuple(map(seconds, self.also)),
                    self.of_all,
                )
            case "burn":
                paces = tuple(Pace(seconds(pace.long), seconds(pace.short), pace.rate) for pace in self.paces)
                return Burn(parse(self.bad or ""), self.objective or 0.0, paces)
            case "after":
                return AfterChange(
                    metric,
                    self.after or "index_updated",
                    self.direction,
                    self._or("more_than", 0.5),
                    self._or("deviations", 4.0),
                    seconds(self.within),
                )
            case "event":
                return Event(self.event or "breaker")
            case "runs":
                return Runs(self.tolerance)
            case "trend":
                unless: Expression | None = None if self.unless is None else parse(self.unless)
                return Trend(metric, unless, self._or("more_than", 0.15), self.steps)

    def _or(self, name: Literal["more_than", "deviations"], default: float) -> float:
        told = self.more_than if name == "more_than" else self.deviations
        return default if told is None else told
