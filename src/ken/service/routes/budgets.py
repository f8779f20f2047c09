"""How far the budgets are used up."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import Field

from ken.domain.budget import BudgetPeriod, BudgetScope, BudgetState, Burn
from ken.domain.call import Purpose
from ken.service.context import Asking, Opened
from ken.service.shapes import Shape

router = APIRouter(tags=["gateway"])


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


class BudgetsShape(Shape):
    """The scarcest budget first."""

    currency: str
    budgets: tuple[BurnShape, ...]


@router.get("/api/gateway/budgets", summary="How far are the budgets used up?")
async def budgets(ken: Opened, principal: Asking) -> BudgetsShape:
    """Operators see all, with everyone whom one of them binds and who spent something; others those that bind them."""
    held = ken.providers.budgets
    if principal.is_operator:
        burns = await held.all_burns()
    else:
        burns = await held.burns(Purpose(principal=principal.id, groups=principal.groups))
    return BudgetsShape(currency=held.currency, budgets=tuple(map(shaped, burns)))


def shaped(burn: Burn) -> BurnShape:
    """As it is sent."""
    budget, spent = burn.budget, burn.spent
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
    )
