# ruff: noqa: PLC0415 - heavy imports wait until the command runs
"""`ken backup` and `ken restore`: the home in one file, and back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ken.cli.home import HomeOption, settings_of, settings_there
from ken.cli.output import say, tell
from ken.errors import InvalidInput

if TYPE_CHECKING:
    from ken.settings import Settings


def backup(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The file to write.")],
    *,
    replace: Annotated[bool, typer.Option("--replace", help="Put it in the place of a file that is there.")] = False,
    home: HomeOption = None,
) -> None:
    """Write what nothing could make again into one file; Ken may be running meanwhile.

    In it: the database, ken.toml, alerts.toml, route.json, the tokenizers and certificates within the home that ken.toml names,
    uploads. Not in it: the index, models and clones, which are made again; events, logs and earlier backups; keys and passwords.
    """
    from ken.storage.backup import backup as write

    settings = settings_there(context, home)
    _refuse_postgres(settings)
    manifest = write(settings.home, file, replace=replace)
    size = sum(member.size for member in manifest.members)
    say(str(file))
    tell(f"{len(manifest.members)} files, {size / 1e6:.1f} MB before compression.")


def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A file that `ken backup` wrote.")],
    *,
    replace: Annotated[bool, typer.Option("--replace", help="Give up what the home holds.")] = False,
    home: HomeOption = None,
) -> None:
    """Make the home of a backup; Ken must not be running there."""
    from ken.storage.backup import restore as read

    settings = settings_of(context, home)
    _refuse_postgres(settings)
    place = settings.home
    manifest = read(file, place, replace=replace)
    say(str(place))
    tell(f"Restored the backup of Ken {manifest.ken}. The index is built anew when Ken opens the home.")


def _refuse_postgres(settings: Settings) -> None:
    if settings.database_url is not None:
        raise InvalidInput(
            "Ken's state is in PostgreSQL (KEN_DATABASE_URL), which has tools of its own: `pg_dump --format=custom` and "
            "`pg_restore`. docs/guides/postgresql.md shows how; ken.toml, alerts.toml and route.json of the home are to be kept besides."
        )
