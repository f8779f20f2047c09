"""`ken sync`: bring a collection up to date with a folder."""

from __future__ import annotations

import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ken.cli.home import HomeOption, JsonOption, in_home, settings_of
from ken.cli.output import say, say_json, shown, tell
from ken.domain.principal import EVERYONE
from ken.errors import InvalidInput

if TYPE_CHECKING:
    from ken.knowledge.sync import SyncFailure, SyncReport
    from ken.wiring import Ken

_PLAIN_EVERY_S = 5.0
_BAR = 24


def sync(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(help="The folder to read.")],
    *,
    collection: Annotated[
        str | None, typer.Option("--collection", help="Its name in Ken [default: the folder's name]")
    ] = None,
    groups: Annotated[
        str | None, typer.Option("--groups", help="Who may read documents that name no groups: a,b [default: everyone]")
    ] = None,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Read a folder's documents into a collection.

    New and changed files are read, files that are gone are deleted, the rest is left alone. A file that can't be read
    is named at the end, and the others go on; only when no file at all could be taken is the exit code 1.
    """
    if not path.is_dir():
        what = "is not a folder" if path.exists() else "does not exist"
        raise InvalidInput(f"{str(path)!r} {what}. Name the folder that holds the documents.")
    named = collection or path.resolve().name
    default_groups = frozenset(group.strip() for group in (groups or EVERYONE).split(",") if group.strip())
    if not default_groups:
        raise InvalidInput("--groups names no group. Give names with commas between them, or leave it out.")
    work = partial(_sync, folder=path, collection=named, groups=default_groups)
    report = in_home(settings_of(context, home), work)
    if as_json:
        say_json(report)
    else:
        _show(report)
    taken = report.added + report.changed + report.unchanged
    raise typer.Exit(1 if report.failures and not taken else 0)


async def _sync(ken: Ken, *, folder: Path, collection: str, groups: frozenset[str]) -> SyncReport:
    from ken.knowledge.permissions import Policy  # noqa: PLC0415 - `ken --help` must not wait for it

    line = _ProgressLine()
    try:
        return await ken.library.sync_folder(folder, collection=collection, policy=Policy(groups), progress=line)
    finally:
        line.end()


def _show(report: SyncReport) -> None:
    say(
        f"{report.collection}: {report.added} added, {report.changed} changed, {report.unchanged} unchanged, "
        f"{report.deleted} deleted; {report.passages} passages; {report.seconds:.1f} s"
    )
    _list(report.warnings, "warnings (taken, with a remark)")
    _list(report.failures, "failures (not taken)")


def _list(files: list[SyncFailure], what: str) -> None:
    if not files:
        return
    tell(f"\n{len(files)} {what}:")
    width = min(48, max(len(each.path) for each in files))
    for each in files:
        tell(shown(f"  {each.path:<{width}}  {each.reason}", to_terminal=True))


class _ProgressLine:
    """A bar with rate and time left on a terminal, a plain line now and then elsewhere."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._began = time.monotonic()
        self._told = self._began

    def __call__(self, done: int, total: int, path: str, bytes_done: int) -> None:
        now = time.monotonic()
        rate = done / max(now - self._began, 1e-3)
        figures = (
            f"{done}/{total} files, {bytes_done / 1e6:.1f} MB, {rate:.0f} files/s, {(total - done) / rate:.0f} s left"
        )
        if self._is_terminal:
            filled = _BAR * done // max(total, 1)
            bar = "█" * filled + "·" * (_BAR - filled)
            sys.stderr.write(f"\r\x1b[K{bar} {figures}  {shown(path, to_terminal=True)[-28:]}")
            sys.stderr.flush()
        elif now - self._told > _PLAIN_EVERY_S:
            self._told = now
            tell(figures)

    def end(self) -> None:
        """Take the bar away."""
        if self._is_terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
