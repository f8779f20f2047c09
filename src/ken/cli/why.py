# ruff: noqa: PLC0415 - heavy imports wait until the command runs
"""`ken why`: hypotheses about an alert, or about a window of time."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Annotated

import anyio.to_thread
import typer

from ken.cli.home import HomeOption, JsonOption, in_home, settings_there
from ken.cli.output import say, say_json, shown

if TYPE_CHECKING:
    from ken.domain.alert import Alert
    from ken.operations.why.hypotheses import Explanation
    from ken.wiring import Ken

_MOMENT = "Such as 2026-11-20T14:30 (UTC), or 3h for three hours ago."


def why(
    context: typer.Context,
    alert: Annotated[
        str | None, typer.Argument(metavar="[ALERT]", help="Its rule, or how its fingerprint begins.")
    ] = None,
    *,
    since: Annotated[str | None, typer.Option("--since", help=_MOMENT)] = None,
    until: Annotated[str | None, typer.Option("--until", help=_MOMENT)] = None,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """What may be the cause: what moved first, where, by how much, and what people did just before.

    Without an alert or a time, the alert that fired last; where none is on, the last six hours. These are hypotheses with their
    evidence, and no verdict.
    """
    from ken.operations.why.asking import moment
    from ken.operations.why.words import lines

    now = time.time()
    begins, ends = (None if text is None else moment(text, now=now) for text in (since, until))
    work = partial(_ask, alert=alert, since=begins, until=ends, now=now)
    explanation, about = in_home(settings_there(context, home), work)
    if as_json:
        say_json({"alert": None if about is None else about.name, "explanation": explanation})
        return
    if about is not None:
        say(shown(f"{about.name}: {about.summary}", to_terminal=True))
    for line in lines(explanation):
        say(shown(line, to_terminal=True))


async def _ask(
    ken: Ken, *, alert: str | None, since: float | None, until: float | None, now: float
) -> tuple[Explanation, Alert | None]:
    asked = ken.asked
    return await anyio.to_thread.run_sync(partial(asked.about, alert, since=since, until=until, now=now))
