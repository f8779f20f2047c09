from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from ken.domain.measures import Recorded
from ken.domain.trace import Link, Span, Trace
from ken.telemetry.otel.destination import Destination
from ken.telemetry.otel.exporter import OtlpExporter
from ken.telemetry.otel.sending import Patience
from tests.storage.samples import a_trace, recorded
from tests.telemetry.collector import Collector, Said, Value, collecting, facts

SOON = Patience(request_s=2.0, retry_s=5.0, backoff_s=0.01, longest_s=0.2)


def traces(count: int) -> list[Recorded]:
    return [recorded(replace(a_trace(), id=f"{number + 1:032x}")) for number in range(count)]


@contextmanager
def exporting(url: str, *, patience: Patience = SOON, capacity: int = 100, **told: object) -> Iterator[OtlpExporter]:
    """An exporter to an address, closed at the end of the block."""
    destination = Destination(traces_url=f"{url}/v1/traces", **told)  # pyright: ignore - fields of it
    exporter = OtlpExporter(destination, patience=patience, capacity=capacity, delay_s=0.05)
    yield exporter
    exporter.close()


def arrived(collector: Collector) -> set[str]:
    return {span.trace_id.hex() for span in collector.spans}


def test_what_passes_is_sent_again() -> None:
    """After 503 and 429 a batch arrives, once; Retry-After is heard, as far as it isn't unreasonable."""
    with (
        collecting(Said(503), Said(429, headers={"Retry-After": "3600"})) as collector,
        exporting(collector.url) as exporter,
    ):
        exporter.write(traces(3))
        assert exporter.flush(20)
        stats = exporter.stats()
        assert (len(collector.requests), len(arrived(collector)), stats.sent, stats.lost, stats.failures) == (
            3,
            3,
            3,
            0,
            2,
        )


def test_what_is_refused_is_not_sent_again() -> None:
    """400 is for good: the batch is counted as lost, and the next one goes out."""
    with collecting(Said(400, b"\x12\x03bad")) as collector, exporting(collector.url) as exporter:
        exporter.write(traces(1))
        assert exporter.flush(20)
        exporter.write(traces(2))
        assert exporter.flush(20)
        assert (exporter.stats().lost, exporter.stats().sent, len(collector.requests)) == (1, 2, 2)


def test_a_partial_success_is_counted() -> None:
    """What a collector says that it took nothing of is counted, and nothing is sent again."""
    partial = ExportTracePartialSuccess(rejected_spans=2, error_message="too old")
    answer = Said(200, ExportTraceServiceResponse(partial_success=partial).SerializeToString())
    with collecting(answer) as collector, exporting(collector.url) as exporter:
        exporter.write(traces(1))
        assert exporter.flush(20)
        assert (exporter.stats().rejected_spans, exporter.stats().sent, len(collector.requests)) == (2, 1, 1)


@pytest.mark.parametrize("said", [Said(200, b"<html>"), Said(200, b"\xff" * 100_000)])
def test_a_nonsensical_answer_says_nothing_against_arrival(said: Said) -> None:
    """200 is 200, whatever stands in it, and however much."""
    with collecting(said) as collector, exporting(collector.url) as exporter:
        exporter.write(traces(1))
        assert exporter.flush(20)
        assert (exporter.stats().sent, exporter.stats().lost) == (1, 0)


def test_nothing_is_followed_elsewhere() -> None:
    """A redirection is refused: traces go where the operator said and nowhere else."""
    with (
        collecting() as elsewhere,
        collecting(Said(307, headers={"Location": f"{elsewhere.url}/v1/traces"})) as collector,
    ):
        with exporting(collector.url) as exporter:
            exporter.write(traces(1))
            assert exporter.flush(20)
        assert (exporter.stats().lost, elsewhere.requests) == (1, [])


