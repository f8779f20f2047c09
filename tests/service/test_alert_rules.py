"""One alert rule at the API: as it is written, what is wrong with it and where, what it would have said of the record."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from ken.alert_settings import AlertSettings
from tests.service.corpus import copy
from tests.service.serving import Served, serving
from tests.telemetry.folding import a_recorded

NOW = time.time() // 60 * 60
MINUTE_S = 60.0
SLOW = (NOW - 90 * MINUTE_S, NOW - 60 * MINUTE_S)
RULE: dict[str, object] = {
    "name": "mine",
    "when": "ms.p95 > limit",
    "limit": 5000,
    "by": "task_type",
    "window": "10m",
    "for": "2m",
    "at_least": 3,
}


@pytest.fixture(scope="module")
def ruled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A home with three hours of questions on record, of which half an hour was slow, and rules in a file and in ken.toml."""
    home = copy(tmp_path_factory.mktemp("ruled") / "home")
    (home / "alerts.toml").write_text('[[rules]]\nname = "ttft_p95"\nlimit = 2500\nseverity = "soft"\n', "utf-8")
    table = AlertSettings.model_validate({"on": False, "rules": [{"name": "retry_rate", "enabled": False}]})
    with serving(home, alerts=table) as served:
        counted = served.ken.recording.aggregator
        for number in range(1, 361):
            at = NOW - 180 * MINUTE_S + number * 30
            ms = 20_000.0 if SLOW[0] <= at < SLOW[1] else 900.0
            counted.fold(a_recorded(number, at=at, task_type="lookup", ms=ms))
        served.ken.recording.rollups.add(counted.take())
        yield served


@pytest.fixture
def client(ruled: Served) -> Iterator[httpx.Client]:
    with ruled.client(ruled.operator) as found:
        yield found


def back_test(client: httpx.Client, **body: object) -> dict[str, Any]:
    return client.post("/api/alerts/backtest", json=body).raise_for_status().json()


def test_a_back_test_tells_when_a_rule_would_have_fired(client: httpx.Client) -> None:
    """Half an hour of slow answers is one firing of about that length, with the value, the limit and two messages; nothing is kept."""
    found = back_test(client, rule=RULE, since=NOW - 150 * MINUTE_S, until=NOW)
    (line,) = found["lines"]
    firing = [stay for stay in line["stays"] if stay["state"] == "firing"]
    assert (len(firing), found["firings"], found["messages"]) == (1, 1, 2)
    assert SLOW[0] + 2 * MINUTE_S <= firing[0]["since"] <= SLOW[0] + 8 * MINUTE_S
    assert SLOW[1] <= firing[0]["until"] <= SLOW[1] + 20 * MINUTE_S
    assert found["firing_s"] == firing[0]["until"] - firing[0]["since"]
    assert line["labels"] == {"task_type": "lookup"}
    assert set(line["expected"]) == {5000}
    assert len(line["times"]) == len(line["values"]) == len(line["counts"]) == len(line["holds"]) == 151
    during = [value for at, value in zip(line["times"], line["values"], strict=True) if at == SLOW[1] - MINUTE_S]
    assert during == [pytest.approx(20_000, rel=0.05)]
    assert (found["unit"], found["is_whole"], found["step_s"], found["coarse_until"]) == ("ms", True, 60, None)
    assert "mine" not in {rule["name"] for rule in client.get("/api/alerts/rules").json()}


def test_where_there_was_nothing_the_back_test_says_that_it_was_too_thin(client: httpx.Client) -> None:
    """Two hours before the first question, nothing could be said."""
    found = back_test(client, rule=RULE, since=NOW - 300 * MINUTE_S, until=NOW - 100 * MINUTE_S)
    (line,) = found["lines"]
    assert line["thin"][0]["since"] == NOW - 300 * MINUTE_S
    assert NOW - 180 * MINUTE_S <= line["thin"][0]["until"] <= NOW - 170 * MINUTE_S
    assert found["firings"] == 0


def test_a_rule_in_force_is_tested_by_its_name_and_one_that_is_changed_with_what_it_names(client: httpx.Client) -> None:
    """The limit of alerts.toml counts for a name alone, and another limit where one is sent."""
    span = {"since": NOW - 120 * MINUTE_S, "until": NOW}
    assert set(back_test(client, name="ttft_p95", **span)["lines"][0]["expected"]) == {2500}
    assert set(back_test(client, rule={"name": "ttft_p95", "limit": 99}, **span)["lines"][0]["expected"]) == {99}


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"name": "no_such_rule"}, 404, "no_such_rule"),
        ({"rule": {"name": "mine", "when": "ms.p95 >"}}, 400, "character 9"),
        ({"rule": {"when": "ms.p95 > 3"}}, 400, "name"),
        ({"name": "ttft_p95", "since": NOW - 40 * 86_400, "until": NOW}, 400, "28 days"),
        ({"name": "ttft_p95", "since": NOW, "until": NOW - 60}, 400, "begins before it ends"),
    ],
)
def test_a_back_test_that_cannot_be_made_is_refused(
    client: httpx.Client, body: dict[str, object], status: int, says: str
) -> None:
    """An unknown rule, one that can't be read, a time that is too long or runs backwards: each is told."""
    refused = client.post("/api/alerts/backtest", json=body)
    assert (refused.status_code, says in refused.json()["error"]["message"]) == (status, True)


