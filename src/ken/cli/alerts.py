"""`ken alerts`: which alerts there are, the rules behind them, what a rule would have said, silences."""

from __future__ import annotations

import secrets
import time
from functools import partial
from typing import TYPE_CHECKING, Annotated

import anyio.to_thread
import typer

from ken.cli.home import HomeOption, JsonOption, in_home, settings_there
from ken.cli.output import say_json, say_table, tell
from ken.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ken.domain.alert import Change, Silence
    from ken.operations.alerts.rule import Rule
    from ken.storage.alerts import Standing
    from ken.wiring import Ken

app = typer.Typer(no_args_is_help=True, help="Look at alerts, their rules, and silences.", rich_markup_mode=None)
RuleArgument = Annotated[str, typer.Argument(help="A rule's name, as `ken alerts rules` shows it.")]
_HOUR_S = 3600.0


@app.command("list")
def list_alerts(context: typer.Context, *, as_json: JsonOption = False, home: HomeOption = None) -> None:
    """List the alerts that are on, that wait to fire, that were over in the last day; and the silences."""

    async def work(ken: Ken) -> Standing:
        return await anyio.to_thread.run_sync(ken.alerting.book.standing, time.time())

    standing = in_home(settings_there(context, home), work)
    if as_json:
        say_json({"alerts": list(standing.alerts.values()), "silences": standing.silences})
        return
    order = {"firing": 0, "silenced": 1, "pending": 2, "resolved": 3}
    found = sorted(standing.alerts.values(), key=lambda alert: (order[alert.state], -alert.since))
    rows = [(each.state, each.severity, each.name, _moment(each.since), each.summary) for each in found]
    if rows:
        say_table(("state", "severity", "alert", "since", ""), rows)
    else:
        tell("There are no alerts.")
    for silence in standing.silences:
        tell(f"silence {silence.id}: {silence.rule} until {_moment(silence.until)} {silence.reason}".rstrip())


@app.command("rules")
def list_rules(context: typer.Context, *, as_json: JsonOption = False, home: HomeOption = None) -> None:
    """List the rules in force: those that Ken comes with, as the home's files and the API have changed them, and those besides."""
    from ken.operations.alerts.words import described  # noqa: PLC0415 - `ken --help` must not wait for it

    async def work(ken: Ken) -> tuple[Rule, ...]:
        return await anyio.to_thread.run_sync(ken.alerting.rules)

    found = in_home(settings_there(context, home), work)
    if as_json:
        say_json(
            [
                {"name": rule.name, "severity": rule.severity, "is_on": rule.is_on, "looks_for": described(rule)}
                for rule in found
            ]
        )
        return
    say_table(
        ("rule", "severity", "looks for"),
        ((rule.name, rule.severity if rule.is_on else "off", described(rule)) for rule in found),
    )


@app.command("test")
def try_rule(
    context: typer.Context,
    name: RuleArgument,
    *,
    hours: Annotated[float, typer.Option("--hours", min=0.1, max=24 * 60, help="Of the last so many hours.")] = 24.0,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Show when a rule would have fired on the record; nobody is told."""

    async def work(ken: Ken) -> tuple[Change, ...]:
        rules = await anyio.to_thread.run_sync(ken.alerting.rules)
        rule = _named(name, rules)
        now = time.time()
        work = partial(ken.alerting.tried, rule, since=now - hours * _HOUR_S, until=now)
        return (await anyio.to_thread.run_sync(work)).told.changes

    _show(in_home(settings_there(context, home), work), as_json=as_json, nothing=f"{name!r} would not have fired.")


@app.command("history")
def history(
    context: typer.Context,
    *,
    hours: Annotated[float, typer.Option("--hours", min=0.1, max=24 * 366, help="Of the last so many hours.")] = 24.0,
    rule: Annotated[str | None, typer.Option("--rule", help="Only this rule's.")] = None,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """List what became of alerts: when each began to fire, was silenced, was over."""

    async def work(ken: Ken) -> tuple[Change, ...]:
        read = partial(ken.alerting.book.changes, since=time.time() - hours * _HOUR_S, rule=rule)
        return tuple(reversed(await anyio.to_thread.run_sync(read)))

    _show(in_home(settings_there(context, home), work), as_json=as_json, nothing="There were no alerts.")


@app.command("silence")
def silence(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A rule's name, or `all`; with `--end`, a silence of `ken alerts list`.")],
    *,
    lasting: Annotated[str, typer.Option("--for", help="How long: 30m, 2h, 3d.")] = "2h",
    label: Annotated[
        list[str] | None, typer.Option("--label", help="Only alerts with this label: task_type=lookup. Repeatable.")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why, for others.")] = "",
    end: Annotated[bool, typer.Option("--end", help="End the silence instead.")] = False,
    home: HomeOption = None,
) -> None:
    """Have nobody told of a rule's alerts for a while."""

    async def work(ken: Ken) -> Silence | None:
        book = ken.alerting.book
        if end:
            await anyio.to_thread.run_sync(book.unsilence, name)
            return None
        rules = await anyio.to_thread.run_sync(ken.alerting.rules)
        made = _silence(name, rules, lasting=lasting, labels=label or [], reason=reason)
        await anyio.to_thread.run_sync(book.silence, made)
        return made

    made = in_home(settings_there(context, home), work)
    tell(
        "The silence is over."
        if made is None
        else f"{made.rule} is silent until {_moment(made.until)}. `ken alerts silence {made.id} --end` ends that."
    )


def _silence(name: str, rules: Sequence[Rule], *, lasting: str, labels: Sequence[str], reason: str) -> Silence:
    from ken.domain.alert import Silence  # noqa: PLC0415 - `ken --help` must not wait for it
    from ken.operations.alerts.rule_table import seconds  # noqa: PLC0415 - `ken --help` must not wait for it
    from ken.operations.alerts.rules import check_labels  # noqa: PLC0415 - `ken --help` must not wait for it

    try:
        lasts = seconds(lasting)
    except ValueError as error:
        raise InvalidInput(f"--for {lasting!r}: {error}.") from None
    pairs = [each.partition("=") for each in labels]
    if not lasts or not all(equals and value for _, equals, value in pairs):
        raise InvalidInput(
            "A silence lasts longer than nothing, and a label is written name=value, as in task_type=lookup."
        )
    rule = "*" if name == "all" else _named(name, rules).name
    check_labels(rule, [key for key, _, _ in pairs], rules=rules)
    now = time.time()
    return Silence(
        id=secrets.token_hex(6),
        rule=rule,
        labels=tuple(sorted((key, value) for key, _, value in pairs)),
        until=now + lasts,
        made_at=now,
        made_by="local",
        reason=reason,
    )


def _named(name: str, rules: Sequence[Rule]) -> Rule:
    from ken.operations.alerts.rules import nearest  # noqa: PLC0415 - `ken --help` must not wait for it

    found = next((rule for rule in rules if rule.name == name), None)
    if found is None:
        raise NotFound(f"There is no rule {name!r}{nearest(name, [rule.name for rule in rules])}")
    return found


def _show(changes: Sequence[Change], *, as_json: bool, nothing: str) -> None:
    if as_json:
        say_json([{"at": each.at, "old": each.old, "new": each.new, "alert": each.alert} for each in changes])
        return
    told = [each for each in changes if each.alert.fired_at is not None]
    if not told:
        tell(nothing)
        return
    say_table(
        ("at", "", "severity", "alert", ""),
        ((_moment(each.at), each.new, each.alert.severity, each.alert.name, each.alert.summary) for each in told),
    )


def _moment(at: float | None) -> str:
    return "" if at is None else time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
