# ruff: noqa: PLC0415 - heavy imports wait until the command runs
"""`ken gateway`: what would happen to a question and why, where questions went, and when a machine of one's own pays."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Annotated

import anyio.to_thread
import typer

from ken.cli.home import HomeOption, JsonOption, in_home, settings_there
from ken.cli.output import say, say_json, say_table, shown, tell
from ken.domain.principal import LOCAL_OPERATOR
from ken.errors import InvalidInput

if TYPE_CHECKING:
    from ken.assistant.explain import Outlook
    from ken.domain.routed import TaskRoutes
    from ken.gateway.breakeven import BreakEven, Load, Machine
    from ken.wiring import Ken

_DAY_S = 24 * 3600.0
_MILLION = 1_000_000
_MOST = 1e15
_RECORD_DAYS = 30

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="What would happen to a question, where questions went, what pays.",
)


@app.command("explain")
def explain(
    context: typer.Context,
    question: Annotated[str, typer.Argument(help="What would be asked.")],
    *,
    model: Annotated[
        str | None, typer.Option("--model", help="A tier or a model, as `ken ask --model` takes it.")
    ] = None,
    collection: Annotated[
        list[str] | None, typer.Option("--collection", help="Look only there; may be given more than once.")
    ] = None,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Say what would happen to a question, and why, without asking a model."""
    asked = partial(_explain, text=question, model=model, collections=frozenset(collection) if collection else None)
    outlook = in_home(settings_there(context, home, secrets=("search",)), asked)
    if as_json:
        say_json(outlook)
        return
    from ken.cli.outlook import drawn

    say(shown(drawn(outlook), to_terminal=True))


async def _explain(ken: Ken, *, text: str, model: str | None, collections: frozenset[str] | None) -> Outlook:
    from ken.domain.answer import Question

    return await ken.explain(Question(text=text, principal=LOCAL_OPERATOR, model=model, collections=collections))


@app.command("routes")
def routes(
    context: typer.Context,
    *,
    days: Annotated[float, typer.Option("--days", min=0.01, help="Look back so far.")] = 7.0,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Say which tiers questions went to, by task type, and how many were escalated."""
    found = in_home(settings_there(context, home), partial(_routes, days=days))
    if as_json:
        say_json(found)
        return
    from ken.telemetry.prices import money

    rows = [
        [task.task_type, share.tier, str(share.questions), money(share.cost_micros), f"{task.escalation_rate:.1%}"]
        for task in found
        for share in task.tiers
    ]
    say_table(("task", "tier", "questions", "cost", "escalated"), rows)
    if not found:
        tell("No question went to a tier in this time. Tiers are the [tiers.NAME] tables of ken.toml.")


async def _routes(ken: Ken, *, days: float) -> tuple[TaskRoutes, ...]:
    now = time.time()
    asked = partial(ken.route_record.by_task, LOCAL_OPERATOR, since=now - days * _DAY_S, until=now + 1)
    return await anyio.to_thread.run_sync(asked)


@app.command("breakeven")
def breakeven(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="The provider's model that the machine would stand in for.")],
    machine: Annotated[
        str,
        typer.Option("--machine", help="MONTH,SPEED: its cost a month, and tokens a second that it reads and writes."),
    ],
    *,
    tokens: Annotated[
        str | None, typer.Option("--tokens", help="IN,OUT a day: 2000000,150000 [default: the last 30 days on record]")
    ] = None,
    busy: Annotated[float, typer.Option("--busy", min=0.01, max=1, help="The share of a day with work for it.")] = 0.3,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Say from how many tokens a day on a machine of one's own is cheaper than a provider."""
    from ken.gateway.breakeven import Machine, break_even

    month, speed = _pair(machine, "--machine")
    own = Machine(month_micros=round(month * _MILLION), tokens_per_s=speed, busy=busy)
    given = None if tokens is None else _pair(tokens, "--tokens")
    load = in_home(settings_there(context, home), partial(_load, model=model, given=given))
    result = break_even(load, own)
    if as_json:
        say_json({"load": load, "machine": own, "result": result})
        return
    say("\n".join(_sum(load, own, result)))


def _pair(text: str, option: str) -> tuple[float, float]:
    first, comma, second = text.partition(",")
    try:
        pair = float(first), float(second)
    except ValueError:
        comma = ""
        pair = 0.0, 0.0
    if not comma or not 0 < pair[0] < _MOST or not 0 < pair[1] < _MOST:
        raise InvalidInput(
            f"{option} wants two numbers above 0 with a comma between them, not {text!r}: {option} 900,1200."
        )
    return pair


async def _load(ken: Ken, *, model: str, given: tuple[float, float] | None) -> Load:
    """The tokens a day, and the model's price for them, read off what a million of each would cost."""
    from ken.domain.usage import Usage
    from ken.gateway.breakeven import Load
    from ken.storage.ledger import Ledger

    prices = [ken.providers.price_of(model, usage) for usage in (Usage(_MILLION, 0), Usage(0, _MILLION))]
    if prices[0] is None or prices[1] is None:
        raise InvalidInput(f'What {model!r} costs is unknown. Say it in ken.toml: [prices."{model}"].')
    if given is None:
        now = time.time()
        costs = await anyio.to_thread.run_sync(
            partial(Ledger(ken.store.database).costs, "model", since=now - _RECORD_DAYS * _DAY_S, until=now + 1)
        )
        used = [cost.usage for cost in costs if cost.of == model]
        given = (
            sum(usage.input_tokens for usage in used) / _RECORD_DAYS,
            sum(usage.output_tokens for usage in used) / _RECORD_DAYS,
        )
        if not sum(given):
            raise InvalidInput(
                f"{model!r} has no tokens on record in the last {_RECORD_DAYS} days. Give some: --tokens IN,OUT."
            )
    return Load(input_tokens=given[0], output_tokens=given[1], input_price=prices[0], output_price=prices[1])


def _sum(load: Load, own: Machine, result: BreakEven) -> list[str]:
    from ken.telemetry.prices import money

    many = "1 machine" if result.machines == 1 else f"{result.machines} machines"
    rows = [
        ("tokens a day", f"{load.tokens:,.0f} ({load.input_tokens:,.0f} read, {load.output_tokens:,.0f} written)"),
        (
            "the provider, a month",
            f"{money(result.provider_month_micros)} at {money(round(load.million_micros))} a million",
        ),
        (
            f"{many}, a month",
            f"{money(result.machines_month_micros)}; one does {own.most_tokens:,.0f} tokens a day at most",
        ),
        ("break-even", _even(result, own)),
        ("cheaper today", "the machine" if result.pays else "the provider"),
    ]
    return [f"{name:<24}{text}" for name, text in rows]


def _even(result: BreakEven, own: Machine) -> str:
    if result.tokens_a_day is None:
        return "never: the provider's tokens cost nothing"
    if not result.fits:
        return f"never: {result.tokens_a_day:,} tokens a day would pay for it, more than the {own.most_tokens:,.0f} that it does"
    return f"{result.tokens_a_day:,} tokens a day"