def test_a_back_test_that_takes_too_long_tells_how_far_it_came(client: httpx.Client) -> None:
    """Four weeks in some hundredths of a second: it stops, and says so."""
    found = back_test(client, name="p99_unusual", since=NOW - 28 * 86_400, until=NOW, at_most_s=0.05)
    assert not found["is_whole"]
    assert found["until"] < NOW


def test_hanging_up_ends_a_back_test(ruled: Served, client: httpx.Client) -> None:
    """The thread that looks is free again long before its time is up: the next one's answer doesn't wait for it."""
    body = {"name": "e2e_p95", "since": NOW - 28 * 86_400, "until": NOW}
    with pytest.raises(httpx.ReadTimeout):
        client.post("/api/alerts/backtest", json=body, timeout=0.3)
    begun = time.monotonic()
    while ruled.run(_borrowed()) and time.monotonic() - begun < 10:
        time.sleep(0.05)
    assert time.monotonic() - begun < 5


def test_a_rule_is_told_as_it_is_written_and_who_says_what_of_it(client: httpx.Client) -> None:
    """What Ken comes with, the objectives, a file and the API, each with the fields that count from there."""
    form = client.get("/api/alerts/rules/ttft_p95").json()
    assert (form["table"]["limit"], form["table"]["for"], form["table"]["severity"]) == (2500, "2m", "soft")
    assert "metric" not in form["table"]
    assert form["before"] == form["table"]
    places = [(said["place"], said["fields"]) for said in form["rule"]["said"]]
    assert places[-1][0].endswith("alerts.toml'")
    assert places[-1][1] == ["limit", "severity"]
    assert (form["rule"]["is_shipped"], form["rule"]["is_changed_here"]) == (True, False)
    client.post("/api/alerts/rules", json={"name": "ttft_p95", "limit": 100}).raise_for_status()
    try:
        changed = client.get("/api/alerts/rules/ttft_p95").json()
        assert (changed["table"]["limit"], changed["before"]["limit"]) == (100, 2500)
        assert changed["rule"]["said"][-1] == {"place": "the API", "fields": ["limit"]}
        assert changed["rule"]["is_changed_here"]
    finally:
        client.delete("/api/alerts/rules/ttft_p95").raise_for_status()
    rules = {rule["name"]: rule for rule in client.get("/api/alerts/rules").json()}
    assert rules["retry_rate"]["said"][-1] == {"place": "[[alerts.rules]] in ken.toml", "fields": ["enabled"]}
    assert not rules["retry_rate"]["is_on"]
    assert (rules["ttft_p95"]["compare"], rules["ttft_p95"]["unit"]) == ("threshold", "ms")
    assert client.get("/api/alerts/rules/no_such_rule").status_code == 404


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"when": "ms.p95 >> 3"}, {"field": "when", "at": 8}),
        ({"when": "ms.p95 > 3 and eror_rate > 1"}, {"field": "when", "at": 15}),
        ({"when": "ms.p95"}, {"field": "", "at": None}),
        ({"window": "soon"}, {"field": "window", "at": None}),
        ({"by": "colour"}, {"field": "when", "at": 0}),
        ({"filter": "colour = red"}, {"field": "filter", "at": None}),
        ({"summary": "{colour}"}, {"field": "summary", "at": None}),
        ({"colour": "red"}, {"field": "colour", "at": None}),
        ({"name": "Mine"}, {"field": "name", "at": None}),
    ],
)
def test_what_is_wrong_with_a_rule_is_told_at_its_place(
    client: httpx.Client, changes: dict[str, object], fault: dict[str, object]
) -> None:
    """The field, and within an expression the character, of each fault."""
    told = client.post("/api/alerts/rules/check", json=RULE | changes).json()
    assert fault.items() <= told["faults"][0].items()
    assert told["faults"][0]["what"]
    assert told["looks_for"] is None


def test_a_good_rule_has_no_faults_and_is_told_in_words(client: httpx.Client) -> None:
    """What it looks for, and in which unit; nothing of it is kept."""
    told = client.post("/api/alerts/rules/check", json=RULE).json()
    assert told == {"faults": [], "looks_for": "ms.p95 > 5000 over 10m by task_type", "unit": "ms"}
    assert client.get("/api/alerts/rules/mine").status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/alerts/rules/mine"), ("POST", "/api/alerts/rules/check"), ("POST", "/api/alerts/backtest")],
)
def test_operators_alone_may_try_rules(ruled: Served, method: str, path: str) -> None:
    """A clerk's key is refused."""
    with ruled.client(ruled.clerk) as client:
        assert client.request(method, path, json={"name": "x"} if method == "POST" else None).status_code == 403


async def _borrowed() -> int:
    """How many worker threads are at work."""
    import anyio.to_thread  # noqa: PLC0415 - of the server's loop

    return anyio.to_thread.current_default_thread_limiter().borrowed_tokens
