"""The page in a real browser: ask, read the source, say what one thinks, look at where the time went."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.service.corpus import BEYOND, OPENING, QUESTION
from tests.service.serving import Served

PROBE = """
new MutationObserver(() => {
  const text = document.querySelector('.turn:last-child .answer')?.textContent ?? '';
  const seen = (window.seen ??= []);
  if (text && seen.at(-1) !== text) seen.push(text);
}).observe(document.getElementById('turns'), { subtree: true, childList: true, characterData: true });
"""


def ask(page: Page, question: str) -> None:
    page.get_by_label("Your question").fill(question)
    page.keyboard.press("Enter")


def use(page: Page, model: str) -> None:
    """Send the page's questions to this model."""

    def renamed(route: Route) -> None:
        body = route.request.post_data_json | {"model": model}
        route.continue_(post_data=json.dumps(body))

    page.route("**/api/ask", renamed)


def answered(page: Page) -> None:
    expect(page.locator(".turn").last.locator(".actions")).to_be_visible()


def test_an_answer_arrives_piece_by_piece(page: Page, served: Served) -> None:
    """Stages tick past, tokens grow into the answer, and its sources stand below it."""
    page.goto(served.url)
    page.evaluate(PROBE)
    ask(page, QUESTION)
    answered(page)
    seen = page.evaluate("window.seen")
    assert OPENING in seen[-1]
    expect(page.locator(".question")).to_have_text(QUESTION)
    expect(page.locator(".sources")).to_contain_text("Harbour office")
    assert page.locator(".stages li").count() >= 8
    assert page.locator("#said").inner_text().startswith("Answer")


def test_a_slow_answer_shows_what_is_verified_and_can_be_stopped(page: Page, served: Served) -> None:
    """While a model is silent the first sentence stands there; Stop ends the call and says so."""
    use(page, "stuck")
    page.goto(served.url)
    ask(page, QUESTION)
    expect(page.locator(".answer")).to_contain_text(OPENING)
    expect(page.locator(".stages .running")).to_have_count(1)
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".notices")).to_contain_text("You stopped this answer")
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible()


def test_a_failing_model_is_told_and_what_was_shown_stays(page: Page, served: Served) -> None:
    """That the answer breaks off stands below the verified text, and its trace can be opened."""
    use(page, "broken")
    page.goto(served.url)
    ask(page, QUESTION)
    expect(page.get_by_text("The answer breaks off here.")).to_be_visible()
    expect(page.locator(".answer")).to_contain_text(OPENING)
    page.get_by_role("button", name="Where the time went").click()
    expect(page.locator("#panel")).to_contain_text("generate")


