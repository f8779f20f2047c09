"""One HTTP call of a model: what all providers have in common, whatever they say to each other.

Four things may take too long, and each has its own words: the connection, the first token, the next piece (a stall), and the
whole answer. What is behind them all is the question's deadline. An answer that isn't streamed shows no sign of life before its
end: where nothing else is said, it may take five sixths of what the question has left, so that another model has the rest.
"""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import aiohttp
from yarl import URL

from ken.domain.deadline import Deadline
from ken.errors import ModelError, ModelInterrupted, ModelRefused, ModelTimedOut, ModelUnavailable
from ken.models.connections import Connections
from ken.models.refusal import Refusal, refusal
from ken.telemetry.tracing import current_span
from ken.text.normalise import printable

_MAX_REFUSAL = 65_536
_REFUSAL_S = 2.0
_TIMER_S = 0.01
"""A timer that was set to the deadline may go off this much before it."""
_SHORTEST_KEY = 6
"""A shorter "key" is a placeholder, and part of ordinary words."""
_CONNECT_SHARE = 0.8
"""Of the time to the first token, which counts from the beginning; so that it's the connection that is blamed for itself."""
_WHOLE_SHARE = 5 / 6
_OK = frozenset({200, 201})
"""Some servers take each answer for something that they have created."""
_NO_STATUS = "Bad status line"
"""What aiohttp says of a server that speaks something else than HTTP."""
_LARGE = 1 << 20
"""A body of more bytes is sent in pieces."""
_BYTES_A_TOKEN = 64
"""No answer has so many for each token that it was allowed. A server that doesn't know `max_tokens` may write `_LEAST_BYTES`."""
_LEAST_BYTES = 50_000
_LONGER = 4
"""Bytes on the wire for one byte of an answer: its escapes, its logprobs and what stands around it."""
_REMEDIES = {
    400: "Look at what its model allows; a prompt that is too long asks for a smaller `context_tokens`",
    401: "Mend the key in the environment variable that `api_key_env` names",
    403: "Mend the key in the environment variable that `api_key_env` names",
    404: "Mend `model` or `base_url` of its table in ken.toml",
    413: "Ask with less text",
    429: "Wait a little, or raise the limit at its provider",
    503: "Wait a little, or look at its log",
    529: "Wait a little: its provider has more to do than it can",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a model is, how it is let know who asks, and what messages call it, as in `The embedder 'e5'`."""

    what: str
    base_url: str
    api_key: str | None = field(default=None, repr=False)
    key_header: Literal["Authorization", "api-key", "x-api-key"] = "Authorization"
    """OpenAI's form, Azure's, Anthropic's."""
    api_version: str | None = None
    """Azure's `api-version` in the address."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait, in seconds, and how much to take."""

    connect_s: float = 2.0
    first_token_s: float = 30.0
    stall_s: float = 30.0
    completion_s: float | None = None
    """For the whole answer; None: what the question has left, or five sixths of that where it isn't streamed."""
    max_answer_bytes: int = 2_000_000


class Wire:
    """Posts to one endpoint."""

    def __init__(self, address: Address, patience: Patience, *, connections: Connections | None = None) -> None:
        self.address: Address = address
        self.patience: Patience = patience
        self._own = None if connections is not None else Connections()
        self._connections: Connections = connections or self._own or Connections()
        self._headers: dict[str, str] = {"Content-Type": "application/json", **address.headers}
        if address.api_key:
            bearer = "Bearer " if address.key_header == "Authorization" else ""
            self._headers[address.key_header] = bearer + address.api_key
        connect_s = min(patience.connect_s, _CONNECT_SHARE * patience.first_token_s)
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=connect_s)
        self._urls: dict[str, URL] = {}

    async def aclose(self) -> None:
        """Close the connections, where they are shared with nobody."""
        if self._own is not None:
            await self._own.aclose()

    async def post(self, path: str, body: Mapping[str, object], *, call: Call) -> aiohttp.ClientResponse:
        """Send and wait for the head of the answer. Raises ModelUnavailable, ModelInterrupted, DeadlineExceeded."""
        data = json.dumps(body).encode()
        url = self._url(path)
        patience = asyncio.timeout(call.left)
        try:
            async with patience:
                return await self._connections.session.post(
                    url,
                    data=io.BytesIO(data) if len(data) > _LARGE else data,
                    headers=self._traced(url),
                    timeout=self._timeout,
                    # A redirection would take the documents somewhere that nobody named.
                    allow_redirects=False,
                )
        except TimeoutError as error:
            if patience.expired():
                raise call.too_slow() from error
            waited = f"did not take the connection within {self._timeout.sock_connect:g} s"
            raise ModelUnavailable(self.says(waited, "Start it, or mend `base_url`")) from error
        except aiohttp.ServerDisconnectedError as error:
            raise ModelUnavailable(self.says("closed the connection without an answer", "Look at its log")) from error
        except aiohttp.ClientResponseError as error:
            raise self._not_http(error) from error
        except (aiohttp.ClientError, OSError) as error:
            raise ModelUnavailable(self.says(f"can't be reached ({error})", "Start it, or mend `base_url`")) from error

    def _traced(self, url: URL) -> Mapping[str, str]:
        """The headers, with `traceparent` for a server that carries the trace on; the span is told where that server is."""
        span = current_span()
        if span is None:
            return self._headers
        span.set("server_address", url.host or "")
        span.set("server_port", url.port)
        told = {"traceparent": span.traceparent}
        if span.tracestate:
            told["tracestate"] = span.tracestate
        return {**self._headers, **told}

    def _not_http(self, error: aiohttp.ClientResponseError) -> ModelError:
        """The error for bytes that are none of HTTP from the first line on, or that break off from it in an answer."""
        told = error.message.partition("\n")[0].rstrip(": ")
        if told.startswith(_NO_STATUS):
            return ModelUnavailable(self.says(f"does not answer in HTTP ({told})", "Mend `base_url`"))
        return ModelInterrupted(self.says(f"sent an answer that is not HTTP ({told})", "Look at what serves there"))

    def is_streaming(self, response: aiohttp.ClientResponse, *, is_asked: bool) -> bool:
        """Whether an answer comes in pieces: as it was asked for, where its type doesn't say otherwise."""
        return {"text/event-stream": True, "application/json": False}.get(response.content_type, is_asked)

    async def refused(self, response: aiohttp.ClientResponse) -> Refusal | None:
        """What an error answer says; None where it is none. Its connection is let go."""
        if response.status in _OK:
            return None
        data = bytearray()
        async with response:
            try:
                async with asyncio.timeout(_REFUSAL_S):
                    async for piece in response.content.iter_any():
                        data += piece
                        if len(data) > _MAX_REFUSAL:
                            break
            except (TimeoutError, aiohttp.ClientError, OSError):
                pass  # what has come says enough
        return refusal(response.status, bytes(data), headers=response.headers)

    def refusing(self, told: Refusal, remedies: Mapping[int, str] | None = None) -> ModelRefused:
        """The error for an error answer."""
        status = told.status or 0
        remedy = (remedies or {}).get(status) or _REMEDIES.get(status, "Look at its log, or choose another model")
        words = self.says(f"answered {told.status}: {told.words}", remedy)
        return ModelRefused(words, status=told.status, retry_after_s=told.retry_after_s)

    def failed_in_mid_answer(self, told: Refusal) -> ModelError:
        """The error for one that came in the place of a piece: ModelRefused where it tells a status, else ModelInterrupted."""
        status = f" ({told.status})" if told.status else ""
        words = self.says(f"failed in mid-answer{status}: {told.words}", "Ask again, or look at its log")
        return ModelRefused(words, status=told.status) if told.status else ModelInterrupted(words)

    def over_limit(self, most_bytes: int) -> ModelRefused:
        """The error for an answer that is too long to be one. It has no status: asked again, the model would do it again."""
        setting = "max_answer_mb" if most_bytes == self.patience.max_answer_bytes else "max_tokens"
        return ModelRefused(
            self.says(
                f"wrote more than {most_bytes / 1_000_000:g} MB",
                f"Look at what serves there, or raise `{setting}` in its table",
            )
        )

    def says(self, what: str, remedy: str) -> str:
        """A message about this model, without its key."""
        text = printable(f"{self.address.what} at {self.address.base_url} {what}. {remedy}.")
        key = self.address.api_key
        return text.replace(key, "[its key]") if key and len(key) >= _SHORTEST_KEY else text

    def _url(self, path: str) -> URL:
        if path not in self._urls:
            url = URL(f"{self.address.base_url.rstrip('/')}{path}")
            version = self.address.api_version
            self._urls[path] = url.with_query({"api-version": version}) if version else url
        return self._urls[path]


