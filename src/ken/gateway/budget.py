"""Budgets: how those that bind a purpose stand, for the stages to decide by, and what is said when one is used up.

A soft limit is looked at here, before the stages spend; a hard one holds at the reservation of each call (`books.py`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

import anyio.to_thread

from ken.domain.budget import Budget, BudgetStanding, Burn, Counted, Refusal, Spent, period_of, resets_at, scarcest
from ken.domain.call import Purpose
from ken.errors import BudgetExceeded, KenError, Unpriced
from ken.storage.ledger import Ledger
from ken.telemetry.prices import money


class Budgets:
    """The operator's budgets over one ledger. Methods raise StorageError."""

    def __init__(
        self,
        ledger: Ledger,
        budgets: Sequence[Budget] = (),
        *,
        currency: str = "USD",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.budgets: tuple[Budget, ...] = tuple(budgets)
        self._ledger = ledger
        self.currency: str = currency
        self._clock = clock

    async def standing(self, purpose: Purpose) -> BudgetStanding:
        """How the scarcest budget that binds a purpose stands; what is reserved for calls under way counts."""
        burn = scarcest(await self.burns(purpose))
        if burn is None:
            return BudgetStanding()
        return BudgetStanding(state=burn.state, burn=burn, notice=notice(burn, self.currency))

    async def check(self, purpose: Purpose) -> BudgetStanding:
        """As `standing`; raises BudgetExceeded where it is exhausted."""
        standing = await self.standing(purpose)
        if standing.state == "exhausted" and standing.burn is not None:
            raise BudgetExceeded(standing.notice, resets_at=standing.burn.resets_at)
        return standing

    async def burns(self, purpose: Purpose) -> tuple[Burn, ...]:
        """How far each budget that binds a purpose is used up, the scarcest first."""
        now = self._clock()
        bound = [(budget, counted) for budget in self.budgets for counted in budget.counted(purpose, now)]
        if not bound:
            return ()
        spent = await anyio.to_thread.run_sync(self._ledger.spent, {counted for _, counted in bound})
        return _sorted(_burn(budget, counted, spent, now) for budget, counted in bound)

    async def all_burns(self) -> tuple[Burn, ...]:
        """How far every budget is used up, for each of those it binds that have spent anything; the scarcest first."""
        now = self._clock()
        periods = {period_of(now, budget.period) for budget in self.budgets}
        if not periods:
            return ()
        spent: dict[Counted, Spent] = {}
        for period in periods:
            spent |= await anyio.to_thread.run_sync(self._ledger.in_period, period)
        return _sorted(
            _burn(budget, counted, spent, now)
            for budget in self.budgets
            for counted in _bound(budget, spent, period_of(now, budget.period))
        )


def notice(burn: Burn, currency: str = "USD") -> str:
    """Say for people how far a budget is used up; empty while it is not short."""
    match burn.state:
        case "normal":
            return ""
        case "short":
            left = f"{amount(burn, burn.left, currency=currency)} of {amount(burn, burn.budget.limit, currency=currency)} are left"
            return f"The budget {burn.budget.name!r} is short: {left} until {_time(burn.resets_at)}."
        case "exhausted":
            return (
                f"The budget {burn.budget.name!r} is used up: {amount(burn, burn.budget.limit, currency=currency)} a "
                f"{burn.budget.period}. It begins anew at {_time(burn.resets_at)}; an operator can raise it in ken.toml."
            )


def refused(refusal: Refusal, model: str, *, currency: str = "USD") -> KenError:
    """The error that tells why a reservation was not taken."""
    burn = refusal.burn
    if refusal.asked is None:
        return Unpriced(
            f"The model {model!r} has no price, so the budget {burn.budget.name!r} could not hold. "
            f"Name its price below [prices] in ken.toml, or let that budget be a soft one."
        )
    if burn.left == 0:
        return BudgetExceeded(notice(burn, currency), resets_at=burn.resets_at)
    return BudgetExceeded(
        f"The budget {burn.budget.name!r} has {amount(burn, burn.left, currency=currency)} left until {_time(burn.resets_at)}, and this "
        f"call of {model!r} may cost {amount(burn, refusal.asked, currency=currency)}. Ask for less, or wait until then.",
        resets_at=burn.resets_at,
    )


def amount(burn: Burn, value: int, *, currency: str = "USD") -> str:
    """Write what a budget counts, for people."""
    return f"{value:,} tokens" if burn.budget.micros is None else money(value, currency)


def _burn(budget: Budget, counted: Counted, spent: dict[Counted, Spent], now: float) -> Burn:
    found = spent.get(counted, Spent())
    return Burn(budget=budget, counted=counted, spent=found, resets_at=resets_at(now, budget.period))


def _bound(budget: Budget, spent: dict[Counted, Spent], period: str) -> list[Counted]:
    """Whom a budget binds: the one that it names, else whoever has spent anything."""
    if budget.scope == "all" or budget.of is not None:
        return [Counted(scope=budget.scope, of=budget.of or "", period=period)]
    return [counted for counted in spent if counted.scope == budget.scope and counted.period == period]


def _sorted(burns: Iterable[Burn]) -> tuple[Burn, ...]:
    return tuple(sorted(burns, key=lambda burn: burn.share, reverse=True))


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
