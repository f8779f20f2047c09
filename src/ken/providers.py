# ruff: noqa: PLC0415 - endpoints bring an HTTP client, which a home without them can do without
"""The part of the composition root that makes providers, puts each behind the gateway's stack, and chains them to tiers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio.to_thread

from ken.domain.usage import Usage
from ken.endpoint_settings import ModelSettings
from ken.gateway import route_model
from ken.gateway.books import Books
from ken.gateway.budget import Budgets
from ken.gateway.coalesce import Coalesce, key_of_request
from ken.gateway.counting import Counting, counter, estimate
from ken.gateway.difficulty import RULES
from ken.gateway.fallback import Fallback
from ken.gateway.replicas import Replicas
from ken.gateway.route import Routes, Tier, TierName
from ken.gateway.stack import Stacks, Terms
from ken.gateway.vitals import Vitals
from ken.models.capabilities import Capabilities
from ken.models.chat import ChatRequest
from ken.models.extractive import ExtractiveReader
from ken.models.protocols import ChatModel
from ken.prompts.plan import Window
from ken.settings import Settings
from ken.storage.answers import CachedAnswers
from ken.storage.database import Database
from ken.storage.ledger import Ledger
from ken.telemetry.prices import Prices

if TYPE_CHECKING:
    from ken.models.connections import Connections

_EXTRACTIVE_WINDOW = 8192
_PROVIDERS = {"openai": "openai", "azure": "azure.ai.openai", "anthropic": "anthropic"}
"""OpenTelemetry's names."""


@dataclass(slots=True, kw_only=True)
class Providers:
    """Every model and tier that can be asked, and what the gateway knows of them."""

    stacks: Stacks
    budgets: Budgets
    models: dict[str, ChatModel] = field(default_factory=dict[str, ChatModel])
    """By name: the reader, models, tiers."""
    windows: dict[str, Window] = field(default_factory=dict[str, Window])
    """By the name of the reader or a model."""
    tiers: frozenset[str] = frozenset()
    connections: Connections | None = None
    replicas: Replicas | None = None
    """What is shared over Redis, where one is named."""
    called: dict[str, str] = field(default_factory=dict[str, str])
    """What its endpoint calls a model, by its name here."""

    @property
    def reader(self) -> ChatModel:
        """The extractive reader."""
        return self.models[ExtractiveReader().name]

    def is_down(self, name: str) -> bool:
        """Whether a model's breaker takes no calls at present."""
        circuit = self.stacks.vitals.of(name).circuit
        return circuit is not None and circuit.reading().state == "open"

    def price_of(self, name: str, usage: Usage) -> int | None:
        """What a call of a model would cost now, in millionths of the currency; None where that is unknown."""
        return self.stacks.prices.cost_micros(self.priced_as(name), usage)

    def priced_as(self, name: str) -> str:
        """The name by which the price list knows a model."""
        return name if name in self.stacks.prices.own else self.called.get(name, name)

    def breaker_of(self, name: str) -> str:
        """The state of a model's breaker; empty where it has none."""
        circuit = self.stacks.vitals.of(name).circuit
        return "" if circuit is None else circuit.reading().state

    async def aclose(self) -> None:
        """Close the connections, and write what the books still have to take."""
        if self.connections is not None:
            await self.connections.aclose()
        if self.replicas is not None:
            await self.replicas.aclose()
        await anyio.to_thread.run_sync(self.stacks.books.close)


def open_providers(settings: Settings, database: Database) -> Providers:
    """The models and tiers of the settings. Raises StorageError, InvalidSetting."""
    ledger = Ledger(database)
    budgets = tuple(table.budget for table in settings.budgets)
    prices = Prices.shipped({name: table.price for name, table in settings.prices.items()})
    replicas = _replicas(settings, database)
    stacks = Stacks(
        books=Books(ledger, budgets=budgets),
        prices=prices,
        vitals=Vitals(),
        retry=settings.gateway.retry_rules,
        hedge=settings.gateway.hedge_rules,
        gate_of=replicas and replicas.gate,
        share=replicas and replicas.share,
    )
    providers = Providers(stacks=stacks, budgets=Budgets(ledger, budgets, currency=prices.currency), replicas=replicas)
    reader = ExtractiveReader()
    providers.models[reader.name] = stacks.local(reader, Counting(count=estimate))
    providers.windows[reader.name] = Window(_EXTRACTIVE_WINDOW, 0)
    if settings.models:
        _add_models(providers, settings)
    for name, table in settings.tiers.items():
        if name not in providers.models:  # of the reader alone
            providers.models[name] = Fallback(
                name, [providers.models[each] for each in table.models], vitals=stacks.vitals
            )
    providers.tiers = frozenset(settings.tiers)
    return providers


