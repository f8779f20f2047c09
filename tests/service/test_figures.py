"""Figures, views and the scrape, over HTTP: they say what was asked and answered."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard as GrafanaDashboard
from prometheus_client.parser import text_string_to_metric_families

from ken.telemetry.rollup import Aggregator
from ken.telemetry.views import VIEWS
from tests.service.corpus import BEYOND, QUESTION, copy
from tests.service.events import ask
from tests.service.serving import Served, serving
from tests.telemetry.folding import a_recorded, a_spent

DASHBOARD = Path(__file__).parents[2] / "deploy" / "grafana" / "ken.json"


@pytest.fixture(scope="module")
def counting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A Ken that was asked twice, and whose record says of forty questions of yesterday what they cost."""
    with serving(copy(tmp_path_factory.mktemp("figures") / "home")) as served:
        with served.client() as client:
            ask(client, QUESTION)
            ask(client, BEYOND)
        aggregator = Aggregator()
        for number in range(40):
            unpriced = number < 10
            aggregator.fold(
                a_recorded(
                    number + 1,
                    at=time.time() - 86_400,
                    task_type="planning" if unpriced else "charting",
                    category="tides",
                    release="r-old",
                    ms=1_000.0 + number,
                    cost_micros=None if unpriced else 2_000,
                    spent=(a_spent("generate", "small", 900, 100, cost_micros=None if unpriced else 2_000),),
                    outcome="failed" if number % 4 == 3 else "answered",
                )
            )
        served.ken.recording.rollups.add(aggregator.take())
        yield served


@pytest.fixture
def client(counting: Served) -> Iterator[httpx.Client]:
    with counting.client(counting.operator) as opened:
        yield opened


def got(client: httpx.Client, path: str, **params: Any) -> Any:  # noqa: ANN401 - JSON
    response = client.get(path, params=params)
    assert response.status_code == 200, response.text
    return response.json()


def test_a_question_is_in_the_figures_as_soon_as_it_is_answered(client: httpx.Client) -> None:
    """Asked, then looked up: it counts, with its stages and its end."""
    told = got(client, "/api/figures", metric="questions", by="outcome", window=3_600)
    assert {name: line["whole"]["value"] for name, line in told["lines"].items()} == {"answered": 1, "abstained": 1}
    assert len(told["times"]) == 60 == len(told["lines"]["answered"]["values"])
    stages = got(client, "/api/figures", metric="stage_ms.p95", by="stage", window=3_600)["lines"]
    assert {"retrieve", "generate", "verify"} <= set(stages)
    slow = got(client, "/api/figures", metric="ms.over_60000", window=3_600)
    assert (slow["unit"], slow["lines"][""]["whole"]["value"]) == ("share", 0)


def test_cost_per_success_is_unknown_where_a_cost_is(client: httpx.Client) -> None:
    """Its success rate stands beside it; a part of the cost over all tasks would look like thrift."""
    panels = got(client, "/api/views/cost", window=2 * 86_400, category="tides")["panels"]
    by_task = next(panel["figures"] for panel in panels if panel["by"] == "task_type")
    cost = {name: line["whole"]["value"] for name, line in by_task["cost_per_success"]["lines"].items()}
    done = {name: line["whole"]["value"] for name, line in by_task["success_rate"]["lines"].items()}
    assert cost["planning"] is None
    assert cost["charting"] == pytest.approx(30 * 2_000 / 22)
    assert done["charting"] == pytest.approx(22 / 30)


@pytest.mark.parametrize("name", sorted(VIEWS))
def test_every_view_has_the_same_axis(client: httpx.Client, name: str) -> None:
    """A step is in the same place of every panel of every view over the same window, and filters narrow all of them."""
    told = got(client, f"/api/views/{name}", window=7 * 86_400, release="r-old")
    assert (told["step_s"], len(told["times"])) == (10_800, 56)
    lines = [
        line for panel in told["panels"] for figure in panel["figures"].values() for line in figure["lines"].values()
    ]
    assert lines
    assert {len(line["values"]) for line in lines} == {56}
    if name == "health":
        assert all(each["state"] == "closed" for each in told["dependencies"])
        volume = told["panels"][0]["figures"]["questions"]["lines"][""]["whole"]["value"]
        assert volume == 40
    if name == "cost":
        assert told["patterns"][0]["cost_micros"] == 60_000
        assert told["patterns"][1]["cost_per_question"] is None


