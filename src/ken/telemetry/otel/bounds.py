"""How much is taken of what others send."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Encoding = Literal["protobuf", "json"]
"""Of OTLP over HTTP."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """Bounds of a request, of its spans, and of all that wait. Each has its reason in docs/guides/tracing.md."""

    max_bytes: int = 16_000_000
    """Of one request, unpacked."""
    spans_per_s: int = 20_000
    """From one key, after a burst of twice as many."""
    max_spans: int = 20_000
    """Of one request."""
    max_attributes: int = 128
    """Of one span; the specification's own default."""
    max_value: int = 8_192
    """Characters of one value; what is longer is cut."""
    max_span_chars: int = 65_536
    """Of all attributes of a span together."""
    max_waiting_bytes: int = 64_000_000
    """Of requests that are taken and not written yet."""
    ahead_s: float = 600.0
    """A span that begins so much later than now has a clock that lies."""
    behind_s: float = 30 * 86_400.0
    """And so much earlier, too."""
