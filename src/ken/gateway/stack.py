"""The stack: what stands between a caller and a provider, in one visible order.

    Fallback        a tier: the next model where this one fails, also in mid-answer      (fallback.py)
      Hedge         a second request where the first is late, if switched on             (hedge.py)
        Punctual    the deadline holds, also for a provider that doesn't look at it      (punctual.py)
          Retry     asked again after a failure that may pass                            (retry.py)
            Limit   waits its turn within what the provider allows                       (limit.py)
              Breaker   refuses while the provider fails too often                       (breaker.py)
                Metered     reserved before, settled after                               (meter.py)
                    provider

A slot of the limit is held for one attempt and not while one waits for the next; a wait in the queue is none of the
breaker's slow calls; every attempt is a call of its own in the books.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ken.gateway.books import Books
from ken.gateway.breaker import Breaker, BreakerRules, Circuit
from ken.gateway.counting import Counting
from ken.gateway.gate import Gate, LimitRules
from ken.gateway.hedge import Hedge, HedgeRules
from ken.gateway.limit import Limit, Limiter
from ken.gateway.meter import Metered
from ken.gateway.punctual import Punctual
from ken.gateway.retry import Retry, RetryRules
from ken.gateway.seam import D, Dependency, R
from ken.gateway.vitals import Vitals
from ken.telemetry.prices import Prices


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is known of one provider's model."""

    called: str
    """What its endpoint calls it: the name that price lists have."""
    provider: str
    """As OpenTelemetry's `gen_ai.provider.name` has it."""
    counting: Counting
    """For where the provider doesn't tell its usage."""
    most_output: int = 0
    """Tokens that it writes at most where a request doesn't say."""
    limits: LimitRules = field(default_factory=LimitRules)
    breaker: BreakerRules = field(default_factory=BreakerRules)
    retry: RetryRules | None = None
    """None: as everywhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stacks:
    """Puts providers behind the stack. What a process has one of stands here."""

    books: Books
    prices: Prices
    vitals: Vitals
    retry: RetryRules = field(default_factory=RetryRules)
    hedge: HedgeRules | None = None
    """None: nothing is asked twice."""
    gate_of: Callable[[str, LimitRules], Gate] | None = None
    """Where replicas share their limits: what counts for a dependency of this name."""
    share: Callable[[Circuit], None] | None = None
    """Where replicas share their breakers: what is told of a new one."""

    def over(self, provider: Dependency[R, D], terms: Terms) -> Dependency[R, D]:
        """A provider behind all that is its own: everything from the deadline on."""
        vital = self.vitals.of(provider.name)
        circuit = Circuit(provider.name, terms.breaker, listeners=[self.vitals.changed])
        gate = None if self.gate_of is None else self.gate_of(provider.name, terms.limits)
        limiter = Limiter(provider.name, terms.limits, gate=gate)
        vital.circuit, vital.limiter = circuit, limiter
        if self.share is not None:
            self.share(circuit)
        metered = Metered(
            provider,
            books=self.books,
            tariff=self.prices.tariff(provider.name, terms.called),
            counting=terms.counting,
            provider=terms.provider,
            most_output=terms.most_output,
        )
        guarded = Breaker(metered, circuit=circuit)
        limited = Limit(guarded, limiter=limiter)
        return Punctual(Retry(limited, rules=terms.retry or self.retry, vital=vital))

    def hedged(self, stacked: Dependency[R, D], other: Dependency[R, D] | None) -> Dependency[R, D]:
        """The same, its slow calls asked again of `other`, or of itself; where that isn't wanted, as it is."""
        if self.hedge is None:
            return stacked
        return Hedge(stacked, rules=self.hedge, vital=self.vitals.of(stacked.name), other=other)

    def local(self, provider: Dependency[R, D], counting: Counting) -> Dependency[R, D]:
        """What runs in this process: it costs nothing, and nothing stands between but the deadline and a note in the books."""
        metered = Metered(
            provider,
            books=self.books,
            tariff=self.prices.tariff(provider.name),
            counting=counting,
            provider="ken",
            is_free=True,
        )
        return Punctual(metered)
