"""Whether one more call fits within a provider's limits: in this process alone. `replicas.py` has the one that replicas share."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

WINDOW_S = 60.0
"""Providers state their rates by the minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRules:
    """What a provider allows for one model, and how long calls may wait for it. None: no limit that we know of."""

    max_concurrency: int | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    """Asked and answered together."""
    queue_s: float = 20.0
    """The longest wait, in seconds."""
    queue_length: int = 256
    """Calls that may wait at once."""

    @property
    def has_rate(self) -> bool:
        """Whether anything is limited by the minute."""
        return self.requests_per_minute is not None or self.tokens_per_minute is not None


class Gate(Protocol):
    """Counts what is under way and what the last minute has used."""

    async def take(self, lease: str, *, tokens: int) -> float:
        """Let a call of so many tokens through and return 0; else the seconds after which it is worth asking again.

        Infinite: not before a call has ended.
        """
        ...

    def give_back(self, lease: str, *, tokens: int | None) -> None:
        """The call is over and has used so many tokens; None: it never went out, and counts for nothing.

        Does nothing where the lease was never given.
        """
        ...

    def when_freed(self, do: Callable[[], None]) -> None:
        """Call `do` when a call of another process has ended."""
        ...


@dataclass(slots=True, eq=False)
class _Used:
    """A call of the last minute."""

    at: float
    tokens: int
    is_past: bool = False


@dataclass(slots=True)
class LocalGate:
    """A Gate for one process: requests and tokens in any 60 seconds.

    A window and not a bucket that fills up: what passes it, a provider with either takes.
    """

    rules: LimitRules
    clock: Callable[[], float] = time.monotonic
    _open: dict[str, _Used] = field(default_factory=dict[str, _Used])
    _used: deque[_Used] = field(default_factory=deque[_Used])
    _tokens: int = 0
    """Of all in `_used`."""

    async def take(self, lease: str, *, tokens: int) -> float:
        """As the protocol says."""
        most = self.rules.max_concurrency
        if most is not None and len(self._open) >= most:
            return math.inf
        used = _Used(self.clock(), tokens)
        if wait := self._full_for(tokens, at=used.at):
            return wait
        self._open[lease] = used
        if self.rules.has_rate:
            self._used.append(used)
            self._tokens += tokens
        return 0.0

    def give_back(self, lease: str, *, tokens: int | None) -> None:
        """As the protocol says."""
        used = self._open.pop(lease, None)
        if used is None or used.is_past or not self.rules.has_rate:
            return
        self._tokens += (tokens or 0) - used.tokens
        used.tokens = tokens or 0
        if tokens is None:
            self._used.remove(used)

    def when_freed(self, do: Callable[[], None]) -> None:
        """There is no other process."""

    def _full_for(self, tokens: int, *, at: float) -> float:
        """Seconds until the last minute has room; 0 where it has."""
        while self._used and self._used[0].at <= at - WINDOW_S:
            past = self._used.popleft()
            past.is_past = True
            self._tokens -= past.tokens
        requests, most_tokens = self.rules.requests_per_minute, self.rules.tokens_per_minute
        wait = 0.0
        if requests is not None and len(self._used) >= requests:
            wait = self._used[len(self._used) - requests].at + WINDOW_S - at
        if most_tokens is not None:
            # A call that is larger than the limit goes alone: its provider may say no, we can't know.
            excess = self._tokens + tokens - most_tokens
            for used in self._used:
                if excess <= 0:
                    break
                excess -= used.tokens
                wait = max(wait, used.at + WINDOW_S - at)
        return wait
