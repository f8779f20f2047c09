"""OTLP requests of others, read: unpacked, bounded, checked span by span, and put into Ken's words.

After "OTLP/HTTP" of the OpenTelemetry specification: protobuf or JSON, plain or gzip. What can't be used of a request is told in its
`partial_success`; the rest is taken.
"""

from __future__ import annotations

import base64
import json
import math
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import cast

from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Status
from opentelemetry.proto.trace.v1.trace_pb2 import Span as OtlpSpan

from ken.domain.trace import Link, Scalar, Span
from ken.errors import InvalidInput, TooLarge
from ken.telemetry.otel.bounds import Encoding, Intake
from ken.text.normalise import printable

Mark = tuple[str, str]
"""Trace id and service."""

_NANOS = 1e9
_DAY_S = 86_400.0
_NO_ID = frozenset({b"\0" * 16, b"\0" * 8})
_TRACE_ID = 16
_SPAN_ID = 8
_MOST_NAME = 256
_MOST_LINKS = 32
_EXCEPTION = "exception"
_UNNAMED = "unknown_service"
"""The specification's word for a resource without a name."""


@dataclass(slots=True)
class Read:
    """What is in a request."""

    spans: dict[Mark, list[Span]] = field(default_factory=dict[Mark, list[Span]])
    taken: int = 0
    rejected: Counter[str] = field(default_factory=Counter[str])
    """Spans that were not taken, by reason."""
    cut: int = 0
    """Attributes that were left out or shortened."""

    @property
    def said(self) -> str:
        """What was not taken as it came, in words; empty where all was."""
        told = [
            f"{count} span{' was' if count == 1 else 's were'} not taken: {reason}"
            for reason, count in sorted(self.rejected.items())
        ]
        if self.cut:
            many = " was" if self.cut == 1 else "s were"
            told.append(f"{self.cut} attribute{many} cut or left out, as over the limits")
        return ". ".join(told)


def unpacked(body: bytes, encoding: str, *, max_bytes: int) -> bytes:
    """A body without its compression. Raises InvalidInput, TooLarge."""
    if encoding in {"", "identity"}:
        data = body
    elif encoding == "gzip":
        stream = zlib.decompressobj(16 + zlib.MAX_WBITS)
        try:
            data = stream.decompress(body, max_bytes + 1)
        except zlib.error as error:
            raise InvalidInput("The body is not valid gzip. Send it again, or without Content-Encoding.") from error
        if len(data) <= max_bytes and not stream.eof:
            raise InvalidInput("The body is not valid gzip: it breaks off. Send it again.")
    else:
        raise InvalidInput(f"The Content-Encoding {encoding!r} is not taken. Send gzip, or nothing.")
    if len(data) > max_bytes:
        raise TooLarge(
            f"The request is larger than the {max_bytes / 1e6:g} MB that are taken, unpacked. Send fewer spans in one, or "
            "raise `receive_mb` of [telemetry]."
        )
    return data


