"""The price list: the one that comes with Ken, with the operator's own prices before it. Operators only."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from fastapi import APIRouter
from pydantic import Field

from ken.service.context import Opened, Operating
from ken.service.routes.gateway_models import ModelPriceShape, price_shape
from ken.service.shapes import Shape
from ken.telemetry.prices import Listed, Prices

router = APIRouter(tags=["gateway"])


class ListedPriceShape(ModelPriceShape):
    """An entry of the list."""

    until: str | None = Field(description="the day on which the next price of these names holds; null: none is known")
    holds: bool = Field(description="whether it is the price of today")
    used_by: list[str] = Field(description="the models here that are priced by it")


class PricesShape(Shape):
    """Millionths of the currency per million tokens; the first pattern that matches a model's name counts."""

    version: str = Field(description="the date of the list, ISO 8601")
    currency: str
    prices: list[ListedPriceShape]
    unpriced: list[str] = Field(description="the models here that no entry matches: what they cost is unknown")


@router.get("/api/gateway/prices", summary="What does a token cost?")
async def gateway_prices(ken: Opened, principal: Operating) -> PricesShape:
    """The whole list in the order in which it is read, and which models it prices. Operators only."""
    _ = principal
    prices, providers, settings = ken.providers.stacks.prices, ken.providers, ken.settings
    named = {name: providers.priced_as(name) for name in providers.windows}
    for table in (settings.embedder, settings.reranker):
        if table is not None:
            named[table.model] = table.model
    now = time.time()
    found = {name: prices.listed(called, at=now) for name, called in named.items()}
    return PricesShape(
        version=prices.version,
        currency=prices.currency,
        prices=[
            ListedPriceShape(
                **price_shape(entry, is_own=entry.pattern in prices.own).model_dump(),
                until=_until(prices, entry),
                holds=_holds(prices, entry, now),
                used_by=[name for name, used in found.items() if used is entry],
            )
            for entry in prices.entries
        ],
        unpriced=[name for name, used in found.items() if used is None],
    )


def _until(prices: Prices, entry: Listed) -> str | None:
    later = [each.since for each in prices.entries if each.pattern == entry.pattern and each.since > entry.since]
    return min(later).isoformat() if later else None


def _holds(prices: Prices, entry: Listed, now: float) -> bool:
    today = datetime.fromtimestamp(now, UTC).date()
    until = _until(prices, entry)
    return entry.since <= today and (until is None or today.isoformat() < until)
