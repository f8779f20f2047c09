"""Knowledge in a real browser: what is there, where it comes from, how it was before, what is wrong with it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.console.conftest import watched
from tests.service.corpus import copy
from tests.service.serving import Served, serving

TABLES = """
[[sources]]
name = "papers"
kind = "folder"
path = "{folder}"
every = "6h"

[[sources]]
name = "wiki"
kind = "notion"
token_env = "NOTION_TOKEN_THAT_IS_NOT_SET"
"""
TIDE = "# Tide\n\nThe tide turns at {}.\n\nBoats leave an hour before it.\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("papers")
    (found / "tide.md").write_text(TIDE.format("noon"))
    (found / "torn.pdf").write_text("torn")
    return found


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, built: Path, folder: Path) -> Iterator[Served]:
    """A Ken whose ken.toml names a folder, and a wiki whose secret isn't set."""
    home = copy(tmp_path_factory.mktemp("knowledge") / "home")
    (home / "ken.toml").write_text(TABLES.format(folder=folder))
    with serving(home, console=built) as ken:
        yield ken


def open_tab(page: Page, served: Served, name: str) -> None:
    """Go to the page and choose a part of it."""
    page.goto(f"{served.url}/knowledge")
    page.get_by_role("tab", name=re.compile(name)).click()


def sync(served: Served) -> None:
    """Sync the papers, and wait for the end."""

    def is_idle() -> bool:
        return client.get("/api/syncs", params={"source": "papers"}).json()[0]["state"] != "running"

    with served.client() as client:
        before = len(client.get("/api/syncs", params={"source": "papers"}).json())
        until(lambda: client.post("/api/syncs", json={"source": "papers"}).status_code == 202)
        until(lambda: len(client.get("/api/syncs", params={"source": "papers"}).json()) > before and is_idle())


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    give_up = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < give_up
        time.sleep(0.05)


def test_a_source_is_synced_and_its_documents_tell_what_became_of_them(page: Page, served: Served) -> None:
    """Its end is seen without a reload; the document that failed stands first, with the reason; the other one opens."""
    open_tab(page, served, "Sources")
    card = page.get_by_role("article", name="papers")
    expect(card).to_contain_text("every 6h")
    # It is synced when Ken starts, too: the button waits for that.
    card.get_by_role("button", name="Sync now").click()
    expect(card).to_contain_text("1 not taken")
    card.get_by_role("link", name="Documents and their states").click()
    table = page.get_by_role("region", name="Documents of papers")
    expect(table.get_by_role("row")).to_have_count(2)
    expect(table).to_contain_text("torn.pdf")
    expect(table).to_contain_text("is broken")
    page.get_by_label("State").select_option("current")
    expect(page).to_have_url(re.compile("state=current"))
    table.get_by_role("link", name="tide.md").click()
    expect(page).to_have_url(re.compile("/documents/papers/tide.md"))


def test_a_sync_that_somebody_else_began_is_seen_without_a_reload(page: Page, served: Served, folder: Path) -> None:
    """The list of syncs has it by itself, with what it did."""
    sync(served)
    open_tab(page, served, "Syncs")
    table = page.get_by_role("region", name="Syncs")
    expect(table.get_by_role("row").nth(1)).to_contain_text("finished")
    (folder / "fog.md").write_text("# Fog\n\nThe horn sounds every two minutes.\n")
    sync(served)
    expect(table.get_by_role("row").nth(1)).to_contain_text("1 added")


