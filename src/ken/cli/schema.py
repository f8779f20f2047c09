# ruff: noqa: PLC0415 - heavy imports wait until the command runs
"""`ken schema`: where the database's schema stands; up to this Ken's, and down for an older one."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ken.cli.home import HomeOption, JsonOption, settings_there
from ken.cli.output import say, say_json, say_table, tell
from ken.errors import Conflict, InvalidInput

if TYPE_CHECKING:
    from ken.settings import Settings
    from ken.storage.database import Database
    from ken.storage.migrations.downgrade import Standing

BACKUPS = "backups"
"""The folder of the home where a backup goes that nobody has named a file for."""

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="The database's schema: where it stands, up, and down again."
)
BackupOption = Annotated[
    Path | None, typer.Option("--backup", help="The backup made before goes there [default: a file in HOME/backups]")
]
NoBackupOption = Annotated[bool, typer.Option("--no-backup", help="Make none; there is one already.")]


@app.command("status")
def status(context: typer.Context, *, as_json: JsonOption = False, home: HomeOption = None) -> None:
    """Say at which revision the schema is, and which ones this Ken knows; changes nothing."""
    settings = settings_there(context, home)
    database = _opened(settings)
    try:
        found = _standing(database)
    finally:
        database.close()
    if as_json:
        say_json(found)
        return
    at = found.at or ""
    marks = [(revision, "yes" if revision.id <= at else "no") for revision in found.revisions]
    say_table(("revision", "applied", "what it brought"), [[each.id, mark, each.words] for each, mark in marks])
    if not found.is_known:
        tell(
            f"The schema is at {at!r}, of a newer Ken: `ken schema down {found.revisions[-1].id}` there, or upgrade Ken."
        )
    elif not found.is_newest:
        tell("It is brought up to date by `ken schema up`, or whenever Ken opens the home.")


@app.command("up")
def up(
    context: typer.Context, *, backup: BackupOption = None, no_backup: NoBackupOption = False, home: HomeOption = None
) -> None:
    """Bring the schema up to this Ken's, with a backup before; Ken must not be running there."""
    settings = settings_there(context, home)
    database = _opened(settings, alone=True)
    try:
        before = _standing(database)
    finally:
        database.close()
    if before.is_newest:
        say(f"The schema is at {before.at!r} already.")
        return
    _back_up(settings, backup, skip=no_backup, revision=before.at)
    database = _opened(settings, migrates=True)
    try:
        after = _standing(database)
    finally:
        database.close()
    say(f"The schema went from {before.at!r} up to {after.at!r}.")


@app.command("down")
def down(
    context: typer.Context,
    revision: Annotated[str, typer.Argument(help="The revision to go back to, as `ken schema status` lists them.")],
    *,
    lose: Annotated[bool, typer.Option("--lose", help="Give up what the older schema has no place for.")] = False,
    backup: BackupOption = None,
    no_backup: NoBackupOption = False,
    home: HomeOption = None,
) -> None:
    """Take the schema down for an older Ken, with a backup before; Ken must not be running there.

    What the older schema has no place for is counted, and nothing happens unless `--lose` is said.
    """
    from ken.storage.migrations.downgrade import check, downgrade

    settings = settings_there(context, home)
    database = _opened(settings, alone=True)
    try:
        with database.read() as connection:
            check(connection, revision, name=database.name, lose=lose)
        _back_up(settings, backup, skip=no_backup, revision=_standing(database).at)
        with database.write() as connection:
            losses = downgrade(connection, revision, name=database.name, lose=lose)
    finally:
        database.close()
    say(f"The schema is at {revision!r}.")
    for words, count in losses.items():
        tell(f"Given up: {count:,} {words}.")
    tell("Start the older Ken now: this one would bring the schema up again.")


def _standing(database: Database) -> Standing:
    from ken.storage.migrations.downgrade import standing

    with database.read() as connection:
        return standing(connection)


def _opened(settings: Settings, *, alone: bool = False, migrates: bool = False) -> Database:
    """The database as it is. With `alone`, raises Conflict while another process uses it."""
    from ken.storage.backup import in_use
    from ken.storage.postgres import PostgresDatabase
    from ken.storage.sqlite import FILE_NAME, SqliteDatabase

    busy = "The database {} is in use. Stop Ken first, every replica of it."
    if settings.database_url is not None:
        shared = PostgresDatabase(settings.database_url.get_secret_value(), migrates=migrates)
        if alone and shared.is_shared():
            shared.close()
            raise Conflict(busy.format(shared.name))
        return shared
    file = settings.home / FILE_NAME
    if alone and in_use(file):
        raise Conflict(busy.format(repr(str(file))))
    return SqliteDatabase(settings.home, migrates=migrates)


def _back_up(settings: Settings, to: Path | None, *, skip: bool, revision: str | None) -> None:
    """Make the backup that one can go back to. Raises InvalidInput where that is PostgreSQL's own tools' work."""
    from ken.storage.backup import backup

    if skip:
        return
    if settings.database_url is not None:
        raise InvalidInput(
            "Ken's state is in PostgreSQL (KEN_DATABASE_URL), of which Ken makes no backup. Make one with "
            "`pg_dump --format=custom`, then say `--no-backup`."
        )
    made = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    file = to or settings.home / BACKUPS / f"schema-{revision}-{made}.zip"
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    backup(settings.home, file)
    tell(f"Backed up to {str(file)!r}.")
