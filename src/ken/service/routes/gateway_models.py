"""The models behind the gateway as they are configured, and how each one is doing. Operators only; keys are never told."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from typing import Literal

import anyio.to_thread
from fastapi import APIRouter
from pydantic import Field

from ken.domain.booking import Attempt
from ken.endpoint_settings import EmbedderSettings, EndpointSettings, ModelSettings
from ken.gateway.breaker import BreakerRules
from ken.gateway.route import stand_ins
from ken.gateway.vitals import Vital
from ken.service.context import Opened, Operating
from ken.service.routes.gateway import BreakerEventShape, BreakerShape, QueueShape
from ken.service.shapes import Shape
from ken.telemetry.prices import Listed
from ken.wiring import Ken

router = APIRouter(tags=["gateway"])

_RECENT_S = 3600.0
_MOST_RECENT = 4000
_LAST_ERRORS = 5

Part = Literal["chat", "embedder", "reranker", "reader"]


class ModelPriceShape(Shape):
    """Millionths of the currency per million tokens; null: priced as other input (cached parts), or not sold."""

    pattern: str = Field(description="of model names; `*` is a wildcard")
    since: date | None = Field(description="the day from which it holds; null: always")
    is_own: bool = Field(description="stands below [prices] in ken.toml")
    input: int | None
    output: int | None
    cache_read: int | None
    cache_write: int | None
    search: int | None = Field(description="millionths a search, for rerankers that are billed so")


class BreakerRulesShape(Shape):
    """When its breaker opens and closes; seconds, and shares from 0 to 1."""

    window_s: float
    min_calls: int
    error_rate: float
    slow_rate: float
    slow_s: float
    cooldown_s: float
    probe_fraction: float
    successes: int


class ModelLimitsShape(Shape):
    """What its provider allows as far as ken.toml says, null: anything; and how long a call may wait for it."""

    max_concurrency: int | None
    requests_per_minute: int | None
    tokens_per_minute: int | None
    queue_length: int
    queue_s: float


class TierPlaceShape(Shape):
    """Where a model stands in the chain of a tier, from 1 on."""

    tier: str
    place: int


class CallFailureShape(Shape):
    """An attempt that failed, or was given up."""

    at: float
    error: str = Field(description="the kind, as in the table of errors; empty where the caller hung up")
    stage: str
    trace_id: str | None


class RecentCallsShape(Shape):
    """Its attempts since then, in all replicas; milliseconds."""

    since: float
    calls: int
    failed: int
    p50_ms: float | None
    p95_ms: float | None
    ttft_p95_ms: float | None = Field(description="to the first piece of an answer")
    failures: list[CallFailureShape] = Field(description="the last ones, the newest first")


class GatewayModelShape(Shape):
    """One model, embedder or reranker, or the extractive reader, which is always there and needs no endpoint."""

    name: str
    part: Part
    kind: str = Field(description="how its server is spoken to: `openai`, `azure`, `anthropic`; `ken`: runs inside Ken")
    called: str = Field(description="what its endpoint calls it")
    host: str | None = Field(description="of its endpoint, with the port; null: inside Ken, or no longer in ken.toml")
    has_key: bool = Field(description="whether a key is sent; which one is never told")
    key_variable: str | None = Field(description="the environment variable that the key is read from")
    places: list[TierPlaceShape]
    is_default: bool = Field(description="answers where there are no tiers")
    window: int | None = Field(description="tokens, prompt and answer together")
    max_tokens: int | None = Field(description="of an answer")
    limits: ModelLimitsShape | None
    patience_s: Mapping[str, float] = Field(description="`connect`, `first_token`, `stall`, `completion`")
    price: ModelPriceShape | None = Field(description="null: unknown, which is not free")
    breaker: BreakerShape | None
    rules: BreakerRulesShape | None
    last_change: BreakerEventShape | None = Field(description="of its breaker, in this process")
    queue: QueueShape | None
    retries: Mapping[str, int]
    fallbacks: Mapping[str, int]
    recent: RecentCallsShape


class GatewayTierShape(Shape):
    """Its models are asked in this order, each where the one before it fails."""

    name: str
    models: list[str]
    room: int = Field(description="tokens of a prompt that each of its models can read")
    stand_ins: list[str] = Field(description="the tiers that answer in its place where all its models are down")
    tasks: list[str] = Field(description="task types that always go here")


class GatewayModelsShape(Shape):
    """What there is to ask, at the time `at` of the server's clock."""

    at: float
    default_model: str
    when_models_fail: Literal["answer", "error"] = Field(description="`answer`: the passages are quoted instead")
    when_search_fails: Literal["error", "model"] = Field(description="`model`: it answers on its own, under a caveat")
    currency: str
    price_version: str = Field(description="the date of the price list")
    tiers: list[GatewayTierShape]
    models: list[GatewayModelShape]


@router.get("/api/gateway/models", summary="What models are there, and how are they?")
async def gateway_models(ken: Opened, principal: Operating) -> GatewayModelsShape:
    """Tiers with their chains, and every model with its limits, price, breaker, queue and last calls. Operators only."""
    _ = principal
    now = time.time()
    settings, stacks = ken.settings, ken.providers.stacks
    ledger = stacks.books.ledger
    lately = await anyio.to_thread.run_sync(partial(ledger.lately, since=now - _RECENT_S, limit=_MOST_RECENT))
    since = lately[-1].started_at if len(lately) == _MOST_RECENT else now - _RECENT_S
    by_model: dict[str, list[Attempt]] = {}
    for attempt in lately:
        by_model.setdefault(attempt.model, []).append(attempt)
    routes = ken.assistant.parts.routes
    return GatewayModelsShape(
        at=now,
        default_model=settings.default_model,
        when_models_fail=settings.when_models_fail,
        when_search_fails=settings.when_search_fails,
        currency=stacks.prices.currency,
        price_version=stacks.prices.version,
        tiers=[
            GatewayTierShape(
                name=name,
                models=list(tier.models),
                room=tier.room,
                stand_ins=list(stand_ins(routes, name)),
                tasks=sorted(task for task, to in routes.tasks.items() if to == name),
            )
            for name, tier in routes.tiers.items()
        ],
        models=[
            _shaped(ken, told, recent=_recent(by_model.get(told.name, ()), since=since)) for told in _configured(ken)
        ],
    )


