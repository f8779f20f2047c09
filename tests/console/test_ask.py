"""Asking in the browser: from the question to the source and the trace, and what holds when something is amiss."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from tests.console.conftest import watched
from tests.service.corpus import BEYOND, OPENING, QUESTION
from tests.service.serving import Served
from tests.service.test_hang_up import eventually

WAGE = "How much does the crane driver earn in a month?"


def ask(page: Page, question: str) -> None:
    page.get_by_label("Your question").fill(question)
    page.keyboard.press("Enter")


def last(page: Page) -> Locator:
    """The question that was asked last, with its answer."""
    return page.get_by_role("list", name="Conversation", exact=True).locator("> li").last


def answered(page: Page) -> None:
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    expect(last(page).get_by_role("link", name="Where the time went")).to_be_visible()


def use(page: Page, model: str) -> None:
    """Send the page's questions to this model."""

    def renamed(route: Route) -> None:
        route.continue_(post_data=json.dumps(route.request.post_data_json | {"model": model}))

    page.route("**/api/ask", renamed)


def test_from_a_question_to_its_source_and_its_trace(page: Page, served: Served) -> None:
    """Stages tick, the answer comes with its sources, a citation opens the document, a reload shows the same, the trace is a click away."""
    page.goto(served.url)
    ask(page, QUESTION)
    expect(last(page)).to_contain_text(OPENING[:30])
    answered(page)
    expect(page).to_have_url(re.compile("/c/[0-9a-f]{32}"))
    expect(last(page).get_by_text(re.compile(r"\d+ stages, .* m?s"))).to_be_visible()
    expect(last(page)).to_contain_text("Harbour master")
    expect(last(page)).to_contain_text("review was due on 31 Dec 2021")
    expect(page.get_by_role("status").filter(has_text="Answer: ")).to_contain_text("1 source")
    cite = last(page).get_by_role("button", name="Source 1: Harbour office").first
    cite.click()
    expect(page.get_by_role("complementary", name="Document")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("complementary", name="Document")).to_have_count(0)
    expect(cite).to_be_focused()
    page.reload()
    expect(last(page).get_by_role("button", name="Source 1: Harbour office").first).to_be_visible()
    expect(last(page)).to_contain_text("review was due on 31 Dec 2021")
    last(page).get_by_role("link", name="Where the time went").click()
    expect(page).to_have_url(re.compile("/traces/[0-9a-f]{32}"))


def test_beyond_the_documents_is_said_and_what_is_nearest(page: Page, served: Served) -> None:
    """In a part of its own, which names documents to open; the same when it is opened again."""
    page.goto(served.url)
    ask(page, BEYOND)
    answered(page)
    for _ in range(2):
        beyond = last(page).get_by_role("region", name="Beyond my ken")
        expect(beyond).to_contain_text("I found nothing")
        page.reload()


def test_a_slow_answer_is_stopped_and_what_came_stays(page: Page, served: Served) -> None:
    """The first sentence stands there; Stop ends it on the server too; a reload still has it, marked as stopped."""
    use(page, "stuck")
    page.goto(served.url)
    served.loop.call_soon_threadsafe(served.endpoint.hung_up.clear)
    ask(page, QUESTION)
    expect(last(page)).to_contain_text(OPENING)
    page.get_by_role("button", name="Stop").click()
    expect(last(page)).to_contain_text("You stopped this answer")
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible()
    expect(page.get_by_label("Your question")).to_be_focused()
    page.reload()
    expect(last(page)).to_contain_text("This answer was stopped before its end.")
    expect(last(page)).to_contain_text(OPENING)
    assert eventually(served.endpoint.hung_up.is_set)


def test_what_has_no_answer_yet_outlives_a_reload(page: Page, served: Served) -> None:
    """A question over which the connection broke stands there again, to be asked; a new conversation is an empty page."""
    page.goto(served.url)
    page.route("**/api/ask", lambda route: route.abort(), times=1)
    ask(page, QUESTION)
    expect(last(page).get_by_role("button", name="Ask again")).to_be_visible()
    page.reload()
    expect(last(page).get_by_role("heading", name=QUESTION)).to_be_visible()
    page.get_by_role("button", name="New conversation").click()
    expect(page.get_by_role("heading", name="What would you like to know?")).to_be_visible()
    ask(page, WAGE)
    answered(page)
    expect(page.get_by_role("heading", name=QUESTION, level=2)).to_have_count(0)


def test_a_key_that_is_revoked_is_asked_for_again_and_the_question_stays(page: Page, served: Served) -> None:
    """The form for a key stands in the page's place; with another key the question is where it was written."""
    refused = {"status": 401, "json": {"error": {"message": "No such key.", "kind": "NotAuthorised"}}}
    page.goto(served.url)
    expect(page.get_by_label("Your question")).to_be_visible()
    page.route("**/api/ask", lambda route: route.fulfill(**refused))
    page.route("**/api/me", lambda route: route.fulfill(**refused))
    ask(page, QUESTION)
    expect(page.get_by_role("heading", name="This Ken needs a key")).to_be_visible()
    page.unroute("**/api/ask")
    page.unroute("**/api/me")
    page.get_by_label("Key").fill(served.operator)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Your question")).to_have_value(QUESTION)


