"""Rules: what is looked at, how often, what is too much, and what people are told then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ken.domain.alert import HappeningKind, Severity
from ken.operations.alerts.expression import LIMIT, MILLION, Expression
from ken.operations.alerts.units import unit_of

Direction = Literal["up", "down"]

LIMIT_PLACE = "{limit}"
"""In a filter: the number that the rule compares with."""

MINUTE_S = 60
HOUR_S = 60 * MINUTE_S
DAY_S = 24 * HOUR_S
WEEK_S = 7 * DAY_S


@dataclass(frozen=True, slots=True)
class Threshold:
    """A condition on figures over the window."""

    when: Expression
    limit: float | None = None
    """What `limit` stands for in the condition, for labels that have none of their own."""
    limits: Mapping[str, float] = field(default_factory=dict[str, float])
    """By the value of the rule's dimension."""


@dataclass(frozen=True, slots=True)
class Before:
    """A figure over the window against the same figure some time earlier."""

    metric: Expression
    offset_s: int = WEEK_S
    direction: Direction = "up"
    more_than: float = 0.2
    """The share of the earlier figure that is too much of a change."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """A figure over the window against what it usually is at this hour of the week."""

    metric: Expression
    direction: Direction = "up"
    more_than: float = 0.3
    """The least change that matters, as a share of what is usual, however rare it is."""
    deviations: float = 5.0
    """The least robust z: standard deviations, as the median absolute deviation tells them."""
    weeks: int = 4
    """How far back it looks for what is usual."""
    also_s: tuple[int, ...] = ()
    """Windows besides the rule's: a longer one sees what is small, a shorter one sooner what is large."""
    of_all: bool = False
    """Whether each label's share of all labels is looked at: how the traffic is divided, and not how much there is."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Two windows in which an error budget is spent too fast: the long one says that it matters, the short one that it still happens."""

    long_s: int
    short_s: int
    rate: float
    """How many times faster than the budget allows."""


@dataclass(frozen=True, slots=True)
class Burn:
    """The error budget of an objective is spent too fast (Google's SRE workbook, chapter 5: several windows, several rates)."""

    bad: Expression
    """The share of what was bad, 0 to 1."""
    objective: float
    """The share that has to be good."""
    paces: tuple[Pace, ...]


@dataclass(frozen=True, slots=True)
class AfterChange:
    """A share over the time since something was changed, against the time before."""

    metric: Expression
    after: HappeningKind
    direction: Direction = "up"
    more_than: float = 0.5
    deviations: float = 4.0
    """The least z of two shares."""
    within_s: int = DAY_S
    """How long after a change it is looked at."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened and is not over."""

    event: HappeningKind


@dataclass(frozen=True, slots=True)
class Runs:
    """The share of passed cases in the newest run against the one before, under another release."""

    tolerance: float = 0.0


@dataclass(frozen=True, slots=True)
class Trend:
    """A figure climbs over the window, and what would explain it doesn't."""

    metric: Expression
    unless: Expression | None = None
    """What explains a climb where it climbs as well."""
    more_than: float = 0.15
    """The climb over the whole window, as a share of the figure, that is too much."""
    steps: int = 7


Test = Threshold | Before | Baseline | Burn | AfterChange | Event | Runs | Trend


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One of them. Times are in seconds."""

    name: str
    test: Test
    by: str = ""
    """A dimension: each of its values is looked at on its own."""
    where: Mapping[str, str] = field(default_factory=dict[str, str])
    """Only what has these values of dimensions."""
    window_s: int = 15 * MINUTE_S
    for_s: int = 0
    """How long the condition has to hold before anybody is told."""
    keep_s: int = 5 * MINUTE_S
    """How long it must not hold before the alert is over."""
    every_s: int = MINUTE_S
    """How often it is looked at."""
    severity: Severity = "soft"
    group: str = ""
    """Alerts of a group share a message."""
    at_least: int = 20
    """Observations in the window below which nothing is said."""
    summary: str = ""
    """With {value}, {expected}, {count}, {change} and {labels} in it."""
    runbook: str = ""
    filter: str = ""
    """For `ken trace --where`: the traces that cause it; `{limit}` in it stands for the number that the test compares with."""
    is_on: bool = True

    def traces(self, expected: float | None = None) -> str:
        """The filter with the number in it: `expected`, as a threshold found it, else the rule's own."""
        number = self.number if expected is None or not isinstance(self.test, Threshold) else expected
        if LIMIT_PLACE not in self.filter or number is None:
            return self.filter
        scale = MILLION if self.is_of_money else 1  # filters speak of money in dollars, figures in millionths
        return self.filter.replace(LIMIT_PLACE, f"{number / scale:.12g}")

    @property
    def dimension(self) -> str:
        """The name of its alerts' label; empty where they have none."""
        return self.by or ("of" if isinstance(self.test, Event) else "")

    @property
    def number(self) -> float | None:
        """What `{limit}` in the filter stands for: a threshold's limit, of shares over a number (`ms.over_8000`) that number."""
        if isinstance(self.test, Threshold):
            same_everywhere = self.test.when.expected({LIMIT: self.test.limit}.get)
            return same_everywhere if same_everywhere is not None else next(iter(self.test.limits.values()), None)
        overs = (name.partition(".over_")[2] for each in self.expressions for name in each.names)
        return next((float(over) for over in overs if over), None)

    @property
    def is_of_money(self) -> bool:
        """Whether what it compares is money, in millionths."""
        return any(unit_of(each) == "micros" for each in self.expressions[:1])

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """All that its test looks at."""
        match self.test:
            case Threshold():
                return (self.test.when,)
            case Burn():
                return (self.test.bad,)
            case Trend():
                return (self.test.metric, *((self.test.unless,) if self.test.unless is not None else ()))
            case Before() | Baseline() | AfterChange():
                return (self.test.metric,)
            case Event() | Runs():
                return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a rule's test says of one set of labels at one time."""

    label: str
    """The value of the rule's dimension; empty without one."""
    value: float | None
    expected: float | None
    count: int = 0
    holds: bool | None
    """None: nothing can be said, and the alert stays as it is."""
    told: str = ""
    """What belongs to it in words, as with a happening."""