def test_a_collector_that_hangs_holds_up_neither_the_writer_nor_the_end() -> None:
    """Writing returns at once; what has no room is dropped and counted; closing takes some seconds at most."""
    with collecting(*[Said(hangs=True)] * 9) as collector:
        with exporting(collector.url, patience=Patience(request_s=60, close_s=0.2), capacity=10) as exporter:
            exporter.write(traces(5))
            collector.wait_for(lambda: collector.requests)
            began = time.monotonic()
            for _ in range(10):
                exporter.write(traces(5))
            assert time.monotonic() - began < 0.5
            began = time.monotonic()
        assert time.monotonic() - began < 3
        stats = exporter.stats()
        assert (stats.accepted, stats.dropped, stats.sent) == (15, 40, 0)
        assert stats.lost + stats.waiting == 15


def test_a_collector_that_is_down_loses_what_it_does_not_take_in_time() -> None:
    """Nobody listens: after its patience a batch is lost and counted, and the exporter goes on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with exporting(f"http://127.0.0.1:{port}", patience=replace(SOON, retry_s=0.3)) as exporter:
        exporter.write(traces(4))
        assert exporter.flush(20)
        assert (exporter.stats().lost, exporter.stats().sent) == (4, 0)
        assert exporter.stats().failures > 1


def test_a_share_is_sent_by_trace_id() -> None:
    """Of many traces about the share arrives, the same ones each time; the rest is counted as left out."""
    many = [
        recorded(replace(a_trace(), id=f"{(number * 0x9E3779B97F4A7C15) % 2**64 + 2**100:032x}"))
        for number in range(400)
    ]
    seen: list[set[str]] = []
    for _ in range(2):
        with collecting() as collector:
            with exporting(collector.url, capacity=1000, share=0.25) as exporter:
                exporter.write(many)
                assert exporter.flush(20)
            seen.append(arrived(collector))
            assert exporter.stats().left_out == 400 - len(seen[-1])
    assert seen[0] == seen[1]
    assert 70 < len(seen[0]) < 130


def a_call(**more: str | float) -> Trace:
    """A trace with a root, a call of a model and a tool that was run for it."""
    root = Span(id="1" * 16, parent_id=None, name="question", started_at=1e9, ended_at=1e9 + 2)
    told = {"operation": "chat", "called": "m", "provider": "anthropic", "server_address": "h", "input_tokens": 9}
    told |= {"cache_write_tokens": 4, "cost_micros": 2_500_000, "ttft_ms": 250.0, "tool_calls": "t1,t2", **more}
    call = Span(
        id="2" * 16, parent_id=root.id, name="call", started_at=1e9, ended_at=1e9 + 1, attributes=tuple(told.items())
    )
    tool = Span(
        id="3" * 16,
        parent_id=root.id,
        name="execute_tool",
        started_at=1e9 + 1,
        ended_at=1e9 + 2,
        attributes=(("tool", "tide"), ("tool_call_id", "t1"), ("result", "high")),
        links=(Link("a" * 32, call.id, "asked for"),),
    )
    prompt = '[{"role":"system","content":"Cite."},{"role":"user","content":"Which tide, by [1]?"}]'
    return replace(a_trace(), id="a" * 32, spans=(root, call, tool), question="Which tide?", prompt=prompt)


def sent(**told: object) -> dict[str, dict[str, Value]]:
    """What arrives of that trace, by the spans' names."""
    with collecting() as collector:
        with exporting(collector.url, **told) as exporter:
            exporter.write([recorded(a_call())])
            assert exporter.flush(20)
        return {span.name: facts(list(span.attributes)) for span in collector.spans}


def test_a_tool_is_linked_to_the_call_that_asked_for_it() -> None:
    """The link arrives, and says why it is there."""
    with collecting() as collector:
        with exporting(collector.url) as exporter:
            exporter.write([recorded(a_call())])
            assert exporter.flush(20)
        (tool,) = [span for span in collector.spans if span.name == "execute_tool tide"]
        (link,) = tool.links
        assert (link.span_id.hex(), facts(list(link.attributes))) == ("2" * 16, {"ken.link": "asked for"})


