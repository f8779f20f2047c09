"""What a call costs, in integers: millionths of the price list's currency."""

from __future__ import annotations

import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from importlib import resources
from typing import cast

from ken.domain.usage import Usage
from ken.errors import InvalidSetting

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Millionths of the currency per million tokens: 2_500_000 for 2.50 a million. None: not sold, or not known."""

    input: int | None = None
    output: int | None = None
    """None for embeddings, which have no output."""
    cache_read: int | None = None
    """Of the input: what came from the provider's prompt cache. None: priced as other input."""
    cache_write: int | None = None
    """Of the input: what went into the provider's prompt cache. None: priced as other input."""
    search: int | None = None
    """Millionths a search, for rerankers that are billed so: then tokens cost nothing."""

    def cost_micros(self, usage: Usage, *, searches: int = 1) -> int | None:
        """Work out the cost of a call; None where it used something that has no price.

        Rounded up once, over all kinds of tokens together: what was used never looks free.
        """
        if self.search is not None:
            return searches * self.search
        read, written = usage.cache_read_tokens, usage.cache_write_tokens
        exact = 0
        for tokens, price in (
            (max(0, usage.input_tokens - read - written), self.input),
            (read, self.input if self.cache_read is None else self.cache_read),
            (written, self.input if self.cache_write is None else self.cache_write),
            (usage.output_tokens, self.output),
        ):
            if tokens and price is None:
                return None
            exact += tokens * (price or 0)
        return -(-exact // _MILLION)


_KINDS = tuple(field.name for field in fields(Price))


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A price from a day on."""

    pattern: str
    """Of model names; `*` is a wildcard."""
    since: date
    price: Price


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """A price list. The first pattern that matches a name counts, with the price that held when the call was made."""

    version: str
    """The date of the list, ISO 8601."""
    currency: str
    """ISO 4217."""
    entries: tuple[Listed, ...]
    own: frozenset[str] = frozenset()
    """The patterns that the operator priced."""

    @classmethod
    def shipped(cls, own: Mapping[str, Price] | None = None) -> Prices:
        """Read the list that comes with Ken. An operator's own prices, in its currency, come before it.

        Raises InvalidSetting for an own price below 0.
        """
        for name, price in (own or {}).items():
            if any((getattr(price, kind) or 0) < 0 for kind in _KINDS):
                raise InvalidSetting(
                    f"The price of {name!r} is below 0. Give millionths of a dollar per million tokens."
                )
        listed = tomllib.loads(resources.files("ken.telemetry").joinpath("prices.toml").read_text("utf-8"))
        models = cast("list[dict[str, object]]", listed["model"])
        first = [Listed(pattern=name, since=date.min, price=price) for name, price in (own or {}).items()]
        return cls(
            version=str(listed["version"]),
            currency=str(listed["currency"]),
            entries=(*first, *(entry for model in models for entry in _entries(model))),
            own=frozenset(own or ()),
        )

    def of(self, model: str, *, at: float | None = None) -> Price | None:
        """Find what a model cost at a time (seconds since the epoch; None: now); None where the list doesn't say."""
        listed = self.listed(model, at=at)
        return None if listed is None else listed.price

    def listed(self, model: str, *, at: float | None = None) -> Listed | None:
        """Find the entry that holds for a model at a time, as `of`."""
        first = next((entry for entry in self.entries if fnmatchcase(model, entry.pattern)), None)
        if first is None or first.pattern in self.own:
            return first
        day = datetime.fromtimestamp(time.time() if at is None else at, UTC).date()
        held = [entry for entry in self.entries if entry.pattern == first.pattern and entry.since <= day]
        return max(held, key=lambda entry: entry.since, default=None)

    def cost_micros(self, model: str, usage: Usage, *, at: float | None = None, searches: int = 1) -> int | None:
        """Work out the cost of a call in millionths of the currency; None where the price is unknown."""
        price = self.of(model, at=at)
        return None if price is None else price.cost_micros(usage, searches=searches)

    def tariff(self, name: str, called: str | None = None) -> Tariff:
        """The prices of one model: people know it by `name`, its endpoint calls it `called`."""
        return Tariff(self, name if name in self.own or called is None else called, called=called or name)


class Tariff:
    """What one model costs."""

    def __init__(self, prices: Prices, model: str, *, called: str) -> None:
        self.called = called
        """What its endpoint calls the model."""
        self.version: str = prices.version
        self.currency: str = prices.currency
        self._prices = prices
        self._model = model
        self._days: dict[tuple[str, int], Price | None] = {}

    def cost_micros(self, usage: Usage, *, at: float, searches: int = 1, answered_by: str = "") -> int | None:
        """Work out the cost of a call that began at `at`; None where the price is unknown.

        Where this model has no price, that of the model counts that the provider says has answered.
        """
        price = self._on_day(self._model, at) or (self._on_day(answered_by, at) if answered_by else None)
        return None if price is None else price.cost_micros(usage, searches=searches)

    def _on_day(self, model: str, at: float) -> Price | None:
        key = model, int(at // 86_400)
        if key not in self._days:
            if len(self._days) > _MOST_DAYS:
                self._days.clear()
            self._days[key] = self._prices.of(model, at=at)
        return self._days[key]


_MOST_DAYS = 1_000


def _entries(model: Mapping[str, object]) -> list[Listed]:
    price = Price(**{kind: cast("int", model[kind]) for kind in _KINDS if kind in model})
    since = cast("date", model.get("since", date.min))
    return [Listed(pattern=name, since=since, price=price) for name in cast("list[str]", model["names"])]


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