class _Configured(Shape):
    """What is asked, and the table of ken.toml that says so."""

    name: str
    part: Part
    table: EndpointSettings | None = None


def _configured(ken: Ken) -> list[_Configured]:
    """Models, the reader, the embedder and reranker of ken.toml; then what the gateway still knows from before it was changed."""
    settings = ken.settings
    found = [_Configured(name=each.name, part="chat", table=each) for each in settings.models]
    found.append(_Configured(name=ken.providers.reader.name, part="reader"))
    if settings.embedder is not None:
        found.append(_Configured(name=settings.embedder.model, part="embedder", table=settings.embedder))
    if settings.reranker is not None:
        found.append(_Configured(name=settings.reranker.model, part="reranker", table=settings.reranker))
    names = {each.name for each in found}
    former = [
        vital.name for vital in ken.providers.stacks.vitals.all if vital.circuit is not None and vital.name not in names
    ]
    return found + [_Configured(name=name, part="embedder") for name in former]


def _shaped(ken: Ken, told: _Configured, *, recent: RecentCallsShape) -> GatewayModelShape:
    settings, stacks, table = ken.settings, ken.providers.stacks, told.table
    vital = stacks.vitals.of(told.name)
    window = ken.providers.windows.get(told.name)
    model = table if isinstance(table, ModelSettings) else None
    named = told.name if table is None else table.model
    price = stacks.prices.listed(told.name if told.name in stacks.prices.own else named)
    return GatewayModelShape(
        name=told.name,
        part=told.part,
        kind=_kind(told),
        called=named,
        host=None if table is None else _host(table),
        has_key=table is not None and table.api_key is not None,
        key_variable=None if table is None else table.api_key_env,
        places=[
            TierPlaceShape(tier=name, place=tier.models.index(told.name) + 1)
            for name, tier in settings.tiers.items()
            if told.name in tier.models
        ],
        is_default=told.name == settings.default_model and not settings.tiers,
        window=None if window is None else window.context,
        max_tokens=None if window is None else window.answer or None,
        limits=None if model is None else ModelLimitsShape.model_validate(settings.gateway.limit_rules(model)),
        patience_s=settings.patience_of(told.name),
        price=None if price is None else price_shape(price, is_own=price.pattern in stacks.prices.own),
        rules=_rules(ken, told, vital),
        recent=recent,
        breaker=None if vital.circuit is None else BreakerShape.model_validate(vital.circuit.reading()),
        last_change=_last_change(ken, told.name),
        queue=None if vital.limiter is None else QueueShape.model_validate(vital.limiter.reading()),
        retries=vital.retries,
        fallbacks=vital.fallbacks,
    )


def _last_change(ken: Ken, name: str) -> BreakerEventShape | None:
    events = reversed(ken.providers.stacks.vitals.events)
    change = next((event for event in events if event.dependency == name), None)
    return None if change is None else BreakerEventShape.model_validate(change)


def _rules(ken: Ken, told: _Configured, vital: Vital) -> BreakerRulesShape | None:
    if vital.circuit is None:
        return None
    breaker = ken.settings.gateway.breaker
    rules = (
        breaker.rules(first_token_s=told.table.first_token_s)
        if isinstance(told.table, ModelSettings)
        else BreakerRules()  # what an embedder or a reranker has
    )
    return BreakerRulesShape.model_validate(rules)


def _kind(told: _Configured) -> str:
    match told.table:
        case ModelSettings() | EmbedderSettings():
            return told.table.kind
        case _:
            return {"reader": "ken", "reranker": "rerank"}.get(told.part, "openai")


def _host(table: EndpointSettings) -> str:
    url = table.base_url
    return f"{url.host}:{url.port}" if url.port not in {None, 80, 443} else str(url.host)


def _recent(attempts: Sequence[Attempt], *, since: float) -> RecentCallsShape:
    took = sorted((each.ended_at - each.started_at) * 1000 for each in attempts if each.outcome == "ok")
    begun = sorted(each.ttft_ms for each in attempts if each.ttft_ms is not None)
    failed = [each for each in attempts if each.outcome == "failed"]
    return RecentCallsShape(
        since=since,
        calls=len(attempts),
        failed=len(failed),
        p50_ms=_at_share(took, 0.5),
        p95_ms=_at_share(took, 0.95),
        ttft_p95_ms=_at_share(begun, 0.95),
        failures=[
            CallFailureShape(at=each.ended_at, error=each.error, stage=each.stage, trace_id=each.trace_id)
            for each in failed[:_LAST_ERRORS]
        ],
    )


def _at_share(ordered: Sequence[float], share: float) -> float | None:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else None


def price_shape(listed: Listed, *, is_own: bool) -> ModelPriceShape:
    """As it is sent."""
    price = listed.price
    return ModelPriceShape(
        pattern=listed.pattern,
        since=None if listed.since == date.min else listed.since,
        is_own=is_own,
        input=price.input,
        output=price.output,
        cache_read=price.cache_read,
        cache_write=price.cache_write,
        search=price.search,
    )
