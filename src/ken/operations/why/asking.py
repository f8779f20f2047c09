"""What is asked about: an alert, by its fingerprint or its rule, or a window of time; and the answer out of a home's record."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ken.domain.alert import Alert, Happenings
from ken.domain.figures import Figures
from ken.errors import InvalidInput, NotFound
from ken.operations.alerts.rule import Rule
from ken.operations.why.hypotheses import Explanation, Window, explain
from ken.storage.alerts import AlertBook

HOUR_S = 3600.0
LATELY_S = 6 * HOUR_S
"""What is looked at where nothing is named and no alert is on."""
_LOOK_BACK = {"hard": 3 * HOUR_S, "soft": 12 * HOUR_S}
"""How long before an alert began is looked at: what is told in a digest creeps."""
_LOOK_ON = {"hard": 6 * HOUR_S, "soft": 24 * HOUR_S}
_LONGEST_S = 14 * 86_400.0
_HAPPENED_S = 2 * HOUR_S
_BEFORE_S = 24 * HOUR_S
"""So much of the record lies before a window, if its beginning can be moved for that."""
_SHARE_BEFORE = 1 / 3
_AGO = re.compile(r"-?(\d+(?:\.\d+)?)\s*(min|m|h|d|w)(?:\s+ago)?")
_EPOCH = re.compile(r"\d{10}(\.\d+)?")
"""Seconds since the epoch, as the API gives them: of 2001 to 2286."""
_SECONDS = {"m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What stands before an answer: the figures, the alerts, the rules in force."""

    figures: Figures
    alerts: AlertBook
    happenings: Happenings
    rules: Sequence[Rule]

    def about(
        self, name: str | None, *, since: float | None, until: float | None, now: float
    ) -> tuple[Explanation, Alert | None]:
        """The hypotheses about an alert, a window, or, without either, the alert that fired last or the last hours.

        Raises NotFound for an alert that there isn't, InvalidInput for a window that ends before it begins.
        """
        alert = self._named(name, now) if name or (since is None and until is None) else None
        window = self._of_alert(alert, now) if alert is not None else Window(since=now - LATELY_S, until=now)
        begins = window.since if since is None else since
        ends = min(now, window.until if until is None else until)
        if since is None and until is not None and alert is None:
            begins = ends - LATELY_S
        if ends - begins > _LONGEST_S or ends <= begins:
            raise InvalidInput(
                "A window begins before it ends, and is two weeks long at most. Change `since` or `until`."
            )
        if alert is None:
            begins = self._with_something_before(begins, ends)
        window = Window(since=begins, until=ends, about=window.about)
        happened = self.happenings.since(begins - _HAPPENED_S)
        return explain(self.figures, window, happenings=happened), alert

    def _with_something_before(self, begins: float, ends: float) -> float:
        """Where a window begins that has something to be compared with: later than asked, where the record is as young as the window."""
        counted = self.figures.series("questions", since=begins - _BEFORE_S, until=ends, step_s=int(HOUR_S)).get("", ())
        first = next((point.at for point in counted if point.count), ends)
        later = first + max(_BEFORE_S, (ends - first) * _SHARE_BEFORE)
        return later if begins < first + _BEFORE_S and ends - later >= LATELY_S else begins

    def _named(self, name: str | None, now: float) -> Alert | None:
        standing = self.alerts.standing(now).alerts
        if not name:
            lit = [alert for alert in standing.values() if alert.is_on]
            return max(lit, key=lambda alert: alert.fired_at or 0.0, default=None)
        fitting = [alert for key, alert in standing.items() if name == alert.rule or key.startswith(name)]
        if not fitting:
            past = (change.alert for change in self.alerts.changes())
            fitting = [alert for alert in past if name == alert.rule or alert.fingerprint.startswith(name)]
        if not fitting:
            known = ", ".join(sorted({alert.rule for alert in standing.values()})) or "none"
            raise NotFound(f"There is no alert {name!r}. By rule there are: {known}.")
        # What fires is asked about first, then what a silence covers, then whatever is newest.
        return max(fitting, key=lambda alert: (alert.state == "firing", alert.is_on, alert.began_at))

    def _of_alert(self, alert: Alert, now: float) -> Window:
        ends = now if alert.resolved_at is None else min(now, alert.resolved_at)
        began = min(alert.began_at, now)
        return Window(
            since=began - _LOOK_BACK[alert.severity],
            until=max(min(ends, began + _LOOK_ON[alert.severity]), began + 60),
            about=figures_of(self.rules).get(alert.rule, frozenset()),
        )


def figures_of(rules: Sequence[Rule]) -> Mapping[str, frozenset[str]]:
    """What each rule looks at: names of figures without their suffix."""
    return {
        rule.name: frozenset(name.partition(".")[0] for each in rule.expressions for name in each.names)
        for rule in rules
    }


def moment(text: str, *, now: float) -> float:
    """A time as people write it: `2026-11-20`, `2026-11-20T14:30+01:00`, `3h`, `2d ago`; or seconds since the epoch.

    UTC where no zone is said. Raises InvalidInput.
    """
    if _EPOCH.fullmatch(text.strip()):
        return float(text)
    ago = _AGO.fullmatch(text.strip())
    if ago is not None:
        return now - float(ago[1]) * _SECONDS[ago[2]]
    try:
        read = datetime.fromisoformat(text.strip())
        return (read if read.tzinfo is not None else read.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise InvalidInput(f"{text!r} is no time. Write 2026-11-20T14:30, or 3h for three hours ago.") from None
