from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from ken.telemetry_settings import TelemetrySettings
from tests.architecture.pages import blocks
from tests.architecture.tree import PROJECT
from tests.docs.following import in_shell
from tests.service.corpus import copy
from tests.service.serving import Served, serving

PROTOBUF = "application/x-protobuf"


@pytest.fixture(scope="module")
def receiving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    telemetry = TelemetrySettings(receive_mb=1.0, receive_spans_per_s=2_000)
    with serving(copy(tmp_path_factory.mktemp("in") / "home"), telemetry=telemetry) as served:
        yield served


@pytest.fixture(scope="module")
def sender(receiving: Served) -> Iterator[httpx.Client]:
    """A service's client, with a key that may send spans and nothing else."""
    with receiving.client(receiving.ken.keys.create("model-server", ["telemetry"])[1]) as client:
        yield client


def attribute(name: str, value: str | int) -> KeyValue:
    told = AnyValue(string_value=value) if isinstance(value, str) else AnyValue(int_value=value)
    return KeyValue(key=name, value=told)


def a_span(
    trace_id: str, span_id: str = "0a" * 8, *, name: str = "decode", ago_s: float = 1.0, **told: str | int
) -> Span:
    began = int((time.time() - ago_s) * 1e9)
    return Span(
        trace_id=bytes.fromhex(trace_id),
        span_id=bytes.fromhex(span_id),
        name=name,
        start_time_unix_nano=began,
        end_time_unix_nano=began + 5_000_000,
        attributes=[attribute(key, value) for key, value in told.items()],
    )


def request(*spans: Span, service: str = "vllm") -> bytes:
    told = ExportTraceServiceRequest()
    resource = told.resource_spans.add()
    resource.resource.attributes.append(attribute("service.name", service))
    resource.scope_spans.add().spans.extend(spans)
    return told.SerializeToString()


def send(client: httpx.Client, body: bytes, **headers: str) -> httpx.Response:
    return client.post("/v1/traces", content=body, headers={"content-type": PROTOBUF, **headers})


def partial(answer: httpx.Response) -> tuple[int, str]:
    told = ExportTraceServiceResponse.FromString(answer.content).partial_success
    return told.rejected_spans, told.error_message


def trace_of(served: Served, trace_id: str, key: str | None = None) -> dict[str, object]:
    with served.client(key or served.operator) as client:
        answer = client.get(f"/api/traces/{trace_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()


def ids(*numbers: int) -> list[str]:
    return [f"{0xC0FFEE + number:032x}" for number in numbers]


def test_spans_of_a_service_stand_in_kens_own_trace(receiving: Served, sender: httpx.Client) -> None:
    """A model server's span, sent after the question or before its end, is read with the question's trace by who asked it."""
    (trace_id,) = ids(1)
    assert send(sender, request(a_span(trace_id, "0b" * 8, name="early"))).status_code == 200
    with receiving.client(receiving.clerk) as client:
        client.post(
            "/api/ask", json={"question": "When is high tide?"}, headers={"traceparent": f"00-{trace_id}-{'1' * 16}-01"}
        )
    assert send(sender, request(a_span(trace_id, name="late", tokens=7))).status_code == 200
    trace = trace_of(receiving, trace_id, receiving.clerk)
    assert (trace["kind"], trace["question"]) == ("question", "When is high tide?")
    spans = {span["name"]: span for span in trace["spans"]}  # pyright: ignore - JSON
    assert {"question", "retrieve", "early", "late"} <= set(spans)
    assert (spans["late"]["service"], spans["late"]["attributes"]["tokens"], spans["question"]["service"]) == (
        "vllm",
        7,
        "",
    )


def test_a_trace_that_ken_does_not_know_is_external(receiving: Served, sender: httpx.Client) -> None:
    """It is there for operators and for whoever sent it, and for nobody else."""
    (trace_id,) = ids(2)
    assert send(sender, request(a_span(trace_id))).status_code == 200
    trace = trace_of(receiving, trace_id)
    assert (trace["kind"], trace["outcome"], trace["question"], trace["answer"]) == ("external", "finished", "", "")
    with receiving.client(receiving.clerk) as client:
        assert client.get(f"/api/traces/{trace_id}").status_code == 404


def test_the_guides_span_by_hand_is_kept(receiving: Served, tmp_path: Path) -> None:
    """The page's command as it stands, but for the address and the key; its answer and what it leaves are what the page says."""
    [script] = [
        block.text
        for block in blocks(PROJECT / "docs/guides/opentelemetry.md")
        if block.language == "bash" and "resourceSpans" in block.text
    ]
    with receiving.client() as client:
        address = str(client.base_url).rstrip("/")
    script = script.replace("http://127.0.0.1:8000", address).replace(
        "-H 'Content-Type", '-H "Authorization: Bearer $KEY" -H \'Content-Type'
    )
    assert in_shell(script, key=receiving.operator, place=tmp_path) == "{}"
    trace = trace_of(receiving, "5eed0000000000000000000000000001")
    [span] = trace["spans"]  # pyright: ignore - JSON
    assert (trace["kind"], span["name"], span["service"]) == ("external", "prefill", "model-server")
    assert span["ms"] == pytest.approx(250)


def test_json_and_gzip_are_taken(receiving: Served, sender: httpx.Client) -> None:
    """OTLP's JSON has ids in hexadecimal; protobuf may come packed."""
    one, other = ids(3, 4)
    now = time.time_ns()
    span = {
        "traceId": one.upper(),
        "spanId": "0c" * 8,
        "name": "json",
        "startTimeUnixNano": str(now),
        "endTimeUnixNano": str(now),
        "new": 1,
    }
    told = {"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": [span]}]}]}
    answer = sender.post("/v1/traces", json=told)
    assert (answer.status_code, answer.json()) == (200, {})
    packed = send(sender, gzip.compress(request(a_span(other))), **{"content-encoding": "gzip"})
    assert (packed.status_code, packed.content, packed.headers["content-type"]) == (200, b"", PROTOBUF)
    assert [trace_of(receiving, trace_id)["kind"] for trace_id in (one, other)] == ["external"] * 2


