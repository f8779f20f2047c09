"""Alerts as they stand, what became of them, messages that are to be sent; rules and silences that came over the API.

Whoever looks at the rules reads the state, works out the next one, and puts it here in one transaction together with the messages that
come of it. Of two that looked at the same time one is told `Conflict`, and looks again: no message is made twice. A message is claimed
before it is sent, so that of several processes one sends it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

import sqlalchemy as sa

from ken.domain.alert import Alert, Change, Happening, Labels, Notice, Severity, Silence
from ken.errors import Conflict, NotFound
from ken.storage.database import Database
from ken.storage.schema import (
    alert_changes,
    alert_happenings,
    alert_notices,
    alert_rules,
    alerts,
    home,
    silences,
)
from ken.storage.upsert import upsert

CLAIM_S = 120.0
"""A message that somebody has claimed and not sent is tried again after so long: whoever it was has died."""

_VERSION = "alerts_version"
_MOST = 500
_PAGES = ("title", "body", "page")
_FAR_S = 2 * 86_400.0
"""Nothing waits longer than a day: what is due later was written under a clock that was wrong."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The alerts at one time."""

    version: str
    alerts: Mapping[str, Alert]
    """By fingerprint."""
    silences: tuple[Silence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """What became of a message."""

    notice: Notice
    is_open: bool
    """Whether it is still to be sent."""
    problem: str
    """Why the last try failed; empty where it didn't."""


class AlertBook:
    """All of it. Times are seconds since the epoch."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def standing(self, now: float) -> Standing:
        """The alerts as they stand, and the silences in force."""
        with self._database.read() as connection:
            version = connection.scalar(sa.select(home.c.value).where(home.c.key == _VERSION)) or ""
            rows = connection.execute(sa.select(alerts.c.fingerprint, alerts.c.alert)).all()
            quiet = connection.execute(sa.select(silences).where(silences.c.until > now).order_by(silences.c.made_at))
            return Standing(version, {row.fingerprint: _alert(row.alert) for row in rows}, tuple(map(_silence, quiet)))

    def put(
        self, before: Standing, after: Mapping[str, Alert], *, changes: Sequence[Change], notices: Sequence[Notice]
    ) -> None:
        """Keep the next state, what changed, and the messages that come of it, all together.

        Raises Conflict where somebody else has kept another state since `before` was read.
        """
        changed = [alert for key, alert in after.items() if before.alerts.get(key) != alert]
        gone = [key for key in before.alerts if key not in after]
        if not (changed or gone or changes or notices):
            return
        with self._database.write(durable=bool(changes or notices)) as connection:
            _next_version(connection, before.version)
            if gone:
                connection.execute(sa.delete(alerts).where(alerts.c.fingerprint.in_(gone)))
            if changed:
                upsert(connection, alerts, rows=[_row(alert) for alert in changed])
            told = [each for each in changes if each.alert.fired_at is not None]
            if told:
                connection.execute(sa.insert(alert_changes), [_change_row(each) for each in told])
            if notices:
                connection.execute(sa.insert(alert_notices), [_notice_row(each) for each in notices])

    def changes(
        self,
        *,
        since: float = 0.0,
        until: float | None = None,
        rule: str | None = None,
        severity: Severity | None = None,
        limit: int = _MOST,
    ) -> tuple[Change, ...]:
        """What became of alerts in [since, until), the newest first: those that waited and never fired are not in it."""
        query = sa.select(alert_changes).where(alert_changes.c.at >= since)
        if until is not None:
            query = query.where(alert_changes.c.at < until)
        if rule is not None:
            query = query.where(alert_changes.c.rule == rule)
        if severity is not None:
            query = query.where(alert_changes.c.severity == severity)
        query = query.order_by(alert_changes.c.at.desc(), alert_changes.c.id.desc()).limit(limit)
        with self._database.read() as connection:
            return tuple(Change(at=row.at, alert=_alert(row.alert), old=row.old) for row in connection.execute(query))

    def last_fired(self) -> dict[str, float]:
        """By rule: when an alert of it last began to fire, as far as that is kept."""
        query = sa.select(alert_changes.c.rule, sa.func.max(alert_changes.c.at))
        with self._database.read() as connection:
            found = connection.execute(query.where(alert_changes.c.new == "firing").group_by(alert_changes.c.rule))
            return {row[0]: row[1] for row in found}

    def note(self, happened: Iterable[Happening]) -> None:
        """Keep what happened, for whoever looks at the rules next."""
        rows = [asdict(each) for each in happened]
        if rows:
            with self._database.write() as connection:
                connection.execute(sa.insert(alert_happenings), rows)

    def happenings(self, since: float) -> tuple[Happening, ...]:
        """What happened from a time on, oldest first."""
        query = sa.select(alert_happenings).where(alert_happenings.c.at >= since)
        with self._database.read() as connection:
            return tuple(
                Happening(
                    kind=row.kind,
                    at=row.at,
                    of=row.of,
                    begins=row.begins,
                    until=row.until,
                    value=row.value,
                    told=row.told,
                )
                for row in connection.execute(query.order_by(alert_happenings.c.at, alert_happenings.c.id))
            )

    def tell(self, notices: Sequence[Notice]) -> int:
        """Keep messages that come of no alert's change, such as digests; how many were new. One whose id is known is left as it was."""
        with self._database.write() as connection:
            ids = [notice.id for notice in notices]
            known = set(connection.scalars(sa.select(alert_notices.c.id).where(alert_notices.c.id.in_(ids))))
            new = [_notice_row(notice) for notice in notices if notice.id not in known]
            if new:
                connection.execute(sa.insert(alert_notices), new)
        return len(new)

    def claim(self, now: float, *, limit: int = 20) -> tuple[Notice, ...]:
        """Messages that are due, for the caller alone: they come again after `CLAIM_S` unless it says what became of them."""
        is_due = sa.or_(alert_notices.c.due_at <= now, alert_notices.c.due_at > now + _FAR_S)
        query = (
            sa.select(alert_notices).where(is_due).order_by(alert_notices.c.made_at, alert_notices.c.id).limit(limit)
        )
        with self._database.read() as connection:
            waiting = connection.execute(query).all()
        if not waiting:
            return ()
        taken: list[Notice] = []
        with self._database.write(durable=False) as connection:
            for row in waiting:
                claimed = connection.execute(
                    sa.update(alert_notices)
                    .where(alert_notices.c.id == row.id, alert_notices.c.due_at == row.due_at)
                    .values(due_at=now + CLAIM_S, attempts=row.attempts + 1)
                )
                if claimed.rowcount:
                    taken.append(_notice(row, attempts=row.attempts + 1))
        return tuple(taken)

    def sent(self, notice_id: str) -> None:
        """A message has arrived."""
        self._ended(notice_id, due_at=None, problem="")

    def failed(self, notice_id: str, *, problem: str, due_at: float | None) -> None:
        """A message could not be sent; it is tried again at `due_at`, or given up."""
        self._ended(notice_id, due_at=due_at, problem=problem)

    def sendings(self, *, limit: int = 100) -> tuple[Sending, ...]:
        """The newest messages and what became of them, newest first."""
        query = sa.select(alert_notices).order_by(alert_notices.c.made_at.desc(), alert_notices.c.id).limit(limit)
        with self._database.read() as connection:
            return tuple(
                Sending(notice=_notice(row, attempts=row.attempts), is_open=row.due_at is not None, problem=row.problem)
                for row in connection.execute(query)
            )

    def silence(self, silence: Silence) -> None:
        """Have nobody told of a rule's alerts for a while; one with the same id is replaced."""
        row = {
            "id": silence.id,
            "matches": {"rule": silence.rule, **dict(silence.labels)},
            "reason": silence.reason,
            "principal": silence.made_by,
            "made_at": silence.made_at,
            "until": silence.until,
        }
        with self._database.write() as connection:
            upsert(connection, silences, rows=[row])

    def silences(self, now: float) -> tuple[Silence, ...]:
        """Those in force, the oldest first."""
        return self.standing(now).silences

    def unsilence(self, silence_id: str) -> None:
        """End a silence. Raises NotFound."""
        with self._database.write() as connection:
            gone = connection.execute(sa.delete(silences).where(silences.c.id == silence_id))
            if not gone.rowcount:
                raise NotFound(f"There is no silence {silence_id!r}. `ken alerts list` shows those that there are.")

    def rules(self) -> tuple[Mapping[str, object], ...]:
        """The tables of rules that came over the API, by name."""
        query = sa.select(alert_rules.c.definition).order_by(alert_rules.c.name)
        with self._database.read() as connection:
            return tuple(connection.scalars(query))

    def put_rule(self, name: str, table: Mapping[str, object], *, now: float) -> None:
        """Keep the table of a rule; it takes the place of one with its name."""
        with self._database.write() as connection:
            upsert(connection, alert_rules, rows=[{"name": name, "definition": dict(table), "updated_at": now}])

    def drop_rule(self, name: str) -> None:
        """Forget the table of a rule. Raises NotFound."""
        with self._database.write() as connection:
            gone = connection.execute(sa.delete(alert_rules).where(alert_rules.c.name == name))
            if not gone.rowcount:
                raise NotFound(
                    f"No rule {name!r} came over the API. Those of the files, and those that Ken comes with, are switched "
                    "off with `enabled = false`."
                )

    def prune(self, before: float) -> None:
        """Forget what happened, changed and was sent before a time."""
        with self._database.write(durable=False) as connection:
            connection.execute(sa.delete(alert_changes).where(alert_changes.c.at < before))
            connection.execute(sa.delete(alert_happenings).where(alert_happenings.c.at < before))
            connection.execute(
                sa.delete(alert_notices).where(alert_notices.c.made_at < before, alert_notices.c.due_at.is_(None))
            )
            connection.execute(sa.delete(silences).where(silences.c.until < before))

    def _ended(self, notice_id: str, *, due_at: float | None, problem: str) -> None:
        with self._database.write() as connection:
            connection.execute(
                sa.update(alert_notices).where(alert_notices.c.id == notice_id).values(due_at=due_at, problem=problem)
            )


def _next_version(connection: sa.Connection, old: str) -> None:
    new = str(int(old or 0) + 1)
    if old:
        changed = connection.execute(
            sa.update(home).where(home.c.key == _VERSION, home.c.value == old).values(value=new)
        ).rowcount
    else:
        connection.execute(sa.select(home.c.value).where(home.c.key == _VERSION).with_for_update())
        known = connection.scalar(sa.select(home.c.value).where(home.c.key == _VERSION))
        changed = 0 if known else 1
        if changed:
            upsert(connection, home, rows=[{"key": _VERSION, "value": new}])
    if not changed:
        raise Conflict("Another process has looked at the alerts in the meantime. Look again.")


def _row(alert: Alert) -> dict[str, object]:
    return {
        "fingerprint": alert.fingerprint,
        "rule": alert.rule,
        "state": alert.state,
        "since": alert.since,
        "alert": asdict(alert),
    }


def _change_row(change: Change) -> dict[str, object]:
    return {
        "at": change.at,
        "rule": change.alert.rule,
        "severity": change.alert.severity,
        "old": change.old,
        "new": change.new,
        "alert": asdict(change.alert),
    }


def _notice_row(notice: Notice) -> dict[str, object]:
    return {
        "id": notice.id,
        "destination": notice.destination,
        "made_at": notice.made_at,
        "due_at": notice.due_at,
        "attempts": notice.attempts,
        "problem": "",
        "notice": {
            "group": notice.group,
            "alerts": [asdict(alert) for alert in notice.alerts],
            **{name: told for name in _PAGES if (told := getattr(notice, name))},
        },
    }


def _notice(row: sa.Row[Any], *, attempts: int) -> Notice:
    told = cast("dict[str, Any]", row.notice)
    return Notice(
        id=row.id,
        group=told["group"],
        destination=row.destination,
        made_at=row.made_at,
        alerts=tuple(map(_alert, told["alerts"])),
        attempts=attempts,
        due_at=row.due_at or 0.0,
        **{name: told.get(name, "") for name in _PAGES},
    )


def _alert(told: dict[str, Any]) -> Alert:
    return replace(Alert(**told), labels=_labels(told["labels"]), traces=tuple(told["traces"]))


def _labels(pairs: Iterable[Sequence[str]]) -> Labels:
    return tuple((name, value) for name, value in pairs)


def _silence(row: sa.Row[Any]) -> Silence:
    matches = cast("dict[str, str]", row.matches)
    return Silence(
        id=row.id,
        rule=matches.get("rule", "*"),
        labels=tuple(sorted((name, value) for name, value in matches.items() if name != "rule")),
        until=row.until,
        made_at=row.made_at,
        made_by=row.principal,
        reason=row.reason,
    )