def test_the_default_names_are_those_of_the_released_conventions() -> None:
    """Costs are `gen_ai.usage.cost` in USD alone, seconds are seconds, and the older name of written cache tokens."""
    told = sent()["chat m"]
    assert told["gen_ai.usage.cost"] == 2.5
    assert told["gen_ai.response.time_to_first_chunk"] == 0.25
    assert told["gen_ai.usage.cache_creation.input_tokens"] == 4
    assert not {name for name in told if name.startswith(("gen_ai.usage.cost.", "gen_ai.usage.cache_write"))}


def test_the_newer_names_come_by_opting_in() -> None:
    """With the newer set the proposed cost attributes come too, and written cache tokens under both names."""
    told = sent(convention="latest")["chat m"]
    assert (told["gen_ai.usage.cost.amount"], told["gen_ai.usage.cost.currency"], told["gen_ai.usage.cost.source"]) == (
        2.5,
        "USD",
        "local",
    )
    assert told["gen_ai.usage.cache_write.input_tokens"] == told["gen_ai.usage.cache_creation.input_tokens"] == 4


def test_content_is_sent_only_where_it_is_asked_for() -> None:
    """Questions, answers and tools' results stay here by default; with `content` they stand in the conventions' attributes."""
    plain, full = sent(), sent(content=True)
    assert "Which tide" not in str(plain)
    assert "high" not in str(plain)
    assert "Which tide?" in str(full["invoke_workflow question"]["gen_ai.input.messages"])
    assert full["execute_tool tide"]["gen_ai.tool.call.result"] == "high"
    asked = json.loads(str(full["chat m"]["gen_ai.input.messages"]))
    assert asked[1] == {"role": "user", "parts": [{"type": "text", "content": "Which tide, by [1]?"}]}


def test_headers_go_with_each_request() -> None:
    """What the operator put into the environment for the collector is sent, with gzip and protobuf."""
    with collecting() as collector:
        with exporting(collector.url, headers={"authorization": "Bearer abc"}) as exporter:
            exporter.write(traces(1))
            assert exporter.flush(20)
        _, headers, _ = collector.requests[0]
    assert headers["authorization"] == "Bearer abc"
    assert (headers["content-type"], headers["content-encoding"]) == ("application/x-protobuf", "gzip")


def test_newer_metrics_have_the_newer_names() -> None:
    """Tokens are counters and histograms of their own, and a chat's duration is an inference's."""
    with collecting() as collector:
        with exporting(collector.url, convention="latest", metrics_url=f"{collector.url}/v1/metrics") as exporter:
            exporter.write([recorded(a_call())])
            assert exporter.flush(20)
        told = {
            metric.name: metric
            for resource in collector.metric_requests[-1].resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }
    assert told["gen_ai.client.inference.usage.cache_write.input_tokens"].sum.data_points[0].as_int == 4
    assert told["gen_ai.client.inference.operation.input_tokens"].histogram.data_points[0].sum == 9
    assert told["gen_ai.client.inference.duration"].histogram.data_points[0].sum == 1.0
    assert told["gen_ai.client.inference.time_to_first_chunk"].histogram.data_points[0].sum == 0.25
    assert "gen_ai.client.token.usage" not in told


def test_a_collector_that_fails_and_is_back_is_told_once_each(caplog: pytest.LogCaptureFixture) -> None:
    """Of three times that nothing arrives one is told, for traces and for metrics; then that they arrive again, as loud."""
    with (
        collecting(*([Said(400)] * 6)) as collector,
        exporting(collector.url, metrics_url=f"{collector.url}/v1/metrics") as exporter,
    ):
        for _ in range(5):
            exporter.write([recorded(a_call())])
            assert exporter.flush(20)
    told = [(each.levelname, each.getMessage().partition(" at http")[0]) for each in caplog.records]
    assert sorted(told) == [
        ("WARNING", "Metrics arrive"),
        ("WARNING", "Metrics don't all arrive"),
        ("WARNING", "Traces arrive"),
        ("WARNING", "Traces don't all arrive"),
    ]
