from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from ken.mock.serving import Running, running_in_thread
from ken.settings import ModelSettings
from ken.telemetry.otel.mapping import ERROR_TYPE, TABLE
from ken.telemetry_settings import TelemetrySettings
from tests.service.corpus import copy
from tests.service.serving import Served, serving
from tests.telemetry.collector import Collector, Value, collecting, facts

STATE = "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"
CALLER = "00f067aa0ba902b7"
TOOLED = "c3" * 16
QUESTION = "How many days of leave do employees have?"


@dataclass(frozen=True, slots=True)
class Exporting:
    """A Ken whose models are the mock's and whose traces a collector gets, after one question and the same again."""

    served: Served
    mock: Running
    collector: Collector
    trace_id: str
    again: str
    tool_call: str
    """That a model asked for in the trace TOOLED."""

    def span(self, name: str, *, trace_id: str | None = None) -> tuple[Span, dict[str, Value]]:
        """The one exported span of that name, with its attributes."""
        spans = [each for each in self.of(trace_id or self.trace_id) if each.name == name]
        assert len(spans) == 1, [each.name for each in self.of(trace_id or self.trace_id)]
        return spans[0], facts(list(spans[0].attributes))

    def of(self, trace_id: str) -> list[Span]:
        """The exported spans of a trace."""
        return [span for span in self.collector.spans if span.trace_id.hex() == trace_id]


@pytest.fixture(scope="module")
def exporting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exporting]:
    with running_in_thread() as mock, collecting() as collector:
        models = tuple(
            ModelSettings.model_validate({"name": name, "model": model, "base_url": mock.url})
            for name, model in (("failing", "mock-500"), ("small", "mock-len12"), ("tooled", "mock-tools1"))
        )
        telemetry = TelemetrySettings.model_validate(
            {"endpoint": collector.url, "resource": {"deployment.environment.name": "test"}, "metrics_every_s": 0.3}
        )
        with serving(
            copy(tmp_path_factory.mktemp("out") / "home"),
            models=models,
            tiers={"tier-1": {"models": ("failing", "small")}},
            gateway={"retries": 1, "backoff_s": 0.01},
            telemetry=telemetry,
            cache=True,
        ) as served:
            trace_id, again = "a1" * 16, "b2" * 16
            with served.client(served.operator) as client:
                ask(client, trace_id)
                ask(client, again)
                call = client.post(
                    "/v1/chat/completions",
                    json={"model": "tooled", "messages": [{"role": "user", "content": "?"}], "tools": TOOLS},
                    headers={"traceparent": f"00-{TOOLED}-{CALLER}-01"},
                )
            tool_call = call.json()["choices"][0]["message"]["tool_calls"][0]["id"]
            served.ken.recorder.flush()
            collector.wait_for(lambda: {*roots(collector)} >= {trace_id, again} and len(roots(collector)) >= 3)
            yield Exporting(served, mock, collector, trace_id, again, tool_call)


def roots(collector: Collector) -> list[str]:
    """The traces whose root has come."""
    return [span.trace_id.hex() for span in collector.spans if span.name.startswith("invoke_workflow")]


TOOLS = [{"type": "function", "function": {"name": "tide", "parameters": {"type": "object", "properties": {}}}}]


def ask(client: httpx.Client, trace_id: str) -> None:
    answer = client.post(
        "/api/ask",
        json={"question": QUESTION, "model": "tier-1"},
        headers={"traceparent": f"00-{trace_id}-{CALLER}-01", "tracestate": STATE},
    )
    assert answer.status_code == 200, answer.text
    assert trace_id in answer.text


def stored(exporting: Exporting, trace_id: str) -> dict[str, dict[str, object]]:
    with exporting.served.client(exporting.served.operator) as client:
        trace = client.get(f"/api/traces/{trace_id}").json()
    return {span["id"]: span for span in trace["spans"]}


