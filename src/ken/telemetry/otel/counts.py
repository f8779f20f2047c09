"""What became of traces that were sent, and of spans that came."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportStats:
    """Counts since the start; of traces, where nothing else is said."""

    accepted: int = 0
    sent: int = 0
    left_out: int = 0
    """Not of the share that is sent."""
    dropped: int = 0
    """The queue was full, or the exporter closed."""
    lost: int = 0
    """The collector refused them, or didn't take them in time."""
    rejected_spans: int = 0
    """That the collector took nothing of, by its own account (partial success)."""
    failures: int = 0
    """Requests that failed, for good or to be tried again."""
    waiting: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceptionStats:
    """Counts since the start."""

    requests: int = 0
    spans: int = 0
    """Kept."""
    rejected: int = 0
    cut: int = 0
    refused: int = 0
    """Requests that were answered with an error."""
    commits: int = 0
