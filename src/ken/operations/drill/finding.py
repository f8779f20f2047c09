"""What a drill found out about one fault."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["passed", "failed", "skipped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One fault: what was expected, what was seen."""

    fault: str
    group: str
    """`model`, `store` or `process`."""
    expected: str
    seen: str
    verdict: Verdict
    seconds: float = 0.0
    evidence: tuple[str, ...] = ()
    """Ids of traces, spans, what files and books say."""


class Skipped(Exception):
    """A fault that can't be injected here; the message says why, and what it takes."""


class Checks:
    """Collects what is not as it should be, and what was seen."""

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self.seen: list[str] = []
        self.evidence: list[str] = []

    def that(self, holds: object, otherwise: str) -> None:
        """Note what is wrong, unless it holds."""
        if not holds:
            self.wrong.append(otherwise)

    def saw(self, *words: str) -> None:
        """Note what was seen."""
        self.seen.extend(word for word in words if word)

    def proof(self, *words: str) -> None:
        """Note where it can be looked up."""
        self.evidence.extend(word for word in words if word)

    def finding(self, fault: str, *, group: str, expected: str, seconds: float) -> Finding:
        """What came of it."""
        seen = "; ".join([*self.seen, *(f"NOT AS EXPECTED: {each}" for each in self.wrong)])
        verdict: Verdict = "failed" if self.wrong else "passed"
        return Finding(
            fault=fault,
            group=group,
            expected=expected,
            seen=seen or "nothing",
            verdict=verdict,
            seconds=round(seconds, 2),
            evidence=_shortened(self.evidence),
        )


def _shortened(evidence: Sequence[str]) -> tuple[str, ...]:
    return tuple(each[:300] for each in dict.fromkeys(evidence))
