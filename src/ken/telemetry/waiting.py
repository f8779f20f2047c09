"""What waits to be written: bounded, and what gives way first when there is too much of it."""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import dataclass
from typing import Literal

from ken.domain.measures import Recorded
from ken.domain.trace import Trace
from ken.telemetry.preparing import weight

Rank = Literal["plain", "sampled", "important"]
"""What would be thinned anyway; what was drawn to be kept whole; what is kept whole as something was wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much may wait. Of what matters more, more may: the shares are of the bounds."""

    traces: int = 2_048
    """Whole ones."""
    bytes: int = 64_000_000
    """Of whole ones, about."""
    rows: int = 16_384
    """All together, those with figures alone too."""


_SHARES: dict[Rank, float] = {"plain": 1.0, "sampled": 1.25, "important": 1.5}


class Waiting:
    """A queue in the order of arrival. For one thread at a time: the recorder has the lock."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._entries: deque[tuple[Trace | Recorded, float]] = deque()
        self._whole = 0
        self._bytes = 0
        self.dropped: Counter[str] = Counter()
        """What gave way so far: `detail`, `row`, and `important`, of a row with which something was wrong."""

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def bytes(self) -> int:
        """About how much memory whole traces take."""
        return self._bytes

    @property
    def oldest_s(self) -> float:
        """How long the first of them has waited, in seconds; 0 where none waits."""
        return time.monotonic() - self._entries[0][1] if self._entries else 0.0

    def put(self, trace: Trace, rank: Rank = "plain") -> bool:
        """Take a whole trace; False where there is no room for one of this rank: its figures may still fit."""
        size = weight(trace)
        if not self._fits(size, rank):
            return False
        self._entries.append((trace, time.monotonic()))
        self._whole += 1
        self._bytes += size
        return True

    def put_figures(self, recorded: Recorded, rank: Rank) -> bool:
        """Take the figures of a trace whose detail is dropped; False where there is no room for those either."""
        if len(self._entries) >= self._bounds.rows * _SHARES[rank]:
            self.dropped["important" if rank == "important" else "row"] += 1
            return False
        self._entries.append((recorded, time.monotonic()))
        self.dropped["detail"] += 1
        return True

    def take(self, most: int) -> list[Trace | Recorded]:
        """The oldest ones."""
        taken = [self._entries.popleft()[0] for _ in range(min(most, len(self._entries)))]
        whole = [each for each in taken if isinstance(each, Trace)]
        self._whole -= len(whole)
        self._bytes -= sum(weight(each) for each in whole)
        return taken

    def _fits(self, size: int, rank: Rank) -> bool:
        share = _SHARES[rank]
        return self._whole < self._bounds.traces * share and self._bytes + size <= self._bounds.bytes * share
