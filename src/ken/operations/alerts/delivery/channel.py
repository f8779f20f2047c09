"""The seam behind which messages leave."""

from __future__ import annotations

from typing import Protocol

from ken.domain.alert import Notice


class Channel(Protocol):
    """One way out."""

    async def send(self, notice: Notice) -> None:
        """Send a message. Raises DeliveryFailed."""
        ...

    async def aclose(self) -> None:
        """Let go of connections."""
        ...
