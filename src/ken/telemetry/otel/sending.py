"""Sends encoded batches to a collector over OTLP/HTTP, from a thread of its own ("OTLP/HTTP" of the OpenTelemetry specification)."""

from __future__ import annotations

import asyncio
import gzip
import logging
import random as randomness
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Literal

import aiohttp
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from ken.text.normalise import printable

_OK = 200
_PASSING = frozenset({429, 502, 503, 504})
"""What the specification lets be sent again."""
_MOST_ANSWER = 65_536
_MOST_WORDS = 300

Signal = Literal["traces", "metrics"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a collector is waited for. Times in seconds."""

    request_s: float = 10.0
    """One request, from its connection to the end of its answer."""
    retry_s: float = 60.0
    """One batch, every try together; then it is lost."""
    backoff_s: float = 1.0
    """The bound of the first wait; each next bound is twice as long."""
    longest_s: float = 15.0
    """No wait is longer, whatever Retry-After says."""
    close_s: float = 3.0
    """At the end, for all that is still to be sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of one batch."""

    arrived: bool
    rejected: int = 0
    """Spans or points of it that the collector took nothing of (partial success)."""
    tries: int = 1
    why: str = ""
    """It did not arrive, or not all of it; for the log."""


class Post:
    """Posts to a collector, on the event loop of the thread that made it."""

    def __init__(
        self, headers: Mapping[str, str], *, patience: Patience, random: Callable[[], float] = randomness.random
    ) -> None:
        self._headers = {
            "User-Agent": "ken",
            **headers,
            "Content-Type": "application/x-protobuf",
            "Content-Encoding": "gzip",
            # A compressed answer could unfold to gigabytes.
            "Accept-Encoding": "identity",
        }
        self._patience = patience
        self._random = random
        self._closing = asyncio.Event()

    def close(self) -> None:
        """From now on nothing is tried again."""
        self._closing.set()

    async def deliver(self, url: str, body: bytes, *, signal: Signal) -> Delivery:
        """Send a batch until it arrives, is refused, or takes too long."""
        packed = gzip.compress(body, compresslevel=1)
        give_up = time.monotonic() + self._patience.retry_s
        tries = 0
        timeout = aiohttp.ClientTimeout(total=self._patience.request_s)
        # A connection a batch: they are seconds apart, and collectors close what idles.
        connector = aiohttp.TCPConnector(force_close=True)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=False) as session:
            while True:
                tries += 1
                try:
                    answer = await self._once(session, url, packed)
                except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
                    why, wait = f"{type(error).__name__} {error}".strip(), None
                else:
                    if answer.status == _OK:
                        return _accepted(answer, signal=signal, tries=tries)
                    why, wait = f"HTTP {answer.status}: {_words(answer.body)}", answer.retry_after_s
                    if answer.status not in _PASSING:
                        return Delivery(arrived=False, tries=tries, why=why)
                pause = self._pause(tries, wait)
                if time.monotonic() + pause > give_up or await self._closes_within(pause):
                    return Delivery(arrived=False, tries=tries, why=why)

    async def _once(self, session: aiohttp.ClientSession, url: str, body: bytes) -> _Answer:
        async with session.post(url, data=body, headers=self._headers, allow_redirects=False) as response:
            told = bytearray()
            async for piece in response.content.iter_any():
                told += piece
                if len(told) > _MOST_ANSWER:
                    break
            return _Answer(response.status, bytes(told), _retry_after_s(response.headers.get("Retry-After", "")))

    def _pause(self, tries: int, asked: float | None) -> float:
        """Seconds until the next try: as the collector says, else exponential backoff with full jitter."""
        if asked is not None:
            return min(self._patience.longest_s, asked)
        bound = min(self._patience.longest_s, self._patience.backoff_s * 2 ** min(tries - 1, 16))
        return bound * self._random()

    async def _closes_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes
    retry_after_s: float | None


def _accepted(answer: _Answer, *, signal: Signal, tries: int) -> Delivery:
    """What a 200 says: all was taken, or a part (`partial_success`). An answer that can't be read says nothing against it."""
    try:
        if signal == "traces":
            partial = ExportTraceServiceResponse.FromString(answer.body).partial_success
            rejected, said = partial.rejected_spans, partial.error_message
        else:
            points = ExportMetricsServiceResponse.FromString(answer.body).partial_success
            rejected, said = points.rejected_data_points, points.error_message
    except DecodeError:
        return Delivery(arrived=True, tries=tries)
    return Delivery(arrived=True, rejected=max(0, rejected), tries=tries, why=printable(said[:_MOST_WORDS]))


def _retry_after_s(told: str) -> float | None:
    """Seconds, or a date (RFC 9110, section 10.2.3); None where it says neither."""
    if told.isascii() and told.isdigit():
        return float(told)
    try:
        return max(0.0, parsedate_to_datetime(told).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _words(body: bytes) -> str:
    """What an error answer says, as far as it is text."""
    return printable(body[:_MOST_WORDS].decode("utf-8", "replace")).strip()
