"""Errors on the wire: one table from the error tree to HTTP, and the three shapes that a client sees.

Paths under /v1/messages get Anthropic's shape, `{"type": "error", "error": {"type", "message"}}`; /v1/traces gets OTLP's, a `Status`;
others under /v1 get OpenAI's, `{"error": {"type", "message", "param", "code"}}`; all others
`{"error": {"kind", "message", "trace_id"}}`. All show the message of the error and nothing else of it. An error that passes says in
`Retry-After` after how many seconds.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Sequence
from http import HTTPStatus
from typing import cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from ken import errors
from ken.errors import InvalidInput, KenError, NotFound

STATUS: dict[type[KenError], int] = {
    errors.InvalidInput: 400,
    errors.NotAuthorised: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.TooLarge: 413,
    errors.BudgetExceeded: 429,
    errors.Unpriced: 403,
    errors.Overloaded: 429,
    errors.Unreadable: 422,
    errors.ModelError: 502,
    errors.ModelUnavailable: 503,
    errors.SourceError: 502,
    errors.SourceDown: 503,
    errors.DeliveryFailed: 502,
    errors.DeadlineExceeded: 504,
    errors.StorageError: 500,
    errors.KenError: 500,
}
"""A class that is not here takes its nearest ancestor's."""

MODEL_NOT_FOUND = "model_not_found"
"""OpenAI's code, which its clients look for."""
_SPENT = "insufficient_quota"
"""The same for a budget that is used up."""

_OF_PROVIDER = {400: 400, 408: 504, 413: 413, 422: 400, 429: 429, 503: 503, 504: 504, 529: 503}
"""What a provider refused is passed on where its status tells the caller what to do; else it is a bad gateway's matter."""
_OPENAI_TYPE = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    429: "rate_limit_error",
}
_ANTHROPIC_TYPE = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
}
ANTHROPIC_PATH = "/v1/messages"
OTLP_PATH = "/v1/traces"
_OTLP_CODES = {400: 3, 401: 16, 403: 7, 404: 5, 413: 3, 429: 8, 503: 14}
"""gRPC's codes (`google.rpc.Code`) of HTTP's; 2 is `UNKNOWN`."""
_UNION_TAG = re.compile(r"^(str|int|float|bool|none|list\[.*|function-.*|constrained-.*|.*\[.*\])$")


def status_of(error: KenError) -> int:
    """The HTTP status of an error."""
    if isinstance(error, errors.ModelRefused) and error.status in _OF_PROVIDER:
        return _OF_PROVIDER[error.status]
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def headers_of(error: KenError) -> dict[str, str]:
    """What an error says beside its body (RFC 9110, section 10.2.3).

    The official clients of OpenAI and Anthropic try again by themselves, unless they are told not to: a budget doesn't fill
    up within their patience.
    """
    wait = error.retry_after_s
    told = {} if wait is None else {"retry-after": str(max(1, math.ceil(wait)))}
    if isinstance(error, errors.BudgetExceeded):
        told["x-should-retry"] = "false"
    if status_of(error) == HTTPStatus.UNAUTHORIZED:
        told["www-authenticate"] = "Bearer"
    if status_of(error) == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        told["connection"] = "close"  # nobody reads the rest of the body
    return told


def named(kind: str, message: str, *, retry_after_s: float | None = None) -> KenError:
    """The error of `ken.errors` with this class name, as `Failed` events carry it."""
    if kind == errors.BudgetExceeded.__name__:
        return errors.BudgetExceeded(message, resets_at=time.time() + (retry_after_s or 0.0))
    found = getattr(errors, kind, KenError)
    error = found(message) if isinstance(found, type) and issubclass(found, KenError) else KenError(message)
    error.retry_after_s = retry_after_s
    return error


def openai_body(error: KenError) -> dict[str, dict[str, str | None]]:
    """OpenAI's shape of an error."""
    status = status_of(error)
    fallback = "invalid_request_error" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "server_error"
    is_spent = isinstance(error, errors.BudgetExceeded)
    code = None
    if isinstance(error, NotFound) and error.param == "model":
        code = MODEL_NOT_FOUND
    elif status == HTTPStatus.TOO_MANY_REQUESTS:
        code = _SPENT if is_spent else "rate_limit_exceeded"
    return {
        "error": {
            "type": _SPENT if is_spent else _OPENAI_TYPE.get(status, fallback),
            "message": str(error),
            "param": error.param,
            "code": code,
        }
    }


def anthropic_body(error: KenError, trace_id: str | None) -> dict[str, object]:
    """Anthropic's shape of an error ("Errors" of its API reference)."""
    status = status_of(error)
    fallback = "invalid_request_error" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "api_error"
    told = {"type": _ANTHROPIC_TYPE.get(status, fallback), "message": str(error)}
    return {"type": "error", "error": told, "request_id": trace_id}


