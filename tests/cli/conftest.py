from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.terminal import Terminal
from tests.service.corpus import copy


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    """A terminal with a home that holds the corpus; nobody changes its documents."""
    return Terminal(copy(tmp_path_factory.mktemp("cli") / "home"))


@pytest.fixture
def empty(home: Path) -> Terminal:
    """A terminal with a home that isn't there yet."""
    return Terminal(home)
