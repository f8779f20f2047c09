"""Everything that Ken keeps, copied from one store into another: between SQLite and PostgreSQL, both ways."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa

from ken.errors import Conflict, StorageError
from ken.storage.database import Database
from ken.storage.schema import features, home, metadata, originals, snapshots
from ken.storage.sqlite import FILE_NAME, make_home

UPLOADS = "uploads"
_UNFINISHED = ".migrating-"
_ROWS = 500
_LARGE_ROWS = 50
"""Rows at once of a table whose rows have megabytes."""

Told = Callable[[str, int, int], None]
"""Hears of a table: its name, how many rows of it are copied, how many there are."""


class Files(Protocol):
    """Pushed files, by document id."""

    def ids(self) -> Iterator[str]:
        """The documents that have a file."""
        ...

    def read(self, document_id: str, *, max_bytes: int) -> bytes:
        """The bytes of one."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What a copy holds, counted in it."""

    rows: dict[str, int]
    """By table."""
    files: int


def copy(
    source: Database, target: Database, *, files: Files, keep: Callable[[str, bytes], None] | None, told: Told
) -> Copied:
    """Copy every table in one transaction of the target, and each pushed file by `keep` (None: into its table).

    The source is read as of one moment and stays as it is; the target is empty again where anything fails. The index is
    not copied: the copy asks for a new one. Raises Conflict for a target that holds anything, StorageError.
    """
    with source.read() as reading, target.write() as writing:
        for connection in (reading, writing):
            if connection.dialect.name == "postgresql":
                for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
                    connection.exec_driver_sql(f"SET LOCAL {limit} = 0")
        _check_empty(writing, target)
        rows = {table.name: _copied(reading, writing, table, told) for table in _tables()}
        _compare(reading, writing, target)
        number = _copied_files(writing, files, keep, told)
        _forget_index(writing)
        _go_on_counting(writing)
    return Copied(rows=rows, files=number)


@contextmanager
def unfinished_home(place: Path) -> Generator[Path, None, None]:
    """Lend a folder in which a home is made; at the end, all of it that is Ken's state moves to `place`, the database last.

    What was not finished, here or by a process that was killed, is deleted. Raises Conflict where there is a database or
    an upload already, StorageError where the folder can't be written.
    """
    for name in (FILE_NAME, UPLOADS):
        if (place / name).exists():
            raise Conflict(f"The home {str(place)!r} holds {name!r} already. Name another folder, or move that away.")
    make_home(place)
    for left in place.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(left, ignore_errors=True)
    try:
        with tempfile.TemporaryDirectory(prefix=_UNFINISHED, dir=place) as name:
            yield Path(name)
            for part in (UPLOADS, FILE_NAME):
                if (Path(name) / part).exists():
                    (Path(name) / part).rename(place / part)
    except OSError as error:
        raise StorageError(
            f"The home {str(place)!r} can't be written: {error.strerror}. Check the folder and its free space."
        ) from error


def _tables() -> list[sa.Table]:
    """Those that are copied row by row, each after those that it refers to."""
    return [table for table in metadata.sorted_tables if table is not originals]


def _check_empty(connection: sa.Connection, target: Database) -> None:
    """Whoever opens a database leaves single facts there (`home`); they are nobody's work, and those of the source replace them."""
    for table in metadata.sorted_tables:
        if table is home:
            continue
        if connection.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first() is not None:
            raise Conflict(f"The database {target.name} holds {table.name} already. Name an empty one.")
    connection.execute(sa.delete(home))


def _copied(reading: sa.Connection, writing: sa.Connection, table: sa.Table, told: Told) -> int:
    total, done = _count(reading, table), 0
    told(table.name, done, total)
    at_once = _LARGE_ROWS if table is features or "text" in table.c else _ROWS
    rows = reading.execute(sa.select(table), execution_options={"yield_per": at_once}).mappings()
    for batch in rows.partitions(at_once):
        writing.execute(sa.insert(table), [dict(row) for row in batch])
        done += len(batch)
        told(table.name, done, total)
    return done


def _compare(reading: sa.Connection, writing: sa.Connection, target: Database) -> None:
    for table in _tables():
        there, here = _count(reading, table), _count(writing, table)
        if there != here:
            raise StorageError(
                f"The copy is not whole: {table.name} has {there} rows, and {here} in {target.name}. Nothing was kept of "
                "it. Try again."
            )


def _copied_files(writing: sa.Connection, files: Files, keep: Callable[[str, bytes], None] | None, told: Told) -> int:
    names = list(files.ids())
    for done, document_id in enumerate(names):
        told("pushed files", done, len(names))
        data = files.read(document_id, max_bytes=2**62)
        if keep is None:
            writing.execute(sa.insert(originals).values(document_id=document_id, data=data))
        else:
            keep(document_id, data)
    told("pushed files", len(names), len(names))
    return len(names)


def _count(connection: sa.Connection, table: sa.Table) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def _forget_index(connection: sa.Connection) -> None:
    connection.execute(sa.delete(home).where(home.c.key == "index_generation"))
    connection.execute(sa.update(snapshots).values(generation=""))


def _go_on_counting(connection: sa.Connection) -> None:
    """Have PostgreSQL number the next rows above those that came with their numbers; SQLite does so by itself."""
    if connection.dialect.name != "postgresql":
        return
    for table in metadata.sorted_tables:
        column = table.autoincrement_column
        if column is not None:
            newest = sa.select(sa.func.coalesce(sa.func.max(column), 0) + 1).scalar_subquery()
            sequence = sa.func.pg_get_serial_sequence(table.name, column.name)
            connection.execute(sa.select(sa.func.setval(sequence, newest, False)))
