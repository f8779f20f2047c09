"""The mock provider's books: what each request would be invoiced."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from ken.mock.behaviour import Price

_MILLION = 1_000_000

Outcome = Literal["running", "completed", "refused", "failed", "hung up"]
"""Refused by an error status; failed by its own fault in mid-answer; hung up by the client."""


@dataclass(slots=True)
class Entry:
    """One request. Tokens are true while it runs, too, and the invoice goes by them alone: not by what was stated."""

    number: int
    model: str
    path: str
    streamed: bool
    price: Price
    status: int = 200
    outcome: Outcome = "running"
    input_tokens: int = 0
    """All of the prompt; `cached_tokens` and `written_tokens` are parts of it."""
    cached_tokens: int = 0
    written_tokens: int = 0
    output_tokens: int = 0
    """All that was generated; `reasoning_tokens` are a part of it."""
    reasoning_tokens: int = 0
    started_at: float = field(default_factory=time.time)
    traceparent: str = ""
    """The header that the request brought (W3C Trace Context), and the one that goes with it."""
    tracestate: str = ""

    @property
    def exact(self) -> int:
        """What it costs, in millionths of a millionth of a US dollar."""
        plain = self.input_tokens - self.cached_tokens - self.written_tokens
        return (
            plain * self.price.input
            + self.cached_tokens * self.price.cached
            + self.written_tokens * self.price.written
            + self.output_tokens * self.price.output
        )

    @property
    def cost_micros(self) -> int:
        """The same in millionths, rounded up once."""
        return -(-self.exact // _MILLION)

    def told(self) -> dict[str, object]:
        """As `GET /mock/ledger` shows it."""
        return {
            "number": self.number,
            "model": self.model,
            "path": self.path,
            "stream": self.streamed,
            "status": self.status,
            "outcome": self.outcome,
            "input_tokens": self.input_tokens,
            "cached_tokens": self.cached_tokens,
            "written_tokens": self.written_tokens,
            "output_tokens": self.output_tokens,
            "reasoning_tokens": self.reasoning_tokens,
            "cost_micros": self.cost_micros,
            "started_at": self.started_at,
            "traceparent": self.traceparent,
            "tracestate": self.tracestate,
        }


class Ledger:
    """Every request since the start or the last reset, in the order in which they came."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._calls: Counter[str] = Counter()

    def opened(self, entry: Entry) -> Entry:
        """Put a request into the books."""
        self._entries.append(entry)
        return entry

    def next_call(self, model: str) -> int:
        """Count a call of a model: 1 for its first."""
        self._calls[model] += 1
        return self._calls[model]

    def __len__(self) -> int:
        return len(self._entries)

    def entries(self, model: str | None = None) -> Sequence[Entry]:
        """All requests, or those for one model."""
        return [entry for entry in self._entries if model is None or entry.model == model]

    def reset(self) -> None:
        """Forget all: the books, and how often each model was called."""
        self._entries.clear()
        self._calls.clear()

    def told(self, model: str | None = None) -> dict[str, object]:
        """The whole of the books, as JSON shows them. `running` requests are in the sums with what they cost so far."""
        entries = self.entries(model)
        return {
            "requests": len(entries),
            "running": sum(entry.outcome == "running" for entry in entries),
            "input_tokens": sum(entry.input_tokens for entry in entries),
            "output_tokens": sum(entry.output_tokens for entry in entries),
            "cost_micros": sum(entry.cost_micros for entry in entries),
            "entries": [entry.told() for entry in entries],
        }
