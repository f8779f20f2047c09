"""What a call costs, in integers: millionths of the price list's currency."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib import resources
from typing import cast

from ken.domain.usage import Usage
from ken.errors import InvalidSetting

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Millionths of the currency per million tokens: 2_500_000 for 2.50 a million."""

    input: int
    output: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """A price list: patterns of model names with their prices, the first match counts. In patterns, `*` is a wildcard."""

    version: str
    """The date of the list, ISO 8601."""
    currency: str
    """ISO 4217."""
    entries: tuple[tuple[str, Price], ...]

    @classmethod
    def shipped(cls, own: Mapping[str, Price] | None = None) -> Prices:
        """Read the list that comes with Ken. An operator's own prices, in its currency, come before it.

        Raises InvalidSetting for an own price below 0.
        """
        for name, price in (own or {}).items():
            if price.input < 0 or price.output < 0:
                raise InvalidSetting(
                    f"The price of {name!r} is below 0. Give millionths of a dollar per million tokens."
                )
        listed = tomllib.loads(resources.files("ken.telemetry").joinpath("prices.toml").read_text("utf-8"))
        models = cast("list[dict[str, list[str] | int]]", listed["model"])
        return cls(
            version=str(listed["version"]),
            currency=str(listed["currency"]),
            entries=(*(own or {}).items(), *(entry for model in models for entry in _entries(model))),
        )

    def of(self, model: str) -> Price | None:
        """Find a model's price; None where the list doesn't have it."""
        return next((price for pattern, price in self.entries if fnmatchcase(model, pattern)), None)

    def cost_micros(self, model: str, usage: Usage) -> int | None:
        """Work out the cost of a call in millionths of the currency; None where the price is unknown.

        Rounded up once, over input and output together: what was used never looks free.
        """
        price = self.of(model)
        if price is None:
            return None
        exact = usage.input_tokens * price.input + usage.output_tokens * price.output
        return -(-exact // _MILLION)


def _entries(model: Mapping[str, list[str] | int]) -> list[tuple[str, Price]]:
    price = Price(input=cast("int", model["input"]), output=cast("int", model["output"]))
    return [(name, price) for name in cast("list[str]", model["names"])]


def money(micros: int | None, currency: str = "USD") -> str:
    """Write an amount for people: `$0.001250`, with cents alone from a dollar on; `unknown` for None."""
    if micros is None:
        return "unknown"
    sign = "$" if currency == "USD" else f"{currency} "
    units, rest = divmod(micros, _MILLION)
    if units == 0 and rest:
        return f"{sign}0.{rest:06d}"
    # Half a cent and more counts as one.
    cents = (micros + 5_000) // 10_000
    return f"{sign}{cents // 100:,}.{cents % 100:02d}"
