"""`ken index`: the corpus versions that can be gone back to."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from ken.cli.home import HomeOption, JsonOption, in_home, settings_of
from ken.cli.output import say, say_json, say_table, tell
from ken.errors import InvalidInput

if TYPE_CHECKING:
    from ken.knowledge.library import Difference
    from ken.storage.snapshots import SnapshotRow
    from ken.wiring import Ken

LATEST = "latest"

app = typer.Typer(no_args_is_help=True, help="List, compare and switch corpus versions.", rich_markup_mode=None)


@app.command("list")
def list_versions(context: typer.Context, *, as_json: JsonOption = False, home: HomeOption = None) -> None:
    """List the corpus versions that are kept, the newest first; `*` marks the one in use."""

    async def work(ken: Ken) -> tuple[SnapshotRow, ...]:
        return await ken.library.snapshots()

    found = in_home(settings_of(context, home), work)
    if as_json:
        say_json(found)
        return
    say_table(
        ("version", "in use", "made", "documents", "added", "changed", "deleted", "by"),
        (
            (
                str(row.corpus_version),
                "*" if row.is_in_use else "",
                time.strftime("%Y-%m-%d %H:%M", time.localtime(row.made_at)),
                str(row.documents),
                str(row.added),
                str(row.changed),
                str(row.deleted),
                row.source or f"use of {row.content}",
            )
            for row in found
        ),
    )


@app.command("use")
def use(
    context: typer.Context,
    version: Annotated[str, typer.Argument(metavar="[N|latest]", help="A corpus version of `ken index list`.")],
    *,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Serve another corpus version, under a number of its own, in a running Ken too.

    Syncs go on and are not served, until `ken index use latest`. What was deleted stays deleted.
    """
    number = None if version == LATEST else _number(version)

    async def work(ken: Ken) -> SnapshotRow:
        return await ken.library.use(number)

    began = time.monotonic()
    row = in_home(settings_of(context, home), work)
    if as_json:
        say_json(row)
        return
    say(f"Corpus version {row.corpus_version} is in use: the {row.documents} documents of version {row.content}.")
    tell(f"{time.monotonic() - began:.1f} s." + ("" if number is None else " `ken index use latest` goes back."))


@app.command("diff")
def diff(
    context: typer.Context,
    old: Annotated[str, typer.Argument(metavar="OLD", help="A corpus version, or `latest`.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="Another one, or `latest`.")],
    *,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Show which documents were added (+), changed (~) and removed (-) from one corpus version to another."""

    async def work(ken: Ken) -> Difference:
        newest = max(row.content for row in await ken.library.snapshots())
        return await ken.library.difference(*(newest if each == LATEST else _number(each) for each in (old, new)))

    found = in_home(settings_of(context, home), work)
    if as_json:
        say_json(found)
        return
    for mark, names in (("+", found.added), ("~", found.changed), ("-", found.removed)):
        for name in names:
            say(f"{mark} {name}")
    tell(f"{len(found.added)} added, {len(found.changed)} changed, {len(found.removed)} removed")


def _number(text: str) -> int:
    if not text.isdecimal():
        raise InvalidInput(f"{text!r} is no corpus version. `ken index list` shows them.")
    return int(text)
