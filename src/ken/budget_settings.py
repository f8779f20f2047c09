"""The `[[budgets]]` and `[prices]` tables of ken.toml: what may be spent, and what things cost."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ken.domain.answer import TaskType
from ken.domain.budget import Budget, BudgetPeriod, BudgetScope
from ken.telemetry.prices import Price

EACH = "*"
"""In the place of a name: each one has this much."""

_AMOUNT = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?")
_MILLION = 1_000_000
_NAMED: tuple[BudgetScope, ...] = ("principal", "group", "task_type", "release")

Micros = Annotated[int, Field(ge=0)]


class PriceSettings(BaseModel):
    """One table below `[prices]`: what a model costs, in millionths of the price list's currency per million tokens."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: Micros | None = None
    output: Micros | None = None
    """Embedders have none."""
    cache_read: Micros | None = None
    cache_write: Micros | None = None
    search: Micros | None = None
    """Millionths a search, for rerankers that are billed so."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.input is None and self.search is None:
            raise ValueError("a price has `input` (and `output`, for models that write), or `search`")
        if self.search is not None and (self.input, self.output) != (None, None):
            raise ValueError("what is paid by the `search` isn't paid by tokens as well")
        return self

    @property
    def price(self) -> Price:
        """As the price list has it."""
        return Price(
            input=self.input,
            output=self.output,
            cache_read=self.cache_read,
            cache_write=self.cache_write,
            search=self.search,
        )


class BudgetSettings(BaseModel):
    """One `[[budgets]]` table: for all, or for whom or what one of four settings names."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=100)
    """What people are told is used up."""
    principal: str | None = Field(default=None, min_length=1)
    """The id of a key, or `*` for each."""
    group: str | None = Field(default=None, min_length=1)
    task_type: TaskType | Literal["door", "*"] | None = None
    """`door`: what the plain gateway passes on."""
    release: str | None = Field(default=None, min_length=1)
    per: BudgetPeriod = "month"
    """Days and months are those of UTC."""
    money: str | None = None
    """In the price list's currency, as text: 0.1 is no number that a computer's fractions can hold."""
    tokens: int | None = Field(default=None, ge=0)
    """Of prompts and answers together."""
    soft: float = Field(default=Budget(name="").soft, ge=0, le=1)
    """The share from which on answers are made with less."""
    hard: bool = Budget(name="").is_hard
    """Whether a call that doesn't fit is refused."""

    @field_validator("money")
    @classmethod
    def _is_an_amount(cls, money: str | None) -> str | None:
        if money is not None and not _AMOUNT.fullmatch(money):
            raise ValueError('it is an amount, as in "5.00", with six decimals at most')
        return money

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        if (self.money is None) == (self.tokens is None):
            raise ValueError('a budget is of `money`, as in "5.00", or of `tokens`')
        if sum(getattr(self, scope) is not None for scope in _NAMED) > 1:
            raise ValueError(f"a budget is for one of {', '.join(_NAMED)}; write another table for the other")
        return self

    @property
    def budget(self) -> Budget:
        """As the gateway has it."""
        named: list[BudgetScope] = [scope for scope in _NAMED if getattr(self, scope) is not None]
        scope = named[0] if named else "all"
        of = getattr(self, scope) if scope != "all" else ""
        return Budget(
            name=self.name,
            scope=scope,
            of=None if of == EACH else of,
            period=self.per,
            micros=None if self.money is None else int(Decimal(self.money) * _MILLION),
            tokens=self.tokens,
            soft=self.soft,
            is_hard=self.hard,
        )
