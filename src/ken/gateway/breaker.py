"""The circuit breaker: a dependency that fails, or is slow, too often is left alone for a while, then tried with care.

Closed, it counts the calls of a sliding window. As soon as there are enough of them and too large a share failed, or was slow to
begin, it opens: calls are refused at once. After a cooldown it is half-open: the first call and a fraction of the rest go through as
probes; enough good ones in a row close it, one bad one opens it again (M. Nygard, "Release It!", 2nd edition, chapter 5).
"""

from __future__ import annotations

import math
import random as randomness
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Generic

from ken.errors import BreakerOpen, DeadlineExceeded, KenError
from ken.gateway.failures import is_fault
from ken.gateway.seam import D, Dependency, R
from ken.gateway.vitals import BreakerChanged, BreakerReading, BreakerState, now

Listener = Callable[[BreakerChanged], None]

_SLICES = 10
"""The window moves on by a tenth of itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerRules:
    """When a breaker opens and closes. Times in seconds, rates and fractions from 0 to 1."""

    window_s: float = 60.0
    min_calls: int = 10
    """Fewer calls in the window say nothing."""
    error_rate: float = 0.5
    slow_rate: float = 0.8
    slow_s: float = 10.0
    """A call whose first piece takes longer is slow."""
    slow_whole_s: float = 30.0
    """Likewise where the answer comes as a whole."""
    cooldown_s: float = 15.0
    probe_fraction: float = 0.2
    successes: int = 3
    """Good probes in a row that close it."""


@dataclass(slots=True)
class _Slice:
    """A tenth of the window."""

    number: int
    calls: int = 0
    errors: int = 0
    slow: int = 0


@dataclass(slots=True)
class Circuit:
    """The state of one dependency's breaker; several wrappers may share it."""

    name: str
    rules: BreakerRules
    random: Callable[[], float] = randomness.random
    clock: Callable[[], float] = time.monotonic
    listeners: list[Listener] = field(default_factory=list[Listener])
    _state: BreakerState = "closed"
    _since: float = field(default_factory=now)
    _probes_at: float = 0.0
    """By `clock`; of an open one."""
    _probed_at: float = -math.inf
    _good: int = 0
    _slices: list[_Slice] = field(default_factory=list[_Slice])

    @property
    def state(self) -> BreakerState:
        """As it stands. Once the cooldown is over an open one counts as half-open: the next call goes through."""
        return "half-open" if self._state == "open" and self.probes_in_s == 0.0 else self._state

    @property
    def probes_in_s(self) -> float:
        """Seconds until an open one is tried again."""
        return max(0.0, self._probes_at - self.clock())

    def admit(self) -> bool:
        """Let a call through, and tell whether it is a probe. Raises BreakerOpen."""
        if self._state == "closed":
            return False
        wait = self._probes_at - self.clock()
        if self._state == "open" and wait > 0:
            raise BreakerOpen(
                f"{self.name!r} failed too often lately and is left alone; it is tried again in {wait:.1f} s. "
                "Ask again then, or choose another model.",
                retry_after_s=wait,
            )
        if self._state == "open":
            self._change("half-open", "the cooldown is over")
        # Where calls are rare, a fraction of them would take for ever.
        is_due = self.clock() - self._probed_at >= self.rules.cooldown_s
        if not is_due and self.random() >= self.rules.probe_fraction:
            raise BreakerOpen(
                f"{self.name!r} failed too often lately and is being tried with a part of the calls, of which this was none. "
                "Ask again, or choose another model.",
                retry_after_s=1.0,
            )
        self._probed_at = self.clock()
        return True

    def count(self, *, is_probe: bool, failed: bool, slow: bool) -> None:
        """Take note of a call that is over. One that its caller gave up is not counted."""
        if self._state == "closed":
            this = self._slice()
            this.calls += 1
            this.errors += failed
            this.slow += slow
            self._judge()
        elif is_probe and self._state == "half-open":
            if failed or slow:
                self._open("a probe failed" if failed else "a probe was slow")
                return
            self._good += 1
            if self._good >= self.rules.successes:
                self._change("closed", f"{self._good} probes in a row were good")

    def told(self, state: BreakerState, *, probes_in_s: float, reason: str) -> None:
        """Another replica's breaker of the same dependency went into that state."""
        if state == "open" and self._state != "open" and probes_in_s > 0:
            self._open(reason, wait_s=probes_in_s, is_told=True)
        elif state == "closed" and self._state != "closed":
            self._change("closed", reason, is_told=True)

    def reading(self) -> BreakerReading:
        """As it stands now."""
        calls, errors, slow = self._sums()
        return BreakerReading(
            state=self.state,
            since=self._since,
            calls=calls,
            error_rate=errors / calls if calls else 0.0,
            slow_rate=slow / calls if calls else 0.0,
            probes_at=now() + self.probes_in_s if self.state == "open" else None,
        )

    def _judge(self) -> None:
        calls, errors, slow = self._sums()
        if calls < self.rules.min_calls:
            return
        if errors / calls >= self.rules.error_rate:
            self._open(f"{errors} of {calls} calls failed in {self.rules.window_s:g} s")
        elif slow / calls >= self.rules.slow_rate:
            self._open(f"{slow} of {calls} calls were slow: over {self.rules.slow_s:g} s to begin")

    def _open(self, reason: str, *, wait_s: float | None = None, is_told: bool = False) -> None:
        self._probes_at = self.clock() + (self.rules.cooldown_s if wait_s is None else wait_s)
        self._change("open", reason, is_told=is_told)

    def _change(self, new: BreakerState, reason: str, *, is_told: bool = False) -> None:
        old, self._state, self._since = self._state, new, now()
        self._good, self._probed_at = 0, -math.inf
        if new == "closed":
            self._slices.clear()
        change = BreakerChanged(
            at=self._since,
            dependency=self.name,
            old=old,
            new=new,
            reason=reason,
            probes_at=self._since + self._probes_at - self.clock() if new == "open" else None,
            is_told=is_told,
        )
        for listener in self.listeners:
            listener(change)

    def _slice(self) -> _Slice:
        number = int(self.clock() / self.rules.window_s * _SLICES)
        if not self._slices or self._slices[-1].number != number:
            self._slices.append(_Slice(number))
        return self._slices[-1]

    def _sums(self) -> tuple[int, int, int]:
        """Calls, errors and slow ones of the window."""
        oldest = int(self.clock() / self.rules.window_s * _SLICES) - _SLICES
        while self._slices and self._slices[0].number <= oldest:
            del self._slices[0]
        return (
            sum(one.calls for one in self._slices),
            sum(one.errors for one in self._slices),
            sum(one.slow for one in self._slices),
        )


