"""Calls as the books take them, and books in a process of their own.

Usage: python -m tests.gateway.calls PLACE COUNT. Reserves so many calls at the database there, settles every second one,
prints a line once all of that is on the disk, and waits to be killed.
"""

from __future__ import annotations

import asyncio
import sys
import time

from ken.domain.booking import Reservation, Settlement, new_call_id
from ken.domain.call import Purpose
from ken.domain.usage import Usage
from ken.gateway.books import Books
from ken.storage.ledger import Ledger
from tests.storage.places import opened_at

MICROS, TOKENS = 1_000, 500
"""What each call reserves."""
COST, USED = 600, 120
"""What it comes to."""


def a_call(purpose: Purpose | None = None, *, micros: int | None = MICROS, at: float | None = None) -> Reservation:
    """A reservation that is made now."""
    return Reservation(
        call_id=new_call_id(),
        purpose=purpose or Purpose(principal="key-1", task_type="lookup", release="r-1"),
        model="m-1",
        tokens=TOKENS,
        micros=micros,
        started_at=time.time() if at is None else at,
    )


def ended(cost: int | None = COST) -> Settlement:
    """What a call has come to."""
    return Settlement(usage=Usage(100, 20), cost_micros=cost, ended_at=time.time())


async def reserve_and_wait(place: str, count: int) -> None:
    """Reserve, settle half, say so, and wait."""
    books = Books(Ledger(opened_at(place)))
    reserved = [a_call() for _ in range(count)]
    await asyncio.gather(*(books.reserve(each) for each in reserved))
    for each in reserved[::2]:
        books.settle(each, ended())
    await books.flush()
    sys.stdout.write("reserved\n")
    sys.stdout.flush()
    await asyncio.sleep(60)


if __name__ == "__main__":
    asyncio.run(reserve_and_wait(sys.argv[1], int(sys.argv[2])))