def test_a_lying_id_or_clock_costs_the_span_alone(receiving: Served, sender: httpx.Client) -> None:
    """Ids of a wrong length or zero, and times that can't be, are told as rejected; the others are kept."""
    good, bad = ids(5, 6)
    short, zero, future, old, timeless = (a_span(bad) for _ in range(5))
    short.trace_id = b"\x01" * 15
    zero.span_id = b"\0" * 8
    future.end_time_unix_nano = 2**64 - 1
    old.start_time_unix_nano = 1
    timeless.start_time_unix_nano = 0
    answer = send(sender, request(short, zero, future, old, timeless, a_span(good)))
    rejected, said = partial(answer)
    assert (answer.status_code, rejected) == (200, 5)
    assert all(word in said for word in ("trace id", "span id", "future", "older", "start time"))
    assert trace_of(receiving, good)["kind"] == "external"


def test_nobody_takes_the_place_of_kens_own_spans(receiving: Served, sender: httpx.Client) -> None:
    """A span with the id of one of Ken's own doesn't replace it; one that is its own parent has none."""
    (trace_id,) = ids(7)
    with receiving.client(receiving.clerk) as client:
        client.post(
            "/api/ask", json={"question": "Where is the pier?"}, headers={"traceparent": f"00-{trace_id}-{'1' * 16}-01"}
        )
    own = trace_of(receiving, trace_id)["spans"]
    ids_of_own = [span["id"] for span in own]  # pyright: ignore - JSON
    mirror = a_span(trace_id, "0d" * 8, name="mirror")
    mirror.parent_span_id = mirror.span_id
    assert (
        send(sender, request(*(a_span(trace_id, each, name="false") for each in ids_of_own), mirror)).status_code == 200
    )
    spans = trace_of(receiving, trace_id)["spans"]
    assert [span["name"] for span in spans if span["id"] in ids_of_own] == [span["name"] for span in own]  # pyright: ignore - JSON
    assert [span["parent_id"] for span in spans if span["name"] == "mirror"] == [None]  # pyright: ignore - JSON


def test_a_huge_span_is_cut_and_that_is_said(receiving: Served, sender: httpx.Client) -> None:
    """Values over the limit are cut, attributes over it left out; the span is kept."""
    (trace_id,) = ids(8)
    span = a_span(trace_id, long="x" * 500_000)
    span.attributes.extend(attribute(f"a{number}", number) for number in range(300))
    rejected, said = partial(send(sender, request(span)))
    assert (rejected, "174 attributes were cut" in said) == (0, True), said
    (kept,) = trace_of(receiving, trace_id)["spans"]  # pyright: ignore - JSON
    assert (len(kept["attributes"]), len(kept["attributes"]["long"])) == (128, 8_192)


def test_secrets_are_taken_out_before_anything_is_written(receiving: Served, sender: httpx.Client) -> None:
    """A key in an attribute is nowhere in the record."""
    (trace_id,) = ids(9)
    secret = "sk-proj-" + "Ab3dEf6hIj9kLm2nOp5qRs8t" * 2
    assert (
        send(
            sender,
            request(
                a_span(
                    trace_id,
                    url=f"https://x/?api_key={secret}",
                    **{"http.request.header.authorization": f"Bearer {secret}"},
                )
            ),
        ).status_code
        == 200
    )
    assert secret not in json.dumps(trace_of(receiving, trace_id))


