"""Every fault in every situation, through the door of the plain gateway: the ending, the calls, the cost, the bytes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from ken.mock.behaviour import parse
from ken.mock.writing import Asked, written
from tests.gateway.matrix_rig import LONG_S, Rig, Seen, standing
from tests.gateway.matrix_table import AT, TOKENS, Cell, cells

COLUMNS = ("retry", "fallback", "open")
ALL = [cell for column in COLUMNS for cell in cells(column)]
_PIECES = written(parse(f"mock-len{TOKENS}"), Asked(texts=())).pieces
WHOLE = "".join(_PIECES)
BEGUN = "".join(_PIECES[:AT])


@pytest.fixture(scope="module")
async def rig(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Rig]:
    async with standing(tmp_path_factory.mktemp("matrix") / "home", ALL) as stood:
        yield stood


@pytest.mark.parametrize("column", COLUMNS)
async def test_every_fault_ends_as_the_table_says(rig: Rig, column: str) -> None:
    """Each cell of the column has its ending, its calls, its cost and one clean answer or one error."""
    asked = cells(column)
    seen = await asyncio.gather(*(rig.ask(cell) for cell in asked))
    wrong = [f"{cell.name}: {fault}" for cell, each in zip(asked, seen, strict=True) for fault in faults(cell, each)]
    assert wrong == []


def faults(cell: Cell, seen: Seen) -> list[str]:
    """What is not as the table says."""
    found: list[str] = []
    ending = ending_of(seen)
    if ending != cell.ending:
        found.append(f"it ended as {ending!r} and not as {cell.ending!r} ({seen.errors})")
    calls = calls_of(cell, seen)
    if calls != cell.calls:
        found.append(f"{calls} calls went out and not {cell.calls}")
    if seen.took_s > LONG_S / 2:
        found.append(f"it hung for {seen.took_s:.1f} s")
    return [*found, *unlike_the_books(cell, seen)]


def ending_of(seen: Seen) -> str:
    """How an answer ended, in the table's words."""
    if seen.status != 200:
        return str(seen.status) if not seen.text and len(seen.errors) == 1 else "more than a status"
    end = "" if seen.is_done and not seen.errors else "!" if len(seen.errors) == 1 and not seen.is_done else "?"
    texts = {WHOLE: "all" if not end else "24", BEGUN: str(AT), "": "none"}
    text = texts.get(seen.text) or ("big" if len(seen.text) > 1_000_000 else repr(seen.text[:200]))
    return text + end


def calls_of(cell: Cell, seen: Seen) -> tuple[int, ...]:
    """How many calls of each model went out, by the trace."""
    called = [span["attributes"]["model"] for span in seen.spans("call")]
    names = (f"first-{cell.name}", f"second-{cell.name}") if cell.column == "fallback" else (cell.name,)
    return tuple(called.count(name) for name in names)


def unlike_the_books(cell: Cell, seen: Seen) -> list[str]:
    """Where Ken's cost is not the provider's, as far as the table asks for it."""
    if not seen.trace:
        return ["there is no trace of it"]
    invoiced = sum(entry.cost_micros for entry in seen.entries)
    cost = seen.trace["cost_micros"]
    is_estimate = any(span["attributes"].get("estimated") for span in seen.spans("call"))
    if is_estimate != (cell.cost != "="):
        return [f"marked as an estimate: {is_estimate}"]
    if cell.cost == ">":
        return [] if cost > 0 else ["it is free"]
    if abs(cost - invoiced) > (0 if cell.cost == "=" else 0.05 * invoiced):
        return [f"it cost {cost} and the invoice is {invoiced}: {[entry.told() for entry in seen.entries]}"]
    return []
