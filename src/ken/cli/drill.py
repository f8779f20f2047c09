# ruff: noqa: PLC0415 - heavy imports wait until the command runs
"""`ken drill`: faults injected into a running copy, and whether each came out as the table says."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from ken.cli.home import HomeOption, settings_of
from ken.cli.output import say, say_json, say_table, tell, write_file
from ken.errors import InvalidInput, KenError

if TYPE_CHECKING:
    from ken.operations.drill.finding import Finding
    from ken.operations.drill.run import DrillPlan, DrillReport
    from ken.settings import Settings

app = typer.Typer(rich_markup_mode=None)


@app.command("drill")
def drill(  # noqa: PLR0913 - one parameter an option
    context: typer.Context,
    *,
    only: Annotated[str | None, typer.Option("--only", help="These faults alone: 500,stall,killed.")] = None,
    empty: Annotated[bool, typer.Option("--empty", help="Copy nothing of the home: faster where it is large.")] = False,
    redis: Annotated[
        str | None, typer.Option("--redis", help="A Redis to be cut off: redis://host:6379/15, a database of its own.")
    ] = None,
    postgres: Annotated[
        str | None, typer.Option("--postgres", help="An empty PostgreSQL database to be filled and cut off.")
    ] = None,
    page: Annotated[Path | None, typer.Option("--report", help="Write a page there.")] = None,
    show_faults: Annotated[
        bool, typer.Option("--list", help="Print the faults and what is expected, and end.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    home: HomeOption = None,
) -> None:
    """Bring faults about on a running copy of this home, and check what comes of each; 1 where one is not as the table says.

    The copy lies in a temporary folder, has the mock provider for its models, and no sources. The home itself is only read.
    """
    if show_faults:
        _listed()
        return
    settings = settings_of(context, home)
    plan = _plan(settings, only=only, empty=empty, redis=redis, postgres=postgres)
    tell(f"Drilling {_on(plan)}…")
    report = asyncio.run(_run(plan))
    if page is not None:
        from ken.operations.drill.report import html

        write_file(page, html(report))
    _told(report, as_json=as_json)
    _kept(settings, report)
    if not report.passed:
        raise typer.Exit(1)


def _plan(settings: Settings, *, only: str | None, empty: bool, redis: str | None, postgres: str | None) -> DrillPlan:
    from ken.operations.drill.run import DrillPlan
    from ken.settings import environment_of_others
    from ken.storage.sqlite import FILE_NAME

    own = settings.home if (settings.home / FILE_NAME).is_file() else None
    # Another embedder's vectors would have to be made anew, at somebody's cost.
    is_copied = own is not None and not empty and settings.database_url is None and settings.embedder is None
    for given in (redis, postgres):
        if given is not None and "://" not in given:
            raise InvalidInput("An address has its kind before it, as in redis://host:6379/15.")
    return DrillPlan(
        environment=environment_of_others(),
        source=own if is_copied else None,
        embedder=own,
        only=tuple(name.strip() for name in only.split(",")) if only else (),
        redis=redis,
        postgres=postgres,
    )


def _on(plan: DrillPlan) -> str:
    return "an empty home" if plan.source is None else f"a copy of {str(plan.source)!r}"


async def _run(plan: DrillPlan) -> DrillReport:
    from ken.operations.drill.run import drill as drilled

    with TemporaryDirectory(prefix="ken-drill-") as folder:
        return await drilled(Path(folder), plan, told=_tell)


def _tell(finding: Finding) -> None:
    """One line while it goes on."""
    more = f": {finding.seen}" if finding.verdict != "passed" else ""
    tell(f"{finding.verdict:>8}  {finding.fault:<24}{finding.seconds:6.1f} s{more}")


def _told(report: DrillReport, *, as_json: bool) -> None:
    from ken.operations.drill.report import HEAD, row, summary
    from ken.operations.drill.report import as_json as whole

    if as_json:
        say_json(whole(report))
        return
    say_table(HEAD, [row(finding) for finding in report.findings])
    say(summary(report))


def _listed() -> None:
    from ken.operations.drill import alerts
    from ken.operations.drill.stores import FAULTS
    from ken.operations.drill.table import expected

    rows = [(alerts.NAME, alerts.EXPECTED), *((row.fault, row.words) for row in expected())]
    rows += [(fault.name, fault.expected) for fault in FAULTS]
    say_table(("fault", "expected"), rows)


def _kept(settings: Settings, report: DrillReport) -> None:
    """Put the result on record, where there is a home."""
    from ken.domain.checked import CheckRun
    from ken.operations.drill.report import as_json
    from ken.storage.checks_run import ChecksRun
    from ken.storage.sqlite import FILE_NAME
    from ken.stores import open_store

    if settings.database_url is None and not (settings.home / FILE_NAME).is_file():
        return
    run = CheckRun(kind="drill", at=time.time(), release=report.release, passed=report.passed, report=as_json(report))
    try:
        store = open_store(settings)
        try:
            ChecksRun(store.database).add(run)
        finally:
            store.close()
    except KenError as error:
        tell(f"The result could not be put on record: {error}")
