"""Where what goes on record goes besides the store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ken.domain.measures import Recorded


class Sink(Protocol):
    """Takes finished traces, redacted and measured, a batch at a time; the recorder's thread calls it.

    Best effort: it must not hold the store up, so whatever goes over a network has a bounded queue and a thread of its own
    and counts what it drops. What it raises (KenError, OSError) is counted as lost under its name; the batch isn't given again.
    """

    @property
    def name(self) -> str:
        """How counts call it: `events`, `otlp`."""
        ...

    def write(self, batch: Sequence[Recorded]) -> None:
        """Take a batch, at once."""
        ...

    def close(self) -> None:
        """Send what waits, as far as that takes a few seconds, and let go of everything."""
        ...