@pytest.mark.parametrize("fault", ["refused", "broken", "error"])
def test_a_fault_is_told_and_the_question_kept(page: Page, served: Served, fault: str) -> None:
    """A server's error, a connection that breaks, an error in the stream: each says what to try, and asking again works."""
    wrong = {
        "refused": {"status": 503, "json": {"error": {"message": "The disk is full.", "kind": "StorageError"}}},
        "broken": {
            "status": 200,
            "content_type": "text/event-stream",
            "body": 'event: stage\ndata: {"stage":"intake","state":"started"}\n\n',
        },
        "error": {
            "status": 200,
            "content_type": "text/event-stream",
            "body": 'event: error\ndata: {"error":{"message":"No model answers.","kind":"ModelError","trace_id":null}}\n\n',
        },
    }[fault]
    page.goto(served.url)
    page.route("**/api/ask", lambda route: route.fulfill(**wrong), times=1)
    ask(page, QUESTION)
    told = {"refused": "The disk is full.", "broken": "The connection broke", "error": "No model answers."}[fault]
    expect(last(page).get_by_role("alert")).to_contain_text(told)
    expect(last(page).get_by_role("heading", name=QUESTION)).to_be_visible()
    last(page).get_by_role("button", name="Ask again").click()
    answered(page)
    expect(last(page)).to_contain_text(OPENING[:30])


def test_an_earlier_question_is_changed_and_asked_anew(page: Page, served: Served) -> None:
    """Its answer and what followed make room, here and on the server; Escape leaves all as it was."""
    page.goto(served.url)
    for question in (QUESTION, WAGE):
        ask(page, question)
        answered(page)
    first = page.get_by_role("list", name="Conversation", exact=True).locator("> li").first
    first.get_by_role("button", name="Change and ask anew").click()
    page.keyboard.press("Escape")
    expect(first.get_by_role("heading", name=QUESTION)).to_be_visible()
    first.get_by_role("button", name="Change and ask anew").click()
    first.get_by_label("The question, changed").fill("What does the night watch earn?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=WAGE)).to_have_count(0)
    answered(page)
    page.reload()
    expect(page.get_by_role("heading", name="What does the night watch earn?", level=2)).to_be_visible()
    expect(page.get_by_role("heading", name=QUESTION)).to_have_count(0)


def test_a_thumb_with_a_reason_and_a_copy_with_sources(page: Page, served: Served) -> None:
    """The thumb and its reason are on record with the trace; the copy has numbered sources as links."""
    page.goto(served.url)
    ask(page, QUESTION)
    answered(page)
    last(page).get_by_role("button", name="Not helpful").click()
    last(page).get_by_label(re.compile("What was wrong")).fill("Winter hours")
    page.keyboard.press("Enter")
    expect(last(page).get_by_text("Thank you, noted.")).to_be_visible()
    trace = str(last(page).get_by_role("link", name="Where the time went").get_attribute("href"))
    with served.client() as client:
        said = client.get(f"/api{trace}").json()["feedback"]
    assert [(each["helpful"], each["reason"]) for each in said] == [(False, "Winter hours")]
    last(page).get_by_role("button", name="Copy").click()
    expect(last(page).get_by_text("Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert re.search(
        r"- \[1\] \[Harbour office\]\(http://127\.0\.0\.1:\d+/documents/harbour/office\.md\?start=\d+", copied
    )


def test_conversations_are_found_renamed_shared_and_deleted(
    page: Page, served: Served, context: BrowserContext
) -> None:
    """By a word of an answer; another reader follows the link and sees no word of what that reader may not read."""
    page.goto(served.url)
    for question in (QUESTION, WAGE):
        ask(page, question)
        answered(page)
    side = page.get_by_role("navigation", name="Conversations")
    side.get_by_label("Search conversations").fill("3,400 euros")
    entry = side.get_by_role("link", name=re.compile("3,400 euros")).first
    expect(entry).to_be_visible()
    side.get_by_label("Search conversations").fill("")
    side.get_by_role("button", name=re.compile("^More of")).first.click()
    page.get_by_role("menuitem", name="Rename").click()
    page.get_by_label("Title").fill("Opening and pay")
    page.keyboard.press("Enter")
    expect(side.get_by_role("link", name="Opening and pay")).to_be_visible()
    page.get_by_role("button", name="Share").click()
    page.get_by_label("Everybody with a key").check()
    page.get_by_role("button", name="Make a link").click()
    address = page.get_by_role("list", name="Links").get_by_role("link", name="Open").get_attribute("href")
    page.keyboard.press("Escape")
    wrong: list[str] = []
    reader = watched(context, served.url, wrong)
    reader.add_init_script(f"sessionStorage.setItem('ken-key', '{served.nobody}')")
    reader.goto(f"{served.url}{address}")
    expect(reader.get_by_role("heading", level=1)).to_have_text("Opening and pay")
    expect(reader.get_by_text(OPENING[:30]).first).to_be_visible()
    expect(reader.get_by_text("Withheld")).to_be_visible()
    expect(reader.get_by_role("main")).not_to_contain_text("3,400")
    assert wrong == []
    side.get_by_role("button", name="More of Opening and pay").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(side.get_by_role("link", name="Opening and pay")).to_have_count(0)
    expect(page.get_by_role("heading", name="What would you like to know?")).to_be_visible()


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1280, "dark"), (2560, "light")])
def test_the_page_fits_and_has_no_serious_fault(page: Page, served: Served, width: int, scheme: str) -> None:
    """At every width and in the dark nothing stands out sideways, and axe finds nothing serious; an example can be asked."""
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(served.url)
    example = page.get_by_role("list", name="Examples").get_by_role("button").first
    expect(example).to_be_visible()
    faults(page)
    example.click()
    answered(page)
    faults(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def faults(page: Page) -> None:
    """Ask axe, in the page's isolated world, so that its content security policy stays as it is."""
    axe = (Path(__file__).parents[2] / "console/node_modules/axe-core/axe.min.js").read_text("utf-8")
    page.evaluate(axe)
    found = page.evaluate("axe.run().then((told) => told.violations)")
    serious = [each for each in found if each["impact"] in {"serious", "critical"}]
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in serious] == []
