"""Hedge: where a model is slower to begin than it nearly always is, a second request goes out, and the first answer wins.

After J. Dean and L. A. Barroso, "The Tail at Scale", Communications of the ACM 56 (2), 2013. Off unless the settings ask for it: it
buys the slowest twentieth of the answers with a twentieth more calls.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Generic

from ken.errors import KenError
from ken.gateway.seam import D, Dependency, R
from ken.gateway.vitals import Vital, percentile

_KEPT = 200
_AHEAD = 32
"""Deltas that a request may be ahead of its reader."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HedgeRules:
    """When a second request goes out."""

    percentile: float = 0.95
    """Of the times to the first piece, of the last calls."""
    min_calls: int = 20
    """Before so many calls nothing is known of them."""
    most: float = 0.1
    """The largest share of the calls that may have a second request: where everything is slow, asking twice makes it slower."""
    least_s: float = 0.05
    """A second request never goes out sooner, in seconds."""


class Hedge(Generic[R, D]):
    """A Dependency whose slow calls are asked twice."""

    def __init__(
        self, inner: Dependency[R, D], *, rules: HedgeRules, vital: Vital, other: Dependency[R, D] | None = None
    ) -> None:
        self._inner = inner
        self._other = other or inner
        self._rules = rules
        self._vital = vital
        self._times: deque[float] = deque(maxlen=_KEPT)
        self._hedged: deque[bool] = deque(maxlen=_KEPT)
        self._losers: set[asyncio.Task[None]] = set()

    @property
    def name(self) -> str:
        """The inner one's."""
        return self._inner.name
