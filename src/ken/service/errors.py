"""Errors on the wire: one table from the error tree to HTTP, and the two shapes that a client sees.

Paths under /v1 get OpenAI's shape, `{"error": {"type", "message", "param", "code"}}`; all others `{"error": {"kind", "message",
"trace_id"}}`. Both show the message of the error and nothing else of it.
"""

from __future__ import annotations

import re
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
    errors.DeadlineExceeded: 504,
    errors.StorageError: 500,
    errors.KenError: 500,
}
"""A class that is not here takes its nearest ancestor's."""

MODEL_NOT_FOUND = "model_not_found"
"""OpenAI's code, which its clients look for."""

_OPENAI_TYPE = {400: "invalid_request_error", 401: "authentication_error", 403: "permission_error"}
_UNION_TAG = re.compile(r"^(str|int|float|bool|none|list\[.*|function-.*|.*\[.*\])$")


def status_of(error: KenError) -> int:
    """The HTTP status of an error."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def named(kind: str, message: str) -> KenError:
    """The error of `ken.errors` with this class name, as `Failed` events carry it."""
    found = getattr(errors, kind, KenError)
    return found(message) if isinstance(found, type) and issubclass(found, KenError) else KenError(message)


def openai_body(error: KenError) -> dict[str, dict[str, str | None]]:
    """OpenAI's shape of an error."""
    status = status_of(error)
    fallback = "invalid_request_error" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "server_error"
    return {
        "error": {
            "type": _OPENAI_TYPE.get(status, fallback),
            "message": str(error),
            "param": error.param,
            "code": MODEL_NOT_FOUND if isinstance(error, NotFound) and error.param == "model" else None,
        }
    }


def api_body(error: KenError, trace_id: str | None) -> dict[str, dict[str, str | None]]:
    """Ken's own shape of an error."""
    return {"error": {"kind": type(error).__name__, "message": str(error), "trace_id": trace_id}}


def error_response(error: KenError, path: str, *, trace_id: str | None, status: int | None = None) -> JSONResponse:
    """The response that tells of an error, in the shape that belongs to the path."""
    body = openai_body(error) if path.startswith("/v1/") else api_body(error, trace_id)
    response = JSONResponse(body, status or status_of(error))
    if response.status_code == HTTPStatus.UNAUTHORIZED:
        response.headers["www-authenticate"] = "Bearer"
    if response.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        response.headers["connection"] = "close"  # nobody reads the rest of the body
    return response


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
