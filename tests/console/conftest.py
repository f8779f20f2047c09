from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from ken.service.routes.console import FOLDER
from tests.service.corpus import copy
from tests.service.serving import Served, serving

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

PATIENCE_MS = 20_000
"""How long a page may take to show what is expected of it: as long as a machine that runs all tests at once may need."""

WHOLE_WAY_S = 240

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def built() -> Path:
    """The folder of the built console: Ken's own, or another one to try (CONSOLE_OUT). Without one: as without a browser."""
    folder = Path(os.environ.get("CONSOLE_OUT", FOLDER))
    if (folder / "index.html").is_file():
        return folder
    message = f"the console isn't built in {str(folder)!r}: `make test` builds it"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, built: Path) -> Iterator[Served]:
    """A Ken over the corpus of the service's tests, with the scripted model and the console."""
    with serving(copy(tmp_path_factory.mktemp("console") / "home"), console=built) as ken:
        yield ken


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """For one file: as long as Playwright is open its event loop counts as running, and no test could run another."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(
        viewport={"width": 1280, "height": 800}, permissions=["clipboard-read", "clipboard-write"]
    )
    opened.set_default_timeout(PATIENCE_MS)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext, served: Served) -> Iterator[Page]:
    """A tab that fails its test when a script fails, or when anything but this Ken is asked for."""
    wrong: list[str] = []
    opened = watched(context, served.url, wrong)
    yield opened
    assert wrong == []


def watched(context: BrowserContext, url: str, wrong: list[str]) -> Page:
    """A tab whose faults go into `wrong`: failing scripts, breaches of the content security policy, requests to elsewhere."""
    page = context.new_page()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "console",
        lambda message: wrong.append(message.text) if "Content Security Policy" in message.text else None,
    )
    page.on(
        "request",
        lambda request: None if request.url.startswith((url, f"blob:{url}")) else wrong.append(request.url),
    )
    return page


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A way through several pages may take longer than the minute that any other test has."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.timeout(WHOLE_WAY_S))
