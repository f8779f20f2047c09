"""What was checked, and with what result: the heuristics' counts, and runs that test more than one answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ken.domain.wire import Json

RunKind = Literal["eval", "load", "drill", "calibration", "gate", "checklist"]
"""A question set asked of a release; a load test; injected faults; a judge set beside people; a regression set; the checklist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRun:
    """One run of a test that the checklist asks about."""

    kind: RunKind
    at: float
    """When it ended, seconds since the epoch."""
    release: str
    """The release that it tested."""
    passed: bool | None
    """None where the run had no bar to pass: it only measured."""
    report: Mapping[str, Json] = field(default_factory=dict[str, Json])
    """Its figures. Which ones the checklist reads stands in `operations.checklist`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What heuristics said of one answer, for its trace."""

    checked: tuple[str, ...] = ()
    """Names of the rules that looked at it."""
    failed: tuple[str, ...] = ()
    """Of these, the ones that found a fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What a heuristic did since the last time it was counted."""

    name: str
    looked: int
    fired: int
    last_looked_at: float
    last_fired_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleCount:
    """All that a heuristic ever did in this home."""

    name: str
    since: float
    """Since when it is known here, seconds since the epoch."""
    looked: int
    """Answers that it had something to say of."""
    fired: int
    """Of these, the ones that it found a fault in."""
    last_looked_at: float | None
    last_fired_at: float | None

    @property
    def rate(self) -> float | None:
        """The share of the answers in which it found a fault; None before the first."""
        return self.fired / self.looked if self.looked else None

    def is_silent(self, *, at: float, for_s: float) -> bool:
        """Whether it has not fired for so long, and has been known for as long: a young rule is not silent."""
        return max(self.since, self.last_fired_at or 0.0) <= at - for_s
