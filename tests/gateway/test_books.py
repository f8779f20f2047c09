from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from ken.domain.booking import Reservation
from ken.domain.budget import Counted, Spent, period_of
from ken.domain.call import Purpose
from ken.errors import StorageError
from ken.gateway.books import Books
from ken.gateway.liveness import is_running, process
from ken.storage.database import Database
from ken.storage.ledger import Ledger
from ken.storage.schema import calls
from tests.gateway.calls import COST, MICROS, TOKENS, USED, a_call, ended
from tests.storage.conftest import again, database, migrated, place, postgresql, sqlite

__all__ = ["again", "database", "migrated", "place", "postgresql", "sqlite"]


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database)


@pytest.fixture
async def books(ledger: Ledger) -> AsyncIterator[Books]:
    opened = Books(ledger)
    yield opened
    await opened.aclose()


def today(scope: str = "all", of: str = "") -> Counted:
    """The counter of this day."""
    return Counted(scope=scope, of=of, period=period_of(time.time(), "day"))  # pyright: ignore[reportArgumentType]


def spent(ledger: Ledger) -> Spent:
    """What all have spent today."""
    return ledger.spent([today()]).get(today(), Spent())


def spent_on(*, reserved: int = 0, ended: int = 0) -> Spent:
    """What so many calls come to."""
    return Spent(
        reserved_micros=reserved * MICROS,
        final_micros=ended * COST,
        reserved_tokens=reserved * TOKENS,
        final_tokens=ended * USED,
        calls=ended,
    )


def states(database: Database) -> dict[str, tuple[str, int | None]]:
    """The state and cost of each call."""
    with database.read() as connection:
        rows = connection.execute(sa.select(calls.c.id, calls.c.state, calls.c.cost_micros))
        return {row.id: (row.state, row.cost_micros) for row in rows}


def taken_away(home: Path) -> Callable[[], None]:
    """Put a file where the home was; what puts the home back."""
    away = home.with_name("away")
    home.rename(away)
    home.write_text("")

    def put_back() -> None:
        home.unlink()
        away.rename(home)

    return put_back


async def test_a_reservation_is_in_the_database_when_it_returns_and_final_after(
    books: Books, ledger: Ledger, again: Callable[[], Database]
) -> None:
    """Another connection sees it reserved, then final; the counters of everyone whom it is for follow."""
    purpose = Purpose(principal="key-1", groups=frozenset({"sales", "hr"}), task_type="lookup", release="r-1")
    call = a_call(purpose)
    await books.reserve(call)
    other = again()
    assert states(other) == {call.call_id: ("reserved", None)}
    books.settle(call, ended())
    assert await books.flush()
    assert states(other) == {call.call_id: ("final", COST)}
    other.close()
    names = [("all", ""), ("principal", "key-1"), ("group", "hr"), ("group", "sales")]
    names += [("task_type", "lookup"), ("release", "r-1")]
    want = spent_on(ended=1)
    assert ledger.spent([today(*name) for name in names]) == {today(*name): want for name in names}
    month = ledger.in_period(period_of(time.time(), "month"))
    assert {(each.scope, each.of): found for each, found in month.items()} == dict.fromkeys(names, want)


async def test_reservations_of_one_moment_share_transactions_and_none_is_lost(books: Books, ledger: Ledger) -> None:
    """64 callers at once: each row is there, each is settled once, and the sums are exact."""

    async def one() -> None:
        call = a_call()
        await books.reserve(call)
        books.settle(call, ended())
        books.settle(call, ended())

    await asyncio.gather(*(one() for _ in range(64)))
    assert await books.flush()
    assert spent(ledger) == spent_on(ended=64)


async def test_an_unknown_price_is_counted_beside_the_sums(books: Books, ledger: Ledger) -> None:
    """It is never 0: the cost of the call is empty, and the counter says that one is missing."""
    known, unknown = a_call(), a_call(micros=None)
    for call, cost in ((known, COST), (unknown, None)):
        await books.reserve(call)
        books.settle(call, ended(cost))
    assert await books.flush()
    assert spent(ledger) == Spent(final_micros=COST, final_tokens=2 * USED, calls=2, unknown_calls=1)
    (cost,) = ledger.costs("model", since=0, until=time.time() + 1)
    assert (cost.of, cost.calls, cost.cost_micros, cost.unknown_calls) == ("m-1", 2, COST, 1)
    (day,) = ledger.costs("day", since=0, until=time.time() + 1)
    assert day.of == period_of(time.time(), "day")


