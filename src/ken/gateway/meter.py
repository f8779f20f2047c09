"""The meter: each attempt at a model is reserved in the books before it goes out, and settled at what it came to.

What a provider says that a call has used counts, and the last word of it: a usage that comes with every piece is the sum
so far, not a part. Where it says nothing, or nothing after the last piece that came, Ken counts and marks the usage as an
estimate. Who was refused before the first piece has nothing to pay.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Generic

from ken.domain.booking import Reservation, Settlement, new_call_id
from ken.domain.call import Charge, ChargeOutcome, Noting
from ken.domain.trace import Scalar
from ken.domain.usage import Usage
from ken.errors import DeadlineExceeded, KenError, ModelInterrupted, ModelRefused
from ken.gateway.books import Books
from ken.gateway.counting import Counting
from ken.gateway.failures import in_words
from ken.gateway.seam import D, Delta, Dependency, R, Request
from ken.models.chat import ChatDelta, ChatRequest
from ken.models.embedding import EmbedRequest
from ken.models.reranking import RerankRequest
from ken.telemetry.prices import Tariff

_DOCUMENTS_A_SEARCH = 100
"""Of a reranker that is paid by the search: so many documents are one search (Cohere's price list)."""
_CHARS_A_TOKEN = 64
"""No answer has so many for each token: a provider that says so counts the last piece alone, or not at all."""
_SENT = (ModelInterrupted, DeadlineExceeded)
"""Of Ken's errors, those that come of requests which a provider has taken."""


class Metered(Generic[R, D]):
    """The same dependency; each call is reserved and settled in the books, and its charge put on the request's account.

    `most_output` is what the provider writes at most where the request doesn't say. A free one, such as a model that runs in
    this process, is noted and not reserved. `stream` raises what `Books.reserve` raises besides.
    """

    def __init__(
        self,
        inner: Dependency[R, D],
        *,
        books: Books,
        tariff: Tariff,
        counting: Counting,
        provider: str = "",
        most_output: int = 0,
        is_free: bool = False,
    ) -> None:
        self.name: str = inner.name
        self._inner = inner
        self._books = books
        self._tariff = tariff
        self._counting = counting
        self._provider = provider
        self._told: dict[str, Scalar] = {"model": inner.name, "called": tariff.called, "provider": provider}
        self._most_output = most_output
        self._is_free = is_free

    async def stream(self, request: R) -> AsyncGenerator[D]:
        """As the dependency behind it."""
        reservation = self._reservation(request)
        with request.context.tracer.span("call", **self._told, call_id=reservation.call_id, **_asked(request)) as span:
            if not self._is_free:
                await self._books.reserve(reservation)
            attempt = _Attempt(began=time.perf_counter())
            try:
                async with aclosing(self._inner.stream(request)) as deltas:
                    async for delta in deltas:
                        attempt.take(delta)
                        yield delta
            except BaseException as error:
                attempt.error = error
                if isinstance(error, KenError):
                    span.set("failure", in_words(error))
                raise
            finally:
                self._settle(request, reservation, attempt=attempt, span=span)

    def _reservation(self, request: Request) -> Reservation:
        """The most that a request may cost."""
        now = time.time()
        wanted = request.most_output_tokens
        limits = [limit for limit in (wanted, self._most_output or None) if limit is not None]
        most = Usage(self._counting.asked(request.texts), min(limits, default=0), estimated=True)
        return Reservation(
            call_id=new_call_id(),
            purpose=request.context.purpose,
            model=self.name,
            provider=self._provider,
            tokens=most.input_tokens + most.output_tokens,
            micros=self._tariff.cost_micros(most, at=now, searches=_searches(request)),
            currency=self._tariff.currency,
            price_version=self._tariff.version,
            started_at=now,
        )

    def _settle(self, request: Request, reservation: Reservation, *, attempt: _Attempt, span: Noting) -> None:
        usage = attempt.usage(request, self._counting)
        if attempt.is_taken:
            cost = self._tariff.cost_micros(
                usage,
                at=reservation.started_at,
                searches=attempt.searches or _searches(request),
                answered_by=attempt.response_model,
            )
        else:
            cost = 0
        settlement = Settlement(
            usage=usage,
            cost_micros=cost,
            outcome=attempt.outcome,
            error="" if attempt.error is None else type(attempt.error).__name__,
            response_model=attempt.response_model,
            ended_at=time.time(),
            ttft_ms=attempt.ttft_ms,
        )
        (self._books.note if self._is_free else self._books.settle)(reservation, settlement)
        request.context.account.charges.append(
            Charge(
                call_id=reservation.call_id,
                model=self.name,
                stage=request.context.purpose.stage,
                usage=usage,
                cost_micros=cost,
                outcome=attempt.outcome,
            )
        )
        _note(span, settlement, attempt)


@dataclass(slots=True)
class _Attempt:
    """What has come of a call so far."""

    began: float
    told: Usage | None = None
    written: list[str] = field(default_factory=list[str])
    is_told_all: bool = True
    """Nothing was written after the provider last said what it used."""
    ttft_ms: float | None = None
    error: BaseException | None = None
    last: Delta | None = None
    response_id: str = ""
    response_model: str = ""
    finish_reason: str = ""
    chunks: int = 0
    tool_calls: list[str] = field(default_factory=list[str])
    """Ids of the tools' calls that were asked for."""

    def take(self, delta: Delta) -> None:
        """Note what is in a piece."""
        if isinstance(delta, ChatDelta):
            self.tool_calls += [call.id for call in delta.tool_calls if call.id]
            self.finish_reason = delta.finish_reason or self.finish_reason
            self.chunks += delta.carries
        if text := delta.written:
            self.written.append(text)
            self.is_told_all = False
        usage = delta.usage
        if usage is not None and (usage.input_tokens or usage.output_tokens or self.told is None):
            self.told = usage
            self.is_told_all = True
        if self.ttft_ms is None and delta.carries:
            self.ttft_ms = (time.perf_counter() - self.began) * 1000
        self.last = delta
        if not self.response_model:
            self.response_id = getattr(delta, "response_id", "")
            self.response_model = getattr(delta, "response_model", "")

    @property
    def searches(self) -> int | None:
        """As many as the provider says that it bills; None where it doesn't."""
        return getattr(self.last, "search_units", None)

    @property
    def is_taken(self) -> bool:
        """Whether the provider has something to bill: it was not refused before its first piece."""
        if self.told is not None or self.written or self.error is None:
            return True
        if isinstance(self.error, ModelRefused):
            return self.error.status is None  # not refused, but too long to be an answer
        return not isinstance(self.error, KenError) or isinstance(self.error, _SENT)

    @property
    def outcome(self) -> ChargeOutcome:
        """How it ended. Who hangs up is no failure of the model."""
        if self.error is None:
            return "ok"
        return "failed" if isinstance(self.error, Exception) else "abandoned"

    def usage(self, request: Request, counting: Counting) -> Usage:
        """What was used: told where it was, counted where it wasn't."""
        if not self.is_taken:
            return Usage()
        told = self.told or Usage()
        text = "".join(self.written)
        if told.input_tokens and self.is_told_all and len(text) <= _CHARS_A_TOKEN * told.output_tokens:
            return told
        written = counting.written(text)
        # A provider that says 0 where there was something doesn't count.
        return replace(
            told,
            input_tokens=told.input_tokens or counting.asked(request.texts),
            output_tokens=told.output_tokens
            if self.is_told_all and len(text) <= _CHARS_A_TOKEN * told.output_tokens
            else max(told.output_tokens, written),
            estimated=True,
        )


def _searches(request: Request) -> int:
    """What a reranker is paid for that is paid by the search: `texts` are the question and the documents."""
    return max(1, -(-(len(request.texts) - 1) // _DOCUMENTS_A_SEARCH))


def _asked(request: Request) -> dict[str, Scalar]:
    """What a span tells of a request, beside whom it goes to: nothing of what it says."""
    match request:
        case ChatRequest(options=options):
            told: dict[str, Scalar] = {
                "max_tokens": request.max_tokens,
                "temperature": request.temperature,
                "top_p": options.top_p,
                "seed": options.seed,
                "output_type": None if options.json_schema is None else "json",
            }
            asked = {name: value for name, value in told.items() if value is not None}
            return {"operation": "chat", "stream": request.is_streamed, **asked}
        case EmbedRequest():
            told = {"operation": "embeddings", "texts": len(request.texts)}
            return told if request.dimensions is None else told | {"dimensions": request.dimensions}
        case RerankRequest():
            return {"operation": "rerank", "texts": len(request.documents)}
        case _:
            return {}


def _note(span: Noting, settlement: Settlement, attempt: _Attempt) -> None:
    usage = settlement.usage
    span.set("input_tokens", usage.input_tokens)
    span.set("output_tokens", usage.output_tokens)
    span.set("estimated", usage.estimated)
    span.set("cost_micros", settlement.cost_micros)
    for name, value in (
        ("cache_read_tokens", usage.cache_read_tokens),
        ("cache_write_tokens", usage.cache_write_tokens),
        ("reasoning_tokens", usage.reasoning_tokens),
        ("response_model", settlement.response_model),
        ("response_id", attempt.response_id),
        ("finish_reason", attempt.finish_reason),
        ("chunks", attempt.chunks),
        ("tool_calls", ",".join(attempt.tool_calls)),
    ):
        if value:
            span.set(name, value)
    if settlement.ttft_ms is not None:
        span.set("ttft_ms", round(settlement.ttft_ms, 3))
