"""The console's frame: where to go, the way in with a key, light and dark, what holds when something is amiss."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.console.conftest import watched
from tests.service.corpus import copy
from tests.service.serving import Served, serving

PLACES = ("Search", "Knowledge", "Traces", "Views", "Gateway", "Alerts", "Settings")


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, built: Path) -> Iterator[Served]:
    """A Ken that listens to the network, as far as it knows: everybody needs a key."""
    with serving(copy(tmp_path_factory.mktemp("guarded") / "home"), console=built, host="0.0.0.0") as ken:  # noqa: S104 - the rig listens on loopback
        yield ken


def test_every_place_can_be_gone_to_and_back(page: Page, served: Served) -> None:
    """Each has an address, a title of its own, and a mark in the list of pages; Back leads back."""
    page.goto(served.url)
    pages = page.get_by_role("navigation", name="Pages")
    for place in PLACES:
        pages.get_by_role("link", name=place).click()
        expect(page).to_have_url(re.compile(f"/{place.lower()}(\\?|$)"))
        expect(page.get_by_role("heading", level=1).first).to_be_visible()
        expect(pages.get_by_role("link", name=place)).to_have_attribute("aria-current", "page")
    page.go_back()
    expect(page).to_have_url(re.compile("/alerts"))


def test_without_a_key_the_way_in_is_a_form(context: BrowserContext, guarded: Served) -> None:
    """A wrong key is told so; a right one shows what its holder may see, and can be forgotten again."""
    wrong: list[str] = []
    page = watched(context, guarded.url, wrong)
    page.goto(guarded.url)
    field = page.get_by_label("Key", exact=True)
    field.fill("ken-wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_contain_text("This API key is unknown")
    field.fill(guarded.clerk)
    page.keyboard.press("Enter")
    pages = page.get_by_role("navigation", name="Pages")
    expect(pages.get_by_role("link", name="Knowledge")).to_be_visible()
    expect(pages.get_by_role("link", name="Settings")).to_have_count(0)
    page.get_by_role("button", name="clerk").click()
    expect(field).to_be_visible()
    assert wrong == []


def test_light_and_dark_can_be_chosen_and_stay(page: Page, served: Served) -> None:
    """The choice holds over a reload, from the first paint on."""
    page.emulate_media(color_scheme="light")
    page.goto(served.url)
    switch = page.get_by_role("button", name=re.compile("Colours"))
    switch.click()
    switch.click()
    expect(switch).to_have_accessible_name("Colours: dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-scheme", "dark")
    expect(page.locator("body")).to_have_css("background-color", "rgb(21, 24, 26)")


def test_a_server_that_is_gone_is_told_and_tried_again(page: Page, served: Served) -> None:
    """What failed stands there with a way to try again, and trying again works."""
    gone = True

    def answer(route: Route) -> None:
        if gone:
            route.abort()
        else:
            route.continue_()

    page.route("**/api/me", answer)
    page.goto(served.url)
    expect(page.get_by_role("alert")).to_contain_text("can't be reached")
    gone = False
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("navigation", name="Pages").get_by_role("link", name="Settings")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
