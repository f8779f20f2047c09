"""The mock provider as a bare ASGI app: chat on two wires, embeddings, rerank, models, and its books."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from email.utils import formatdate
from functools import lru_cache
from typing import cast
from urllib.parse import parse_qs

from ken.errors import InvalidInput
from ken.mock import anthropic_wire, openai_wire
from ken.mock.behaviour import FAMILIES, Behaviour, Fault, parse
from ken.mock.chat_wire import CREATED, ChatWire
from ken.mock.exchange import Exchange, HungUp, Receive, Scope, Send
from ken.mock.ledger import Entry, Ledger
from ken.mock.quota import Quota
from ken.mock.search_wire import embedded_texts, embeddings, rerank, rerank_texts
from ken.mock.streaming import ChatCall, stream, wait_for_whole
from ken.mock.writing import Tokenizer, WordTokenizer, written

IMAGE_TOKENS = 100
"""What an image in a prompt is billed as."""
MESSAGE_TOKENS = 4
"""What the chat template puts around a message or a tool, and is billed as well."""
REPLY_TOKENS = 3
"""What it puts before the answer."""
_RETRIED = (429, 503, 529)
"""Statuses that come with `Retry-After`."""
_OK = 200

ChatWireOf = type[openai_wire.OpenAIWire] | type[anthropic_wire.AnthropicWire]
ErrorBody = Callable[[int, str], dict[str, object]]


class MockProvider:
    """The ASGI app. `ledger` holds what every request would be invoiced."""

    def __init__(self, tokens: Tokenizer | None = None) -> None:
        self.ledger = Ledger()
        self._tokens = tokens or WordTokenizer()
        # The words of answers come again and again.
        self._count = lru_cache(maxsize=10_000)(self._tokens.count)
        self._quotas: dict[tuple[str, str], Quota] = defaultdict(Quota)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            while (await receive())["type"] != "lifespan.shutdown":
                await send({"type": "lifespan.startup.complete"})
            await send({"type": "lifespan.shutdown.complete"})
            return
        exchange = Exchange(scope, receive=receive, send=send)
        try:
            await self._route(exchange)
        except HungUp:
            pass  # whoever was in the books has been marked there
        finally:
            exchange.close()

    async def _route(self, exchange: Exchange) -> None:
        match exchange.method, exchange.path.removeprefix("/v1"):
            case "POST", "/chat/completions":
                await self._call(exchange, openai_wire.error_body, openai_wire.OpenAIWire)
            case "POST", "/messages":
                await self._call(exchange, anthropic_wire.error_body, anthropic_wire.AnthropicWire)
            case "POST", "/embeddings" | "/rerank" | "/v2/rerank":
                await self._call(exchange, openai_wire.error_body, None)
            case "GET", "/models":
                models = [{"id": name, "object": "model", "created": CREATED, "owned_by": "ken"} for name in FAMILIES]
                await exchange.answer(_OK, {"object": "list", "data": models})
            case "GET", "/mock/ledger":
                wanted = parse_qs(exchange.query.decode("latin-1")).get("model")
                await exchange.answer(_OK, self.ledger.told(wanted[0] if wanted else None))
            case "DELETE" | "POST", "/mock/ledger" | "/mock/reset":
                self.reset()
                await exchange.answer(_OK, self.ledger.told())
            case _:
                what = f"There is nothing at {exchange.method} {exchange.path}."
                await exchange.answer(404, openai_wire.error_body(404, what))

    def reset(self) -> None:
        """Forget the books, how often each model was called, and what of each rate limit is used up."""
        self.ledger.reset()
        self._quotas.clear()

    async def _call(self, exchange: Exchange, error_body: ErrorBody, wire_of: ChatWireOf | None) -> None:
        """Answer one call of a model, with whatever goes wrong in it."""
        data = await exchange.body()
        try:
            body = _object(data)
            model = body.get("model")
            behaviour = parse(model if isinstance(model, str) else "")
            wire = wire_of(str(model), behaviour, body=body) if wire_of else None
            asked = self._input_tokens(exchange.path, wire, body)
        except InvalidInput as error:
            status = 404 if error.param == "model" else 400
            self.ledger.opened(
                Entry(len(self.ledger) + 1, "", exchange.path, False, FAMILIES["mockfree"], status, "refused")
            )
            await exchange.answer(status, error_body(status, str(error)))
            return
        entry = self.ledger.opened(
            Entry(len(self.ledger) + 1, str(model), exchange.path, bool(wire and wire.wish.streamed), behaviour.price)
        )
        entry.traceparent, entry.tracestate = exchange.header(b"traceparent"), exchange.header(b"tracestate")
        try:
            await self._answered(exchange, behaviour, body, entry=entry, asked=asked, error_body=error_body, wire=wire)
        except HungUp:
            entry.outcome = "hung up"
            raise

    async def _answered(
        self,
        exchange: Exchange,
        behaviour: Behaviour,
        body: dict[str, object],
        *,
        entry: Entry,
        asked: int,
        error_body: ErrorBody,
        wire: ChatWire | None,
    ) -> None:
        fault = behaviour.fault(self.ledger.next_call(entry.model))
        if await self._refused(exchange, behaviour, fault, entry=entry, asked=asked, error_body=error_body):
            return
        # From here on the prompt is read, so it is billed, whatever comes.
        entry.input_tokens = asked
        if behaviour.cached or behaviour.written:
            entry.cached_tokens = min(behaviour.cached, asked)
            entry.written_tokens = min(behaviour.written, asked - entry.cached_tokens)
        if fault is not None and fault.kind == "hanghead":
            await exchange.silence()
        await exchange.pause(behaviour.head + (fault.at if fault is not None and fault.kind == "slow" else 0))
        if wire is None:
            is_embedding = exchange.path.endswith("/embeddings")
            told = embeddings(behaviour, body, entry=entry) if is_embedding else rerank(body, entry=entry)
            await exchange.pause(behaviour.ttft)
            entry.outcome = "completed"
            await exchange.answer(_OK, told)
            return
        call = ChatCall(exchange=exchange, behaviour=behaviour, fault=fault, wire=wire, entry=entry, count=self._count)
        answered = stream if wire.wish.streamed else wait_for_whole
        wish = wire.wish.asked
        if fault is not None and fault.kind == "big":
            wish = replace(wish, megabytes=fault.at)
        await answered(call, written(behaviour, wish))

    async def _refused(
        self,
        exchange: Exchange,
        behaviour: Behaviour,
        fault: Fault | None,
        *,
        entry: Entry,
        asked: int,
        error_body: ErrorBody,
    ) -> bool:
        """Answer with an error status where one is due."""
        status, after, words = 0, behaviour.after, "The mock provider was asked to answer so."
        if fault is not None and fault.kind == "status":
            status = fault.at
        elif behaviour.rpm or behaviour.tpm:
            key = exchange.header(b"authorization") or exchange.header(b"x-api-key")
            wait = self._quotas[key, entry.model].wait(behaviour, tokens=asked + behaviour.len, now=time.monotonic())
            if wait:
                status, after, words = (
                    429,
                    wait,
                    f"The limit of requests or tokens a minute is reached for {entry.model}.",
                )
        if not status:
            return False
        entry.status, entry.outcome = status, "refused"
        await exchange.pause(behaviour.head)
        headers = [(b"retry-after", _retry_after(after, is_date=behaviour.afterdate))] if status in _RETRIED else []
        await exchange.answer(status, error_body(status, words), headers=headers)
        return True

    def _input_tokens(self, path: str, wire: ChatWire | None, body: dict[str, object]) -> int:
        if wire is not None:
            asked = wire.wish.asked
            counted = sum(self._tokens.count(text) + MESSAGE_TOKENS for text in asked.texts)
            return counted + REPLY_TOKENS + IMAGE_TOKENS * asked.images
        if path.endswith("/embeddings"):
            return sum(map(self._tokens.count, embedded_texts(body)))
        question, texts = rerank_texts(body)
        return self._tokens.count(question) + sum(map(self._tokens.count, texts))


def _object(data: bytes) -> dict[str, object]:
    try:
        body = cast("object", json.loads(data))
    except ValueError as error:
        raise InvalidInput(f"The request's body is no JSON: {error}.") from error
    if not isinstance(body, dict):
        raise InvalidInput("The request's body is no JSON object.")
    return cast("dict[str, object]", body)


def _retry_after(seconds: int, *, is_date: bool) -> bytes:
    """RFC 9110, section 10.2.3: seconds, or a date."""
    # A date has no fractions of a second, so it is the first whole second that is late enough.
    return (formatdate(time.time() + seconds + 0.999, usegmt=True) if is_date else str(seconds)).encode()