def routes(settings: Settings, windows: Mapping[str, Window]) -> Routes:
    """The tiers and how questions are sent to them; the difficulty is the trained one where the home keeps one.

    Raises InvalidSetting for a trained one that can't be read.
    """
    tiers: dict[TierName, Tier] = {
        name: Tier(name=name, models=table.models, room=min(_room(windows[model]) for model in table.models))
        for name, table in settings.tiers.items()
    }
    table = settings.routes
    return Routes(
        tiers=tiers,
        estimator=route_model.load(settings.home) or RULES,
        threshold=table.threshold,
        tasks=table.tasks,
        escalates=table.escalate,
        escalate_above=table.escalate_above,
        max_tokens=table.lengths,
        capped=frozenset(table.max_tokens),
    )


def _room(window: Window) -> int:
    return window.context - window.answer


def _replicas(settings: Settings, database: Database) -> Replicas | None:
    """The Redis of the settings, in touch from now on; Kens of other homes at the same one are left alone."""
    if settings.redis_url is None:
        return None
    replicas = Replicas(settings.redis_url.get_secret_value(), prefix=f"ken:{CachedAnswers(database).home_name()}")
    replicas.start()
    return replicas


def _add_models(providers: Providers, settings: Settings) -> None:
    """Each model as a chain of one, and each tier as the chain of its models."""
    from ken.models.connections import Connections

    stacks, rules = providers.stacks, settings.gateway
    providers.connections = Connections()
    stacked: dict[str, ChatModel] = {}
    for table in settings.models:
        providers.windows[table.name] = Window(table.window, table.max_tokens)
        terms = _terms(table, settings)
        providers.called[table.name] = terms.called
        stacked[table.name] = stacks.over(_wire(table, providers.connections), terms)
    hedged = {name: stacks.hedged(model, stacked.get(rules.hedge_model or "")) for name, model in stacked.items()}
    hedged |= providers.models  # the reader may stand in a chain, too
    chains = {name: (name,) for name in stacked} | {name: tier.models for name, tier in settings.tiers.items()}
    for name, chain in chains.items():
        tier = Fallback(name, [hedged[model] for model in chain], vitals=stacks.vitals)
        providers.models[name] = Coalesce(tier, key_of=_key_of) if rules.coalesce else tier


def _terms(table: ModelSettings, settings: Settings) -> Terms:
    return Terms(
        called=table.model,
        provider=_PROVIDERS[table.kind],
        counting=Counting(count=counter(table.tokenizer and settings.home / table.tokenizer.expanduser())),
        most_output=table.max_tokens,
        limits=settings.gateway.limit_rules(table),
        breaker=settings.gateway.breaker.rules(first_token_s=table.first_token_s),
    )


def _key_of(request: ChatRequest) -> str | None:
    """The assistant's questions alone are asked once for several: what others send is theirs."""
    if not request.holds_sentences:
        return None
    purpose = request.context.purpose
    return key_of_request(request, scope="\0".join(sorted(purpose.groups)), release=purpose.release)


def _wire(table: ModelSettings, connections: Connections) -> ChatModel:
    """The provider itself."""
    from ken.models.anthropic import AnthropicChat
    from ken.models.endpoint import Endpoint
    from ken.models.openai import OpenAIChat

    endpoint = Endpoint(
        base_url=str(table.base_url),
        model=table.model,
        api_key=table.api_key.get_secret_value() if table.api_key is not None else None,
        is_azure=table.kind == "azure",
        api_version=table.api_version,
        max_tokens=table.max_tokens,
        connect_s=table.connect_s,
        first_token_s=table.first_token_s,
        stall_s=table.stall_s,
        completion_s=table.completion_s,
        max_answer_bytes=int(table.max_answer_mb * 1_000_000),
        prefill=table.prefill,
        capabilities=Capabilities().without(table.lacks),
    )
    kind = AnthropicChat if table.kind == "anthropic" else OpenAIChat
    return kind(table.name, endpoint, connections=connections)
