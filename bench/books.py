"""What a call's reservation takes: the time until it is on the disk, and how many a second.

    python bench/books.py [--calls N]

Each call is reserved, durably, and settled, as the meter does it, over a real database in a temporary folder, under one budget for
all and one for each principal; at 1, 16 and 64 calls at once. It says how long the disk takes for a commit of its own, which is
the floor for one call at a time: it differs between machines more than anything else here.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from ken.domain.booking import Reservation, Settlement, new_call_id
from ken.domain.budget import Budget
from ken.domain.call import Purpose
from ken.domain.usage import Usage
from ken.gateway.books import Books
from ken.storage.ledger import Ledger
from ken.storage.sqlite import SqliteDatabase
from rig.handbooks import machine

PLENTY = 10**15
BUDGETS = (Budget(name="all", micros=PLENTY), Budget(name="each", scope="principal", period="day", tokens=PLENTY))
PURPOSE = Purpose(principal="key-1", groups=frozenset({"staff"}), task_type="lookup", release="r-1")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=3_000, help="calls at each concurrency")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ken-bench-", dir=Path.cwd()) as folder:
        print(f"{machine()}\nA commit of the disk's own (fdatasync): {fsync_ms(Path(folder)):.2f} ms\n")
        asyncio.run(measure(Path(folder) / "home", given.calls))


def fsync_ms(folder: Path) -> float:
    """The median time that the disk takes to keep 4 KiB."""
    taken: list[float] = []
    with (folder / "sync").open("wb", buffering=0) as file:
        for _ in range(100):
            file.write(bytes(4096))
            started = time.perf_counter()
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - started)
    return float(np.median(taken)) * 1000


async def measure(home: Path, count: int) -> None:
    """Reserve and settle, at each concurrency."""
    database = SqliteDatabase(home)
    books = Books(Ledger(database), budgets=BUDGETS)
    print("| at once | calls a second | p50 ms | p99 ms |\n|---:|---:|---:|---:|")
    for at_once in (1, 16, 64):
        waits: list[float] = []
        started = time.perf_counter()
        await asyncio.gather(*(one_after_the_other(books, count // at_once, waits=waits) for _ in range(at_once)))
        rate = len(waits) / (time.perf_counter() - started)
        p50, p99 = np.percentile(np.array(waits) * 1000, [50, 99])
        print(f"| {at_once} | {rate:,.0f} | {p50:.2f} | {p99:.2f} |")
    await books.aclose()
    database.close()


async def one_after_the_other(books: Books, count: int, *, waits: list[float]) -> None:
    """Calls of one caller; notes how long each waited for its reservation."""
    for _ in range(count):
        call = Reservation(
            call_id=new_call_id(), purpose=PURPOSE, model="m-1", tokens=900, micros=700, started_at=time.time()
        )
        started = time.perf_counter()
        await books.reserve(call)
        waits.append(time.perf_counter() - started)
        books.settle(call, Settlement(usage=Usage(500, 80), cost_micros=130, ended_at=time.time()))


if __name__ == "__main__":
    main()
