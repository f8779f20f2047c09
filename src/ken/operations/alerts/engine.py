"""Rules at work: what each finds becomes an alert that waits, fires, is silenced, is over.

A condition's time is counted while somebody looks, in steps no longer than two looks: a clock that is set forward makes nothing fire
and nothing end. An alert that comes back shortly after it was over stays the longer, so that what flaps is told once.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from ken.domain.alert import Alert, Change, Happening, Happenings, Labels, Silence, fingerprint
from ken.domain.figures import Figures
from ken.domain.where import NAMES
from ken.errors import InvalidInput
from ken.operations.alerts.detectors import LOOKBACK_S, Sight, examine
from ken.operations.alerts.readings import Readings
from ken.operations.alerts.rule import Event, Finding, Rule
from ken.operations.alerts.words import told

_FLAP_S = 6 * 3600
"""An alert that comes back within this time after it was over, flaps."""
_MOST_FLAPS = 4
_STALE_S = 1800
"""An alert that nothing can be said of any more is over after so long, or after its window."""
_REMEMBERED_S = 24 * 3600

_log = logging.getLogger("ken.alerts")


class NothingHappens:
    """No happenings at all."""

    def since(self, at: float) -> Sequence[Happening]:
        """As promised by `Happenings`."""
        _ = at
        return ()


@dataclass(slots=True)
class Engine:
    """The rules over the figures. Not for several threads at once."""

    rules: Sequence[Rule]
    figures: Figures
    clock: Callable[[], float] = time.time
    happenings: Happenings = field(default_factory=NothingHappens)
    alerts: dict[str, Alert] = field(default_factory=dict[str, Alert])
    """By fingerprint: those that are on, those that wait, and those that were over lately. Who keeps them elsewhere puts them here."""
    silences: Sequence[Silence] = ()
    problems: dict[str, str] = field(default_factory=dict[str, str])
    """Rules that could not be looked at the last time, and why."""
    found: dict[str, Sequence[Finding]] = field(default_factory=dict[str, Sequence[Finding]])
    """By rule: what the last look at it found."""
    _sight: Sight = field(init=False)
    _looked: dict[str, float] = field(default_factory=dict[str, float])

    def __post_init__(self) -> None:
        self._sight = Sight(Readings(self.figures))

    def evaluate(self, now: float | None = None) -> tuple[Change, ...]:
        """Look at every rule that is due at a time (by default, now). Raises what the figures raise."""
        now = self.clock() if now is None else now
        self._sight.readings.at(now)
        self._sight.happenings = self.happenings.since(now - LOOKBACK_S)
        changes: list[Change] = []
        for rule in self.rules:
            if rule.is_on and self._is_due(rule, now):
                self._looked[rule.name] = now
                findings = self.found[rule.name] = self._examined(rule)
                changes.extend(self._looked_at(rule, findings, now))
        changes.extend(self._silenced(now))
        self._tidy(now)
        return tuple(changes)

    def forget_looks(self) -> None:
        """Have every rule be due."""
        self._looked.clear()

    def _examined(self, rule: Rule) -> Sequence[Finding]:
        """What the rule finds; nothing where its figures can't be had so, which must not silence the others."""
        try:
            found = examine(rule, self._sight)
        except InvalidInput as error:
            if self.problems.get(rule.name) != str(error):
                _log.error("the rule %r can't be looked at: %s", rule.name, error)
            self.problems[rule.name] = str(error)
            return ()
        self.problems.pop(rule.name, None)
        return found

    def _is_due(self, rule: Rule, now: float) -> bool:
        last = self._looked.get(rule.name)
        return last is None or isinstance(rule.test, Event) or not 0 <= now - last < rule.every_s - 1

    def _looked_at(self, rule: Rule, findings: Iterable[Finding], now: float) -> Iterable[Change]:
        seen: set[str] = set()
        for finding in findings:
            labels = labels_of(rule, finding)
            key = fingerprint(rule.name, labels)
            seen.add(key)
            yield from self._step(rule, finding, now, alert=self.alerts.get(key), labels=labels)
        nothing = Finding(label="", value=None, expected=None, holds=None)
        for key, alert in list(self.alerts.items()):
            if alert.rule == rule.name and key not in seen:
                yield from self._step(rule, nothing, now, alert=alert, labels=alert.labels)

    def _step(
        self, rule: Rule, finding: Finding, now: float, *, alert: Alert | None, labels: Labels
    ) -> Iterable[Change]:
        """One alert, one look."""
        if alert is None or alert.state == "resolved":
            if finding.holds:
                yield from self._begun(rule, finding, now, before=alert, labels=labels)
            return
        passed = min(max(now - alert.seen_at, 0.0), 2.0 * max(rule.every_s, 60))
        if finding.holds:
            seen = _updated(alert, rule, finding, now)
            held = alert.held_s + passed if alert.state == "pending" else 0.0
            if alert.state == "pending" and held >= rule.for_s:
                yield self._put(replace(seen, held_s=0.0), "firing", now)
            else:
                self._keep(replace(seen, held_s=held))
        elif alert.state == "pending":
            yield self._put(replace(alert, seen_at=now), "resolved", now)
        else:
            waited = alert.held_s + passed
            wanted = rule.keep_s * 2 ** min(alert.flaps, _MOST_FLAPS)
            if finding.holds is None:
                wanted = max(wanted, rule.window_s, _STALE_S)
            if waited >= wanted:
                yield self._put(replace(alert, seen_at=now, held_s=0.0), "resolved", now)
            else:
                self._keep(replace(alert, seen_at=now, held_s=waited))

    def _begun(
        self, rule: Rule, finding: Finding, now: float, *, before: Alert | None, labels: Labels
    ) -> Iterable[Change]:
        again = before is not None and before.fired_at is not None and _since(before.resolved_at, now) < _FLAP_S
        fresh = Alert(
            rule=rule.name,
            labels=labels,
            severity=rule.severity,
            group=rule.group or rule.name,
            state="pending",
            began_at=now,
            since=now,
            seen_at=now,
            runbook=rule.runbook,
            where=_filter(rule, labels, now, expected=finding.expected),
            flaps=before.flaps + 1 if before is not None and again else 0,
            notified_at=before.notified_at if before is not None else None,
            told_state=before.told_state if before is not None else "",
        )
        fresh = _updated(fresh, rule, finding, now)
        state = "firing" if rule.for_s <= 0 else "pending"
        self._keep(replace(fresh, state=state, fired_at=now if state == "firing" else None))
        yield Change(at=now, alert=self.alerts[fresh.fingerprint], old=None if before is None else before.state)

    def _put(self, alert: Alert, state: str, now: float) -> Change:
        """Put an alert into another state."""
        match state:
            case "firing":
                new = replace(alert, state="firing", since=now, fired_at=now, resolved_at=None)
            case "resolved":
                new = replace(alert, state="resolved", since=now, resolved_at=now)
            case _:
                new = replace(alert, state="silenced", since=now)
        self._keep(new)
        return Change(at=now, alert=new, old=alert.state)

    def _silenced(self, now: float) -> Iterable[Change]:
        for alert in list(self.alerts.values()):
            is_covered = any(silence.covers(alert, now) for silence in self.silences)
            if alert.state == "firing" and is_covered:
                yield self._put(alert, "silenced", now)
            elif alert.state == "silenced" and not is_covered:
                new = replace(alert, state="firing", since=now)
                self._keep(new)
                yield Change(at=now, alert=new, old="silenced")

    def _keep(self, alert: Alert) -> None:
        self.alerts[alert.fingerprint] = alert

    def _tidy(self, now: float) -> None:
        """Forget what was over long ago, and alerts of rules that are gone."""
        known = {rule.name for rule in self.rules if rule.is_on}
        for key, alert in list(self.alerts.items()):
            is_over = alert.state == "resolved" and (
                alert.fired_at is None or _since(alert.resolved_at, now) > _REMEMBERED_S
            )
            if is_over or alert.rule not in known:
                del self.alerts[key]


def _updated(alert: Alert, rule: Rule, finding: Finding, now: float) -> Alert:
    return replace(
        alert,
        seen_at=now,
        severity=rule.severity,
        value=finding.value,
        expected=finding.expected,
        count=finding.count,
        summary=told(rule, finding),
    )


def _since(at: float | None, now: float) -> float:
    return 0.0 if at is None else max(0.0, now - at)


def _filter(rule: Rule, labels: Labels, now: float, *, expected: float | None) -> str:
    """The rule's filter, narrowed to what the alert is about; empty where the rule has none."""
    if not rule.filter:
        return ""
    told = [("started", ">=", datetime.fromtimestamp(now - rule.window_s, UTC).strftime("%Y-%m-%dT%H:%MZ"))]
    told += [(name, "=", value) for name, value in labels if name in NAMES and value]
    parts = [f"({rule.traces(expected)})", *(f"{name} {sign} {_quoted(value)}" for name, sign, value in told)]
    return " and ".join(parts)


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def labels_of(rule: Rule, finding: Finding) -> Labels:
    """The labels of the alert that a finding is of."""
    return ((rule.dimension or "label", finding.label),) if rule.by or finding.label else ()
