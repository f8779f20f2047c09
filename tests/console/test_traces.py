"""Traces: found by a filter, read step by step, and their questions asked again."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import httpx
import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from ken.storage.schema import traces
from tests.service.corpus import QUESTION
from tests.service.serving import Served

MANY = 10_000


@pytest.fixture
def client(served: Served) -> Iterator[httpx.Client]:
    with served.client() as opened:
        yield opened


def ask(client: httpx.Client, question: str = QUESTION, **more: object) -> str:
    """Ask a question; its trace, once it is on record."""
    answer = client.post("/api/ask?stream=false", json={"question": question, **more}).raise_for_status().json()
    client.get(f"/api/traces/{answer['trace_id']}").raise_for_status()
    return answer["trace_id"]


def test_a_question_is_found_by_a_filter_and_followed_step_by_step(
    page: Page, served: Served, client: httpx.Client
) -> None:
    """Names and values are proposed as one types; keys alone lead to the trace, through its steps, and an address to one of them."""
    ask(client, model="steady")
    page.goto(f"{served.url}/traces")
    box = page.get_by_role("combobox", name="Filter traces")
    box.press_sequentially("mod")
    expect(page.get_by_role("option", name="model")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(box).to_have_value("model ")
    box.press_sequentially("= ste")
    expect(page.get_by_role("option", name="steady")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"where=model"))
    rows = page.get_by_role("table", name="Traces").get_by_role("row")
    expect(rows).to_have_count(2)
    rows.nth(1).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(QUESTION)
    spans = page.get_by_role("treegrid", name="Spans")
    expect(spans.get_by_role("row", selected=True)).to_contain_text("question")
    spans.focus()
    for _ in range(5):
        page.keyboard.press("ArrowDown")
    panel = page.get_by_role("complementary", name="Span retrieve")
    expect(panel).to_contain_text("office.md")
    page.reload()
    expect(panel).to_contain_text("What came out")
    expect(spans.get_by_role("row", selected=True)).to_contain_text("retrieve")
    spans.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowLeft")
    expect(spans.get_by_role("row")).to_have_count(1)


def test_a_filter_that_can_t_be_read_says_where(page: Page, served: Served, client: httpx.Client) -> None:
    """The place is marked, also beside a chip, with the name that was meant; clearing it shows everything again."""
    ask(client)
    page.goto(f"{served.url}/traces?where=retreive.ms+%3E+5&outcome=answered")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("at character 1 ('retreive.ms')")
    expect(alert).to_contain_text("Did you mean 'retrieve.ms'?")
    expect(alert.locator("mark")).to_have_text("retreive.ms")
    page.get_by_role("button", name="Clear the filter").click()
    expect(page.get_by_role("button", name="Answered", exact=True)).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("table", name="Traces").get_by_role("row").nth(1)).to_contain_text("Answered")


def test_the_list_holds_still_until_what_is_new_is_asked_for(page: Page, served: Served, client: httpx.Client) -> None:
    """What comes in meanwhile is counted, and moves nothing that is read."""
    ask(client)
    page.goto(f"{served.url}/traces")
    first = page.get_by_role("table", name="Traces").get_by_role("row").nth(1)
    expect(first).to_contain_text(QUESTION)
    ask(client, "When is the crane inspected?")
    fresh = page.get_by_role("button", name="1 new")
    expect(fresh).to_be_visible()
    expect(first).to_contain_text(QUESTION)
    fresh.click()
    expect(first).to_contain_text("When is the crane inspected?")
    expect(fresh).to_have_count(0)


def test_a_trace_shows_what_the_model_was_given_and_what_it_made_of_it(
    page: Page, served: Served, client: httpx.Client
) -> None:
    """The answer with its citations and their support, the passages and their fate, the prompt with its plan, what was said of it."""
    trace = ask(client)
    client.post("/api/feedback", json={"trace_id": trace, "helpful": False, "reason": "too short"}).raise_for_status()
    page.goto(f"{served.url}/traces/{trace}?tab=answer")
    expect(page.get_by_role("region", name="Citations")).to_contain_text("Support")
    expect(page.get_by_role("region", name="Answer")).to_contain_text("07:30")
    page.get_by_role("tab", name="Passages").click()
    expect(page.get_by_role("table").get_by_role("row").filter(has_text="office.md#p0")).to_contain_text("Cited")
    page.get_by_role("tab", name="Prompt").click()
    expect(page.get_by_role("img", name="The window by parts")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("^Passages"))).to_contain_text("%")
    expect(page.get_by_text("It stays closed on Sundays.")).to_be_visible()
    page.get_by_role("tab", name="Checks and feedback").click()
    expect(page.get_by_text("“too short”")).to_be_visible()
    page.get_by_role("tab", name="JSON").click()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download").click()
    assert saved.value.suggested_filename == f"trace-{trace}.json"


def test_a_question_is_asked_again_beside_its_first_answer(page: Page, served: Served, client: httpx.Client) -> None:
    """With another model, in one click; both stand side by side under an address, and neither counts as a question of people's."""
    trace = ask(client)
    page.goto(f"{served.url}/traces/{trace}?tab=again")
    page.get_by_label("Model").select_option("steady")
    page.get_by_role("button", name="Ask again").click()
    expect(page.get_by_role("heading", name="Side by side")).to_be_visible()
    expect(page).to_have_url(re.compile("with=[0-9a-f]{32}"))
    figures = page.get_by_role("table")
    expect(figures.get_by_role("row").filter(has_text="Model")).to_contain_text("extractive")
    expect(figures.get_by_role("row").filter(has_text="Model")).to_contain_text("steady")
    page.reload()
    expect(page.get_by_role("region", name="First answer")).to_contain_text("07:30")
    page.get_by_role("link", name="Open the other trace").click()
    expect(page.get_by_text("Tests and re-runs")).to_be_visible()
    page.get_by_role("link", name="the first trace, side by side").click()
    expect(page.get_by_role("region", name="Asked again")).to_be_visible()


