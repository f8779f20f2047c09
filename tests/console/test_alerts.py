"""Alerts in a browser: what fires with what is behind it, silences, a rule written and tried on the record, the digest."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from ken.alert_settings import AlertSettings
from tests.console.conftest import watched
from tests.service.corpus import copy
from tests.service.serving import Served, serving
from tests.telemetry.folding import a_recorded

MINUTE_S = 60.0
WORKED_OUT_MS = 20_000
"""What is worked out over the whole record takes its time on a busy machine."""
SLOW_MS = 20_000.0
FILE = """
[[rules]]
name = "e2e_p95"
limit = 6000
for = "0s"
at_least = 3
window = "30m"
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, built: Path) -> Iterator[Served]:
    """Three hours of questions on record, the last forty minutes of them slow; a file that has a rule fire on that at once."""
    home = copy(tmp_path_factory.mktemp("alerts") / "home")
    (home / "alerts.toml").write_text(FILE, "utf-8")
    table = AlertSettings.model_validate({"every_s": 3600, "base_url": "http://ken.example.com"})
    now = time.time() // MINUTE_S * MINUTE_S
    with serving(home, alerts=table, console=built) as ken:
        counted = ken.ken.recording.aggregator
        for number in range(1, 361):
            at = now - 180 * MINUTE_S + number * 30
            is_slow = at >= now - 40 * MINUTE_S
            counted.fold(a_recorded(number, at=at, task_type="lookup", ms=SLOW_MS if is_slow else 900.0))
        ken.ken.recording.rollups.add(counted.take())
        with ken.client(ken.operator) as client:
            client.post("/api/alerts").raise_for_status()
        yield ken


def alert(page: Page) -> Locator:
    return page.get_by_role("article", name="e2e_p95 task type lookup")


def tab(page: Page, name: str | re.Pattern[str]) -> Locator:
    return page.get_by_role("tab", name=name)


def test_what_fires_is_told_with_its_value_its_limit_and_the_traces_behind_it(page: Page, served: Served) -> None:
    """Rule, label, state and severity in words, value against limit, a chart, the guide; one click to the traces, found by its filter."""
    page.goto(served.url + "/alerts")
    expect(page.get_by_role("status").filter(has_text="firing")).to_have_text(
        re.compile("^[0-9]+ .*alerts? (is|are) firing")
    )
    fires = alert(page)
    expect(fires).to_contain_text("Firing")
    expect(fires).to_contain_text("Hard")
    expect(fires).to_contain_text("limit 6.00 s")
    expect(fires.get_by_text(re.compile(r"^(19|20|21)\.\d s$"))).to_be_visible()
    expect(fires.get_by_role("figure", name="e2e_p95, value and limit")).to_be_visible()
    fires.get_by_text("What to do").click()
    expect(fires).to_contain_text("Look at the stages first")
    fires.get_by_role("link", name="Traces behind it").click()
    expect(page).to_have_url(re.compile(r"/traces\?where="))
    assert "ms > 6000" in page.evaluate("decodeURIComponent(location.search).replaceAll('+', ' ')")


def test_the_link_of_a_message_leads_to_its_alert(page: Page, served: Served) -> None:
    """The alert that the address names has the focus."""
    with served.client(served.operator) as client:
        fingerprint = next(
            each["fingerprint"] for each in client.get("/api/alerts").json()["alerts"] if each["rule"] == "e2e_p95"
        )
    page.goto(f"{served.url}/alerts?alert={fingerprint}")
    expect(alert(page)).to_be_focused()
    page.goto(f"{served.url}/alerts?alert={'0' * 31}f")
    expect(page.get_by_role("alert")).to_contain_text("There is no alert")


def test_an_alert_is_silenced_with_a_reason_and_the_silence_ended(page: Page, served: Served) -> None:
    """It goes from what fires to what is silent, and back; who asked for it and why is told."""
    page.goto(served.url + "/alerts")
    alert(page).get_by_role("button", name="Silence").click()
    form = page.get_by_role("dialog", name="Silence e2e_p95")
    form.get_by_label("For").select_option("1 h")
    form.get_by_label("Reason").fill("the harbour's line is being mended")
    form.get_by_role("button", name="Silence").click()
    page.get_by_text(re.compile(r"^Silenced \(1\)$")).click()
    expect(alert(page)).to_contain_text("Silenced")
    tab(page, "Silences (1)").click()
    row = page.get_by_role("row", name=re.compile("e2e_p95"))
    expect(row).to_contain_text("the harbour's line is being mended")
    expect(row).to_contain_text("task type lookup")
    row.get_by_role("button", name="End the silence of e2e_p95").click()
    expect(page.get_by_text("Nothing is silent")).to_be_visible()
    with served.client(served.operator) as client:
        client.post("/api/alerts").raise_for_status()
    tab(page, re.compile("^Now")).click()
    expect(alert(page)).to_contain_text("Firing")


def test_what_fired_is_found_by_rule_and_severity(page: Page, served: Served) -> None:
    """On a line of time and in a table; a filter that nothing fits says so, and stands in the address."""
    page.goto(served.url + "/alerts?tab=past")
    expect(page.get_by_role("list", name="When alerts fired").get_by_role("link", name="e2e_p95")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("e2e_p95.*Hard.*so far"))).to_be_visible()
    page.get_by_label("Rule", exact=True).select_option("refusal_rate")
    expect(page.get_by_text("Nothing fired in this time")).to_be_visible()
    expect(page).to_have_url(re.compile("rule=refusal_rate"))