def api_body(error: KenError, trace_id: str | None) -> dict[str, dict[str, str | None]]:
    """Ken's own shape of an error."""
    return {"error": {"kind": type(error).__name__, "message": str(error), "trace_id": trace_id}}


def otlp_body(status: int, message: str, *, kind: str) -> bytes:
    """A `google.rpc.Status`, as OTLP/HTTP has errors: in protobuf, or in JSON where that is the media type."""
    code = _OTLP_CODES.get(status, 2)
    if kind == "application/json":
        return json.dumps({"code": code, "message": message}).encode()
    text = message.encode()
    return b"\x08" + _varint(code) + b"\x12" + _varint(len(text)) + text


def _varint(number: int) -> bytes:
    """Protobuf's variable-width integer: seven bits a byte, the lowest first."""
    data = bytearray()
    while number > 0x7F:  # noqa: PLR2004 - seven bits
        data.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*data, number])


def error_response(error: KenError, path: str, *, trace_id: str | None, status: int | None = None) -> JSONResponse:
    """The response that tells of an error, in the shape that belongs to the path."""
    body: object = api_body(error, trace_id)
    if path == OTLP_PATH:
        body = {"code": _OTLP_CODES.get(status or status_of(error), 2), "message": str(error)}
    elif path.startswith(ANTHROPIC_PATH):
        body = anthropic_body(error, trace_id)
    elif path.startswith("/v1/"):
        body = openai_body(error)
    return JSONResponse(body, status or status_of(error), headers=headers_of(error))


def install(app: FastAPI) -> None:
    """Make the app answer every error that a route raises in Ken's shapes."""

    async def on_ken_error(request: Request, error: Exception) -> JSONResponse:
        return error_response(cast("KenError", error), request.url.path, trace_id=request.state.trace_id)

    async def on_invalid(request: Request, error: Exception) -> JSONResponse:
        faults = cast("Sequence[dict[str, object]]", cast("RequestValidationError", error).errors())
        return error_response(in_words(faults), request.url.path, trace_id=request.state.trace_id)

    async def on_http(request: Request, error: Exception) -> JSONResponse:
        fault = cast("HTTPException", error)
        wording = _http_words(fault.status_code, method=request.method, path=request.url.path)
        response = error_response(wording, request.url.path, trace_id=request.state.trace_id, status=fault.status_code)
        response.headers.update(fault.headers or {})
        return response

    app.add_exception_handler(KenError, on_ken_error)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(HTTPException, on_http)


def in_words(faults: Sequence[dict[str, object]]) -> InvalidInput:
    """The most specific fault of a body or query that failed validation, as a sentence about one parameter."""
    fault = max(faults, key=lambda each: len(cast("tuple[object, ...]", each["loc"])))
    where = _parameter(cast("tuple[str | int, ...]", fault["loc"]))
    context = cast("dict[str, object]", fault.get("ctx", {}))
    kind = str(fault["type"])
    if kind == "json_invalid":
        return InvalidInput(f"The body is not valid JSON: {context.get('error', 'it ends too early')}.", param="body")
    if not where:
        return InvalidInput("The body must be a JSON object, sent with `Content-Type: application/json`.", param="body")
    return InvalidInput(f"`{where}` {_complaint(kind, context, message=str(fault['msg']))}.", param=where)


def _parameter(loc: tuple[str | int, ...]) -> str:
    """`("body", "messages", 0, "content")` is `messages[0].content`; the tags of union members are left out."""
    name = ""
    for part in loc[1:]:
        if isinstance(part, int):
            name += f"[{part}]"
        elif not _UNION_TAG.match(part):
            name += f".{part}" if name else part
    return name


_COMPLAINTS = {
    "missing": "is missing",
    "extra_forbidden": "is not a known parameter",
    "string_type": "must be text",
    "string_unicode": "is not valid Unicode text",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
}


def _complaint(kind: str, context: dict[str, object], *, message: str) -> str:
    if kind == "literal_error":
        return f"must be {context.get('expected')}"
    if kind == "value_error":
        return str(context.get("error"))
    if kind == "string_too_short":
        return "must not be empty"
    if kind == "string_too_long":
        return f"must not be longer than {context.get('max_length')} characters"
    if kind == "too_short":
        return "must not be empty"
    if kind == "greater_than_equal":
        return f"must be {context.get('ge')} or more"
    if kind == "less_than_equal":
        return f"must be {context.get('le')} or less"
    return _COMPLAINTS.get(kind, f"can't be used: {message[:1].lower()}{message[1:]}")


def _http_words(status: int, *, method: str, path: str) -> KenError:
    if status == HTTPStatus.NOT_FOUND:
        return NotFound(f"There is no {path!r} here. /docs lists what there is.")
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return InvalidInput(f"{path!r} can't be asked with {method}. /docs lists what can.")
    return InvalidInput("The request's body can't be read. Send a JSON object with `Content-Type: application/json`.")