def test_five_hundred_spans_of_another_service_are_drawn_as_they_are_scrolled(
    page: Page, served: Served, client: httpx.Client
) -> None:
    """A link to one far down shows it; drawn are those in sight alone; a drag looks closer, and what failed is said."""
    trace, ids = "c" * 32, [f"{number:016x}" for number in range(1, 501)]
    now = time.time_ns()
    spans = [
        {
            "traceId": trace,
            "spanId": one,
            "name": f"step {number}",
            "startTimeUnixNano": str(now + number * 1_000_000),
            "endTimeUnixNano": str(now + (700 if number == 0 else number + 5) * 1_000_000),
            "status": {"code": 2 if number == 400 else 0},
            **({} if number == 0 else {"parentSpanId": ids[(number - 1) // 3]}),
        }
        for number, one in enumerate(ids)
    ]
    client.post("/v1/traces", json={"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).raise_for_status()
    client.get(f"/api/traces/{trace}").raise_for_status()
    page.goto(f"{served.url}/traces/{trace}?span={ids[400]}")
    grid = page.get_by_role("treegrid", name="Spans")
    chosen = grid.get_by_role("row", selected=True)
    expect(chosen).to_be_in_viewport()
    expect(chosen).to_contain_text("step 400")
    expect(chosen).to_contain_text("error")
    assert grid.get_by_role("row").count() < 80
    lane = chosen.locator("[data-time]").bounding_box()
    assert lane is not None
    page.mouse.move(lane["x"] + 10, lane["y"] + 5)
    page.mouse.down()
    page.mouse.move(lane["x"] + lane["width"] / 2, lane["y"] + 5)
    page.mouse.up()
    expect(page.get_by_text("is shown")).to_be_visible()
    page.get_by_role("button", name="Show all of it").click()
    expect(page.get_by_text("500 spans in 700 ms")).to_be_visible()
    expect(page.get_by_role("tab", name="Answer")).to_have_count(0)


def test_ten_thousand_traces_scroll_without_a_dropped_second(page: Page, served: Served, client: httpx.Client) -> None:
    """Page by page to the last one, drawn as they come in sight; a thinned trace says so."""
    one = ask(client)
    copied(served, one)
    page.goto(f"{served.url}/traces")
    table = page.get_by_role("table", name="Traces")
    expect(table.get_by_role("row").nth(1)).to_be_visible()
    page.evaluate(
        """() => {
          window.slowest = 0;
          let last = performance.now();
          const tick = (now) => { window.slowest = Math.max(window.slowest, now - last); last = now; requestAnimationFrame(tick); };
          requestAnimationFrame(tick);
        }"""
    )
    table.get_by_role("row").nth(1).focus()
    while int(read := table.get_attribute("aria-rowcount") or "0") <= MANY + 1:  # with its head
        page.keyboard.press("End")
        expect(table).not_to_have_attribute("aria-rowcount", read)
    expect(page.get_by_text(re.compile(r"^10,\d{3} traces$"))).to_be_visible()
    page.keyboard.press("End")
    expect(table).to_contain_text("These are all.")
    assert table.get_by_role("row").count() < 80
    assert page.evaluate("window.slowest") < 1_000
    last = table.get_by_role("row").last
    last.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("note")).to_contain_text("This trace has been thinned")


@pytest.mark.parametrize(
    "path", ["/traces", "/traces/{trace}", "/traces/{trace}?tab=prompt", "/traces/{trace}?tab=again"]
)
def test_nothing_is_wider_than_a_phone(page: Page, served: Served, client: httpx.Client, path: str) -> None:
    """At 360 px the page itself doesn't scroll sideways."""
    trace = ask(client)
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(served.url + path.format(trace=trace))
    expect(page.get_by_role("tabpanel").or_(page.get_by_role("table", name="Traces"))).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def copied(served: Served, trace_id: str) -> None:
    """Ten thousand thinned traces like one, a second apart."""
    numbers = sa.select(sa.literal(1).label("n")).cte("numbers", recursive=True)
    numbers = numbers.union_all(sa.select(numbers.c.n + 1).where(numbers.c.n < MANY))
    told = {
        "id": sa.func.printf("%032d", numbers.c.n),
        "started_at": traces.c.started_at - numbers.c.n,
        "capture": sa.literal("metrics"),
    }
    columns = [told.get(each.name, each) for each in traces.c]
    query = sa.select(*columns).select_from(traces.join(numbers, sa.true())).where(traces.c.id == trace_id)
    with served.ken.store.database.write() as connection:
        connection.execute(sa.insert(traces).from_select([each.name for each in traces.c], query))
