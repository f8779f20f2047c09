"""Alerts as they stand, the rules behind them, and silences. Operators only."""

from __future__ import annotations

import secrets
import time
from functools import partial
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Query
from pydantic import Field

from ken.domain.alert import Alert, AlertState, Severity, Silence
from ken.errors import InvalidInput, NotFound
from ken.operations.alerts.rule_table import RuleTable
from ken.operations.alerts.rules import check_labels
from ken.service.alert_shapes import AlertRuleShape, rule_shapes
from ken.service.context import Opened, Operating
from ken.service.shapes import Shape, Text

router = APIRouter(tags=["alerts"])

_LONGEST_S = 90 * 86_400.0


class AlertShape(Shape):
    """One alert."""

    fingerprint: str
    rule: str
    labels: dict[str, str]
    severity: Severity
    group: str
    state: AlertState
    began_at: float
    since: float = Field(description="when it went into this state")
    fired_at: float | None
    resolved_at: float | None
    value: float | None
    expected: float | None = Field(description="the limit, the baseline, or the figure before")
    count: int
    summary: str
    runbook: str
    where: str = Field(description="the filter that finds the traces behind it")
    traces: tuple[str, ...]
    notified_at: float | None

    @classmethod
    def of(cls, alert: Alert) -> AlertShape:
        """As it is sent."""
        told = {name: getattr(alert, name) for name in cls.model_fields if name != "labels"}
        return cls(labels=dict(alert.labels), **told)


class SilenceShape(Shape):
    """Nobody is told of a rule's alerts until a time."""

    id: str
    rule: str
    labels: dict[str, str]
    until: float
    made_at: float
    made_by: str
    reason: str

    @classmethod
    def of(cls, silence: Silence) -> SilenceShape:
        """As it is sent."""
        told = {name: getattr(silence, name) for name in cls.model_fields if name != "labels"}
        return cls(labels=dict(silence.labels), **told)


class AlertsShape(Shape):
    """What is on comes first."""

    alerts: tuple[AlertShape, ...]
    silences: tuple[SilenceShape, ...]


class ChangeShape(Shape):
    """What became of an alert."""

    at: float
    old: AlertState | None
    new: AlertState
    alert: AlertShape


class SilenceBody(Shape):
    """What is to be silent, and for how long."""

    rule: Text = Field(description="a rule's name, or * for all")
    labels: dict[str, Text] = Field(default_factory=dict[str, str])
    seconds: float = Field(gt=0, le=_LONGEST_S)
    reason: Text = ""


@router.get("/api/alerts", summary="Which alerts are there?")
async def alerts(ken: Opened, principal: Operating) -> AlertsShape:
    """Those that are on, those that wait to fire, those that were over in the last day; and the silences in force."""
    _ = principal
    standing = await anyio.to_thread.run_sync(ken.alerting.book.standing, time.time())
    order: dict[str, int] = {"firing": 0, "silenced": 1, "pending": 2, "resolved": 3}
    found = sorted(standing.alerts.values(), key=lambda alert: (order[alert.state], -alert.since))
    return AlertsShape(alerts=tuple(map(AlertShape.of, found)), silences=tuple(map(SilenceShape.of, standing.silences)))


@router.post("/api/alerts", summary="Look at the rules now")
async def look(ken: Opened, principal: Operating) -> AlertsShape:
    """As the job does every half minute; then the alerts as they stand."""
    await ken.alerting.job.run()
    return await alerts(ken, principal)


