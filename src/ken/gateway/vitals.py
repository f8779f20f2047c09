"""What the gateway knows of the health of its dependencies: the figures behind `/api/gateway/health`."""

from __future__ import annotations

import logging
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

_log = logging.getLogger(__name__)

BreakerState = Literal["closed", "open", "half-open"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerChanged:
    """A breaker went into another state."""

    at: float
    """Seconds since the epoch."""
    dependency: str
    old: BreakerState
    new: BreakerState
    reason: str
    """In words for people."""
    probes_at: float | None = None
    """Of an open one: when it tries again, seconds since the epoch."""
    is_told: bool = False
    """Another replica saw it, and this one was told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerReading:
    """A breaker as it stands."""

    state: BreakerState
    since: float
    """Seconds since the epoch."""
    calls: int
    """In the window."""
    error_rate: float
    slow_rate: float
    probes_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueReading:
    """A limiter as it stands. Waits in milliseconds, of the last calls; None before the first."""

    in_flight: int
    depth: int
    wait_p50_ms: float | None
    wait_p95_ms: float | None
    refused: int
    """Since the start: the queue was full, or the deadline could not be met."""
    concurrency: int | None
    """What is allowed at the moment, after what the provider has refused; None without a limit."""


class BreakerSource(Protocol):
    """The part of `breaker.Circuit` that is read here."""

    def reading(self) -> BreakerReading:
        """As it stands now."""
        ...


class QueueSource(Protocol):
    """The part of `limit.Limiter` that is read here."""

    def reading(self) -> QueueReading:
        """As it stands now."""
        ...


@dataclass(slots=True)
class Vital:
    """One dependency: its breaker, its limiter, and what was counted since the start."""

    name: str
    circuit: BreakerSource | None = None
    limiter: QueueSource | None = None
    retries: Counter[str] = field(default_factory=Counter[str])
    """By reason."""
    fallbacks: Counter[str] = field(default_factory=Counter[str])
    """How often another model went on in its place, by reason."""
    hedges: int = 0
    hedges_won: int = 0


@dataclass(slots=True)
class Vitals:
    """All dependencies of a process, and the last changes of their breakers."""

    events: deque[BreakerChanged] = field(default_factory=lambda: deque[BreakerChanged](maxlen=100))
    """The newest last."""
    listeners: list[Callable[[BreakerChanged], None]] = field(default_factory=list["Callable[[BreakerChanged], None]"])
    """Told of every change."""
    _by_name: dict[str, Vital] = field(default_factory=dict[str, Vital])

    def of(self, name: str) -> Vital:
        """That of a dependency; one that is new gets one."""
        return self._by_name.setdefault(name, Vital(name))

    @property
    def all(self) -> tuple[Vital, ...]:
        """In the order in which they came."""
        return tuple(self._by_name.values())

    def changed(self, change: BreakerChanged) -> None:
        """Keep and log a change: a listener of every Circuit."""
        self.events.append(change)
        level = logging.INFO if change.new == "closed" else logging.WARNING
        _log.log(level, "breaker of %r: %s -> %s (%s)", change.dependency, change.old, change.new, change.reason)
        for listener in self.listeners:
            listener(change)


def percentile(values: deque[float], share: float) -> float | None:
    """The value below which that share of them lies; None of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else None


def now() -> float:
    """Seconds since the epoch."""
    return time.time()
