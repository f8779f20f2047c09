from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from ken.settings import load
from ken.wiring import Ken, open_home
from tests.assistant.corpus import copy


@pytest.fixture(scope="session")
async def ken(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Ken]:
    """An open home that holds the lighthouse's documents; nobody changes them."""
    opened = await open_home(load(copy(tmp_path_factory.mktemp("reader") / "home")))
    yield opened
    await opened.aclose()
