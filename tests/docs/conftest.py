from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.following import Reader
from tests.knowledge.homes import fresh, template


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with its tables and the built embedder, and no documents: made once, as that takes seconds."""
    return template(tmp_path_factory.mktemp("made") / "home")


@pytest.fixture(scope="session")
def reader(tmp_path_factory: pytest.TempPathFactory, made: Path) -> Reader:
    """Somebody with a home in which all pages on single sources are followed."""
    return Reader(fresh(tmp_path_factory.mktemp("guides") / "home", made))


@pytest.fixture
def newcomer(tmp_path: Path, made: Path) -> Reader:
    """Somebody with a home of their own."""
    return Reader(fresh(tmp_path / "home", made))
