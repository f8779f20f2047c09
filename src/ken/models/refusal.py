"""What an error answer says, in any of the shapes in which such servers say it."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import cast

_ERROR_CHARS = 300
_FIRST, _LAST = 400, 599
_THOUSAND = 1000
_OF_TYPES = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "api_error": 500,
    "server_error": 500,
    "internal_server_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""The HTTP status that an error type stands for, where it comes in mid-stream: Anthropic's documented table ("Errors"), and
what OpenAI's types and codes are sent with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An error answer, as read."""

    status: int | None
    words: str
    param: str | None = None
    """The parameter that it is about, where it names one."""
    retry_after_s: float | None = None


def refusal(status: int, data: bytes, *, headers: Mapping[str, str]) -> Refusal:
    """Read an error answer."""
    text = data.decode(errors="replace")
    wait = retry_after(headers)
    try:
        said = cast("object", json.loads(text))
    except (ValueError, RecursionError):
        bare = re.sub(r"<[^>]*>", " ", text).strip()[:_ERROR_CHARS]
        return Refusal(status=status, words=bare or "(nothing more)", retry_after_s=wait)
    param = member(member(said, "error"), "param")
    return Refusal(
        status=status, words=_words(said), param=param if isinstance(param, str) else None, retry_after_s=wait
    )


def in_mid_stream(error: object) -> Refusal:
    """Read the error that stands in a stream in the place of a piece; its status where it tells one, by number or by type."""
    for told in (member(error, "status"), member(error, "code"), member(error, "type"), member(error, "status_code")):
        status = _status(told)
        if status is not None:
            return Refusal(status=status, words=_words(error))
    return Refusal(status=None, words=_words(error))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds to wait that a server asks for: seconds or a date (RFC 9110, section 10.2.3), or OpenAI's milliseconds."""
    exact = _seconds(headers.get("retry-after-ms"))
    if exact is not None:
        return exact / _THOUSAND
    told = headers.get("Retry-After")
    seconds = _seconds(told)
    if seconds is not None or told is None:
        return seconds
    try:
        return max(0.0, parsedate_to_datetime(told).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def member(value: object, name: str) -> object:
    """A member of a JSON object; None where there is none, or no object."""
    return cast("dict[str, object]", value).get(name) if isinstance(value, dict) else None


def _seconds(told: str | None) -> float | None:
    try:
        seconds = float(told) if told is not None else math.nan
    except ValueError:
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _status(told: object) -> int | None:
    if isinstance(told, str):
        told = int(told) if told.isdecimal() else _OF_TYPES.get(told)
    return told if isinstance(told, int) and _FIRST <= told <= _LAST else None


def _words(said: object) -> str:
    for name in ("error", "detail", "message"):
        said = member(said, name) or said
    return str(said)[:_ERROR_CHARS].rstrip(". \n") or "(nothing more)"
