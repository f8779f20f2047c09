"""The API's reference in a browser: found, linked to, opened down to its schemas, tried."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.service.serving import Served


def test_an_operation_is_found_opened_and_tried(page: Page, served: Served) -> None:
    """By a word of its purpose; its parameters and answer are told, and a GET answers on the page with what was filled in."""
    page.goto(served.url + "/docs")
    expect(page.get_by_role("heading", name="Documents")).to_be_visible()
    page.get_by_label("Find an operation").fill("list traces")
    expect(page.get_by_role("status").filter(has_text="operation")).to_have_text(re.compile("^[1-4] operations?$"))
    page.get_by_text("List traces, newest first").click()
    asking = page.get_by_role("form", name="Try /api/traces")
    asking.get_by_label("limit").fill("0")
    asking.get_by_role("button", name="Send").click()
    expect(asking.get_by_role("status")).to_contain_text("400 in")
    asking.get_by_label("limit").fill("1")
    expect(asking).to_contain_text("GET /api/traces?limit=1")
    asking.get_by_role("button", name="Send").click()
    expect(asking.get_by_role("status")).to_contain_text("200 in")
    expect(asking.get_by_role("region", name="The answer")).to_contain_text('"traces": [')


def test_a_link_to_an_operation_opens_it_and_schemas_open_within(page: Page, served: Served) -> None:
    """The address names it; its answer's schema opens in place, and a schema within that one."""
    page.goto(served.url + "/docs#alerts_api_alerts_get")
    operation = page.get_by_role("group").filter(has_text="Which alerts are there?")
    expect(operation.get_by_role("form", name="Try /api/alerts")).to_be_visible()
    operation.get_by_text("AlertsShape", exact=True).click()
    operation.get_by_text("list of AlertShape", exact=True).click()
    expect(operation.get_by_role("region", name="Fields of AlertShape")).to_contain_text(
        "the filter that finds the traces behind it"
    )


def test_what_nothing_speaks_of_is_said(page: Page, served: Served) -> None:
    """A search without a result says so."""
    page.goto(served.url + "/docs")
    page.get_by_label("Find an operation").fill("weather forecast")
    expect(page.get_by_text("Nothing speaks of “weather forecast”")).to_be_visible()


def test_every_operation_of_the_api_is_there(page: Page, served: Served) -> None:
    """As many as the description has."""
    page.goto(served.url + "/docs")
    with served.client() as client:
        paths = client.get("/openapi.json").json()["paths"]
    count = sum(len(methods) for methods in paths.values())
    expect(page.get_by_role("status").filter(has_text="operation")).to_have_text(f"{count} operations")
