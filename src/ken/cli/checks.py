"""`ken checks`: what the rules that look at every answer have found, and which of them have nothing to do."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

import anyio.to_thread
import typer

from ken.cli.home import HomeOption, JsonOption, in_home, settings_of
from ken.cli.output import say_json, say_table, tell

if TYPE_CHECKING:
    from ken.checks.heuristics.audit import Audited
    from ken.wiring import Ken


def checks(context: typer.Context, *, as_json: JsonOption = False, home: HomeOption = None) -> None:
    """List the rules that look at every answer: how often each found a fault, when last, and which are silent."""

    async def work(ken: Ken) -> tuple[Audited, ...]:
        return await anyio.to_thread.run_sync(partial(ken.audit, at=time.time()))

    settings = settings_of(context, home)
    audited = in_home(settings, work)
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