def test_a_citation_opens_the_passage_it_rests_on(page: Page, served: Served) -> None:
    """The panel shows the document with the passage marked, the quoted words marked to the letter and in view."""
    page.goto(served.url)
    ask(page, QUESTION)
    answered(page)
    page.locator(".cite").first.click()
    panel = page.locator("#panel")
    expect(panel).to_contain_text("Harbour master")
    mark = panel.locator("mark").first
    expect(mark).to_be_in_viewport()
    assert OPENING in "".join(panel.locator("mark").all_inner_texts())
    expect(panel.locator(".passage").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    assert page.evaluate("document.activeElement.className") == "cite"


def test_a_source_tells_its_date_owner_and_review(page: Page, served: Served) -> None:
    """As of when, whose it is, and in a colour of warning that its review is overdue; again when it is opened later."""
    page.goto(served.url)
    ask(page, QUESTION)
    answered(page)
    known = page.locator(".source .known").first
    expect(known).to_have_text("as of 1 January 2020Harbour masterreview was due on 31 December 2021")
    expect(known.locator(".warning")).to_have_text("review was due on 31 December 2021")
    page.reload()
    page.locator("#conversations .name").first.click()
    expect(page.locator(".source .known").first).to_contain_text("Harbour master")


def test_the_documents_own_page_marks_the_same(page: Page, served: Served) -> None:
    """The link out of the panel leads to the document's page, with the same words marked."""
    page.goto(served.url)
    ask(page, QUESTION)
    answered(page)
    page.locator(".source").first.click()
    page.get_by_role("link", name="Open as a page").click()
    page.wait_for_url(re.compile(r"/documents/harbour/office\.md\?.*#p\d+$"))
    expect(page.locator("mark").first).to_be_in_viewport()
    assert OPENING in "".join(page.locator("mark").all_inner_texts())
    expect(page).to_have_title("Harbour office - Ken")


def test_offsets_survive_emoji(page: Page, served: Served) -> None:
    """Python counts code points, JavaScript UTF-16 units: a span behind an emoji is marked to the letter."""
    with served.client() as client:
        text = client.get("/api/documents/harbour/crane.md").json()["text"]
    wanted = "After a storm the crane is inspected before its next lift."
    start = text.index(wanted)
    page.goto(f"{served.url}/documents/harbour/crane.md?from={start}&to={start + len(wanted)}#p0")
    expect(page.locator("mark").first).to_be_visible()
    assert "".join(page.locator("mark").all_inner_texts()) == wanted


def test_a_document_is_set_as_its_author_meant(page: Page, served: Served) -> None:
    """Headings, lists, tables, emphasis and links between documents become elements of the page."""
    page.goto(f"{served.url}/documents/harbour/office.md")
    article = page.locator("article.document")
    expect(article.locator("h2").first).to_have_text("Berth fees")
    assert article.locator("table tr").count() == 3
    assert article.locator("ol > li").count() == 2
    article.get_by_role("link", name="the crane").click()
    page.wait_for_url("**/documents/harbour/crane.md")
    expect(page.locator("article strong")).to_have_text("12 tonnes")
    page.goto(f"{served.url}/documents/harbour/fuel.txt")
    expect(page.locator("article")).to_contain_text("Petrol is not sold.")


def test_a_document_cannot_run_scripts(page: Page, served: Served) -> None:
    """HTML, script addresses and images in a document stay text."""
    hostile = b"""# Hostile

<script>window.pwned = 1</script> <img src=x onerror="window.pwned = 2">

[click](javascript:window.pwned=3) ![pixel](https://elsewhere.example/pixel.png) [out](https://elsewhere.example/)

| a | b |
|---|---|
| <b onclick="window.pwned=4">x</b> | `<svg onload=alert(1)>` |
"""
    with served.client() as client:
        assert client.put("/api/documents/notes/hostile.md", content=hostile).status_code == 200
    page.goto(f"{served.url}/documents/notes/hostile.md")
    article = page.locator("article.document")
    expect(article).to_contain_text("<script>window.pwned = 1</script>")
    assert article.locator("script, img, b, svg").count() == 0
    assert article.locator("a").all_inner_texts() == ["out"]
    assert article.get_by_role("link", name="out").get_attribute("rel") == "noopener noreferrer"
    assert page.evaluate("window.pwned") is None


def test_beyond_my_ken_looks_different(page: Page, served: Served) -> None:
    """An abstention says so in words and form, and names what came nearest."""
    page.goto(served.url)
    ask(page, BEYOND)
    expect(page.locator(".beyond")).to_have_text("Beyond my ken")
    expect(page.locator(".cite")).to_have_count(0)
    expect(page.locator(".turn")).to_have_class(re.compile("abstained"))


def test_thumbs_and_a_reason_reach_the_trace(page: Page, served: Served) -> None:
    """A thumb is kept at once, its reason when it is sent."""
    page.goto(served.url)
    ask(page, "What does a new key cost?")
    answered(page)
    page.get_by_role("button", name="Not helpful").click()
    expect(page.get_by_role("button", name="Not helpful")).to_have_attribute("aria-pressed", "true")
    page.get_by_label("Thank you. What was wrong?").fill("The price has changed.")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".reason")).to_contain_text("Thank you, noted.")
    with served.client() as client:
        newest = client.get("/api/traces", params={"limit": 1}).json()["traces"][0]["id"]
        said = client.get(f"/api/traces/{newest}").json()["feedback"]
    assert [(each["helpful"], each["reason"]) for each in said] == [(False, "The price has changed.")]


def test_the_waterfall_shows_each_stage(page: Page, served: Served) -> None:
    """A bar for each span; a click unfolds its attributes."""
    page.goto(served.url)
    ask(page, QUESTION)
    answered(page)
    page.get_by_role("button", name="Where the time went").click()
    rows = page.locator(".waterfall > li")
    expect(rows.filter(has_text="retrieve")).to_have_count(1)
    assert rows.count() >= 8
    row = rows.filter(has_text="retrieve").get_by_role("button")
    row.click()
    expect(row).to_have_attribute("aria-expanded", "true")
    expect(rows.filter(has_text="retrieve").locator(".attributes")).to_contain_text("detail")
    assert row.locator(".bar").evaluate("e => e.getBoundingClientRect().width") > 0


