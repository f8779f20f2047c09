from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.service.corpus import copy
from tests.service.door import Door, opened
from tests.service.serving import Served, serving


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(copy(tmp_path_factory.mktemp("served") / "home")) as ken:
        yield ken


@pytest.fixture(scope="session")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with opened(copy(tmp_path_factory.mktemp("door") / "home")) as found:
        yield found


@pytest.fixture
def client(served: Served) -> Iterator[httpx.Client]:
    """The local operator, without a key."""
    with served.client() as opened_client:
        yield opened_client
