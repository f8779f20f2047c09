"""Any OpenAI-compatible chat endpoint (OpenAI, vLLM, Ollama, llama.cpp): wire mapping only.

The wire: OpenAI's "Create chat completion" with `stream: true`, answered by server-sent events (WHATWG HTML, section
9.2) whose data are chunk objects, closed by `[DONE]`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import cast

import aiohttp

from ken.domain.usage import Usage
from ken.errors import ModelInterrupted, ModelRefused, ModelUnavailable
from ken.models.protocols import ChatDelta, ChatRequest

_MAX_LINE = 1 << 20
_ERROR_WORDS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where the model is and how long to wait for it. Times in seconds."""

    base_url: str
    model: str
    api_key: str | None = None
    max_tokens: int = 800
    first_token_s: float = 30.0
    stall_s: float = 30.0


class OpenAIChat:
    """A ChatModel behind an OpenAI-compatible endpoint."""

    def __init__(self, name: str, endpoint: Endpoint) -> None:
        self._name = name
        self._endpoint = endpoint
        self._session: aiohttp.ClientSession | None = None

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

        Raises ModelUnavailable (no connection, or nothing in time), ModelRefused (an error answer), ModelInterrupted
        (cut or stalled in mid-answer, or not understood), DeadlineExceeded.
        """
        try:
            async with self._connected().post(
                f"{self._endpoint.base_url.rstrip('/')}/chat/completions",
                json=self._body(request),
                headers=self._headers(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=min(10.0, self._endpoint.first_token_s)),
            ) as response:
                if response.status != 200:  # noqa: PLR2004 - HTTP OK
                    raise ModelRefused(await self._refusal(response))
                async with aclosing(self._deltas(response, request)) as deltas:
                    async for delta in deltas:
                        yield delta
        except aiohttp.ClientPayloadError as error:
            raise ModelInterrupted(self._says("cut the connection in mid-answer", "Ask again")) from error
        except aiohttp.ClientError as error:
            raise ModelUnavailable(self._says(f"can't be reached ({error})", "Start it, or mend `base_url`")) from error
        except TimeoutError as error:
            raise ModelUnavailable(
                self._says("did not answer the connection in time", "Start it, or mend `base_url`")
            ) from error

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(read_bufsize=_MAX_LINE, trust_env=False)
        return self._session

    def _headers(self) -> dict[str, str]:
        key = self._endpoint.api_key
        return {"Authorization": f"Bearer {key}"} if key else {}

    def _body(self, request: ChatRequest) -> dict[str, object]:
        limit = self._endpoint.max_tokens
        return {
            "model": self._endpoint.model,
            "messages": [{"role": message.role, "content": message.content} for message in request.messages],
            "stream": True,
            "stream_options": {"include_usage": True},
            "temperature": request.temperature,
            "max_tokens": min(limit, request.max_tokens) if request.max_tokens else limit,
        }

    async def _deltas(self, response: aiohttp.ClientResponse, request: ChatRequest) -> AsyncGenerator[ChatDelta]:
        finished = False
        wait = self._endpoint.first_token_s
        while True:
            line = await self._line(response, wait, request)
            if line is None:
                break
            if not line.startswith(b"data:"):
                continue
            data = line[5:].strip()
            if data == b"[DONE]":
                finished = True
                break
            delta = self._delta(data)
            finished = finished or delta.finish_reason is not None
            if delta.text:
                wait = self._endpoint.stall_s
            yield delta
        if not finished:
            raise ModelInterrupted(self._says("ended its stream in mid-answer", "Ask again"))

    async def _line(self, response: aiohttp.ClientResponse, wait: float, request: ChatRequest) -> bytes | None:
        patience = min(wait, request.deadline.remaining)
        try:
            async with asyncio.timeout(patience):
                line = await response.content.readline()
        except TimeoutError as error:
            request.deadline.check("generate")
            raise ModelInterrupted(
                self._says(f"sent nothing for {patience:.0f} s", "Ask again, or raise its time-outs")
            ) from error
        except ValueError as error:
            raise ModelInterrupted(self._says("sent a line over 1 MB", "Look at what serves there")) from error
        return line or None

    def _delta(self, data: bytes) -> ChatDelta:
        try:
            chunk = cast("dict[str, object]", json.loads(data))
            if "error" in chunk:
                raise ModelInterrupted(self._says(f"failed in mid-answer: {_words(chunk['error'])}", "Ask again"))
            choices = cast("list[dict[str, object]]", chunk.get("choices") or [])
            choice = choices[0] if choices else {}
            piece = cast("dict[str, object]", choice.get("delta") or {})
            text = piece.get("content") or ""
            reason = choice.get("finish_reason")
            usage = chunk.get("usage")
            return ChatDelta(
                text=str(text),
                finish_reason=None if reason is None else ("length" if reason == "length" else "stop"),
                usage=_usage(cast("dict[str, object]", usage)) if isinstance(usage, dict) else None,
            )
        except (ValueError, AttributeError, TypeError, IndexError, KeyError) as error:
            raise ModelInterrupted(
                self._says("sent a chunk that is not a chat completion", "Look at what serves there")
            ) from error

    async def _refusal(self, response: aiohttp.ClientResponse) -> str:
        body = (await response.content.read(4096)).decode(errors="replace")
        try:
            words = _words(cast("dict[str, object]", json.loads(body))["error"])
        except (ValueError, KeyError, TypeError):
            words = body.strip()[:_ERROR_WORDS]
        remedy = "Mend its key" if response.status in {401, 403} else "Look at its log, or choose another model"
        return self._says(f"answered {response.status}: {words}", remedy)

    def _says(self, what: str, remedy: str) -> str:
        return f"The model {self._name!r} at {self._endpoint.base_url} {what}. {remedy}."


def _words(error: object) -> str:
    found = cast("dict[str, object]", error).get("message", error) if isinstance(error, dict) else error
    return str(found)[:_ERROR_WORDS]


def _usage(usage: dict[str, object]) -> Usage:
    return Usage(int(cast("int", usage["prompt_tokens"])), int(cast("int", usage["completion_tokens"])))
