"""Where traces and metrics are sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ken.telemetry.otel.mapping import Convention


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A collector, and what it is sent."""

    traces_url: str
    metrics_url: str | None = None
    """None: no metrics are sent."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    service_name: str = "ken"
    resource: Mapping[str, str] = field(default_factory=dict[str, str])
    content: bool = False
    """What people wrote and read is sent too."""
    share: float = 1.0
    """Of the traces."""
    metrics_every_s: float = 60.0
    convention: Convention = "1.41.1"
