"""Every fault in every situation, through the door: the ending, the calls, their spans, the cost, the client's bytes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from ken.mock.behaviour import parse
from ken.mock.writing import Asked, written
from tests.gateway.matrix_rig import LONG_S, Rig, Seen, standing
from tests.gateway.matrix_table import AT, LEFT, TOKENS, Cell, Wire, cells, cost_cells
from tests.service.corpus import copy

COLUMNS: tuple[tuple[str, Wire], ...] = (
    ("retry", "openai"),
    ("fallback", "openai"),
    ("open", "openai"),
    ("warm", "openai"),
    ("retry", "anthropic"),
    ("fallback", "anthropic"),
)
WIRES: tuple[Wire, ...] = ("openai", "anthropic")
_PIECES = written(parse(f"mock-len{TOKENS}"), Asked(texts=())).pieces
WHOLE = "".join(_PIECES)
BEGUN = "".join(_PIECES[:AT])


@pytest.fixture(scope="module")
async def rig(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Rig]:
    every = [cell for column, wire in COLUMNS for cell in cells(column, wire)]
    every += [*(cell for wire in WIRES for cell in cost_cells(wire)), LEFT]
    async with standing(copy(tmp_path_factory.mktemp("matrix") / "home"), every) as stood:
        yield stood


@pytest.mark.parametrize(("column", "wire"), COLUMNS)
async def test_every_fault_ends_as_the_table_says(rig: Rig, column: str, wire: Wire) -> None:
    """Each cell of the column has its ending, calls, spans and cost; nothing hangs, is lost, shown twice or billed twice."""
    asked = cells(column, wire)
    before = await asyncio.gather(*(rig.prepare(cell) for cell in asked))
    if column == "warm":
        await rig.leave()
    seen = await asyncio.gather(*(rig.ask(cell) for cell in asked))
    found = [
        f"{cell.name}: {fault}"
        for cell, each, answer in zip(asked, seen, before, strict=True)
        for fault in faults(cell, each, answer=answer or WHOLE)
    ]
    assert found == []


@pytest.mark.parametrize("wire", WIRES)
async def test_a_call_costs_the_same_however_its_usage_is_stated(rig: Rig, wire: Wire) -> None:
    """Streamed and whole cost the same, and that is what the provider invoices, or a marked estimate near to it."""
    asked = cost_cells(wire)
    seen = await asyncio.gather(*(rig.ask(cell) for cell in asked))
    found = [
        f"{cell.name}: {each}"
        for cell, one in zip(asked, seen, strict=True)
        for each in faults(cell, one, answer=WHOLE)
    ]
    assert found == []
    costs = [one.trace["cost_micros"] for one in seen]
    assert costs[::2] == costs[1::2]


async def test_a_tier_passes_over_a_model_whose_breaker_is_open(rig: Rig) -> None:
    """Once the first model of a chain has failed too often, the second is asked at once, and the answer is whole."""
    cell = next(cell for cell in cells("fallback") if cell.name == "fallback-stream-500-openai")
    for _ in range(2):
        await rig.ask(cell)
    seen = await rig.ask(cell)
    assert calls_of(cell, seen) == (0, 1)
    assert ending_of(seen, WHOLE) == "all"


async def test_a_client_that_leaves_takes_its_call_along(rig: Rig) -> None:
    """The provider is left at once, and what it had written by then is on the bill, give or take a token."""
    seen = await rig.leave_after(LEFT, AT)
    (entry,) = seen.entries
    assert entry.outcome == "hung up"
    assert AT <= entry.output_tokens < TOKENS
    (span,) = seen.spans("call")
    assert span["attributes"]["estimated"]
    assert abs(span["attributes"]["output_tokens"] - entry.output_tokens) <= 1
    assert seen.trace["cost_micros"] > 0


async def test_nothing_stays_reserved(rig: Rig) -> None:
    """After all of it the books have no call that is still under way."""
    books = rig.ken.providers.stacks.books
    assert await books.flush()
    assert await asyncio.to_thread(books.ledger.under_way) == {}


def faults(cell: Cell, seen: Seen, *, answer: str) -> list[str]:
    """What is not as the table says."""
    found: list[str] = []
    ending = ending_of(seen, answer)
    if ending != cell.ending:
        found.append(f"it ended as {ending!r} and not as {cell.ending!r} ({seen.errors})")
    if seen.is_cached != (cell.column == "warm"):
        found.append(f"out of the cache: {seen.is_cached}")
    calls = calls_of(cell, seen)
    if calls != cell.calls:
        found.append(f"{calls} calls went out and not {cell.calls}")
    if bool(seen.notices) != (cell.column == "fallback" and cell.calls[-1] > 0):
        found.append(f"it was noticed: {seen.notices}")
    if seen.took_s > LONG_S / 2:
        found.append(f"it hung for {seen.took_s:.1f} s")
    return [*found, *unlike_attempts(cell, seen), *unlike_the_books(cell, seen)]


def ending_of(seen: Seen, answer: str) -> str:
    """How an answer ended, in the table's words."""
    if seen.status != 200:
        return str(seen.status) if not seen.text and len(seen.errors) == 1 else "more than a status"
    if seen.is_done and not seen.errors:
        return "all" if seen.text == answer else repr(seen.text[:200])
    if len(seen.errors) != 1 or seen.is_done:
        return "no clean end"
    return f"{AT}!" if seen.text == BEGUN else f"{seen.text[:200]!r}!"


def calls_of(cell: Cell, seen: Seen) -> tuple[int, ...]:
    """How many calls of each model went out, by the trace."""
    called = [span["attributes"]["model"] for span in seen.spans("call")]
    names = (f"first-{cell.name}", f"second-{cell.name}") if cell.column == "fallback" else (cell.name,)
    return tuple(called.count(name) for name in names)


def unlike_attempts(cell: Cell, seen: Seen) -> list[str]:
    """Where the spans of a model's attempts aren't numbered, or don't say why there was another."""
    found: list[str] = []
    attempts = [span["attributes"] for span in seen.spans("attempt")]
    for model in dict.fromkeys(attempt["model"] for attempt in attempts):
        told = [(attempt["number"], attempt["reason"]) for attempt in attempts if attempt["model"] == model]
        wanted = [(1, ""), *((number, cell.why) for number in range(2, len(told) + 1))]
        if told != wanted:
            found.append(f"the attempts at {model!r} are {told}")
    return found


def unlike_the_books(cell: Cell, seen: Seen) -> list[str]:
    """Where the trace, Ken's books and the provider's don't agree, as far as the table asks for it."""
    cost = seen.trace.get("cost_micros")
    if cost is None:
        return [f"it has no cost on record: {seen.trace}"]
    booked = [micros for _, state, micros in seen.booked if state == "final"]
    if len(booked) != sum(cell.calls) or sum(micros or 0 for micros in booked) != cost:
        return [f"it cost {cost}, and in the books stands {seen.booked}"]
    is_estimate = any(span["attributes"].get("estimated") for span in seen.spans("call"))
    if is_estimate != (cell.cost != "="):
        return [f"marked as an estimate: {is_estimate}"]
    if cell.cost == ">":
        return [] if cost > 0 else ["it is free"]
    invoiced = sum(entry.cost_micros for entry in seen.entries)
    if abs(cost - invoiced) > (0 if cell.cost == "=" else 0.05 * invoiced):
        return [f"it cost {cost} and the invoice is {invoiced}: {[entry.told() for entry in seen.entries]}"]
    return []
