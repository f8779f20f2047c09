"""Faults of a model: each row of the table, on a running Ken, from the first question to the breaker that closes again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from ken.operations.drill.client import Asker, Seen, Span
from ken.operations.drill.documents import QUESTIONS
from ken.operations.drill.finding import Checks, Finding
from ken.operations.drill.rig import PRIMARY, SECONDARY, TIER
from ken.operations.drill.switch import HEALTHY, Switch
from ken.operations.drill.table import GONE, Expected

GROUP = "model"
_MOST_ASKED = 6
_POLL_S = 0.1
_HEAL_S = 6.0


async def inject(row: Expected, asker: Asker, *, provider: Switch) -> Finding:
    """Bring one fault about and look what comes of it; the provider works again at the end."""
    began, checks = time.monotonic(), Checks()
    question = QUESTIONS[0]
    await healed(asker, provider)
    usual = await asker.ask(question, model=TIER)
    checks.that(usual.is_whole and usual.text, f"without the fault: {usual.outcome}")
    try:
        await _broken(row, provider)
        seen = await asker.ask(question, model=TIER)
        spans = await asker.spans(seen.trace_id)
        _compare(row, seen, usual, spans=spans, checks=checks)
        await _breaker(row, asker, checks=checks)
    finally:
        await _mended(row, provider)
    state = await healed(asker, provider)
    checks.that(state == "closed", f"when the fault is over, the breaker is {state or 'unknown'}")
    return checks.finding(row.fault, group=GROUP, expected=row.words, seconds=time.monotonic() - began)


async def healed(asker: Asker, provider: Switch) -> str:
    """Ask until the first model's breaker is closed, a few seconds long; how it stands then."""
    provider.words = HEALTHY
    due = time.monotonic() + _HEAL_S
    while (state := await asker.breaker(PRIMARY)) != "closed" and time.monotonic() < due:
        await asker.ask(QUESTIONS[1], model=TIER)
        await asyncio.sleep(_POLL_S)
    return state


def calls_of(spans: Sequence[Span]) -> tuple[int, int]:
    """How many calls of each model a trace has."""
    called = [str(span.attributes.get("model")) for span in spans if span.name == "call"]
    return called.count(PRIMARY), called.count(SECONDARY)


def _compare(row: Expected, seen: Seen, usual: Seen, *, spans: Sequence[Span], checks: Checks) -> None:
    calls = calls_of(spans)
    reasons = {str(span.attributes.get("reason")) for span in spans if span.name == "attempt"} - {""}
    checks.saw(seen.outcome, f"calls {calls[0]}+{calls[1]}", *(f"again for {reason}" for reason in sorted(reasons)))
    checks.that(seen.is_whole, f"no whole answer: {seen.outcome}")
    if row.answer == "whole":
        checks.that(seen.text == usual.text, f"another answer than without the fault: {seen.text[:80]!r}")
    else:
        checks.that(
            seen.text and seen.model == "extractive", f"{seen.model!r} answered, and not the passages themselves"
        )
    checks.that(calls == row.calls, f"calls {calls[0]}+{calls[1]} instead of {row.calls[0]}+{row.calls[1]}")
    wanted = set[str]() if row.why == "-" else {row.why}
    checks.that(reasons == wanted, f"attempts were repeated for {sorted(reasons) or 'nothing'} instead of {row.why}")
    checks.that(bool(seen.notices) == row.is_noticed, f"notices: {list(seen.notices)}")
    checks.proof(
        f"trace {seen.trace_id}", *(f"{span.name} {_told(span)}" for span in spans if span.name in {"attempt", "call"})
    )


async def _breaker(row: Expected, asker: Asker, *, checks: Checks) -> None:
    """Ask a few times more; an open breaker has to keep the next question away from the model."""
    for _ in range(_MOST_ASKED):
        if await asker.breaker(PRIMARY) == "open":
            break
        await asker.ask(QUESTIONS[2], model=TIER)
    state = await asker.breaker(PRIMARY)
    checks.saw(f"breaker {state}")
    checks.that(
        (state == "open") == row.opens, f"the breaker is {state or 'unknown'} after {_MOST_ASKED + 1} questions"
    )
    if state == "open" and row.opens:
        after = await asker.ask(QUESTIONS[3], model=TIER)
        calls = calls_of(await asker.spans(after.trace_id))
        # Its time may have been up by then: one probe is let through.
        checks.that(
            after.is_whole and calls[0] <= 1, f"past the open breaker: {after.outcome}, calls {calls[0]}+{calls[1]}"
        )
        checks.proof(f"trace {after.trace_id} past the open breaker")


async def _broken(row: Expected, provider: Switch) -> None:
    if row.how == GONE:
        await provider.vanish()
    else:
        provider.words = f"{HEALTHY}-{row.how}-id.{row.fault}"


async def _mended(row: Expected, provider: Switch) -> None:
    provider.words = HEALTHY
    if row.how == GONE:
        await provider.serve()


def _told(span: Span) -> str:
    kept = ("model", "number", "reason", "status", "outcome", "error")
    return ", ".join(f"{name} {span.attributes[name]}" for name in kept if span.attributes.get(name) not in {None, ""})