def test_conversations_are_kept_opened_renamed_and_deleted(page: Page, served: Served) -> None:
    """A conversation outlives the tab's reload, and goes when it is deleted."""
    page.goto(served.url)
    ask(page, QUESTION)
    answered(page)
    ask(page, "And on Saturdays?")
    expect(page.locator(".turn")).to_have_count(2)
    answered(page)
    page.reload()
    entry = page.locator("#conversations li").first
    entry.locator(".name").click()
    expect(page.locator(".turn")).to_have_count(2)
    expect(page.locator(".turn").first.locator(".cite").first).to_be_visible()
    entry.hover()
    entry.get_by_role("button", name=re.compile("Rename")).click()
    entry.get_by_label("New title").fill("Berths")
    page.keyboard.press("Enter")
    expect(entry.locator(".name")).to_have_text("Berths")
    entry.hover()
    entry.get_by_role("button", name=re.compile("Delete")).click()
    entry.get_by_role("button", name="Delete").click()
    expect(page.locator("#conversations")).not_to_contain_text("Berths")
    expect(page.locator(".turn")).to_have_count(0)


def test_a_collection_narrows_the_question(page: Page, served: Served) -> None:
    """The choice of a collection goes with the question and filters the list of documents."""
    page.goto(served.url)
    page.get_by_label("Look in").select_option("harbour")
    with page.expect_request("**/api/ask") as sent:
        ask(page, QUESTION)
    assert sent.value.post_data_json["collections"] == ["harbour"]
    answered(page)
    assert page.locator("#documents li").count() == 4


def test_the_page_asks_for_a_key_where_one_is_needed(browser: Browser, served: Served) -> None:
    """Refused, the page shows a field; with the key it goes on, and forgets it with the tab."""
    context = browser.new_context(extra_http_headers={"x-forwarded-for": "192.0.2.7"})
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.goto(served.url)
    field = page.get_by_label("Key", exact=True)
    expect(field).to_be_visible()
    expect(page.locator("#key-reason")).to_contain_text("ken keys create")
    field.fill(served.clerk)
    page.keyboard.press("Enter")
    expect(page.locator("#documents li").first).to_be_visible()
    ask(page, QUESTION)
    answered(page)
    assert page.evaluate("sessionStorage.length") == 1
    assert page.evaluate("localStorage.length") == 0
    context.close()


def test_the_keyboard_is_enough(page: Page, served: Served) -> None:
    """From the question by Tab to the first citation, by Enter to its source, by Escape back."""
    page.goto(served.url)
    ask(page, QUESTION)
    answered(page)
    expect(page.get_by_label("Your question")).to_be_focused()
    page.locator(".cite").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#panel mark").first).to_be_visible()
    expect(page.locator("#panel-title")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".cite").first).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1280, 2560])
def test_it_fits_every_width_and_reads_well(browser: Browser, served: Served, width: int, scheme: str) -> None:
    """Nothing scrolls sideways, and text stands out from its ground by 4.5 to 1 or more (WCAG AA)."""
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)  # pyright: ignore[reportArgumentType]
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.goto(served.url)
    ask(page, QUESTION)
    answered(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator(".cite").first.click()
    expect(page.locator("#panel mark").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CONTRAST) == []
    context.close()


CONTRAST = """() => {
  const parse = (colour) => {
    const parts = colour.match(/[\\d.]+/g).map(Number);
    return { rgb: parts.slice(0, 3), alpha: parts[3] ?? 1 };
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map((v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const { rgb, alpha } = parse(getComputedStyle(each).backgroundColor);
      if (alpha > 0.9) return rgb;
    }
    return parse(getComputedStyle(document.body).backgroundColor).rgb;
  };
  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !element.checkVisibility({ visibilityProperty: true })) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color).rgb), light(ground(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) faint.push(`${ratio.toFixed(2)} ${element.className} ${walker.currentNode.textContent.slice(0, 30)}`);
  }
  return faint;
}"""


def test_the_reference_is_complete(page: Page, served: Served) -> None:
    """/docs shows every operation of /openapi.json, with its fields."""
    page.goto(f"{served.url}/docs")
    expect(page.locator(".operation").first).to_be_visible()
    with served.client() as client:
        paths = client.get("/openapi.json").json()["paths"]
    assert page.locator(".operation").count() == sum(len(methods) for methods in paths.values())
    expect(page.locator("#AskBody")).to_be_visible()


def test_nothing_labels_itself_twice(page: Page, context: BrowserContext, served: Served) -> None:
    """Every control has a name for screen readers, and no id stands twice."""
    _ = context
    page.goto(served.url)
    ask(page, QUESTION)
    answered(page)
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('button, input, select, textarea, a')].filter((each) =>
            !(each.textContent.trim() || each.getAttribute('aria-label') || each.labels?.length)).map((each) => each.outerHTML)"""
    )
    assert nameless == []
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((each) => each.id)")
    assert len(ids) == len(set(ids))
