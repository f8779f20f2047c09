"""One alert rule: as it is written, what is wrong with it, what it would have said of the record. Operators only."""

from __future__ import annotations

import threading
import time

import anyio.to_thread
from fastapi import APIRouter, Request
from pydantic import Field

from ken.alerting import Alerting
from ken.errors import InvalidInput, NotFound
from ken.operations.alerts.backtest import LONGEST_S
from ken.operations.alerts.faults import faults_of
from ken.operations.alerts.rule import Rule
from ken.operations.alerts.rules import read_rule
from ken.operations.alerts.words import described
from ken.service.alert_shapes import (
    BacktestShape,
    CheckedShape,
    FieldFaultShape,
    RuleFormShape,
    backtest_shape,
    form_shape,
    rule_unit,
)
from ken.service.context import Opened, Operating
from ken.service.event_stream import until_hang_up
from ken.service.shapes import Shape, Text
from ken.wiring import Ken

router = APIRouter(tags=["alerts"])

_DAY_S = 86_400.0
_MINUTE_S = 60.0
_MOST_S = 20.0
"""A back-test that takes longer tells how far it came."""


class BacktestBody(Shape):
    """Which rule, and over what time."""

    name: Text | None = Field(None, description="a rule in force, as it is")
    rule: dict[str, object] | None = Field(
        None, description="or one as `POST /api/alerts/rules` takes it: nothing of it is kept"
    )
    since: float | None = Field(None, description="seconds since the epoch; without it, a day before the end")
    until: float | None = Field(None, description="seconds since the epoch; without it, now")
    at_most_s: float = Field(_MOST_S, gt=0, le=_MOST_S, description="it stops after so many seconds, as far as it came")


@router.get("/api/alerts/rules/{name}", summary="One rule as it is written", response_model_exclude_unset=True)
async def rule_form(name: str, ken: Opened, principal: Operating) -> RuleFormShape:
    """Its fields as in alerts.toml, and which file, or who else, says what of it."""
    _ = principal
    found = await anyio.to_thread.run_sync(form_shape, ken.alerting, name)
    if found is None:
        raise NotFound(f"There is no rule {name!r}. GET /api/alerts/rules lists all.")
    return found


@router.post("/api/alerts/rules/check", summary="What is wrong with a rule?")
async def check(table: dict[str, object], ken: Opened, principal: Operating) -> CheckedShape:
    """Looks at a table as `POST /api/alerts/rules` takes it, keeps nothing, and says what is wrong with it, each at its place."""
    _ = principal
    if not isinstance(table.get("name"), str):
        return CheckedShape(faults=(_no_name(),), looks_for=None, unit=None)
    whole = await anyio.to_thread.run_sync(ken.alerting.tabled, table)
    faults = faults_of(whole)
    rule = None if faults else read_rule(whole, place="the API")
    return CheckedShape(
        faults=tuple(FieldFaultShape.model_validate(fault) for fault in faults),
        looks_for=None if rule is None else described(rule),
        unit=None if rule is None else rule_unit(rule),
    )


@router.post("/api/alerts/backtest", summary="When would a rule have fired?")
async def tried(body: BacktestBody, request: Request, ken: Opened, principal: Operating) -> BacktestShape:
    """The engine itself looks at the record, step by step, 28 days at most; nobody is told. It ends when its client hangs up."""
    _ = principal
    found = await until_hang_up(request.receive, _tried(ken, body))
    if found is None:  # nobody is there any more to read this
        raise InvalidInput("The client hung up.")
    return found


async def _tried(ken: Ken, body: BacktestBody) -> BacktestShape:
    now = time.time()
    until = (now if body.until is None else min(body.until, now)) // _MINUTE_S * _MINUTE_S
    since = (until - _DAY_S if body.since is None else body.since) // _MINUTE_S * _MINUTE_S
    if not 0 < until - since <= LONGEST_S:
        raise InvalidInput(
            f"A back-test goes over some minutes to {LONGEST_S / _DAY_S:.0f} days, and its time begins before it ends.",
            param="since",
        )
    await anyio.to_thread.run_sync(ken.recorder.flush)
    ending = threading.Event()
    end = time.monotonic() + body.at_most_s

    def work() -> BacktestShape:
        rule = _rule(ken.alerting, body)
        found = ken.alerting.tried(
            rule, since=since, until=until, is_over=lambda: ending.is_set() or time.monotonic() > end
        )
        return backtest_shape(found)

    try:
        return await anyio.to_thread.run_sync(work, abandon_on_cancel=True)
    finally:
        ending.set()


def _rule(alerting: Alerting, body: BacktestBody) -> Rule:
    """Raises InvalidInput, NotFound, StorageError."""
    if body.rule is not None:
        return alerting.read(body.rule)
    found = next((rule for rule in alerting.rules() if rule.name == body.name), None)
    if found is None:
        raise NotFound(f"There is no rule {body.name!r}. GET /api/alerts/rules lists all.", param="name")
    return found


def _no_name() -> FieldFaultShape:
    return FieldFaultShape(field="name", what="a rule has a name, in small letters", at=None)
