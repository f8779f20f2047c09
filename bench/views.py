"""The four views over seven days of a million questions: out of rollups, and the same out of the traces themselves.

    python bench/views.py [--home HOME] [--postgres URL] [--questions 1000000] [--rounds 30] [--raw]

The questions are made up (ken.operations.simulate) and go through `Aggregator.fold`, as the recorder hands them over, then through
`Rollups.compact`. A home that has rollups already is taken as it is. A view is everything that `GET /api/views/...` reads: panels,
markers, patterns. With `--raw`, as many traces are put on record (rig/million.py) and each view's figures are worked out of their
rows: counts and sums by SQL, quantiles out of the values, which SQLite has no function for; all traces on record count as the window.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import sqlalchemy as sa

from ken.domain.measures import Recorded
from ken.domain.rollup import DAY, HOUR, MINUTE
from ken.operations.simulate.organisation import Organisation
from ken.operations.simulate.recorded import recorded
from ken.operations.simulate.traffic import days
from ken.storage.database import Database
from ken.storage.markers import Markers
from ken.storage.postgres import PostgresDatabase
from ken.storage.rollups import Rollups
from ken.storage.schema import rollups, traces
from ken.storage.sqlite import SqliteDatabase
from ken.telemetry.figures import RollupFigures
from ken.telemetry.rollup import Aggregator
from ken.telemetry.views import VIEWS, Axis, axis, view
from rig.handbooks import machine
from rig.million import fill

WEEK_S = 7 * DAY
WORKING = 5.5
"""Working days that a week's traffic comes to."""
AT_ONCE_S = 4 * HOUR
STAGES = (
    "intake",
    "screen",
    "classify",
    "recall",
    "retrieve",
    "embed",
    "assemble",
    "route",
    "generate",
    "verify",
    "settle",
)
FILTERS: tuple[dict[str, str], ...] = (
    {},
    {"task_type": "lookup"},
    {"task_type": "procedure", "tier": "light"},
    {"task_type": "lookup", "tier": "strong", "category": "benefits"},
)


def main() -> None:
    """Fill where that is to do, and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--postgres")
    parser.add_argument("--questions", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--raw", action="store_true")
    options = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as place:
        database: Database = (
            PostgresDatabase(options.postgres) if options.postgres else SqliteDatabase(options.home or Path(place))
        )
        kept = Rollups(database)
        until = time.time() // HOUR * HOUR
        if not _rows(database):
            _fill(kept, options.questions, until)
        _show_rows(database, kept, until)
        _show_views(database, kept, axis(WEEK_S), options.rounds)
        if options.raw:
            _show_raw(database, options.questions, max(3, options.rounds // 10))
        database.close()


def _fill(kept: Rollups, questions: int, until: float) -> None:
    """Put a week of questions into the rollups, some hours at a time."""
    kept.compact(until)  # what comes then is late, and goes into hours and days at once
    aggregator = Aggregator()
    folded, fold_s, compact_s, began = 0, 0.0, 0.0, time.perf_counter()
    for batch in _batches(questions, until):
        clock = time.perf_counter()
        for one in batch:
            aggregator.fold(one)
        folded += len(batch)
        fold_s += time.perf_counter() - clock
        kept.add(aggregator.take())
        clock = time.perf_counter()
        kept.compact(until)
        compact_s += time.perf_counter() - clock
    print(
        f"{folded:,} questions in {time.perf_counter() - began:,.0f} s: fold {fold_s / folded * 1e6:.0f} us each, "
        f"compaction {compact_s / folded * 1e6:.0f} us each (of {AT_ONCE_S // HOUR} hours at once)"
    )


def _batches(questions: int, until: float) -> Iterator[list[Recorded]]:
    organisation = Organisation(seed=7, per_day=questions / WORKING, holidays=0.0)
    batch: list[Recorded] = []
    for traffic in days(organisation, (until - WEEK_S) // DAY * DAY, days=8):
        for one in recorded(traffic, seed=7):
            at = one.trace.started_at
            if not until - WEEK_S <= at < until:
                continue
            if batch and at // AT_ONCE_S != batch[0].trace.started_at // AT_ONCE_S:
                yield batch
                batch = []
            batch.append(one)
    if batch:
        yield batch


def _rows(database: Database) -> int:
    with database.read() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(rollups)) or 0


def _show_rows(database: Database, kept: Rollups, until: float) -> None:
    """What the rollups take on the disk, by resolution."""
    asked = RollupFigures(kept).whole("questions", since=until - WEEK_S, until=until + HOUR)[""].value or 0
    size = sa.func.sum(sa.func.length(rollups.c.figures))
    query = sa.select(rollups.c.resolution_s, rollups.c.facet == "all", sa.func.count(), size)
    print(f"{asked:,.0f} questions in the window")
    print(f"\n{'rows of':34} {'rows':>9} {'MB':>8} {'bytes a question':>17}")
    with database.read() as connection:
        for resolution, every, count, length in connection.execute(
            query.group_by(rollups.c.resolution_s, rollups.c.facet == "all").order_by(rollups.c.resolution_s)
        ):
            name = {MINUTE: "minutes", HOUR: "hours", DAY: "days"}[resolution]
            what = f"{name}, {'every dimension' if every else 'one or two'}"
            print(f"{what:34} {count:9,} {int(length) / 1e6:8.1f} {int(length) / asked:17.1f}")


def _show_views(database: Database, kept: Rollups, on: Axis, rounds: int) -> None:
    """Each view, without a filter and with up to three."""
    figures, markers = RollupFigures(kept), Markers(database)
    print(f"\n{'view':10} {'filters':>8} {'p50 ms':>8} {'p95 ms':>8}")
    for where in FILTERS:
        for name in VIEWS:

            def read(name: str = name, where: dict[str, str] = where) -> None:
                view(figures, name, on=on, where=where)  # type: ignore[arg-type]
                markers.between(on.since, on.until)
                if name == "cost":
                    figures.patterns(since=on.since, until=on.until, where=where)

            took = _times(read, rounds)
            print(f"{name:10} {len(where):8} {np.percentile(took, 50):8.1f} {np.percentile(took, 95):8.1f}")


def _show_raw(database: Database, questions: int, rounds: int) -> None:
    """The same figures out of the traces' rows."""
    with database.read() as connection:
        there = connection.scalar(sa.select(sa.func.count()).select_from(traces)) or 0
    if there < questions:
        print(f"\nfilled with {fill(database, questions - there).traces:,} traces")
    print(f"\n{'from traces':10} {'p50 ms':>8} {'p95 ms':>8}")
    for name, work in RAW.items():
        took = _times(lambda work=work: work(database), rounds)
        print(f"{name:10} {np.percentile(took, 50):8.0f} {np.percentile(took, 95):8.0f}")


