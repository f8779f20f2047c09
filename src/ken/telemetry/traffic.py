"""How many questions and calls are under way in this process, those of tests left out."""

from __future__ import annotations

import time


class Traffic:
    """Counted on one event loop; read from anywhere."""

    def __init__(self) -> None:
        self.since: float = time.time()
        """When this process began to count, seconds since the epoch."""
        self.in_flight: int = 0
        self._most = 0

    def began(self, *, is_test: bool = False) -> None:
        """One more; whoever says so says `ended`, too. A load test's own concurrency is not what people are expected to bring."""
        if is_test:
            return
        self.in_flight += 1
        self._most = max(self._most, self.in_flight)

    def ended(self, *, is_test: bool = False) -> None:
        """One less."""
        self.in_flight -= not is_test

    def peak(self) -> int:
        """The most that were under way at once since this was last asked."""
        most, self._most = self._most, self.in_flight
        return most
