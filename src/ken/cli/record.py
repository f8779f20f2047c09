"""`ken record`: how much is kept of questions, what was lost, and deleting from it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import anyio.to_thread
import typer

from ken.cli.home import HomeOption, JsonOption, in_home, settings_there
from ken.cli.output import say, say_json, shown, tell

if TYPE_CHECKING:
    from ken.domain.trace import CaptureTier
    from ken.storage.record_overview import Overview
    from ken.storage.record_state import Loss
    from ken.telemetry.removal import Chosen, Removed
    from ken.telemetry.retention import Thinned
    from ken.wiring import Ken

app = typer.Typer(
    no_args_is_help=True, help="Look at the record of questions, thin it, delete from it.", rich_markup_mode=None
)

_KEPT: dict[CaptureTier, str] = {"full": "kept whole", "grace": "whole for now", "metrics": "figures alone"}
_LOST = {
    "detail": "texts and spans, as too much waited",
    "row": "whole traces, as too much waited",
    "important": "whole traces with which something was wrong",
    "unwritable": "traces that the database did not take",
}
_KB = 1_000


@app.command("status")
def status(context: typer.Context, *, as_json: JsonOption = False, home: HomeOption = None) -> None:
    """Show how much is kept, what was lost since the home was made, and when the record was last thinned."""

    async def work(ken: Ken) -> tuple[Overview, tuple[Loss, ...], float | None, int]:
        recording = ken.recording
        overview = await anyio.to_thread.run_sync(recording.overview.read)
        lost = await anyio.to_thread.run_sync(recording.state.lost)
        thinned = await anyio.to_thread.run_sync(recording.state.last_thinned)
        return overview, lost, thinned, await anyio.to_thread.run_sync(recording.events_bytes)

    overview, lost, thinned, events = in_home(settings_there(context, home), work)
    if as_json:
        say_json({"kept": overview, "lost": lost, "last_thinned": thinned, "event_bytes": events})
        return
    say(f"traces       {sum(overview.traces.values()):,}")
    for tier, words in _KEPT.items():
        say(f"  {words:<16} {overview.traces.get(tier, 0):,}")
    say(f"since        {_moment(overview.oldest_at)}")
    say(f"database     {_size(overview.database_bytes)}, with the documents")
    for name, size in overview.table_bytes.items():
        say(f"  {name:<16} {_size(size)}")
    say(f"event files  {_size(events)}")
    say(f"calls        {overview.calls:,}")
    say(f"thinned      {_moment(thinned)}")
    for each in lost:
        say(
            f"lost         {each.count:,} {_LOST.get(each.kind, f'traces for {each.kind}')}, last {_moment(each.last_at)}"
        )
    if not lost:
        say("lost         nothing")


@app.command("thin")
def thin(context: typer.Context, *, home: HomeOption = None) -> None:
    """Take away what has been kept for as long as [capture] says; `ken up` does it by itself, too."""

    async def work(ken: Ken) -> Thinned:
        return await ken.recording.retention.thin()

    done = in_home(settings_there(context, home), work)
    tell(
        f"{done.thinned:,} traces thinned to their figures, {done.deleted:,} deleted, {done.calls:,} single calls deleted"
    )


@app.command("delete")
def delete(
    context: typer.Context,
    *,
    principal: Annotated[
        str | None, typer.Option("--principal", help="Everything of this key or person, as `ken trace` names it.")
    ] = None,
    document: Annotated[
        str | None, typer.Option("--document", help="The answers that name this document; the document stays.")
    ] = None,
    older_than: Annotated[
        float | None, typer.Option("--older-than", help="All traces older than so many days.", metavar="DAYS")
    ] = None,
    sure: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    home: HomeOption = None,
) -> None:
    """Delete from the record for good, after saying how much that is."""
    from ken.telemetry.removal import Chosen  # noqa: PLC0415 - heavy imports wait until the command runs

    chosen = Chosen(principal=principal, document=document, older_than_days=older_than)
    settings = settings_there(context, home)

    async def count(ken: Ken) -> int:
        return await anyio.to_thread.run_sync(ken.recording.removal.count, chosen)

    async def work(ken: Ken) -> Removed:
        removed = await ken.recording.removal.delete(chosen)
        await anyio.to_thread.run_sync(ken.store.database.scrub)
        return removed

    if not sure:
        many = in_home(settings, count)
        typer.confirm(shown(f"Delete {_what(chosen, many)} for good?", to_terminal=True), abort=True)
    removed = in_home(settings, work)
    tell(_told(chosen, removed))


def _what(chosen: Chosen, many: int) -> str:
    if chosen.principal is not None:
        return f"{_number(many, 'trace')} of {chosen.principal!r}, their conversations, and what the ledger has of their calls,"
    if chosen.document is not None:
        return f"{_number(many, 'answer')} naming {chosen.document!r}"
    return f"{_number(many, 'trace')} older than {chosen.older_than_days:g} days"


def _told(chosen: Chosen, removed: Removed) -> str:
    if chosen.principal is not None:
        if removed.is_nothing:
            return f"Nobody of the name {chosen.principal!r} is on record: nothing was deleted. `ken trace` names who asked."
        return (
            f"Of {chosen.principal!r} were deleted: {_number(removed.traces, 'trace')}, {_number(removed.calls, 'call')}, "
            f"{_number(removed.answers, 'kept answer')}, {_number(removed.conversations, 'conversation')}"
        )
    if chosen.document is not None:
        if removed.is_nothing:
            return f"No answer on record names the document {chosen.document!r}: nothing was withdrawn. `ken documents` lists the ids."
        return f"{_number(removed.traces, 'answer')} naming {chosen.document!r} withdrawn"
    return f"{_number(removed.traces, 'trace')} deleted"


def _number(count: int, of: str) -> str:
    return f"{count:,} {of}{'s' * (count != 1)}"


def _moment(at: float | None) -> str:
    return "never" if at is None else time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < _KB or unit == "GB":
            return f"{count:,.0f} {unit}" if unit == "B" else f"{count:,.1f} {unit}"
        count /= _KB
    return ""
