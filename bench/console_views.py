"""From click to data in the console's views, in a real browser: how long until the figures of what was clicked stand on the page.

    python bench/console_views.py --url http://127.0.0.1:8000 [--rounds 10]

Against a running Ken with a built console and a record, such as the home that `bench/views.py --home HOME` fills with a million
questions (`ken up --home HOME`). Each click goes to a view or a window that the page has not asked for yet: the cache of the page is
emptied by a reload before each round. Measured within the page: from the pointer's press until two frames after the last chart in sight
has its figures. `hover`: the pointer rested on the tab for 300 ms before, as hands do, which asks for the figures ahead.
"""

from __future__ import annotations

import argparse
import os
import shutil

import numpy as np
from playwright.sync_api import Page, sync_playwright

from rig.handbooks import machine

VIEWS = ("Health", "Quality", "Latency", "Cost")
WINDOWS = ("24 h", "30 d")
HOVER_MS = 300
WIDTH, HEIGHT = 1280, 900
CLOCK = """
() => {
  window.pressed = null;
  window.drawn = null;
  addEventListener('click', () => {
    window.pressed = performance.now();
    window.drawn = null;
    const look = () => {
      const waits = document.querySelector('figure[aria-busy="true"], main [aria-busy="true"]');
      const there = document.querySelectorAll('figure canvas').length > 2;
      if (waits !== null || !there) return requestAnimationFrame(look);
      requestAnimationFrame(() => requestAnimationFrame(() => { window.drawn = performance.now(); }));
    };
    setTimeout(() => requestAnimationFrame(look), 0);
  }, { capture: true });
}
"""


def main() -> None:
    """Measure, and print a row for each view."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    print(machine())
    print(f"load {os.getloadavg()[0]:.1f}, window of 7 d, {WIDTH}x{HEIGHT}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("google-chrome"),
            args=["--no-sandbox", "--disable-gpu"],
        )
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        print(f"\n{'click on':22} {'p50 ms':>8} {'p95 ms':>8} {'after hover: p50, p95 ms':>26}")
        for name in VIEWS:
            _show(
                name, [[_tab(page, options.url, name, hover) for _ in range(options.rounds)] for hover in (False, True)]
            )
        for name in WINDOWS:
            _show(
                name,
                [[_window(page, options.url, name, hover) for _ in range(options.rounds)] for hover in (False, True)],
            )
        browser.close()


def _show(name: str, took: list[list[float]]) -> None:
    plain, hovered = ((np.percentile(each, 50), np.percentile(each, 95)) for each in took)
    print(f"{name:22} {plain[0]:8.0f} {plain[1]:8.0f} {f'{hovered[0]:.0f}, {hovered[1]:.0f}':>26}")


def _opened(page: Page, url: str) -> None:
    page.goto(f"{url}/views")
    page.locator("figure canvas").nth(2).wait_for()
    page.get_by_label("Tier", exact=True).locator("option").nth(1).wait_for(state="attached")  # asked for last
    page.evaluate(CLOCK)


def _tab(page: Page, url: str, name: str, hover: bool) -> float:  # noqa: FBT001 - which of the two columns
    _opened(page, url)
    tab = page.get_by_role("tab", name=name)
    if hover:
        tab.get_by_text(name).hover()
        page.wait_for_timeout(HOVER_MS)
        tab.click()
    else:
        tab.dispatch_event("click")
    return _drawn(page)


def _window(page: Page, url: str, name: str, hover: bool) -> float:  # noqa: FBT001 - which of the two columns
    _opened(page, url)
    button = page.get_by_role("button", name=name, exact=True)
    if hover:
        button.hover()
        page.wait_for_timeout(HOVER_MS)
        button.click()
    else:
        button.dispatch_event("click")
    return _drawn(page)


def _drawn(page: Page) -> float:
    page.wait_for_function("() => window.drawn !== null")
    return float(page.evaluate("() => window.drawn - window.pressed"))


if __name__ == "__main__":
    main()
