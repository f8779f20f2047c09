"""An OTLP/HTTP collector on loopback that does as it is told, well or badly."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

Value = str | int | float | bool | list[str] | None


@dataclass(frozen=True, slots=True)
class Said:
    """One answer. `hangs`: none comes until the collector ends."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict[str, str])
    hangs: bool = False


@dataclass(slots=True)
class Collector:
    """What has come, and what is answered: the answers in their order, and after the last one 200."""

    url: str = ""
    answers: list[Said] = field(default_factory=list[Said])
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list[tuple[str, dict[str, str], bytes]])
    ended: threading.Event = field(default_factory=threading.Event)
    changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def trace_requests(self) -> list[ExportTraceServiceRequest]:
        """Those for traces."""
        return [ExportTraceServiceRequest.FromString(body) for path, _, body in self.requests if path == "/v1/traces"]

    @property
    def metric_requests(self) -> list[ExportMetricsServiceRequest]:
        """Those for metrics."""
        return [
            ExportMetricsServiceRequest.FromString(body) for path, _, body in self.requests if path == "/v1/metrics"
        ]

    @property
    def spans(self) -> list[Span]:
        """All spans, in the order in which they came."""
        return [
            span
            for request in self.trace_requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def wait_for(self, what: Callable[[], object], timeout: float = 20) -> None:
        """Until something holds of what has come."""
        with self.changed:
            assert self.changed.wait_for(what, timeout), [path for path, _, _ in self.requests]


def plain(value: AnyValue) -> Value:
    """A value as Python has it."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [each.string_value for each in value.array_value.values]
    return None if kind is None else getattr(value, kind)


def facts(pairs: list[KeyValue]) -> dict[str, Value]:
    """Attributes by name."""
    return {pair.key: plain(pair.value) for pair in pairs}


@contextmanager
def collecting(*answers: Said) -> Iterator[Collector]:
    """Listen until the end of the block."""
    collector = Collector(answers=list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            with collector.changed:
                said = collector.answers.pop(0) if collector.answers else Said()
                unpacked = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
                collector.requests.append((self.path, headers, unpacked))
                collector.changed.notify_all()
            if said.hangs:
                collector.ended.wait(30)
                return
            self.send_response(said.status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(said.body)))
            self.end_headers()
            self.wfile.write(said.body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    collector.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        collector.ended.set()
        server.shutdown()
        server.server_close()
        thread.join(10)
