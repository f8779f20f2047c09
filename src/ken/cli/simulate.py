# ruff: noqa: PLC0415 - heavy imports wait until the command runs
"""`ken simulate`: fill a home with made-up questions, to see views, alerts and digests at work before anybody asks."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated

import anyio.to_thread
import typer

from ken.cli.home import HomeOption, in_home, settings_of
from ken.cli.output import say, tell

if TYPE_CHECKING:
    from ken.operations.simulate.filling import Plan, Progress
    from ken.wiring import Ken

app = typer.Typer(rich_markup_mode=None)
_DAY_S = 86_400
_LOOKED_AT_S = 2 * _DAY_S
"""Figures are kept by the minute for so long, and rules look at minutes."""


@app.command("simulate")
def simulate(  # noqa: PLR0913 - one parameter an option
    context: typer.Context,
    *,
    days: Annotated[int, typer.Option("--days", min=1, max=400, help="How many, today being the last.")] = 30,
    per_day: Annotated[
        float, typer.Option("--questions-per-day", min=1, max=1_000_000, help="On an average working day.")
    ] = 2_000,
    incidents: Annotated[
        list[str] | None,
        typer.Option(
            "--incident",
            metavar="KIND@dayN[+HOURSh]",
            help="Something goes wrong on a day, the first being 0; at 10:00 UTC where no hours are said. More than one may be named.",
        ),
    ] = None,
    every_day: Annotated[
        bool,
        typer.Option(
            "--every-day",
            help="Every day is a working day, none a weekend's or a holiday: whatever day it is, the last ones have many questions.",
        ),
    ] = False,
    alerts: Annotated[
        bool,
        typer.Option(
            "--alerts",
            help="Also the alerts of the last two days, as a running Ken would have kept them: half a minute.",
        ),
    ] = False,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed makes the same questions.")] = 1,
    force: Annotated[
        bool, typer.Option("--force", help="Also into a home that has questions of people, whose figures that changes.")
    ] = False,
    home: HomeOption = None,
) -> None:
    """Put made-up questions on record, as if an organisation had asked them: no model is asked, and no money spent.

    They have days and nights, holidays, bursts, releases and syncs; they are those of the principal `simulated`. Kinds of incidents:
    slow_retrieval, slow_provider, provider_errors, breaker_flapping, cache_collapse, prompt_bloat, misrouting, refusal_spike,
    failed_checks, queue_build_up, slow_first_token, quality_drift, stale_index.
    """
    from ken.operations.simulate.filling import Plan
    from ken.operations.simulate.incidents import named
    from ken.operations.simulate.organisation import Organisation

    until = time.time()
    start = until // _DAY_S * _DAY_S - (days - 1) * _DAY_S
    struck = tuple(
        named(text, start=start, until=until, seed=seed + number) for number, text in enumerate(incidents or ())
    )
    organisation = Organisation(seed=seed, per_day=per_day)
    if every_day:
        organisation = replace(organisation, weekdays=(1.0,) * 7, holidays=0.0)
    plan = Plan(organisation=organisation, start=start, until=until, incidents=struck)
    questions, fired = in_home(settings_of(context, home), partial(_fill, plan=plan, force=force, alerts=alerts))
    say(f"{questions} simulated questions of {days} days are on record.")
    if alerts:
        say(f"Alerts that fired in the last two of them: {fired}.")
    for each in struck:
        when = time.strftime("%Y-%m-%d %H:%M", time.gmtime(each.begins))
        say(f"{each.kind} from {when} UTC: {each.cause.metrics[0]} moves first.")


async def _fill(ken: Ken, *, plan: Plan, force: bool, alerts: bool) -> tuple[int, int]:
    from ken.operations.simulate.filling import Home, fill
    from ken.operations.simulate.wording import Wording, of_documents
    from ken.storage.alerts import AlertBook
    from ken.storage.documents import Documents

    recording = ken.recording
    target = Home(
        record=recording.record,
        rollups=recording.rollups,
        search=ken.trace_search,
        alerts=AlertBook(ken.store.database),
    )
    about = await anyio.to_thread.run_sync(of_documents, Documents(ken.store.database))
    work = partial(fill, target, replace(plan, wording=Wording(about)), force=force, tell=_show)
    try:
        questions = await anyio.to_thread.run_sync(work)
        since = max(plan.start, plan.until - _LOOKED_AT_S)
        look = partial(ken.alerting.relive, since=since, until=plan.until, tell=_show_time)
        return questions, await anyio.to_thread.run_sync(look) if alerts else 0
    finally:
        if sys.stderr.isatty():
            tell()


def _show(progress: Progress) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\rday {progress.day} of {progress.days}: {progress.questions} questions")
        sys.stderr.flush()


def _show_time(at: float) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\rlooking for alerts, {time.strftime('%Y-%m-%d %H:%M', time.gmtime(at))} UTC ")
        sys.stderr.flush()
