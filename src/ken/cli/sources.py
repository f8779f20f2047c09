"""`ken sources`: where documents come from, and how each of them fares."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import anyio.to_thread
import typer

from ken.cli.home import HomeOption, JsonOption, in_home, settings_there
from ken.cli.output import say, say_json, say_table, shown, tell
from ken.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from ken.storage.sources import Listing, Source
    from ken.wiring import Ken

app = typer.Typer(no_args_is_help=True, help="List and remove sources.", rich_markup_mode=None)

_STATES = ("current", "failed", "waiting", "skipped", "held")


@app.command("list")
def list_sources(context: typer.Context, *, as_json: JsonOption = False, home: HomeOption = None) -> None:
    """List the sources with their documents and what is wrong with them; those of ken.toml before their first sync, too."""
    settings = settings_there(context, home)
    found = in_home(settings, _all)
    if as_json:
        say_json(found)
        return
    rows = [
        (each.id, each.kind, each.collection, str(each.documents), moment(each.synced_at), each.problem)
        for each in found
    ]
    known = {each.id for each in found}
    rows += [
        (each.name, each.kind, each.home_of_documents, "0", "never", "")
        for each in settings.sources
        if each.name not in known
    ]
    say_table(("source", "kind", "collection", "documents", "synced", "problem"), rows)


@app.command("show")
def show(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="As `ken sources list` names it.")],
    *,
    state: Annotated[
        str | None, typer.Option("--state", help="Only these: current, failed, waiting, skipped or held.")
    ] = None,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Show the state of each document of a source: since when, why, and when it is tried again."""
    if state not in {None, *_STATES}:
        raise InvalidInput(f"{state!r} is no state of a document. There are: {', '.join(_STATES)}.")

    async def work(ken: Ken) -> tuple[Listing, ...]:
        if source not in {each.id for each in await _all(ken)}:
            raise NotFound(f"There is no source {source!r}. `ken sources list` shows them.")
        return await ken.library.listings(source)

    found = [each for each in in_home(settings_there(context, home), work) if state in {None, each.state}]
    if as_json:
        say_json(found)
        return
    say_table(
        ("document", "state", "since", "next try", "why"),
        ((each.path, each.state, moment(each.since), moment(each.next_try), each.reason) for each in found),
    )
    counted = Counter(each.state for each in found)
    tell(", ".join(f"{count} {name}" for name, count in counted.most_common()) or "no documents")


@app.command("remove")
def remove(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="As `ken sources list` names it.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    home: HomeOption = None,
) -> None:
    """Delete a source with all its documents, for ever and in every snapshot.

    One that ken.toml names comes back with its next sync: take its table out first.
    """

    async def work(ken: Ken) -> int:
        return await ken.library.remove_source(source)

    settings = settings_there(context, home)
    if not yes:
        typer.confirm(shown(f"Delete {source!r} and all its documents?", to_terminal=True), abort=True)
    say(f"{in_home(settings, work)} documents deleted")


async def _all(ken: Ken) -> tuple[Source, ...]:
    return await anyio.to_thread.run_sync(ken.library.sources.all)


def moment(seconds: float | None) -> str:
    """A moment as people write it, or nothing."""
    return "" if seconds is None else time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))
