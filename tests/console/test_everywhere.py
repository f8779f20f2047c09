"""What holds on every page: no serious fault of accessibility, nothing wider than a small telephone, nothing that jumps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.cli.terminal import Terminal
from tests.console.conftest import watched
from tests.service.corpus import copy
from tests.service.serving import Served, serving

AXE = Path(__file__).parents[2] / "console/node_modules/axe-core/axe.min.js"
PAGES = (
    "/",
    "/search?q=parking",
    "/documents/harbour/office.md",
    "/knowledge",
    "/knowledge?tab=sources",
    "/traces",
    "/views",
    "/gateway",
    "/gateway?tab=costs",
    "/alerts",
    "/alerts?tab=rules",
    "/settings",
    "/docs",
)
SHIFTS = """
window.shifted = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries())
    if (!entry.hadRecentInput)
      window.shifted.push([entry.value, ...entry.sources.map((one) => (one.node?.parentElement ?? one.node)?.outerHTML?.slice(0, 120))]);
}).observe({ type: 'layout-shift', buffered: true });
"""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
DARK = "rgb(21, 24, 26)"
MOST_SHIFT = 0.02
"""Of the score that browsers call cumulative layout shift; up to 0.1 counts as good on the web."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, built: Path) -> Iterator[Served]:
    """A Ken with documents and some days of made-up questions, so that every page has something to show."""
    home = copy(tmp_path_factory.mktemp("lived") / "home")
    Terminal(home).ken("simulate", "--days", "4", "--questions-per-day", "40")
    with serving(home, console=built) as ken:
        yield ken


def settled(page: Page) -> None:
    """Wait until the page has what it asked for."""
    expect(page.get_by_role("main")).to_be_visible()
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    page.wait_for_function("document.fonts.status === 'loaded'")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_neither_jumps_nor_has_a_serious_fault(page: Page, served: Served, path: str) -> None:
    """With a slow server nothing moves as the rest arrives; then axe-core looks (WCAG 2.2 A and AA), in light and in dark."""
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.route("**/api/**", _slowly)
    page.add_init_script(SHIFTS)
    page.goto(served.url + path)
    settled(page)
    page.unroute_all(behavior="wait")
    shifts = page.evaluate("window.shifted")
    assert sum(shift[0] for shift in shifts) <= MOST_SHIFT, shifts
    page.evaluate(AXE.read_text("utf-8"))
    assert serious_faults(page, {"type": "tag", "values": RULES}) == []
    page.evaluate("document.documentElement.dataset.scheme = 'dark'")
    expect(page.locator("body")).to_have_css("background-color", DARK)
    assert serious_faults(page, {"type": "rule", "values": ["color-contrast"]}) == []


def serious_faults(page: Page, rules: dict[str, object]) -> list[str]:
    """What axe-core finds by these rules and calls serious or critical."""
    found = page.evaluate("(runOnly) => axe.run({ runOnly })", rules)
    return [
        f"{each['id']} ({each['impact']}): {node['target']} {node.get('failureSummary', '')}"
        for each in found["violations"]
        if each["impact"] in {"serious", "critical"}
        for node in each["nodes"]
    ]


@pytest.mark.parametrize("width", [360, 2560])
def test_pages_fit_a_telephone_and_a_wide_screen(context: BrowserContext, served: Served, width: int) -> None:
    """Nothing makes a page wider than the screen; what is too wide scrolls in a frame of its own."""
    wrong: list[str] = []
    page = watched(context, served.url, wrong)
    page.set_viewport_size({"width": width, "height": 740})
    wide = []
    for path in PAGES:
        page.goto(served.url + path)
        settled(page)
        reached = page.evaluate("document.documentElement.scrollWidth")
        if reached > width:
            wide.append(f"{path}: {reached}")
    assert wide == []
    assert wrong == []


def test_a_page_looks_the_same_before_and_after_its_data(page: Page, served: Served) -> None:
    """The frame of a page (the bar, its title, its tabs) is drawn once, to the pixel, while figures are still on their way."""
    held: list[Route] = []
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"{served.url}/gateway")
    settled(page)
    page.route(re.compile("/api/gateway/"), lambda route: held.append(route))  # noqa: PLW0108 - Playwright reads the signature, which a builtin lacks
    page.get_by_role("tab", name="Costs").click()
    expect(page.locator("[aria-busy=true]").first).to_be_visible()
    frame = {"x": 0, "y": 0, "width": 1280, "height": 150}
    before = page.screenshot(clip=frame)
    for route in held:
        route.continue_()
    page.unroute_all(behavior="wait")
    settled(page)
    assert page.screenshot(clip=frame) == before


def test_every_place_can_be_reached_with_the_keyboard_alone(page: Page, served: Served) -> None:
    """From the first Tab on; the skip link leads past the bar, and what has the focus can be seen."""
    page.goto(f"{served.url}/knowledge")
    settled(page)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("tab", name="Collections")).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_role("tab", name="Sources")).to_have_attribute("aria-selected", "true")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"


def _slowly(route: Route) -> None:
    if "/api/live" not in route.request.url:
        route.request.frame.page.wait_for_timeout(120)
    route.continue_()