class Call:
    """The clock of one call: what it waits for, and until when."""

    def __init__(
        self, wire: Wire, deadline: Deadline, *, is_streamed: bool = True, most_tokens: int | None = None
    ) -> None:
        most_bytes = wire.patience.max_answer_bytes
        if most_tokens is not None:
            most_bytes = min(most_bytes, max(_LEAST_BYTES, most_tokens * _BYTES_A_TOKEN))
        self.most_bytes: int = most_bytes
        """An answer of more is none."""
        self._wire = wire
        self._deadline = deadline
        now = time.monotonic()
        share = 1.0 if is_streamed else _WHOLE_SHARE
        self._completion_s = wire.patience.completion_s or share * max(0.0, deadline.at - now)
        self._complete_at = now + self._completion_s
        self._wait = wire.patience.first_token_s if is_streamed else self._completion_s
        self._due = now + self._wait
        self._is_begun = False

    @property
    def left(self) -> float:
        """Seconds until this has taken too long."""
        return max(0.0, min(self._due, self._complete_at, self._deadline.at) - time.monotonic())

    def came(self) -> None:
        """Something came: the next piece is waited for as long as a stall may take."""
        self._is_begun = True
        self._wait = self._wire.patience.stall_s
        self._due = time.monotonic() + self._wait

    def too_slow(self) -> ModelTimedOut:
        """What to raise where it has. Raises DeadlineExceeded itself, where that was the limit."""
        Deadline(self._deadline.at - _TIMER_S).check("generate")
        if self._due >= self._complete_at:
            what, setting = f"did not complete its answer within {self._completion_s:.3g} s", "completion_s"
        elif self._is_begun:
            what, setting = f"fell silent in mid-answer: it sent nothing for {self._wait:g} s", "stall_s"
        else:
            what, setting = f"sent nothing for {self._wait:g} s", "first_token_s"
        return ModelTimedOut(self._wire.says(what, f"Ask again, or raise `{setting}` in its table"))