def read(data: bytes, encoding: Encoding, *, bounds: Intake, now: float) -> Read:
    """The spans of an `ExportTraceServiceRequest`. Raises InvalidInput where it is none, TooLarge for too many spans."""
    request = ExportTraceServiceRequest()
    try:
        if encoding == "protobuf":
            request.ParseFromString(data)
        else:
            told = cast("object", json.loads(data))
            _hex_to_base64(told)
            ParseDict(cast("dict[str, object]", told), request, ignore_unknown_fields=True)
    except (DecodeError, ParseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidInput(f"The body is no ExportTraceServiceRequest in {encoding}. Send OTLP, as in v1.") from error
    count = sum(len(scope.spans) for resource in request.resource_spans for scope in resource.scope_spans)
    if count > bounds.max_spans:
        raise TooLarge(f"The request has {count} spans, and {bounds.max_spans} are taken at once. Send fewer in one.")
    found = Read()
    for resource in request.resource_spans:
        _resource(resource, found, bounds=bounds, now=now)
    return found


def _resource(resource: ResourceSpans, found: Read, *, bounds: Intake, now: float) -> None:
    named = next((one.value.string_value for one in resource.resource.attributes if one.key == "service.name"), "")
    service = _word(named) or _UNNAMED
    for scope in resource.scope_spans:
        for told in scope.spans:
            if why := _unfit(told, now, ahead_s=bounds.ahead_s, behind_s=bounds.behind_s):
                found.rejected[why] += 1
                continue
            mark = told.trace_id.hex(), service
            found.spans.setdefault(mark, []).append(_span(told, service, found, bounds=bounds))
            found.taken += 1


def _unfit(told: OtlpSpan, now: float, *, ahead_s: float, behind_s: float) -> str:
    """Why a span can't be kept; empty where it can."""
    if len(told.trace_id) != _TRACE_ID or told.trace_id in _NO_ID:
        return "their trace id is not 16 bytes, or zero"
    if len(told.span_id) != _SPAN_ID or told.span_id in _NO_ID:
        return "their span id is not 8 bytes, or zero"
    if not told.start_time_unix_nano:
        return "they have no start time"
    if max(told.start_time_unix_nano, told.end_time_unix_nano) / _NANOS > now + ahead_s:
        return "they lie in the future; look at the clock"
    if told.start_time_unix_nano / _NANOS < now - behind_s:
        return f"they are older than {behind_s / _DAY_S:g} days; look at the clock"
    return ""


def _span(told: OtlpSpan, service: str, found: Read, *, bounds: Intake) -> Span:
    began = told.start_time_unix_nano / _NANOS
    parent = told.parent_span_id
    has_parent = len(parent) == _SPAN_ID and parent not in _NO_ID and parent != told.span_id
    return Span(
        id=told.span_id.hex(),
        parent_id=parent.hex() if has_parent else None,
        name=_word(told.name) or "(unnamed)",
        started_at=began,
        # A clock that was set back in between says that it ended before it began.
        ended_at=max(began, told.end_time_unix_nano / _NANOS),
        status="error" if told.status.code == Status.STATUS_CODE_ERROR else "ok",
        attributes=tuple(_attributes(told, found, bounds=bounds).items()),
        links=tuple(
            Link(link.trace_id.hex(), link.span_id.hex())
            for link in told.links[:_MOST_LINKS]
            if len(link.trace_id) == _TRACE_ID and len(link.span_id) == _SPAN_ID
        ),
        service=service,
    )


@lru_cache(maxsize=4_096)
def _word(text: str) -> str:
    """A name as it may be shown: the same few come again and again."""
    return printable(text[:_MOST_NAME])


def _attributes(told: OtlpSpan, found: Read, *, bounds: Intake) -> dict[str, Scalar]:
    """The attributes, within bounds; what an exception's event says, and the status's message, among them."""
    kept: dict[str, Scalar] = {}
    left = bounds.max_span_chars
    for name, value in _all_attributes(told):
        if len(kept) >= bounds.max_attributes or left <= 0 or not name:
            found.cut += 1
            continue
        longest = min(left, bounds.max_value)
        plain = _plain(value, longest)
        if isinstance(plain, str):
            if len(plain) > longest:
                found.cut += 1
                plain = plain[:longest]
            left -= len(plain)
        kept[_word(name)] = plain
        left -= len(name)
    return kept


def _all_attributes(told: OtlpSpan) -> Iterator[tuple[str, AnyValue]]:
    yield from ((one.key, one.value) for one in told.attributes)
    if told.status.message:
        yield "status.message", AnyValue(string_value=told.status.message)
    for event in told.events:
        if event.name == _EXCEPTION:
            yield from ((one.key, one.value) for one in event.attributes)
            break


def _plain(value: AnyValue, longest: int) -> Scalar:
    """A value as a scalar: arrays and maps as JSON, bytes in base64, a number that JSON has no word for as text."""
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case "int_value":
            return value.int_value
        case "double_value":
            return value.double_value if math.isfinite(value.double_value) else str(value.double_value)
        case "bytes_value":
            return base64.b64encode(value.bytes_value[: longest + 1]).decode()
        case "array_value":
            return json.dumps([_plain(each, longest) for each in value.array_value.values], ensure_ascii=False)
        case "kvlist_value":
            return json.dumps(_map(value.kvlist_value.values, longest), ensure_ascii=False)
        case _:
            return None


def _map(pairs: Sequence[KeyValue], longest: int) -> dict[str, Scalar]:
    return {pair.key: _plain(pair.value, longest) for pair in pairs}


def _hex_to_base64(told: object) -> None:
    """OTLP's JSON has ids in hexadecimal, where protobuf's has base64: make the one of the other. A wrong id becomes none."""
    for span in _json_spans(told):
        _convert(span)
        for link in _list_of(span.get("links")):
            _convert(link)


def _json_spans(told: object) -> Iterator[dict[str, object]]:
    if not isinstance(told, dict):
        raise TypeError
    request = cast("Mapping[str, object]", told)
    for resource in _list_of(request.get("resourceSpans", request.get("resource_spans"))):
        for scope in _list_of(resource.get("scopeSpans", resource.get("scope_spans"))):
            yield from _list_of(scope.get("spans"))


def _list_of(told: object) -> Iterator[dict[str, object]]:
    if isinstance(told, list):
        yield from (cast("dict[str, object]", each) for each in cast("list[object]", told) if isinstance(each, dict))


def _convert(span: dict[str, object]) -> None:
    for name in ("traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id"):
        if name in span:
            try:
                span[name] = base64.b64encode(bytes.fromhex(str(span[name]))).decode()
            except ValueError:
                span[name] = ""