def _summed(database: Database, *columns: sa.ColumnElement[object], by: str = "") -> None:
    """Counts and sums of each hour, by a column."""
    hour = sa.cast(traces.c.started_at / HOUR, sa.Integer)
    groups = (hour, traces.c[by]) if by else (hour,)
    with database.read() as connection:
        connection.execute(sa.select(*groups, sa.func.count(), *columns).group_by(*groups)).all()


def _quantiles(database: Database, column: str, by: str = "") -> None:
    """p50, p95 and p99 of each hour, by a column."""
    row = traces.c
    with database.read() as connection:
        read = sa.select(row.started_at, row[by] if by else sa.literal(""), row[column]).where(row[column].is_not(None))
        found = connection.execute(read).all()
    if not found:
        return
    hours = (np.array([one[0] for one in found]) // HOUR).astype(int)
    groups = np.unique([one[1] for one in found], return_inverse=True)[1]
    values = np.array([one[2] for one in found])
    keys = hours * 1_000 + groups
    order = np.lexsort((values, keys))
    _, starts, counts = np.unique(keys[order], return_index=True, return_counts=True)
    for share in (0.5, 0.95, 0.99):
        values[order][starts + (share * (counts - 1)).astype(int)]


def _if(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.sum(sa.case((condition, 1), else_=0))


def _health(database: Database) -> None:
    row = traces.c
    ends = [_if(row.outcome == one) for one in ("failed", "abstained", "refused")]
    _summed(database, *ends, _if(row.success == "yes"), _if(row.degraded))
    _summed(database, _if(row.outcome == "failed"), by="task_type")
    _summed(database, _if(row.cached), by="category")
    _summed(
        database, _if(row.fallbacks > 0), sa.func.sum(row.retries), sa.func.sum(row.timeouts), sa.func.sum(row.attempts)
    )


def _cost(database: Database) -> None:
    row = traces.c
    money = (sa.func.sum(row.cost_micros), _if(row.cost_micros.is_(None)), _if(row.success == "yes"))
    _summed(database, *money, _if(row.cached), sa.func.avg(row.context_tokens))
    _summed(database, *money, _if(row.success == "no"), by="task_type")
    _summed(database, sa.func.sum(row.input_tokens), sa.func.sum(row.output_tokens), *money, by="model")
    _summed(database, _if(row.cached), by="category")


def _quality(database: Database) -> None:
    row = traces.c
    names = ("quality", "groundedness", "relevance", "least_relevance", "utilisation")
    means = [sa.func.avg(row[name]) for name in names]
    _summed(database, *means)
    ends = [_if(row.outcome == one) for one in ("refused", "abstained")]
    _summed(database, *ends, _if(row.success == "yes"), _if(row.failed_checks != ""))
    _summed(database, *means, by="task_type")
    _summed(database, by="failed_checks")


def _latency(database: Database) -> None:
    for column in ("ms", "ttft_ms", "queue_ms"):
        _quantiles(database, column)
    _quantiles(database, "ms", "task_type")
    for stage in STAGES:
        _quantiles(database, f"{stage}_ms")
    row = traces.c
    _summed(database, _if(row.fallbacks > 0), sa.func.sum(row.retries), sa.func.sum(row.timeouts))


RAW: dict[str, Callable[[Database], None]] = {
    "health": _health,
    "cost": _cost,
    "quality": _quality,
    "latency": _latency,
}


def _times(work: Callable[[], object], rounds: int) -> list[float]:
    took: list[float] = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        took.append((time.perf_counter() - began) * 1_000)
    return took


if __name__ == "__main__":
    main()
