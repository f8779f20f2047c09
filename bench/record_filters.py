"""Filters over a million traces: how long a page takes, through an index and without one; thinning and deleting; bytes a trace.

    python bench/record_filters.py [--home HOME] [--postgres URL] [--count 1000000] [--rounds 20]

The traces are made up (rig/million.py): ninety days of an organisation's questions, the newest yesterday's, 15 % of them with texts,
spans and passages, as the shipped policy leaves them. A home or database that holds traces already is taken as it is. A page has 50
traces. Times are those of `TraceSearch.find`, the question of `ken trace --where` and `GET /api/traces?where=`; each filter is asked
`rounds` times, all of them in turn, so that none finds its own pages warm. What thinning and deleting did stays: measure a home once.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import sqlalchemy as sa

from ken.domain.principal import LOCAL_OPERATOR
from ken.domain.where import parsed
from ken.errors import DeadlineExceeded
from ken.storage.database import Database
from ken.storage.forgetting import Forgetting, Step, of_documents
from ken.storage.postgres import PostgresDatabase
from ken.storage.schema import traces
from ken.storage.sqlite import FILE_NAME, SqliteDatabase
from ken.storage.trace_search import TraceSearch
from ken.telemetry.capture import CaptureRules
from rig.handbooks import machine
from rig.million import fill

INDEXED = (
    "retrieve.ms > 500 and quality < 3",
    "ms > 20s",
    "retrieve.ms > 20",
    "task_type = lookup and ms > 3s",
    "task_type = rare-17",
    "error != ''",
    "escalated and cost > $0.01",
    "started > -48h and generate.ms > 5s",
    "cost > $0.02 and model = small-chat",
    "helpful = false and relevance < 0.4",
    "retries > 0 and outcome = failed",
    "checks = hedging and quality is known",
)
UNINDEXED = (
    "utilisation < 2% and tokens.input > 4k",
    "mean_relevance < 0.1",
    "tokens.output > 2000",
    "utilisation < 0.1%",
    "ms < 100 or generate.ms > 20s",
    "task_type = lookup and utilisation < 0.1%",
    "verify.ms > 2000",
    "model contains nothing",
)
PAGED = "retrieve.ms > 100"
PAGES = 100
DOCUMENT = "handbook/page-0.md"
PRINCIPAL = "key-0007"
_MS = 1000


def main() -> None:
    """Fill where that is to do, and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--postgres")
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        home: Path = options.home or Path(place)
        database: Database = PostgresDatabase(options.postgres) if options.postgres else SqliteDatabase(home)
        count = _filled(database, options.count)
        print(f"{machine()}; {count:,} traces, {_bytes(database, home) / count:,.0f} bytes each on the disk")
        for title, filters in (("indexed", INDEXED), ("not indexed", UNINDEXED)):
            _show(title, filters, _times(database, filters, options.rounds))
        _show_pages(database, options.rounds)
        _show_deletions(database)
        database.close()


def _filled(database: Database, count: int) -> int:
    with database.read() as connection:
        there = connection.scalar(sa.select(sa.func.count()).select_from(traces)) or 0
    if there:
        return there
    filled = fill(database, count)
    print(f"filled with {filled.traces:,} traces in {filled.seconds:,.0f} s")
    return count


def _bytes(database: Database, home: Path) -> int:
    if isinstance(database, SqliteDatabase):
        database.purge_log()
        return (home / FILE_NAME).stat().st_size
    with database.read() as connection:
        return connection.scalar(sa.text("SELECT pg_database_size(current_database())")) or 0


def _times(database: Database, filters: Sequence[str], rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each filter, round by round; one that was stopped counts with the time until then."""
    search = TraceSearch(database)
    took: dict[str, list[float]] = {where: [] for where in filters}
    for _ in range(rounds):
        for where in filters:
            condition = parsed(where, now=time.time())
            began = time.perf_counter()
            try:
                search.find(condition, LOCAL_OPERATOR)
            except DeadlineExceeded:
                print(f"stopped: {where}")
            took[where].append((time.perf_counter() - began) * _MS)
    return took


def _show(title: str, filters: Sequence[str], took: dict[str, list[float]]) -> None:
    print(f"\n{title:45} {'p50 ms':>9} {'p95 ms':>9}")
    for where in filters:
        print(f"{where:45} {np.percentile(took[where], 50):9.1f} {np.percentile(took[where], 95):9.1f}")
    every = [ms for of_filter in took.values() for ms in of_filter]
    print(f"{'all of them':45} {np.percentile(every, 50):9.1f} {np.percentile(every, 95):9.1f}")


def _show_pages(database: Database, rounds: int) -> None:
    search, condition = TraceSearch(database), parsed(PAGED, now=time.time())
    cursors: list[str | None] = [None]
    while len(cursors) < PAGES and (before := search.find(condition, LOCAL_OPERATOR, before=cursors[-1]).before):
        cursors.append(before)
    print()
    for number in (1, len(cursors)):
        took = [
            _took(lambda at=cursors[number - 1]: search.find(condition, LOCAL_OPERATOR, before=at))
            for _ in range(rounds)
        ]
        print(f"page {number:3} of {PAGED}: p50 {np.percentile(took, 50):.1f} ms, p95 {np.percentile(took, 95):.1f} ms")


def _show_deletions(database: Database) -> None:
    forgetting = Forgetting(database, CaptureRules())
    with database.write() as connection:
        some = sa.select(traces.c.id).where(traces.c.capture == "full").limit(5_000)
        connection.execute(sa.update(traces).where(traces.c.id.in_(some)).values(kept_until=0.0))
    _show_steps("thinned", lambda: forgetting.thin(time.time()))
    _show_steps(f"deleted of {PRINCIPAL}", lambda: forgetting.of_principal(PRINCIPAL))
    began = time.perf_counter()
    touched = of_documents(database, {DOCUMENT})
    print(f"withdrawn, as they name {DOCUMENT}: {touched:,} in {time.perf_counter() - began:.1f} s")


def _show_steps(what: str, step: Callable[[], Step]) -> None:
    done, took, more = 0, [0.0], True
    while more:
        began = time.perf_counter()
        result = step()
        took.append((time.perf_counter() - began) * _MS)
        done, more = done + result.thinned + result.deleted, result.more
    print(f"{what}: {done:,} in {sum(took) / _MS:.1f} s, the longest step {max(took):.0f} ms")


def _took(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * _MS


if __name__ == "__main__":
    main()
