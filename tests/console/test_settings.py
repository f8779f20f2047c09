"""The settings page in a browser: a key made, used and revoked; groups; releases; settings; the record."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.service.corpus import QUESTION
from tests.service.serving import Served


def opened(page: Page, served: Served, tab: str) -> None:
    """The page with one of its tabs."""
    page.goto(f"{served.url}/settings?tab={tab}")
    expect(page.get_by_role("tab", name=tab.capitalize(), exact=True)).to_have_attribute("aria-selected", "true")


def test_a_key_is_made_shown_once_used_and_revoked(page: Page, served: Served) -> None:
    """What the page shows as the new key opens what its groups may read, until it is revoked; nothing shows it twice."""
    opened(page, served, "keys")
    page.get_by_role("button", name="New key").click()
    form = page.get_by_role("dialog", name="New key")
    form.get_by_label("Name").fill("Front desk")
    form.get_by_role("checkbox", name=re.compile("^office: 1 document")).check()
    form.get_by_role("button", name="Make key").click()
    made = page.get_by_role("dialog", name="Keep this key now")
    made.get_by_role("button", name="Copy key").click()
    expect(made.get_by_text("Copied")).to_be_visible()
    secret = str(page.evaluate("navigator.clipboard.readText()"))
    expect(made.get_by_label("The key")).to_have_text(secret)
    made.get_by_role("button", name="I have kept it").click()
    expect(page.get_by_text(secret)).to_have_count(0)
    with served.client(secret) as client:
        assert client.get("/api/documents/harbour/wages.md").status_code == 200
        client.post("/api/ask?stream=false", json={"question": QUESTION})
        served.ken.recorder.flush()
        page.reload()
        row = page.get_by_role("row", name=re.compile("Front desk"))
        expect(row.get_by_role("link", name=re.compile("just now|ago"))).to_be_visible()
        row.get_by_role("button", name="Revoke").click()
        sure = page.get_by_role("dialog", name="Revoke Front desk?")
        sure.get_by_role("button", name="Cancel").click()
        expect(row).to_be_visible()
        row.get_by_role("button", name="Revoke").click()
        sure.get_by_role("button", name="Revoke").click()
        expect(page.get_by_role("row", name=re.compile("Front desk"))).to_have_count(0)
        assert client.get("/api/documents/harbour/wages.md").status_code == 401
    page.get_by_role("checkbox", name="Show the 1 that was revoked").check()
    expect(page.get_by_role("row", name=re.compile("Front desk.*revoked"))).to_be_visible()


def test_a_new_key_is_tried_in_the_tab_and_given_up_again(page: Page, served: Served) -> None:
    """The tab goes on as the key's owner, who sees no page of operators, until a click on the name brings one back."""
    opened(page, served, "keys")
    page.get_by_role("button", name="New key").click()
    page.get_by_role("dialog", name="New key").get_by_label("Name").fill("Visitor")
    page.get_by_role("button", name="Make key").click()
    page.get_by_role("button", name="Use it in this tab").click()
    places = page.get_by_role("navigation", name="Pages")
    expect(page.get_by_role("button", name="Visitor")).to_be_visible()
    expect(places.get_by_role("link", name="Gateway")).to_have_count(0)
    expect(page.get_by_text("Visitor may not see it")).to_be_visible()
    page.get_by_role("button", name="Visitor").click()
    expect(places.get_by_role("link", name="Gateway")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("Visitor"))).to_be_visible()


def test_a_name_that_is_taken_is_told_where_it_was_typed(page: Page, served: Served) -> None:
    """The form stays with what was typed, and says why there is no key."""
    opened(page, served, "keys")
    page.get_by_role("button", name="New key").click()
    form = page.get_by_role("dialog", name="New key")
    form.get_by_label("Name").fill("clerk")
    form.get_by_role("button", name="Make key").click()
    expect(form.get_by_role("alert")).to_contain_text("There is a key 'clerk' already")
    expect(form.get_by_label("Name")).to_have_value("clerk")
    page.keyboard.press("Escape")
    expect(form).to_be_hidden()


def test_groups_and_releases_tell_what_they_are(page: Page, served: Served) -> None:
    """A group with its keys and documents; the release that answers, what it is made of, and the checklist's answers."""
    opened(page, served, "groups")
    office = page.get_by_role("row", name=re.compile("^office"))
    expect(office).to_contain_text("clerk")
    expect(office).to_contain_text("harbour (1)")
    page.get_by_role("tab", name="Releases").click()
    expect(page).to_have_url(re.compile(r"tab=releases"))
    expect(page.get_by_text("Is the cost of a successful task stable?")).to_be_visible()
    expect(page.get_by_text("answers now")).to_be_visible()
    page.get_by_text("What it is made of").first.click()
    expect(page.get_by_text("index_configuration").first).to_be_visible()


def test_settings_say_where_they_are_from_and_the_record_counts_before_it_deletes(page: Page, served: Served) -> None:
    """Given settings alone at first, all when asked, found by words; traces are counted, then asked about, then deleted."""
    opened(page, served, "settings")
    table = page.get_by_role("region", name="Settings")
    expect(table.get_by_role("row", name=re.compile("^max_file_mb.*the command line"))).to_be_visible()
    expect(table.get_by_text("gateway.retries")).to_have_count(0)
    page.get_by_role("checkbox", name=re.compile("as they ship")).check()
    page.get_by_label("Find").fill("gateway retries")
    expect(table.get_by_role("row", name=re.compile("^gateway.retries.*as it ships"))).to_be_visible()
    page.reload()
    expect(page.get_by_label("Find")).to_have_value("gateway retries")

    with served.client(served.nobody) as client:
        client.post("/api/ask?stream=false", json={"question": QUESTION})
        served.ken.recorder.flush()
    page.get_by_role("tab", name="Record").click()
    nobody = next(key.id for key in served.ken.keys.list() if key.name == "nobody")
    page.get_by_label("The principal's id").fill(nobody)
    page.get_by_role("button", name="Count them").click()
    expect(page.get_by_text("1 trace would go.")).to_be_visible()
    page.get_by_role("button", name="Delete 1 trace").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("1 trace deleted.")).to_be_visible()
    page.get_by_role("button", name="Count them").click()
    expect(page.get_by_text("There are none.")).to_be_visible()
