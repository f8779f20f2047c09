"""The metrics of the GenAI conventions (v1.41.1, `model/gen-ai/metrics.yaml`), counted from the calls of finished traces.

Buckets are those that the conventions advise. With the newer set, durations of chats are `gen_ai.client.inference.duration`, and tokens
are counters and histograms of their own; all else keeps its name.
"""

from __future__ import annotations

from dataclasses import dataclass

from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.metrics import Counter, Histogram, Meter
from opentelemetry.sdk.metrics import AlwaysOffExemplarFilter, MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricsData
from opentelemetry.sdk.resources import Resource

import ken
from ken.domain.trace import Span, Trace
from ken.telemetry.otel.mapping import ERROR_TYPE, SCHEMA_URLS, Convention, Value, exported

_TOKENS = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864)
_DURATIONS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_FIRST = (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
_EACH = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5)
_DIMENSIONS = (
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.response.model",
    "server.address",
    "server.port",
)

_COUNTED = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_read.input_tokens": "cache_read.input_tokens",
    "cache_write.input_tokens": "cache_creation.input_tokens",
    "reasoning.output_tokens": "reasoning.output_tokens",
}
"""The newer counters, and what of v1.41.1 they count."""


@dataclass(frozen=True, slots=True)
class _Histograms:
    duration: Histogram
    inference: Histogram
    """Of chats; the same as `duration` in v1.41.1."""
    first: Histogram
    each: Histogram


class Instruments:
    """Counts the calls of traces, and encodes what was counted since the start."""

    def __init__(self, resource: Resource, *, convention: Convention = "1.41.1") -> None:
        self._convention: Convention = convention
        self._reader = InMemoryMetricReader()
        # `exemplar_filter` is given, as the SDK would look for it in the environment.
        self._provider = MeterProvider(
            [self._reader], resource, exemplar_filter=AlwaysOffExemplarFilter(), shutdown_on_exit=False
        )
        meter = self._provider.get_meter("ken", ken.__version__, SCHEMA_URLS[convention] or None)
        new = ".inference" if convention == "latest" else ""
        duration = _seconds(meter, "gen_ai.client.operation.duration", _DURATIONS)
        self._histograms = _Histograms(
            duration=duration,
            inference=_seconds(meter, "gen_ai.client.inference.duration", _DURATIONS) if new else duration,
            first=_seconds(meter, f"gen_ai.client{new or '.operation'}.time_to_first_chunk", _FIRST),
            each=_seconds(meter, f"gen_ai.client{new or '.operation'}.time_per_output_chunk", _EACH),
        )
        self._tokens = _NewTokens(meter) if new else _Tokens(meter)

    def count(self, trace: Trace) -> None:
        """Count the calls of a finished trace."""
        for span in trace.spans:
            if span.name == "call" and not span.service:
                self._call(span, trace)

    def encode(self) -> bytes | None:
        """An `ExportMetricsServiceRequest` of all that was counted; None where nothing was."""
        data = self._reader.get_metrics_data()
        return encode_metrics(data).SerializeToString() if isinstance(data, MetricsData) else None

    def close(self) -> None:
        """Let go of the SDK's provider."""
        self._provider.shutdown()

    def _call(self, span: Span, trace: Trace) -> None:
        told = exported(span, trace, convention="1.41.1").attributes
        dimensions: dict[str, Value] = {name: told[name] for name in _DIMENSIONS if name in told}
        if ERROR_TYPE not in told:
            self._tokens.count(told, dimensions)
        is_chat = told.get("gen_ai.operation.name") == "chat"
        first, chunks = told.get("gen_ai.response.time_to_first_chunk"), told.get("ken.call.chunks")
        if is_chat and isinstance(first, float):
            self._histograms.first.record(first, dimensions)
            if isinstance(chunks, int) and chunks > 1:
                self._histograms.each.record(max(0.0, span.ms / 1000 - first) / (chunks - 1), dimensions)
        failed = {ERROR_TYPE: told[ERROR_TYPE]} if ERROR_TYPE in told else {}
        took = self._histograms.inference if is_chat else self._histograms.duration
        took.record(span.ms / 1000, dimensions | failed)


class _Tokens:
    """`gen_ai.client.token.usage`, by type."""

    def __init__(self, meter: Meter) -> None:
        self._usage = _token_histogram(meter, "gen_ai.client.token.usage")

    def count(self, told: dict[str, Value], dimensions: dict[str, Value]) -> None:
        """Count the tokens of a call."""
        for kind in ("input", "output"):
            used = told.get(f"gen_ai.usage.{kind}_tokens")
            if isinstance(used, int) and used:
                self._usage.record(used, dimensions | {"gen_ai.token.type": kind})


class _NewTokens:
    """The counters and histograms that the newer set has in its place."""

    def __init__(self, meter: Meter) -> None:
        self._counters: dict[str, Counter] = {
            name: meter.create_counter(f"gen_ai.client.inference.usage.{name}", "{token}") for name in _COUNTED
        }
        self._sizes: dict[str, Histogram] = {
            name: _token_histogram(meter, f"gen_ai.client.inference.operation.{name}")
            for name in ("input_tokens", "output_tokens")
        }

    def count(self, told: dict[str, Value], dimensions: dict[str, Value]) -> None:
        """Count the tokens of a call."""
        for name, older in _COUNTED.items():
            used = told.get(f"gen_ai.usage.{older}")
            if isinstance(used, int) and used:
                self._counters[name].add(used, dimensions)
                if name in self._sizes:
                    self._sizes[name].record(used, dimensions)


def _seconds(meter: Meter, name: str, buckets: tuple[float, ...]) -> Histogram:
    return meter.create_histogram(name, "s", explicit_bucket_boundaries_advisory=buckets)


def _token_histogram(meter: Meter, name: str) -> Histogram:
    return meter.create_histogram(name, "{token}", explicit_bucket_boundaries_advisory=_TOKENS)