def test_a_window_may_lie_anywhere(client: httpx.Client) -> None:
    """Between two moments, as the API writes them or as people do: the axis has both within, and what was asked outside isn't counted."""
    ends = time.time() - 12 * 3_600
    told = got(client, "/api/views/overview", since=f"{ends - 86_400:.3f}", until=f"{ends:.3f}")
    assert told["since"] <= ends - 86_400 < told["since"] + told["step_s"]
    assert told["until"] - told["step_s"] < ends <= told["until"]
    assert told["panels"][0]["figures"]["questions"]["lines"][""]["whole"]["value"] == 40
    since = "2h"
    assert got(client, "/api/views/overview", since=since)["panels"][0]["figures"]["questions"]["lines"][""]["whole"][
        "value"
    ] == sum(
        line["whole"]["value"]
        for line in got(client, "/api/figures", metric="questions", since=since)["lines"].values()
    )
    for wrong in ({"since": "1h", "until": "2h"}, {"since": "noon"}):
        assert client.get("/api/views/cost", params=wrong).status_code == 400


def test_an_old_window_has_steps_that_are_still_kept(client: httpx.Client) -> None:
    """Minutes are gone after two days, and with a filter after some hours: an hour of that time is one step, not sixty with one filled."""
    week_ago = time.time() - 7 * 86_400
    asked = {"since": f"{week_ago:.0f}", "until": f"{week_ago + 7_200:.0f}"}
    assert got(client, "/api/views/health", **asked)["step_s"] == 3_600
    day_ago = time.time() - 86_400
    asked = {"since": f"{day_ago:.0f}", "until": f"{day_ago + 7_200:.0f}"}
    assert got(client, "/api/views/health", **asked)["step_s"] == 60
    assert got(client, "/api/views/health", **asked, tier="light")["step_s"] == 3_600


def test_a_sync_and_a_release_are_marked_on_the_axis(counting: Served, client: httpx.Client) -> None:
    """What changed stands where it happened, beside what moved."""
    counting.ken.recording.rollups.compact(time.time() + 3_600)
    markers = got(client, "/api/views/quality", window=2 * 86_400)["markers"]
    assert {"deployed"} <= {marker["kind"] for marker in markers}
    assert "r-old" in {marker["of"] for marker in markers}


def test_a_projection_can_be_changed(client: httpx.Client) -> None:
    """Cost per success times the tasks expected: the volume so far, grown, or what the operator says."""
    plain = got(client, "/api/figures/projection", window=4 * 86_400, ahead=30)
    grown = got(client, "/api/figures/projection", window=4 * 86_400, ahead=30, growth=3)
    told = got(client, "/api/figures/projection", window=4 * 86_400, ahead=30, volume=["charting=11000", "planning=0"])
    of = [{task["task_type"]: task for task in each["tasks"]}["charting"] for each in (plain, grown, told)]
    assert of[1]["cost_micros"] == pytest.approx(3 * of[0]["cost_micros"])
    assert of[2]["cost_micros"] == pytest.approx(30 * 2_000 / 22 * 11_000)
    assert plain["cost_micros"] is None
    on_record = (plain["until"] - plain["since"]) / 86_400
    assert 1 <= on_record < 1.1
    assert of[0]["expected"] == pytest.approx(22 / on_record * 30)
    assert not plain["too_little"]


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/api/figures", {"metric": "nonsense"}),
        ("/api/figures", {"metric": "ms.p95", "by": "stage"}),
        ("/api/figures", {"metric": "stage_ms.p95"}),
        ("/api/figures", {"metric": "ms.p95", "where": "lookup"}),
        ("/api/figures", {"metric": "ms.p95", "window": -5}),
        ("/api/figures", {"metric": "ms.p95", "window": 30 * 86_400, "step": 60}),
        ("/api/figures", {"metric": "ms.p95", "step": 7}),
        ("/api/figures/projection", {"volume": "lookup=many"}),
        ("/api/figures/projection", {"volume": "banana=5"}),
        ("/api/figures/projection", {"ahead": -3}),
        ("/api/figures/projection", {"days": 30}),
        ("/api/views/cost", {"window": 1e12}),
    ],
)
def test_what_cannot_be_told_is_refused(client: httpx.Client, path: str, params: dict[str, Any]) -> None:
    """With what can be asked instead, and not with a figure of something else."""
    response = client.get(path, params=params)
    assert response.status_code == 400, response.text
    assert response.json()["error"]["message"]


def test_figures_are_for_operators(counting: Served) -> None:
    """They tell of everybody's questions."""
    for key in (counting.clerk, counting.nobody):
        with counting.client(key) as client:
            for path in ("/api/figures?metric=questions", "/api/figures/names", "/api/views/health", "/metrics"):
                assert client.get(path).status_code == 403


