"""A question back in a real browser, and at both doors of the API."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from ken.search_settings import SearchSettings
from ken.settings import load
from ken.wiring import open_home
from tests.service.serving import Served, serving

QUESTION = "Where is the parking for bicycles?"
OFFICES = {
    "brackwater.md": "# Brackwater\n\n## Parking for bicycles\n\nBicycles stand in the yard behind the gate.\n",
    "tarnfell.md": "# Tarnfell\n\n## Parking for bicycles\n\nThere is a cellar with forty racks below the station.\n",
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A Ken that asks back, with two offices."""
    place = tmp_path_factory.mktemp("asking")
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, _sync(place)).result()
    with serving(place / "home", search=SearchSettings(ask_back=True)) as ken:
        yield ken


async def _sync(place: Path) -> None:
    folder = place / "offices"
    folder.mkdir()
    for name, text in OFFICES.items():
        (folder / name).write_text(text, encoding="utf-8")
    ken = await open_home(load(place / "home"))
    try:
        await ken.library.sync_folder(folder, collection="offices")
    finally:
        await ken.aclose()


def test_choices_are_buttons_that_ask(page: Page, served: Served) -> None:
    """One for each reading; a click asks for it at once, in the same conversation."""
    page.goto(served.url)
    page.get_by_label("Your question").fill(QUESTION)
    page.keyboard.press("Enter")
    choices = page.locator(".choice")
    expect(choices).to_have_count(2)
    page.get_by_role("button", name="Tarnfell", exact=True).click()
    expect(page.locator(".turn")).to_have_count(2)
    expect(page.locator(".turn").last.locator(".answer")).to_contain_text("a cellar with forty racks")
    expect(page.locator("#said")).to_have_text(re.compile("^Answer"))


def test_both_doors_tell_the_choices(served: Served) -> None:
    """As fields, and as a list in the text for clients that know no others."""
    with served.client() as client:
        answer = client.post("/api/ask", params={"stream": "false"}, json={"question": QUESTION}).json()
        body = {"model": "ken", "messages": [{"role": "user", "content": QUESTION}]}
        choice = client.post("/v1/chat/completions", json=body).json()["choices"][0]["message"]
    assert answer["outcome"] == choice["ken"]["outcome"] == "asked_back"
    assert {each["name"] for each in answer["choices"]} == {"Brackwater", "Tarnfell"}
    assert answer["choices"] == choice["ken"]["choices"]
    assert all(f"({each['document_id']})" in choice["content"] for each in answer["choices"])