@router.get("/api/alerts/history", summary="What became of alerts")
async def history(
    ken: Opened,
    principal: Operating,
    *,
    hours: Annotated[float, Query(gt=0, le=24 * 366)] = 24.0,
    rule: Annotated[str | None, Query()] = None,
    severity: Annotated[Severity | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 200,
) -> tuple[ChangeShape, ...]:
    """The newest first: when each began to fire, was silenced, was over."""
    _ = principal
    read = partial(
        ken.alerting.book.changes, since=time.time() - hours * 3600, rule=rule, severity=severity, limit=limit
    )
    changes = await anyio.to_thread.run_sync(read)
    return tuple(
        ChangeShape(at=each.at, old=each.old, new=each.new, alert=AlertShape.of(each.alert)) for each in changes
    )


@router.get("/api/alerts/rules", summary="Which rules are in force?")
async def rules(ken: Opened, principal: Operating) -> tuple[AlertRuleShape, ...]:
    """Those that Ken comes with, as the files and the API have changed them, and those besides."""
    _ = principal
    return await anyio.to_thread.run_sync(rule_shapes, ken.alerting)


@router.post("/api/alerts/rules", summary="Add a rule, or change one by its name")
async def put_rule(table: dict[str, object], ken: Opened, principal: Operating) -> AlertRuleShape:
    """The fields are those of alerts.toml. Of a rule that is there already, the ones that are named change."""
    _ = principal
    unknown = sorted(table.keys() - {*RuleTable.model_fields, "for"})
    if not isinstance(table.get("name"), str):
        raise InvalidInput("A rule has a `name`, in small letters.", param="name")
    if unknown:
        raise InvalidInput(f"A rule has no field {unknown[0]!r}. docs/guides/alerts.md lists all.", param=unknown[0])
    made = await anyio.to_thread.run_sync(ken.alerting.put_rule, table)
    return next(rule for rule in await anyio.to_thread.run_sync(rule_shapes, ken.alerting) if rule.name == made.name)


@router.delete("/api/alerts/rules/{name}", summary="Forget what the API said of a rule", status_code=204)
async def drop_rule(name: str, ken: Opened, principal: Operating) -> None:
    """A rule that Ken comes with, or that a file has, is again as it was there."""
    _ = principal
    await anyio.to_thread.run_sync(ken.alerting.book.drop_rule, name)


@router.get("/api/alerts/silences", summary="Which silences are in force?")
async def silences(ken: Opened, principal: Operating) -> tuple[SilenceShape, ...]:
    """The oldest first."""
    _ = principal
    found = await anyio.to_thread.run_sync(ken.alerting.book.silences, time.time())
    return tuple(map(SilenceShape.of, found))


@router.post("/api/alerts/silences", summary="Have nobody told of a rule's alerts for a while")
async def silence(body: SilenceBody, ken: Opened, principal: Operating) -> SilenceShape:
    """What is on stays on record; who was told before is told when it is over."""
    rules = await anyio.to_thread.run_sync(ken.alerting.rules)
    if body.rule not in {*(rule.name for rule in rules), "*"}:
        raise NotFound(f"There is no rule {body.rule!r}. GET /api/alerts/rules lists all.")
    check_labels(body.rule, body.labels, rules=rules)
    now = time.time()
    made = Silence(
        id=secrets.token_hex(6),
        rule=body.rule,
        labels=tuple(sorted(body.labels.items())),
        until=now + body.seconds,
        made_at=now,
        made_by=principal.id,
        reason=body.reason,
    )
    await anyio.to_thread.run_sync(ken.alerting.book.silence, made)
    return SilenceShape.of(made)


@router.delete("/api/alerts/silences/{silence_id}", summary="End a silence", status_code=204)
async def unsilence(silence_id: str, ken: Opened, principal: Operating) -> None:
    """At the next look, who is to be told is told."""
    _ = principal
    await anyio.to_thread.run_sync(ken.alerting.book.unsilence, silence_id)


@router.get("/api/alerts/{fingerprint}", summary="One alert")
async def alert(fingerprint: str, ken: Opened, principal: Operating) -> AlertShape:
    """As it stands, or as it was when it was last on."""
    _ = principal
    book = ken.alerting.book
    standing = await anyio.to_thread.run_sync(book.standing, time.time())
    found = standing.alerts.get(fingerprint)
    if found is None:
        past = await anyio.to_thread.run_sync(book.changes)
        found = next((each.alert for each in past if each.alert.fingerprint == fingerprint), None)
    if found is None:
        raise NotFound(f"There is no alert {fingerprint!r}. GET /api/alerts/history lists those of the last days.")
    return AlertShape.of(found)
