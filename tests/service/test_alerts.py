"""Alerts at the API: a breaker that opens is told at once, rules and silences come and go, operators alone may look."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from ken.alert_settings import AlertSettings
from ken.gateway.vitals import BreakerChanged
from tests.operations.receivers import WebServer, web_server
from tests.service.corpus import copy
from tests.service.serving import Served, serving


@contextmanager
def receiving() -> Iterator[WebServer]:
    """A webhook's receiver in a thread of its own."""
    ready, ending = threading.Event(), asyncio.Event()
    found: list[WebServer] = []
    loops: list[asyncio.AbstractEventLoop] = []

    async def main() -> None:
        async with web_server() as there:
            found.append(there)
            loops.append(asyncio.get_running_loop())
            ready.set()
            await ending.wait()

    thread = threading.Thread(target=asyncio.run, args=(main(),))
    thread.start()
    ready.wait(10)
    try:
        yield found[0]
    finally:
        loops[0].call_soon_threadsafe(ending.set)
        thread.join()


@pytest.fixture(scope="module")
def there() -> Iterator[WebServer]:
    with receiving() as found:
        yield found


@pytest.fixture(scope="module")
def alarmed(tmp_path_factory: pytest.TempPathFactory, there: WebServer) -> Iterator[Served]:
    destination = {"name": "there", "kind": "webhook", "url": there.url}
    table = AlertSettings.model_validate(
        {"base_url": "http://ken.example.com/", "group_s": 0, "destinations": [destination], "every_s": 3600}
    )
    with serving(copy(tmp_path_factory.mktemp("alarmed") / "home"), alerts=table) as served:
        yield served


def until(is_so: object, what: str) -> None:
    """Wait for it, on a slow machine, too."""
    for _ in range(1000):
        if is_so():  # type: ignore[operator]
            return
        time.sleep(0.02)
    pytest.fail(what)


def on(client: httpx.Client) -> list[tuple[str, str]]:
    return [(alert["rule"], alert["state"]) for alert in client.get("/api/alerts").json()["alerts"]]


def test_a_breaker_that_opens_is_told_at_once_and_its_end_too(alarmed: Served, there: WebServer) -> None:
    """Nobody waits for the next look: the webhook has it, with a link that leads to the alert, which is on record."""
    vitals = alarmed.ken.providers.stacks.vitals
    opened = BreakerChanged(
        at=time.time(), dependency="model a", old="closed", new="open", reason="3 of 5 calls timed out"
    )
    vitals.changed(opened)
    until(lambda: there.got, "no message came")
    [alert] = there.got[0].json["alerts"]  # type: ignore[misc]
    assert (alert["rule"], alert["labels"], alert["state"]) == ("breaker_open", {"of": "model a"}, "firing")
    assert "3 of 5 calls timed out" in alert["summary"]
    with alarmed.client(alarmed.operator) as client:
        assert ("breaker_open", "firing") in on(client)
        page, equals, told = alert["links"]["view"].removeprefix("http://ken.example.com").partition("=")
        assert (page, equals) == ("/alerts?alert", "=")
        assert client.get(f"/api/alerts/{told}").json()["summary"] == alert["summary"]
        assert client.get("/api/alerts/unknown").status_code == 404
        past = client.get("/api/alerts/history", params={"rule": "breaker_open"}).json()
        assert [(each["old"], each["new"]) for each in past] == [(None, "firing")]


def test_rules_are_added_changed_and_forgotten(alarmed: Served) -> None:
    """What the API says of a rule counts from the next look on; what can't be used is refused, by name, and changes nothing."""
    with alarmed.client(alarmed.operator) as client:

        def rules() -> dict[str, dict[str, object]]:
            return {rule["name"]: rule for rule in client.get("/api/alerts/rules").json()}

        before = rules()
        assert client.post("/api/alerts/rules", json={"name": "ttft_p95", "limit": 1234}).status_code == 200
        added = client.post("/api/alerts/rules", json={"name": "mine", "when": "error_rate > 0.5", "for": "5m"})
        assert (added.json()["looks_for"], added.json()["for_s"]) == ("error_rate > 0.5 over 15m", 300)
        assert "1234" in str(rules()["ttft_p95"]["looks_for"])
        for bad in ({"name": "mine", "when": "eror_rate > 1"}, {"name": "mine", "colour": "red"}, {"when": "1 > 2"}):
            refused = client.post("/api/alerts/rules", json=bad)
            assert refused.status_code == 400
        assert rules()["mine"] == added.json()
        for name in ("mine", "ttft_p95"):
            assert client.delete(f"/api/alerts/rules/{name}").status_code == 204
        assert rules() == before
        assert client.delete("/api/alerts/rules/ttft_p95").status_code == 404
        assert client.post("/api/alerts").status_code == 200


def test_a_silence_is_kept_and_ended(alarmed: Served, there: WebServer) -> None:
    """What it covers is on record and sent to nobody; when it ends, who is to be told is told."""
    with alarmed.client(alarmed.operator) as client:
        body = {"rule": "breaker_open", "labels": {"of": "model b"}, "seconds": 600, "reason": "we know"}
        made = client.post("/api/alerts/silences", json=body).json()
        assert client.get("/api/alerts/silences").json() == [made]
        messages = len(there.got)
        alarmed.ken.providers.stacks.vitals.changed(
            BreakerChanged(at=time.time(), dependency="model b", old="closed", new="open", reason="down")
        )
        until(lambda: ("breaker_open", "silenced") in on(client), "it was not silenced")
        assert len(there.got) == messages
        assert client.delete(f"/api/alerts/silences/{made['id']}").status_code == 204
        assert client.delete(f"/api/alerts/silences/{made['id']}").status_code == 404
        client.post("/api/alerts")
        until(lambda: len(there.got) > messages, "nobody was told after the silence")
        assert client.post("/api/alerts/silences", json=body | {"rule": "none"}).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/alerts"),
        ("POST", "/api/alerts"),
        ("GET", "/api/alerts/history"),
        ("GET", "/api/alerts/rules"),
        ("POST", "/api/alerts/rules"),
        ("DELETE", "/api/alerts/rules/mine"),
        ("GET", "/api/alerts/silences"),
        ("POST", "/api/alerts/silences"),
        ("DELETE", "/api/alerts/silences/x"),
        ("GET", "/api/alerts/x"),
    ],
)
def test_operators_alone_may_look(alarmed: Served, method: str, path: str) -> None:
    """A clerk's key is refused, whatever it asks of alerts."""
    body = {"name": "mine"} if path.endswith("rules") else {"rule": "*", "seconds": 5}
    with alarmed.client(alarmed.clerk) as client:
        assert client.request(method, path, json=body if method == "POST" else None).status_code == 403
