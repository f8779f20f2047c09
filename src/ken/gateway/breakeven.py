"""When a machine of one's own pays: its cost a month against what the same tokens cost at a provider."""

from __future__ import annotations

from dataclasses import dataclass

DAYS = 365.25 / 12
"""In a month."""
_DAY_S = 86_400
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What would serve a model in the house."""

    month_micros: int
    """Rent or depreciation with power and upkeep, in millionths of the currency."""
    tokens_per_s: float
    """That it reads and writes together, busy."""
    busy: float = 0.3
    """The share of a day in which there is work for it; nights and lulls are paid for, too."""

    @property
    def most_tokens(self) -> float:
        """A day."""
        return self.tokens_per_s * _DAY_S * self.busy


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Tokens a day, and what a provider takes for them."""

    input_tokens: float
    output_tokens: float
    input_price: int
    """Millionths of the currency per million tokens."""
    output_price: int

    @property
    def tokens(self) -> float:
        """A day."""
        return self.input_tokens + self.output_tokens

    @property
    def day_micros(self) -> float:
        """What a provider takes for a day."""
        return (self.input_tokens * self.input_price + self.output_tokens * self.output_price) / _MILLION

    @property
    def million_micros(self) -> float:
        """For a million tokens, in the day's mix of reading and writing; 0 of an empty day."""
        return self.day_micros * _MILLION / self.tokens if self.tokens else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakEven:
    """Both sides of the sum."""

    provider_month_micros: int
    machines: int
    """That the load takes."""
    machines_month_micros: int
    tokens_a_day: int | None
    """From which on one machine pays, in the same mix; None where the provider's tokens cost nothing."""
    fits: bool
    """Whether one machine can serve that many: else it never pays at this price, however many tokens there are."""

    @property
    def pays(self) -> bool:
        """Whether the house is cheaper for this load."""
        return self.machines_month_micros < self.provider_month_micros


def break_even(load: Load, machine: Machine) -> BreakEven:
    """Weigh a load at a provider against machines of one's own."""
    machines = max(1, -(-int(load.tokens) // max(1, int(machine.most_tokens))))
    needed = machine.month_micros / DAYS / load.million_micros * _MILLION if load.million_micros else None
    return BreakEven(
        provider_month_micros=round(load.day_micros * DAYS),
        machines=machines,
        machines_month_micros=machines * machine.month_micros,
        tokens_a_day=None if needed is None else round(needed),
        fits=needed is not None and needed <= machine.most_tokens,
    )
