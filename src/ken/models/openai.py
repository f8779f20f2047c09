"""Any OpenAI-compatible chat endpoint (OpenAI, vLLM, Ollama, llama.cpp): wire mapping only.

The wire: OpenAI's "Create chat completion" with `stream: true`, answered by server-sent events (WHATWG HTML, section
9.2) whose data are chunk objects, closed by `[DONE]`. Each `data:` line is taken as one chunk, as all such servers send it.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import cast

import aiohttp
from aiohttp.http_exceptions import LineTooLong

from ken.domain.deadline import Deadline
from ken.domain.usage import Usage
from ken.errors import ModelInterrupted, ModelRefused, ModelUnavailable
from ken.models.chat import ChatDelta, ChatRequest, FinishReason
from ken.text.normalise import printable

_MAX_LINE = 1_000_000
_MAX_REFUSAL = 65_536
_ERROR_CHARS = 300
_CONNECT_S = 10.0
_REFUSAL_S = 2.0
_AFTERWORD_S = 1.0
"""What may come after the finish reason, the usage, comes at once; so long is waited for it where the server stays connected."""
_AFTER_DONE_S = 0.25
"""The same after `[DONE]`, where hardly anything comes."""
_TIMER_S = 0.01
"""A timer that was set to the deadline may go off this much before it."""
_SHORTEST_KEY = 6
"""A shorter "key" is a placeholder, and part of ordinary words."""
_OPTIONAL = ("max_tokens", "temperature", "stream_options")
"""Parameters that some models refuse: they are then left out, the first under its newer name."""
_REMEDIES = {
    400: "Look at what its model allows; a prompt that is too long asks for a smaller `context_tokens`",
    401: "Mend the key in the environment variable that `api_key_env` names",
    403: "Mend the key in the environment variable that `api_key_env` names",
    404: "Mend `model` or `base_url` in its [[models]] table",
    429: "Wait a little, or raise the limit at its provider",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where the model is and how long to wait for it. Times in seconds."""

    base_url: str
    model: str
    api_key: str | None = None
    max_tokens: int = 800
    first_token_s: float = 30.0
    stall_s: float = 30.0


@dataclass(frozen=True, slots=True)
class _Chunk:
    """One chunk of a stream, as read."""

    delta: ChatDelta
    is_alive: bool
    """It brought something: text, or the thoughts of a model that thinks before it writes."""


