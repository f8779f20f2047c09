"""How far the budgets are used up."""

from __future__ import annotations

import time
from functools import partial
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Query
from pydantic import Field

from ken.domain.budget import BudgetPeriod, BudgetScope, BudgetState, Burn, Spent, pace, period_of
from ken.domain.call import Purpose
from ken.domain.principal import Principal
from ken.errors import NotFound
from ken.service.context import Asking, Opened
from ken.service.shapes import Shape
from ken.wiring import Ken

router = APIRouter(tags=["gateway"])

_DAY_S = 86_400
_DAYS = 14
"""Shown of a budget by the day: a week and the one before it."""


class BurnShape(Shape):
    """One budget, for one whom it binds; amounts are millionths of the currency, or tokens."""

    name: str
    scope: BudgetScope
    of: str = Field(description="whose, or what for; empty for all together")
    period: BudgetPeriod
    is_money: bool
    limit: int
    used: int = Field(description="`reserved` included")
    reserved: int = Field(description="held for calls under way")
    left: int
    share: float = Field(description="of the limit that is used; 1 and more: all of it")
    soft: float = Field(description="the share from which answers are made with less")
    is_hard: bool = Field(description="whether calls that don't fit are refused")
    state: BudgetState
    calls: int
    unknown_calls: int = Field(description="of the calls, those without a known price: their cost comes on top")
    resets_at: float
    began_at: float = Field(description="when the period began")
    elapsed: float = Field(description="the share of the period that is over")
    even: int = Field(description="what an even pace would have used by now")
    projected: int | None = Field(description="by the end, at the pace so far; null while it is too early to tell")
    runs_out_at: float | None = Field(description="when the limit is then reached, if before the end")


class BudgetsShape(Shape):
    """The scarcest budget first."""

    currency: str
    budgets: tuple[BurnShape, ...]


@router.get("/api/gateway/budgets", summary="How far are the budgets used up?")
async def budgets(ken: Opened, principal: Asking) -> BudgetsShape:
    """Operators see all, with everyone whom one of them binds and who spent something; others those that bind them."""
    burns, now = await _seen(ken, principal), time.time()
    return BudgetsShape(currency=ken.providers.budgets.currency, budgets=tuple(shaped(burn, at=now) for burn in burns))


class DaySpentShape(Shape):
    """A UTC day of a budget; `used` in millionths of the currency, or tokens."""

    day: str
    used: int
    calls: int
    unknown_calls: int


class BudgetDaysShape(Shape):
    """Every day from `since` to today, those without a call among them."""

    name: str
    of: str
    is_money: bool
    limit: int
    since: str
    days: tuple[DaySpentShape, ...]


@router.get("/api/gateway/budgets/days", summary="How was a budget used up, day by day?")
async def days(
    ken: Opened,
    principal: Asking,
    name: Annotated[str, Query(description="of the budget")],
    *,
    of: Annotated[str, Query(description="whose, or what for; empty for all together")] = "",
) -> BudgetDaysShape:
    """The days of the present month, for a budget by the month; the last fourteen, for one by the day."""
    burn = next(
        (each for each in await _seen(ken, principal) if each.budget.name == name and each.counted.of == of), None
    )
    if burn is None:
        raise NotFound(f"There is no budget {name!r} of {of!r} that you may see. GET /api/gateway/budgets lists them.")
    now, is_money = time.time(), burn.budget.micros is not None
    first = now - (_DAYS - 1) * _DAY_S if burn.budget.period == "day" else pace(burn, now).began_at
    named = [period_of(at, "day") for at in range(int(first), int(now) + 1, _DAY_S)]
    named = list(dict.fromkeys((*named, period_of(now, "day"))))
    ledger = ken.providers.stacks.books.ledger
    found = await anyio.to_thread.run_sync(partial(ledger.by_day, burn.counted.scope, of, since=named[0]))
    return BudgetDaysShape(
        name=name,
        of=of,
        is_money=is_money,
        limit=burn.budget.limit,
        since=named[0],
        days=tuple(_day(day, found.get(day, Spent()), is_money=is_money) for day in named),
    )


def _day(day: str, spent: Spent, *, is_money: bool) -> DaySpentShape:
    money, tokens = spent.final_micros + spent.reserved_micros, spent.final_tokens + spent.reserved_tokens
    used = money if is_money else tokens
    return DaySpentShape(day=day, used=used, calls=spent.calls, unknown_calls=spent.unknown_calls)


async def _seen(ken: Ken, principal: Principal) -> tuple[Burn, ...]:
    """All of them for an operator; those that bind them for others."""
    held = ken.providers.budgets
    if principal.is_operator:
        return await held.all_burns()
    return await held.burns(Purpose(principal=principal.id, groups=principal.groups))


def shaped(burn: Burn, *, at: float) -> BurnShape:
    """As it is sent."""
    budget, spent, told = burn.budget, burn.spent, pace(burn, at)
    is_money = budget.micros is not None
    return BurnShape(
        name=budget.name,
        scope=budget.scope,
        of=burn.counted.of,
        period=budget.period,
        is_money=is_money,
        limit=budget.limit,
        used=burn.used,
        reserved=spent.reserved_micros if is_money else spent.reserved_tokens,
        left=burn.left,
        share=burn.share,
        soft=budget.soft,
        is_hard=budget.is_hard,
        state=burn.state,
        calls=spent.calls,
        unknown_calls=spent.unknown_calls,
        resets_at=burn.resets_at,
        began_at=told.began_at,
        elapsed=told.elapsed,
        even=told.even,
        projected=told.projected,
        runs_out_at=told.runs_out_at,
    )
