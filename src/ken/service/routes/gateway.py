"""How the models, embedders and rerankers behind endpoints are doing. Operators only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from fastapi import APIRouter
from pydantic import Field

from ken.gateway.vitals import BreakerState
from ken.service.context import Opened, Operating
from ken.service.shapes import Shape

router = APIRouter(tags=["gateway"])


class BreakerShape(Shape):
    """A breaker as it stands; its calls and rates are those of the window."""

    state: BreakerState
    since: float
    calls: int
    error_rate: float
    slow_rate: float
    probes_at: float | None = Field(description="of an open one: when it tries again")


class QueueShape(Shape):
    """What is under way and what waits; waits in milliseconds, of the last calls."""

    in_flight: int
    depth: int
    wait_p50_ms: float | None
    wait_p95_ms: float | None
    refused: int = Field(description="since the start: the queue was full, or the deadline could not be met")
    concurrency: int | None = Field(description="calls at once that are allowed at the moment; null without a limit")


class DependencyShape(Shape):
    """One model, embedder or reranker; counts are since the start."""

    name: str
    breaker: BreakerShape
    queue: QueueShape | None
    retries: Mapping[str, int] = Field(description="by reason")
    fallbacks: Mapping[str, int] = Field(description="how often another model went on in its place, by reason")
    hedges: int = Field(description="how often a slow call was asked a second time")
    hedges_won: int = Field(description="how often the second was faster")


class BreakerEventShape(Shape):
    """A breaker went into another state."""

    at: float
    dependency: str
    old: BreakerState
    new: BreakerState
    reason: str
    probes_at: float | None
    is_told: bool = Field(description="another replica saw it, and this one was told")


class GatewayHealthShape(Shape):
    """All dependencies of this process, and the last changes of their breakers, the newest first."""

    dependencies: tuple[DependencyShape, ...]
    events: tuple[BreakerEventShape, ...]
    sharing: Literal["redis", "away"] | None = Field(
        description="whether breakers and limits are shared over Redis, which may be away; null where none is named"
    )


@router.get("/api/gateway/health", summary="How are the models doing?")
async def gateway_health(ken: Opened, principal: Operating) -> GatewayHealthShape:
    """Breakers, queues, retries and fallbacks by dependency. Operators only."""
    _ = principal
    vitals, replicas = ken.providers.stacks.vitals, ken.providers.replicas
    return GatewayHealthShape(
        dependencies=tuple(
            DependencyShape(
                name=vital.name,
                breaker=BreakerShape.model_validate(vital.circuit.reading()),
                queue=None if vital.limiter is None else QueueShape.model_validate(vital.limiter.reading()),
                retries=vital.retries,
                fallbacks=vital.fallbacks,
                hedges=vital.hedges,
                hedges_won=vital.hedges_won,
            )
            for vital in vitals.all
            if vital.circuit is not None
        ),
        events=tuple(BreakerEventShape.model_validate(event) for event in reversed(vitals.events)),
        sharing=None if replicas is None else ("away" if replicas.is_away else "redis"),
    )
