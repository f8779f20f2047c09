"""Which messages come of the alerts as they stand: grouped, told once, repeated while there is trouble."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ken.domain.alert import Alert, Notice, Severity

HARD: frozenset[Severity] = frozenset({"hard"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Somebody who is told."""

    name: str
    severities: frozenset[Severity] = HARD
    groups: frozenset[str] = frozenset()
    """Only alerts of these groups; empty: of all."""

    def wants(self, alert: Alert) -> bool:
        """Whether an alert is for them."""
        return alert.severity in self.severities and (not self.groups or alert.group in self.groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often people are told."""

    group_s: float = 120.0
    """The least time between two messages about a group."""
    repeat_s: float = 4 * 3600.0
    """How long an alert is on until people are told of it again."""


def notices_of(
    alerts: Mapping[str, Alert], recipients: Sequence[Recipient], *, pace: Pace, now: float
) -> tuple[tuple[Notice, ...], dict[str, Alert]]:
    """The messages that are due, and the alerts with the mark that they were told of."""
    after = dict(alerts)
    made: list[Notice] = []
    groups: dict[str, list[Alert]] = {}
    for alert in alerts.values():
        if any(recipient.wants(alert) for recipient in recipients):
            groups.setdefault(alert.group, []).append(alert)
    for group, members in sorted(groups.items()):
        due = [alert for alert in members if _is_news(alert) or _is_due_again(alert, pace, now)]
        last = max((alert.notified_at for alert in members if alert.notified_at is not None), default=None)
        if not due or (last is not None and 0 <= now - last < pace.group_s):
            continue
        due.sort(key=lambda alert: (not alert.is_on, alert.severity, alert.name))
        for recipient in recipients:
            wanted = tuple(alert for alert in due if recipient.wants(alert))
            if wanted:
                made.append(_notice(group, recipient.name, wanted, now))
        for alert in due:
            told = "firing" if alert.is_on else "resolved"
            after[alert.fingerprint] = replace(alert, notified_at=now, told_state=told)
    return tuple(made), after


def _is_news(alert: Alert) -> bool:
    match alert.state:
        case "firing":
            return alert.told_state != "firing"
        case "resolved":
            return alert.told_state == "firing"
        case _:
            return False


def _is_due_again(alert: Alert, pace: Pace, now: float) -> bool:
    told = alert.notified_at
    return alert.state == "firing" and told is not None and not 0 <= now - told < pace.repeat_s


def _notice(group: str, destination: str, alerts: tuple[Alert, ...], now: float) -> Notice:
    told = "\n".join([destination, group, repr(now), *(f"{alert.fingerprint} {alert.state}" for alert in alerts)])
    name = hashlib.sha256(told.encode()).hexdigest()[:32]
    return Notice(id=name, group=group, destination=destination, made_at=now, alerts=alerts, due_at=now)
