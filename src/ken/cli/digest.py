# ruff: noqa: PLC0415 - heavy imports wait until the command runs
"""`ken digest`: a day as one story."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import anyio.to_thread
import typer

from ken.cli.home import HomeOption, in_home, settings_there
from ken.cli.output import say, shown, tell, write_file

if TYPE_CHECKING:
    from datetime import date

    from ken.operations.digest.day import DayTold
    from ken.wiring import Ken


def digest(
    context: typer.Context,
    *,
    day: Annotated[
        str | None, typer.Option("--day", help="2026-11-20, today or yesterday; UTC.  [default: yesterday]")
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page with plots there instead.")
    ] = None,
    home: HomeOption = None,
) -> None:
    """Tell a day as one story, in Markdown: what moved first, what followed, alerts, health, quality, latency, cost.

    The same goes to the alerts' destinations every morning while `ken up` runs.
    """
    from ken.operations.digest.day import day_of
    from ken.operations.digest.markdown import markdown
    from ken.operations.digest.page import page

    now = time.time()
    told = in_home(settings_there(context, home), partial(_told, day=day_of(day, now=now), now=now))
    if html is None:
        say(shown(markdown(told), to_terminal=True), end="")
        return
    write_file(html, page(told))
    tell(f"The digest of {told.day.isoformat()} is in {str(html)!r}.")


async def _told(ken: Ken, *, day: date, now: float) -> DayTold:
    return await anyio.to_thread.run_sync(partial(ken.day, day, now=now))
