# ruff: noqa: PLC0415 - heavy imports wait until the command runs
"""`ken migrate`: everything that Ken keeps, copied to another store."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ken.cli.home import HomeOption, settings_there
from ken.cli.output import say, tell

if TYPE_CHECKING:
    from ken.settings import Settings
    from ken.storage.database import Database

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

    settings = settings_there(context, home)
    with _in_postgres(to) if _is_postgres(to) else _in_home(to) as target:
        rows, files = asyncio.run(_copied(settings, target))
    say(
        f"Copied {rows['documents']} document versions, {rows['conversations']} conversations, {rows['traces']} traces, "
        f"{rows['keys']} keys and {files} pushed files; every table was counted."
    )
    if _is_postgres(to):
        say("Next: put the address into the environment as KEN_DATABASE_URL, for every replica, and start Ken.")
    else:
        say(f"Next: take KEN_DATABASE_URL out of the environment, and start Ken with --home {to}. Copy ken.toml there.")
    say("The index is built there when Ken first opens it. What was written here meanwhile is not in the copy.")


@dataclass(frozen=True, slots=True)
class _Target:
    """Where everything goes; `keep` takes a pushed file, where it has no place in the database."""

    database: Database
    keep: Callable[[str, bytes], None] | None


async def _copied(settings: Settings, target: _Target) -> tuple[Mapping[str, int], int]:
    """Copy while nobody changes a document; rows by table, and files. Raises SyncRunning, Conflict, StorageError."""
    import anyio.to_thread

    from ken.knowledge.locks import COMMIT
    from ken.storage.moving import copy
    from ken.stores import open_store

    source = open_store(settings)
    work = partial(copy, source.database, target.database, files=source.originals, keep=target.keep, told=_Told())
    try:
        async with source.locks.hold(COMMIT):
            done = await anyio.to_thread.run_sync(work)
    finally:
        source.close()
    return done.rows, done.files


@contextmanager
def _in_postgres(to: str) -> Generator[_Target, None, None]:
    from ken.storage.postgres import PostgresDatabase

    database = PostgresDatabase(to)
    try:
        yield _Target(database, None)
    finally:
        database.close()


@contextmanager
def _in_home(to: str) -> Generator[_Target, None, None]:
    """A home that stands in its place at the end, when its database is closed."""
    from ken.knowledge.sources.uploads import FolderOriginals
    from ken.storage.moving import UPLOADS, unfinished_home
    from ken.storage.sqlite import SqliteDatabase

    with unfinished_home(Path(to).expanduser().absolute()) as place:
        kept = FolderOriginals(place / UPLOADS)
        database = SqliteDatabase(place)
        try:
            yield _Target(database, lambda document_id, data: kept.keep(document_id, data=data))
        finally:
            database.close()


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
