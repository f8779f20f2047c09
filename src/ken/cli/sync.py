# ruff: noqa: PLC0415 - heavy imports wait until the command runs
"""`ken sync`: bring collections up to date with their sources."""

from __future__ import annotations

import sys
import time
from collections import Counter
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated

import typer

from ken.cli.home import HomeOption, JsonOption, in_home, settings_of, settings_there
from ken.cli.output import say, say_json, say_table, shown, tell
from ken.cli.sources import moment
from ken.domain.principal import EVERYONE
from ken.errors import InvalidInput, KenError

if TYPE_CHECKING:
    from ken.knowledge.sync import SyncFailure, SyncOptions, SyncReport
    from ken.settings import Settings
    from ken.storage.sources import Source, SyncRow
    from ken.wiring import Ken

HELD = "An older corpus version is held, so this is not served yet: `ken index list` shows it, `ken index use latest` ends it."
_PLAIN_EVERY_S = 5.0
_BAR = 24
_SHOWN_SYNCS = 20


app = typer.Typer(rich_markup_mode=None)


@app.command("sync")
def sync(  # noqa: PLR0913 - one parameter an option
    context: typer.Context,
    what: Annotated[
        str | None,
        typer.Argument(metavar="[FOLDER|NAME]", help="A folder, or a source of ken.toml [default: all those]"),
    ] = None,
    *,
    collection: Annotated[
        str | None, typer.Option("--collection", help="A folder's name in Ken [default: the folder's name]")
    ] = None,
    groups: Annotated[
        str | None, typer.Option("--groups", help="Who may read documents that name no groups: a,b [default: everyone]")
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Read every document anew, whatever the source says; retry what failed.")
    ] = False,
    delete: Annotated[
        bool, typer.Option("--delete", help="Delete what is gone, even if it is most of the source.")
    ] = False,
    status: Annotated[bool, typer.Option("--status", help="Show sources and syncs, and do nothing.")] = False,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Read the documents of a folder, or of the sources that ken.toml names, into their collections.

    New and changed documents are read, those that are gone are deleted, the rest is left alone. What can't be read is
    named at the end, and the others go on; the exit code is 1 where a source failed, or nothing of it could be taken.
    """
    from ken.knowledge.sync import SyncOptions

    if status:
        _show_status(settings_there(context, home), as_json=as_json)
        return
    settings = settings_of(context, home, secrets=("search", "telemetry"))
    options = SyncOptions(is_full=full, may_delete_many=delete)
    names = [source.name for source in settings.sources]
    if what is not None and what not in names:
        folder = _existing(what, names)
        named = collection or folder.resolve().name
        work = partial(_folder, folder=folder, collection=named, groups=groups, options=options)
    elif collection is not None or groups is not None:
        raise InvalidInput("--collection and --groups are for folders; those of a source stand in ken.toml.")
    elif not names:
        raise InvalidInput("Name a folder: ken.toml has no [[sources]]. docs/guides/sources.md shows how to add some.")
    else:
        work = partial(_configured, names=names if what is None else [what], options=options)
    reports = in_home(settings, work)
    if as_json:
        say_json(reports if what is None else reports[0])
    else:
        for report in reports:
            _show(report)
    raise typer.Exit(1 if any(map(_has_failed, reports)) else 0)


def _existing(what: str, names: list[str]) -> Path:
    path = Path(what)
    if not path.is_dir():
        problem = "is not a folder" if path.exists() else "does not exist"
        known = f" Sources of ken.toml are: {', '.join(names)}." if names else " ken.toml names no sources."
        raise InvalidInput(f"{what!r} {problem}. Name the folder that holds the documents.{known}")
    return path


def _has_failed(report: SyncReport) -> bool:
    taken = report.added + report.changed + report.unchanged
    return bool(report.problem) or (bool(report.failures) and not taken)


async def _folder(
    ken: Ken, *, folder: Path, collection: str, groups: str | None, options: SyncOptions
) -> list[SyncReport]:
    from ken.knowledge.permissions import Policy

    named = frozenset(group.strip() for group in (groups or EVERYONE).split(",") if group.strip())
    if not named:
        raise InvalidInput("--groups names no group. Give names with commas between them, or leave it out.")
    line = _ProgressLine()
    try:
        report = await ken.library.sync_folder(
            folder, collection=collection, policy=Policy(named), options=options, progress=line
        )
        return [report]
    finally:
        line.end()


async def _configured(ken: Ken, *, names: list[str], options: SyncOptions) -> list[SyncReport]:
    """Sync one after the other; what keeps one from starting does not keep the others from it."""
    from ken.connectors.configured import Configured
    from ken.knowledge.sync import SyncReport

    reports: list[SyncReport] = []
    for name in names:
        line = _ProgressLine(f"{name}: " if len(names) > 1 else "")
        try:
            reports.append(await Configured.of(ken).sync(name, options=options, progress=line))
        except KenError as error:
            if len(names) == 1:
                raise
            reports.append(SyncReport(name, problem=str(error)))
        finally:
            line.end()
    return reports


def _show(report: SyncReport) -> None:
    say(
        f"{report.collection}: {report.added} added, {report.changed} changed, {report.unchanged} unchanged, "
        f"{report.deleted} deleted; {report.passages} passages; {report.seconds:.1f} s"
    )
    if report.skipped:
        kinds = Counter(PurePosixPath(each.path).suffix.lower() or "without suffix" for each in report.skipped)
        tell(
            f"\n{len(report.skipped)} skipped, in no format that Ken reads: "
            + ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
        )
    _list(report.warnings, "warnings (taken, with a remark)")
    _list(report.failures, "failures (not taken)")
    if not report.is_served:
        tell(f"\n{HELD}")
    if report.problem:
        tell(shown(f"\n{report.collection} was not synced to its end: {report.problem}", to_terminal=True))


def _list(files: list[SyncFailure], what: str) -> None:
    if not files:
        return
    tell(f"\n{len(files)} {what}:")
    width = min(48, max(len(each.path) for each in files))
    for each in files:
        tell(shown(f"  {each.path:<{width}}  {each.reason}", to_terminal=True))


def _show_status(settings: Settings, *, as_json: bool) -> None:
    async def work(ken: Ken) -> tuple[tuple[Source, ...], tuple[SyncRow, ...], bool]:
        library = ken.library
        return await library.status(), await library.syncs(limit=_SHOWN_SYNCS), await library.is_held()

    sources, syncs, is_held = in_home(settings, work)
    if as_json:
        say_json({"sources": sources, "syncs": syncs})
        return
    rows = [
        (
            each.id,
            "failing" if each.problem else "ok" if each.synced_at else "never synced",
            str(each.documents),
            str(len(each.failures)),
            moment(each.synced_at),
            moment(each.next_try),
            each.problem,
        )
        for each in sources
    ]
    known = {each.id for each in sources}
    rows += [(each.name, "never synced", "0", "0", "", "", "") for each in settings.sources if each.name not in known]
    say_table(("source", "state", "documents", "failures", "synced", "next try", "problem"), rows)
    say()
    say_table(("sync", "source", "state", "began", "done", "changes", "why"), map(_line, syncs))
    if is_held:
        tell(f"\n{HELD}")


def _line(row: SyncRow) -> tuple[str, ...]:
    changes = f"+{row.added} ~{row.changed} -{row.deleted}" + (f", {row.failed} failed" if row.failed else "")
    done = str(row.done) if row.total is None else f"{row.done}/{row.total}"
    return str(row.id), row.source, row.state, moment(row.started_at), done, changes, row.reason


class _ProgressLine:
    """A bar with rate and time left on a terminal, a plain line now and then elsewhere."""

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix
        self._is_terminal = sys.stderr.isatty()
        self._began = time.monotonic()
        self._told = self._began
        self._drawn = 0.0

    def __call__(self, done: int, total: int, path: str, bytes_done: int) -> None:
        now = time.monotonic()
        if now - self._drawn < 0.05 and done < total:  # noqa: PLR2004 - twenty times a second are enough for eyes
            return
        self._drawn = now
        rate = done / max(now - self._began, 1e-3)
        figures = (
            f"{self._prefix}{done}/{total} files, {bytes_done / 1e6:.1f} MB, {rate:.0f} files/s, "
            f"{(total - done) / rate:.0f} s left"
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
