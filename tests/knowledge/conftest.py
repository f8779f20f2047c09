from __future__ import annotations

from pathlib import Path

import pytest

from tests.knowledge.homes import fresh, template


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with its tables and the built embedder, and no documents: made once, as that takes seconds."""
    return template(tmp_path_factory.mktemp("made") / "home")


@pytest.fixture
def home(tmp_path: Path, made: Path) -> Path:
    """A home of one's own, ready to be opened."""
    return fresh(tmp_path / "home", made)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder for documents."""
    place = tmp_path / "papers"
    place.mkdir()
    return place
