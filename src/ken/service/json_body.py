"""A request's JSON body, read by a route that has to look at it before it knows what it should be."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TypeVar, cast

from fastapi import Request
from pydantic import BaseModel, ValidationError

from ken.errors import InvalidInput
from ken.service.errors import in_words

Body = TypeVar("Body", bound=BaseModel)


async def json_object(request: Request) -> dict[str, object]:
    """The body as an object. Raises InvalidInput for anything else, and for another content type.

    A page of another site can send no JSON without being asked first (CORS); so nothing but JSON is read.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json")):
        try:
            body = cast("object", json.loads(await request.body(), parse_constant=_no_number))
        except ValueError as error:
            reason = error.msg if isinstance(error, json.JSONDecodeError) else "it is not UTF-8"
            raise InvalidInput(f"The body is not valid JSON: {reason}.", param="body") from error
        except RecursionError as error:
            raise InvalidInput("The body is not valid JSON: it is nested too deeply.", param="body") from error
        if isinstance(body, dict):
            return cast("dict[str, object]", body)
    raise InvalidInput("The body must be a JSON object, sent with `Content-Type: application/json`.", param="body")


def _no_number(constant: str) -> object:
    """JSON has no NaN and no Infinity, though Python reads and writes them: a model would be sent what it can't read."""
    raise json.JSONDecodeError(f"there is no number {constant}", constant, 0)


def validated(shape: type[Body], body: dict[str, object]) -> Body:
    """The body in its shape. Raises InvalidInput, about one parameter."""
    try:
        return shape.model_validate(body)
    except ValidationError as error:
        faults = error.errors(include_url=False)
        raise in_words(
            cast("Sequence[dict[str, object]]", [{**fault, "loc": ("body", *fault["loc"])} for fault in faults])
        ) from None
