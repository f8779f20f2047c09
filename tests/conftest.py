"""What holds for every test: nothing of the developer's environment comes in, nothing reaches beyond this machine."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.loopback import sitecustomize as loopback

if TYPE_CHECKING:
    from tests.storage.postgres_rig import PostgresServer

UNWANTED = ("KEN_", "OPENAI_", "ANTHROPIC_", "OTEL_")
UNWANTED_NAMES = {"FORCE_COLOR", "GITHUB_ACTIONS", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def pytest_configure(config: pytest.Config) -> None:
    """Clean the environment once, before any fixture starts a process; children inherit it."""
    for name in list(os.environ):
        if name.startswith(UNWANTED) or name.endswith("_API_KEY") or name.upper() in UNWANTED_NAMES:
            del os.environ[name]
    # Each `ken` that is started would compile all of Ken anew, which takes as long as the rest of its start.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["NO_COLOR"] = "1"
    os.environ["COLUMNS"] = "120"
    # Python children load tests/loopback/sitecustomize.py by its name, and are guarded as this process is. Workers of
    # pytest-xdist come here themselves: one that found the guard on its path would have two, the first of them unwatched.
    if not config.getoption("numprocesses", None):
        os.environ["PYTHONPATH"] = str(Path(loopback.__file__).parent)


@pytest.fixture(autouse=True)
def stay_on_this_machine() -> Iterator[None]:
    """Fail a test that tried to reach another machine, also where the code under test has hidden the refusal."""
    loopback.attempts.clear()
    yield
    assert loopback.attempts == []


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Ken runs on asyncio alone, so asynchronous tests do too."""
    return "asyncio"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The path of a fresh home; nothing is there yet."""
    return tmp_path / "home"


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A real PostgreSQL with the extension `vector`, started when the first test asks for it."""
    from tests.storage.postgres_rig import postgres_server  # noqa: PLC0415 - few tests need it, and all load this file

    with postgres_server() as server:
        yield server


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """The address of a PostgreSQL database with Ken's tables and nothing in them: `PostgresDatabase(postgres_url)`."""
    with postgres.database(template="migrated") as url:
        yield url


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real Redis that all tests share: keep to keys of your own, or to a database (`/1` to `/63`)."""
    from tests.gateway.redis_rig import redis_server  # noqa: PLC0415 - few tests need it, and all load this file

    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server.url


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium for Playwright's `executable_path`. Without one: a skip for a person, a failure in CI."""
    for name in BROWSERS:
        if found := shutil.which(name):
            return found
    message = f"no browser: none of {', '.join(BROWSERS)} is installed (on Debian: apt-get install chromium)"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)
