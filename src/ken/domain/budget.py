"""Budgets: how much may be spent, by whom or for what, in a day or a month; and how one stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from ken.domain.call import Purpose

BudgetScope = Literal["all", "principal", "group", "task_type", "release"]
BudgetPeriod = Literal["day", "month"]
BudgetState = Literal["normal", "short", "exhausted"]

SCOPES: tuple[BudgetScope, ...] = ("all", "principal", "group", "task_type", "release")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Whose spending in which period: the key of a counter."""

    scope: BudgetScope
    of: str
    """Empty for `all`."""
    period: str
    """`2026-11-22` or `2026-11`, in UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A limit of money or of tokens."""

    name: str
    scope: BudgetScope = "all"
    of: str | None = None
    """Whose; None: each one of the scope has this much."""
    period: BudgetPeriod = "month"
    micros: int | None = None
    """Millionths of the price list's currency; None where tokens are limited."""
    tokens: int | None = None
    soft: float = 0.8
    """From this share on it is short."""
    is_hard: bool = True
    """Whether a call that would go beyond it is refused; else it only becomes short."""

    @property
    def limit(self) -> int:
        """Millionths or tokens."""
        return (self.tokens if self.micros is None else self.micros) or 0

    def counted(self, purpose: Purpose, at: float) -> tuple[Counted, ...]:
        """The counters that a call for this purpose falls under; empty where the budget doesn't bind it."""
        names = [of for of in named(purpose, self.scope) if self.of is None or of == self.of]
        return tuple(Counted(scope=self.scope, of=of, period=period_of(at, self.period)) for of in names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a counter has come to."""

    reserved_micros: int = 0
    final_micros: int = 0
    reserved_tokens: int = 0
    final_tokens: int = 0
    calls: int = 0
    unknown_calls: int = 0
    """Ended calls whose price is unknown: their cost is not in the sums."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Burn:
    """How far a budget is used up, for one whom it binds."""

    budget: Budget
    counted: Counted
    spent: Spent
    resets_at: float
    """Seconds since the epoch."""

    @property
    def used(self) -> int:
        """Millionths or tokens, what is reserved for calls under way included."""
        if self.budget.micros is None:
            return self.spent.final_tokens + self.spent.reserved_tokens
        return self.spent.final_micros + self.spent.reserved_micros

    @property
    def left(self) -> int:
        """Millionths or tokens; 0 at the least."""
        return max(0, self.budget.limit - self.used)

    @property
    def share(self) -> float:
        """Of the limit that is used up; 1 and more: all of it."""
        return self.used / self.budget.limit if self.budget.limit else 1.0

    @property
    def state(self) -> BudgetState:
        """Where it stands; a budget that isn't hard is never exhausted."""
        if self.share >= 1 and self.budget.is_hard:
            return "exhausted"
        return "short" if self.share >= self.budget.soft else "normal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast a budget is used up, against one that would last exactly to the end of its period."""

    began_at: float
    """Seconds since the epoch, as the others."""
    elapsed: float
    """The share of the period that is over, 0 to 1."""
    even: int
    """Millionths or tokens: what an even pace would have used by now."""
    projected: int | None
    """What will have been used at the end if it goes on like this; None while too little of the period is over to tell."""
    runs_out_at: float | None
    """When the limit is then reached; None where it isn't before the end, or can't be told yet."""


_EARLY = 0.05
"""Of a period: before that, one call would be taken for a habit."""


def pace(burn: Burn, at: float) -> Pace:
    """How fast a budget is used up at a time within its period, seconds since the epoch."""
    began = began_at(at, burn.budget.period)
    length = burn.resets_at - began
    elapsed = min(1.0, max(0.0, (at - began) / length))
    limit, used = burn.budget.limit, burn.used
    tells = elapsed >= _EARLY
    runs_out = began + length * elapsed * limit / used if tells and used else None
    return Pace(
        began_at=began,
        elapsed=elapsed,
        even=round(limit * elapsed),
        projected=round(used / elapsed) if tells else None,
        runs_out_at=runs_out if runs_out is not None and runs_out < burn.resets_at else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetStanding:
    """How the scarcest of the budgets that bind a purpose stands: what a stage decides by."""

    state: BudgetState = "normal"
    burn: Burn | None = None
    """Of the scarcest; None where no budget binds."""
    notice: str = ""
    """For people; empty while all is normal."""

    @property
    def is_short(self) -> bool:
        """Whether to use a lighter tier, fewer passages and shorter answers."""
        return self.state != "normal"


def named(purpose: Purpose, scope: BudgetScope) -> tuple[str, ...]:
    """What a purpose is called within a scope; empty where it has no name there."""
    match scope:
        case "all":
            return ("",)
        case "principal":
            return (purpose.principal,)
        case "group":
            return tuple(sorted(purpose.groups))
        case "task_type":
            return (purpose.task_type,) if purpose.task_type else ()
        case "release":
            return (purpose.release,) if purpose.release else ()


def period_of(at: float, period: BudgetPeriod) -> str:
    """The name of the day or the month that a time is in, in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d" if period == "day" else "%Y-%m")


def began_at(at: float, period: BudgetPeriod) -> float:
    """When the day or the month that a time is in began, in seconds since the epoch."""
    start = datetime.fromtimestamp(at, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return (start if period == "day" else start.replace(day=1)).timestamp()


def resets_at(at: float, period: BudgetPeriod) -> float:
    """When the day or the month that a time is in ends, in seconds since the epoch."""
    start = datetime.fromtimestamp(at, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if period == "day":
        return (start + timedelta(days=1)).timestamp()
    return (start.replace(day=1) + timedelta(days=32)).replace(day=1).timestamp()


def scarcest(burns: Iterable[Burn]) -> Burn | None:
    """The one that is used up furthest; a hard one before one that isn't."""
    return max(burns, key=lambda burn: (burn.state == "exhausted", burn.share), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a reservation was not taken."""

    burn: Burn
    """Of the budget that it would have gone beyond."""
    asked: int | None
    """Millionths or tokens; None: the price is unknown, so that a budget of money can't hold."""
