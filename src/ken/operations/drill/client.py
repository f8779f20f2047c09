"""What somebody sees who asks a Ken over HTTP, and what its traces and breakers say of it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from textwrap import shorten
from typing import cast

import aiohttp

from ken.operations.drill.documents import COLLECTION

PATIENCE_S = 30.0
"""Whatever takes longer hangs."""
_HTTP_OK = 200
_MOST_SAID = 400
"""Characters of an error; the rest is left out at a word's end."""
_NOT_FOUND = 404

Told = Mapping[str, object]


@dataclass(slots=True)
class Seen:
    """One question, and what came of it."""

    status: int = 0
    """0: the connection broke, or nothing came in time."""
    text: str = ""
    notices: tuple[str, ...] = ()
    error: str = ""
    is_whole: bool = False
    """The last event was the answer, and its text is what was streamed."""
    is_cached: bool = False
    model: str = ""
    trace_id: str = ""
    seconds: float = 0.0

    @property
    def outcome(self) -> str:
        """In a few words."""
        if self.is_whole:
            return "an answer" + (f" with a notice ({self.notices[0]})" if self.notices else "")
        return f"status {self.status or 'none'}, {shorten(self.error, _MOST_SAID, placeholder=' …') or 'no error'}"


@dataclass(frozen=True, slots=True)
class Asker:
    """A client of one Ken."""

    session: aiohttp.ClientSession
    url: str

    async def ask(self, question: str, *, model: str | None = None) -> Seen:
        """Ask at Ken's own door, streamed. Raises nothing: a hang is a status of 0."""
        seen, began = Seen(), time.monotonic()
        body: dict[str, object] = {"question": question, "collections": [COLLECTION], "model": model or "ken"}
        try:
            async with self.session.post(f"{self.url}/api/ask", json=body) as response:
                seen.status = response.status
                if response.content_type == "text/event-stream":
                    _read_events(seen, await response.text())
                else:
                    seen.error = message(cast("Told", await response.json(content_type=None)))
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            seen.error = in_words(error)
        seen.seconds = time.monotonic() - began
        return seen

    async def get(self, path: str) -> Told | None:
        """A JSON object; None where there is none, or no such route."""
        try:
            async with self.session.get(f"{self.url}{path}") as response:
                if response.status == _NOT_FOUND:
                    return None
                told = cast("object", await response.json(content_type=None))
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return None
        return cast("Told", told) if isinstance(told, dict) else None

    async def text(self, path: str) -> str:
        """What stands there as text; empty where there is nothing."""
        try:
            async with self.session.get(f"{self.url}{path}") as response:
                return await response.text() if response.status == _HTTP_OK else ""
        except (aiohttp.ClientError, TimeoutError):
            return ""

    async def is_ready(self) -> bool:
        """Whether it says that it can answer."""
        try:
            async with self.session.get(f"{self.url}/readyz") as response:
                return response.status == _HTTP_OK
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def spans(self, trace_id: str) -> tuple[Span, ...]:
        """The spans of a trace, in their order; none where there is no such trace."""
        told = await self.get(f"/api/traces/{trace_id}") or {}
        found = cast("Sequence[Told]", told.get("spans") or ())
        return tuple(Span(str(each["name"]), str(each["status"]), cast("Told", each["attributes"])) for each in found)

    async def release(self, trace_id: str) -> str:
        """The release that answered."""
        return str((await self.get(f"/api/traces/{trace_id}") or {}).get("release") or "")

    async def breaker(self, name: str) -> str:
        """How the breaker of a dependency stands; empty where it is unknown."""
        told = await self.get("/api/gateway/health") or {}
        for each in cast("Sequence[Told]", told.get("dependencies") or ()):
            if each["name"] == name:
                return str(cast("Told", each["breaker"])["state"])
        return ""

    async def sharing(self) -> str:
        """Whether breakers and limits are shared: `redis`, `away`, or empty."""
        return str((await self.get("/api/gateway/health") or {}).get("sharing") or "")


@dataclass(frozen=True, slots=True)
class Span:
    """One step of a trace."""

    name: str
    status: str
    attributes: Told = field(default_factory=dict[str, object])


def new_session() -> aiohttp.ClientSession:
    """A pool of connections whose requests are given up when they hang."""
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=PATIENCE_S), cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
    )


def _read_events(seen: Seen, text: str) -> None:
    """Read server-sent events: nothing may come after the end."""
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "data" not in fields:
            continue
        told = cast("Told", json.loads(fields["data"]))
        if seen.is_whole or seen.error:
            seen.is_whole, seen.error = False, "something came after the end"
            return
        if fields.get("event") == "token":
            seen.text += str(told["text"])
        elif fields.get("event") == "answer":
            seen.is_whole = told["text"] == seen.text
            seen.error = "" if seen.is_whole else "the answer is not what was streamed"
            seen.notices = tuple(map(str, cast("Sequence[object]", told["notices"])))
            seen.is_cached, seen.model = told["cached"] is True, str(told["model"])
            seen.trace_id = str(told["trace_id"])
        elif fields.get("event") == "error":
            seen.error = message(told)
            seen.trace_id = str(told.get("trace_id") or "")


def in_words(error: Exception) -> str:
    """What a client saw, without its library's own terms."""
    if isinstance(error, TimeoutError):
        return f"nothing came within {PATIENCE_S:g} s"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "the stream broke off before its end"
    if isinstance(error, aiohttp.ClientConnectionError):
        return "the connection was closed before an answer came, or refused"
    return f"what came was no answer ({error})"


def message(told: Told) -> str:
    """What an error says, in the shape of Ken's own door or of OpenAI's."""
    error = told.get("error")
    if isinstance(error, Mapping):
        return str(cast("Told", error).get("message", ""))
    return str(error or "an error without words")
