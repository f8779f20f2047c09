# ruff: noqa: PLC0415 - heavy imports wait until the command runs
"""`ken budgets`: how far each budget is used up."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import typer

from ken.cli.home import HomeOption, JsonOption, in_home, settings_there
from ken.cli.output import say_json, say_table, tell

if TYPE_CHECKING:
    from ken.domain.budget import Burn
    from ken.wiring import Ken

_BAR = 20
_FULL, _EMPTY = "█", "░"


def budgets(context: typer.Context, *, as_json: JsonOption = False, home: HomeOption = None) -> None:
    """List the budgets of ken.toml and how far they are used up, the scarcest first."""

    async def work(ken: Ken) -> tuple[str, tuple[Burn, ...]]:
        return ken.providers.budgets.currency, await ken.providers.budgets.all_burns()

    currency, burns = in_home(settings_there(context, home), work)
    if as_json:
        say_json([_plain(burn, currency) for burn in burns])
        return
    if not burns:
        tell("There are no budgets, or nobody has spent anything. A [[budgets]] table in ken.toml makes one.")
        return
    rows = [_row(burn, currency) for burn in burns]
    say_table(("budget", "for", "per", "", "used", "of", "left", "state", "begins anew"), rows)
    unknown = max(burn.spent.unknown_calls for burn in burns)
    if unknown:
        tell(
            f"Calls without a known price: {unknown:,}. They are in no sum. Name the prices of their models in [prices]."
        )


def _row(burn: Burn, currency: str) -> tuple[str, ...]:
    from ken.gateway.budget import amount

    filled = min(_BAR, round(burn.share * _BAR))
    whom = f"{burn.counted.scope} {burn.counted.of}".strip()
    return (
        burn.budget.name,
        whom,
        burn.budget.period,
        f"{_FULL * filled}{_EMPTY * (_BAR - filled)} {burn.share:.0%}",
        amount(burn, burn.used, currency=currency),
        amount(burn, burn.budget.limit, currency=currency),
        amount(burn, burn.left, currency=currency),
        burn.state if burn.budget.is_hard else f"{burn.state} (soft)",
        time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(burn.resets_at)),
    )


def _plain(burn: Burn, currency: str) -> dict[str, object]:
    budget = burn.budget
    return {
        "name": budget.name,
        "scope": budget.scope,
        "of": burn.counted.of,
        "period": budget.period,
        "unit": "tokens" if budget.micros is None else f"millionths of {currency}",
        "limit": budget.limit,
        "used": burn.used,
        "left": burn.left,
        "share": burn.share,
        "state": burn.state,
        "is_hard": budget.is_hard,
        "unknown_calls": burn.spent.unknown_calls,
        "resets_at": burn.resets_at,
    }
