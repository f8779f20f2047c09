"""`ken index`: the corpus versions that can be gone back to."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from ken.cli.home import HomeOption, JsonOption, in_home, settings_there
from ken.cli.output import say, say_json, say_table, shown, tell
from ken.errors import InvalidInput

if TYPE_CHECKING:
    from ken.knowledge.library import Difference
    from ken.knowledge.reembed import EmbeddingReport
    from ken.storage.embedders import EmbeddingState
    from ken.storage.snapshots import SnapshotRow
    from ken.wiring import Ken

LATEST = "latest"
_PLAIN_EVERY_S = 10.0

app = typer.Typer(no_args_is_help=True, help="List, compare and switch corpus versions.", rich_markup_mode=None)


@app.command("list")
def list_versions(context: typer.Context, *, as_json: JsonOption = False, home: HomeOption = None) -> None:
    """List the corpus versions that are kept, the newest first; `*` marks the one in use."""

    async def work(ken: Ken) -> tuple[tuple[SnapshotRow, ...], EmbeddingState | None]:
        coming = await ken.library.embedding()
        is_wanted = coming is not None and coming.name == ken.library.committer.spaces.wanted
        return await ken.library.snapshots(), coming if is_wanted else None

    found, coming = in_home(settings_there(context, home), work)
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
    if coming is not None:
        why = f" It stopped: {coming.problem}" if coming.problem else ""
        on_the_way = f"{coming.done} of {coming.total} documents are embedded anew with {coming.name}.{why}"
        tell(shown(f"\n{on_the_way}", to_terminal=True))


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
    row = in_home(settings_there(context, home), work)
    if as_json:
        say_json(row)
        return
    say(f"Corpus version {row.corpus_version} is in use: the {row.documents} documents of version {row.content}.")
    tell(f"{time.monotonic() - began:.1f} s." + ("" if number is None else " `ken index use latest` goes back."))


@app.command("embed")
def embed(context: typer.Context, *, as_json: JsonOption = False, home: HomeOption = None) -> None:
    """Embed every document anew with the embedder that ken.toml names, then serve that; a running Ken does so by itself.

    The old vectors are served until then. What was done stays done where this is broken off. No source is asked.
    """
    line = _EmbeddingLine()

    async def work(ken: Ken) -> EmbeddingReport:
        return await ken.library.embed_again(line)

    try:
        report = in_home(settings_there(context, home, secrets=("search",)), work)
    finally:
        line.end()
    if as_json:
        say_json(report)
        return
    name = shown(report.embedder, to_terminal=True)
    if not report.has_changed:
        say(f"The documents have vectors of {name} already.")
        return
    say(f"All documents have vectors of {name}. Corpus version {report.corpus_version} is in use.")
    tell(f"{report.embedded} embedded anew; {report.seconds:.1f} s.")


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

    found = in_home(settings_there(context, home), work)
    if as_json:
        say_json(found)
        return
    for mark, names in (("+", found.added), ("~", found.changed), ("-", found.removed)):
        for name in names:
            say(f"{mark} {name}")
    tell(f"{len(found.added)} added, {len(found.changed)} changed, {len(found.removed)} removed")


class _EmbeddingLine:
    """A line that is written over on a terminal, and one now and then elsewhere."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._told = time.monotonic()

    def __call__(self, done: int, total: int, path: str) -> None:
        figures = f"{done}/{total} documents embedded anew"
        if self._is_terminal:
            sys.stderr.write(f"\r\x1b[K{figures}  {shown(path, to_terminal=True)[-40:]}")
            sys.stderr.flush()
        elif time.monotonic() - self._told > _PLAIN_EVERY_S:
            self._told = time.monotonic()
            tell(figures)

    def end(self) -> None:
        """Take the line away."""
        if self._is_terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def _number(text: str) -> int:
    if not text.isdecimal():
        raise InvalidInput(f"{text!r} is no corpus version. `ken index list` shows them.")
    return int(text)
