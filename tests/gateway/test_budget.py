from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from ken.domain.budget import Budget, Burn, Counted, Spent, pace, resets_at
from ken.domain.call import Purpose
from ken.errors import BudgetExceeded, Unpriced
from ken.gateway.books import Books
from ken.gateway.budget import Budgets
from ken.storage.database import Database
from ken.storage.ledger import Ledger
from tests.gateway.calls import MICROS, TOKENS, a_call, ended
from tests.storage.conftest import again, database, migrated, place, postgresql, sqlite

__all__ = ["again", "database", "migrated", "place", "postgresql", "sqlite"]

TEN = Budget(name="ten calls", micros=10 * MICROS)
SALES = Purpose(principal="key-1", groups=frozenset({"sales"}), task_type="lookup", release="r-1")


async def taken(books: Books, count: int, purpose: Purpose = SALES) -> int:
    """How many of so many reservations at once are taken; they stay reserved."""
    answers = await asyncio.gather(*(books.reserve(a_call(purpose)) for _ in range(count)), return_exceptions=True)
    assert all(answer is None or isinstance(answer, BudgetExceeded) for answer in answers)
    return sum(answer is None for answer in answers)


async def spend(books: Books, micros: int, purpose: Purpose = SALES, *, at: float | None = None) -> None:
    """One call that cost so much."""
    call = a_call(purpose, micros=micros, at=at)
    await books.reserve(call)
    books.settle(call, ended(micros))
    await books.flush()


async def test_never_more_is_taken_than_fits_however_many_ask_at_once(
    database: Database, again: Callable[[], Database]
) -> None:
    """32 calls at once against a budget for 10, from two replicas: 10 are taken. Nor are there more after a restart."""
    other = again()
    replicas = [Books(Ledger(each), budgets=[TEN]) for each in (database, other)]
    assert sum(await asyncio.gather(*(taken(books, 16) for books in replicas))) == 10
    restarted = Books(Ledger(database), budgets=[TEN])
    assert await taken(restarted, 4) == 0
    for books in (*replicas, restarted):
        await books.aclose()
    other.close()


async def test_what_a_call_did_not_need_is_there_for_the_next(sqlite: Database) -> None:
    """A caller who waits for each answer is refused only when what was really spent leaves no room."""
    books = Books(Ledger(sqlite), budgets=[TEN])
    for _ in range(16):
        call = a_call()
        await books.reserve(call)
        books.settle(call, ended(600))
    with pytest.raises(BudgetExceeded, match=r"'ten calls' has \$0.000400 left .* may cost \$0.001000"):
        await books.reserve(a_call())
    await books.aclose()


@pytest.mark.parametrize(
    ("budget", "bound", "free"),
    [
        (Budget(name="b", scope="principal", micros=MICROS), Purpose(principal="a"), Purpose(principal="b")),
        (Budget(name="b", scope="principal", of="a", micros=MICROS), Purpose(principal="a"), Purpose(principal="b")),
        (Budget(name="b", scope="group", of="hr", tokens=TOKENS), Purpose(groups=frozenset({"hr"})), SALES),
        (Budget(name="b", scope="task_type", of="summary", micros=MICROS), Purpose(task_type="summary"), SALES),
        (Budget(name="b", scope="release", period="day", tokens=TOKENS), Purpose(release="r-2"), SALES),
    ],
)
async def test_a_budget_binds_those_that_it_is_for(
    sqlite: Database, budget: Budget, bound: Purpose, free: Purpose
) -> None:
    """It has room for one call: the second is refused, that of anybody else is not."""
    books = Books(Ledger(sqlite), budgets=[budget])
    assert await taken(books, 2, bound) == 1
    assert await taken(books, 1, free) == 1
    await books.aclose()


async def test_the_refusal_says_when_the_budget_begins_anew(sqlite: Database) -> None:
    """A budget of a day at midnight, one of a month on the first, both in UTC."""
    now = datetime.now(UTC)
    for period, first in (("day", now.day + 1), ("month", 1)):
        books = Books(Ledger(sqlite), budgets=[Budget(name="none", period=period, micros=0)])  # pyright: ignore[reportArgumentType]
        with pytest.raises(BudgetExceeded, match=f"'none' is used up: \\$0.00 a {period}") as refused:
            await books.reserve(a_call())
        reset = datetime.fromtimestamp(refused.value.resets_at, UTC)
        assert (reset.hour, reset.minute, reset.second) == (0, 0, 0)
        assert now < reset
        assert reset.day == 1 or (period, reset.day) == ("day", first)
        await books.aclose()