def test_every_stored_span_arrives_once_as_the_tree_that_it_is(exporting: Exporting) -> None:
    """The collector has the ids, parents and times of the record; what stands above the root is the caller's span."""
    known = stored(exporting, exporting.trace_id)
    arrived = {span.span_id.hex(): span for span in exporting.of(exporting.trace_id)}
    assert len(exporting.of(exporting.trace_id)) == len(arrived) == len(known)
    for id_, span in arrived.items():
        parent = known[id_]["parent_id"] or CALLER
        assert span.parent_span_id.hex() == parent
        assert span.start_time_unix_nano == pytest.approx(float(str(known[id_]["started_at"])) * 1e9, abs=2_000)


def test_a_question_is_a_workflow_with_its_stages(exporting: Exporting) -> None:
    """The root, the search and the stages have the names and attributes of the table, and nothing that people wrote."""
    root, told = exporting.span("invoke_workflow question")
    assert root.kind == Span.SPAN_KIND_INTERNAL
    assert (told["gen_ai.operation.name"], told["gen_ai.workflow.name"]) == ("invoke_workflow", "question")
    assert told["ken.outcome"] in {"answered", "abstained"}
    retrieval, told = exporting.span("retrieval ken")
    assert retrieval.kind == Span.SPAN_KIND_CLIENT
    assert (told["gen_ai.operation.name"], told["gen_ai.data_source.id"]) == ("retrieval", "ken")
    assert told["gen_ai.request.top_k"] == 4.0
    assert {
        f"ken.{stage}" for stage in ("intake", "screen", "classify", "recall", "assemble", "route", "generate")
    } <= {span.name for span in exporting.of(exporting.trace_id)}
    assert QUESTION not in str(exporting.collector.spans)


def test_a_call_says_who_was_asked_and_what_it_came_to(exporting: Exporting) -> None:
    """Model, provider, address, tokens and time to the first piece; its cost is unknown, and so left out."""
    call, told = exporting.span("chat mock-len12")
    assert call.kind == Span.SPAN_KIND_CLIENT
    (entry,) = [
        entry
        for entry in exporting.mock.ledger.entries("mock-len12")
        if entry.traceparent.split("-")[1:2] == [exporting.trace_id]
    ]
    port = int(exporting.mock.url.rsplit(":", 1)[1].split("/")[0])
    assert (
        told
        | {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "mock-len12",
            "gen_ai.response.model": "mock-len12",
            "gen_ai.usage.input_tokens": entry.input_tokens,
            "gen_ai.usage.output_tokens": entry.output_tokens,
            "gen_ai.response.finish_reasons": ["stop"],
            "server.address": "127.0.0.1",
            "server.port": port,
            "ken.model": "small",
        }
        == told
    )
    assert isinstance(told["gen_ai.response.time_to_first_chunk"], float)
    assert "gen_ai.system" not in told


def test_retries_fallback_and_the_cache_are_told(exporting: Exporting) -> None:
    """Each attempt is a span with its number; the one that failed says how; another model's taking over is a moment of its own."""
    attempts = [
        (span, facts(list(span.attributes))) for span in exporting.of(exporting.trace_id) if span.name == "ken.attempt"
    ]
    assert [(told["ken.model"], told["ken.attempt.number"], told.get(ERROR_TYPE)) for _, told in attempts] == [
        ("failing", 1, "500"),
        ("failing", 2, "500"),
        ("small", 1, None),
    ]
    assert attempts[0][0].status.code == 2
    _, told = exporting.span("ken.fallback")
    assert (told["ken.fallback.failed"], told["ken.model"], told["ken.fallback.reason"]) == ("failing", "small", "500")
    _, told = exporting.span("ken.recall")
    assert told["ken.cache.decision"] == "miss"


def test_nothing_arrives_that_the_table_does_not_name(exporting: Exporting) -> None:
    """Every attribute stands in the table, or is a figure below `ken.`, by the span's name."""
    named = {name for row in TABLE for one in row.attributes for name in one.names("1.41.1")} | {ERROR_TYPE}
    for span in exporting.collector.spans:
        for name, value in facts(list(span.attributes)).items():
            assert name in named or (name.startswith("ken.") and not isinstance(value, str)), (span.name, name, value)


