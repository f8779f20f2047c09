"""What is slow for a task type, learnt from the questions of this process."""

from __future__ import annotations

from collections import defaultdict, deque

_LOOKED_AT = 500
"""Questions of a task type that count."""
_ENOUGH = 100
"""Questions before anything can be said: at a start nothing is slow."""
_EVERY = 20
"""Questions after which it is worked out anew: sorting 500 numbers for each would take longer than all else here."""
_QUANTILE = 0.95
_AT_LEAST = 2.0
"""Times the median: where all take about as long, the slowest twentieth is not slow."""
_TYPES = 100
"""Task types that are told apart; callers may bring more."""
_OTHER = "other"


class Slowness:
    """The time that 95 of 100 questions of a task type stay below, and twice the median at least. For one thread."""

    def __init__(self) -> None:
        self._seen: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=_LOOKED_AT))
        self._limits: dict[str, float] = {}
        self._since: dict[str, int] = defaultdict(int)

    def limit(self, task_type: str) -> float | None:
        """Milliseconds above which a question is slow; None where not enough is known."""
        return self._limits.get(task_type if task_type in self._seen else _OTHER)

    def see(self, task_type: str, ms: float) -> None:
        """Count a question."""
        name = task_type if task_type in self._seen or len(self._seen) < _TYPES else _OTHER
        seen = self._seen[name]
        seen.append(ms)
        self._since[name] += 1
        if len(seen) >= _ENOUGH and (name not in self._limits or self._since[name] >= _EVERY):
            self._since[name] = 0
            ordered = sorted(seen)
            self._limits[name] = max(ordered[int(len(ordered) * _QUANTILE)], _AT_LEAST * ordered[len(ordered) // 2])
