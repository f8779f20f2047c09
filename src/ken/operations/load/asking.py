"""One question over HTTP, as any client asks it, and what came of it."""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import aiohttp

from ken.operations.load.mix import Asked

OK = "ok"
_HTTP_OK = 200
_MOST_WORDS = 300
"""Characters kept of what an error said."""
_TEXT = re.compile(rb'"content":\s*"[^"]')
_DONE = b"data: [DONE]"
_ERROR = b'data: {"error"'


@dataclass(frozen=True, slots=True)
class Target:
    """Where questions go."""

    url: str
    """With or without `/v1` at its end."""
    model: str = "ken"
    key: str | None = None
    patience_s: float = 60.0
    """A question is given up after so long."""
    is_test: bool = True
    """Say so to that server, whose figures leave the questions out; it takes an operator's key, or this machine."""

    @property
    def base(self) -> str:
        """Without `/v1`."""
        return self.url.rstrip("/").removesuffix("/v1")

    @property
    def headers(self) -> dict[str, str]:
        """Of each request."""
        purpose = {"x-ken-purpose": "test"} if self.is_test else {}
        return purpose | ({"authorization": f"Bearer {self.key}"} if self.key else {})

    def session(self) -> aiohttp.ClientSession:
        """A pool of connections without a limit of its own, which would hide the server's."""
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=self.patience_s),
            headers={"Accept-Encoding": "identity", **self.headers},
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one question. Milliseconds count from when it was due, so that a late start is not hidden."""

    kind: str
    """`ok`, a status such as `429`, `timeout`, `connection`, `broken off`, or `error` where one came in mid-stream."""
    due: float
    """By the monotonic clock, seconds."""
    ended: float
    ttft_ms: float | None = None
    """To the first text of a streamed answer."""
    words: str = ""
    """Of an error, what it said."""
    trace_id: str = ""
    context_words: int = 0
    is_streamed: bool = False
    is_cached: bool = False
    is_abstention: bool = False

    @property
    def ms(self) -> float:
        """To the end."""
        return (self.ended - self.due) * 1000


async def ask(session: aiohttp.ClientSession, target: Target, *, asked: Asked, due: float | None = None) -> Outcome:
    """Ask, and wait for the end. `due` is when it should have been asked, where that was earlier. Raises nothing."""
    due = time.monotonic() if due is None else due
    trace_id = secrets.token_hex(16)
    body: dict[str, object] = {"model": target.model, "messages": asked.messages(), "stream": asked.is_streamed}
    told: Mapping[str, object] = {}
    first: float | None = None
    words = ""
    try:
        async with session.post(
            f"{target.base}/v1/chat/completions",
            json=body,
            headers={"traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01"},
        ) as response:
            if response.status != _HTTP_OK:
                kind, words = str(response.status), _message(await response.read())
            elif asked.is_streamed and response.content_type == "text/event-stream":
                kind, first, told, words = await _streamed(response)
            else:
                kind, told = OK, _object(await response.read())
    except TimeoutError:
        kind, words = "timeout", f"No answer in {target.patience_s:g} s."
    except aiohttp.ClientConnectionError as error:
        kind, words = "connection", str(error)
    except aiohttp.ClientError as error:
        kind, words = "broken off", str(error)
    ken = told.get("ken")
    ken = cast("dict[str, object]", ken) if isinstance(ken, dict) else {}
    return Outcome(
        kind=kind,
        due=due,
        ended=time.monotonic(),
        ttft_ms=None if first is None else (first - due) * 1000,
        words=words[:_MOST_WORDS],
        trace_id=str(ken.get("trace_id") or trace_id),
        context_words=asked.context_words,
        is_streamed=asked.is_streamed,
        is_cached=ken.get("cached") is True,
        is_abstention=ken.get("outcome") == "abstained",
    )


async def _streamed(response: aiohttp.ClientResponse) -> tuple[str, float | None, Mapping[str, object], str]:
    """The kind of end, when the first text came, the last event with a `ken` field, and what an error said."""
    first: float | None = None
    received = bytearray()
    async for piece in response.content.iter_any():
        received += piece
        if first is None and _TEXT.search(received):
            first = time.monotonic()
    lines = [line.removeprefix(b"data: ") for line in bytes(received).split(b"\n")]
    if _ERROR in received:
        return "error", first, {}, _message(next(line for line in lines if line.startswith(b'{"error"')))
    if _DONE not in received:
        return "broken off", first, {}, "The stream ended before the answer did."
    last = next((line for line in reversed(lines) if line.startswith(b"{") and b'"ken":' in line), b"{}")
    return OK, first, _object(last), ""


def _message(data: bytes) -> str:
    """What the error in a body says, as OpenAI's wire has it."""
    error = _object(data).get("error")
    return str(cast("dict[str, object]", error).get("message", "")) if isinstance(error, dict) else ""


def _object(data: bytes) -> Mapping[str, object]:
    try:
        told = cast("object", json.loads(data))
    except ValueError:
        return {}
    return cast("dict[str, object]", told) if isinstance(told, dict) else {}
