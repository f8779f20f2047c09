"""Spans of other services, over OTLP/HTTP: keys with the group `telemetry`, and operators.

After "OTLP/HTTP" of the OpenTelemetry specification. 200 means: on the disk. An error answers with a `Status` in the encoding of the
request; those that pass (429, 503) say in `Retry-After` when to come back.
"""

from __future__ import annotations

import json
import math
from http import HTTPStatus
from typing import cast

from fastapi import APIRouter, Request
from starlette.responses import Response

from ken.domain.principal import Principal
from ken.errors import Forbidden, KenError, NotFound, StorageError
from ken.service.errors import otlp_body, status_of
from ken.telemetry.otel.bounds import Encoding
from ken.telemetry.otel.reception import TELEMETRY, Taken
from ken.wiring import Ken

router = APIRouter(tags=["telemetry"])

_PROTOBUF, _JSON = "application/x-protobuf", "application/json"
_BUSY_S = "5"


@router.post(
    "/v1/traces",
    summary="Take spans of other services (OTLP/HTTP)",
    openapi_extra={"requestBody": {"required": True, "content": {_PROTOBUF: {}, _JSON: {}}}},
)
async def traces(request: Request) -> Response:
    """Joined by their trace id to Ken's own; a trace that Ken doesn't know becomes one of the kind `external`."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    encoding: Encoding = "json" if kind == _JSON else "protobuf"
    if kind not in {_PROTOBUF, _JSON}:
        return _answer(
            otlp_body(400, f"Send {_PROTOBUF} or {_JSON}, not {kind!r}.", kind=_PROTOBUF), _PROTOBUF, status=415
        )
    try:
        taken = await _taken(request, encoding)
    except KenError as error:
        return _refused(error, kind)
    return _answer(_accepted(taken, kind), kind)


async def _taken(request: Request, encoding: Encoding) -> Taken:
    ken, principal = cast("Ken", request.app.state.ken), cast("Principal", request.state.principal)
    if ken.reception is None:
        raise NotFound("This Ken takes no spans of others: `receive` of [telemetry] is false.")
    if not principal.is_operator and TELEMETRY not in principal.groups:
        raise Forbidden(f"{principal.id!r} may not send spans: it takes a key with the group {TELEMETRY!r}.")
    packing = request.headers.get("content-encoding", "").strip().lower()
    return await ken.reception.take(await request.body(), packing=packing, encoding=encoding, principal=principal.id)


def _refused(error: KenError, kind: str) -> Response:
    # A sender keeps what is answered 503 and tries again; what is answered 500 it throws away.
    status = HTTPStatus.SERVICE_UNAVAILABLE if isinstance(error, StorageError) else status_of(error)
    response = _answer(otlp_body(status, str(error), kind=kind), kind, status=status)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["retry-after"] = _BUSY_S
    if error.retry_after_s is not None:
        response.headers["retry-after"] = str(max(1, math.ceil(error.retry_after_s)))
    return response


def _accepted(taken: Taken, kind: str) -> bytes:
    """An `ExportTraceServiceResponse`: empty, where everything was taken as it came."""
    if kind == _JSON:
        partial = {"rejectedSpans": str(taken.rejected), "errorMessage": taken.said}
        return json.dumps({"partialSuccess": partial} if taken.said else {}).encode()
    if not taken.said:
        return b""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (  # noqa: PLC0415 - few answers need it
        ExportTracePartialSuccess,
        ExportTraceServiceResponse,
    )

    told = ExportTracePartialSuccess(rejected_spans=taken.rejected, error_message=taken.said)
    return ExportTraceServiceResponse(partial_success=told).SerializeToString()


def _answer(body: bytes, kind: str, *, status: int = 200) -> Response:
    return Response(body, status, media_type=kind)
