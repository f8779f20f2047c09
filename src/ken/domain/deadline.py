"""The time that a question has left: one object, passed down; no layer sets a time-out of its own."""

from __future__ import annotations

import time
from dataclasses import dataclass

from ken.errors import DeadlineExceeded


@dataclass(frozen=True, slots=True)
class Deadline:
    """A point on the monotonic clock."""

    at: float
    """`time.monotonic()` seconds."""

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """A deadline `seconds` from now."""
        return cls(time.monotonic() + seconds)

    @property
    def remaining(self) -> float:
        """Seconds left, never below 0."""
        return max(0.0, self.at - time.monotonic())

    def check(self, stage: str) -> None:
        """Raise DeadlineExceeded when nothing is left, naming the stage that could not start."""
        if self.remaining == 0.0:
            raise DeadlineExceeded(
                f"The time for this question ran out before {stage!r}. Ask again, or raise `deadline_s` in ken.toml."
            )