class OpenAIChat:
    """A ChatModel behind an OpenAI-compatible endpoint."""

    def __init__(self, name: str, endpoint: Endpoint) -> None:
        self._name = name
        self._endpoint = endpoint
        self._session: aiohttp.ClientSession | None = None
        self._refused: set[str] = set()
        """Of _OPTIONAL, what this model's server does not take."""

    @property
    def name(self) -> str:
        """As the operator named it."""
        return self._name

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatDelta]:
        """Yield the answer as it comes.

        Raises ModelUnavailable (no connection), ModelRefused (an error answer), ModelInterrupted (nothing in time, cut
        or stalled in mid-answer, or not understood), DeadlineExceeded.
        """
        due = time.monotonic() + self._endpoint.first_token_s
        async with await self._sent(request, due) as response, aclosing(self._deltas(response, request, due)) as deltas:
            async for delta in deltas:
                yield delta

    async def _sent(self, request: ChatRequest, due: float) -> aiohttp.ClientResponse:
        """The answer to the request, its head read; sent again without what the model refuses."""
        while True:
            response = await self._posted(request, due)
            if response.status == 200:  # noqa: PLR2004 - HTTP OK
                return response
            async with response:
                words, parameter = await _refusal(response)
            if parameter not in _OPTIONAL or parameter in self._refused:
                remedy = _REMEDIES.get(response.status, "Look at its log, or choose another model")
                raise ModelRefused(self._says(f"answered {response.status}: {words}", remedy))
            self._refused.add(parameter)

    async def _posted(self, request: ChatRequest, due: float) -> aiohttp.ClientResponse:
        if self._session is None:
            self._session = aiohttp.ClientSession(trust_env=False)
        key = self._endpoint.api_key
        patience = asyncio.timeout(_left(due, request))
        try:
            async with patience:
                return await self._session.post(
                    f"{self._endpoint.base_url.rstrip('/')}/chat/completions",
                    json=self._body(request),
                    headers={"Authorization": f"Bearer {key}"} if key else {},
                    timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S),
                    # A redirection would take the documents somewhere that nobody named.
                    allow_redirects=False,
                )
        except TimeoutError as error:
            if patience.expired():
                raise self._too_slow(request, self._endpoint.first_token_s) from error
            raise ModelUnavailable(
                self._says("did not take the connection in time", "Start it, or mend `base_url`")
            ) from error
        except (aiohttp.ClientError, OSError) as error:
            raise ModelUnavailable(self._says(f"can't be reached ({error})", "Start it, or mend `base_url`")) from error

    def _body(self, request: ChatRequest) -> dict[str, object]:
        limit = self._endpoint.max_tokens
        optional: dict[str, object] = {
            "max_tokens": min(limit, request.max_tokens) if request.max_tokens else limit,
            "temperature": request.temperature,
            "stream_options": {"include_usage": True},
        }
        body: dict[str, object] = {
            "model": self._endpoint.model,
            "messages": [{"role": message.role, "content": message.content} for message in request.messages],
            "stream": True,
            **{name: value for name, value in optional.items() if name not in self._refused},
        }
        if "max_tokens" in self._refused:
            body["max_completion_tokens"] = optional["max_tokens"]
        return body

    async def _deltas(
        self, response: aiohttp.ClientResponse, request: ChatRequest, due: float
    ) -> AsyncGenerator[ChatDelta]:
        wait, afterword_s = self._endpoint.first_token_s, _AFTERWORD_S
        is_event_stream = False
        while (line := await self._line(response, request, due=due, wait=wait)) is not None:
            if not line.startswith(b"data:"):
                continue
            is_event_stream = True
            if line[5:].strip() == b"[DONE]":
                afterword_s = _AFTER_DONE_S
                break
            chunk = self._chunk(line[5:])
            if chunk.is_alive:
                wait = self._endpoint.stall_s
                due = time.monotonic() + wait
            yield chunk.delta
            if chunk.delta.finish_reason is not None:
                break
        else:
            if not is_event_stream:
                what = f"did not answer with an event stream but with {response.content_type}"
                raise ModelInterrupted(self._says(what, "Look at what serves there"))
            raise ModelInterrupted(self._says("ended its stream in mid-answer", "Ask again"))
        async with aclosing(self._afterword(response, afterword_s)) as afterword:
            async for delta in afterword:
                yield delta

    async def _afterword(self, response: aiohttp.ClientResponse, wait: float) -> AsyncGenerator[ChatDelta]:
        """What follows a complete answer: its usage, and the stream's end, so that the connection can be used again.

        Nothing that goes wrong here can harm the answer.
        """
        due = time.monotonic() + wait
        while True:
            try:
                async with asyncio.timeout(max(0.0, due - time.monotonic())):
                    line = await response.content.readline(max_line_length=_MAX_LINE)
                if line[5:].strip() == b"[DONE]":
                    due = min(due, time.monotonic() + _AFTER_DONE_S)
                elif line.startswith(b"data:"):
                    delta = self._chunk(line[5:]).delta
                    if delta.usage is not None:
                        yield ChatDelta(usage=delta.usage)
            except (TimeoutError, LineTooLong, aiohttp.ClientError, OSError, ModelInterrupted):
                return
            if not line:
                return

    async def _line(
        self, response: aiohttp.ClientResponse, request: ChatRequest, *, due: float, wait: float
    ) -> bytes | None:
        """The next line; None at the end of the stream."""
        try:
            async with asyncio.timeout(_left(due, request)):
                return await response.content.readline(max_line_length=_MAX_LINE) or None
        except TimeoutError as error:
            raise self._too_slow(request, wait) from error
        except LineTooLong as error:
            raise ModelInterrupted(self._says("sent a line over 1 MB", "Look at what serves there")) from error
        except (aiohttp.ClientError, OSError) as error:
            raise ModelInterrupted(self._says("cut the connection in mid-answer", "Ask again")) from error

    def _chunk(self, data: bytes) -> _Chunk:
        try:
            chunk = cast("dict[str, object]", json.loads(data))
            if chunk.get("error"):
                words = _words(chunk["error"])
                raise ModelInterrupted(self._says(f"failed in mid-answer: {words}", "Ask again, or look at its log"))
            choices = cast("list[dict[str, object]]", chunk.get("choices") or [])
            choice = choices[0] if choices else {}
            piece = cast("dict[str, object]", choice.get("delta") or {})
            text = _text(piece.get("content"))
            reason = choice.get("finish_reason")
        except (ValueError, AttributeError, TypeError, LookupError) as error:
            raise ModelInterrupted(
                self._says("sent a chunk that is not a chat completion", "Look at what serves there")
            ) from error
        if reason == "content_filter":
            raise ModelInterrupted(
                self._says("stopped by its content filter", "Ask in other words, or choose another model")
            )
        ending: FinishReason | None = None if reason is None else ("length" if reason == "length" else "stop")
        delta = ChatDelta(text, finish_reason=ending, usage=_usage(chunk.get("usage")))
        return _Chunk(delta, any(value for name, value in piece.items() if name != "role"))

    def _too_slow(self, request: ChatRequest, wait: float) -> ModelInterrupted:
        """What to raise where nothing came in time. Raises DeadlineExceeded itself, where that was the limit."""
        Deadline(request.deadline.at - _TIMER_S).check("generate")
        return ModelInterrupted(
            self._says(f"sent nothing for {wait:g} s", "Ask again, or raise `first_token_s` and `stall_s` in its table")
        )

    def _says(self, what: str, remedy: str) -> str:
        text = printable(f"The model {self._name!r} at {self._endpoint.base_url} {what}. {remedy}.")
        key = self._endpoint.api_key
        return text.replace(key, "[its key]") if key and len(key) >= _SHORTEST_KEY else text