class Reading:
    """The body of an answer, as it comes. The caller closes the response."""

    def __init__(self, wire: Wire, response: aiohttp.ClientResponse, *, call: Call) -> None:
        self._wire = wire
        self._content = response.content
        self._call = call
        self._rest: list[bytes] = []
        self._rest_bytes = 0
        self._is_over = False

    async def lines(self) -> list[bytes] | None:
        """The lines that have come, at least one; None at the end. Raises ModelError, DeadlineExceeded."""
        while not self._is_over:
            data = await self._some()
            if not data:
                self._is_over = True
                last = b"".join(self._rest)
                return [last] if last else None
            if b"\r" in data and b"\n" not in data:  # a line may end with it alone
                data = data.replace(b"\r", b"\n")
            self._rest.append(data)
            self._rest_bytes += len(data)
            if b"\n" in data:
                *whole, rest = b"".join(self._rest).split(b"\n")
                self._rest, self._rest_bytes = [rest], len(rest)
                return whole
            self._check()
        return None

    async def whole(self) -> bytes:
        """All of it. Raises ModelError, DeadlineExceeded."""
        while data := await self._some():
            if not data.isspace():  # some servers send blanks while the model is at work
                self._call.came()
            self._rest.append(data)
            self._rest_bytes += len(data)
            self._check()
        return b"".join(self._rest)

    async def _some(self) -> bytes:
        """What has come, else the next that comes; nothing at the end."""
        try:
            data = self._content.read_nowait()
            if data or self._content.at_eof():
                return data
            async with asyncio.timeout(self._call.left):
                return await self._content.readany()
        except TimeoutError as error:
            raise self._call.too_slow() from error
        except (aiohttp.ClientError, OSError) as error:
            raise ModelInterrupted(self._wire.says("cut the connection in mid-answer", "Ask again")) from error

    def _check(self) -> None:
        if self._rest_bytes > _LONGER * self._wire.patience.max_answer_bytes:
            raise self._wire.over_limit(self._wire.patience.max_answer_bytes)