class Breaker(Generic[R, D]):
    """A Dependency that is left alone while its circuit is open."""

    def __init__(self, inner: Dependency[R, D], *, circuit: Circuit) -> None:
        self._inner = inner
        self._circuit = circuit

    @property
    def name(self) -> str:
        """The inner one's."""
        return self._inner.name

    async def stream(self, request: R) -> AsyncGenerator[D]:
        """Yield what the inner one does. Raises what it raises, and BreakerOpen without having asked it."""
        circuit = self._circuit
        is_probe = circuit.admit()
        began, has_begun, slow = circuit.clock(), False, False
        slow_s = circuit.rules.slow_s if request.is_streamed else circuit.rules.slow_whole_s
        try:
            async with aclosing(self._inner.stream(request)) as deltas:
                async for delta in deltas:
                    if delta.carries and not has_begun:
                        has_begun = True
                        slow = circuit.clock() - began > slow_s
                    yield delta
        except DeadlineExceeded:
            # The time that was left says nothing about the dependency, unless it was long.
            if not has_begun and circuit.clock() - began > slow_s:
                circuit.count(is_probe=is_probe, failed=False, slow=True)
            raise
        except KenError as error:
            if is_fault(error):
                circuit.count(is_probe=is_probe, failed=True, slow=slow)
            raise
        circuit.count(is_probe=is_probe, failed=False, slow=slow)
