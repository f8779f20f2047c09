# ruff: noqa: PLC0415 - heavy imports wait until the command runs
"""`ken trace`: the record of a question."""

from __future__ import annotations

import dataclasses
import json
import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated

import anyio.to_thread
import typer

from ken.cli.home import HomeOption, JsonOption, in_home, settings_there
from ken.cli.output import say, say_json
from ken.domain.principal import LOCAL_OPERATOR

if TYPE_CHECKING:
    from ken.domain.trace import Trace
    from ken.wiring import Ken

app = typer.Typer(rich_markup_mode=None)
LATEST = "latest"
_NARROWEST = 60


@app.command("trace")
def trace(  # noqa: PLR0913 - one parameter an option
    context: typer.Context,
    trace_id: Annotated[str, typer.Argument(metavar="[ID|latest]", help="The trace's id.")] = LATEST,
    *,
    retrieval: Annotated[
        bool,
        typer.Option(
            "--retrieval", help="Instead: how good what was found was, the last 24 hours against 7 days before."
        ),
    ] = False,
    where: Annotated[
        str | None,
        typer.Option(
            "--where",
            metavar="FILTER",
            help="Instead: list the traces meant, such as 'retrieve.ms > 500 and quality < 3'.",
        ),
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Of these, those since 24h, 7d or 2026-11-20.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="How many of them.")] = 50,
    before: Annotated[str | None, typer.Option("--before", help="Where the page before broke off.")] = None,
    full: Annotated[
        bool, typer.Option("--full", help="With all that each span says, below its bar, however long it is.")
    ] = False,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Show where a question's time went, and the passages that were looked at; with --where, find questions."""
    if where is not None or since is not None:
        from ken.cli.found import Asked
        from ken.cli.found import show as show_found

        show_found(
            settings_there(context, home), Asked(where or "", since, limit=limit, before=before), as_json=as_json
        )
        return
    if retrieval:
        from ken.cli.retrieval import show

        show(settings_there(context, home), as_json=as_json)
        return
    from rich.console import Console

    from ken.telemetry.waterfall import waterfall

    found = in_home(settings_there(context, home), partial(_find, trace_id=trace_id))
    if as_json:
        say_json(_by_name(found))
        return
    console = Console()
    width = max(_NARROWEST, console.width)
    speaks_utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    say(
        waterfall(
            found, width, color=console.is_terminal and not console.no_color, ascii_only=not speaks_utf8, full=full
        ),
        end="",
    )


async def _find(ken: Ken, *, trace_id: str) -> Trace:
    if trace_id != LATEST:
        return await anyio.to_thread.run_sync(ken.traces.get, trace_id, LOCAL_OPERATOR)
    page = await anyio.to_thread.run_sync(partial(ken.traces.list, LOCAL_OPERATOR, limit=1))
    newest = page.entries[0].id if page.entries else None
    if newest is None:
        return await anyio.to_thread.run_sync(ken.traces.latest, LOCAL_OPERATOR)
    return await anyio.to_thread.run_sync(ken.traces.get, newest, LOCAL_OPERATOR)


def _by_name(found: Trace) -> dict[str, object]:
    """The trace with its attributes as an object and its citations parsed, as the API shows it."""
    fields: dict[str, object] = {field.name: getattr(found, field.name) for field in dataclasses.fields(found)}
    spans = [
        {field.name: getattr(span, field.name) for field in dataclasses.fields(span)}
        | {"ms": span.ms, "attributes": dict(span.attributes)}
        | {"links": [dataclasses.asdict(link) for link in span.links]}
        for span in found.spans
    ]
    return fields | {"spans": spans, "citations": json.loads(found.citations), "retrieved": found.retrieved}
