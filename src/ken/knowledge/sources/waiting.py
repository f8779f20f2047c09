"""How long a server asks to be left alone, and how long to wait where it doesn't say."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

_LONGEST_S = 86_400.0
"""No wait that a server asks for is believed beyond a day."""
_SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?")
_TOO_MANY = 429
_FORBIDDEN = 403


def is_rate_limit(status: int, headers: Mapping[str, str]) -> bool:
    """Whether an answer says "too often": 429, or a 403 that says when to come back or that nothing is left (GitHub)."""
    if status == _FORBIDDEN:
        return "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0"
    return status == _TOO_MANY


def asked_wait(headers: Mapping[str, str]) -> float | None:
    """Seconds that a server asks to wait; None where it doesn't say so, or not in a way that can be read.

    Retry-After (RFC 9110, section 10.2.3) is in seconds or a date; a date is compared with the server's own clock, where
    it shows it. X-RateLimit-Reset counts where nothing is left, in seconds since the epoch.
    """
    written = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(written):
        return min(float(written), _LONGEST_S)
    now = _moment(headers.get("date", ""))
    now = time.time() if now is None else now
    until = _moment(written) if written else None
    if until is None and headers.get("x-ratelimit-remaining") == "0":
        reset = headers.get("x-ratelimit-reset", "").strip()
        until = float(reset) if _SECONDS.fullmatch(reset) else None
    return None if until is None else min(max(until - now, 0.0), _LONGEST_S)


def backoff(attempt: int, *, first_s: float, longest_s: float) -> float:
    """Seconds to wait after the attempt with this 0-based number: doubled each time, and spread over its upper half."""
    return min(first_s * 2 ** min(attempt, 32), longest_s) * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, keeps no secret


def _moment(written: str) -> float | None:
    try:
        moment = parsedate_to_datetime(written)
    except (ValueError, OverflowError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
