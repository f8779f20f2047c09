"""A provider's rate limits: requests and tokens in any 60 seconds."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

from ken.mock.behaviour import Behaviour

_WINDOW_S = 60.0


@dataclass(slots=True)
class Quota:
    """What one key used of one model in the last 60 seconds."""

    _used: deque[tuple[float, int]] = field(default_factory=deque[tuple[float, int]])
    """When, by the caller's clock, and tokens."""
    _tokens: int = 0

    def wait(self, behaviour: Behaviour, *, tokens: int, now: float) -> int:
        """Whole seconds until a request of so many tokens is taken; 0 where it is taken now, and then it counts."""
        self._forget(now)
        requests, room = len(self._used), self._tokens + tokens
        over_requests = bool(behaviour.rpm) and requests >= behaviour.rpm
        over_tokens = bool(behaviour.tpm) and room > behaviour.tpm and requests > 0
        if over_requests or over_tokens:
            return max(1, math.ceil(self._used[0][0] + _WINDOW_S - now))
        self._used.append((now, tokens))
        self._tokens = room
        return 0

    def _forget(self, now: float) -> None:
        while self._used and self._used[0][0] <= now - _WINDOW_S:
            self._tokens -= self._used.popleft()[1]
