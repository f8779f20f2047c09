"""For how long what is kept: the policy comes from above."""

from __future__ import annotations

from typing import Protocol

from ken.domain.trace import CaptureTier


class Keeping(Protocol):
    """Says for how long what is kept."""

    def kept_until(self, capture: CaptureTier, *, started_at: float) -> float:
        """When what is kept of a trace beyond its figures goes, or, of the tier `metrics`, the figures; seconds since the epoch."""
        ...
