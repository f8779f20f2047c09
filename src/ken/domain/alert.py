"""Alerts: something that a rule found, over time; and what silences it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Severity = Literal["hard", "soft"]
"""Sent at once; or told in the daily digest."""
AlertState = Literal["pending", "firing", "silenced", "resolved"]
HappeningKind = Literal["breaker", "budget_short", "budget_exhausted", "index_updated", "deployed", "regression"]

Labels = tuple[tuple[str, str], ...]
"""Names and values, in the order of the names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something that happens at a moment and that no figure shows."""

    kind: HappeningKind
    at: float
    """Seconds since the epoch."""
    of: str = ""
    """The breaker's dependency, the budget, the corpus version, the release."""
    begins: bool = True
    """False: what had begun is over, as when a breaker closes."""
    until: float | None = None
    """When it is over by itself; None: when it is told."""
    value: float | None = None
    """Of a regression run: the share of cases that passed; of a budget, the share that is used."""
    told: str = ""
    """In words for people."""


class Happenings(Protocol):
    """Where what has happened is looked up."""

    def since(self, at: float) -> Sequence[Happening]:
        """What has happened from a time on, oldest first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What one rule found for one set of labels, from its first sign until it is over. Times are seconds since the epoch."""

    rule: str
    labels: Labels = ()
    severity: Severity
    group: str = ""
    """Alerts of a group share a message."""
    state: AlertState
    began_at: float
    """When it was first seen."""
    since: float
    """When it went into this state."""
    fired_at: float | None = None
    resolved_at: float | None = None
    seen_at: float
    """When the rule was last looked at."""
    held_s: float = 0.0
    """How long the condition has held while somebody was looking; in a firing one: for how long it has not."""
    value: float | None = None
    expected: float | None = None
    """The limit, the baseline or the figure before."""
    count: int = 0
    """The observations behind the value."""
    summary: str = ""
    """In words for people, the figures in it."""
    runbook: str = ""
    traces: tuple[str, ...] = ()
    """Ids of some of the traces that caused it."""
    where: str = ""
    """The filter that finds all of them: `ken trace --where`."""
    flaps: int = 0
    """How often it came back shortly after it was over."""
    notified_at: float | None = None
    """When people were last told of it."""
    told_state: str = ""
    """What they were told then: `firing`, `resolved`, or nothing yet."""

    @property
    def fingerprint(self) -> str:
        """What the same alert has tomorrow too."""
        return fingerprint(self.rule, self.labels)

    @property
    def is_on(self) -> bool:
        """Whether the trouble is there now."""
        return self.state in {"firing", "silenced"}

    @property
    def name(self) -> str:
        """The rule, and for what: `latency_p99 (task_type lookup)`."""
        told = ", ".join(f"{name} {value or 'none'}" for name, value in self.labels)
        return f"{self.rule} ({told})" if told else self.rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An alert went into another state."""

    at: float
    alert: Alert
    """As it is now."""
    old: AlertState | None
    """None where there was none."""

    @property
    def new(self) -> AlertState:
        """The state it is in now."""
        return self.alert.state


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Nobody is told of a rule's alerts for a while."""

    id: str = ""
    rule: str
    """Its name, or `*`: all."""
    labels: Labels = ()
    """Only of those with these; empty: of all of the rule."""
    until: float
    made_at: float
    made_by: str = ""
    reason: str = ""

    def covers(self, alert: Alert, now: float) -> bool:
        """Whether it holds for an alert."""
        return self.rule in {alert.rule, "*"} and now < self.until and set(self.labels) <= set(alert.labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A message about the alerts of one group, to be sent to one destination."""

    id: str
    group: str
    destination: str
    made_at: float
    alerts: tuple[Alert, ...]
    """Firing ones first."""
    title: str = ""
    """Of a message that tells more than its alerts, such as a digest: stands where they would be named."""
    body: str = ""
    """Of such a message, its text as Markdown."""
    page: str = ""
    """The same as HTML that loads nothing."""
    attempts: int = 0
    due_at: float = 0.0
    """When it is sent, or tried again."""

    @property
    def firing(self) -> tuple[Alert, ...]:
        """Those that are on."""
        return tuple(alert for alert in self.alerts if alert.is_on)

    @property
    def resolved(self) -> tuple[Alert, ...]:
        """Those that are over."""
        return tuple(alert for alert in self.alerts if not alert.is_on)


def fingerprint(rule: str, labels: Labels) -> str:
    """32 hex digits of a rule and labels."""
    return hashlib.sha256(json.dumps([rule, sorted(labels)]).encode()).hexdigest()[:32]