def test_the_resource_says_who_sends(exporting: Exporting) -> None:
    """The service, its version and what the operator added; the scope names the conventions."""
    resource = exporting.collector.trace_requests[0].resource_spans[0]
    told = facts(list(resource.resource.attributes))
    assert told["service.name"] == "ken"
    assert told["deployment.environment.name"] == "test"
    assert resource.scope_spans[0].schema_url == "https://opentelemetry.io/schemas/1.41.1"


def test_a_provider_is_told_the_span_of_its_call(exporting: Exporting) -> None:
    """`traceparent` of each request names the trace and a stored span `call`, also where the call failed; `tracestate` goes along."""
    known = stored(exporting, exporting.trace_id)
    for name, calls in (("mock-500", 2), ("mock-len12", 1)):
        told = [entry.traceparent.split("-") for entry in exporting.mock.ledger.entries(name)]
        mine = [span_id for version, trace_id, span_id, flags in told if trace_id == exporting.trace_id]
        assert len(mine) == calls
        assert {known[span_id]["name"] for span_id in mine} == {"call"}
    assert {entry.tracestate for entry in exporting.mock.ledger.entries("mock-500")} == {STATE}


def test_metrics_count_calls_and_tokens(exporting: Exporting) -> None:
    """The histograms of the conventions arrive, and hold as many calls and tokens as the provider's books."""
    seen = len(exporting.collector.metric_requests)
    exporting.collector.wait_for(lambda: len(exporting.collector.metric_requests) > seen + 1)
    found = {
        metric.name: metric
        for resource in exporting.collector.metric_requests[-1].resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }
    assert {
        "gen_ai.client.token.usage",
        "gen_ai.client.operation.duration",
        "gen_ai.client.operation.time_to_first_chunk",
        "gen_ai.client.operation.time_per_output_chunk",
    } <= set(found)
    written = [
        point.sum
        for point in found["gen_ai.client.token.usage"].histogram.data_points
        if (told := facts(list(point.attributes)))["gen_ai.token.type"] == "output"
        and told["gen_ai.request.model"] == "mock-len12"
    ]
    assert written == [sum(entry.output_tokens for entry in exporting.mock.ledger.entries("mock-len12"))]
    failed = [
        point.count
        for point in found["gen_ai.client.operation.duration"].histogram.data_points
        if facts(list(point.attributes)).get(ERROR_TYPE) == "500"
    ]
    assert failed == [len(exporting.mock.ledger.entries("mock-500"))]


def test_a_tools_span_is_linked_to_the_call_that_asked_for_it(exporting: Exporting) -> None:
    """A tool tells Ken of its work by the id of the tool call: its span stands under the caller's, and points at Ken's call."""
    _, told = exporting.span("chat mock-tools1", trace_id=TOOLED)
    assert told["ken.call.tool_calls"] == [exporting.tool_call]
    span = {
        "traceId": TOOLED,
        "spanId": "0f" * 8,
        "parentSpanId": CALLER,
        "name": "execute_tool tide",
        "startTimeUnixNano": str(time.time_ns()),
        "endTimeUnixNano": str(time.time_ns()),
        "attributes": [{"key": "gen_ai.tool.call.id", "value": {"stringValue": exporting.tool_call}}],
    }
    with exporting.served.client(exporting.served.operator) as client:
        sent = client.post("/v1/traces", json={"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})
        assert sent.status_code == 200
    spans = stored(exporting, TOOLED)
    (call,) = [id_ for id_, each in spans.items() if each["name"] == "call"]
    assert spans["0f" * 8]["links"] == [{"trace_id": TOOLED, "span_id": call, "reason": "asked for"}]


def test_what_was_sent_is_counted_for_prometheus(exporting: Exporting) -> None:
    """Each trace by what became of it on the way."""
    with exporting.served.client(exporting.served.operator) as client:
        text = client.get("/metrics").text
    assert 'ken_export_traces_total{end="lost"} 0.0' in text
    assert 'ken_export_traces_total{end="sent"} 0.0' not in text