def test_a_failing_source_says_why_and_what_to_try(page: Page, served: Served) -> None:
    """The name of the variable, beside the source; the tab counts it, and a removal says what goes before it does."""
    open_tab(page, served, "Sources")
    card = page.get_by_role("article", name="wiki")
    card.get_by_role("button", name="Sync now").click()
    expect(card).to_contain_text("NOTION_TOKEN_THAT_IS_NOT_SET")
    expect(card).to_contain_text("then sync it now")
    expect(page.get_by_role("tab", name="Sources (1 failing)")).to_be_visible()
    card.get_by_role("button", name="Remove…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("for ever")
    expect(dialog).to_contain_text("ken.toml names it")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    card.get_by_role("button", name="Remove…").click()
    dialog.get_by_role("button", name="Remove for ever").click()
    expect(card).to_contain_text("never synced")


def test_two_versions_are_compared_and_the_older_is_served_until_the_newest_is_again(
    page: Page, served: Served, folder: Path
) -> None:
    """The changed line is shown with what it was; a banner says on every part that an older version is served."""
    sync(served)
    (folder / "tide.md").write_text(TIDE.format("dusk"))
    sync(served)
    open_tab(page, served, "Snapshots")
    page.get_by_role("link", name="Show the changes").click()
    changes = page.get_by_role("region", name="Changes in papers/tide.md")
    expect(changes).to_contain_text("removed: The tide turns at noon.")
    expect(changes).to_contain_text("added: The tide turns at dusk.")
    back = page.get_by_role("button", name=re.compile("Go back to")).first
    number = re.sub(r"\D", "", back.inner_text())
    back.click()
    page.get_by_role("dialog").get_by_role("button", name="Go back").click()
    expect(page.get_by_text(f"The documents of version {number} are served.")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text=f"is served: version {number}")).to_be_visible()
    page.get_by_role("tab", name="Collections").click()
    banner = page.get_by_text("An older version of the documents is served")
    expect(banner).to_be_visible()
    page.get_by_role("button", name="Serve the newest…").click()
    page.get_by_role("dialog").get_by_role("button", name="Serve the newest").click()
    expect(banner).to_be_hidden()


def test_files_are_added_and_deleted_again(page: Page, served: Served) -> None:
    """Each says what became of it: one is taken and opens, one is refused with the reason; the taken one is deleted."""
    open_tab(page, served, "Add documents")
    page.get_by_label("Collection").fill("notes")
    page.get_by_label("Files to add").set_input_files(
        [
            {"name": "kites.md", "mimeType": "text/markdown", "buffer": b"# Kites\n\nKites fly on Fridays.\n"},
            {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": b"none"},
        ]
    )
    files = page.get_by_role("list", name="Files")
    expect(page.get_by_role("status").filter(has_text="1 of 2 files taken, 1 not")).to_be_visible()
    expect(files.get_by_role("listitem").filter(has_text="photo.jpg")).to_contain_text("not taken")
    expect(files.get_by_role("listitem").filter(has_text="photo.jpg")).to_contain_text(re.compile("format|suffix"))
    expect(files.get_by_role("link", name="notes/kites.md")).to_have_attribute("href", "/documents/notes/kites.md")
    files.get_by_role("button", name="Delete notes/kites.md").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete for ever").click()
    expect(files.get_by_role("link", name="notes/kites.md")).to_be_hidden()
    with served.client() as client:
        assert client.get("/api/documents/notes/kites.md").status_code == 404


def test_findings_lead_to_the_documents(page: Page, served: Served) -> None:
    """By keyboard alone: the kind opens, and the address says which."""
    page.goto(f"{served.url}/knowledge?tab=quality&collection=harbour")
    finding = page.get_by_role("group").filter(has_text="out of date").locator("summary")
    finding.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("kind=out-of-date"))
    page.get_by_role("link", name="Harbour office").first.click()
    expect(page).to_have_url(re.compile("/documents/harbour/office.md"))


def test_who_is_no_operator_sees_what_they_may_read(context: BrowserContext, served: Served) -> None:
    """Collections and their quality, without a word of sources; a link to those says who may."""
    wrong: list[str] = []
    page = watched(context, served.url, wrong)
    page.add_init_script(f"sessionStorage.setItem('ken-key', '{served.nobody}')")
    page.goto(f"{served.url}/knowledge")
    expect(page.get_by_role("article", name="harbour")).to_contain_text("that you may read")
    expect(page.get_by_role("tab")).to_have_count(2)
    page.goto(f"{served.url}/knowledge?tab=sources")
    expect(page.get_by_text("This part is for operators")).to_be_visible()
    assert wrong == []


@pytest.mark.parametrize("width", [360, 2560])
def test_every_part_fits_the_window(browser: Browser, served: Served, width: int) -> None:
    """Nothing makes the page scroll sideways: a table does so in its own frame."""
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme="dark")
    page = context.new_page()
    for tab in ("collections", "sources", "syncs", "snapshots", "quality", "upload"):
        page.goto(f"{served.url}/knowledge?tab={tab}")
        expect(page.get_by_role("tabpanel")).to_be_visible()
        expect(page.get_by_role("tabpanel").get_by_text("Loading")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), tab
    context.close()