def test_a_rule_is_written_checked_and_tried_before_it_is_kept(page: Page, served: Served) -> None:
    """What can't be read is told at its place; what can has a back-test that follows; saved, it is in the list, and goes again."""
    page.goto(served.url + "/alerts?tab=rules")
    page.get_by_role("button", name="New rule").click()
    page.get_by_label("Name").fill("slow_lookups")
    condition = page.get_by_label("Condition")
    condition.press_sequentially("ms.p9")
    page.get_by_role("list", name="Figures that begin like this").get_by_role("button", name="ms.p95").first.click()
    expect(condition).to_have_value("ms.p95")
    condition.press_sequentially(" >> 5000")
    expect(condition).to_have_accessible_description(re.compile("At character 9: "))
    expect(page.get_by_role("button", name="Save")).to_be_disabled()
    condition.fill("ms.p95 > limit")
    expect(page.get_by_text(re.compile("speaks of a `limit` that is nowhere"))).to_be_visible()
    page.get_by_label("Limit", exact=True).fill("5000")
    page.get_by_label("Least observations").fill("3")
    verdict = page.get_by_role("status").filter(has_text="Would")
    expect(verdict).to_have_text(
        re.compile(r"Would have fired once, [0-9]+ min in all, and sent 1 message\."), timeout=WORKED_OUT_MS
    )
    expect(page.get_by_role("figure", name="Value and limit")).to_be_visible()
    page.get_by_label("Limit", exact=True).fill("50000")
    expect(verdict).to_have_text("Would not have fired.", timeout=WORKED_OUT_MS)
    page.get_by_role("button", name="Save").click()
    found = page.get_by_role("link", name="slow_lookups")
    expect(found).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("slow_lookups"))).to_contain_text("ms.p95 > 50000 over 15m")
    found.click()
    expect(page.get_by_label("Limit", exact=True)).to_have_value("50000")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("link", name="retry_rate", exact=True)).to_be_visible()
    expect(found).to_have_count(0)


def test_a_rule_of_a_file_says_so_and_what_is_changed_here_is_reset(page: Page, served: Served) -> None:
    """The file and its fields are named; a change counts before them; reset, the file's number is back, and switching off is one key."""
    page.goto(served.url + "/alerts?tab=rules&rule=e2e_p95")
    expect(page.get_by_text(re.compile(r"alerts\.toml: limit, for, at_least, window"))).to_be_visible()
    limit = page.get_by_label("Limit", exact=True)
    expect(limit).to_have_value("6000")
    limit.fill("7000")
    page.get_by_role("button", name="Save").click()
    row = page.get_by_role("row", name=re.compile("e2e_p95"))
    expect(row).to_contain_text("changed here")
    expect(row).to_contain_text("ms.p95 > 7000")
    row.get_by_role("link", name="e2e_p95").click()
    page.get_by_role("button", name="Reset").click()
    page.get_by_role("dialog").get_by_role("button", name="Reset").click()
    expect(row).to_contain_text("ms.p95 > 6000")
    expect(row).not_to_contain_text("changed here")
    switch = page.get_by_role("switch", name="retry_rate is on")
    switch.focus()
    page.keyboard.press("Space")
    expect(switch).not_to_be_checked()
    expect(page.get_by_role("row", name=re.compile("^retry_rate is on"))).to_contain_text("changed here")
    expect(switch).to_be_focused()
    page.keyboard.press("Space")
    expect(switch).to_be_checked()
    expect(page.get_by_role("row", name=re.compile("^retry_rate is on"))).not_to_contain_text("changed here")


def test_the_digest_is_shown_as_it_is_sent(page: Page, served: Served) -> None:
    """Today's, as a page with its figures and as text; nothing of it is run or loaded."""
    day = time.strftime("%Y-%m-%d", time.gmtime())
    page.goto(f"{served.url}/alerts?tab=digest&day={day}")
    sheet = page.get_by_role("region", name="The digest")
    expect(sheet.get_by_role("heading", name=f"Ken on {day}")).to_be_visible(timeout=WORKED_OUT_MS)
    expect(sheet.get_by_role("row", name=re.compile("to an answer, p95"))).to_be_visible()
    tab(page, "As text").click()
    expect(page.get_by_role("region", name="The digest as text")).to_contain_text(
        f"# Ken on {day}", timeout=WORKED_OUT_MS
    )


def test_on_a_narrow_screen_in_the_dark_nothing_is_wider_than_the_page(context: BrowserContext, served: Served) -> None:
    """360 pixels wide: what fires, the editor and the past fit."""
    wrong: list[str] = []
    page = watched(context, served.url, wrong)
    page.set_viewport_size({"width": 360, "height": 740})
    page.emulate_media(color_scheme="dark")
    for path, seen in (
        ("/alerts", alert(page)),
        ("/alerts?tab=rules&rule=e2e_p95", page.get_by_label("Condition")),
        ("/alerts?tab=past", page.get_by_role("table")),
    ):
        page.goto(served.url + path)
        expect(seen).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
    assert wrong == []


def test_others_than_operators_read_why_they_see_nothing(context: BrowserContext, served: Served) -> None:
    """A clerk who has the address is told that it takes an operator's key."""
    wrong: list[str] = []
    page = watched(context, served.url, wrong)
    context.add_init_script(f"sessionStorage.setItem('ken-key', {served.clerk!r})")
    page.goto(served.url + "/alerts")
    expect(page.get_by_role("alert")).to_contain_text("it takes a key with the group operators")
    assert wrong == []
