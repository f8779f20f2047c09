# ruff: noqa: PLC0415 - heavy imports wait until the command runs
"""`ken figures`: a figure over a window of time, and what an expected volume will cost."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Annotated

import anyio.to_thread
import typer

from ken.cli.home import HomeOption, JsonOption, in_home, settings_there
from ken.cli.output import say_json, say_table, tell
from ken.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ken.telemetry.figures import Line
    from ken.telemetry.projection import Projected, Projection
    from ken.telemetry.views import Axis
    from ken.telemetry.vocabulary import Unit
    from ken.wiring import Ken

app = typer.Typer(
    name="figures", help="Figures of the record: cost, quality, latency; over any window.", no_args_is_help=True
)

_BARS = "▁▂▃▄▅▆▇█"
_GAP = "·"
_WIDTH = 48
_DAY_S = 86_400.0
_HOUR_S = 3_600.0

WhereOption = Annotated[
    list[str] | None, typer.Option("--where", metavar="DIMENSION=VALUE", help="Narrow it; may be given several times.")
]
DaysOption = Annotated[float, typer.Option("--days", min=0.001, max=400, help="So far back from now.")]


@app.command("show")
def show(
    context: typer.Context,
    metric: Annotated[str, typer.Argument(help="Such as ms.p95, cost_per_success, cache_hit_rate.")],
    *,
    by: Annotated[str, typer.Option("--by", metavar="DIMENSION", help="Tell it apart, such as by task_type.")] = "",
    where: WhereOption = None,
    days: DaysOption = 7,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Show a figure over the last days: the whole, its observations, and a line of its steps."""
    from ken.telemetry.views import axis
    from ken.telemetry.vocabulary import metric as known

    told, on = known(metric), axis(days * _DAY_S)
    lines = in_home(
        settings_there(context, home),
        partial(_lines, metric=metric, on=on, by=by, where=_pairs(where or (), "--where")),
    )
    if as_json:
        say_json({"metric": metric, "unit": told.unit, "since": on.since, "until": on.until, "lines": lines})
        return
    rows = [
        (group or "all", _shown(line.whole.value, told.unit), f"{line.whole.count:,}", _spark(line))
        for group, line in lines.items()
    ]
    say_table((by or "of", metric, "seen", f"each of {_step(on)}"), rows)
    tell(f"{told.meaning[0].upper()}{told.meaning[1:]}. A point in the line is a step in which nothing was seen.")


@app.command("names")
def names(*, as_json: JsonOption = False) -> None:
    """List the figures: what each means, its unit, and by what it can be told apart."""
    from ken.telemetry.vocabulary import DIMENSIONS, METRICS

    known = [
        (one.name, one.unit, one.meaning, [name for name in DIMENSIONS if name in one.by]) for one in METRICS.values()
    ]
    if as_json:
        say_json([{"name": name, "unit": unit, "meaning": meaning, "by": by} for name, unit, meaning, by in known])
        return
    say_table(
        ("figure", "unit", "meaning", "by"), [(name, unit, meaning, " ".join(by)) for name, unit, meaning, by in known]
    )


