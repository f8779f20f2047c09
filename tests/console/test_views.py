"""Views: one axis of time and one filter bar, the traces behind a window and a point, what may be the cause; by pointer and by keys."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from ken.operations.simulate.filling import Home, Plan, fill
from ken.operations.simulate.organisation import DAY_S, Organisation
from ken.storage.alerts import AlertBook
from tests.console.conftest import watched
from tests.service.corpus import copy
from tests.service.serving import Served, serving

DAYS = 1
BETWEEN = re.compile(r"since=\d+&until=\d+")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, built: Path) -> Iterator[Served]:
    """A Ken with the made-up questions of yesterday and today on record."""
    with serving(copy(tmp_path_factory.mktemp("views") / "home"), console=built) as ken:
        now = time.time()
        start = now // DAY_S * DAY_S - DAYS * DAY_S
        home = Home(
            record=ken.ken.recording.record,
            rollups=ken.ken.recording.rollups,
            search=ken.ken.trace_search,
            alerts=AlertBook(ken.ken.store.database),
        )
        fill(home, Plan(organisation=Organisation(seed=3, per_day=600, holidays=0.0), start=start, until=now))
        yield ken


def chart(page: Page, title: str) -> Locator:
    return page.get_by_role("figure", name=title, exact=True)


def tile(page: Page, label: str) -> Locator:
    tiles = page.get_by_role("list", name=re.compile("^Figures over the window"))
    return tiles.get_by_role("listitem").filter(has_text=label)


def test_each_view_is_drawn_over_the_same_window(page: Page, served: Served) -> None:
    """All four in one, each in full, and as one story: the tab and the window stand in the address, and Back undoes one step."""
    page.goto(f"{served.url}/views")
    for title in ("How questions ended", "Quality as judged, 1 to 5", "End to end", "Cost of one"):
        expect(chart(page, title).get_by_role("slider")).to_be_visible()
    page.get_by_role("button", name="24 h").click()
    expect(page).to_have_url(re.compile("window=24h"))
    for tab, title in (
        ("Health", "Errors by task type"),
        ("Quality", "Faults that checks found"),
        ("Latency", "Where the time goes"),
        ("Cost", "Spent by model"),
        ("One story", "Latency, p95: higher is worse ↑"),
    ):
        page.get_by_role("tab", name=tab).click()
        expect(chart(page, title).get_by_role("slider")).to_be_visible()
        expect(page).to_have_url(re.compile("window=24h"))
    page.go_back()
    expect(page.get_by_role("tab", name="Cost")).to_have_attribute("aria-selected", "true")
    expect(
        page.get_by_role("table", name=re.compile("dearest first")).or_(page.get_by_text("Dearest questions"))
    ).to_be_visible()


def test_a_filter_holds_for_every_view_and_over_a_reload(page: Page, served: Served) -> None:
    """The figures are those of the filter; all questions come back with one press."""
    page.goto(f"{served.url}/views?view=health")
    everything = tile(page, "Questions").locator("strong")
    expect(everything).to_have_text(re.compile(r"\d"))
    all_questions = everything.inner_text()
    lookup = page.get_by_role("option", name=re.compile("^lookup"))
    expect(lookup).to_have_count(1)
    page.get_by_label("Task type", exact=True).select_option(value="lookup")
    expect(page).to_have_url(re.compile("task_type=lookup"))
    expect(everything).not_to_have_text(all_questions)
    lookups = everything.inner_text()
    page.reload()
    expect(everything).to_have_text(lookups)
    page.get_by_role("button", name="All questions").click()
    expect(everything).to_have_text(all_questions)


def test_a_window_drawn_over_a_chart_narrows_all_and_lists_its_traces(page: Page, served: Served) -> None:
    """By pointer: the window goes into the address, its traces stand beside the charts, and each leads to itself."""
    page.goto(f"{served.url}/views?view=latency")
    plot = chart(page, "Questions").get_by_role("slider")
    expect(plot).to_be_visible()
    box = plot.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.55, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.98, box["y"] + 20, steps=5)
    page.mouse.up()
    expect(page).to_have_url(BETWEEN)
    beside = page.get_by_role("complementary", name="Behind the figures")
    expect(beside.get_by_text("Traces behind it")).to_be_visible()
    expect(beside.get_by_text("started >=")).to_be_visible()
    everything = beside.get_by_role("link", name="Open all in Traces")
    expect(everything).to_have_attribute("href", re.compile(r"/traces\?where="))
    beside.get_by_role("listitem").get_by_role("link").first.click()
    expect(page).to_have_url(re.compile("/traces/[0-9a-f]+"))
    page.go_back()
    expect(page).to_have_url(BETWEEN)


def test_a_chart_is_read_and_chosen_from_by_keys(page: Page, served: Served) -> None:
    """Arrows move the crosshair and say the values, Enter lists the step's traces, and the table has the same figures."""
    page.goto(f"{served.url}/views?view=health")
    plot = chart(page, "How questions ended").get_by_role("slider")
    plot.focus()
    page.keyboard.press("End")
    page.keyboard.press("PageDown")
    expect(plot).to_have_attribute("aria-valuetext", re.compile(r"\d\d:\d\d to \d\d:\d\d: Errors .*, Abstained"))
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(plot).to_have_attribute("aria-valuetext", re.compile(r": Abstained [^,]*$"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("complementary").get_by_text("outcome = abstained")).to_be_visible()
    page.get_by_role("button", name="Close the traces").click()
    expect(page.get_by_text("outcome = abstained")).to_have_count(0)
    page.get_by_role("button", name="Show How questions ended as a table").click()
    table = page.get_by_role("region", name="How questions ended, as a table")
    expect(table.get_by_role("columnheader", name="Abstained")).to_be_visible()
    expect(table.get_by_role("row").nth(1)).to_contain_text(re.compile("%|–"))


def test_causes_are_looked_for_when_they_are_asked_for(page: Page, served: Served) -> None:
    """It takes seconds, so nobody waits for it unasked; where there is nothing to compare with, that is said."""
    page.goto(f"{served.url}/views?window=24h")
    causes = page.get_by_role("complementary", name="Behind the figures")
    causes.get_by_role("button", name="Look for causes").click()
    told = causes.get_by_text(re.compile(r"from \d\d:\d\d on|Nothing moved|too little to compare"))
    expect(told.first).to_be_visible(timeout=30_000)


def test_a_record_without_questions_says_what_to_do(context: BrowserContext, built: Path, tmp_path: Path) -> None:
    """Nothing is drawn of nothing: ask, or have some made up."""
    wrong: list[str] = []
    with serving(copy(tmp_path / "home"), console=built) as empty:
        page = watched(context, empty.url, wrong)
        page.goto(f"{empty.url}/views")
        expect(page.get_by_text("Nothing was asked in this window")).to_be_visible()
        expect(page.get_by_text("ken simulate")).to_be_visible()
        page.close()
    assert wrong == []


def test_it_fits_a_telephone(page: Page, served: Served) -> None:
    """At 360 pixels nothing scrolls sideways but what has its own frame."""
    page.set_viewport_size({"width": 360, "height": 780})
    page.goto(f"{served.url}/views?view=cost")
    expect(chart(page, "Cost of one").get_by_role("slider")).to_be_visible()
    expect(page.get_by_text("Dearest questions")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
