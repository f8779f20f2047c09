"""The schema goes down for an older Ken and up again, on both stores, with data in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command

from ken.errors import Conflict, InvalidInput, StorageError
from ken.storage.database import Database
from ken.storage.migrations import HEAD, VERSION_TABLE
from ken.storage.migrations.downgrade import OLDEST, downgrade, standing
from ken.storage.migrations.upgrade import alembic_config
from ken.storage.postgres import PostgresDatabase
from ken.storage.sqlite import SqliteDatabase
from tests.storage.postgres_rig import PostgresServer

Rows = dict[str, list[str]]
OLDER = [f"{number:04}" for number in range(int(HEAD) - 1, int(OLDEST) - 1, -1)]
FILLED = """
INSERT INTO home (key, value) VALUES ('remembered', 'yes');
INSERT INTO conversations (id, principal, title, created_at, updated_at) VALUES ('c', 'local', 'Cranes', 1, 2);
INSERT INTO turns (conversation_id, role, content, at) VALUES ('c', 'user', 'Which crane?', 1);
INSERT INTO keys (id, digest, name, groups, created_at) VALUES ('k', 'd', 'intranet', '["office"]', 1);
INSERT INTO calls SELECT 'call', 'i', 'final', 'completed', '', NULL, 'local', '[]', 'generate', '', '', '', '', 'm', 'p', '',
    1, 1, 7, 'USD', '', 1, 1, 0, 0, 0, FALSE, 1, 2, NULL
"""
"""What stands in every schema from the oldest on; and in the last line a call, which the older ones have no place for."""


@contextmanager
def opened(place: str) -> Iterator[Database]:
    """The store at a place, its schema as it is found."""
    found: Database = (
        PostgresDatabase(place, migrates=False)
        if place.startswith("postgres")
        else SqliteDatabase(Path(place), migrates=False)
    )
    try:
        yield found
    finally:
        found.close()


def fill(place: str) -> None:
    with opened(place) as database, database.write() as connection:
        for statement in FILLED.split(";"):
            connection.execute(sa.text(statement))


def shape(database: Database) -> Mapping[str, object]:
    """Every table with its columns and indexes."""
    with database.read() as connection:
        looked_at = sa.inspect(connection)
        return {
            name: (
                sorted(
                    str((each["name"], str(each["type"]), each["nullable"])) for each in looked_at.get_columns(name)
                ),
                sorted(str((each["name"], each["column_names"])) for each in looked_at.get_indexes(name)),
                looked_at.get_pk_constraint(name)["constrained_columns"],
            )
            for name in looked_at.get_table_names()
            if name != VERSION_TABLE
        }


def rows(database: Database) -> Rows:
    """What stands in the tables that every schema has."""
    tables = ("home", "conversations", "turns", "keys")
    with database.read() as connection:
        return {name: sorted(map(str, connection.execute(sa.text(f"SELECT * FROM {name}")))) for name in tables}  # noqa: S608 - constants


def down(database: Database, to: str, *, lose: bool = True) -> Mapping[str, int]:
    with database.write() as connection:
        return downgrade(connection, to, name=database.name, lose=lose)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A second place, with nothing in it."""
    if request.param == "sqlite":
        yield str(tmp_path / "second")
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database() as url:
        yield url


def test_each_step_down_ends_where_the_way_up_came_by(untouched: str, tmp_path: Path, postgres: PostgresServer) -> None:
    """The schema is that of a store that was only migrated so far, what both know is still there, and it goes up again."""
    is_shared = untouched.startswith("postgres")
    with opened(untouched) as database, database.write() as connection:
        command.upgrade(alembic_config(connection), HEAD)
    fill(untouched)
    with opened(untouched) as database:
        newest, before = shape(database), rows(database)
        for revision in OLDER:
            down(database, revision)
            with reached(revision, place=None if is_shared else tmp_path / revision, server=postgres) as other:
                assert shape(database) == shape(other)
            assert rows(database) == before
    again = PostgresDatabase(untouched) if is_shared else SqliteDatabase(Path(untouched))
    assert shape(again) == newest
    assert rows(again) == before
    again.close()


@contextmanager
def reached(revision: str, *, place: Path | None, server: PostgresServer) -> Iterator[Database]:
    """A store that was migrated up to a revision and no further."""
    if place is None:
        with server.database() as url, opened(url) as database:
            with database.write() as connection:
                command.upgrade(alembic_config(connection), revision)
            yield database
        return
    with opened(str(place)) as database:
        with database.write() as connection:
            command.upgrade(alembic_config(connection), revision)
        yield database


def test_nothing_is_lost_without_a_word(database: Database, place: str) -> None:
    """What the older schema has no place for is counted and refused; the schema stays, and so does every row."""
    fill(place)
    with pytest.raises(Conflict, match=r"no place for .*1 calls of the ledger.*`--lose`"):
        down(database, "0004", lose=False)
    with database.read() as connection:
        assert standing(connection).is_newest
        assert connection.scalar(sa.text("SELECT count(*) FROM calls")) == 1
    assert down(database, "0004") == {"calls of the ledger": 1}


@pytest.mark.parametrize("to", ["0001", HEAD, "0099", "x"])
def test_only_an_older_schema_can_be_gone_back_to(sqlite: SqliteDatabase, to: str) -> None:
    """Another word is refused, with those that can be."""
    with pytest.raises(InvalidInput, match=f"can't go down to '{to}'. It can go back to {OLDEST}"):
        down(sqlite, to)


def test_an_older_ken_says_how_the_schema_comes_down(database: Database, again: Callable[[], Database]) -> None:
    """Opening a database of a newer Ken names both schemas, and the command that the newer one has for it."""
    with database.write() as connection:
        connection.execute(sa.text(f"UPDATE {VERSION_TABLE} SET version_num = '0999'"))  # noqa: S608 - a constant
    with pytest.raises(StorageError, match=f"schema is '0999'.*`ken schema down {HEAD}`"):
        again()
    with pytest.raises(StorageError, match="newer Ken"):
        down(database, OLDEST)