async def test_a_reservation_that_is_called_off_costs_nothing(books: Books, ledger: Ledger) -> None:
    """The caller hangs up while the reservation is written: what it held is free again."""
    waiting = [asyncio.create_task(books.reserve(a_call())) for _ in range(8)]
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert await books.flush()
    assert (spent(ledger).reserved_micros, spent(ledger).final_micros, spent(ledger).final_tokens) == (0, 0, 0)


async def test_an_orderly_stop_loses_nothing(ledger: Ledger, database: Database) -> None:
    """What was settled in the last moment is written before the books are closed; then nothing is reserved any more."""
    books = Books(ledger)
    reserved = [a_call() for _ in range(20)]
    await asyncio.gather(*(books.reserve(each) for each in reserved))
    for each in reserved:
        books.settle(each, ended())
    await books.aclose()
    assert set(states(database).values()) == {("final", COST)}
    assert ledger.under_way() == {}
    with pytest.raises(StorageError, match="being stopped"):
        await books.reserve(a_call())


@pytest.mark.parametrize("count", [9])
def test_a_killed_process_loses_no_figure_and_nothing_counts_twice(place: str, ledger: Ledger, count: int) -> None:
    """`kill -9` with 9 calls reserved, 5 of them settled: the next start lets what was reserved stand for the other 4."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.gateway.calls", place, str(count)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    with child, child.stdout:
        assert child.stdout.readline() == "reserved\n"
        held = spent(ledger)
        alive = Books(ledger)  # a second one beside a living process leaves its reservations alone
        alive.close()
        assert spent(ledger) == held == spent_on(reserved=4, ended=5)
        os.kill(child.pid, signal.SIGKILL)
    for _ in range(2):
        Books(ledger).close()
        assert spent(ledger) == Spent(final_micros=5 * COST + 4 * MICROS, final_tokens=5 * USED + 4 * TOKENS, calls=9)
    (cost,) = ledger.costs("model", since=0, until=time.time() + 1)
    assert (cost.calls, cost.cost_micros, cost.unknown_calls, cost.estimated_calls) == (9, 5 * COST + 4 * MICROS, 0, 4)


async def test_a_process_that_was_thought_dead_and_is_not_puts_its_calls_right(books: Books, ledger: Ledger) -> None:
    """Its reservation was taken for the cost meanwhile: the settlement puts the true cost in its place, once."""
    call = a_call()
    await books.reserve(call)
    assert ledger.reconcile([books.instance]) == 1
    assert spent(ledger) == Spent(final_micros=MICROS, final_tokens=TOKENS, calls=1)
    books.settle(call, ended())
    assert await books.flush()
    assert spent(ledger) == spent_on(ended=1)


async def test_no_call_goes_out_while_the_books_cannot_be_written(sqlite: Database, home: Path) -> None:
    """The reservation fails and says why; what was settled before is written as soon as the database is back."""
    ledger = Ledger(sqlite)
    books = Books(ledger)
    call = a_call()
    await books.reserve(call)
    put_back = taken_away(home)
    sqlite.close()  # open connections would still lead to the file
    books.settle(call, ended())
    with pytest.raises(StorageError, match="No model is called while"):
        await books.reserve(a_call())
    put_back()
    after = a_call()
    await books.reserve(after)
    books.settle(after, ended())
    await books.aclose()
    assert spent(ledger) == spent_on(ended=2)


async def test_old_calls_are_deleted_and_calls_under_way_are_not(books: Books, database: Database) -> None:
    """By age and by principal; the sums of all stay."""
    ledger, month_ago = books.ledger, time.time() - 40 * 86_400
    mine, yours = Purpose(principal="key-1"), Purpose(principal="key-2")
    made: dict[str, Reservation] = {
        "old": a_call(mine, at=month_ago),
        "old, open": a_call(mine, at=month_ago),
        "mine": a_call(mine),
        "mine, open": a_call(mine),
        "yours": a_call(yours),
    }
    for name, each in made.items():
        await books.reserve(each)
        if "open" not in name:
            books.settle(each, ended())
    assert await books.flush()
    assert ledger.delete_older_than(35 * 86_400) == 1
    assert states(database).keys() == {each.call_id for name, each in made.items() if name != "old"}
    assert ledger.delete_of_principal("key-1") == 1
    kept = {"old, open", "mine, open", "yours"}
    assert states(database).keys() == {made[name].call_id for name in kept}
    own = today("principal", "key-1")
    assert ledger.spent([own])[own] == spent_on(reserved=1)
    assert spent(ledger).final_micros == 2 * COST


def test_a_process_is_told_from_a_later_one_with_its_id() -> None:
    """The present one runs; one that has ended doesn't, nor one that began at another time."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, text=True)
    name = process(child.pid)
    assert is_running(process())
    assert is_running(name)
    child.communicate("\n")
    assert not is_running(name)
    assert not is_running(f"{os.getpid()} 1")
