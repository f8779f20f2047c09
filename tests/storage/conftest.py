from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ken.storage.database import Database
from ken.storage.postgres import PostgresDatabase
from ken.storage.sqlite import FILE_NAME, SqliteDatabase
from tests.storage.places import opened_at
from tests.storage.postgres_rig import PostgresServer


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with all its tables and nothing in them: made once, as migrating takes longer than most tests."""
    home = tmp_path_factory.mktemp("migrated")
    SqliteDatabase(home).close()
    return home / FILE_NAME


@pytest.fixture
def sqlite(home: Path, migrated: Path) -> Iterator[SqliteDatabase]:
    """The store in the home: for what is told of its files."""
    home.mkdir(mode=0o700)
    shutil.copy(migrated, home / FILE_NAME)
    opened = SqliteDatabase(home)
    yield opened
    opened.close()


@pytest.fixture
def postgresql(postgres_url: str) -> Iterator[PostgresDatabase]:
    """The store that replicas share."""
    opened = PostgresDatabase(postgres_url)
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    """Both stores, one after the other: what is promised of one holds for the other."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def place(request: pytest.FixtureRequest, database: Database) -> str:
    """Where another process finds `database`: see `opened_at`."""
    return str(database.home) if isinstance(database, SqliteDatabase) else request.getfixturevalue("postgres_url")


@pytest.fixture
def again(place: str) -> Callable[[], Database]:
    """Opens `database` a second time, as another replica would."""
    return lambda: opened_at(place)


@pytest.fixture(params=["sqlite", "postgresql"])
def untouched(request: pytest.FixtureRequest, home: Path) -> Iterator[str]:
    """Where Ken has never been: a home that isn't there, a database with nothing in it."""
    if request.param == "sqlite":
        yield str(home)
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database() as url:
        yield url
