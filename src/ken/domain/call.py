"""Whom a call of a model is for, and what came of it: what goes down with a request, and what is told back."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Literal, Protocol

from ken.domain.trace import Scalar
from ken.domain.usage import Usage

ChargeOutcome = Literal["ok", "failed", "abandoned"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """Whom a call is for and what it is a part of: the words of a charge, a budget and a fair queue."""

    principal: str = "ken"
    """`ken` where nobody asked, as in a sync."""
    groups: frozenset[str] = frozenset()
    stage: str = "generate"
    """A stage of a question, or `sync`, `judge`, `door` (the plain gateway)."""
    task_type: str = ""
    category: str = ""
    tier: str = ""
    release: str = ""
    trace_id: str | None = None
    is_offline: bool = False
    """Nobody waits for it: people go first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What one attempt at one model cost; an attempt that was refused before its first token costs nothing."""

    call_id: str
    """Of its row in the ledger."""
    model: str
    stage: str
    usage: Usage
    cost_micros: int | None
    """Millionths of the price list's currency; None where the price is unknown."""
    outcome: ChargeOutcome = "ok"


@dataclass(slots=True)
class Account:
    """The charges of one question so far, in the order in which their attempts ended."""

    charges: list[Charge] = field(default_factory=list[Charge])

    def usage_of(self, stage: str) -> Usage:
        """The sum over all attempts of one stage: tokens of different stages are not of one kind."""
        return sum((charge.usage for charge in self.charges if charge.stage == stage), Usage())

    @property
    def cost_micros(self) -> int | None:
        """The sum over all attempts; None as soon as the price of one is unknown."""
        costs = [charge.cost_micros for charge in self.charges]
        known = [cost for cost in costs if cost is not None]
        return sum(known) if len(known) == len(costs) else None


class Noting(Protocol):
    """A span under way."""

    def set(self, key: str, value: Scalar) -> None:
        """Note a fact."""
        ...


class Tracer(Protocol):
    """Whatever keeps the spans of a question; `telemetry.tracing.TraceBuilder` is one."""

    def span(self, name: str, **attributes: Scalar) -> AbstractContextManager[Noting]:
        """Time a step, as a child of the step that is under way."""
        ...


class Untraced:
    """A Tracer that keeps nothing, for calls outside of any trace."""

    @contextmanager
    def span(self, name: str, **attributes: Scalar) -> Generator[Noting]:
        """Time nothing."""
        _ = name, attributes
        yield self

    def set(self, key: str, value: Scalar) -> None:
        """Note nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallContext:
    """What every request carries beside its content."""

    purpose: Purpose = Purpose()
    account: Account = field(default_factory=Account)
    tracer: Tracer = field(default_factory=Untraced)
