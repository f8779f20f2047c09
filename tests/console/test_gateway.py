"""The gateway's page, against the fault-injecting provider: what operators see while a model fails, and what they can do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from ken.budget_settings import BudgetSettings, PriceSettings
from ken.cache_settings import AnswerCacheSettings
from ken.gateway_settings import BreakerSettings, GatewaySettings, TierSettings
from ken.mock.serving import Running, running_in_thread
from ken.settings import ModelSettings
from tests.console.conftest import watched
from tests.service.corpus import copy
from tests.service.serving import Served, serving

SECRET = "sk-never-on-a-page-5551"
OPENS = "When does the harbour office open on weekdays?"
BERTH = "What is a berth for a boat of up to 8 metres a night?"
FUEL = "What is sold at the fuel station?"
FAILS = 4


@pytest.fixture(scope="module")
def mock() -> Iterator[Running]:
    with running_in_thread() as started:
        yield started


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, built: Path, mock: Running) -> Iterator[Served]:
    """A tier whose first model fails four times and then works, a spare behind it, one without a price; budgets; a cache."""
    names = {
        "shaky": f"mock-500x{FAILS}-quote2-idpage",
        "spare": "mock-quote2-idpage",
        "odd": "mock-len5-idpage",
    }
    tables = tuple(
        ModelSettings.model_validate(
            {"name": name, "model": model, "base_url": mock.url, "api_key_env": "A_PROVIDERS_KEY"}
        )
        for name, model in names.items()
    )
    price = PriceSettings(input=1_000_000, output=4_000_000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("A_PROVIDERS_KEY", SECRET)
        with serving(
            copy(tmp_path_factory.mktemp("gateway") / "home"),
            console=built,
            models=tables,
            tiers={"tier-1": TierSettings(models=("shaky", "spare"))},
            prices={"shaky": price, "spare": price},
            budgets=(BudgetSettings(name="the whole house", money="20.00", hard=False),),
            gateway=GatewaySettings(
                backoff_s=0.0,
                breaker=BreakerSettings(min_calls=FAILS, cooldown_s=7, probe_fraction=1.0, successes=2),
            ),
            cache=True,
            answer_cache=AnswerCacheSettings(shadow_share=0.0),
        ) as ken:
            yield ken


def ask(served: Served, *questions: str) -> None:
    """Ask as the local operator does, each answered."""
    with served.client() as client:
        for question in questions:
            client.post("/api/ask?stream=false", json={"question": question}).raise_for_status()


def call(served: Served, model: str) -> httpx.Response:
    """Call the plain gateway."""
    with served.client() as client:
        said = [{"role": "user", "content": "Say something about harbours."}]
        return client.post("/v1/chat/completions", json={"model": model, "messages": said}).raise_for_status()


def card(page: Page, model: str) -> Locator:
    """All that the page tells of one model."""
    return page.get_by_role("article", name=model)


def test_a_breaker_opens_and_closes_before_ones_eyes(page: Page, served: Served) -> None:
    """Closed, open with what users get now, half-open, closed again: without the page being loaded anew."""
    page.goto(f"{served.url}/gateway")
    state = page.get_by_role("status", name="State of the models")
    expect(state).to_contain_text("Every breaker is closed")
    expect(card(page, "shaky")).to_contain_text("Closed")
    call(served, "tier-1")
    call(served, "tier-1")
    expect(state).to_contain_text("shaky is left alone. In tier-1, spare answers in its place.", timeout=7_000)
    expect(card(page, "shaky")).to_contain_text("Open")
    expect(card(page, "shaky")).to_contain_text(f"{FAILS} of {FAILS} calls failed in 60 s")
    expect(card(page, "shaky")).to_contain_text("answered with an error")
    chain = page.get_by_role("list", name="Who answers for tier-1, in this order")
    expect(chain.get_by_role("link", name=re.compile("spare"))).to_contain_text("answers now")
    expect(state).to_contain_text("shaky is being tried again.", timeout=15_000)
    expect(card(page, "shaky")).to_contain_text("2 good calls in a row close it")
    call(served, "tier-1")
    call(served, "tier-1")
    expect(state).to_contain_text("Every breaker is closed", timeout=7_000)
    expect(card(page, "shaky")).to_contain_text("2 probes in a row were good")
    card(page, "shaky").get_by_role("link", name="trace").first.click()
    expect(page).to_have_url(re.compile("/traces/"))


def test_how_a_model_is_set_up_is_shown_without_its_key(page: Page, served: Served, mock: Running) -> None:
    """Host, the variable of the key and the price, one that is unknown said to be; the key itself is nowhere."""
    page.goto(f"{served.url}/gateway")
    for model in ("spare", "odd"):
        card(page, model).get_by_text("How it is set up").click()
    host = mock.url.removeprefix("http://").removesuffix("/v1")
    expect(card(page, "spare")).to_contain_text(host)
    expect(card(page, "spare")).to_contain_text("set, from A_PROVIDERS_KEY")
    expect(card(page, "spare")).to_contain_text("from ken.toml")
    expect(card(page, "odd")).to_contain_text("unknown: name it below [prices]")
    assert SECRET not in page.content()
    page.get_by_role("tab", name="Prices").click()
    expect(page.get_by_role("note")).to_contain_text("Price unknown: odd")
    page.get_by_label("Look for a model").fill("spare")
    expect(page.get_by_role("region", name="Prices").get_by_role("row")).to_have_count(2)


def test_a_cached_answer_is_found_opened_and_dropped(page: Page, served: Served) -> None:
    """By its words; it shows its text, why it holds and its documents; it goes only after a question, and then for everybody."""
    ask(served, OPENS, OPENS, BERTH)
    page.goto(f"{served.url}/gateway?tab=cache")
    answers = page.get_by_role("region", name="Cached answers")
    expect(answers.get_by_role("button", name=OPENS, exact=True)).to_be_visible()
    page.get_by_label("Words of the question").fill("berth")
    expect(answers.get_by_role("button", name=OPENS, exact=True)).to_have_count(0)
    expect(page).to_have_url(re.compile("q=berth"))
    answers.get_by_role("button", name=BERTH, exact=True).click()
    opened = page.get_by_role("dialog", name="A cached answer")
    expect(opened.get_by_role("blockquote")).not_to_be_empty()
    expect(opened).to_contain_text("served in the very version that it was made from")
    expect(opened.get_by_role("link").first).to_have_attribute("href", re.compile("/documents/"))
    opened.get_by_role("button", name="Drop it").click()
    asked = page.get_by_role("dialog", name="Drop this answer?")
    asked.get_by_role("button", name="Cancel").click()
    expect(opened).to_be_visible()
    opened.get_by_role("button", name="Drop it").click()
    asked.get_by_role("button", name="Drop", exact=True).click()
    expect(page.get_by_text("1 answer dropped")).to_be_visible()
    expect(page.get_by_text("No answer held is like this")).to_be_visible()
    page.get_by_label("Words of the question").fill("")
    page.get_by_label("Category", exact=True).select_option("general")
    page.get_by_role("button", name="Drop all of general").click()
    page.get_by_role("dialog").get_by_role("button", name="Drop", exact=True).click()
    expect(page.get_by_role("region", name="Cached answers")).to_have_count(0)
    with served.client() as client:
        assert client.get("/api/gateway/cache/entries").json() == []


def test_budgets_costs_and_routes_tell_what_was_spent(page: Page, served: Served) -> None:
    """A budget with its pace and what its limit does; costs where unknown is no zero; what would happen to a question, and its price."""
    ask(served, BERTH)
    call(served, "odd")
    page.goto(f"{served.url}/gateway?tab=budgets")
    budget = page.get_by_role("article", name=re.compile("the whole house"))
    expect(budget.get_by_role("meter")).to_have_attribute("aria-valuetext", re.compile("20.00; an even pace would be"))
    expect(budget).to_contain_text("nothing is refused")
    expect(budget).to_contain_text("Begins anew")
    expect(budget).to_contain_text(re.compile(r"calls? of \d+ had no known price"))
    page.get_by_role("tab", name="Costs").click()
    costs = page.get_by_role("region", name="Costs by model")
    expect(costs.get_by_role("row", name=re.compile("odd"))).to_contain_text("unknown")
    page.get_by_label("By", exact=True).select_option("stage")
    expect(page.get_by_role("region", name="Costs by stage")).to_contain_text("door")
    page.get_by_role("tab", name="Routes").click()
    question = page.get_by_label("Question", exact=True)
    question.fill(BERTH)
    page.keyboard.press("Enter")
    expect(page.get_by_text("The answer cache has it")).to_be_visible()
    question.fill(FUEL)
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile(r"tier-1: .+ answers, from \d+ passages?, for "))).to_be_visible()
    expect(page.get_by_text(re.compile("How the window of .+ tokens is split"))).to_be_visible()
    expect(page.get_by_role("region", name="Who would be asked, in this order")).to_contain_text("spare")
    expect(page).to_have_url(re.compile("question=What"))


def test_the_tabs_work_by_the_keyboard_and_nothing_is_wider_than_a_phone(page: Page, served: Served) -> None:
    """Arrows and Enter change tabs, Back leads back; at 360 pixels no tab has to be scrolled sideways, with data in it."""
    ask(served, OPENS)
    page.set_viewport_size({"width": 360, "height": 780})
    page.goto(f"{served.url}/gateway")
    expect(card(page, "spare")).to_be_visible()
    page.get_by_role("tab", name="Overview").focus()
    for tab in ("Budgets", "Answer cache", "Routes", "Costs", "Prices"):
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        expect(page.get_by_role("tab", name=tab)).to_have_attribute("aria-selected", "true")
        expect(page.get_by_role("tabpanel").locator("[aria-busy=true]")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), tab
    page.go_back()
    expect(page.get_by_role("tab", name="Costs")).to_have_attribute("aria-selected", "true")


@pytest.mark.parametrize("place", ["gateway", "alerts", "settings", "views"])
def test_others_than_operators_are_told_whose_page_it_is(context: BrowserContext, served: Served, place: str) -> None:
    """A clerk who has the address reads, by their name, that it takes an operator's key, and nothing of what it shows."""
    wrong: list[str] = []
    context.add_init_script(f"sessionStorage.setItem('ken-key', {served.clerk!r})")
    page = watched(context, served.url, wrong)
    page.goto(f"{served.url}/{place}")
    expect(page.get_by_role("alert")).to_contain_text("This page is for operators")
    expect(page.get_by_role("alert")).to_contain_text("clerk may not see it")
    expect(page.get_by_role("button", name="Try again")).to_have_count(0)
    expect(page.get_by_role("tab")).to_have_count(0)
    assert wrong == []


def test_a_ken_without_models_says_what_that_means_and_how_to_add_one(
    context: BrowserContext, tmp_path: Path, built: Path
) -> None:
    """The reader alone: no breakers, the lines that add a model, and where to read on."""
    wrong: list[str] = []
    with serving(copy(tmp_path / "home"), console=built, models=()) as ken:
        page = watched(context, ken.url, wrong)
        page.goto(f"{ken.url}/gateway")
        expect(page.get_by_role("main")).to_contain_text("No model is configured, and none is needed")
        expect(page.get_by_role("main")).to_contain_text("docs/guides/first-model.md")
        page.get_by_role("button", name="Copy lines").click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        assert "[[models]]" in page.evaluate("navigator.clipboard.readText()")
        page.goto("about:blank")
    assert wrong == []