async def test_a_hard_budget_of_money_holds_only_for_known_prices(sqlite: Database) -> None:
    """A model without a price is refused with the remedy; under a soft budget and one of tokens it is called."""
    hard = Books(Ledger(sqlite), budgets=[TEN])
    with pytest.raises(Unpriced, match=r"'m-1' has no price.*\[prices\]"):
        await hard.reserve(a_call(micros=None))
    await hard.aclose()
    lenient = [Budget(name="soft", micros=1, is_hard=False), Budget(name="tokens", tokens=10 * TOKENS)]
    books = Books(Ledger(sqlite), budgets=lenient)
    await books.reserve(a_call(micros=None))
    await books.aclose()


async def test_a_standing_says_how_much_is_left_and_what_to_do(sqlite: Database) -> None:
    """Normal until the soft share, short from there, exhausted at the limit; what is reserved counts."""
    ledger = Ledger(sqlite)
    budgets = Budgets(ledger, [TEN, Budget(name="plenty", scope="group", of="sales", tokens=10**9)])
    books = Books(ledger)
    assert (await budgets.standing(SALES)).state == "normal"
    await spend(books, 7 * MICROS)
    standing = await budgets.standing(SALES)
    assert (standing.state, standing.notice) == ("normal", "")
    await books.reserve(a_call())
    standing = await budgets.standing(SALES)
    assert standing.is_short
    assert standing.burn is not None
    assert (standing.state, standing.burn.left) == ("short", 2 * MICROS)
    assert standing.notice.startswith("The budget 'ten calls' is short: $0.002000 of $0.010000 are left until ")
    await spend(books, 2 * MICROS)
    with pytest.raises(BudgetExceeded, match="is used up"):
        await budgets.check(SALES)
    await books.aclose()


async def test_a_soft_budget_is_short_and_never_exhausted(sqlite: Database) -> None:
    """Ten times the limit is spent: it warns, and nothing is refused."""
    soft = Budget(name="soft", micros=MICROS, soft=0.5, is_hard=False)
    books = Books(Ledger(sqlite), budgets=[soft])
    await spend(books, 10 * MICROS)
    standing = await Budgets(books.ledger, [soft]).check(SALES)
    assert standing.state == "short"
    await books.aclose()


async def test_what_was_spent_in_another_month_binds_nobody(sqlite: Database) -> None:
    """A month is the sum of its days: the last of the month before isn't among them."""
    month = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp()
    books = Books(Ledger(sqlite), budgets=[TEN])
    await spend(books, 9 * MICROS, at=month - 1)
    await spend(books, 9 * MICROS, at=month)
    (burn,) = await Budgets(books.ledger, [TEN]).all_burns()
    assert (burn.used, burn.counted.period) == (9 * MICROS, time.strftime("%Y-%m", time.gmtime()))
    with pytest.raises(BudgetExceeded):
        await spend(books, 2 * MICROS)
    await books.aclose()


async def test_everyones_budget_shows_each_one_who_spent(sqlite: Database) -> None:
    """A budget that each principal has is listed once for each who spent something, the scarcest first."""
    each = Budget(name="each", scope="principal", micros=10 * MICROS)
    books = Books(Ledger(sqlite), budgets=[each])
    for name, calls in (("a", 2), ("b", 7)):
        await spend(books, calls * MICROS, Purpose(principal=name))
    budgets = Budgets(books.ledger, [each])
    assert [(burn.counted.of, burn.left) for burn in await budgets.all_burns()] == [("b", 3_000), ("a", 8_000)]
    assert [burn.counted.of for burn in await budgets.burns(Purpose(principal="a"))] == ["a"]
    await books.aclose()


@pytest.mark.parametrize(
    ("day", "used", "projected", "runs_out"),
    [
        (1, 500, None, None),  # too early to tell
        (16, 500, 1000, None),  # the 15 days before it are half of November: it lasts exactly to the end
        (16, 1000, 2000, 16),
        (16, 800, 1600, 19),
        (16, 0, 0, None),
    ],
)
def test_a_pace_tells_where_it_ends(day: int, used: int, projected: int | None, runs_out: int | None) -> None:
    """Half of the month over: what is used by then is doubled, and where that is beyond the limit the day is named."""
    at = datetime(2026, 11, day, tzinfo=UTC).timestamp()
    budget = Budget(name="tokens", tokens=1000)
    counted = Counted(scope="all", of="", period="2026-11")
    burn = Burn(budget=budget, counted=counted, spent=Spent(final_tokens=used), resets_at=resets_at(at, "month"))
    told = pace(burn, at)
    assert told.even == (0 if day == 1 else 500)
    assert told.projected == projected
    ends = None if told.runs_out_at is None else datetime.fromtimestamp(told.runs_out_at, UTC).day
    assert ends == runs_out
