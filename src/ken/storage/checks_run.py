"""Runs of tests that the checklist asks about: `ken eval`, `ken load`, `ken drill`, the judge's calibration."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ken.domain.checked import CheckRun, RunKind
from ken.storage.database import Database
from ken.storage.schema import checks_run

_MOST = 200


class ChecksRun:
    """All runs, the newest of each kind and release first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, run: CheckRun) -> None:
        """Keep a run. Raises StorageError."""
        values = {
            "kind": run.kind,
            "at": run.at,
            "release": run.release,
            "passed": run.passed,
            "report": dict(run.report),
        }
        with self._database.write() as connection:
            connection.execute(sa.insert(checks_run), [values])

    def last(self, kind: RunKind, *, release: str | None = None, before: float | None = None) -> CheckRun | None:
        """The newest run of a kind: of one release, or that ended before a moment, where so asked; None where there is none."""
        found = self.list(kind, release=release, before=before, limit=1)
        return found[0] if found else None

    def list(
        self, kind: RunKind, *, release: str | None = None, before: float | None = None, limit: int = _MOST
    ) -> tuple[CheckRun, ...]:
        """The newest runs of a kind, newest first."""
        query = sa.select(checks_run).where(checks_run.c.kind == kind)
        if release is not None:
            query = query.where(checks_run.c.release == release)
        if before is not None:
            query = query.where(checks_run.c.at < before)
        query = query.order_by(checks_run.c.at.desc(), checks_run.c.id.desc()).limit(limit)
        with self._database.read() as connection:
            return tuple(_run(row) for row in connection.execute(query))


def _run(row: sa.Row[Any]) -> CheckRun:
    return CheckRun(kind=row.kind, at=row.at, release=row.release, passed=row.passed, report=row.report)
