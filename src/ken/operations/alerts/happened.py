"""What happened, from everywhere that it is kept: breakers, budgets, syncs that changed documents, releases, runs of question sets."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from ken.domain.alert import Happening
from ken.domain.budget import Burn
from ken.domain.checked import CheckRun, RunKind
from ken.gateway.vitals import BreakerChanged
from ken.storage.alerts import AlertBook
from ken.storage.snapshots import SnapshotRow

_BREAKER_S = 300.0
"""A breaker of which nothing more is heard after it should have tried again is forgotten: its process has ended, or nobody asks."""
_BREAKER_WORDS = {"open": "opened", "half-open": "is tried again", "closed": "closed"}
_RUNS_S = 120.0
"""Runs are long to read and seldom made: they are read again after so long."""
_MOST_RUNS = 30


class Runs(Protocol):
    """The part of `storage.checks_run.ChecksRun` that is needed here."""

    def list(
        self, kind: RunKind, *, release: str | None = None, before: float | None = None, limit: int = 200
    ) -> Sequence[CheckRun]:
        """The newest runs of a kind, newest first."""
        ...


class Happened:
    """`Happenings` of a home. `budgets` is how the budgets stood when somebody last looked."""

    def __init__(
        self,
        book: AlertBook,
        *,
        snapshots: Callable[[], Sequence[SnapshotRow]] = tuple,
        runs: Runs | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._book = book
        self._snapshots = snapshots
        self._runs = runs
        self._clock = clock
        self._read: tuple[CheckRun, ...] = ()
        self._read_at = -_RUNS_S
        self.budgets: tuple[Happening, ...] = ()

    def since(self, at: float) -> Sequence[Happening]:
        """As promised by `Happenings`. Raises StorageError."""
        told = [*self._book.happenings(at), *self.budgets, *self._updates(at), *self._of_runs(at)]
        return sorted(told, key=lambda each: each.at)

    def _updates(self, at: float) -> Iterator[Happening]:
        for row in self._snapshots():
            if row.made_at >= at and row.added + row.changed + row.deleted:
                told = f"A sync of {row.source!r} added {row.added}, changed {row.changed}, deleted {row.deleted} documents."
                yield Happening(kind="index_updated", at=row.made_at, of=str(row.corpus_version), told=told)

    def _of_runs(self, at: float) -> Iterator[Happening]:
        if self._runs is None:
            return
        if not 0 <= self._clock() - self._read_at < _RUNS_S:
            self._read_at, self._read = self._clock(), tuple(self._runs.list("eval", limit=_MOST_RUNS))
        runs = [run for run in self._read if run.at >= at and not run.report.get("search_only")]
        asked = runs[0].report.get("questions") if runs else None
        for run in runs:
            value = _passed(run)
            if value is not None and run.report.get("questions") == asked:  # another set's share says nothing here
                yield Happening(kind="regression", at=run.at, of=run.release, value=value, told=str(asked or ""))


def _passed(run: CheckRun) -> float | None:
    """The share of the facts that the answers held; where cases have none, the share of the questions that were answered."""
    overall = run.report.get("overall")
    covered = overall.get("fact_coverage") if isinstance(overall, dict) else None
    value = covered.get("value") if isinstance(covered, dict) else None
    if isinstance(value, int | float):
        return float(value)
    cases, failures = run.report.get("cases"), run.report.get("failures")
    if isinstance(cases, int) and cases > 0 and isinstance(failures, list):
        return 1 - len(failures) / cases
    return None


def of_breaker(change: BreakerChanged) -> Happening:
    """A breaker that opened, tries again, or closed."""
    return Happening(
        kind="breaker",
        at=change.at,
        of=change.dependency,
        begins=change.new != "closed",
        until=max(change.at, change.probes_at or 0.0) + _BREAKER_S,
        told=f"{_BREAKER_WORDS[change.new]}: {change.reason}",
    )


def of_budgets(burns: Sequence[Burn], now: float) -> tuple[Happening, ...]:
    """How each budget stands, for each whom it binds."""
    return tuple(_of_budget(burn, now) for burn in burns) + tuple(_of_budget(burn, now, gone=True) for burn in burns)


def _of_budget(burn: Burn, now: float, *, gone: bool = False) -> Happening:
    whom = f"{burn.counted.scope} {burn.counted.of}".strip()
    return Happening(
        kind="budget_exhausted" if gone else "budget_short",
        at=now,
        of=burn.budget.name if burn.counted.scope == "all" else f"{burn.budget.name} ({whom})",
        begins=burn.state == "exhausted" if gone else burn.state != "normal",
        until=burn.resets_at,
        value=burn.share,
    )
