# ruff: noqa: PLC0415 - heavy imports wait until the command runs
"""`ken checks`: what the rules that look at every answer have found, and which of them have nothing to do."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import typer

from ken.cli.home import HomeOption, JsonOption, settings_there
from ken.cli.output import say_json, say_table, tell

if TYPE_CHECKING:
    from ken.checks.heuristics.audit import Audited


def checks(context: typer.Context, *, as_json: JsonOption = False, home: HomeOption = None) -> None:
    """List the rules that look at every answer: how often each found a fault, when last, and which are silent."""
    from ken.checks.heuristics.audit import audit
    from ken.checks.heuristics.examine import Examiner
    from ken.storage.heuristics import Heuristics
    from ken.stores import open_store

    settings = settings_there(context, home)
    store = open_store(settings)
    try:
        counts = Heuristics(store.database).all()
    finally:
        store.close()
    running = Examiner(settings.checks.standards).names
    audited = audit(counts, running=running, at=time.time(), silent_days=settings.checks.silent_days)
    if as_json:
        say_json(audited)
        return
    head = ("rule", "looked at", "found", "rate", "last found", "known since", "an answer that ...")
    say_table(head, [_row(each) for each in audited])
    if silent := [each.name for each in audited if each.is_silent]:
        days = settings.checks.silent_days
        tell(
            f"\nSilent for {days:g} days: {', '.join(silent)}. A rule that finds nothing can go: `off` in [checks] of ken.toml."
        )


def _row(each: Audited) -> tuple[str, ...]:
    return (
        each.name if each.is_on else f"{each.name} (off)",
        f"{each.looked:,}",
        f"{each.fired:,}",
        "-" if each.rate is None else f"{each.rate:.2%}",
        _day(each.last_fired_at),
        _day(each.since),
        each.meaning,
    )


def _day(at: float | None) -> str:
    return "never" if at is None else time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at))
