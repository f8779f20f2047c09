from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ken.storage.database import Database
from ken.storage.sqlite import FILE_NAME, SqliteDatabase


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with all its tables and nothing in them: made once, as migrating takes longer than most tests."""
    home = tmp_path_factory.mktemp("migrated")
    SqliteDatabase(home).close()
    return home / FILE_NAME


@pytest.fixture
def database(home: Path, migrated: Path) -> Iterator[Database]:
    home.mkdir(mode=0o700)
    shutil.copy(migrated, home / FILE_NAME)
    opened = SqliteDatabase(home)
    yield opened
    opened.close()
