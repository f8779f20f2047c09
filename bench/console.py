"""The console in a real browser: what the first page weighs, when it can be used, and whether long lists scroll.

    python bench/console.py [--home HOME] [--rounds 7]

HOME is a home with documents and questions on record (`ken sync`, then `ken simulate`); it is served as `ken up` serves it, and a
trace of 500 spans is sent to it. The browser is Debian's Chromium without a screen, with an empty cache each time.

- Weight: the bytes of scripts and styles as they came over the wire until the question can be typed.
- Interactive: from the navigation's start until the field takes a letter and shows it.
- Scrolling: the wheel turns for four seconds; a frame that comes later than 50 ms after the one before it is late. "The longest" is
  the longest time without a frame.

Views have a script of their own, console_views.py.
"""

from __future__ import annotations

import argparse
import secrets
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

from rig.handbooks import machine
from rig.server import serving

SPANS = 500
LATE_MS = 50
SCROLL_S = 4.0
FRAMES = """
window.frames_ = [];
const tick = (at) => { window.frames_.push(at); window.ticking = requestAnimationFrame(tick); };
window.ticking = requestAnimationFrame(tick);
"""
WEIGHT = """
() => performance.getEntriesByType('resource')
  .filter((one) => /\\.(js|css)$/.test(new URL(one.name).pathname))
  .reduce((sums, one) => {
    const kind = one.name.endsWith('.js') ? 'scripts' : 'styles';
    return { ...sums, [kind]: sums[kind] + one.encodedBodySize };
  }, { scripts: 0, styles: 0 })
"""
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
]


def first_load(browser: Browser, url: str, *, rounds: int) -> None:
    """Weight and time to use of the page that people open first."""
    times, weight = [], {"scripts": 0, "styles": 0}
    for _ in range(rounds):
        with tab(browser) as page:
            start = time.perf_counter()
            page.goto(url, wait_until="commit")
            field = page.get_by_role("textbox", name="Your question")
            field.press("W")
            page.wait_for_function("document.activeElement.value === 'W'")
            times.append((time.perf_counter() - start) * 1000)
            weight = page.evaluate(WEIGHT)
    print("| first load of the Ask page | scripts kB | styles kB | interactive ms, median (least – most) |")
    print("|---|---:|---:|---:|")
    told = f"{statistics.median(times):.0f} ({min(times):.0f} – {max(times):.0f})"
    print(
        f"| {rounds} rounds | {weight['scripts'] / 1000:.0f} | {weight['styles'] / 1000:.0f} | {told} |\n", flush=True
    )


def scrolling(browser: Browser, url: str, *, trace_id: str) -> None:
    """Frames while lists are scrolled as fast as a wheel turns."""
    print("| scrolled for 4 s | rows | frames a second | late frames | the longest, ms |\n|---|---:|---:|---:|---:|")
    with tab(browser) as page:
        page.goto(f"{url}/traces/{trace_id}")
        rows = page.get_by_role("treegrid", name="Spans")
        rows.wait_for()
        _print_scroll(page, rows.bounding_box(), name="a trace of 500 spans", rows=SPANS)
    with tab(browser) as page:
        page.goto(f"{url}/traces")
        table = page.get_by_role("table", name="Traces")
        table.wait_for()
        _print_scroll(page, table.bounding_box(), name="the list of traces", rows=None)


@contextmanager
def tab(browser: Browser) -> Iterator[Page]:
    """A page with nothing in its cache."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(30_000)
    yield context.new_page()
    context.close()


def _print_scroll(page: Page, box: dict[str, float] | None, *, name: str, rows: int | None) -> None:
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + min(box["height"], 600) / 2)
    page.evaluate(FRAMES)
    until = time.perf_counter() + SCROLL_S
    while time.perf_counter() < until:
        page.mouse.wheel(0, 400)
        page.wait_for_timeout(16)
    at = page.evaluate("() => { cancelAnimationFrame(window.ticking); return window.frames_; }")
    gaps = [later - earlier for earlier, later in pairwise(at)]
    late = sum(gap > LATE_MS for gap in gaps)
    seconds = (at[-1] - at[0]) / 1000
    print(
        f"| {name} | {rows or 'as many as come'} | {len(gaps) / seconds:.0f} | {late} | {max(gaps):.0f} |", flush=True
    )


def send_trace(url: str) -> str:
    """A trace of another service with 500 spans, over OTLP; its id."""
    trace_id, root, now = secrets.token_hex(16), secrets.token_hex(8), time.time_ns()
    ids = [root, *(secrets.token_hex(8) for _ in range(SPANS - 1))]
    spans = [
        {
            "traceId": trace_id,
            "spanId": each,
            **({} if number == 0 else {"parentSpanId": ids[(number - 1) // 6]}),
            "name": f"step {number}",
            "kind": 1,
            "startTimeUnixNano": str(now + number * 2_000_000),
            "endTimeUnixNano": str(now + number * 2_000_000 + 30_000_000),
        }
        for number, each in enumerate(ids)
    ]
    named = {"key": "service.name", "value": {"stringValue": "bench"}}
    body = {"resourceSpans": [{"resource": {"attributes": [named]}, "scopeSpans": [{"spans": spans}]}]}
    httpx.post(f"{url}/v1/traces", json=body, trust_env=False).raise_for_status()
    return trace_id


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, required=True, help="a home with documents and questions; it is copied")
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    browser_path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert browser_path, "no browser: install chromium"
    print(f"{machine()}\n", flush=True)
    with tempfile.TemporaryDirectory(prefix="ken-bench-") as temporary:
        home = Path(temporary) / "home"
        shutil.copytree(given.home, home)
        with serving(home) as server, sync_playwright() as playwright:
            url = f"http://127.0.0.1:{server.port}"
            trace_id = send_trace(url)
            browser = playwright.chromium.launch(executable_path=browser_path, args=ARGUMENTS)
            steps: tuple[Callable[[], None], ...] = (
                lambda: first_load(browser, url, rounds=given.rounds),
                lambda: scrolling(browser, url, trace_id=trace_id),
            )
            for step in steps:
                step()
            browser.close()
    print(f"\nAt the end: {machine()}")


if __name__ == "__main__":
    main()
