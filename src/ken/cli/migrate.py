# ruff: noqa: PLC0415 - heavy imports wait until the command runs
"""`ken migrate`: everything that Ken keeps, copied to another store."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ken.cli.home import HomeOption, settings_of
from ken.cli.output import say, tell
from ken.errors import NotFound

if TYPE_CHECKING:
    from ken.storage.moving import Copied
    from ken.wiring import Store

_SIGNS_OF_LIFE_S = 2.0


def migrate(
    context: typer.Context,
    *,
    to: Annotated[
        str,
        typer.Option(
            "--to", help="An empty PostgreSQL database (postgresql://user@host/database), or a folder.", metavar="PLACE"
        ),
    ],
    home: HomeOption = None,
) -> None:
    """Copy documents, conversations, traces and keys to another store; the present one stays as it is."""
    import asyncio

    from ken.storage.sqlite import FILE_NAME
    from ken.wiring import open_store

    settings = settings_of(context, home)
    if settings.database_url is None and not (settings.home / FILE_NAME).exists():
        raise NotFound(f"There is no home at {str(settings.home)!r}: it holds no {FILE_NAME!r}.")
    source = open_store(settings)
    try:
        copied = asyncio.run(_alone(source, to))
    finally:
        source.close()
    rows = copied.rows
    say(
        f"Copied {rows['documents']} document versions, {rows['conversations']} conversations, {rows['traces']} traces, "
        f"{rows['keys']} keys and {copied.files} pushed files; every table was counted."
    )
    if _is_postgres(to):
        say("Next: put the address into the environment as KEN_DATABASE_URL, for every replica, and start Ken.")
    else:
        say(f"Next: take KEN_DATABASE_URL out of the environment, and start Ken with --home {to}. Copy ken.toml there.")
    say("The index is built there when Ken first opens it. What was written here meanwhile is not in the copy.")


async def _alone(source: Store, to: str) -> Copied:
    """Copy while no document is changed by anybody. Raises SyncRunning."""
    import anyio.to_thread

    from ken.knowledge.locks import COMMIT

    async with source.locks.hold(COMMIT):
        return await anyio.to_thread.run_sync(_into_postgres if _is_postgres(to) else _into_home, source, to)


def _into_postgres(source: Store, to: str) -> Copied:
    from ken.storage.moving import copy
    from ken.storage.postgres import PostgresDatabase

    target = PostgresDatabase(to)
    try:
        return copy(source.database, target, files=source.originals, keep=None, told=_Told())
    finally:
        target.close()


def _into_home(source: Store, to: str) -> Copied:
    from ken.knowledge.sources.uploads import FolderOriginals
    from ken.storage.moving import UPLOADS, copy, unfinished_home
    from ken.storage.sqlite import SqliteDatabase

    with unfinished_home(Path(to).expanduser().absolute()) as place:
        kept = FolderOriginals(place / UPLOADS)
        target = SqliteDatabase(place)
        try:
            return copy(
                source.database,
                target,
                files=source.originals,
                keep=lambda document_id, data: kept.keep(document_id, data=data),
                told=_Told(),
            )
        finally:
            target.close()


def _is_postgres(to: str) -> bool:
    return "://" in to  # another database's address is refused where it is read


class _Told:
    """Says on stderr how far each table is: at its end, and every two seconds before."""

    def __init__(self) -> None:
        self._said_at = time.monotonic()

    def __call__(self, what: str, done: int, total: int) -> None:
        now = time.monotonic()
        if total and (done == total or now - self._said_at > _SIGNS_OF_LIFE_S):
            self._said_at = now
            tell(f"{what}: {done:,} of {total:,}")
            sys.stderr.flush()
