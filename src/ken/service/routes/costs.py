"""What the calls of models cost. Operators only."""

from __future__ import annotations

import time
from functools import partial
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Query
from pydantic import Field

from ken.domain.booking import Cost
from ken.service.context import Opened, Operating
from ken.service.shapes import Shape
from ken.storage.ledger import CostDimension

router = APIRouter(tags=["gateway"])

_DAY_S = 86_400.0


class CostShape(Shape):
    """The calls with one value of the dimension, together."""

    of: str = Field(description="empty where the calls have none")
    calls: int
    cost_micros: int = Field(description="of the calls with a known price, those that are under way left out")
    unknown_calls: int = Field(description="those without: their cost comes on top")
    estimated_calls: int = Field(description="those whose tokens Ken counted, as the provider did not say")
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int


class CostsShape(Shape):
    """The dearest first; times are seconds since the epoch."""

    by: CostDimension
    since: float
    until: float
    currency: str
    price_version: str
    costs: tuple[CostShape, ...]


@router.get("/api/gateway/costs", summary="What did the models cost?")
async def costs(
    ken: Opened,
    principal: Operating,
    *,
    by: Annotated[CostDimension, Query(description="what the calls are told apart by")] = "task_type",
    days: Annotated[float, Query(gt=0, le=3660, description="so far back from now")] = 30,
) -> CostsShape:
    """Every attempt at a model counts: retried, abandoned and failed ones, embeddings and judges. Operators only."""
    _ = principal
    books, prices = ken.providers.stacks.books, ken.providers.stacks.prices
    await books.flush()
    now = time.time()
    since, until = now - days * _DAY_S, now
    found = await anyio.to_thread.run_sync(partial(books.ledger.costs, by, since=since, until=until))
    return CostsShape(
        by=by,
        since=since,
        until=until,
        currency=prices.currency,
        price_version=prices.version,
        costs=tuple(map(_shaped, found)),
    )


def _shaped(cost: Cost) -> CostShape:
    usage = cost.usage
    return CostShape(
        of=cost.of,
        calls=cost.calls,
        cost_micros=cost.cost_micros,
        unknown_calls=cost.unknown_calls,
        estimated_calls=cost.estimated_calls,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        reasoning_tokens=usage.reasoning_tokens,
    )
