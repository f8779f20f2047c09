"""Finished traces as OTLP: the SDK's spans, under one resource, in the protobuf that its own exporters send."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.status import Status, StatusCode

import ken
from ken.domain.trace import Span, Trace
from ken.telemetry.otel.mapping import SCHEMA_URLS, Convention, exported

_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_KINDS = {"INTERNAL": SpanKind.INTERNAL, "CLIENT": SpanKind.CLIENT}
_NANOS = 1_000_000_000
_RANDOM_BITS = 56


def resource_of(service_name: str, others: Mapping[str, str]) -> Resource:
    """Who sends: `service.name`, `service.version`, the SDK, and what the operator adds."""
    # Not `Resource.create`, which reads the environment: settings alone do that.
    return Resource(
        {
            "telemetry.sdk.language": "python",
            "telemetry.sdk.name": "opentelemetry",
            **others,
            "service.name": service_name,
            "service.version": ken.__version__,
        }
    )


class Encoder:
    """Encodes traces for one collector."""

    def __init__(self, resource: Resource, *, convention: Convention = "1.41.1", content: bool = False) -> None:
        self._resource = resource
        self._convention: Convention = convention
        self._content = content
        self._scope = InstrumentationScope("ken", ken.__version__, SCHEMA_URLS[convention] or None)

    def encode(self, traces: Iterable[Trace]) -> bytes:
        """An `ExportTraceServiceRequest`."""
        spans = [self.span(span, trace) for trace in traces for span in trace.spans if not span.service]
        return encode_spans(spans).SerializeToString()

    def span(self, span: Span, trace: Trace) -> ReadableSpan:
        """One of Ken's spans as the SDK has them."""
        told = exported(span, trace, convention=self._convention, content=self._content)
        trace_id = int(trace.id, 16)
        parent = span.parent_id or trace.parent_span_id
        return ReadableSpan(
            name=told.name,
            context=SpanContext(trace_id, int(span.id, 16), is_remote=False, trace_flags=_SAMPLED),
            # What stands above the root is the caller's.
            parent=None
            if parent is None
            else SpanContext(trace_id, int(parent, 16), is_remote=span.parent_id is None, trace_flags=_SAMPLED),
            resource=self._resource,
            attributes=told.attributes,
            links=[
                Link(
                    SpanContext(int(link.trace_id, 16), int(link.span_id, 16), is_remote=True),
                    {"ken.link": link.reason},
                )
                for link in span.links
            ],
            kind=_KINDS[told.kind],
            status=Status(StatusCode.ERROR if span.status == "error" else StatusCode.UNSET),
            start_time=max(0, round(span.started_at * _NANOS)),
            end_time=max(0, round(span.ended_at * _NANOS)),
            instrumentation_scope=self._scope,
        )


def is_shared(trace_id: str, share: float) -> bool:
    """Whether a trace is of the share that is sent: by the 56 bits that W3C Trace Context level 2 calls random."""
    return share >= 1.0 or int(trace_id, 16) & ((1 << _RANDOM_BITS) - 1) < share * (1 << _RANDOM_BITS)
