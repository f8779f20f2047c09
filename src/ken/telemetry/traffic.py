"""How many questions and calls are under way in this process."""

from __future__ import annotations

import time


class Traffic:
    """Counted on one event loop; read from anywhere."""

    def __init__(self) -> None:
        self.since: float = time.time()
        """When this process began to count, seconds since the epoch."""
        self.in_flight: int = 0
        self._most = 0

    def began(self) -> None:
        """One more; whoever says so says `ended`, too."""
        self.in_flight += 1
        self._most = max(self._most, self.in_flight)

    def ended(self) -> None:
        """One less."""
        self.in_flight -= 1

    def peak(self) -> int:
        """The most that were under way at once since this was last asked."""
        most, self._most = self._most, self.in_flight
        return most
