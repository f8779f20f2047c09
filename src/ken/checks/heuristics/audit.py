"""Which rules earn their place: how often each fired, when last, and which have been silent for too long."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ken.checks.heuristics.examine import RULES
from ken.domain.checked import RuleCount

_DAY_S = 86_400.0
SILENT_DAYS = 90.0
"""Three months."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """One rule with its counts."""

    name: str
    meaning: str
    """An answer that it finds a fault in ..."""
    is_on: bool
    looked: int
    fired: int
    rate: float | None
    """The share of the answers it looked at; None before the first."""
    since: float | None
    """Since when it is known here, seconds since the epoch; None: it never ran."""
    last_looked_at: float | None
    last_fired_at: float | None
    is_silent: bool
    """It runs, and has not fired for so long, though it was known all the while."""


def audit(
    counts: Iterable[RuleCount], *, running: Collection[str], at: float, silent_days: float = SILENT_DAYS
) -> tuple[Audited, ...]:
    """Every rule that there is, in the order in which they run."""
    known = {count.name: count for count in counts}
    return tuple(
        _audited(
            rule.name, rule.meaning, known.get(rule.name), is_on=rule.name in running, at=at, silent_days=silent_days
        )
        for rule in RULES
    )


def _audited(
    name: str, meaning: str, count: RuleCount | None, *, is_on: bool, at: float, silent_days: float
) -> Audited:
    return Audited(
        name=name,
        meaning=meaning,
        is_on=is_on,
        looked=0 if count is None else count.looked,
        fired=0 if count is None else count.fired,
        rate=None if count is None else count.rate,
        since=None if count is None else count.since,
        last_looked_at=None if count is None else count.last_looked_at,
        last_fired_at=None if count is None else count.last_fired_at,
        is_silent=is_on and count is not None and count.is_silent(at=at, for_s=silent_days * _DAY_S),
    )