def _text(content: object) -> str:
    if not isinstance(content, str | None):
        raise TypeError("a delta's content is text")
    return content or ""


def _left(due: float, request: ChatRequest) -> float:
    return max(0.0, min(due - time.monotonic(), request.deadline.remaining))


async def _refusal(response: aiohttp.ClientResponse) -> tuple[str, object]:
    """The words of an error answer, and the parameter that it is about, where it names one."""
    data = bytearray()
    try:
        async with asyncio.timeout(_REFUSAL_S):
            async for piece in response.content.iter_any():
                data += piece
                if len(data) > _MAX_REFUSAL:
                    break
    except (TimeoutError, aiohttp.ClientError, OSError):
        pass  # what has come says enough
    text = data.decode(errors="replace")
    try:
        body = cast("dict[str, object]", json.loads(text))
        error = body.get("error") or body.get("detail") or body
    except (ValueError, AttributeError):
        return re.sub(r"<[^>]*>", " ", text).strip()[:_ERROR_CHARS] or "(nothing more)", None
    return _words(error), _member(error, "param")


def _words(error: object) -> str:
    return str(_member(error, "message") or error)[:_ERROR_CHARS].rstrip(". \n")


def _member(error: object, name: str) -> object:
    return cast("dict[str, object]", error).get(name) if isinstance(error, dict) else None


def _usage(told: object) -> Usage | None:
    """None where the provider told none, or something else than two numbers: Ken then counts for itself."""
    if not isinstance(told, dict):
        return None
    usage = cast("dict[str, object]", told)
    asked, answered = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if not isinstance(asked, int) or not isinstance(answered, int) or asked < 0 or answered < 0:
        return None
    return Usage(asked, answered)