@app.command("project")
def project(
    context: typer.Context,
    *,
    ahead: Annotated[float, typer.Option("--ahead", min=0.01, max=3660, help="So many days.")] = 30,
    growth: Annotated[float, typer.Option("--growth", min=0, max=1000, help="Times the volume so far.")] = 1.0,
    volume: Annotated[
        list[str] | None,
        typer.Option(
            "--volume", metavar="TASK=NUMBER", help="Tasks over those days, such as lookup=20000; several times."
        ),
    ] = None,
    days: DaysOption = 28,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """What an expected volume will cost: by task type, the cost of a successful task times the tasks expected."""
    volumes = {name: _number(name, value) for name, value in _pairs(volume or (), "--volume").items()}
    currency, told = in_home(
        settings_there(context, home), partial(_projected, ahead=ahead, growth=growth, volumes=volumes, days=days)
    )
    if as_json:
        say_json(
            {
                "currency": currency,
                "cost_micros": told.cost_micros,
                "days": told.days,
                "since": told.since,
                "until": told.until,
                "too_little": told.is_too_little,
                "tasks": told.tasks,
            }
        )
        return
    rows = [_row(task) for task in told.tasks]
    rows.append(("all", "", "", "", "", _shown(told.cost_micros, "micros") if told.tasks else "-"))
    say_table(
        ("task", "questions", "success", "cost per success", f"tasks in {ahead:g} days", f"cost in {currency}"), rows
    )
    tell(_judged_by(told))


async def _lines(ken: Ken, *, metric: str, on: Axis, by: str, where: Mapping[str, str]) -> Mapping[str, Line]:
    read = partial(
        ken.recording.figures.both, [metric], since=on.since, until=on.until, step_s=on.step_s, by=by, where=where
    )
    await _compacted(ken)
    return (await anyio.to_thread.run_sync(read))[metric]


async def _compacted(ken: Ken) -> None:
    """Put what waits into the rollups: where no server runs, nobody else does, and each question asked here waits."""
    await anyio.to_thread.run_sync(ken.recording.rollups.compact)


async def _projected(
    ken: Ken, *, ahead: float, growth: float, volumes: Mapping[str, float], days: float
) -> tuple[str, Projection]:
    from ken.telemetry.projection import project as projected

    await _compacted(ken)
    now = time.time()
    told = await anyio.to_thread.run_sync(
        partial(
            projected,
            ken.recording.figures,
            since=now - days * _DAY_S,
            until=now,
            days=ahead,
            growth=growth,
            volumes=volumes,
        )
    )
    return ken.providers.stacks.prices.currency, told


def _row(task: Projected) -> tuple[str, ...]:
    return (
        task.task_type or "(none)",
        f"{task.questions:,}",
        "-" if task.success_rate is None else f"{task.success_rate:.0%}",
        _shown(task.cost_per_success, "micros"),
        "unknown" if task.expected is None else f"{task.expected:,.0f}",
        _shown(task.cost_micros, "micros"),
    )


def _judged_by(told: Projection) -> str:
    """How much of the record a projection rests on."""
    if not told.tasks:
        return "Nothing was asked in that time: there is nothing to project from."
    if told.is_too_little:
        hours = told.on_record_s / _HOUR_S
        so_far = f"Only {hours:.1f} hours are" if hours >= 1 else "Less than an hour is"
        return (
            f"{so_far} on record: too little to project from, as no day is whole yet. "
            "Say with --volume how many tasks there will be."
        )
    days = told.on_record_s / _DAY_S
    return f"By the last {days:.3g} days on record. Where a cost is unknown, so is what rests on it."


def _pairs(given: Sequence[str], flag: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals:
            raise InvalidInput(f"{flag} {each!r} has no value: write NAME=VALUE.")
        found[name.strip()] = value.strip()
    return found


def _number(name: str, value: str) -> float:
    try:
        return float(value)
    except ValueError as error:
        raise InvalidInput(f"{value!r} is no volume of {name!r}: write a number, such as {name}=20000.") from error


def _shown(value: float | None, unit: Unit) -> str:
    if value is None:
        return "unknown" if unit == "micros" else "-"
    if unit == "share":
        return f"{value:.1%}"
    if unit == "micros":
        return f"{value / 1e6:,.6f}"
    if unit in {"count", "tokens"}:
        return f"{value:,.0f}"
    return f"{value:,.2f}"


def _spark(line: Line) -> str:
    """The steps as bars from the least to the greatest; several steps share one where there are many."""
    values = [point.value for point in line.points]
    per = -(-len(values) // _WIDTH)
    pieces = [[value for value in values[at : at + per] if value is not None] for at in range(0, len(values), per)]
    means = [sum(piece) / len(piece) if piece else None for piece in pieces]
    seen = [value for value in means if value is not None]
    if not seen:
        return _GAP * len(means)
    least, span = min(seen), (max(seen) - min(seen)) or 1.0
    return "".join(
        _GAP if value is None else _BARS[round((value - least) / span * (len(_BARS) - 1))] for value in means
    )


def _step(on: Axis) -> str:
    return {60: "a minute", 300: "five minutes", 3_600: "an hour", 86_400: "a day"}[on.step_s]