def scraped(client: httpx.Client) -> dict[str, Any]:
    response = client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {family.name: family for family in text_string_to_metric_families(response.text)}


def test_prometheus_reads_what_was_asked(client: httpx.Client) -> None:
    """The text form parses; counters, buckets and states are those of this process."""
    families = scraped(client)
    asked = {sample.labels["outcome"]: sample.value for sample in families["ken_questions"].samples}
    assert asked == {"answered": 1, "abstained": 1}
    buckets = [each for each in families["ken_answer_seconds"].samples if each.name.endswith("_bucket")]
    infinite = [each.value for each in buckets if each.labels["le"] == "+Inf"]
    assert sum(infinite) == 2
    assert all(low.value <= high.value for low, high in pairwise(buckets) if low.labels["le"] < high.labels["le"])
    assert families["ken_info"].samples[0].labels["version"]
    assert {"ken_degraded", "ken_caller_errors"} <= families.keys()
    finest = min(
        float(each.labels["le"]) for each in families["ken_stage_seconds"].samples if each.name.endswith("_bucket")
    )
    assert finest == 0.001  # stages take milliseconds
    written = {sample.labels["end"]: sample.value for sample in families["ken_recorder_traces"].samples}
    assert written["written"] == 2
    assert written["dropped"] == 0
    assert {sample.labels["state"] for sample in families["ken_breaker_state"].samples} == {
        "closed",
        "half-open",
        "open",
    }


def test_a_thousand_task_types_do_not_swell_the_scrape() -> None:
    """Labels are bounded: what is too many is `other`."""
    aggregator = Aggregator()
    for number in range(1_000):
        aggregator.fold(a_recorded(number + 1, at=time.time() + 3_600 * (number // 100), task_type=f"t{number}"))
        aggregator.take()
    totals = aggregator.totals()
    assert len(totals) <= 310
    assert sum(tally.counts["traces"] for _, tally in totals) == 1_000


def test_grafana_takes_the_dashboard_as_it_is() -> None:
    """Read into the types that Grafana publishes of its dashboards, and written again, nothing of it is lost or changed."""
    plugins.register_default_plugins()
    given = json.loads(DASHBOARD.read_text())
    taken = json.loads(JSONEncoder(sort_keys=True).encode(GrafanaDashboard.from_json(given)))
    assert differences(given, taken) == []
    planted = given | {"panels": [given["panels"][1] | {"nonsense": 1}]}
    assert differences(planted, json.loads(JSONEncoder(sort_keys=True).encode(GrafanaDashboard.from_json(planted))))
    numbers = [panel["id"] for panel in given["panels"]]
    assert len(set(numbers)) == len(numbers)
    places = [tuple(panel["gridPos"].values()) for panel in given["panels"]]
    assert len(set(places)) == len(places)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in given["panels"])
    variables = {variable["name"] for variable in given["templating"]["list"]} | {"__rate_interval"}
    assert set(re.findall(r"\$\{?(\w+)", json.dumps([given["panels"], given["annotations"]]))) <= variables


def differences(given: Any, taken: Any, place: str = "") -> list[str]:  # noqa: ANN401 - JSON
    """Where what was taken is not what was given."""
    if isinstance(given, dict):
        missing = [f"{place}/{name}" for name in given if not isinstance(taken, dict) or name not in taken]
        kept = [name for name in given if f"{place}/{name}" not in missing]
        return missing + [each for name in kept for each in differences(given[name], taken[name], f"{place}/{name}")]
    if isinstance(given, list):
        if not isinstance(taken, list) or len(given) != len(taken):
            return [place]
        return [
            each
            for at, (one, other) in enumerate(zip(given, taken, strict=True))
            for each in differences(one, other, f"{place}[{at}]")
        ]
    return [] if given == taken else [place]


def test_every_query_of_the_dashboard_names_a_figure_that_is_served(client: httpx.Client) -> None:
    """A panel that names what nobody serves would stay empty for ever."""
    served: set[str] = set()
    for family in scraped(client).values():
        served |= {family.name} | {f"{family.name}{suffix}" for suffix in ("_total", "_bucket", "_sum", "_count")}
    dashboard = json.loads(DASHBOARD.read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    queries += [one["query"]["query"] for one in dashboard["templating"]["list"] if one["type"] == "query"]
    assert len(queries) > 15
    for query in queries:
        named = set(re.findall(r"\bken_[a-z_]+", query))
        assert named, query
        assert named <= served, query
