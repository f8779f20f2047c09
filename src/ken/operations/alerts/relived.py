"""Alerts of a past that nobody looked at: what a running Ken would have put on record meanwhile. Nobody is told.

The engine that watches a running Ken looks at the record minute by minute, as `backtest` has it try one rule, and what it finds is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ken.operations.alerts.backtest import Record, Span
from ken.operations.alerts.engine import Engine
from ken.operations.alerts.rule import Rule
from ken.storage.alerts import AlertBook

STEP_S = 60.0
"""Between two looks: rules count how long something holds in steps no longer than that."""


def relive(
    rules: Sequence[Rule],
    record: Record,
    *,
    book: AlertBook,
    span: Span,
    tell: Callable[[float], None] = lambda _: None,
) -> int:
    """Look at the rules at every minute of a span and keep what became of alerts; how many began to fire.

    `tell` is told the time of each look. Raises Conflict where somebody else looks meanwhile, and what the figures raise.
    """
    engine = Engine(rules, record.figures, happenings=record.happenings)
    before = book.standing(span.since)
    engine.alerts = dict(before.alerts)
    fired, at = 0, span.since
    while at <= span.until:
        tell(at)
        changes = engine.evaluate(at)
        if changes:
            book.put(before, dict(engine.alerts), changes=changes, notices=())
            before = book.standing(at)
            fired += sum(change.alert.state == "firing" for change in changes)
        at += STEP_S
    book.put(before, dict(engine.alerts), changes=(), notices=())
    return fired