@pytest.mark.parametrize(
    ("body", "headers", "status", "words"),
    [
        (b"\xff\xff\xff", {}, 400, "ExportTraceServiceRequest"),
        (b"{", {"content-type": "application/json"}, 400, "ExportTraceServiceRequest"),
        (b'{"resourceSpans": 5}', {"content-type": "application/json"}, 400, "ExportTraceServiceRequest"),
        (b"\x1f\x8bxx", {"content-encoding": "gzip"}, 400, "gzip"),
        (gzip.compress(bytes(1_000), mtime=0)[:-9], {"content-encoding": "gzip"}, 400, "gzip"),
        (gzip.compress(bytes(2_000_000), mtime=0), {"content-encoding": "gzip"}, 413, "larger"),
        (b"", {"content-encoding": "br"}, 400, "br"),
        (b"", {"content-type": "text/plain"}, 415, "text/plain"),
    ],
    ids=["bytes", "half of JSON", "other JSON", "no gzip", "cut gzip", "large", "br", "text"],
)  # fmt: skip
def test_what_can_not_be_read_is_refused_with_a_status(
    sender: httpx.Client, body: bytes, headers: dict[str, str], status: int, words: str
) -> None:
    """The answer is a `Status` in the encoding of the request, with what is wrong."""
    answer = send(sender, body, **headers)
    assert (answer.status_code, words in answer.text) == (status, True), answer.text
    if headers.get("content-type") == "application/json":
        assert answer.json()["code"] == 3
    else:
        assert answer.content[:1] == b"\x08"


def test_it_takes_a_key_of_the_group(receiving: Served) -> None:
    """Operators may send; a clerk's key is refused with 403, an unknown one with 401."""
    body = request(a_span(*ids(10)))
    for key, status in ((receiving.operator, 200), (receiving.clerk, 403), ("ken-nobody", 401)):
        with receiving.client(key) as client:
            answer = send(client, body)
            assert answer.status_code == status, answer.text


def test_who_sends_too_fast_is_told_when_to_come_back(receiving: Served) -> None:
    """Over its spans a second a key gets 429 with Retry-After; another key does not."""
    slow, other = (receiving.ken.keys.create(name, ["telemetry"])[1] for name in ("fast", "other"))
    (trace_id,) = ids(11)
    body = request(*(a_span(trace_id, f"{number + 1:016x}") for number in range(2_500)))
    with receiving.client(slow) as client:
        # At once: one after the other they may take as long as the limit takes to recover.
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: send(client, body), range(16)))
        refused = next(answer for answer in answers if answer.status_code != 200)
        assert (refused.status_code, int(refused.headers["retry-after"]) >= 1) == (429, True)
    with receiving.client(other) as client:
        assert send(client, request(a_span(*ids(12)))).status_code == 200


def test_requests_that_come_together_are_written_together(receiving: Served) -> None:
    """Many at once need fewer commits than requests, and each is there when it is answered."""
    assert receiving.ken.reception is not None
    before = receiving.ken.reception.stats()
    with receiving.client(receiving.operator) as client, ThreadPoolExecutor(16) as pool:
        bodies = [request(a_span(trace_id)) for trace_id in ids(*range(100, 180))]
        assert {answer.status_code for answer in pool.map(lambda body: send(client, body), bodies)} == {200}
    after = receiving.ken.reception.stats()
    assert after.spans - before.spans == 80
    assert after.commits - before.commits < 80
    assert trace_of(receiving, ids(179)[0])["kind"] == "external"


def test_what_came_is_counted_for_prometheus(receiving: Served) -> None:
    """Spans that were kept and rejected, and requests that were refused, since the start."""
    (trace_id,) = ids(200)
    with receiving.client(receiving.operator) as client:
        before = figures(client)
        zero = a_span(trace_id)
        zero.trace_id = b"\0" * 16
        send(client, request(zero, a_span(trace_id)))
        send(client, b"\xff\xff\xff")
        after = figures(client)
    gained = {name: after[name] - before.get(name, 0) for name in after}
    assert gained['ken_received_spans_total{end="kept"}'] == gained['ken_received_spans_total{end="rejected"}'] == 1
    assert gained['ken_received_requests_total{end="refused"}'] == 1


def figures(client: httpx.Client) -> dict[str, float]:
    lines = [
        line.rpartition(" ") for line in client.get("/metrics").text.splitlines() if line.startswith("ken_received")
    ]
    return {name: float(value) for name, _, value in lines}
